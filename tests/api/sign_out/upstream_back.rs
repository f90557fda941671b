//! Back-channel logout tokens that are sound: who is out after them, and who is not.

use serde_json::json;
use vestibule::base::Span;

use super::upstream_world::{SignedIn, is_heard, is_in, is_refused, notify, of_sid, of_sub, sign_in, sign_in_at};
use crate::support::client::Client;
use crate::support::server::block_on;
use crate::world::{ALICE, BOB, World};

struct Three {
    world: World,
    /// Alice twice, in two browsers, and Bob.
    desk: SignedIn,
    phone: SignedIn,
    bob: SignedIn,
}

impl Three {
    fn new() -> Self {
        let world = World::new();
        let desk = sign_in(&world, &ALICE, "desk");
        let phone = sign_in(&world, &ALICE, "phone");
        let bob = sign_in(&world, &BOB, "bobs");
        Self { world, desk, phone, bob }
    }

    /// Who is in: Alice at her desk, Alice at her phone, Bob.
    #[track_caller]
    fn are_in(&self, expected: [bool; 3]) {
        let found = [&self.desk, &self.phone, &self.bob].map(|who| is_in(&self.world, who));
        assert_eq!(found, expected, "desk, phone, Bob");
    }
}

#[test]
fn a_sid_ends_that_session_alone() {
    let three = Three::new();
    is_heard(&notify(&three.world.server, &three.world.idp.logout_token(of_sid("desk"))));
    three.are_in([false, true, true]);
}

#[test]
fn a_sub_alone_ends_all_sessions_of_that_person() {
    let three = Three::new();
    is_heard(&notify(&three.world.server, &three.world.idp.logout_token(of_sub(&ALICE))));
    three.are_in([false, false, true]);
}

#[test]
fn a_sid_and_a_sub_must_both_fit() {
    let three = Three::new();
    let idp = &three.world.idp;
    is_heard(&notify(&three.world.server, &idp.logout_token(json!({ "sid": "desk", "sub": BOB.sub }))));
    is_heard(&notify(&three.world.server, &idp.logout_token(json!({ "sid": "bobs", "sub": ALICE.sub }))));
    three.are_in([true, true, true]);
    is_heard(&notify(&three.world.server, &idp.logout_token(json!({ "sid": "desk", "sub": ALICE.sub }))));
    three.are_in([false, true, true]);
}

#[test]
fn a_session_that_is_unknown_or_gone_is_as_good_as_ended() {
    let three = Three::new();
    let server = &three.world.server;
    for named in [of_sid("nobody's"), json!({ "sub": "nobody" }), json!({ "sid": "nobody's", "sub": ALICE.sub })] {
        is_heard(&notify(server, &three.world.idp.logout_token(named)));
    }
    // Names of one kind are not looked up among those of the other.
    for named in [of_sid(ALICE.sub), json!({ "sub": "desk" }), of_sid("desk sub"), of_sid("")] {
        let answer = notify(server, &three.world.idp.logout_token(named.clone()));
        assert!(matches!(answer.status, 200 | 400), "{named}");
    }
    three.are_in([true, true, true]);
    for _ in 0..2 {
        is_heard(&notify(server, &three.world.idp.logout_token(of_sid("desk"))));
    }
    three.are_in([false, true, true]);
}

#[test]
fn c102_every_sound_form_of_the_token_is_heard() {
    for typ in [json!("logout+jwt"), json!("LOGOUT+JWT"), json!("JWT"), json!(null)] {
        let world = World::new();
        let alice = sign_in(&world, &ALICE, "desk");
        let value = typ.clone();
        world.idp.set(|script| {
            script.header = Some(std::sync::Arc::new(move |header| match &value {
                serde_json::Value::Null => drop(header.remove("typ")),
                typ => drop(header.insert("typ".to_owned(), typ.clone())),
            }));
        });
        let named = json!({ "sid": "desk", "aud": ["vestibule"], "unknown": { "claims": "are ignored" } });
        is_heard(&notify(&world.server, &world.idp.logout_token(named)));
        assert!(!is_in(&world, &alice), "{typ}");
    }
    for alg in ["RS256", "PS256", "ES256", "EdDSA"] {
        let world = World::new();
        let alice = sign_in(&world, &ALICE, "desk");
        world.idp.set(|script| script.alg = alg);
        is_heard(&notify(&world.server, &world.idp.logout_token(of_sid("desk"))));
        assert!(!is_in(&world, &alice), "{alg}");
    }
}

#[test]
fn a_token_is_heard_to_the_last_second_of_its_two_minutes() {
    let world = World::new();
    let alice = sign_in(&world, &ALICE, "desk");
    let token = world.idp.logout_token(of_sid("desk"));
    world.advance(Span::secs(119));
    is_heard(&notify(&world.server, &token));
    assert!(!is_in(&world, &alice));
}

#[test]
fn a_late_token_does_not_end_a_session_that_was_begun_after_it() {
    let world = World::new();
    let before = sign_in(&world, &ALICE, "desk");
    let token = world.idp.logout_token(of_sub(&ALICE));
    world.advance(Span::secs(61));
    let after = sign_in(&world, &ALICE, "desk");
    is_heard(&notify(&world.server, &token));
    assert!(!is_in(&world, &before));
    assert!(is_in(&world, &after));
}

