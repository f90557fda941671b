//! What ends a refresh family, and what doesn't: A104, A106.

use vestibule::base::Span;

use crate::support::client::{Client, Tokens};
use crate::support::server::Setup;
use crate::world::{OFFLINE, World, assert_refused};

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

/// A change of a file ends what a family gives, from the moment that it is in force.
#[track_caller]
fn ended_by(name: &str, from: &str, to: &str, error: &str) {
    let world = World::new();
    let first = world.offline();
    let version = world.server.running().ports().config.snapshot().version;
    let in_force = || world.server.running().ports().config.snapshot().version != version;
    world.server.reconfigure(name, from, to, in_force);
    assert_refused(&Client::access().refresh(&world.server, first.refresh()), error);
    world.assert_dead(&first.access);
    // Switched on again it goes on: nothing was used up.
    let version = world.server.running().ports().config.snapshot().version;
    let in_force = || world.server.running().ports().config.snapshot().version != version;
    world.server.reconfigure(name, to, from, in_force);
    turn(&world, first.refresh());
}

#[test]
fn a104_a_provider_switched_off_ends_it() {
    ended_by("idps/contoso.toml", "kind = \"oidc\"", "kind = \"oidc\"\nenabled = false", "invalid_grant");
}

#[test]
fn a104_a_provider_taken_from_the_client_ends_it() {
    let world = World::with(|setup| {
        setup.idp("fabrikam", "https://fabrikam.example.com", &["fabrikam.com"]);
        setup.edit("directories/contoso.toml", "\"contoso.co.uk\"", "\"contoso.co.uk\", \"fabrikam.com\"");
        setup.keys("clients/access.toml", "idps = [\"contoso\"]");
    });
    let first = world.offline();
    let ports = world.server.running().ports();
    let in_force =
        || ports.config.snapshot().client("access").is_some_and(|c| c.idps.iter().any(|i| i.0 == "fabrikam"));
    world.server.reconfigure("clients/access.toml", "idps = [\"contoso\"]", "idps = [\"fabrikam\"]", in_force);
    refused(&world, first.refresh());
    world.assert_dead(&first.access);
}

#[test]
fn a104_a_client_switched_off_gets_nothing() {
    ended_by("clients/access.toml", "name = \"Workspace", "enabled = false\nname = \"Workspace", "invalid_client");
}

#[test]
fn a104_a_deactivated_person_gets_no_tokens_from_that_moment() {
    let world = World::new();
    let first = world.offline();
    world.server.deactivate(first.sub());
    refused(&world, first.refresh());
    world.assert_dead(&first.access);
}

fn bound() -> World {
    World::with(|setup: &mut Setup| {
        setup.table("clients/access.toml", "[tokens]\nrefresh_without_offline = true");
    })
}

#[test]
fn a106_a_sign_out_ends_the_families_bound_to_the_session_and_no_other() {
    let world = bound();
    let client = Client::access();
    let mut browser = world.browser();
    let bound = world.sign_in(&mut browser);
    let offline = client.sign_in(&world.server, &mut browser, &world.ask().with("scope", OFFLINE));
    let elsewhere = world.sign_in(&mut world.browser());
    assert_eq!(bound.claims["sid"], offline.claims["sid"]);
    let hint = &offline.id_token;
    browser.open(&format!("{}/openid/logout?id_token_hint={hint}", world.server.issuer));
    assert!(!world.is_signed_in(&browser));
    refused(&world, bound.refresh());
    world.assert_dead(&bound.access);
    turn(&world, offline.refresh());
    turn(&world, elsewhere.refresh());
}

#[test]
fn a106_revoking_the_refresh_token_ends_the_family() {
    let world = World::new();
    let client = Client::access();
    let first = world.offline();
    let second = turn(&world, first.refresh());
    assert_eq!(client.revoke(&world.server, second.refresh()).status, 200);
    refused(&world, second.refresh());
    refused(&world, first.refresh());
    world.assert_dead(&first.access);
    world.assert_dead(&second.access);
}

#[test]
fn a106_an_old_refresh_token_of_the_family_revokes_it_too() {
    let world = World::new();
    let first = world.offline();
    let second = turn(&world, first.refresh());
    assert_eq!(Client::access().revoke(&world.server, first.refresh()).status, 200);
    refused(&world, second.refresh());
    world.assert_dead(&second.access);
}

#[test]
fn a106_a_family_ends_after_four_idle_days() {
    let world = World::new();
    let (one, other) = (world.offline(), world.offline());
    world.server.advance(Span::days(4).less_a_second());
    turn(&world, one.refresh());
    world.server.advance(Span::secs(1));
    refused(&world, other.refresh());
}

#[test]
fn a106_use_moves_the_idle_end_and_never_the_absolute_one() {
    let world = World::new();
    let mut last = world.offline();
    for _ in 0..29 {
        world.server.advance(Span::days(3));
        last = turn(&world, last.refresh());
    }
    // 87 days are over.
    world.server.advance(Span::days(3).less_a_second());
    last = turn(&world, last.refresh());
    world.assert_alive(&last.access);
    world.server.advance(Span::secs(1));
    refused(&world, last.refresh());
}

#[test]
fn a106_a_refused_token_keeps_no_family_alive() {
    let world = World::new();
    let first = world.offline();
    world.server.advance(Span::days(2));
    let client = Client::access();
    let widened = [("grant_type", "refresh_token"), ("refresh_token", first.refresh()), ("scope", "openid admin")];
    assert_refused(&client.token(&world.server, &widened), "invalid_scope");
    world.server.advance(Span::days(2));
    refused(&world, first.refresh());
}

trait Less {
    fn less_a_second(self) -> Span;
}

impl Less for Span {
    fn less_a_second(self) -> Span {
        Span::from_ms(self.ms() - 1000)
    }
}
