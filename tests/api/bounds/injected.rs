//! What was meant for one and is handed to another.

use std::collections::HashMap;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::support::client::{Client, Tokens, peek};
use crate::support::evil_idp::EvilIdp;
use crate::support::http::Request;
use crate::world::{ALICE, BOB, World};

#[test]
fn a035_a_victims_code_in_an_attackers_session_at_the_client_fails_by_pkce() {
    let world = World::new();
    let client = Client::access();
    let (victims, code) = world.fresh_code(&client);
    let attackers = client.ask(&world.server);
    attackers.run(&mut world.server.browser()).code();
    let answer = client.redeem(&world.server, &attackers, &code);
    assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_grant"));
    assert_eq!(client.redeem(&world.server, &victims, &code).error(), "invalid_grant", "and the code is spent");
}

#[test]
fn a035_without_pkce_the_nonce_tells_the_client_whose_code_it_was() {
    let world = World::with(|setup, _| {
        setup.keys("clients/access.toml", "pkce = \"optional\"");
    });
    let client = Client::access();
    let plain = || client.ask(&world.server).without("code_challenge").without("code_challenge_method");
    let (victims, attackers) = (plain(), plain());
    let code = victims.run(&mut world.server.browser()).code();
    let redirect_uri = attackers.get("redirect_uri").expect("set");
    let fields = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", redirect_uri)];
    let answer = client.token(&world.server, &fields);
    let tokens = Tokens::verified(&world.server, &client, None, &answer);
    assert_eq!(tokens.claims["nonce"].as_str(), victims.get("nonce"));
    assert_ne!(tokens.claims["nonce"].as_str(), attackers.get("nonce"));
}

/// A new P-256 key, PKCS#8 in PEM.
fn pem() -> String {
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a new key");
    let der = key.to_pkcs8v1().expect("PKCS#8");
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der.as_ref()))
}

/// The claims and key id of the assertion that this provider got last.
#[track_caller]
fn assertion(idp: &EvilIdp) -> (Value, String) {
    let sent: HashMap<String, String> = idp.last("/token").expect("a code was turned in").params();
    assert!(!sent.contains_key("client_secret"), "no secret beside it");
    let token = &sent["client_assertion"];
    (peek(token), jsonwebtoken::decode_header(token).expect("a JWT").kid.expect("a kid"))
}

#[test]
fn a097_an_assertion_for_one_provider_is_of_no_use_at_another() {
    let world = World::two_idps_with(|setup, _, _| {
        for idp in ["contoso", "fabrikam"] {
            setup.file(&format!("idps/{idp}.key.pem"), &pem());
            let key = format!("[client_key]\nkey = {{ file = \"idps/{idp}.key.pem\" }}\nalgorithm = \"ES256\"");
            setup.edit(&format!("idps/{idp}.toml"), "client_secret = { env = \"IDP_SECRET\" }\n", "");
            setup.table(&format!("idps/{idp}.toml"), &key);
        }
    });
    world.other().set(|script| {
        script.person = BOB.claims();
        script.person.insert("email".to_owned(), "bob@contoso.co.uk".into());
        script.person.insert("preferred_username".to_owned(), "bob@contoso.co.uk".into());
    });
    let client = Client::access();
    let mut jtis = Vec::new();
    for (hint, idp) in [(ALICE.email, &world.idp), ("bob@contoso.co.uk", world.other()), (ALICE.email, &world.idp)] {
        client.sign_in(&world.server, &mut world.server.browser(), &client.ask(&world.server).hint(hint));
        let (claims, _) = assertion(idp);
        assert_eq!(claims["aud"], idp.issuer().as_str(), "one text: this provider and nothing else");
        assert_eq!((&claims["iss"], &claims["sub"]), (&claims["sub"], &Value::from("vestibule")));
        let lifetime = claims["exp"].as_i64().zip(claims["iat"].as_i64()).map(|(exp, iat)| exp - iat);
        assert!(lifetime.is_some_and(|seconds| (1..=60).contains(&seconds)), "{claims}");
        jtis.push(claims["jti"].as_str().expect("a jti").to_owned());
    }
    jtis.sort();
    jtis.dedup();
    assert_eq!(jtis.len(), 3, "a jti each");
    assert_ne!(assertion(&world.idp).1, assertion(world.other()).1, "a key each");
}

#[test]
fn a138_a_session_is_no_login_and_a_login_no_session() {
    let world = World::new();
    let mut browser = world.server.browser();
    let ask = Client::access().ask(&world.server);
    let back = world.at_the_callback(&mut browser, &ask);
    let login = browser.cookies(&world.server.base).into_iter().find(|c| c.name.contains("-login-")).expect("one");
    world.sign_in(&mut browser);
    let session = browser.cookies(&world.server.base).into_iter().find(|c| c.name.contains("session")).expect("one");
    let (began, binding) = login.value.split_once('.').expect("when, and the binding");
    let silent = |cookie: &str| {
        let ask = Client::access().ask(&world.server).with("prompt", "none");
        let answer = world.server.send(&Request::get(&ask.url()).header("Cookie", cookie));
        answer.header("location").expect("back to the client").to_owned()
    };
    assert!(silent(&format!("{}={}", session.name, session.value)).contains("code="), "the session by itself is one");
    for value in [binding, &login.value] {
        let told = silent(&format!("{}={value}", session.name));
        assert!(told.contains("error=login_required"), "{told}");
    }
    let crossed = format!("{}={began}.{}", login.name, session.value);
    let answer = world.server.send(&Request::get(&back).header("Cookie", &crossed));
    assert_eq!(answer.status, 400, "{}", answer.text());
    ask.answer(&browser.open(&back)).code(); // that login is untouched
}
