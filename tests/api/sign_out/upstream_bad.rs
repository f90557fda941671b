//! Logout tokens that are not to be believed: 400, and everybody stays signed in.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::upstream_world::{BACKCHANNEL, is_heard, is_in, is_refused, notify, of_sid, sign_in};
use crate::support::client::Client;
use crate::support::evil_idp::Answer;
use crate::support::evil_idp::logout::Flaw;
use crate::support::http::Request;
use crate::world::{ALICE, BOB, World};

fn world() -> World {
    World::with(|setup, _| {
        setup.keys("idps/contoso.toml", "id_token_algs = [\"RS256\"]");
    })
}

#[test]
fn a128_c103_a_token_with_one_flaw_is_refused_and_changes_nothing() {
    let world = world();
    let (alice, bob) = (sign_in(&world, &ALICE, "desk"), sign_in(&world, &BOB, "bobs"));
    let named = || json!({ "sid": "desk", "sub": ALICE.sub });
    for flaw in Flaw::ALL {
        is_refused(&notify(&world.server, &world.idp.bad_logout_token(named(), flaw)), &format!("{flaw:?}"));
        assert!(world.is_signed_in(&alice.browser), "{flaw:?}");
    }
    assert!(is_in(&world, &alice) && is_in(&world, &bob));
    is_heard(&notify(&world.server, &world.idp.logout_token(named())));
    assert!(!is_in(&world, &alice) && is_in(&world, &bob));
}

#[test]
fn a129_an_id_token_is_no_logout_token() {
    let world = world();
    let alice = sign_in(&world, &ALICE, "desk");
    is_refused(&notify(&world.server, &world.idp.id_token("vestibule", "nonce")), "an ID token");
    for typ in ["logout+jwt", "JWT"] {
        world.idp.set(|script| {
            script.header = Some(Arc::new(move |header| drop(header.insert("typ".to_owned(), json!(typ)))));
        });
        is_refused(&notify(&world.server, &world.idp.id_token("vestibule", "nonce")), typ);
    }
    is_refused(&notify(&world.server, &alice.tokens.id_token), "an ID token of ours");
    is_refused(&notify(&world.server, &alice.tokens.access), "an access token");
    assert!(is_in(&world, &alice));
}

#[test]
fn a129_a_logout_token_signs_nobody_in() {
    for typ in [Some("logout+jwt"), Some("JWT"), None] {
        let world = world();
        world.idp.set(|script| {
            script.header = Some(Arc::new(move |header| match typ {
                Some(typ) => drop(header.insert("typ".to_owned(), json!(typ))),
                None => drop(header.remove("typ")),
            }));
        });
        let token = world.idp.logout_token(json!({ "sid": "desk", "sub": ALICE.sub, "auth_time": world.now().secs() }));
        world.idp.set(|script| {
            script.header = None;
            script.id_token = Some(token.clone());
        });
        let mut browser = world.server.browser();
        let answer = Client::access().ask(&world.server).run(&mut browser);
        assert_eq!(answer.error(), "server_error", "{typ:?}");
        world.idp.reset();
        assert!(!world.is_signed_in(&browser), "{typ:?}");
    }
}

#[test]
fn a_request_that_is_no_form_with_one_token_is_refused() {
    let world = world();
    let alice = sign_in(&world, &ALICE, "desk");
    let token = world.idp.logout_token(of_sid("desk"));
    let url = world.server.url(BACKCHANNEL);
    let post = |request: Request| world.server.send(&request).status;
    let form = || Request::form(&url, &[("logout_token", &token)]);
    assert_eq!(post(form().instead("Content-Type", "application/json")), 400);
    assert_eq!(post(form().instead("Content-Type", "text/plain")), 400);
    let json = json!({ "logout_token": token }).to_string();
    assert_eq!(post(form().instead("Content-Type", "application/json").body(json)), 400);
    assert_eq!(post(Request::form(&url, &[("logout_token", &token), ("logout_token", &token)])), 400);
    assert_eq!(post(Request::form(&url, &[("logout_token", &token), ("x", &token), ("x", &token)])), 400);
    assert_eq!(post(Request::form::<&str, &str>(&url, &[])), 400);
    assert_eq!(post(Request::form(&url, &[("logout_token", "")])), 400);
    assert_eq!(post(Request::form(&format!("{url}?logout_token={token}"), &[("x", "y")])), 400);
    for text in [".", "..", "...", "a.b.c", "e30.e30.", "\u{0}", "ä.ö.ü"] {
        is_refused(&notify(&world.server, text), text);
    }
    let get = world.server.send(&Request::get(&format!("{url}?logout_token={token}")));
    assert_eq!((get.status, get.header("allow")), (405, Some("POST")));
    assert!(matches!(post(Request::form(&url, &[("logout_token", "x".repeat(64 * 1024))])), 400 | 413));
    is_refused(&notify(&world.server, &"x".repeat(60 * 1024)), "60 KiB");
    assert!(is_in(&world, &alice));
    let answer = world.server.send(&form().instead("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"));
    is_heard(&answer);
    assert!(!is_in(&world, &alice), "after all that, the token works");
}

