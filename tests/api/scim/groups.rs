//! Groups: members are changed by steps, never as a list.

use serde_json::{Value, json};

use super::{world, world_of};
use crate::support::scim::{CORE_GROUP, Scim, id, is_error};
use crate::support::server::block_on;

fn people(scim: &Scim<'_>, count: usize) -> Vec<String> {
    let mut ids: Vec<String> =
        (0..count).map(|n| id(&scim.user(&format!("u{n}@contoso.com"), &format!("e{n}"))).to_owned()).collect();
    ids.sort();
    ids
}

#[test]
fn a_group_is_made_shown_renamed_and_deleted_and_its_members_stay_users() {
    let world = world();
    let scim = Scim::new(&world.server);
    let ids = people(&scim, 2);
    let answer = scim.post(
        "/Groups",
        &json!({ "schemas": [CORE_GROUP], "displayName": "Group", "externalId": "g", "members": [{ "value": ids[0] }] }),
    );
    assert_eq!(answer.status, 201, "{}", answer.text());
    let group = answer.json();
    let path = format!("/Groups/{}", id(&group));
    assert_eq!(answer.header("location"), Some(format!("https://id.example.com/usergroup/scim/v2{path}").as_str()));
    assert_eq!(group["members"][0]["value"], ids[0].as_str());
    assert_eq!(group["members"][0]["display"], "Given Family");
    let rename = json!([{ "op": "replace", "value": { "id": id(&group), "displayName": "Other" } }]);
    assert_eq!(scim.patch(&path, &rename).json()["displayName"], "Other");
    assert_eq!(scim.members(id(&group)), [ids[0].as_str()], "a rename touches no member");
    assert_eq!(scim.delete(&path).status, 204);
    is_error(&scim.delete(&path), 404, None);
    assert_eq!(scim.get(&format!("/Users/{}", ids[0])).status, 200);
}

#[test]
fn g04_g06_g10_a223_members_come_and_go_in_both_dialects() {
    let world = world();
    let scim = Scim::new(&world.server);
    let ids = people(&scim, 4);
    let group = id(&scim.group("Group", &[])).to_owned();
    let path = format!("/Groups/{group}");
    let values = |ids: &[String]| -> Vec<Value> { ids.iter().map(|id| json!({ "$ref": null, "value": id })).collect() };
    let steps: [(Value, &[usize]); 7] = [
        (json!([{ "op": "Add", "path": "members", "value": values(&ids) }]), &[0, 1, 2, 3]),
        (json!([{ "op": "Remove", "path": "members", "value": values(&ids[..1]) }]), &[1, 2, 3]),
        (json!([{ "op": "remove", "path": format!("members[value eq \"{}\"]", ids[1]) }]), &[2, 3]),
        (json!([{ "op": "remove", "path": "members[value eq \"nobody\"]" }]), &[2, 3]),
        (json!([{ "op": "replace", "path": "members", "value": values(&ids[..2]) }]), &[0, 1]),
        (
            json!([{ "op": "remove", "path": format!("members[value eq \"{}\"]", ids[0]) },
                { "op": "add", "path": "members", "value": values(&ids[3..]) }]),
            &[1, 3],
        ),
        (json!([{ "op": "remove", "path": "members" }]), &[]),
    ];
    for (operations, expected) in steps {
        let answer = scim.patch(&path, &operations);
        assert_eq!(answer.status, 200, "{operations}: {}", answer.text());
        let mut expected: Vec<&str> = expected.iter().map(|n| ids[*n].as_str()).collect();
        expected.sort_unstable();
        assert_eq!(scim.members(&group), expected, "{operations}");
    }
}

#[test]
fn members_may_be_removed_by_what_they_are_called() {
    let world = world();
    let scim = Scim::new(&world.server);
    let ids = people(&scim, 3);
    let path = format!("/Users/{}", ids[1]);
    scim.patch(&path, &json!([{ "op": "replace", "path": "displayName", "value": "Bob" }]));
    let members: Vec<&str> = ids.iter().map(String::as_str).collect();
    let group = id(&scim.group("Group", &members)).to_owned();
    let remove = json!([{ "op": "remove", "path": "members[display eq \"bob\"]" }]);
    let answer = scim.patch(&format!("/Groups/{group}"), &remove);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(scim.members(&group), [ids[0].as_str(), ids[2].as_str()]);
}

#[test]
fn g25_a222_changes_of_one_group_at_once_are_all_kept() {
    let world = world();
    let scim = Scim::new(&world.server);
    let ids = people(&scim, 16);
    let group = id(&scim.group("Group", &[])).to_owned();
    let path = format!("/Groups/{group}");
    std::thread::scope(|scope| {
        let (scim, path) = (&scim, &path);
        for member in &ids {
            scope.spawn(move || {
                let answer =
                    scim.patch(path, &json!([{ "op": "add", "path": "members", "value": [{ "value": member }] }]));
                assert_eq!(answer.status, 200, "{}", answer.text());
            });
        }
        scope.spawn(move || {
            let answer = scim.patch(path, &json!([{ "op": "replace", "path": "displayName", "value": "Renamed" }]));
            assert_eq!(answer.status, 200, "{}", answer.text());
        });
    });
    assert_eq!(scim.members(&group), ids);
    assert_eq!(scim.get(&path).json()["displayName"], "Renamed");
}

