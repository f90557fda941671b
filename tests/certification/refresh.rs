//! Refresh tokens in wrong hands or at a wrong time: A100, A102, A103, and scopes and claims: A105, A107.

use vestibule::base::Span;

use crate::support::client::{Client, Tokens, userinfo};
use crate::world::{OFFLINE, World, assert_refused, person};

#[track_caller]
fn turn(world: &World, token: &str) -> Tokens {
    let client = Client::access();
    let answer = client.refresh(&world.server, token);
    assert_eq!(answer.status, 200, "{}", answer.text());
    Tokens::verified(&world.server, &client, None, &answer)
}

#[track_caller]
fn refused(world: &World, token: &str) {
    assert_refused(&Client::access().refresh(&world.server, token), "invalid_grant");
}

#[test]
fn a100_a_rotated_token_used_later_ends_the_family_and_its_access_tokens() {
    let world = World::new();
    let first = world.offline();
    let second = turn(&world, first.refresh());
    let third = turn(&world, second.refresh());
    world.server.advance(Span::minutes(1));
    world.assert_alive(&third.access);
    refused(&world, first.refresh());
    for tokens in [&first, &second, &third] {
        world.assert_dead(&tokens.access);
        refused(&world, tokens.refresh());
    }
}

#[test]
fn a100_an_invented_token_of_the_family_ends_it() {
    let world = World::new();
    let first = world.offline();
    let (family, secret) = first.refresh().split_at(24);
    let other: String = secret.chars().rev().collect();
    refused(&world, &format!("{family}{other}"));
    refused(&world, first.refresh());
    world.assert_dead(&first.access);
}

#[test]
fn a100_other_families_of_the_same_person_live_on() {
    let world = World::new();
    let (one, other) = (world.offline(), world.offline());
    turn(&world, one.refresh());
    world.server.advance(Span::secs(11));
    refused(&world, one.refresh());
    turn(&world, other.refresh());
}

#[test]
fn a102_a_rotated_token_stays_dead_over_a_restart() {
    let world = World::new();
    let first = world.offline();
    let second = turn(&world, first.refresh());
    world.server.advance(Span::secs(11));
    let world = World { server: world.server.restart(), idp: world.idp };
    refused(&world, first.refresh());
    refused(&world, second.refresh());
    world.assert_dead(&second.access);
    let world = World { server: world.server.restart(), idp: world.idp };
    refused(&world, second.refresh());
}

#[test]
fn a102_the_good_token_goes_on_over_a_restart() {
    let world = World::new();
    let first = world.offline();
    let second = turn(&world, first.refresh());
    let world = World { server: world.server.restart(), idp: world.idp };
    let third = turn(&world, second.refresh());
    world.assert_alive(&third.access);
}

#[test]
fn a102_a_clock_set_back_revives_nothing() {
    let world = World::new();
    let first = world.offline();
    let second = turn(&world, first.refresh());
    world.server.advance(Span::secs(20));
    refused(&world, first.refresh());
    world.server.clock.back(Span::secs(19));
    refused(&world, first.refresh());
    refused(&world, second.refresh());
    // Nor does a clock that was far ahead give the old token its window back.
    let third = world.offline();
    turn(&world, third.refresh());
    world.server.clock.back(Span::hours(1));
    refused(&world, third.refresh());
}

#[test]
fn a103_a_token_of_another_client_is_refused_and_its_family_ends() {
    let world = World::new();
    let first = world.offline();
    assert_refused(&Client::second().refresh(&world.server, first.refresh()), "invalid_grant");
    refused(&world, first.refresh());
    world.assert_dead(&first.access);
}

#[test]
fn a105_a_scope_may_be_narrowed_and_not_widened() {
    let world = World::new();
    let client = Client::access();
    let ask = world.ask().with("scope", "openid email offline_access");
    let first = client.sign_in(&world.server, &mut world.browser(), &ask);
    let asking = |token: &str, scope: &str| {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token), ("scope", scope)];
        client.token(&world.server, &fields)
    };
    for wider in ["openid email profile offline_access", "openid user", "openid admin"] {
        assert_refused(&asking(first.refresh(), wider), "invalid_scope");
    }
    let answer = asking(first.refresh(), "openid");
    let narrow = Tokens::verified(&world.server, &client, None, &answer);
    assert_eq!(narrow.scope, "openid");
    assert!(!narrow.claims.contains_key("email"));
    assert!(userinfo(&world.server, &narrow.access).json().get("email").is_none());
    // What was granted stays granted (RFC 6749 §6).
    let whole = turn(&world, narrow.refresh());
    assert_eq!(whole.scope, "openid email offline_access");
    assert_eq!(whole.claims["email"], "alice@contoso.com");
}

#[test]
fn a105_a_scope_that_left_the_clients_file_is_in_no_new_token() {
    let world = World::new();
    let first = world.offline();
    let ports = world.server.running().ports();
    let in_force = || ports.config.snapshot().client("access").is_some_and(|client| client.scopes.len() == 3);
    let (from, to) =
        (r#""openid", "profile", "email", "user", "offline_access""#, r#""openid", "profile", "offline_access""#);
    world.server.reconfigure("clients/access.toml", from, to, in_force);
    let next = turn(&world, first.refresh());
    assert_eq!(next.scope, "openid profile offline_access");
    assert!(!next.claims.contains_key("email"));
    assert!(userinfo(&world.server, &next.access).json().get("email").is_none());
    // With offline_access itself the families that it gave end.
    let in_force = || ports.config.snapshot().client("access").is_some_and(|client| client.scopes.len() == 2);
    world.server.reconfigure("clients/access.toml", to, r#""openid", "profile""#, in_force);
    refused(&world, next.refresh());
}

#[test]
fn a107_new_tokens_are_made_from_the_directory_of_now() {
    let world = World::new();
    let first = world.offline();
    assert_eq!(first.claims["given_name"], "alice");
    let mut married = person("alice");
    married.insert("family_name".to_owned(), "Miller".into());
    married.insert("email".to_owned(), "alice.miller@contoso.com".into());
    world.idp.set(|script| script.person = married);
    world.sign_in(&mut world.browser());
    let next = turn(&world, first.refresh());
    assert_eq!(next.claims["family_name"], "Miller");
    assert_eq!(next.claims["email"], "alice.miller@contoso.com");
    assert_eq!(next.sub(), first.sub());
    // The old access token tells the directory of now too.
    assert_eq!(userinfo(&world.server, &first.access).json()["family_name"], "Miller");
}

#[test]
fn a_refresh_token_is_issued_only_where_asked_for_and_listed() {
    let world = World::new();
    let plain = world.sign_in(&mut world.browser());
    assert_eq!(plain.refresh, None, "offline_access was not asked for");
    let ask = Client::spa().ask(&world.server).with("scope", OFFLINE);
    let public = Client::spa().sign_in(&world.server, &mut world.browser(), &ask);
    assert_eq!(public.refresh, None, "this client's file lists neither grant nor scope");
    assert_eq!(public.scope, "openid profile email");
}
