//! What openid-client does without a browser: introspection, tokens in its own name, and keys that change under it.

use serde_json::{Value, json};

use super::stage::{ALICE, Scheme, Stage};
use super::support::browser::Browser;
use super::support::http::Routes;
use super::wire::{assert_is, result, whole_login};

fn open(stage: &Stage, path: &str) -> Value {
    let told = result(&Browser::new(Routes::default()).open(&format!("{}{path}", stage.rp)));
    assert_eq!(told["error"], Value::Null, "{told}");
    told
}

#[test]
fn a_client_is_told_of_its_tokens_opaque_or_signed() {
    let stage = Stage::shared();
    for client in ["basic", "post", "keys"] {
        let login = whole_login(&mut Browser::new(Routes::default()), &stage, client, ALICE);
        let told = open(&stage, &format!("/introspect/{}", login["key"].as_str().expect("a key")));
        let access = &told["access"];
        assert_eq!(access["active"], true, "{told}");
        assert_eq!(access["sub"], login["claims"]["sub"]);
        assert_eq!(access["sid"], login["claims"]["sid"]);
        assert_eq!((access["client_id"].as_str(), &access["scope"]), (Some(client), &login["scope"]));
        assert_eq!((&told["refresh"]["active"], &told["refresh"]["sub"]), (&json!(true), &login["claims"]["sub"]));
        assert_eq!(told["id"], json!({ "active": false }), "an ID token is no access token");
        let signed = &told["signed"];
        assert_eq!(signed.is_object(), client == "keys", "{told}");
        assert_eq!(signed["jti"], access["jti"]);
        assert!(client != "keys" || signed["sub"] == login["claims"]["sub"], "{told}");
    }
}

#[test]
fn a_program_asks_in_its_own_name_by_secret_and_by_key() {
    let stage = Stage::shared();
    for (client, query, scope) in [
        ("post", "", "TENANT_ADMIN READ_ONLY_TENANT_ADMIN"),
        ("post", "?scope=READ_ONLY_TENANT_ADMIN+openid", "READ_ONLY_TENANT_ADMIN"),
        ("keys", "", "TENANT_ADMIN"),
    ] {
        let told = open(&stage, &format!("/program/{client}{query}"));
        assert_eq!(told["members"], json!(["access_token", "expires_in", "scope", "token_type"]), "{told}");
        assert_eq!((told["scope"].as_str(), told["told"]["scope"].as_str()), (Some(scope), Some(scope)), "{told}");
        assert_eq!((&told["told"]["active"], told["told"]["sub"].as_str()), (&json!(true), Some(client)));
        assert_eq!(told["signed"]["sub"].as_str(), (client == "keys").then_some(client), "{told}");
        assert_ne!(told["presented"], 200, "it opens no userinfo");
        assert_eq!(told["after"], json!({ "active": false }));
    }
    let refused = result(&Browser::new(Routes::default()).open(&format!("{}/program/post?scope=openid", stage.rp)));
    assert_eq!(refused["error"], "invalid_scope", "{refused}");
    let refused = result(&Browser::new(Routes::default()).open(&format!("{}/program/basic", stage.rp)));
    assert_eq!(refused["error"], "unauthorized_client", "{refused}");
}

/// The names of the keys that the server publishes.
fn kids(stage: &Stage) -> Vec<String> {
    let keys = Browser::new(Routes::default()).open(&format!("{}/acs/jwks", stage.base)).response().json();
    let keys = keys["keys"].as_array().expect("keys").clone();
    keys.into_iter().map(|key| key["kid"].as_str().expect("a kid").to_owned()).collect()
}

#[test]
fn c042_a_running_client_follows_when_the_keys_are_rotated() {
    let stage = Stage::start(Scheme::Http);
    let login = |stage: &Stage| {
        let login = whole_login(&mut Browser::new(Routes::default()), stage, "basic", ALICE);
        assert_is(&login, ALICE);
        login["kid"].as_str().expect("a kid").to_owned()
    };
    let old = login(&stage);
    let known = kids(&stage);
    assert!(known.contains(&old), "{old} in {known:?}");
    let aged = open(&stage, "/aged-keys/basic");
    assert_eq!(aged["kids"], json!(known), "the client has them all");
    stage.run(&["keys", "rotate", "--at-once"]);
    let published = || kids(&stage).iter().filter(|kid| !known.contains(kid)).count();
    for _ in 0..1_000 {
        if published() > 0 {
            break;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(20));
    }
    assert!(published() > 0, "the running server publishes the new keys");
    assert!(kids(&stage).contains(&old), "and the old ones, for what they signed");
    let new = login(&stage);
    assert!(new != old && !known.contains(&new), "signed by a key that the client had not seen: {new}");
    assert_eq!(login(&stage), new);
}
