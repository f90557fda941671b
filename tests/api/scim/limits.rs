//! Bounds, each at its last good size and one beyond; and what is told while something is away.

use serde_json::{Value, json};
use vestibule::base::Span;

use super::world;
use crate::support::scim::{PATCH_OP, Scim, id, is_error, person};
use crate::world::World;

const KIB: usize = 1024;

/// A body of exactly so many bytes.
fn padded(mut body: Value, bytes: usize) -> String {
    body["padding"] = json!("");
    let missing = bytes - body.to_string().len();
    body["padding"] = json!("x".repeat(missing));
    body.to_string()
}

fn post(scim: &Scim<'_>, path: &str, body: String) -> crate::support::http::Response {
    scim.send(&scim.request("POST", path).header("Content-Type", "application/scim+json").body(body))
}

#[test]
fn a_body_about_users_has_256_kib_and_one_about_groups_16_mib() {
    let world = world();
    let scim = Scim::new(&world.server);
    let user = person("alice@contoso.com", "alice");
    let at_the_bound = post(&scim, "/Users", padded(user.clone(), 256 * KIB));
    assert_eq!(at_the_bound.status, 201, "{}", at_the_bound.text());
    let beyond = is_error(&post(&scim, "/Users", padded(user, 256 * KIB + 1)), 413, None);
    assert!(beyond.contains("262144"), "{beyond}");
    is_error(&post(&scim, "/Users/.search", padded(json!({}), 256 * KIB + 1)), 413, None);
    let group = json!({ "displayName": "Group" });
    let large = post(&scim, "/Groups", padded(group.clone(), 16 * KIB * KIB));
    assert_eq!(large.status, 201, "{}", large.text());
    is_error(&post(&scim, "/Groups", padded(group, 16 * KIB * KIB + 1)), 413, None);
}

#[test]
fn operations_are_counted_to_their_bounds() {
    let world = world();
    let scim = Scim::new(&world.server);
    let alice = scim.user("alice@contoso.com", "alice");
    let user = format!("/Users/{}", id(&alice));
    let group = format!("/Groups/{}", id(&scim.group("Group", &[])));
    let rename = json!({ "op": "replace", "path": "displayName", "value": "Same" });
    let member = json!({ "op": "add", "path": "members", "value": [{ "value": id(&alice) }] });
    for (path, operation, most) in [(&user, &rename, 200), (&group, &member, 10_000)] {
        let of = |count: usize| scim.patch(path, &json!(vec![operation; count]));
        assert_eq!(of(most).status, 200, "{path}");
        let told = is_error(&of(most + 1), 400, Some("invalidValue"));
        assert!(told.contains(&most.to_string()) || told.contains("10,000"), "{told}");
    }
}

