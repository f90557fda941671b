//! `sync-client`: credentials of provisioning services, against a running server.

use std::process::Command;

use serde_json::{Value, json};

use crate::http::Answer;
use crate::provider;
use crate::stage::{Done, Server, Stage};

const BASE: &str = "http://127.0.0.1:8080/usergroup/scim/v2";

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}

pub fn create(stage: &Stage, more: &[&str]) -> Done {
    stage.run(&[&["sync-client", "create", "--directory", "contoso", "--json"], more].concat())
}

fn users(server: &Server, authorization: &str) -> Answer {
    server.ask("GET", "/usergroup/scim/v2/Users", &[("Authorization", authorization)], "")
}

#[test]
fn a_new_token_is_printed_once_with_the_fields_of_the_contract_and_holds_until_it_is_revoked() {
    let idp = provider();
    let stage = Stage::at(&idp);
    let server = stage.serve();
    let done = create(&stage, &[]);
    let made = done.json();
    assert_eq!((done.code, keys(&made)), (Some(0), vec!["base_url", "expires_at", "id", "token"]), "{made}");
    assert_eq!(text(&made, "base_url"), BASE);
    let token = text(&made, "token");
    assert!(token.starts_with("vsc_") && token.len() == 47 && text(&made, "id").starts_with("scim-"), "{made}");
    assert_eq!(users(&server, &format!("Bearer {token}")).status, 200);
    assert_eq!(users(&server, &format!("Bearer {token}x")).status, 401);

    let revoked = stage.run(&["sync-client", "revoke", text(&made, "id"), "--json"]);
    assert_eq!((revoked.code, revoked.json()), (Some(0), json!({ "revoked": text(&made, "id") })));
    assert_eq!(users(&server, &format!("Bearer {token}")).status, 401, "in force at once");
    let again = stage.run(&["sync-client", "revoke", text(&made, "id")]);
    assert!(again.code == Some(1) && again.err.contains("there is no sync client"), "{again:?}");
}

#[test]
fn an_oauth_credential_gets_access_tokens_at_the_token_endpoint() {
    let idp = provider();
    let stage = Stage::at(&idp);
    let server = stage.serve();
    let made = create(&stage, &["--oauth"]).json();
    assert_eq!(keys(&made), ["base_url", "client_id", "client_secret", "expires_at", "id", "token_url"]);
    assert_eq!(text(&made, "token_url"), "http://127.0.0.1:8080/acs/token");
    let form = crate::http::encoded(&[
        ("grant_type", "client_credentials"),
        ("client_id", text(&made, "client_id")),
        ("client_secret", text(&made, "client_secret")),
    ]);
    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    let answer = server.ask("POST", "/acs/token", &headers, &form);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let token = answer.json()["access_token"].as_str().expect("a token").to_owned();
    assert_eq!(users(&server, &format!("Bearer {token}")).status, 200);
    assert_eq!(users(&server, &format!("Bearer {}", text(&made, "client_secret"))).status, 401, "no token itself");
    stage.run(&["sync-client", "revoke", text(&made, "id")]);
    assert_eq!(users(&server, &format!("Bearer {token}")).status, 401, "its tokens end with it");
}

#[test]
fn a_third_live_credential_is_refused_with_what_to_do_and_a_revoked_one_makes_room() {
    let stage = Stage::new(None);
    let first = create(&stage, &["--name", "old"]).json();
    assert_eq!(create(&stage, &["--name", "new", "--oauth"]).code, Some(0));
    let third = create(&stage, &[]);
    assert_eq!((third.code, third.out.as_str()), (Some(1), ""), "{third:?}");
    assert!(third.err.contains("2 live credentials") && third.err.contains("revoke"), "{third:?}");
    stage.run(&["sync-client", "revoke", text(&first, "id")]);
    assert_eq!(create(&stage, &[]).code, Some(0));
}

#[test]
fn a_list_shows_last_use_and_expiry_and_fails_on_request_if_one_ends_soon() {
    let idp = provider();
    let stage = Stage::at(&idp);
    let server = stage.serve();
    let far = create(&stage, &["--name", "Entra"]).json();
    let quiet = stage.run(&["sync-client", "list", "--fail", "--json"]);
    assert_eq!(quiet.code, Some(0), "{quiet:?}");
    let row = &quiet.json()[0];
    let names = ["created_at", "directory", "expires_at", "id", "kind", "last_used_at", "name", "scope", "warning"];
    assert_eq!(keys(row), names, "{row}");
    assert_eq!((text(row, "name"), text(row, "kind"), text(row, "directory")), ("Entra", "token", "contoso"));
    assert_eq!((&row["last_used_at"], &row["warning"]), (&Value::Null, &Value::Null));
    assert_eq!(row["expires_at"], far["expires_at"]);

    assert_eq!(users(&server, &format!("Bearer {}", text(&far, "token"))).status, 200);
    crate::stage::until("the use is noted", || {
        stage.run(&["sync-client", "list", "--json"]).json()[0]["last_used_at"].is_string()
    });
    let near = create(&stage, &["--expires", "6d"]).json();
    let told = stage.run(&["sync-client", "list", "--fail"]);
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(told.err.contains(text(&near, "id")) && told.err.contains("within 7 days"), "{told:?}");
    assert_eq!(stage.run(&["sync-client", "list"]).code, Some(0), "lists exit 0 whatever they report");
    let cares = server.managed("/readyz").json()["cares"].to_string();
    assert!(cares.contains("sync_client") && cares.contains(text(&near, "id")), "{cares}");
}

