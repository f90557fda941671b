//! Versions: `ETag`, `If-Match`, `If-None-Match`.

use serde_json::{Value, json};

use super::world;
use crate::support::http::Response;
use crate::support::scim::{PATCH_OP, Scim, id, is_error, person};

fn rename(scim: &Scim<'_>, path: &str, to: &str, if_match: &str) -> Response {
    let body =
        json!({ "schemas": [PATCH_OP], "Operations": [{ "op": "replace", "path": "displayName", "value": to }] });
    scim.send(&scim.with_body("PATCH", path, &body).header("If-Match", if_match))
}

#[test]
fn every_answer_with_a_resource_has_its_version_and_a_change_makes_a_new_one() {
    let world = world();
    let scim = Scim::new(&world.server);
    let created = scim.post("/Users", &person("alice@contoso.com", "alice"));
    assert_eq!(created.header("etag"), Some("W/\"1\""));
    assert_eq!(created.json()["meta"]["version"], "W/\"1\"");
    let path = format!("/Users/{}", id(&created.json()));
    let changed = scim.patch(&path, &json!([{ "op": "replace", "path": "displayName", "value": "A" }]));
    assert_eq!((changed.status, changed.header("etag")), (200, Some("W/\"2\"")));
    let same = scim.patch(&path, &json!([{ "op": "replace", "path": "displayName", "value": "A" }]));
    assert_eq!((same.status, same.header("etag")), (200, Some("W/\"2\"")), "nothing changed");
    assert_eq!(same.json()["meta"], changed.json()["meta"]);
}

#[test]
fn a_resource_that_the_client_knows_is_not_sent_again() {
    let world = world();
    let scim = Scim::new(&world.server);
    let alice = scim.user("alice@contoso.com", "alice");
    let group = scim.group("Group", &[id(&alice)]);
    for path in [format!("/Users/{}", id(&alice)), format!("/Groups/{}", id(&group))] {
        let known = |tag: &str| scim.send(&scim.request("GET", &path).header("If-None-Match", tag));
        let tag = scim.get(&path).header("etag").expect("a tag").to_owned();
        let answer = known(&tag);
        assert_eq!((answer.status, answer.body.len(), answer.header("etag")), (304, 0, Some(tag.as_str())));
        assert_eq!(known("W/\"999\"").status, 200);
        assert_eq!(known("*").status, 304);
    }
}

#[test]
fn what_must_not_be_there_is_not_changed() {
    let world = world();
    let scim = Scim::new(&world.server);
    let alice = scim.user("alice@contoso.com", "alice");
    let path = format!("/Users/{}", id(&alice));
    let body =
        json!({ "schemas": [PATCH_OP], "Operations": [{ "op": "replace", "path": "displayName", "value": "B" }] });
    for tag in ["*", "W/\"1\"", "\"x\", \"1\""] {
        for (method, body) in [("PUT", &person("alice@contoso.com", "b")), ("PATCH", &body), ("DELETE", &json!({}))] {
            let answer = scim.send(&scim.with_body(method, &path, body).header("If-None-Match", tag));
            is_error(&answer, 412, None);
        }
    }
    assert_eq!(scim.get(&path).json(), alice);
    assert_eq!(scim.send(&scim.with_body("PATCH", &path, &body).header("If-None-Match", "W/\"9\"")).status, 200);
}

#[test]
fn a221_of_two_changes_with_one_if_match_one_is_refused() {
    let world = world();
    let scim = Scim::new(&world.server);
    for path in [
        format!("/Users/{}", id(&scim.user("alice@contoso.com", "alice"))),
        format!("/Groups/{}", id(&scim.group("Group", &[]))),
    ] {
        let select = format!("{path}?attributes=displayName");
        assert_eq!(rename(&scim, &select, "First", "W/\"1\"").status, 200);
        is_error(&rename(&scim, &select, "Second", "W/\"1\""), 412, None);
        assert_eq!(scim.get(&path).json()["displayName"], "First");
        is_error(&scim.send(&scim.request("DELETE", &path).header("If-Match", "\"1\"")), 412, None);
        assert_eq!(rename(&scim, &select, "Third", "*").status, 200);
        let tag = scim.get(&path).header("etag").expect("a tag").to_owned();
        assert_eq!(scim.send(&scim.request("DELETE", &path).header("If-Match", &tag)).status, 204);
        is_error(&scim.send(&scim.request("DELETE", &path).header("If-Match", &tag)), 404, None);
    }
}

