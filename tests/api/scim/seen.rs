//! What is seen of a provisioning service, and what the audit keeps.

use serde_json::{Value, json};

use super::world;
use crate::support::scim::{Scim, id, person};
use crate::support::server::{block_on, wait_until};

#[test]
fn unknown_and_unconfirmed_attributes_are_tolerated_dropped_and_counted_by_name() {
    let world = world();
    let scim = Scim::new(&world.server);
    let mut body = person("alice@contoso.com", "alice");
    body["madeUp"] = json!("CanaryWord");
    body["title"] = json!("CanaryWord");
    let user = scim.post("/Users", &body);
    assert_eq!(user.status, 201, "{}", user.text());
    assert!(!user.text().contains("CanaryWord"));
    scim.get("/Users/unknown");
    scim.post("/Users", &person("ALICE@contoso.com", "other"));
    let sightings = &world.server.running().ports().directory.sightings;
    let all = || block_on(sightings.all("contoso")).expect("the database works");
    let count =
        |kind: &str, name: &str| all().iter().find(|it| it.kind == kind && it.name == name).map_or(0, |it| it.count);
    wait_until("all is written down", || count("refused", "uniqueness:userName") == 1);
    assert_eq!(count("unknown", "madeUp"), 1);
    assert_eq!(count("unconfirmed", "title"), 1);
    assert_eq!(count("received", "displayName"), 2);
    assert_eq!(count("refused", "404"), 1);
    assert_eq!(count("call", "POST scim_users"), 2);
    assert!(all().iter().all(|it| !it.name.contains("CanaryWord")));
}

#[test]
fn the_audit_has_each_change_with_both_sides_and_nothing_for_what_changed_nothing() {
    let world = world();
    let scim = Scim::new(&world.server);
    let user = scim.user("alice@contoso.com", "alice");
    let path = format!("/Users/{}", id(&user));
    let rename = json!([{ "op": "replace", "path": "displayName", "value": "Alice" }]);
    scim.patch(&path, &rename);
    scim.patch(&path, &rename);
    scim.delete(&path);
    let audits = &world.server.running().ports().directory.audits;
    let records = block_on(audits.of_object("contoso", id(&user), 10)).expect("the database works");
    let what: Vec<&str> = records.iter().map(|it| it.what.as_str()).collect();
    assert_eq!(what, ["delete", "update", "create"]);
    assert!(records.iter().all(|it| it.by == scim.credential && it.at == world.now()));
    let changes: Value = serde_json::from_str(&records[1].changes).expect("JSON");
    assert_eq!(changes, json!({ "displayName": { "before": "Given Family", "after": "Alice" } }));
    let writes = |outcome: &str| {
        world.server.metric(&format!("vestibule_scim_writes_total{{directory=\"contoso\",outcome=\"{outcome}\"}}"))
    };
    assert_eq!((writes("created"), writes("changed"), writes("unchanged"), writes("deleted")), (1.0, 1.0, 1.0, 1.0));
}

#[test]
fn what_was_seen_outlives_an_orderly_end() {
    let world = world();
    let token = {
        let scim = Scim::new(&world.server);
        scim.get("/Users/unknown");
        scim.token
    };
    assert!(!token.is_empty());
    let server = world.server.restart();
    let sightings = &server.running().ports().directory.sightings;
    let all = block_on(sightings.all("contoso")).expect("the database works");
    assert!(all.iter().any(|it| it.kind == "refused" && it.name == "404"), "{all:?}");
}
