//! Notices over several servers, and while the store is away.

use std::sync::Arc;

use super::upstream_world::{is_heard, is_in, is_refused, notify, of_sid, of_sub, sign_in};
use crate::support::redis::RedisServer;
use crate::support::server::{Server, Setup, wait_until};
use crate::world::{ALICE, BOB, World};

fn on_redis(redis: &RedisServer) -> World {
    World::with(|setup, _| {
        setup.edit("vestibule.toml", "embedded:", &redis.url());
    })
}

/// A second server with the same store and database.
fn beside(world: &World, redis: &RedisServer) -> Server {
    let mut setup = Setup::new(&world.idp.issuer());
    let database = world.server.folder().join("data/vestibule.db");
    setup.edit("vestibule.toml", "embedded:", &redis.url());
    setup.edit("vestibule.toml", "sqlite:data/vestibule.db", &format!("sqlite:{}", database.display()));
    setup.start(Arc::clone(&world.server.clock))
}

#[test]
fn a129_a_token_that_one_server_has_heard_is_a_replay_at_the_other() {
    let redis = RedisServer::start();
    let world = on_redis(&redis);
    let other = beside(&world, &redis);
    let first = sign_in(&world, &ALICE, "desk");
    let token = world.idp.logout_token(of_sid("desk"));
    is_heard(&notify(&other, &token));
    assert!(!is_in(&world, &first), "out at both");
    let again = sign_in(&world, &ALICE, "desk");
    is_refused(&notify(&world.server, &token), "a replay");
    is_refused(&notify(&other, &token), "a replay");
    assert!(is_in(&world, &again));
}

#[test]
fn a129_of_many_that_bring_one_token_at_once_one_is_heard() {
    let redis = RedisServer::start();
    let world = on_redis(&redis);
    let other = beside(&world, &redis);
    let (alice, bob) = (sign_in(&world, &ALICE, "desk"), sign_in(&world, &BOB, "bobs"));
    let token = world.idp.logout_token(of_sub(&ALICE));
    let mut statuses: Vec<u16> = std::thread::scope(|scope| {
        let (token, one, other) = (&token, &world.server, &other);
        let all: Vec<_> = (0..12)
            .map(|nth| scope.spawn(move || notify(if nth % 2 == 0 { one } else { other }, token).status))
            .collect();
        all.into_iter().map(|one| one.join().expect("answered")).collect()
    });
    statuses.sort_unstable();
    assert_eq!(statuses[0], 200);
    assert!(statuses[1..].iter().all(|status| *status == 400), "{statuses:?}");
    assert!(!is_in(&world, &alice) && is_in(&world, &bob));
}

#[test]
fn a_token_that_came_while_the_store_was_away_works_afterwards() {
    let mut redis = RedisServer::start();
    let world = on_redis(&redis);
    let (alice, bob) = (sign_in(&world, &ALICE, "desk"), sign_in(&world, &BOB, "bobs"));
    let token = world.idp.logout_token(of_sid("desk"));
    redis.ask(&["SAVE"]);
    redis.kill();
    for _ in 0..2 {
        let answer = notify(&world.server, &token);
        assert_eq!((answer.status, answer.error().as_str()), (503, "temporarily_unavailable"), "{}", answer.text());
        assert!(answer.header("retry-after").is_some());
    }
    let page = world.server.get("/federation/auth/logout/frontchannel?sid=desk");
    assert_eq!(page.status, 503);
    redis.restart();
    wait_until("the server is ready again", || world.server.get("/readyz").status == 200);
    assert!(is_in(&world, &alice) && is_in(&world, &bob));
    is_heard(&notify(&world.server, &token));
    assert!(!is_in(&world, &alice) && is_in(&world, &bob));
    is_refused(&notify(&world.server, &token), "and then it is used");
}

#[test]
fn a_token_that_came_while_the_database_was_locked_works_afterwards() {
    let world = World::new();
    let (alice, bob) = (sign_in(&world, &ALICE, "desk"), sign_in(&world, &BOB, "bobs"));
    let token = world.idp.logout_token(of_sid("desk"));
    let file = world.server.folder().join("data/vestibule.db");
    let other = rusqlite::Connection::open(file).expect("the database");
    other.execute_batch("BEGIN EXCLUSIVE").expect("the lock");
    let answer = notify(&world.server, &token);
    assert_eq!((answer.status, answer.error().as_str()), (503, "temporarily_unavailable"), "{}", answer.text());
    other.execute_batch("ROLLBACK").expect("released");
    assert!(is_in(&world, &alice) && is_in(&world, &bob));
    is_heard(&notify(&world.server, &token));
    assert!(!is_in(&world, &alice) && is_in(&world, &bob));
}