#[test]
fn a129_a_replayed_token_has_no_second_effect() {
    let world = World::new();
    let first = sign_in(&world, &ALICE, "desk");
    let token = world.idp.logout_token(of_sid("desk"));
    is_heard(&notify(&world.server, &token));
    assert!(!is_in(&world, &first));
    let again = sign_in(&world, &ALICE, "desk");
    for wait in [0, 30, 60, 29, 1, 1, 60, 120] {
        world.advance(Span::secs(wait));
        is_refused(&notify(&world.server, &token), "a replay");
    }
    assert!(is_in(&world, &again));
    is_heard(&notify(&world.server, &world.idp.logout_token(of_sid("desk"))));
    assert!(!is_in(&world, &again));
}

#[test]
fn a130_a_provider_ends_only_the_sessions_that_it_made() {
    let world = World::two_idps();
    let alice = sign_in(&world, &ALICE, "same");
    let bob = sign_in_at(&world, world.other(), &BOB, "same");
    // By name and subject of the other's people, signed by the one.
    let evil = world.other();
    evil.rotate_keys(); // first keys are the same for all of these providers
    for named in [of_sub(&ALICE), json!({ "sid": "same", "sub": ALICE.sub })] {
        is_heard(&notify(&world.server, &evil.logout_token(named)));
    }
    assert!(is_in(&world, &alice) && is_in(&world, &bob));
    // In the other's name it is not believed.
    let forged = evil.logout_token(json!({ "sid": "same", "iss": world.idp.issuer() }));
    is_refused(&notify(&world.server, &forged), "another's issuer");
    assert!(is_in(&world, &alice) && is_in(&world, &bob));
    is_heard(&notify(&world.server, &evil.logout_token(of_sid("same"))));
    assert!(is_in(&world, &alice), "the same sid at another provider is another session");
    assert!(!is_in(&world, &bob));
}

#[test]
fn files_that_share_an_issuer_are_told_apart_by_the_audience() {
    let world = World::with(|setup, idp| {
        setup.idp("second", &idp.issuer(), &["contoso.co.uk"]);
        setup.edit("idps/second.toml", "client_id = \"vestibule\"", "client_id = \"vestibule-2\"");
    });
    let one = sign_in(&world, &ALICE, "same");
    let two = {
        let email = "alice@contoso.co.uk";
        world.idp.set(|script| {
            script.person.insert("email".to_owned(), json!(email));
            script.person.insert("preferred_username".to_owned(), json!(email));
        });
        let (client, mut browser) = (Client::access(), world.server.browser());
        let tokens = client.sign_in(&world.server, &mut browser, &client.ask(&world.server).hint(email));
        SignedIn { browser, tokens }
    };
    is_heard(&notify(&world.server, &world.idp.logout_token(json!({ "sid": "same", "aud": "vestibule-2" }))));
    assert!(is_in(&world, &one));
    assert!(!is_in(&world, &two));
    is_heard(&notify(&world.server, &world.idp.logout_token(of_sid("same"))));
    assert!(!is_in(&world, &one));
}

#[test]
fn a_provider_that_is_switched_off_still_signs_out() {
    let world = World::two_idps();
    let alice = sign_in(&world, &ALICE, "desk");
    let is_off = || {
        let config = world.server.running().ports().config.snapshot();
        config.idps.values().any(|idp| idp.id.0 == "contoso" && !idp.enabled)
    };
    world.server.reconfigure("idps/contoso.toml", "kind = \"oidc\"", "kind = \"oidc\"\nenabled = false", is_off);
    is_heard(&notify(&world.server, &world.idp.logout_token(of_sid("desk"))));
    let back = || !is_off();
    world.server.reconfigure("idps/contoso.toml", "enabled = false", "enabled = true", back);
    assert!(!is_in(&world, &alice));
}

#[test]
fn everything_that_the_session_issued_ends_with_it_and_its_clients_are_to_be_told() {
    let world = World::with(|setup, _| {
        setup.keys("clients/access.toml", "backchannel_logout_uri = \"https://rp.example.com/out\"");
        setup.keys("clients/second.toml", "backchannel_logout_uri = \"https://second.example.com/out\"");
        for client in ["access", "second"] {
            setup.table(&format!("clients/{client}.toml"), "[tokens]\nrefresh_without_offline = true");
        }
    });
    world.idp.set(|script| script.person.insert("sid".to_owned(), json!("desk")).map_or((), drop));
    let mut browser = world.server.browser();
    let (access, second) = (Client::access(), Client::second());
    let bound = ["access", "second"].map(|which| {
        let client = if which == "access" { &access } else { &second };
        client.sign_in(&world.server, &mut browser, &client.ask(&world.server))
    });
    let (ask, code) = {
        let ask = access.ask(&world.server);
        let code = ask.run(&mut browser).code();
        (ask, code)
    };
    let offline = world.sign_in_for_long(&second, &mut browser);
    is_heard(&notify(&world.server, &world.idp.logout_token(of_sid("desk"))));
    assert!(!world.is_signed_in(&browser));
    for (client, tokens) in [&access, &second].into_iter().zip(&bound) {
        let answer = client.refresh(&world.server, tokens.refresh());
        assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_grant"), "{}", client.id);
    }
    assert_eq!(access.redeem(&world.server, &ask, &code).error(), "invalid_grant");
    assert_eq!(second.refresh(&world.server, offline.refresh()).status, 200, "offline access outlives the session");
    let notices = &world.server.running().ports().directory.notices;
    let waiting = block_on(notices.waiting()).expect("the database works");
    let mut told: Vec<(&str, u64)> = waiting.iter().map(|w| (w.client.0.as_str(), w.count)).collect();
    told.sort_unstable();
    assert_eq!(told, [("access", 1), ("second", 1)]);
}
