//! Clients are told of a sign-out: who, when, and what (Back-Channel Logout 1.0 §2).

use std::collections::BTreeSet;

use serde_json::json;
use vestibule::base::Span;
use vestibule::directory::Activity;
use vestibule::identity::UserId;

use super::stage::{ACCESS, SECOND, Stage, sids};
use crate::support::client::{Client, verify};
use crate::support::server::block_on;
use crate::world::BOB;

#[test]
fn a134_c054_every_client_of_the_session_gets_a_logout_token_as_the_specification_wants_it() {
    let stage = Stage::with(|setup| {
        setup.keys("clients/second.toml", "id_token_alg = \"ES256\"");
    });
    let (server, mut browser) = (&stage.world.server, stage.world.server.browser());
    let first = stage.world.sign_in(&mut browser);
    let second = stage.second(&mut browser);
    stage.sign_out(&mut browser, &first);

    for (client, path, tokens, alg) in [("access", ACCESS, &first, "RS256"), ("second", SECOND, &second, "ES256")] {
        let told = stage.clients.wait_for(path, 1).remove(0);
        assert_eq!((told.method.as_str(), told.content_type.as_str()), ("POST", "application/x-www-form-urlencoded"));
        let header = jsonwebtoken::decode_header(told.token()).expect("a JWT");
        assert_eq!((header.typ.as_deref(), format!("{:?}", header.alg)), (Some("logout+jwt"), alg.to_uppercase()));
        let claims = verify(server, told.token());
        let names: Vec<&str> = claims.keys().map(String::as_str).collect();
        assert_eq!(names, ["aud", "events", "exp", "iat", "iss", "jti", "sid", "sub"], "and never a nonce");
        assert_eq!(claims["iss"], server.issuer.as_str());
        assert_eq!(claims["aud"], client, "one client, as text");
        assert_eq!(claims["iat"], server.now().secs());
        assert_eq!(claims["exp"], server.now().secs() + 120);
        assert_eq!(claims["events"], json!({ "http://schemas.openid.net/event/backchannel-logout": {} }));
        assert_eq!(claims["sub"], tokens.sub());
        assert_eq!(claims["sid"], verify(server, &tokens.id_token)["sid"]);
    }
    let jtis: BTreeSet<String> = [ACCESS, SECOND].map(|path| stage.clients.told(path)[0].claim("jti")).into();
    assert_eq!(jtis.len(), 2, "each token has its own");
    assert!(!stage.world.is_signed_in(&browser));
    stage.all_is_settled();
    assert_eq!((stage.clients.told(ACCESS).len(), stage.clients.told(SECOND).len()), (1, 1), "each once");
    assert_eq!(stage.ended("access", "heard"), 1);
}

#[test]
fn a_client_that_the_session_never_served_is_not_told() {
    let stage = Stage::new();
    let (mut alice, mut bob) = (stage.world.server.browser(), stage.world.server.browser());
    let tokens = stage.world.sign_in(&mut alice);
    stage.world.next_is(&BOB);
    stage.second(&mut bob);
    stage.sign_out(&mut alice, &tokens);
    stage.clients.wait_for(ACCESS, 1);
    stage.all_is_settled();
    assert_eq!(stage.clients.told(SECOND).len(), 0);
    assert!(stage.world.is_signed_in(&bob));
}

#[test]
fn a_pairwise_client_hears_of_the_subject_that_it_knows() {
    let stage = Stage::with(|setup| {
        setup.keys("clients/second.toml", "subject_type = \"pairwise\"");
    });
    let mut browser = stage.world.server.browser();
    let (first, second) = (stage.world.sign_in(&mut browser), stage.second(&mut browser));
    assert_ne!(first.sub(), second.sub());
    stage.sign_out(&mut browser, &second);
    assert_eq!(stage.clients.wait_for(ACCESS, 1)[0].claim("sub"), first.sub());
    assert_eq!(stage.clients.wait_for(SECOND, 1)[0].claim("sub"), second.sub());
}

#[test]
fn a_deactivation_tells_exactly_the_clients_of_that_person_at_once() {
    let stage = Stage::new();
    let server = &stage.world.server;
    let (mut desk, mut phone, mut gone, mut bob) =
        (server.browser(), server.browser(), server.browser(), server.browser());
    let alice = stage.world.sign_in(&mut desk);
    let on_phone = stage.world.sign_in(&mut phone);
    // At `second` only a refresh token is left: its session was signed out, and `second` heard of that.
    let offline = stage.world.sign_in_for_long(&Client::second(), &mut gone);
    stage.sign_out(&mut gone, &offline);
    stage.clients.wait_for(SECOND, 1);
    stage.world.next_is(&BOB);
    stage.world.sign_in(&mut bob);

    stage.world.advance(Span::secs(1));
    server.deactivate(alice.sub());
    let of_alice =
        [&alice, &on_phone].map(|tokens| verify(server, &tokens.id_token)["sid"].as_str().map(str::to_owned));
    let told = stage.clients.wait_for(ACCESS, 2);
    assert_eq!(sids(&told), of_alice.into_iter().flatten().collect());
    assert!(told.iter().all(|told| told.claim("sub") == alice.sub()));
    let last = stage.clients.wait_for(SECOND, 2).remove(1);
    assert_eq!((last.claim("sub").as_str(), &last.claims()["sid"]), (alice.sub(), &json!(null)), "all of hers there");
    stage.all_is_settled();
    assert_eq!((stage.clients.told(ACCESS).len(), stage.clients.told(SECOND).len()), (2, 2));
    assert!(stage.world.is_signed_in(&bob));
}

#[test]
fn a_deactivation_by_a_clock_that_lags_ends_the_session_of_a_moment_ago_for_good() {
    let stage = Stage::new();
    let server = &stage.world.server;
    let mut browser = server.browser();
    let alice = stage.world.sign_in(&mut browser);
    // Written by another server, or after the time was set right.
    server.clock.back(Span::secs(2));
    server.deactivate(alice.sub());
    let told = stage.clients.wait_for(ACCESS, 1).remove(0);
    assert_eq!(told.claim("sid"), alice.claims["sid"].as_str().expect("a sid"));
    stage.all_is_settled();
    stage.world.advance(Span::secs(10));
    let users = &server.running().ports().directory.users;
    let id = UserId(alice.sub().to_owned());
    assert!(block_on(users.set_active(&id, Activity::Active, server.now())).expect("the database works"));
    assert!(!stage.world.is_signed_in(&browser), "it does not come back with the person");
}

#[test]
fn thousands_of_notices_are_heard_once_each() {
    let stage = Stage::new();
    stage.queue("access", 3_000);
    stage.clients.wait_for(ACCESS, 3_000);
    stage.all_is_settled();
    let told = stage.clients.told(ACCESS);
    assert_eq!((told.len(), sids(&told).len()), (3_000, 3_000));
}