#[test]
fn a_group_of_thousands_of_members_is_made_in_one_request_and_answered_without_them() {
    let world = world();
    let scim = Scim::new(&world.server);
    let members: Vec<Value> = (0..2_000).map(|n| json!({ "value": format!("nobody-{n}"), "$ref": null })).collect();
    let group = scim.post("/Groups", &json!({ "displayName": "Many", "members": members }));
    assert_eq!(group.status, 201, "{}", group.text());
    let path = format!("/Groups/{}", id(&group.json()));
    let answer = scim.patch(&path, &json!([{ "op": "replace", "path": "members", "value": members }]));
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[test]
fn a_group_whose_members_take_pages_is_shown_whole_in_every_selection_and_to_nobody_who_knows_it() {
    let world = world();
    let scim = Scim::new(&world.server);
    let users: Vec<String> = std::thread::scope(|scope| {
        let made = |from: usize| {
            let scim = &scim;
            scope.spawn(move || -> Vec<String> {
                let numbers = from * 500..(from + 1) * 500;
                numbers.map(|n| id(&scim.user(&format!("u{n}@contoso.com"), &format!("e{n}"))).to_owned()).collect()
            })
        };
        let begun: Vec<_> = (0..4).map(made).collect();
        begun.into_iter().flat_map(|it| it.join().expect("users")).collect()
    });
    let mut all: Vec<&str> = users.iter().map(String::as_str).collect();
    let made = scim.group("Large", &all);
    assert!(made.get("members").is_none(), "not in the answer to what the client has just sent");
    let path = format!("/Groups/{}", id(&made));
    all.sort_unstable();
    assert_eq!(scim.members(id(&made)), all);
    let inner = scim.group("Inner", &[]);
    let more = json!([{ "op": "add", "path": "members", "value": [{ "value": id(&inner) }] }]);
    assert_eq!(scim.patch(&path, &more).status, 204);
    all.push(id(&inner));
    all.sort_unstable();
    assert_eq!(scim.members(id(&made)), all);
    let answer = scim.get(&path);
    let group = answer.json();
    assert_eq!(answer.header("etag"), group["meta"]["version"].as_str());
    assert_eq!(answer.header("content-type"), Some("application/scim+json"));
    assert_eq!(group["displayName"], "Large");
    assert!(group["members"].as_array().is_some_and(|it| it.iter().all(|it| it["type"].is_string())));
    let few = scim.get(&format!("{path}?attributes=members.value")).json();
    assert_eq!(few["members"].as_array().map(Vec::len), Some(2_001));
    assert_eq!((few["members"][7].as_object().map(|it| it.len()), few.get("meta")), (Some(1), None));
    let whole = scim.patch(&format!("{path}?excludedAttributes=meta"), &json!([])).json();
    assert_eq!((&whole["members"], whole.get("meta")), (&group["members"], None));
    for without in ["?excludedAttributes=members", "?attributes=displayName", "?attributes=MEMBERS[value eq \"x\"]"] {
        assert!(scim.get(&format!("{path}{without}")).json().get("members").is_none(), "{without}");
    }
    let head = scim.send(&scim.request("HEAD", &path));
    assert_eq!((head.status, head.header("etag"), head.body.len()), (200, answer.header("etag"), 0));
    let tag = answer.header("etag").expect("a tag");
    assert_eq!(scim.send(&scim.request("GET", &path).header("If-None-Match", tag)).status, 304);
}

#[test]
fn long_filters_and_addresses_are_refused() {
    let world = world();
    let scim = Scim::new(&world.server);
    let filter = |chars: usize| format!("userName eq \"{}\"", "x".repeat(chars - 14));
    assert_eq!(scim.get(&format!("/Users?filter={}", filter(2_000))).status, 200);
    is_error(&scim.get(&format!("/Users?filter={}", filter(2_001))), 400, Some("invalidFilter"));
    is_error(&scim.get(&format!("/Users?x={}", "x".repeat(16 * KIB))), 414, None);
}

#[test]
fn who_sends_too_much_in_a_second_is_told_when_to_come_again_and_nobody_else_is() {
    let world = World::with(|setup, _| {
        setup.provisioned().table("vestibule.toml", "[limits]\nscim_requests_per_second = 5");
    });
    let (first, second) = (Scim::new(&world.server), Scim::new(&world.server));
    for _ in 0..5 {
        assert_eq!(first.get("/Users").status, 200);
    }
    let refused = first.get("/Users");
    is_error(&refused, 429, None);
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(second.get("/Users").status, 200);
    world.advance(Span::secs(1));
    assert_eq!(first.get("/Users").status, 200);
}

#[test]
fn while_the_database_cannot_be_written_it_is_503_in_whole_seconds_and_nothing_is_half_done() {
    let world = world();
    let scim = Scim::new(&world.server);
    let alice = scim.user("alice@contoso.com", "alice");
    let database = world.server.folder().join("data/vestibule.db");
    let locked = rusqlite::Connection::open(database).expect("the database is there");
    locked.execute_batch("BEGIN IMMEDIATE").expect("the lock is free");
    let refused = scim.post("/Users", &person("bob@contoso.com", "bob"));
    is_error(&refused, 503, None);
    assert!(refused.header("retry-after").is_some_and(|it| it.parse::<u32>().is_ok_and(|seconds| seconds > 0)));
    let body = json!({ "schemas": [PATCH_OP], "Operations": [{ "op": "replace", "path": "active", "value": false }] });
    let path = format!("/Users/{}", id(&alice));
    is_error(&scim.send(&scim.with_body("PATCH", &path, &body)), 503, None);
    drop(locked);
    assert_eq!(scim.get("/Users").json()["totalResults"], 1);
    assert_eq!(scim.get(&path).json(), alice);
    assert_eq!(scim.post("/Users", &person("bob@contoso.com", "bob")).status, 201);
}

#[test]
fn a202_a205_a227_bodies_are_taken_to_their_bounds_and_refused_beyond_with_nothing_changed() {
    let world = world();
    let scim = Scim::new(&world.server);
    let text = |chars: usize| json!({ "displayName": "\u{e9}".repeat(chars) });
    let mails = |count: usize| json!({ "emails": (0..count).map(|n| json!({ "value": format!("{n}@x") })).collect::<Vec<Value>>() });
    let deep = |levels: usize| json!({ "madeUp": (2..levels).fold(json!({}), |inner, _| json!({ "a": inner })) });
    let broad = |keys: usize| Value::Object((0..keys - 2).map(|n| (format!("madeUp{n}"), json!(n))).collect());
    type Sized<'a> = &'a dyn Fn(usize) -> Value;
    let table: [(&str, Sized<'_>, usize, &str); 4] = [
        ("characters of a text", &text, 1_024, "invalidValue"),
        ("values of an attribute", &mails, 100, "invalidValue"),
        ("levels", &deep, 16, "invalidSyntax"),
        ("members of an object", &broad, 512, "invalidSyntax"),
    ];
    for (number, (what, body, most, scim_type)) in table.into_iter().enumerate() {
        let named = |bound: usize| {
            let mut body = body(bound);
            body["userName"] = json!(format!("u{number}"));
            body["externalId"] = json!(format!("e{number}"));
            body
        };
        is_error(&scim.post("/Users", &named(most + 1)), 400, Some(scim_type));
        let made = scim.post("/Users", &named(most));
        assert_eq!(made.status, 201, "{most} {what}: {}", made.text());
        let path = format!("/Users/{}", id(&made.json()));
        is_error(&scim.put(&path, &named(most + 1)), 400, Some(scim_type));
        assert_eq!(scim.get(&path).json(), made.json(), "{what}");
    }
    assert_eq!(scim.get("/Users").json()["totalResults"], table.len());
}

#[test]
fn a203_filters_of_too_many_terms_or_too_deep_are_refused_before_they_are_followed() {
    let world = world();
    let scim = Scim::new(&world.server);
    let terms = |count: usize| vec!["id eq \"a\""; count].join(" or ");
    let deep = |levels: usize| format!("{}id eq \"a\"{}", "(".repeat(levels), ")".repeat(levels));
    let nots = |levels: usize| format!("{}id eq \"a\"{}", "not (".repeat(levels), ")".repeat(levels));
    for (good, bad) in [(terms(64), terms(65)), (deep(15), deep(50)), (nots(7), nots(300))] {
        assert_eq!(scim.get(&format!("/Users?filter={good}")).status, 200, "{good}");
        is_error(&scim.get(&format!("/Users?filter={bad}")), 400, Some("invalidFilter"));
    }
    is_error(&scim.get(&format!("/Users?filter={}", "not (".repeat(390))), 400, Some("invalidFilter"));
}
