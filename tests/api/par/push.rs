//! The push itself: who may, what is checked, what is answered.

use serde_json::{Value, json};

use super::{push, pushed, strict, url, url_with, world};
use crate::support::assertion::claims;
use crate::support::client::{Client, Proof};
use crate::support::http::{Request, Response};
use crate::world::{ALICE, World};

#[track_caller]
fn refused(answer: &Response, status: u16, error: &str) {
    assert_eq!((answer.status, answer.error().as_str()), (status, error), "{}", answer.text());
    assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("application/json")));
    assert!(answer.header("cache-control").is_some_and(|kept| kept.contains("no-store")));
}

#[test]
fn c058_a_pushed_request_is_named_by_256_random_bits_for_a_minute() {
    let (world, signer) = world();
    let client = super::keyed(&signer);
    let ask = client.ask(&world.server);
    let answer = push(&world, &client, &ask);
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert!(answer.header("cache-control").is_some_and(|kept| kept.contains("no-store")));
    let body = answer.json();
    assert_eq!(body["expires_in"], 60);
    let uri = body["request_uri"].as_str().expect("a request_uri");
    let token = uri.strip_prefix("urn:ietf:params:oauth:request_uri:").expect("the registered prefix");
    assert_eq!(token.len(), 43, "{uri}");
    assert_ne!(pushed(&world, &client, &ask), uri, "another one each time");
}

#[test]
fn c077_client_and_request_uri_alone_make_a_whole_login_for_every_kind_of_client() {
    let (world, signer) = world();
    for client in [Client::access(), Client::second(), Client::spa(), super::keyed(&signer), strict()] {
        let ask = client.ask(&world.server);
        let uri = pushed(&world, &client, &ask);
        // `answer` compares state and iss.
        let code = ask.answer(&world.server.browser().open(&url(&world, &client.id, &uri))).code();
        let tokens = client.redeem(&world.server, &ask, &code);
        assert_eq!(tokens.status, 200, "{}: {}", client.id, tokens.text());
    }
}

#[test]
fn a_pushed_request_may_ask_for_the_answer_by_form_and_come_by_post() {
    let world = World::new();
    let client = Client::access();
    let ask = client.ask(&world.server).with("response_mode", "form_post");
    let uri = pushed(&world, &client, &ask);
    let page = world.server.browser().open(&url(&world, "access", &uri));
    ask.posted(&page).code();
    let ask = client.ask(&world.server);
    let fields = [("client_id", "access".to_owned()), ("request_uri", pushed(&world, &client, &ask))];
    let mut browser = world.server.browser();
    let page = browser.post_from("https://rp.example.com/", ask.endpoint(), &fields);
    ask.answer(&page).code();
}

#[test]
fn a117_only_what_was_pushed_counts() {
    let world = World::new();
    let client = Client::access();
    let ask = client.ask(&world.server).with("scope", "openid").hint(ALICE.email);
    let uri = pushed(&world, &client, &ask);
    let beside = [
        ("redirect_uri", "https://evil.test/cb"),
        ("scope", "openid profile email offline_access"),
        ("login_hint", "bob@contoso.com"),
        ("u", "carol@contoso.com"),
        ("state", "other"),
        ("prompt", "none"),
        ("response_type", "token"),
        ("code_challenge", "x"),
        ("request", "eyJhbGciOiJub25lIn0.e30."),
        ("id_token_hint", "x"),
    ];
    let code = ask.answer(&world.server.browser().open(&url_with(&world, "access", &uri, &beside))).code();
    let upstream = world.upstream_logins();
    assert_eq!(upstream[0].get("login_hint").map(String::as_str), Some(ALICE.email), "the pushed hint survives");
    let tokens = client.redeem(&world.server, &ask, &code).json();
    assert_eq!(tokens["scope"], "openid");
    assert_eq!(tokens["refresh_token"], Value::Null);
}

#[test]
fn a117_a_hint_pushed_as_u_survives_and_two_that_differ_are_refused() {
    let world = World::new();
    let client = Client::access();
    let ask = client.ask(&world.server).with("u", ALICE.email);
    let uri = pushed(&world, &client, &ask);
    ask.answer(&world.server.browser().open(&url(&world, "access", &uri))).code();
    assert_eq!(world.upstream_logins()[0].get("login_hint").map(String::as_str), Some(ALICE.email));
    refused(&push(&world, &client, &ask.hint("bob@contoso.com")), 400, "invalid_request");
}

#[test]
fn a118_a_client_that_must_push_asks_for_nothing_by_the_browser() {
    let (world, _) = world();
    let client = strict();
    let ask = client.ask(&world.server);
    let mut browser = world.server.browser();
    assert_eq!(ask.run(&mut browser).error(), "invalid_request");
    let page = browser.post_from("https://strict.example.com/", ask.endpoint(), &ask.params);
    assert_eq!(ask.answer(&page).error(), "invalid_request");
    world.nothing_happened(&browser);
}

#[test]
fn a119_a_client_that_proves_nothing_pushes_nothing() {
    let world = World::new();
    let ask = Client::access().ask(&world.server);
    for proof in [Proof::Public, Proof::Basic("wrong".to_owned()), Proof::Post("wrong".to_owned())] {
        let stranger = Client::new("access", proof, "");
        refused(&push(&world, &stranger, &ask), 401, "invalid_client");
    }
    let nobody = Request::form(&world.server.url("/acs/par"), &[("response_type", "code")]);
    refused(&world.server.send(&nobody), 401, "invalid_client");
    let unknown = Client::new("nobody", Proof::Public, "");
    refused(&push(&world, &unknown, &ask), 401, "invalid_client");
}

