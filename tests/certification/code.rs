//! Codes at the token endpoint and keys of ours: C026, C027, C034, C042, C060–C064, C080.

use std::collections::BTreeSet;

use vestibule::base::Span;

use crate::support::client::{Client, Proof, Tokens, verify};
use crate::support::server::REDIRECT_URI;
use crate::world::{OFFLINE, World, assert_refused};

#[track_caller]
fn used_again_after(span: Span) {
    let world = World::new();
    let client = Client::access();
    let (ask, code) = world.code();
    let first = client.redeem(&world.server, &ask, &code);
    let tokens = Tokens::verified(&world.server, &client, Some(&ask), &first);
    world.assert_alive(&tokens.access);
    world.server.advance(span);
    assert_refused(&client.redeem(&world.server, &ask, &code), "invalid_grant");
    world.assert_dead(&tokens.access);
    assert_refused(&client.refresh(&world.server, tokens.refresh()), "invalid_grant");
    // A third time changes nothing.
    assert_refused(&client.redeem(&world.server, &ask, &code), "invalid_grant");
}

#[test]
fn c026_a_code_used_again_at_once_is_refused() {
    used_again_after(Span::ZERO);
}

#[test]
fn c061_a_code_used_again_after_one_second_is_refused() {
    used_again_after(Span::secs(1));
}

#[test]
fn c027_a_code_used_again_after_30_seconds_is_refused() {
    used_again_after(Span::secs(30));
}

#[test]
fn c027_a_code_used_again_after_five_minutes_still_kills_what_it_paid() {
    used_again_after(Span::minutes(5));
}

#[test]
fn c034_a_refresh_token_works_for_its_client_only() {
    let world = World::new();
    let client = Client::access();
    let tokens = world.offline();
    let allowed = |c: char| c.is_ascii_graphic() || c == ' ';
    assert!(tokens.refresh().chars().all(allowed) && tokens.access.chars().all(allowed));
    let answer = client.refresh(&world.server, tokens.refresh());
    let next = Tokens::verified(&world.server, &client, None, &answer);
    for same in ["iss", "sub", "aud", "auth_time", "sid"] {
        assert_eq!(tokens.claims[same], next.claims[same], "{same}");
    }
    assert!(!next.claims.contains_key("nonce"), "a nonce belongs to an authorization request");
    world.assert_alive(&next.access);
    assert_refused(&Client::second().refresh(&world.server, next.refresh()), "invalid_grant");
}

#[test]
fn c042_after_a_rotation_the_new_key_signs_and_the_old_one_is_still_there() {
    let world = World::with(|setup| {
        setup.table("vestibule.toml", "[keys]\nrotation = \"30d\"");
    });
    let kids = |world: &World| -> BTreeSet<String> {
        let keys = world.server.get("/acs/jwks").json();
        let keys = keys["keys"].as_array().expect("keys").clone();
        keys.iter().map(|key| key["kid"].as_str().expect("a kid").to_owned()).collect()
    };
    let before = kids(&world);
    let old = world.sign_in(&mut world.browser());
    // The next key is published a day before it signs.
    world.server.advance(Span::hours(29 * 24 + 1));
    let world = World { server: world.server.restart(), idp: world.idp };
    let between = kids(&world);
    assert!(between.is_superset(&before) && between.len() > before.len(), "{before:?} {between:?}");
    world.server.advance(Span::hours(24));
    let world = World { server: world.server.restart(), idp: world.idp };
    assert!(kids(&world).is_superset(&between), "the old key stays while its tokens may be checked");
    assert_eq!(verify(&world.server, &old.id_token)["sub"], old.sub());
    let new = world.sign_in(&mut world.browser());
    let kid = |token: &str| jsonwebtoken::decode_header(token).expect("a JWT").kid.expect("a kid");
    assert!(!before.contains(&kid(&new.id_token)), "the new key signs");
    assert!(before.contains(&kid(&old.id_token)));
}

#[test]
fn c060_a_code_is_bound_to_its_client() {
    let world = World::new();
    let (ask, code) = world.code();
    assert_refused(&Client::second().redeem(&world.server, &ask, &code), "invalid_grant");
    assert_refused(&Client::access().redeem(&world.server, &ask, &code), "invalid_grant");
}

#[test]
fn c062_a_code_first_used_after_sixty_seconds_is_refused() {
    let world = World::new();
    let (ask, code) = world.code();
    let (late, too_late) = world.code();
    world.server.advance(Span::secs(59));
    assert_eq!(Client::access().redeem(&world.server, &ask, &code).status, 200);
    world.server.advance(Span::secs(2));
    assert_refused(&Client::access().redeem(&world.server, &late, &too_late), "invalid_grant");
}

#[test]
fn c063_without_a_challenge_or_with_a_plain_one_there_is_no_code() {
    let world = World::new();
    let without = world.ask().without("code_challenge").without("code_challenge_method");
    let plain = world.ask().with("code_challenge_method", "plain");
    let silent = world.ask().without("code_challenge_method");
    for ask in [without, plain, silent] {
        assert_eq!(ask.run(&mut world.browser()).error(), "invalid_request");
    }
    assert_eq!(world.sent_upstream(), 0);
}

#[test]
fn c064_a_missing_or_wrong_verifier_is_refused_and_the_code_is_spent() {
    let world = World::new();
    let client = Client::access();
    for verifier in [None, Some("x".repeat(43))] {
        let (ask, code) = world.code();
        let mut fields =
            vec![("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", REDIRECT_URI)];
        fields.extend(verifier.as_deref().map(|verifier| ("code_verifier", verifier)));
        assert_refused(&client.token(&world.server, &fields), "invalid_grant");
        assert_refused(&client.redeem(&world.server, &ask, &code), "invalid_grant");
    }
}

#[test]
fn c080_a_refresh_without_client_authentication_is_refused_and_spends_nothing() {
    let world = World::new();
    let client = Client::access();
    let ask = world.ask().with("scope", OFFLINE);
    let tokens = client.sign_in(&world.server, &mut world.browser(), &ask);
    for proof in [Proof::Public, Proof::Basic("wrong".to_owned()), Proof::Basic("second-secret".to_owned())] {
        let stranger = Client { proof, ..Client::access() };
        assert_refused(&stranger.refresh(&world.server, tokens.refresh()), "invalid_client");
    }
    let answer = client.refresh(&world.server, tokens.refresh());
    assert_eq!(answer.status, 200, "the rightful client still gets in: {}", answer.text());
}
