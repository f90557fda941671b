//! What somebody sends who means harm, or who holds a token that isn't theirs.

use serde_json::{Value, json};

use super::world;
use crate::support::scim::{Scim, id, is_error, person};
use crate::support::server::{block_on, wait_until};
use crate::world::World;

#[test]
fn a227_a_name_that_is_markup_a_formula_or_turns_the_text_around_is_data_and_nothing_else() {
    let world = world();
    let scim = Scim::new(&world.server);
    for (n, name) in
        ["<img src=x onerror=alert(1)>", "=cmd|'/C calc'!A0", "\u{202e}gnp.exe", "a\r\nSet-Cookie: b=c", "\"],"]
            .into_iter()
            .enumerate()
    {
        let mut body = person(&format!("u{n}@contoso.com"), &format!("e{n}"));
        body["displayName"] = json!(name);
        let made = scim.post("/Users", &body);
        assert_eq!((made.status, &made.json()["displayName"]), (201, &json!(name)), "{}", made.text());
        assert_eq!(made.header("content-type"), Some("application/scim+json"));
        assert_eq!(made.header("x-content-type-options"), Some("nosniff"));
        assert!(made.header("set-cookie").is_none());
        let group = scim.group(name, &[id(&made.json())]);
        assert_eq!((&group["displayName"], &group["members"][0]["display"]), (&json!(name), &json!(name)));
        let found = scim.post("/Users/.search", &json!({ "filter": format!("displayName eq {}", json!(name)) }));
        assert_eq!(found.json()["totalResults"], 1, "{name:?}: {}", found.text());
    }
}

#[test]
fn a227_a_name_has_1_024_characters_and_not_one_more() {
    let world = world();
    let scim = Scim::new(&world.server);
    let mut body = person("alice@contoso.com", "alice");
    for (name, status) in [("\u{1f600}".repeat(1_024), 201), ("x".repeat(1_025), 400), ("x".repeat(1_024 * 1_024), 413)]
    {
        body["displayName"] = json!(name);
        let answer = scim.post("/Users", &body);
        assert_eq!(answer.status, status, "{} characters", name.chars().count());
        let group = scim.post("/Groups", &json!({ "displayName": name }));
        assert_eq!(group.status, if status == 413 { 400 } else { status }, "{} characters", name.chars().count());
        assert!(answer.text().len() < 8 * 1_024, "no echo");
    }
    assert_eq!(scim.get("/Users").json()["totalResults"], 1);
}

#[test]
fn a230_who_reads_a_whole_directory_with_a_leaked_token_does_so_in_pages_within_a_rate_and_is_seen() {
    let world = World::with(|setup, _| {
        setup
            .provisioned()
            .table("vestibule.toml", "[limits]\nscim_requests_per_second = 20\n[proxy]\ntrusted = [\"127.0.0.1\"]");
    });
    let scim = Scim::new(&world.server);
    for n in 0..3 {
        scim.user(&format!("u{n}@contoso.com"), &format!("e{n}"));
    }
    let from =
        |address: &str| scim.send(&scim.request("GET", "/Users?count=1000000000").header("X-Forwarded-For", address));
    assert_eq!(from("192.0.2.1").json()["itemsPerPage"], 3);
    let config = scim.get("/ServiceProviderConfig").json();
    assert_eq!(config["pagination"]["maxPageSize"], 1_000, "{config}");
    let sightings = &world.server.running().ports().directory.sightings;
    let remarks = || -> Vec<String> {
        let all = block_on(sightings.all("contoso")).expect("the database works");
        all.into_iter().filter(|it| it.kind == "remark").map(|it| it.name).collect()
    };
    let addresses = || {
        let all = block_on(sightings.all("contoso")).expect("the database works");
        all.iter().filter(|it| it.kind == "address").count()
    };
    wait_until("the first two addresses are written down: ours, and the one that we say", || addresses() == 2);
    assert_eq!(from("198.51.100.7").status, 200);
    wait_until("the third address is written down", || addresses() == 3);
    wait_until("somebody hears of it", || remarks().iter().any(|it| it.contains("from an address")));
    let clients = &world.server.running().ports().directory.sync_clients;
    let used = || block_on(clients.by_id(&scim.credential)).expect("the database works").and_then(|it| it.last_used);
    wait_until("its last use is known", || used() == Some(world.now()));
    let refused = (0..30).map(|_| from("198.51.100.7")).find(|it| it.status != 200).expect("a bound");
    is_error(&refused, 429, None);
}

#[test]
fn broken_json_is_refused_whatever_is_broken_and_nothing_is_stored() {
    let world = world();
    let scim = Scim::new(&world.server);
    let deep = format!("{{\"userName\":{}{}}}", "[".repeat(16), "]".repeat(16));
    for body in [
        "",
        "{",
        "{\"userName\":",
        "[]",
        "null",
        "7",
        "{\"userName\":\"a\"}}",
        "{\"userName\":\"\\u0000\"}",
        "{\"userName\":\"\\ud800\"}",
        "{\"userName\":NaN}",
        "{\"userName\":1e999}",
        "{'userName':'a'}",
        deep.as_str(),
    ] {
        for (method, path) in
            [("POST", "/Users"), ("POST", "/Groups"), ("POST", "/Users/.search"), ("POST", "/.search")]
        {
            let request = scim.request(method, path).header("Content-Type", "application/scim+json").body(body);
            is_error(&scim.send(&request), 400, Some("invalidSyntax"));
        }
    }
    assert_eq!(scim.post("/.search", &json!({})).json()["totalResults"], 0);
}

#[test]
fn what_the_confirmed_list_hides_of_a_user_a_group_does_not_tell_either() {
    const WITH: &str = "attributes = [\"userName\", \"externalId\", \"emails\", \"active\", \"displayName\"]";
    const WITHOUT: &str = "attributes = [\"userName\", \"externalId\", \"emails\", \"active\"]";
    let world = World::with(|setup, _| {
        setup.provisioned().keys("directories/contoso.toml", WITH);
    });
    let scim = Scim::new(&world.server);
    let alice = scim.user("alice@contoso.com", "alice");
    let inner = scim.group("Inner", &[]);
    let path = format!("/Groups/{}", id(&scim.group("Group", &[id(&alice), id(&inner)])));
    let displays = || -> Vec<String> {
        let group: Value = scim.get(&path).json();
        let members = group["members"].as_array().cloned().unwrap_or_default();
        assert_eq!(members.len(), 2, "{group}");
        members.iter().filter_map(|member| member["display"].as_str().map(str::to_owned)).collect()
    };
    assert!(displays().contains(&"Given Family".to_owned()));
    let gone = || scim.get("/Users?filter=displayName pr").status == 400;
    world.server.reconfigure("directories/contoso.toml", WITH, WITHOUT, gone);
    assert_eq!(displays(), ["Inner"]);
    let guess = json!([{ "op": "remove", "path": "members[display sw \"Giv\"]" }]);
    assert_eq!(scim.patch(&path, &guess).status, 200);
    assert_eq!(displays(), ["Inner"], "nor can it be guessed");
}