#[test]
fn a213_an_expired_token_is_401_and_the_log_says_whose_it_was_and_that_it_expired() {
    let idp = provider();
    let stage = Stage::at(&idp);
    let server = stage.serve();
    let made =
        [create(&stage, &["--name", "Entra 2026"]).json(), create(&stage, &["--oauth", "--name", "Okta"]).json()];
    // Their time goes by.
    let database = rusqlite::Connection::open(stage.path("data/vestibule.db")).expect("a database");
    database.execute("UPDATE sync_clients SET expires = 1767225600000", []).expect("it can be written");
    let refused = users(&server, &format!("Bearer {}", text(&made[0], "token")));
    assert_eq!((refused.status, refused.json()["status"].as_str()), (401, Some("401")));
    let unknown = users(&server, &format!("Bearer vsc_{}", "A".repeat(43)));
    assert_eq!((unknown.status, unknown.text()), (401, refused.text()), "who calls learns no more than that");
    let line = server.logged("a SCIM credential that has expired is still in use");
    for told in [text(&made[0], "id"), "Entra 2026", "contoso", "2026-01-01T00:00:00"] {
        assert!(line.contains(told), "{told}: {line}");
    }
    let form = crate::http::encoded(&[
        ("grant_type", "client_credentials"),
        ("client_id", text(&made[1], "client_id")),
        ("client_secret", text(&made[1], "client_secret")),
    ]);
    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    let answer = server.ask("POST", "/acs/token", &headers, &form);
    assert_eq!((answer.status, answer.json()["error"].as_str()), (401, Some("invalid_client")), "{}", answer.text());
    let line = server.logged("an expired SCIM credential asks for a token");
    assert!(line.contains(text(&made[1], "id")) && line.contains("Okta"), "{line}");
    let log = server.log();
    assert!(!log.contains(text(&made[0], "token")) && !log.contains(text(&made[1], "client_secret")));
    // Lists and readiness say it too.
    let list = stage.run(&["sync-client", "list", "--fail"]);
    assert!(list.code == Some(1) && list.err.contains("has ended"), "{list:?}");
}

#[test]
fn lifetimes_are_bounded_and_a_directory_must_be_there() {
    let stage = Stage::new(None);
    for wrong in ["59s", "3y", "25mo", "soon", ""] {
        let done = create(&stage, &["--expires", wrong]);
        assert_eq!((done.code, done.out.as_str()), (Some(2), ""), "{wrong}: {done:?}");
    }
    let nowhere = stage.run(&["sync-client", "create", "--directory", "nobody"]);
    assert!(nowhere.code == Some(1) && nowhere.err.contains("directories/nobody.toml"), "{nowhere:?}");
}

#[test]
fn a223_a_credential_stands_nowhere_but_in_the_output_that_made_it() {
    let idp = provider();
    let stage = Stage::at(&idp);
    let mut command: Command = stage.command(&["serve"]);
    command.env("VESTIBULE_LOG", "trace");
    let server = Server::start(command);
    let made = [create(&stage, &[]), create(&stage, &["--oauth"])];
    assert!(made.iter().all(|done| done.err.is_empty()), "{made:?}");
    let (token, oauth) = (made[0].json(), made[1].json());
    let secrets = [text(&token, "token"), text(&oauth, "client_secret")];
    for secret in secrets {
        users(&server, &format!("Bearer {secret}"));
    }
    let list = stage.run(&["sync-client", "list", "--json"]);
    let readiness = server.managed("/readyz").text();
    let (metrics, log) = (server.metrics(), server.log());
    let wal = std::fs::read(stage.path("data/vestibule.db-wal")).unwrap_or_default();
    server.stop();
    let database = std::fs::read(stage.path("data/vestibule.db")).expect("a database");
    for secret in secrets {
        let found = |bytes: &[u8]| bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
        assert!(!found(&database) && !found(&wal), "in the database");
        for (place, text) in [("list", &list.out), ("readiness", &readiness), ("metrics", &metrics), ("log", &log)] {
            assert!(!text.contains(secret), "in the {place}");
        }
    }
}
