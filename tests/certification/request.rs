//! Redirect URIs, ways to send the request, request objects: C004, C028–C032, C036, C038–C041, C059,
//! C074–C076, C079.

use vestibule::config::Live;
use vestibule::config::lints::Severity;

use crate::support::client::{Client, Tokens, query};
use crate::support::server::{REDIRECT_URI, Setup};
use crate::world::{World, assert_page, person};

#[test]
fn c004_answers_and_errors_travel_by_form_post() {
    let world = World::new();
    let mut browser = world.browser();
    let ask = world.ask().with("response_mode", "form_post");
    let page = browser.open(&ask.url());
    assert!(page.text().contains("form-post"), "the page posts itself: {}", page.text());
    let code = ask.posted(&page).code();
    let answer = Client::access().redeem(&world.server, &ask, &code);
    Tokens::verified(&world.server, &Client::access(), Some(&ask), &answer);
    let error = |ask: crate::support::client::Ask| {
        let page = world.browser().open(&ask.url());
        ask.posted(&page).error().to_owned()
    };
    assert_eq!(error(ask.clone().with("prompt", "none")), "login_required");
    assert_eq!(error(ask.clone().without("scope")), "invalid_scope");
    assert_eq!(error(ask.clone().with("response_type", "token")), "unsupported_response_type");
    world.idp.set(|script| script.authorize_error = Some("access_denied"));
    assert_eq!(error(ask), "access_denied");
}

#[test]
fn c028_an_unregistered_redirect_uri_gets_a_page() {
    let world = World::new();
    for uri in ["https://rp.example.com/other", "https://evil.example.com/cb", "https://second.example.com/cb"] {
        let mut browser = world.browser();
        assert_page(&browser.open(&world.ask().with("redirect_uri", uri).url()), 400);
        assert!(browser.cookies(&world.server.base).is_empty());
    }
    assert_eq!(world.sent_upstream(), 0);
}

#[test]
fn c029_the_request_may_be_posted() {
    let world = World::new();
    let ask = world.ask();
    // From a client's page, where our cookies don't go along, and once more with a session.
    let mut browser = world.browser();
    for upstream in [1, 1] {
        let page = browser.post_from("https://rp.example.com/", ask.endpoint(), &ask.params);
        let code = ask.answer(&page).code();
        let answer = Client::access().redeem(&world.server, &ask, &code);
        Tokens::verified(&world.server, &Client::access(), Some(&ask), &answer);
        assert_eq!(world.sent_upstream(), upstream);
    }
}

#[test]
fn c030_c031_c032_request_objects_are_refused_never_ignored() {
    let world = World::new();
    let object = "eyJhbGciOiJub25lIn0.eyJyZWRpcmVjdF91cmkiOiJodHRwczovL2V2aWwuZXhhbXBsZS5jb20vIn0.";
    let mut browser = world.browser();
    assert_eq!(world.ask().with("request", object).run(&mut browser).error(), "request_not_supported");
    let by_reference = world.ask().with("request_uri", &format!("{}/jwks", world.idp.issuer()));
    assert_eq!(by_reference.run(&mut browser).error(), "request_uri_not_supported");
    assert_eq!(world.idp.count("/jwks"), 0, "nothing was fetched");
    assert_eq!(world.sent_upstream(), 0);
    let document = world.server.get("/acs/.well-known/openid-configuration").json();
    assert_eq!(document["request_parameter_supported"], true, "of clients with keys");
    assert_eq!(document["request_uri_parameter_supported"], false, "the default is true: it must be said");
}

#[test]
fn c036_a_valid_s256_challenge_works() {
    let world = World::new();
    let ask = world.ask();
    assert_eq!(ask.get("code_challenge_method"), Some("S256"));
    let tokens = Client::access().sign_in(&world.server, &mut world.browser(), &ask);
    world.assert_alive(&tokens.access);
}

#[test]
fn c038_a_client_with_two_uris_must_name_one() {
    let world = World::new();
    let mut browser = world.browser();
    assert_page(&browser.open(&world.ask().without("redirect_uri").url()), 400);
    assert!(browser.cookies(&world.server.base).is_empty());
    assert_eq!(world.sent_upstream(), 0);
}

#[test]
fn c039_a_registered_query_is_kept_and_the_code_appended() {
    let world = World::new();
    let client = Client { redirect_uri: format!("{REDIRECT_URI}?tenant=1"), ..Client::access() };
    let ask = client.ask(&world.server);
    let page = world.browser().open(&ask.url());
    assert!(page.url.starts_with("https://rp.example.com/cb?tenant=1&"), "{}", page.url);
    assert_eq!(query(&page.url)["tenant"], "1");
    let code = ask.answer(&page).code();
    Tokens::verified(&world.server, &client, Some(&ask), &client.redeem(&world.server, &ask, &code));
}

#[test]
fn c040_another_query_or_an_added_one_gets_a_page() {
    let world = World::new();
    for uri in ["?tenant=2", "?tenant=1&x=y", "?x=y", "?"] {
        let ask = world.ask().with("redirect_uri", &format!("{REDIRECT_URI}{uri}"));
        assert_page(&world.browser().open(&ask.url()), 400);
    }
    assert_eq!(world.sent_upstream(), 0);
}

