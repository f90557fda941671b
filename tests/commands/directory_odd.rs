//! Dumps that are broken or odd, and imports that don't come to their end.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::directory::{export, import, list_response, people, stage};
use crate::stage::{Stage, until};

fn ids(stage: &Stage) -> Vec<String> {
    let dump: Value = serde_json::from_str(&export(stage)).expect("one JSON document");
    let resources = dump["Resources"].as_array().expect("resources");
    resources.iter().map(|one| one["id"].as_str().expect("an id").to_owned()).collect()
}

fn user(id: &str, name: &str, external_id: &str) -> Value {
    json!({ "id": id, "userName": format!("{name}@contoso.com"), "externalId": external_id })
}

fn group(id: &str, name: &str, members: &[&str]) -> Value {
    let members: Vec<Value> = members.iter().map(|id| json!({ "value": id })).collect();
    json!({ "id": id, "displayName": name, "members": members, "meta": { "resourceType": "Group" } })
}

#[test]
fn a_file_that_breaks_off_is_imported_as_far_as_it_goes_and_says_where() {
    let stage = stage();
    for (rest, wanted) in [
        (r#"{"userName":"b"#, "EOF"),
        ("7]}", "a resource is a JSON object"),
        (r#"{"userName":"b@contoso.com"} oops"#, "expected"),
    ] {
        let done = import(&stage, &format!(r#"{{"Resources":[{},{rest}"#, user("a1", "a", "1")), &[]);
        let report = done.json();
        assert_eq!(done.code, Some(1), "{done:?}");
        let why = report["broken_off"].as_str().expect("a reason");
        assert!(why.contains(wanted) && why.contains("line 1 column"), "{why}");
        let count = &report["users"];
        assert!(count["created"].as_u64().unwrap() + count["present"].as_u64().unwrap() >= 1, "{report}");
    }
    assert_eq!(ids(&stage)[0], "a1");
    for nothing in ["null", "7", "\"x\"", "\u{0}"] {
        let done = import(&stage, nothing, &[]);
        assert!(done.code == Some(1) && done.json()["broken_off"].is_string(), "{nothing}: {done:?}");
    }
    let none = import(&stage, " \n", &[]);
    assert_eq!((none.code, &none.json()["users"]["created"]), (Some(0), &json!(0)));
}

#[test]
fn what_is_wrong_with_a_resource_is_said_by_place_and_the_others_arrive() {
    let stage = stage();
    let done = import(
        &stage,
        &json!([
            user("a", "a", "1"), { "userName": "b@contoso.com", "active": "maybe" }, { "displayName": "no name" },
            user("c", "A", "3"), user("d", "d", "1"), { "userName": { "a": 1 } },
        ])
        .to_string(),
        &[],
    );
    let report = done.json();
    assert_eq!(done.code, Some(1), "{done:?}");
    assert_eq!(
        report["users"],
        json!({ "created": 1, "present": 1, "refused": 4 }),
        "the fifth is the first: {report}"
    );
    let places: Vec<u64> =
        report["refusals"].as_array().unwrap().iter().map(|one| one["resource"].as_u64().unwrap()).collect();
    assert_eq!(places.len(), 4, "{report}");
    assert!(!done.out.contains("maybe") && !done.out.contains("contoso.com"), "no value of anybody: {done:?}");
}

#[test]
fn an_id_that_comes_twice_is_the_same_person_or_a_refusal() {
    let stage = stage();
    let all = json!([user("d1", "g", "g"), user("d1", "g", "g"), user("d1", "other", "h"), user("d1", "renamed", "g")]);
    let tried = import(&stage, &all.to_string(), &["--dry-run"]).json();
    let report = import(&stage, &all.to_string(), &[]).json();
    assert_eq!(report["users"], json!({ "created": 1, "present": 2, "refused": 1 }), "{report}");
    assert!(
        report["refusals"][0]["why"].as_str().unwrap().contains("its id belongs to a user with another"),
        "{report}"
    );
    assert_eq!(tried["users"]["created"], json!(1), "{tried}");
}

#[test]
fn no_user_and_group_share_an_id() {
    let stage = stage();
    let all = json!([
        user("x1", "x1", "x1"),
        group("x1", "X", &["x1"]),
        group("y1", "Y", &[]),
        user("y1", "y1", "y1"),
        group("z1", "Z", &["y1"]),
    ]);
    let done = import(&stage, &all.to_string(), &[]);
    let report = done.json();
    assert_eq!((done.code, &report["other_ids"]), (Some(0), &json!(2)), "{report}");
    let mut all = ids(&stage);
    assert_eq!(all.len(), 5);
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 5, "each its own: {all:?}");
}

#[test]
fn a_group_whose_id_a_group_of_another_directory_has_gets_another_one() {
    let stage = stage();
    stage.write(
        "directories/fabrikam.toml",
        "name = \"Fabrikam\"\ndomains = [\"fabrikam.com\"]\nsource = \"generic\"\n",
    );
    let text = list_response(&[group("g1", "Staff", &[]), group("g2", "Nested", &["g1"])]);
    assert_eq!(import(&stage, &text, &[]).code, Some(0));
    let file = stage.path("dump.json").display().to_string();
    let done = stage.run(&["directory", "import", "--directory", "fabrikam", "--json", &file]);
    let report = done.json();
    assert_eq!((done.code, &report["other_ids"], &report["memberships"]), (Some(0), &json!(2), &json!(1)), "{report}");
}

#[test]
fn members_before_their_users_wait_and_are_in_when_the_users_are() {
    let stage = stage();
    let done = import(&stage, &json!([group("g", "G", &["u1", "u2"]), user("u1", "u1", "1")]).to_string(), &[]);
    assert_eq!(done.code, Some(0), "{done:?}");
    let listed = &stage.run(&["directory", "list", "--json"]).json()[0];
    assert_eq!((&listed["memberships"], &listed["parked"]), (&json!(1), &json!(1)), "{listed}");
}

#[test]
fn a_dry_run_tells_what_the_run_then_does_and_writes_nothing() {
    let stage = stage();
    assert_eq!(import(&stage, &json!([user("a", "a", "1"), group("g", "G", &["a"])]).to_string(), &[]).code, Some(0));
    let before = export(&stage);
    let all = json!([
        user("a", "a", "1"),
        user("b", "A", "2"),
        user("c", "c", "3"),
        user("d", "C", "4"),
        user("e", "e", "1"),
        group("h", "g", &["c"]),
        group("i", "I", &["c", "a"]),
    ])
    .to_string();
    let tried = import(&stage, &all, &["--dry-run"]);
    assert_eq!(export(&stage), before);
    let done = import(&stage, &all, &[]);
    assert_eq!((tried.code, tried.json()), (done.code, done.json()));
    assert_eq!(done.json()["users"], json!({ "created": 1, "present": 2, "refused": 2 }), "{done:?}");
}

/// A person who was deleted by policy comes back by an import, under another id in the file: she has her old one, and so
/// have her groups.
#[test]
fn who_takes_up_an_id_that_was_kept_is_in_her_groups_under_it() {
    let stage = stage();
    assert_eq!(import(&stage, &json!([user("seed", "seed", "s")]).to_string(), &[]).code, Some(0));
    let database = rusqlite::Connection::open(stage.path("data/vestibule.db")).expect("a database");
    let kept =
        "INSERT INTO reserved_ids (directory, external_id, user_id, until) VALUES ('contoso', 'ada', 'old-id', ?1)";
    database.execute(kept, [i64::MAX / 2]).expect("a row");
    drop(database);
    let all = json!([user("new-id", "ada", "ada"), user("bob", "bob", "bob"), group("g", "G", &["new-id", "bob"])]);
    let done = import(&stage, &all.to_string(), &[]);
    let report = done.json();
    assert_eq!((&report["memberships"], &report["parked"]), (&json!(2), &json!(0)), "{report}");
    let dump: Value = serde_json::from_str(&export(&stage)).expect("a dump");
    let group = dump["Resources"].as_array().unwrap().iter().find(|one| one["id"] == "g").expect("a group");
    let mut members: Vec<&str> =
        group["members"].as_array().unwrap().iter().filter_map(|member| member["value"].as_str()).collect();
    members.sort_unstable();
    assert_eq!(members, ["bob", "old-id"], "{group}");
}

#[test]
fn an_import_that_is_killed_is_begun_again_and_says_nothing_on_a_pipe() {
    let stage = stage();
    let all = [people(30_000), crate::directory::groups(30_000)].concat();
    let path = stage.path("dump.json");
    std::fs::write(&path, list_response(&all)).expect("a file");
    let file = path.display().to_string();
    let arguments = ["directory", "import", "--directory", "contoso", "--json", file.as_str()];
    let mut child = stage.command(&arguments).stdout(Stdio::null()).spawn().expect("the binary runs");
    let written = || -> i64 {
        let Ok(database) = rusqlite::Connection::open(stage.path("data/vestibule.db")) else { return 0 };
        database.query_row("SELECT COUNT(*) FROM users", [], |row| row.get(0)).unwrap_or(0)
    };
    until("some are there", || written() > 1_000);
    child.kill().expect("killed");
    child.wait().expect("an end");
    let before = written();
    assert!(before < 30_000 && before % 500 == 0, "whole transactions: {before}");
    let again = stage.run(&arguments);
    let report = again.json();
    assert_eq!((again.code, again.err.as_str()), (Some(0), ""), "{again:?}");
    assert_eq!(report["users"], json!({ "created": 30_000 - before, "present": before, "refused": 0 }));
    let listed = &stage.run(&["directory", "list", "--json"]).json()[0];
    assert_eq!((&listed["users"], &listed["memberships"]), (&json!(30_000), &json!(30_001)), "{listed}");
}

#[test]
fn a_dump_is_whole_though_the_server_writes_meanwhile_and_nobody_of_it_is_there_twice() {
    let stage = stage();
    assert_eq!(import(&stage, &list_response(&people(3_000)), &[]).code, Some(0));
    let made = crate::sync_client::create(&stage, &[]).json();
    let authorization = format!("Bearer {}", made["token"].as_str().expect("a token"));
    let server = stage.serve();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut n = 0;
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                n += 1;
                let headers = [("Authorization", authorization.as_str()), ("Content-Type", "application/scim+json")];
                let one = json!({ "userName": format!("late.{n}@contoso.com"), "externalId": format!("late-{n}") });
                assert_eq!(server.ask("POST", "/usergroup/scim/v2/Users", &headers, &one.to_string()).status, 201);
                let gone = format!("/usergroup/scim/v2/Users/{n:032x}");
                assert_eq!(server.ask("DELETE", &gone, &headers, "").status, 204);
            }
        });
        for _ in 0..3 {
            let mut all = ids(&stage);
            let count = all.len();
            all.sort();
            all.dedup();
            assert_eq!(all.len(), count, "somebody is in it twice");
            let steady = (2_500..=3_000).all(|n| all.binary_search(&format!("{n:032x}")).is_ok());
            assert!(steady, "somebody whom nobody touched is missing");
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}