#[test]
fn a119_c069_a_push_is_a_post() {
    let world = World::new();
    for method in ["GET", "PUT", "DELETE", "HEAD"] {
        let answer = world.server.send(&Request::new(method, &world.server.url("/acs/par")));
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.header("allow"), Some("POST"), "{method}");
    }
}

#[test]
fn a119_c068_a_request_uri_can_not_be_pushed() {
    let world = World::new();
    let client = Client::access();
    let ask = client.ask(&world.server);
    let own = pushed(&world, &client, &ask);
    for uri in [own.as_str(), "urn:ietf:params:oauth:request_uri:x", "https://rp.example.com/object"] {
        refused(&push(&world, &client, &ask.clone().with("request_uri", uri)), 400, "invalid_request");
    }
}

#[test]
fn a119_c078_every_check_of_an_authorization_request_is_made_at_the_push() {
    let world = World::new();
    let client = Client::access();
    let ask = client.ask(&world.server);
    for (name, value, error) in [
        ("redirect_uri", "https://evil.test/cb", "invalid_request"),
        ("redirect_uri", "https://rp.example.com/cb/", "invalid_request"),
        ("redirect_uri", "", "invalid_request"),
        ("client_id", "second", "invalid_request"),
        ("response_type", "token", "unsupported_response_type"),
        ("response_mode", "fragment", "invalid_request"),
        ("scope", "profile", "invalid_scope"),
        ("prompt", "none login", "invalid_request"),
        ("max_age", "-1", "invalid_request"),
        ("login_hint", "a\nb", "invalid_request"),
        ("claims", "[]", "invalid_request"),
        ("claims", &format!("{{\"id_token\":{{\"sub\":{{\"value\":\"{}\"}}}}}}", "s".repeat(256)), "invalid_request"),
        ("registration", "{}", "registration_not_supported"),
        ("request", "eyJhbGciOiJub25lIn0.e30.", "request_not_supported"),
        ("state", &"s".repeat(3_000), "invalid_request"),
    ] {
        refused(&push(&world, &client, &ask.clone().with(name, value)), 400, error);
    }
    refused(&push(&world, &client, &ask.clone().and("scope", "openid")), 400, "invalid_request");
    refused(&push(&world, &client, &ask.clone().without("redirect_uri")), 400, "invalid_request");
}

#[test]
fn c063_pkce_is_demanded_at_the_push() {
    let world = World::new();
    let client = Client::access();
    let ask = client.ask(&world.server);
    let without = ask.clone().without("code_challenge").without("code_challenge_method");
    refused(&push(&world, &client, &without), 400, "invalid_request");
    refused(&push(&world, &client, &ask.with("code_challenge_method", "plain")), 400, "invalid_request");
}

#[test]
fn c064_the_pushed_challenge_is_the_one_that_the_code_is_bound_to() {
    let world = World::new();
    let client = Client::access();
    for wrong in ["", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"] {
        let mut ask = client.ask(&world.server);
        let uri = pushed(&world, &client, &ask);
        let code = ask.answer(&world.server.browser().open(&url(&world, "access", &uri))).code();
        wrong.clone_into(&mut ask.verifier);
        assert_eq!(client.redeem(&world.server, &ask, &code).error(), "invalid_grant");
    }
}

#[test]
fn c060_the_code_of_a_pushed_request_is_bound_to_its_client() {
    let world = World::new();
    let client = Client::access();
    let ask = client.ask(&world.server);
    let uri = pushed(&world, &client, &ask);
    let code = ask.answer(&world.server.browser().open(&url(&world, "access", &uri))).code();
    assert_eq!(Client::second().redeem(&world.server, &ask, &code).error(), "invalid_grant");
}

#[test]
fn a_pushed_id_token_hint_that_proves_nothing_signs_nobody_in_silently() {
    let world = World::new();
    let (client, mut browser) = (Client::access(), world.server.browser());
    let own = world.sign_in(&mut browser).id_token;
    for (hint, silent) in [(own.as_str(), true), ("x.y.z", false)] {
        let ask = client.ask(&world.server).with("prompt", "none").with("id_token_hint", hint);
        let uri = pushed(&world, &client, &ask);
        let answer = ask.answer(&browser.open(&url(&world, "access", &uri)));
        assert_eq!(answer.fields.contains_key("code"), silent, "{:?}", answer.fields);
    }
}

#[test]
fn c070_c071_c072_a_push_is_proven_by_an_assertion_for_our_issuer_and_for_now() {
    let (world, signer) = world();
    let ask = super::keyed(&signer).ask(&world.server);
    let (issuer, now) = (world.server.issuer.clone(), world.now().secs());
    let push = |changes: Value| {
        let mut claims = claims("keyed", &issuer, world.now());
        for (name, value) in changes.as_object().expect("an object") {
            claims[name] = value.clone();
        }
        let assertion = signer.sign(&json!({ "alg": "ES256", "kid": signer.kid }), &claims);
        let proof = [
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", assertion.as_str()),
        ];
        let fields: Vec<_> = ask.params.iter().map(|(n, v)| (n.as_str(), v.as_str())).chain(proof).collect();
        world.server.send(&Request::form(&world.server.url("/acs/par"), &fields))
    };
    for bad in [
        json!({ "aud": [&issuer] }),
        json!({ "aud": [&issuer, format!("{issuer}/par")] }),
        json!({ "aud": format!("{issuer}/par") }),
        json!({ "aud": format!("{issuer}/token") }),
        json!({ "nbf": now + 62, "exp": now + 120 }),
        json!({ "iat": now - 600, "exp": now - 300 }),
        json!({ "sub": null }),
    ] {
        refused(&push(bad), 401, "invalid_client");
    }
    for good in [json!({}), json!({ "nbf": now + 8, "iat": now + 8 })] {
        let answer = push(good);
        assert_eq!(answer.status, 201, "{}", answer.text());
    }
}
