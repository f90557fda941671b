//! A whole login by plain HTTP: service, us, identity provider, us, service.

use serde_json::Value;
use vestibule::base::Span;

use crate::support::client::{Client, userinfo};
use crate::world::{ALICE, World};

#[test]
fn a_person_signs_in_and_the_service_learns_who_it_is() {
    let world = World::new();
    let (client, mut browser) = (Client::access(), world.server.browser());
    let ask = client.ask(&world.server).with("scope", "openid profile email user");
    let tokens = client.sign_in(&world.server, &mut browser, &ask);
    let claims = &tokens.claims;
    for (name, value) in [
        ("email", ALICE.email),
        ("given_name", ALICE.given),
        ("family_name", ALICE.family),
        ("preferred_username", ALICE.email),
        ("user_name", ALICE.email),
        ("external_id", ALICE.sub),
        ("oid", ALICE.sub),
        ("domain", "contoso.com"),
    ] {
        assert_eq!(claims.get(name).and_then(Value::as_str), Some(value), "{name} in {claims:?}");
    }
    assert_eq!(claims["email_verified"], true);
    assert!(claims.contains_key("sid") && claims.contains_key("auth_time"), "{claims:?}");
    assert_ne!(tokens.sub(), ALICE.sub, "`sub` is ours, not the provider's");
    let answer = userinfo(&world.server, &tokens.access);
    assert_eq!(answer.status, 200);
    let info = answer.json();
    assert_eq!(info["sub"], tokens.sub());
    assert_eq!(info["email"], ALICE.email);
    assert!(tokens.refresh.is_none(), "offline_access was not asked for");
}

#[test]
fn a_hint_goes_upstream_byte_for_byte_and_none_is_made_up() {
    let world = World::new();
    let client = Client::access();
    client.sign_in(&world.server, &mut world.server.browser(), &client.ask(&world.server).hint(ALICE.email));
    client.sign_in(&world.server, &mut world.server.browser(), &client.ask(&world.server));
    let upstream = world.upstream_logins();
    assert_eq!(upstream[0].get("login_hint").map(String::as_str), Some(ALICE.email));
    assert!(!upstream[1].contains_key("login_hint"));
}

#[test]
fn a081_every_way_in_sends_state_nonce_and_s256() {
    let world = World::two_idps();
    let client = Client::access();
    let ask = client.ask(&world.server).hint(ALICE.email);
    ask.run(&mut world.server.browser()).code();
    let mut posting = world.server.browser();
    let page = posting.post_from("https://rp.example.com/", ask.endpoint(), &ask.params);
    ask.answer(&page).code();
    let mut choosing = world.server.browser();
    let page = choosing.open(&client.ask(&world.server).url());
    let form = page.form_with("idp").press("idp", "contoso");
    choosing.submit(&page, &form);
    let mut initiated = world.server.browser();
    let iss = form_urlencoded::byte_serialize(world.idp.issuer().as_bytes()).collect::<String>();
    initiated.open(&world.server.url(&format!("/federation/auth/initiate?iss={iss}")));
    let upstream = world.upstream_logins();
    assert_eq!(upstream.len(), 4, "four ways in: {upstream:?}");
    let mut drawn: Vec<&String> = Vec::new();
    for request in &upstream {
        assert_eq!(request["code_challenge_method"], "S256");
        assert_eq!(request["response_type"], "code");
        assert!(request["scope"].split(' ').any(|s| s == "openid"));
        for name in ["state", "nonce", "code_challenge"] {
            assert_eq!(request[name].len(), 43, "{name}: 256 bits");
            drawn.push(&request[name]);
        }
    }
    let all = drawn.len();
    drawn.sort();
    drawn.dedup();
    assert_eq!(drawn.len(), all, "every one is drawn afresh");
}

#[test]
fn a_second_service_is_signed_in_without_going_upstream() {
    let world = World::new();
    let mut browser = world.server.browser();
    let first = world.sign_in(&mut browser);
    let client = Client::second();
    let second = client.sign_in(&world.server, &mut browser, &client.ask(&world.server));
    assert_eq!(second.sub(), first.sub());
    assert_eq!(second.claims["auth_time"], first.claims["auth_time"]);
    assert_eq!(second.claims["sid"], first.claims["sid"]);
    assert_eq!(world.upstream_logins().len(), 1);
}

