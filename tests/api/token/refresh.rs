//! Refresh tokens: each once, a reuse ends the family, and one lost answer is forgiven.

use vestibule::base::Span;

use crate::support::client::{Client, Tokens, userinfo};
use crate::support::http::Response;
use crate::world::{ALICE, World};

fn tokens(world: &World, answer: &Response) -> Tokens {
    assert_eq!(answer.status, 200, "{}", answer.text());
    Tokens::verified(&world.server, &Client::access(), None, answer)
}

#[track_caller]
fn refused(answer: &Response) {
    assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_grant"), "{}", answer.text());
}

#[test]
fn c034_a_refresh_gives_new_tokens_for_the_same_person() {
    let world = World::new();
    let client = Client::access();
    let first = world.sign_in_for_long(&client, &mut world.server.browser());
    let second = tokens(&world, &client.refresh(&world.server, first.refresh()));
    assert_eq!(second.sub(), first.sub());
    assert_eq!(second.claims["auth_time"], first.claims["auth_time"]);
    assert!(!second.claims.contains_key("nonce") || second.claims["nonce"] == first.claims["nonce"]);
    assert_ne!(second.refresh(), first.refresh());
    assert_eq!(userinfo(&world.server, &second.access).status, 200);
}

#[test]
fn a100_a_rotated_token_used_later_ends_the_whole_family() {
    let world = World::new();
    let client = Client::access();
    let first = world.sign_in_for_long(&client, &mut world.server.browser());
    let second = tokens(&world, &client.refresh(&world.server, first.refresh()));
    world.advance(Span::secs(11));
    refused(&client.refresh(&world.server, first.refresh()));
    refused(&client.refresh(&world.server, second.refresh()));
    assert_eq!(userinfo(&world.server, &second.access).status, 401, "its access tokens are dead too");
}

#[test]
fn a101_a_lost_answer_may_be_asked_for_again_within_ten_seconds() {
    let world = World::new();
    let client = Client::access();
    let first = world.sign_in_for_long(&client, &mut world.server.browser());
    let lost = tokens(&world, &client.refresh(&world.server, first.refresh()));
    world.advance(Span::secs(9));
    let second = tokens(&world, &client.refresh(&world.server, first.refresh()));
    assert_ne!(second.refresh(), lost.refresh());
    assert_eq!(userinfo(&world.server, &lost.access).status, 401, "the unused pair is void");
    assert_eq!(userinfo(&world.server, &second.access).status, 200);
    refused(&client.refresh(&world.server, lost.refresh())); // that is reuse
    refused(&client.refresh(&world.server, second.refresh()));
}

#[test]
fn a101_no_repeat_once_the_new_access_token_was_used() {
    let world = World::new();
    let client = Client::access();
    let first = world.sign_in_for_long(&client, &mut world.server.browser());
    let second = tokens(&world, &client.refresh(&world.server, first.refresh()));
    assert_eq!(userinfo(&world.server, &second.access).status, 200);
    refused(&client.refresh(&world.server, first.refresh()));
    refused(&client.refresh(&world.server, second.refresh()));
}

#[test]
fn a101_no_repeat_once_the_new_refresh_token_was_used() {
    let world = World::new();
    let client = Client::access();
    let first = world.sign_in_for_long(&client, &mut world.server.browser());
    let second = tokens(&world, &client.refresh(&world.server, first.refresh()));
    let third = tokens(&world, &client.refresh(&world.server, second.refresh()));
    refused(&client.refresh(&world.server, first.refresh()));
    refused(&client.refresh(&world.server, third.refresh()));
}

#[test]
fn a101_a_public_client_has_no_repeat() {
    let world = World::with(|setup, _| {
        setup.keys("clients/spa.toml", "grant_types = [\"authorization_code\", \"refresh_token\"]");
        setup.keys("clients/spa.toml", "scopes = [\"openid\", \"profile\", \"email\", \"offline_access\"]");
    });
    let client = Client::spa();
    let first = world.sign_in_for_long(&client, &mut world.server.browser());
    let second = client.refresh(&world.server, first.refresh());
    let second = Tokens::verified(&world.server, &client, None, &second);
    refused(&client.refresh(&world.server, first.refresh()));
    refused(&client.refresh(&world.server, second.refresh()));
}

#[test]
fn a102_a_rotated_token_stays_dead_after_a_restart_and_a_clock_set_back() {
    let World { server, idp, .. } = World::new();
    idp.set(|script| script.person = ALICE.claims());
    let client = Client::access();
    let ask = client.ask(&server).with("scope", "openid offline_access");
    let first = client.sign_in(&server, &mut server.browser(), &ask);
    let second = client.refresh(&server, first.refresh());
    assert_eq!(second.status, 200);
    server.advance(Span::secs(30));
    let server = server.restart();
    server.clock.back(Span::hours(1));
    assert_eq!(client.refresh(&server, first.refresh()).error(), "invalid_grant");
    let second = second.json()["refresh_token"].as_str().expect("one").to_owned();
    assert_eq!(client.refresh(&server, &second).error(), "invalid_grant", "the family has ended");
}

#[test]
fn a102_a_refresh_token_survives_a_restart() {
    let World { server, idp, .. } = World::new();
    let client = Client::access();
    let ask = client.ask(&server).with("scope", "openid offline_access");
    let first = client.sign_in(&server, &mut server.browser(), &ask);
    let server = server.restart();
    assert_eq!(client.refresh(&server, first.refresh()).status, 200);
    drop(idp);
}

