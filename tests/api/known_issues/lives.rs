//! "A deleted user lingers": names of who left, in whatever order a source says it.

use serde_json::{Value, json};
use vestibule::base::Span;
use vestibule::directory::roster::Tally;

use super::town::{DIRECTORY, ENTERPRISE, Person, Source, Town};
use crate::support::server::{block_on, wait_until};

/// One request for each of these.
fn send(town: &Town, person: &Person, operations: &[Value]) {
    for operation in operations {
        town.patch(&format!("/Users/{}", person.id), &json!([operation]));
    }
}

fn named(name: &str) -> Value {
    json!({ "op": "Replace", "path": "userName", "value": name })
}

fn active(on: bool) -> Value {
    json!({ "op": "Replace", "path": "active", "value": if on { "True" } else { "False" } })
}

fn tombstone(person: &Person) -> String {
    format!("{}{}@contoso.com", person.external_id.replace('-', ""), person.name)
}

fn another(town: &Town, name: &str) -> Person {
    let mut body = town.body(name);
    body["externalId"] = json!(town.external_id(&format!("the other {name}")));
    town.hire_as(name, &body)
}

#[test]
fn e37_e38_a_tombstone_in_one_request_or_two_in_either_order_frees_the_name_and_comes_back_in_either_order() {
    let town = Town::new(Source::Azure);
    for (round, (off_first, on_first)) in
        [(true, true), (true, false), (false, true), (false, false)].iter().enumerate()
    {
        let name = format!("ada{round}");
        let ada = town.hire(&name);
        let group = town.group(&format!("Group {round}"), &[&ada]);
        let (buried, own) = (tombstone(&ada), format!("{name}@contoso.com"));
        let leave = [active(false), named(&buried)];
        send(
            &town,
            &ada,
            &if *off_first { leave } else { leave.into_iter().rev().collect::<Vec<_>>().try_into().expect("two") },
        );
        let stored = town.stored(&ada).expect("kept");
        assert_eq!(
            (stored.identity_name.as_deref(), stored.user.user_name()),
            (Some(own.as_str()), Some(buried.as_str()))
        );
        town.is_barred(&ada);

        let hire = another(&town, &name);
        assert_eq!(town.claims(&hire)["preferred_username"], own.as_str(), "the name is free at once");
        let path = format!("/Users/{}", ada.id);
        let back = json!({ "Operations": [named(&own), active(true)] });
        let refused = town.call("PATCH", &path, Some(&back));
        assert_eq!((refused.status, refused.json()["scimType"].as_str()), (409, Some("uniqueness")));
        let detail = refused.json()["detail"].as_str().unwrap_or_default().to_owned();
        assert!(detail.contains(&hire.external_id), "it names whom to look for: {detail}");
        assert!(town.stored(&ada).is_some_and(|stored| !stored.user.active), "nothing of it is done");

        town.stage.world.advance(Span::secs(1));
        if *on_first {
            send(&town, &ada, &[active(true)]);
            assert_eq!(town.call("GET", &path, None).json()["userName"], buried.as_str(), "as it was sent");
            let claims = town.claims(&ada);
            assert_eq!(claims["sub"], ada.id.as_str());
            assert_eq!(claims.get("preferred_username"), None, "neither the tombstone nor a name that is another's");
            assert_eq!(town.claims(&hire)["preferred_username"], own.as_str());
        }
        assert_eq!(town.call("DELETE", &format!("/Users/{}", hire.id), None).status, 204);
        send(&town, &ada, &[named(&own)]);
        send(&town, &ada, &[active(true)]);
        let stored = town.stored(&ada).expect("the same");
        assert_eq!((stored.identity_name, stored.user.former_names), (None, Vec::new()), "{off_first} {on_first}");
        assert_eq!(town.claims(&ada)["preferred_username"], own.as_str());
        assert_eq!(town.members(&group), std::slice::from_ref(&ada.id));
    }
}