#[test]
fn c041_a_redirect_uri_with_a_fragment_is_a_fault_of_its_file() {
    let mut setup = Setup::new("https://idp.example.com");
    setup.edit("clients/second.toml", "https://second.example.com/cb", "https://second.example.com/cb#here");
    let folder = tempfile::tempdir().expect("a folder");
    setup.write(folder.path());
    let findings = Live::new(folder.path(), |_| Some("secret".to_owned())).expect_err("refused");
    let faults: Vec<_> = findings.iter().filter(|finding| finding.severity == Severity::Error).collect();
    assert_eq!(faults.len(), 1, "{findings:?}");
    assert!(faults[0].file.ends_with("clients/second.toml") && faults[0].line == 3, "{faults:?}");
}

#[test]
fn c059_discovery_names_what_careful_clients_need() {
    let document = World::new().server.get("/acs/.well-known/openid-configuration").json();
    assert_eq!(document["pushed_authorization_request_endpoint"], "https://id.example.com/acs/par");
    assert_eq!(document["code_challenge_methods_supported"], serde_json::json!(["S256"]));
    assert_eq!(document["authorization_response_iss_parameter_supported"], true);
    let methods = document["token_endpoint_auth_methods_supported"].as_array().expect("a list");
    assert!(methods.iter().any(|method| method == "private_key_jwt"), "{methods:?}");
}

#[test]
fn c074_implicit_and_hybrid_are_refused() {
    let world = World::new();
    for kind in ["token", "id_token", "id_token token", "code id_token", "code token", "code id_token token", "none"] {
        let mut browser = world.browser();
        let page = browser.open(&world.ask().with("response_type", kind).url());
        assert!(!page.url.contains('#') && !page.url.contains("_token="), "{kind}: {}", page.url);
        assert_eq!(page.query()["error"], "unsupported_response_type", "{kind}");
    }
    assert_eq!(world.sent_upstream(), 0);
}

#[test]
fn c075_a_long_nonce_and_state_come_back_whole() {
    let world = World::new();
    for length in [64, 384] {
        let nonce = "n".repeat(length);
        let ask = world.ask().with("nonce", &nonce).with("state", &"s%&=+ ".repeat(length / 4));
        let tokens = Client::access().sign_in(&world.server, &mut world.browser(), &ask);
        assert_eq!(tokens.claims["nonce"], nonce.as_str());
    }
}

#[test]
fn c076_without_state_or_nonce_none_is_invented() {
    let world = World::new();
    let ask = world.ask().without("state").without("nonce");
    let mut browser = world.browser();
    let answer = ask.run(&mut browser);
    assert!(!answer.fields.contains_key("state"), "{:?}", answer.fields);
    let response = Client::access().redeem(&world.server, &ask, &answer.code());
    let tokens = Tokens::verified(&world.server, &Client::access(), Some(&ask), &response);
    assert!(!tokens.claims.contains_key("nonce"));
    // What went upstream had both nevertheless.
    let asked = world.idp.last("/authorize").expect("sent there").params();
    assert!(asked["state"].len() >= 43 && asked["nonce"].len() >= 43);
}

#[test]
fn c079_cancelling_at_the_choice_of_providers_is_access_denied() {
    let world = World::with(|setup| {
        setup.idp("fabrikam", "https://fabrikam.example.com", &[]);
    });
    let mut browser = world.browser();
    let ask = world.ask();
    let page = browser.open(&ask.url());
    let form = page.forms().into_iter().find(|form| form.buttons.iter().any(|(name, _)| name == "action"));
    let end = browser.submit(&page, &form.expect("a way to cancel").press("action", "cancel"));
    assert_eq!(ask.answer(&end).error(), "access_denied");
    assert!(!world.is_signed_in(&browser));
    // Once cancelled, the page leads nowhere.
    let form = page.form_with("idp").press("idp", "contoso");
    assert_page(&browser.submit(&page, &form), 400);
    assert_eq!(world.sent_upstream(), 0);
}

#[test]
fn c079_cancelling_after_somebody_else_signed_in_is_access_denied() {
    let world = World::new();
    world.idp.set(|script| script.person = person("bob"));
    let mut browser = world.browser();
    let ask = world.ask().hint("alice@contoso.com");
    let page = browser.open(&ask.url());
    let form = page.form_with("action").press("action", "cancel");
    assert_eq!(ask.answer(&browser.submit(&page, &form)).error(), "access_denied");
    assert!(!world.is_signed_in(&browser));
}

#[test]
fn c079_cancelling_at_the_provider_is_access_denied() {
    let world = World::new();
    world.idp.set(|script| script.authorize_error = Some("access_denied"));
    let mut browser = world.browser();
    let answer = world.ask().run(&mut browser);
    assert_eq!(answer.error(), "access_denied");
    assert_eq!(world.idp.count("/token"), 0);
    assert!(!world.is_signed_in(&browser) && world.user_ids("alice").is_empty());
}