#[test]
fn a221_of_many_at_once_with_one_if_match_one_alone_is_done() {
    let world = world();
    let scim = Scim::new(&world.server);
    let path = format!("/Users/{}", id(&scim.user("alice@contoso.com", "alice")));
    let all: Vec<Response> = std::thread::scope(|scope| {
        let (scim, path) = (&scim, &path);
        let begun: Vec<_> =
            (0..8).map(|n| scope.spawn(move || rename(scim, path, &format!("Name {n}"), "W/\"1\""))).collect();
        begun.into_iter().map(|it| it.join().expect("an answer")).collect()
    });
    let done: Vec<&Response> = all.iter().filter(|it| it.status == 200).collect();
    assert_eq!(done.len(), 1, "{all:?}");
    assert!(all.iter().all(|it| matches!(it.status, 200 | 412)), "{all:?}");
    assert_eq!(scim.get(&path).json()["displayName"], done[0].json()["displayName"]);
}

#[test]
fn changes_of_different_attributes_at_once_are_all_kept() {
    let world = world();
    let scim = Scim::new(&world.server);
    let path = format!("/Users/{}", id(&scim.user("alice@contoso.com", "alice")));
    let changes = [("displayName", "D"), ("name.givenName", "G"), ("name.familyName", "F")];
    std::thread::scope(|scope| {
        for (attribute, value) in changes {
            let (scim, path) = (&scim, &path);
            scope.spawn(move || {
                let operation = json!([{ "op": "replace", "path": attribute, "value": value }]);
                let answer = scim.patch(path, &operation);
                assert_eq!(answer.status, 200, "{}", answer.text());
            });
        }
    });
    let user: Value = scim.get(&path).json();
    assert_eq!(user["displayName"], "D");
    assert_eq!(user["name"], json!({ "givenName": "G", "familyName": "F" }));
    assert_eq!(user["meta"]["version"], "W/\"4\"");
}

#[test]
fn a221_of_many_changes_of_a_group_with_one_if_match_one_alone_is_done() {
    let world = world();
    let scim = Scim::new(&world.server);
    for round in 0..5 {
        let path = format!("/Groups/{}", id(&scim.group(&format!("Group {round}"), &[])));
        let all: Vec<Response> = std::thread::scope(|scope| {
            let (scim, path) = (&scim, &path);
            // Of the head, and of members alone.
            let add =
                |n: u32| json!([{ "op": "add", "path": "members", "value": [{ "value": format!("later-{n}") }] }]);
            let change = |n: u32| {
                move || match round % 2 {
                    0 => rename(scim, path, &format!("Name {round} {n}"), "W/\"1\""),
                    _ => {
                        let body = json!({ "schemas": [PATCH_OP], "Operations": add(n) });
                        scim.send(&scim.with_body("PATCH", path, &body).header("If-Match", "W/\"1\""))
                    }
                }
            };
            let begun: Vec<_> = (0..8).map(|n| scope.spawn(change(n))).collect();
            begun.into_iter().map(|it| it.join().expect("an answer")).collect()
        });
        let done: Vec<&Response> = all.iter().filter(|it| it.status == 200).collect();
        assert_eq!(done.len(), 1, "{all:?}");
        assert!(all.iter().all(|it| matches!(it.status, 200 | 412)), "{all:?}");
        assert_eq!(scim.get(&path).json()["displayName"], done[0].json()["displayName"]);
    }
}

#[test]
fn changes_of_different_attributes_of_a_group_at_once_are_all_kept() {
    let world = world();
    let scim = Scim::new(&world.server);
    let extension = "urn:ietf:params:scim:schemas:extension:ws1b:2.0:Group";
    for round in 0..5 {
        let path = format!("/Groups/{}", id(&scim.group(&format!("Group {round}"), &[])));
        let (name, external_id) = (format!("Name {round}"), format!("e{round}"));
        let (description, domain) = (format!("{extension}:description"), format!("{extension}:domain"));
        let changes = [
            ("displayName", name.as_str()),
            ("externalId", &external_id),
            (&description, "Everybody"),
            (&domain, "contoso.com"),
        ];
        std::thread::scope(|scope| {
            for (attribute, value) in changes {
                let (scim, path) = (&scim, &path);
                scope.spawn(move || {
                    let answer = scim.patch(path, &json!([{ "op": "replace", "path": attribute, "value": value }]));
                    assert_eq!(answer.status, 200, "{}", answer.text());
                });
            }
        });
        let group: Value = scim.get(&path).json();
        assert_eq!((&group["displayName"], &group["externalId"]), (&json!(name), &json!(external_id)));
        assert_eq!(group[extension], json!({ "description": "Everybody", "domain": "contoso.com" }));
        assert_eq!(group["meta"]["version"], "W/\"5\"");
    }
}