#[test]
fn a103_another_clients_use_ends_the_family() {
    let world = World::new();
    let client = Client::access();
    let first = world.sign_in_for_long(&client, &mut world.server.browser());
    refused(&Client::second().refresh(&world.server, first.refresh()));
    refused(&client.refresh(&world.server, first.refresh()));
}

#[test]
fn a104_somebody_who_was_switched_off_gets_no_new_token() {
    let world = World::new();
    let client = Client::access();
    let first = world.sign_in_for_long(&client, &mut world.server.browser());
    world.server.deactivate(first.sub());
    refused(&client.refresh(&world.server, first.refresh()));
    assert_eq!(userinfo(&world.server, &first.access).status, 401);
}

#[test]
fn a104_a_provider_taken_from_the_client_renews_nobody() {
    let world = World::two_idps();
    let client = Client::access();
    let ask = client.ask(&world.server).with("scope", "openid offline_access").hint(ALICE.email);
    let first = client.sign_in(&world.server, &mut world.server.browser(), &ask);
    world.server.reconfigure("clients/access.toml", "grant_types", "idps = [\"fabrikam\"]\ngrant_types", || {
        let mut browser = world.server.browser();
        browser
            .step(&client.ask(&world.server).url())
            .header("location")
            .is_some_and(|l| l.starts_with(&world.other().issuer()))
    });
    refused(&client.refresh(&world.server, first.refresh()));
}

#[test]
fn a105_a_scope_is_never_widened_and_may_be_narrowed() {
    let world = World::new();
    let client = Client::access();
    let first = world.sign_in_for_long(&client, &mut world.server.browser());
    let ask = |scope: &str| {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", first.refresh()), ("scope", scope)];
        client.token(&world.server, &fields)
    };
    let wider = ask("openid profile email offline_access user");
    assert_eq!((wider.status, wider.error().as_str()), (400, "invalid_scope"));
    let narrower = ask("openid email");
    assert_eq!(narrower.status, 200, "{}", narrower.text());
    let json = narrower.json();
    let access = json["access_token"].as_str().expect("a token");
    let info = userinfo(&world.server, access).json();
    assert!(info.get("email").is_some() && info.get("given_name").is_none(), "{info}");
}

#[test]
fn a105_a_scope_taken_from_the_file_is_missing_from_new_tokens() {
    let world = World::new();
    let client = Client::access();
    let first = world.sign_in_for_long(&client, &mut world.server.browser());
    let metadata = || client.ask(&world.server).with("scope", "openid email");
    world.server.reconfigure("clients/access.toml", "\"profile\", \"email\"", "\"profile\"", || {
        let tokens = client.sign_in(&world.server, &mut world.server.browser(), &metadata());
        !tokens.scope.contains("email")
    });
    let second = tokens(&world, &client.refresh(&world.server, first.refresh()));
    assert!(!second.scope.contains("email") && !second.claims.contains_key("email"), "{:?}", second.claims);
}

#[test]
fn a106_a_family_ends_unused_after_four_days_and_in_any_case_after_ninety() {
    let world = World::new();
    let client = Client::access();
    let idle = world.sign_in_for_long(&client, &mut world.server.browser());
    world.advance(Span::days(4).plus_a_second());
    refused(&client.refresh(&world.server, idle.refresh()));
    let mut live = world.sign_in_for_long(&client, &mut world.server.browser());
    for _ in 0..29 {
        world.advance(Span::days(3));
        live = tokens(&world, &client.refresh(&world.server, live.refresh()));
    }
    world.advance(Span::days(3).plus_a_second());
    refused(&client.refresh(&world.server, live.refresh()));
}

trait PlusASecond {
    fn plus_a_second(self) -> Self;
}

impl PlusASecond for Span {
    fn plus_a_second(self) -> Self {
        Self::secs(self.as_secs() + 1)
    }
}

#[test]
fn a106_a_family_without_offline_access_ends_with_its_session() {
    let world = World::with(|setup, _| {
        setup.table("clients/access.toml", "[tokens]\nrefresh_without_offline = true");
    });
    let client = Client::access();
    let mut browser = world.server.browser();
    let bound = world.sign_in(&mut browser);
    let offline = world.sign_in_for_long(&client, &mut browser);
    let bound = tokens(&world, &client.refresh(&world.server, bound.refresh()));
    let url = format!("/acs/openid/logout?id_token_hint={}", bound.id_token);
    browser.open(&world.server.url(&url));
    assert!(!world.is_signed_in(&browser));
    refused(&client.refresh(&world.server, bound.refresh()));
    tokens(&world, &client.refresh(&world.server, offline.refresh()));
}

#[test]
fn a107_new_tokens_are_made_from_the_directory_of_now() {
    let world = World::new();
    let client = Client::access();
    let first = world.sign_in_for_long(&client, &mut world.server.browser());
    assert_eq!(first.claims["given_name"], "Alice");
    world.idp.set(|script| {
        script.person.insert("given_name".to_owned(), "Alicia".into());
    });
    world.sign_in(&mut world.server.browser());
    let second = tokens(&world, &client.refresh(&world.server, first.refresh()));
    assert_eq!(second.claims["given_name"], "Alicia");
}