#[test]
fn a_deleted_attribute_mapping_leaves_values_behind_no_more_in_members_and_a_name_spelled_otherwise_is_not_taken_out() {
    let town = Town::new(Source::Okta);
    let ada = town.hire("ada");
    let group = town.group("Staff", &[&ada]);
    let server = &town.stage.world.server;
    let shown = || town.call("GET", &format!("/Groups/{group}"), None).json()["members"][0].clone();
    assert_eq!(shown()["display"], "ada Adams");
    let ports = server.running().ports();
    let respelled = format!("\"{ENTERPRISE}:department\", ");
    server.reconfigure(DIRECTORY, "\"displayName\", \"nickName\", \"department\", ", &respelled, || {
        !ports.config.snapshot().directories["contoso"].confirms("nickName")
    });
    assert_eq!(shown().get("display"), None, "a member is shown by what is confirmed");
    let aside = || -> Vec<String> {
        let all = block_on(ports.directory.upkeep.set_aside()).expect("the database works");
        all.into_iter().map(|one| one.attribute).collect()
    };
    wait_until("what was taken out is noted", || !aside().is_empty());
    assert_eq!(aside(), ["displayName", "nickName"]);
    assert_eq!(town.claims(&ada)["department"], "Research");
    town.stage.world.advance(Span::days(8));
    wait_until("it is erased", || aside().is_empty());
    assert_eq!(town.claims(&ada)["department"], "Research");
    let kept = town.call("GET", &format!("/Groups/{group}"), None).json();
    assert_eq!(kept["displayName"], "Staff", "groups have all of theirs");
}

#[test]
fn people_are_matched_by_an_attribute_of_the_directorys_own_before_and_after_its_index_is_made() {
    let town = Town::with(Source::Okta, |setup| {
        setup.edit(DIRECTORY, "\"department\"", "\"department\", \"employeeNumber\"");
        setup.edit("idps/contoso.toml", "attribute = \"externalId\"", "attribute = \"employeeNumber\"");
    });
    let numbered = |name: &str, number: &str| {
        let mut body = town.body(name);
        body[ENTERPRISE]["employeeNumber"] = json!(number);
        // The provider says the number as its `sub`.
        Person { external_id: number.to_owned(), ..town.hire_as(name, &body) }
    };
    let ada = numbered("ada", "E1");
    assert_eq!(town.claims(&ada)["sub"], ada.id.as_str());
    let upkeep = &town.stage.world.server.running().ports().directory.upkeep;
    wait_until("it is made", || block_on(upkeep.want_index("contoso", "employeeNumber")).expect("the database works"));
    let bob = numbered("bob", "E2");
    for person in [&ada, &bob] {
        assert_eq!(town.claims(person)["sub"], person.id.as_str());
    }
    let path = format!("{ENTERPRISE}:employeeNumber");
    town.patch(&format!("/Users/{}", ada.id), &json!([{ "op": "replace", "path": path, "value": "E3" }]));
    town.is_barred(&ada);
    let ada = Person { external_id: "E3".to_owned(), ..ada };
    assert_eq!(town.claims(&ada)["sub"], ada.id.as_str());
    town.patch(&format!("/Users/{}", bob.id), &json!([{ "op": "replace", "path": path, "value": "E3" }]));
    town.is_barred(&ada);
    assert_eq!(town.call("DELETE", &format!("/Users/{}", bob.id), None).status, 204);
    assert_eq!(town.claims(&ada)["sub"], ada.id.as_str());
}

#[test]
fn a236_of_a_guard_of_nothing_everybody_waits_and_a_whole_release_goes_in_batches() {
    let town = Town::with(Source::Okta, |setup| {
        setup.table(DIRECTORY, "[lifecycle]\non_deactivate = \"delete_now\"\n\n[guard]\nmax_removals = \"0%\"");
    });
    let ports = town.stage.world.server.running().ports();
    let tally = || -> Tally { block_on(ports.directory.sightings.tally("contoso")).expect("the database works") };
    let people: Vec<Person> = (0..250).map(|number| town.hire(&format!("p{number}"))).collect();
    for person in &people {
        town.switch_off(person);
    }
    wait_until("it is said", || town.reasons().contains("250 deletions wait"));
    assert_eq!(tally().users, 250);
    town.switch_on(&people[7]);
    wait_until("who is back waits no longer", || town.reasons().contains("249 deletions wait"));
    assert!(block_on(ports.directory.upkeep.release("contoso", 0, 249)).expect("the database works"));
    wait_until("all are gone", || tally().users == 1);
    assert_eq!(tally().inactive, 0);
    assert_eq!(town.claims(&people[7])["sub"], people[7].id.as_str());
    // The same externalId is the same person, whoever else came meanwhile.
    assert_eq!(town.hire("p3").id, people[3].id);
    let mut other = town.body("p4");
    other["externalId"] = json!(town.external_id("another p4"));
    assert_ne!(town.hire_as("p4", &other).id, people[4].id);
}