#[test]
fn a_flood_of_bad_tokens_costs_the_provider_nothing_and_hinders_no_good_one() {
    let world = world();
    let (alice, bob) = (sign_in(&world, &ALICE, "desk"), sign_in(&world, &BOB, "bobs"));
    let kinds = [Flaw::WrongIssuer, Flaw::WrongAudience, Flaw::UnknownKid, Flaw::OldIat, Flaw::FlippedBit];
    let bad: Vec<String> =
        kinds.iter().map(|flaw| world.idp.bad_logout_token(json!({ "sub": ALICE.sub }), *flaw)).collect();
    let (fetched, described) = (world.idp.count("/jwks"), world.idp.count("/.well-known/openid-configuration"));
    let good: Vec<String> = (0..40).map(|_| world.idp.logout_token(of_sid("nobody's"))).collect();
    let (refused, heard) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for nth in 0..8_usize {
            let (bad, good, world, refused, heard) = (&bad, &good, &world, &refused, &heard);
            scope.spawn(move || {
                for turn in 0..65 {
                    let token = &bad[(nth + turn) % bad.len()];
                    let counted = if notify(&world.server, token).status == 400 { refused } else { heard };
                    counted.fetch_add(1, Ordering::SeqCst);
                    if turn % 13 == 0 {
                        is_heard(&notify(&world.server, &good[nth * 5 + turn / 13]));
                    }
                }
            });
        }
    });
    assert_eq!((refused.into_inner(), heard.into_inner()), (520, 0));
    assert!(world.idp.count("/jwks") <= fetched + 1, "one look for newer keys: {}", world.idp.count("/jwks"));
    assert_eq!(world.idp.count("/.well-known/openid-configuration"), described);
    assert!(is_in(&world, &alice) && is_in(&world, &bob));
    is_heard(&notify(&world.server, &world.idp.logout_token(of_sid("desk"))));
    assert!(!is_in(&world, &alice) && is_in(&world, &bob));
}

#[test]
fn tokens_of_nobodys_issuer_ask_nobody_anything() {
    let world = World::new();
    for flaw in [Flaw::WrongIssuer, Flaw::WrongAudience, Flaw::NoIssuer, Flaw::OldIat, Flaw::AlgHs256, Flaw::Nonce] {
        is_refused(&notify(&world.server, &world.idp.bad_logout_token(of_sid("desk"), flaw)), &format!("{flaw:?}"));
    }
    assert!(world.idp.seen().is_empty(), "{:?}", world.idp.seen());
}

#[test]
fn a_new_key_is_fetched_for_the_token_that_it_signed() {
    let world = World::new();
    let alice = sign_in(&world, &ALICE, "desk");
    world.idp.rotate_keys();
    is_heard(&notify(&world.server, &world.idp.logout_token(of_sid("desk"))));
    assert!(!is_in(&world, &alice));
}

#[test]
fn a_provider_whose_keys_cannot_be_had_is_answered_503_and_the_token_works_later() {
    let world = World::new();
    let alice = sign_in(&world, &ALICE, "desk");
    world.idp.rotate_keys();
    let token = world.idp.logout_token(of_sid("desk"));
    world.idp.set(|script| script.jwks = Answer::Fixed(500, "text/plain", "down".to_owned()));
    for _ in 0..2 {
        let answer = notify(&world.server, &token);
        assert_eq!(answer.status, 503, "{}", answer.text());
        assert!(answer.header("retry-after").is_some());
    }
    assert!(is_in(&world, &alice));
    world.idp.set(|script| script.jwks = Answer::Sound);
    world.advance(vestibule::base::Span::secs(60));
    is_heard(&notify(&world.server, &token));
    assert!(!is_in(&world, &alice));
}
