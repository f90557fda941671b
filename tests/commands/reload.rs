//! Changed files on a running server.

use std::time::Duration;

use serde_json::Value;

use crate::browser::{Browser, redeem};
use crate::evil_idp::EvilIdp;
use crate::provider;
use crate::stage::{CALLBACK_AT_CLIENT, Stage, until};

/// Longer than the two seconds of the promise, for a machine that does much else.
const SOON: Duration = Duration::from_secs(4);

fn cares(server: &crate::stage::Server) -> Vec<Value> {
    server.managed("/readyz").json()["cares"].as_array().cloned().expect("a list")
}

#[test]
fn a_changed_file_is_taken_over_without_a_restart() {
    let idp = provider();
    let stage = Stage::at(&idp);
    let server = stage.serve();
    let target = Browser::authorize_target(&[]).replace("client_id=access", "client_id=second");
    assert_eq!(server.get(&target).status, 400);
    let client = std::fs::read_to_string(stage.config().join("clients/access.toml")).expect("a file");
    stage.write("clients/second.toml", &client.replace("Workspace ONE Access", "Second"));
    let took =
        until("the new client is known", || server.get(&target).status == 303 || server.get(&target).status == 302);
    assert!(took < SOON, "{took:?}");
    std::fs::remove_file(stage.config().join("clients/second.toml")).expect("removed");
    until("the client is gone", || server.get(&target).status == 400);
    assert!(server.log().contains("configuration taken over"));
}

#[test]
fn a_broken_file_leaves_the_last_good_configuration_in_force_and_is_named() {
    let idp = provider();
    let stage = Stage::at(&idp);
    let server = stage.serve();
    assert!(cares(&server).is_empty());
    // Right in one file, wrong in another: neither is taken over.
    stage.edit("clients/access.toml", CALLBACK_AT_CLIENT, "https://elsewhere.example.com/cb");
    stage.edit("idps/contoso.toml", "kind = ", "knid = ");
    let took = until("the reason is told", || !cares(&server).is_empty());
    assert!(took < SOON, "{took:?}");
    let ready = server.managed("/readyz");
    assert_eq!((ready.status, &ready.json()["ready"]), (200, &Value::from(true)));
    let told: Vec<Value> = cares(&server);
    assert!(told.iter().all(|care| care["code"] == "config"), "{told:?}");
    let places = |care: &Value| care["detail"].as_str().is_some_and(|d| d.contains("idps/contoso.toml:2:1:"));
    assert!(told.iter().any(places), "{told:?}");
    assert!(server.logged("the last good one stays in force").contains("WARN"));
    server.logged("contoso.toml:2:1");
    Browser::default().login(&server, &[]).code();
    assert!(server.metrics().contains("vestibule_config_findings "), "{}", server.metrics());

    stage.edit("idps/contoso.toml", "knid = ", "kind = ");
    stage.edit("clients/access.toml", "https://elsewhere.example.com/cb", CALLBACK_AT_CLIENT);
    until("all is well again", || cares(&server).is_empty());
    assert_eq!(server.get("/readyz").text(), "ready");
}

#[test]
fn what_only_a_restart_takes_over_stays_and_is_named() {
    let idp = provider();
    let stage = Stage::at(&idp);
    let server = stage.serve();
    stage.edit("vestibule.toml", "http://127.0.0.1:8080/acs", "http://127.0.0.1:9090/acs");
    server.logged("\"key\":\"issuer\"");
    stage.edit("vestibule.toml", "http://127.0.0.1:9090/acs", "http://127.0.0.1:8080/acs");
    let text = std::fs::read_to_string(stage.config().join("vestibule.toml")).expect("a file");
    stage.write("vestibule.toml", &format!("{text}[limits]\nclient_failures_per_minute = 1\n"));
    server.logged("\"key\":\"[limits] client_failures_per_minute\"");
    assert_eq!(server.get("/acs/.well-known/openid-configuration").json()["issuer"], "http://127.0.0.1:8080/acs");
}

/// A browser back from the provider, before our callback has seen it.
fn returning(server: &crate::stage::Server) -> (Browser, url::Url) {
    let mut browser = Browser::default();
    let door = browser.leave(server, &[("login_hint", "alice@contoso.com")]);
    let callback = browser.at_provider(server, &door);
    (browser, callback)
}

#[test]
fn a_login_under_way_finishes_on_the_version_that_it_began_with() {
    let idp = provider();
    let stage = Stage::at(&idp);
    // With `reject` the login below would not be refused, with a wrong claim nobody matches.
    let server = stage.serve();
    let (mut browser, callback) = returning(&server);
    stage.edit("idps/contoso.toml", "userinfo = ", "match = { claim = \"no_such_claim\" }\nuserinfo = ");
    server.logged("configuration taken over");
    let code = browser.go(&server, callback.as_str()).code();
    assert_eq!(redeem(&server, &code).status, 200);
    let later = Browser::default().login(&server, &[]);
    assert!(!matches!(&later, crate::browser::End::Client(params) if params.contains_key("code")), "{later:?}");
}

#[test]
fn a057_a_provider_that_was_disabled_meanwhile_is_refused_at_the_callback() {
    for taken_away in ["disabled", "removed from the client", "client disabled"] {
        let idp: EvilIdp = provider();
        let stage = Stage::at(&idp);
        stage.write(
            "idps/other.toml",
            &crate::stage::idp_file("https://other.example.com").replace("\"contoso.com\"", ""),
        );
        let server = stage.serve();
        let (mut browser, callback) = returning(&server);
        match taken_away {
            "disabled" => stage.edit("idps/contoso.toml", "userinfo = ", "enabled = false\nuserinfo = "),
            "client disabled" => stage.edit("clients/access.toml", "scopes = ", "enabled = false\nscopes = "),
            _ => stage.edit("clients/access.toml", "scopes = ", "idps = [\"other\"]\nscopes = "),
        }
        server.logged("configuration taken over");
        let end = browser.go(&server, callback.as_str());
        let code = matches!(&end, crate::browser::End::Client(params) if params.contains_key("code"));
        assert!(!code, "{taken_away}: {end:?}");
        // Nor is there a session.
        assert!(!browser.cookies.keys().any(|name| name.contains("session")), "{taken_away}");
    }
}

#[test]
fn other_outbound_rules_are_in_force_without_a_restart() {
    let idp = provider();
    let stage = Stage::at(&idp);
    let allowed = "allow_private = [\"127.0.0.0/8\"]";
    stage.edit("vestibule.toml", allowed, "allow_private = [\"10.0.0.0/8\"]");
    let server = stage.serve();
    assert_eq!(Browser::default().login(&server, &[]).error(), "server_error");
    assert!(!cares(&server).is_empty(), "the provider can't be reached");
    stage.edit("vestibule.toml", "allow_private = [\"10.0.0.0/8\"]", allowed);
    let works =
        || matches!(Browser::default().login(&server, &[]), crate::browser::End::Client(p) if p.contains_key("code"));
    until("logins work", works);
    assert!(cares(&server).is_empty(), "{:?}", cares(&server));
}

#[test]
fn a_provider_that_is_no_longer_used_is_no_reason_any_more() {
    let idp = provider();
    let stage = Stage::at(&idp);
    let server = stage.serve();
    idp.set(|script| script.discovery = crate::evil_idp::Answer::Fixed(500, "text/plain", "no".to_owned()));
    Browser::default().login(&server, &[]);
    assert!(!cares(&server).is_empty());
    stage.edit("idps/contoso.toml", "userinfo = ", "enabled = false\nuserinfo = ");
    until("the reason is gone", || cares(&server).is_empty());
}