#[test]
fn c015_prompt_login_asks_the_person_again() {
    let world = World::new();
    let (client, mut browser) = (Client::access(), world.server.browser());
    let first = world.sign_in(&mut browser);
    world.advance(Span::minutes(5));
    let again = client.sign_in(&world.server, &mut browser, &client.ask(&world.server).with("prompt", "login"));
    assert_eq!(world.upstream_logins()[1].get("prompt").map(String::as_str), Some("login"));
    assert!(again.claims["auth_time"].as_i64() > first.claims["auth_time"].as_i64());
}

#[test]
fn c019_max_age_is_heeded_by_the_session_that_is_there() {
    let world = World::new();
    let (client, mut browser) = (Client::access(), world.server.browser());
    let ask = |age: &str| client.ask(&world.server).with("max_age", age);
    let first = client.sign_in(&world.server, &mut browser, &ask("15000"));
    world.advance(Span::secs(100));
    let second = client.sign_in(&world.server, &mut browser, &ask("10000"));
    assert_eq!(first.claims["auth_time"], second.claims["auth_time"]);
    assert_eq!(world.upstream_logins().len(), 1);
    let third = client.sign_in(&world.server, &mut browser, &ask("50"));
    assert_eq!(world.upstream_logins().len(), 2);
    assert!(third.claims["auth_time"].as_i64() > first.claims["auth_time"].as_i64());
}

#[test]
fn a079_a_provider_that_ignores_prompt_login_is_not_believed() {
    let world = World::new();
    let ask = Client::access().ask(&world.server).with("prompt", "login");
    let old = world.now().secs() - 3600;
    world.idp.set(|script| {
        script.claims = Some(std::sync::Arc::new(move |claims| {
            claims.insert("auth_time".to_owned(), old.into());
        }));
    });
    let mut browser = world.server.browser();
    assert_eq!(ask.run(&mut browser).error(), "login_required");
    assert!(!world.is_signed_in(&browser));
    world.idp.set(|script| {
        script.claims = Some(std::sync::Arc::new(|claims| {
            claims.remove("auth_time");
        }));
    });
    assert_eq!(ask.run(&mut browser).error(), "login_required", "no auth_time proves nothing");
}

#[test]
fn c004_the_answer_may_travel_by_form_post() {
    let world = World::new();
    let client = Client::access();
    let ask = client.ask(&world.server).with("response_mode", "form_post");
    let page = world.server.browser().open(&ask.url());
    crate::world::is_guarded(page.response());
    let code = ask.posted(&page).code();
    assert_eq!(client.redeem(&world.server, &ask, &code).status, 200);
}

#[test]
fn each_algorithm_that_a_client_may_choose_signs_its_id_token() {
    for alg in ["RS256", "ES256", "EdDSA"] {
        let world = World::with(|setup, _| {
            setup.keys("clients/access.toml", &format!("id_token_alg = \"{alg}\""));
        });
        let tokens = world.sign_in(&mut world.server.browser()); // the signature is checked by the JWKS
        let header = jsonwebtoken::decode_header(&tokens.id_token).expect("a JWT");
        assert_eq!(format!("{:?}", header.alg), alg);
    }
}

#[test]
fn a081_acr_values_and_ui_locales_go_on_to_the_provider() {
    let world = World::new();
    let ask = Client::access().ask(&world.server).with("acr_values", "urn:mfa phr").with("ui_locales", "de en");
    ask.run(&mut world.server.browser()).code();
    let upstream = &world.upstream_logins()[0];
    assert_eq!(upstream["acr_values"], "urn:mfa phr");
    assert_eq!(upstream["ui_locales"], "de en");
}

#[test]
fn the_sub_stays_when_a_person_is_renamed() {
    let world = World::new();
    let before = world.sign_in(&mut world.server.browser());
    world.idp.set(|script| {
        script.person.insert("preferred_username".to_owned(), "alice.smith@contoso.com".into());
        script.person.insert("email".to_owned(), "alice.smith@contoso.com".into());
    });
    let after = world.sign_in(&mut world.server.browser());
    assert_eq!(before.sub(), after.sub());
    assert_eq!(after.claims["email"], "alice.smith@contoso.com");
}
