//! Redis comes back as it was some time ago: F04, A127, G01, G06.

use vestibule::base::Span;

use super::nodes::on_redis;
use crate::support::browser::Browser;
use crate::support::client::{Client, Tokens};
use crate::support::redis::RedisServer;
use crate::support::server::wait_until;
use crate::world::{World, assert_refused};

/// Redis as it is now, to come back to.
struct Snapshot(Vec<u8>);

impl Snapshot {
    fn of(redis: &RedisServer) -> Self {
        redis.ask(&["SAVE"]);
        Self(std::fs::read(redis.dump()).expect("a dump"))
    }

    fn restore(&self, redis: &mut RedisServer, world: &World) {
        redis.kill();
        std::fs::write(redis.dump(), &self.0).expect("the dump can be written");
        redis.restart();
        wait_until("the server is ready again", || world.server.get("/readyz").status == 200);
    }
}

/// A browser with what this one has now.
fn copy(world: &World, browser: &Browser) -> Browser {
    let copy = world.browser();
    for cookie in browser.cookies(&world.server.base) {
        copy.plant(&world.server.base, &cookie.name, &cookie.value);
    }
    copy
}

#[test]
fn f04_g01_a_code_used_before_the_restore_pays_no_second_time() {
    let mut redis = RedisServer::start();
    let world = on_redis(&redis);
    let (ask, code) = world.code();
    let snapshot = Snapshot::of(&redis);
    let answer = Client::access().redeem(&world.server, &ask, &code);
    let tokens = Tokens::verified(&world.server, &Client::access(), Some(&ask), &answer);
    snapshot.restore(&mut redis, &world);
    assert_refused(&Client::access().redeem(&world.server, &ask, &code), "invalid_grant");
    // What it paid the first time is known by the database.
    assert_eq!(Client::access().refresh(&world.server, tokens.refresh()).status, 200);
}

#[test]
fn a127_a_signed_out_session_does_not_come_back() {
    let mut redis = RedisServer::start();
    let world = on_redis(&redis);
    let mut browser = world.browser();
    let tokens = world.sign_in(&mut browser);
    let thief = copy(&world, &browser);
    let snapshot = Snapshot::of(&redis);
    assert!(world.is_signed_in(&thief));
    browser.open(&format!("{}/openid/logout?id_token_hint={}", world.server.issuer, tokens.id_token));
    assert!(!world.is_signed_in(&thief));
    snapshot.restore(&mut redis, &world);
    assert!(!world.is_signed_in(&thief), "the session came back");
    world.assert_dead(&tokens.access);
}

#[test]
fn f04_a_session_that_lived_lives_on() {
    let mut redis = RedisServer::start();
    let world = on_redis(&redis);
    let mut browser = world.browser();
    let tokens = world.sign_in(&mut browser);
    Snapshot::of(&redis).restore(&mut redis, &world);
    assert!(world.is_signed_in(&browser));
    world.assert_alive(&tokens.access);
}

#[test]
fn a102_a_rotated_refresh_token_stays_dead() {
    let mut redis = RedisServer::start();
    let world = on_redis(&redis);
    let client = Client::access();
    let first = world.offline();
    let snapshot = Snapshot::of(&redis);
    let second = Tokens::verified(&world.server, &client, None, &client.refresh(&world.server, first.refresh()));
    world.server.advance(Span::secs(11));
    snapshot.restore(&mut redis, &world);
    assert_refused(&client.refresh(&world.server, first.refresh()), "invalid_grant");
    assert_refused(&client.refresh(&world.server, second.refresh()), "invalid_grant");
    world.assert_dead(&first.access);
}

#[test]
fn g06_a_revoked_family_stays_revoked() {
    let mut redis = RedisServer::start();
    let world = on_redis(&redis);
    let client = Client::access();
    let tokens = world.offline();
    let snapshot = Snapshot::of(&redis);
    assert_eq!(client.revoke(&world.server, tokens.refresh()).status, 200);
    world.assert_dead(&tokens.access);
    snapshot.restore(&mut redis, &world);
    world.assert_dead(&tokens.access);
    assert_refused(&client.refresh(&world.server, tokens.refresh()), "invalid_grant");
}

#[test]
fn g06_a_revoked_access_token_stays_revoked() {
    let mut redis = RedisServer::start();
    let world = on_redis(&redis);
    let tokens = world.sign_in(&mut world.browser());
    let snapshot = Snapshot::of(&redis);
    assert_eq!(Client::access().revoke(&world.server, &tokens.access).status, 200);
    world.assert_dead(&tokens.access);
    snapshot.restore(&mut redis, &world);
    world.assert_dead(&tokens.access);
}

#[test]
fn a053_a_retired_session_cookie_does_not_come_back() {
    let mut redis = RedisServer::start();
    let world = on_redis(&redis);
    let mut browser = world.browser();
    world.sign_in(&mut browser);
    let old = copy(&world, &browser);
    let snapshot = Snapshot::of(&redis);
    // The next person at the same machine.
    world.idp.set(|script| script.person = crate::world::person("bob"));
    Client::access().sign_in(&world.server, &mut browser, &world.ask().with("prompt", "login"));
    assert!(!world.is_signed_in(&old));
    snapshot.restore(&mut redis, &world);
    assert!(!world.is_signed_in(&old));
}