#[test]
fn g18_a_member_whom_nobody_knows_waits_and_joins_when_it_comes() {
    let world = world();
    let scim = Scim::new(&world.server);
    let ids = people(&scim, 1);
    let group = id(&scim.group("Group", &[])).to_owned();
    let add = json!([{ "op": "add", "path": "members", "value": [{ "value": "nobody-yet" }, { "value": ids[0] }] }]);
    assert_eq!(scim.patch(&format!("/Groups/{group}"), &add).status, 200);
    assert_eq!(scim.members(&group), ids, "the known one is in");
}

#[test]
fn a_change_of_a_group_is_answered_as_its_source_expects_and_in_full_if_it_is_asked_for() {
    for (source, status, shows) in
        [("azure", 204, false), ("okta", 200, false), ("ping", 200, true), ("generic", 200, true)]
    {
        let world = world_of(source);
        let scim = Scim::new(&world.server);
        let ids = people(&scim, 1);
        let path = format!("/Groups/{}", id(&scim.group("Group", &[])));
        let add = json!([{ "op": "add", "path": "members", "value": [{ "value": ids[0] }] }]);
        let answer = scim.patch(&path, &add);
        assert_eq!(answer.status, status, "{source}: {}", answer.text());
        assert_eq!(answer.text().contains(&ids[0]), shows, "{source}");
        let asked = scim.patch(&format!("{path}?attributes=members"), &add);
        assert_eq!(asked.status, 200, "{source}");
        assert_eq!(asked.json()["members"][0]["value"], ids[0].as_str(), "{source}");
    }
}

#[test]
fn g03_members_are_left_out_if_they_are_not_wanted() {
    let world = world();
    let scim = Scim::new(&world.server);
    let ids = people(&scim, 1);
    let group = id(&scim.group("Group", &[&ids[0]])).to_owned();
    for path in [
        format!("/Groups/{group}?excludedAttributes=members"),
        "/Groups?excludedAttributes=members&filter=displayName eq \"group\"".to_owned(),
    ] {
        let answer = scim.get(&path);
        assert_eq!(answer.status, 200);
        assert!(!answer.text().contains(&ids[0]), "{}", answer.text());
    }
    assert!(scim.get("/Groups").text().contains(&ids[0]));
}

#[test]
fn a_second_group_of_one_name_is_as_the_source_has_it() {
    for (source, status) in [("azure", 409), ("okta", 201), ("generic", 409)] {
        let world = world_of(source);
        let scim = Scim::new(&world.server);
        scim.group("Group", &[]);
        let second = scim.post("/Groups", &json!({ "schemas": [CORE_GROUP], "displayName": "GROUP" }));
        assert_eq!(second.status, status, "{source}: {}", second.text());
    }
}

#[test]
fn a_replace_that_takes_most_members_away_is_done_and_remarked() {
    let world = world();
    let scim = Scim::new(&world.server);
    let ids = people(&scim, 30);
    let members: Vec<&str> = ids.iter().map(String::as_str).collect();
    let group = id(&scim.group("Group", &members)).to_owned();
    let replace = json!([{ "op": "replace", "path": "members", "value": [{ "value": ids[0] }] }]);
    assert_eq!(scim.patch(&format!("/Groups/{group}"), &replace).status, 200);
    assert_eq!(scim.members(&group), ids[..1]);
    let sightings = &world.server.running().ports().directory.sightings;
    let remarked = || {
        let all = block_on(sightings.all("contoso")).expect("the database works");
        all.iter().any(|it| it.kind == "remark" && it.name.contains("more than half"))
    };
    crate::support::server::wait_until("it is remarked", remarked);
}

#[test]
fn a_group_within_a_group_and_around_it_is_kept() {
    let world = world();
    let scim = Scim::new(&world.server);
    let ids = people(&scim, 1);
    let inner = id(&scim.group("Inner", &[&ids[0]])).to_owned();
    let outer = id(&scim.group("Outer", &[&inner])).to_owned();
    let around = json!([{ "op": "add", "path": "members", "value": [{ "value": outer }] }]);
    assert_eq!(scim.patch(&format!("/Groups/{inner}"), &around).status, 200);
    let shown = scim.get(&format!("/Groups/{outer}")).json();
    assert_eq!(shown["members"][0]["type"], "Group");
    assert_eq!(shown["members"][0]["$ref"], format!("https://id.example.com/usergroup/scim/v2/Groups/{inner}"));
}

#[test]
fn a_group_has_another_version_when_a_member_is_deleted() {
    let world = world();
    let scim = Scim::new(&world.server);
    let ids = people(&scim, 2);
    let path = format!("/Groups/{}", id(&scim.group("Group", &[&ids[0], &ids[1]])));
    let before = scim.get(&path);
    let tag = before.header("etag").expect("a version").to_owned();
    let again = || scim.send(&scim.request("GET", &path).header("If-None-Match", &tag));
    assert_eq!(again().status, 304);
    assert_eq!(scim.delete(&format!("/Users/{}", ids[0])).status, 204);
    let after = again();
    assert_eq!((after.status, after.json()["members"].as_array().map(Vec::len)), (200, Some(1)), "not what it was");
}
