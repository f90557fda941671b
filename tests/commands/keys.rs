//! `keys`, beside a running server and without one.

use std::time::Duration;

use serde_json::Value;

use crate::provider;
use crate::stage::{Server, Stage, exists, until};

fn published(server: &Server) -> Vec<String> {
    let body = server.get("/acs/jwks").json();
    let keys = body["keys"].as_array().expect("keys");
    keys.iter().map(|key| key["kid"].as_str().expect("a kid").to_owned()).collect()
}

fn with_state(list: &Value, state: &str) -> Vec<String> {
    let keys = list.as_array().expect("a list").iter().filter(|key| key["state"] == state);
    keys.map(|key| key["kid"].as_str().expect("a kid").to_owned()).collect()
}

#[test]
fn a_rotation_is_in_force_in_a_running_server_at_once() {
    let idp = provider();
    let stage = Stage::at(&idp);
    let server = stage.serve();
    let before = published(&server);
    let listed = stage.run(&["keys", "list", "--json"]);
    assert_eq!((with_state(&listed.json(), "active").len(), before.len()), (3, 3), "{listed:?}");

    let rotated = stage.run(&["keys", "rotate", "--json"]);
    assert_eq!(rotated.code, Some(0), "{rotated:?}");
    let next = with_state(&rotated.json(), "next");
    assert_eq!((next.len(), with_state(&rotated.json(), "active").len()), (3, 3), "{rotated:?}");
    let took = until("the next keys are published", || published(&server).len() == 6);
    assert!(took < Duration::from_secs(3), "{took:?}");
    assert!(next.iter().all(|kid| published(&server).contains(kid)));

    let at_once = stage.run(&["keys", "rotate", "--at-once", "--json"]).json();
    let active = with_state(&at_once, "active");
    assert!(active.iter().all(|kid| !before.contains(kid)), "{at_once}");
    until("the new keys are published", || active.iter().all(|kid| published(&server).contains(kid)));
    let table = stage.run(&["keys", "list"]).out;
    assert!(table.contains("signs from") && active.iter().all(|kid| table.contains(kid.as_str())), "{table}");
}

#[test]
fn listing_makes_no_keys() {
    let idp = provider();
    let stage = Stage::at(&idp);
    let done = stage.run(&["keys", "list", "--json"]);
    assert_eq!((done.code, done.json()), (Some(0), serde_json::json!([])), "{done:?}");
    stage.serve().stop();
    assert_eq!(stage.run(&["keys", "list", "--json"]).json().as_array().map(Vec::len), Some(3));
    assert!(exists(&stage.path("data/vestibule.db")));
}

#[test]
fn keys_rotated_without_a_server_are_there_when_it_starts() {
    let idp = provider();
    let stage = Stage::at(&idp);
    stage.serve().stop();
    let next = with_state(&stage.run(&["keys", "rotate", "--json"]).json(), "next");
    let server = stage.serve();
    assert!(!next.is_empty() && next.iter().all(|kid| published(&server).contains(kid)));
}
