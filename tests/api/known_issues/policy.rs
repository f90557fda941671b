//! A deleted user lingers where no DELETE ever comes (Entra's for whoever was unassigned first; Okta's for everybody):
//! the directory's own policy, and its brake.

use serde_json::json;
use vestibule::base::Span;
use vestibule::directory::roster::{Subject, Tally};
use vestibule::identity::UserId;

use super::town::{BOTH, DIRECTORY, Person, Source, Town};
use crate::support::client::{Client, userinfo};
use crate::support::server::{block_on, wait_until};

fn with(source: Source, tables: &str) -> Town {
    Town::with(source, |setup| {
        setup.table(DIRECTORY, tables);
    })
}

fn tally(town: &Town) -> Tally {
    let sightings = &town.stage.world.server.running().ports().directory.sightings;
    block_on(sightings.tally("contoso")).expect("the database works")
}

#[test]
fn a_deleted_azure_user_lingers_no_more_than_the_policy_says() {
    for source in BOTH {
        let town = with(source, "[lifecycle]\non_deactivate = \"delete_after 30d\"");
        let (ada, bob, carl) = (town.hire("ada"), town.hire("bob"), town.hire("carl"));
        let group = town.group("Staff", &[&ada, &bob, &carl]);
        town.switch_off(&ada);
        town.stage.world.advance(Span::days(29));
        let renamed = json!([{ "op": "replace", "path": "displayName", "value": "Ada, once" }]);
        town.patch(&format!("/Users/{}", ada.id), &renamed);
        town.switch_off(&bob);
        town.switch_off(&carl);
        assert!(town.stored(&ada).is_some(), "not before its time");
        let before = town.newest();
        town.stage.world.advance(Span::days(1));
        wait_until("Ada is deleted", || town.stored(&ada).is_none());
        assert_eq!(town.call("GET", &format!("/Users/{}", ada.id), None).status, 404);
        let gone = |subject: &Subject| town.changes(before).iter().any(|c| c.subject == *subject && c.gone.is_some());
        assert!(gone(&Subject::User(UserId(ada.id.clone()))), "services will hear of it");
        assert!(!town.members(&group).contains(&ada.id));
        // Who comes back in time stays.
        town.switch_on(&carl);
        town.stage.world.advance(Span::days(29));
        wait_until("Bob is deleted", || town.stored(&bob).is_none());
        assert_eq!(town.claims(&carl)["sub"], carl.id.as_str());
    }
}

#[test]
fn a229_a_deleted_azure_user_lingers_no_more_and_within_thirty_days_is_the_same_person_again() {
    for source in BOTH {
        let town = with(source, "[lifecycle]\non_deactivate = \"delete_now\"\n\n[guard]\nmax_removals = 10");
        let ada = town.hire("ada");
        let mut browser = town.browser();
        let tokens = town.sign_in(&ada, &mut browser);
        let client = Client::access();
        let ask = client.ask(&town.stage.world.server);
        let code = ask.run(&mut browser.tab()).code();
        town.switch_off(&ada);
        wait_until("Ada is deleted", || town.stored(&ada).is_none());
        let at_once = town.hire("ada");
        assert_eq!(at_once.id, ada.id, "id and sub had waited");
        let server = &town.stage.world.server;
        assert_eq!(userinfo(server, &tokens.access).status, 401, "what was issued to her before stays dead");
        assert_eq!(client.refresh(server, tokens.refresh()).error(), "invalid_grant");
        assert_eq!(client.redeem(server, &ask, &code).error(), "invalid_grant");
        assert_eq!(client.ask(server).with("prompt", "none").run(&mut browser).error(), "login_required");
        town.switch_off(&at_once);
        wait_until("Ada is deleted", || town.stored(&ada).is_none());
        let audits = &town.stage.world.server.running().ports().directory.audits;
        let record = block_on(audits.of_object("contoso", &ada.id, 1)).expect("the database works").remove(0);
        assert_eq!((record.by.as_str(), record.what.as_str()), ("policy", "delete"));
        assert!(record.changes.contains(r#""displayName":{"before":"ada Adams"}"#), "{}", record.changes);
        town.stage.world.advance(Span::days(29));
        let back = town.hire("ada");
        assert_eq!(back.id, ada.id, "id and sub had waited");
        assert_eq!(town.claims(&back)["sub"], ada.id.as_str());

        town.switch_off(&back);
        wait_until("Ada is deleted", || town.stored(&ada).is_none());
        town.stage.world.advance(Span::days(31));
        assert_ne!(town.hire("ada").id, ada.id);
        // And one whom the source itself deletes is somebody else from the first day on.
        let bob = town.hire("bob");
        assert_eq!(town.call("DELETE", &format!("/Users/{}", bob.id), None).status, 204);
        assert_ne!(town.hire("bob").id, bob.id);
    }
}

#[test]
fn a236_a_slip_at_the_source_does_not_empty_the_directory() {
    let town = with(Source::Okta, "[lifecycle]\non_deactivate = \"delete_now\"\n\n[guard]\nmax_removals = 2");
    let people: Vec<Person> = (0..8).map(|number| town.hire(&format!("p{number}"))).collect();
    for person in &people[..6] {
        town.switch_off(person);
    }
    wait_until("two are deleted", || tally(&town).users == 6);
    let upkeep = &town.stage.world.server.running().ports().directory.upkeep;
    let ready = || town.reasons();
    wait_until("it is said", || ready().contains("removals"));
    // Time alone lets nobody else go.
    town.stage.world.advance(Span::hours(2));
    let quiet = town.hire("quiet");
    town.switch_off(&quiet);
    wait_until("a new departure goes on", || town.stored(&quiet).is_none());
    assert_eq!(tally(&town).inactive, 4, "those that were held are held");
    for person in &people[..6] {
        town.is_barred(person);
    }

    assert!(block_on(upkeep.release("contoso", 0, 3)).expect("the database works"));
    wait_until("three more are deleted", || tally(&town).inactive == 1);
    wait_until("the leave is used up", || block_on(upkeep.released("contoso")).expect("the database works") == 0);
    assert_eq!(tally(&town).inactive, 1);
    // Who was held and comes back, stays.
    let last = people[..6].iter().find(|person| town.stored(person).is_some()).expect("one is left");
    town.switch_on(last);
    wait_until("nothing is held", || !ready().contains("removals"));
    assert_eq!(town.claims(last)["sub"], last.id.as_str());
    assert_eq!(town.patch(&format!("/Users/{}", last.id), &json!([]))["id"], last.id.as_str());
}
