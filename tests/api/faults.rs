//! The world fails around the whole server: nobody is told "invalid", and a login can be begun again.

use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use crate::support::client::{Client, userinfo};
use crate::support::evil_idp::Answer;
use crate::support::redis::RedisServer;
use crate::support::server::wait_until;
use crate::world::World;

fn on(redis: &RedisServer) -> World {
    World::with(|setup, _| {
        setup.edit("vestibule.toml", "embedded:", &redis.url());
    })
}

/// While the store is away: nothing is invalid, nobody loses a cookie, everything else goes on.
fn everything_waits(world: &World, browser: &mut crate::support::browser::Browser, refresh: &str) {
    let client = Client::access();
    let began = Instant::now();
    let kept = browser.cookies(&world.server.base).len();
    let ask = client.ask(&world.server);
    let page = browser.open(&ask.url());
    match &page.answer {
        Some(answer) => {
            assert_eq!(answer.status, 503, "{answer:?}");
            assert!(answer.header("retry-after").is_some_and(|v| v.parse::<u32>().is_ok()));
        }
        None => {
            assert_eq!(page.query().get("error").map(String::as_str), Some("temporarily_unavailable"), "{}", page.url)
        }
    }
    assert_eq!(browser.cookies(&world.server.base).len(), kept, "no cookie was cleared");
    let silent = browser.open(&ask.clone().with("prompt", "none").url());
    assert!(!silent.url.contains("login_required"), "{}", silent.url);
    let answer = client.redeem(&world.server, &ask, "some-code");
    assert_eq!((answer.status, answer.error().as_str()), (503, "temporarily_unavailable"));
    let answer = client.refresh(&world.server, refresh);
    assert!(answer.status == 503 || answer.status == 200, "{answer:?}");
    assert_eq!(world.server.get("/acs/jwks").status, 200);
    assert_eq!(world.server.get("/acs/.well-known/openid-configuration").status, 200);
    assert_eq!(world.server.get("/healthz").status, 200);
    assert_eq!(world.server.get("/readyz").status, 503);
    assert!(began.elapsed() < Duration::from_secs(25), "each within its deadline: {:?}", began.elapsed());
}

#[test]
fn f01_while_redis_is_dead_everything_waits_and_then_goes_on_by_itself() {
    let mut redis = RedisServer::start();
    let world = on(&redis);
    let mut browser = world.server.browser();
    let tokens = world.sign_in_for_long(&Client::access(), &mut browser);
    redis.kill();
    everything_waits(&world, &mut browser, tokens.refresh());
    redis.restart();
    wait_until("ready again", || world.server.get("/readyz").status == 200);
    world.sign_in(&mut world.server.browser());
}

#[test]
fn f02_while_redis_is_frozen_each_request_is_answered_and_no_late_reply_is_anothers() {
    let redis = RedisServer::start();
    let world = on(&redis);
    let mut browser = world.server.browser();
    let tokens = world.sign_in_for_long(&Client::access(), &mut browser);
    redis.freeze();
    everything_waits(&world, &mut browser, tokens.refresh());
    redis.thaw();
    wait_until("ready again", || world.server.get("/readyz").status == 200);
    assert!(world.is_signed_in(&browser), "the session was not lost");
    for _ in 0..5 {
        let fresh = world.sign_in(&mut world.server.browser());
        assert_eq!(userinfo(&world.server, &fresh.access).json()["sub"], fresh.sub());
    }
}

#[test]
fn f25_keys_rotated_in_mid_login_are_fetched_once() {
    let world = World::new();
    world.sign_in(&mut world.server.browser());
    let before = world.idp.count("/jwks");
    let ask = Client::access().ask(&world.server);
    let mut browser = world.server.browser();
    let url = world.at_the_callback(&mut browser, &ask);
    world.idp.rotate_keys();
    ask.answer(&browser.open(&url)).code();
    assert_eq!(world.idp.count("/jwks"), before + 1);
    world.sign_in(&mut world.server.browser());
    assert_eq!(world.idp.count("/jwks"), before + 1, "and kept");
}

#[test]
fn f22_a_provider_that_never_answers_is_given_up_within_ten_seconds() {
    let world = World::new();
    world.sign_in(&mut world.server.browser());
    world.idp.set(|script| script.token = Answer::Hang);
    let began = Instant::now();
    let mut browser = world.server.browser();
    let answer = Client::access().ask(&world.server).run(&mut browser);
    assert_eq!(answer.error(), "temporarily_unavailable");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert!(!world.is_signed_in(&browser));
    world.idp.set(|script| script.token = Answer::Sound);
    world.sign_in(&mut browser); // begun again
}

#[test]
fn f24_a_provider_that_answers_nonsense_ends_the_login_at_the_client() {
    for (status, body, error) in [
        (500, "", "temporarily_unavailable"),
        (503, "", "temporarily_unavailable"),
        (429, "", "temporarily_unavailable"),
        (200, "<html>Maintenance CanaryWord</html>", "server_error"),
        (200, "{\"access_token\":", "server_error"),
        (200, "{\"error\":\"CanaryWord\"}", "server_error"),
        (400, "{\"error\":\"invalid_grant\",\"error_description\":\"CanaryWord\"}", "server_error"),
    ] {
        let world = World::new();
        world.idp.set(|script| script.token = Answer::Fixed(status, "application/json", body.to_owned()));
        let mut browser = world.server.browser();
        let answer = Client::access().ask(&world.server).run(&mut browser);
        assert_eq!(answer.error(), error, "{status} {body}");
        assert!(answer.fields.values().all(|value| !value.contains("CanaryWord")));
        assert!(!world.is_signed_in(&browser));
        assert_eq!(world.exchanges(), 1, "a code is never turned in twice");
    }
}

#[test]
fn f22_a_provider_that_is_down_from_the_start_leaves_the_login_to_be_begun_again() {
    let world = World::new();
    world.idp.set(|script| script.discovery = Answer::Fixed(503, "text/plain", String::new()));
    let ask = Client::access().ask(&world.server);
    let mut browser = world.server.browser();
    let page = browser.open(&ask.url());
    match &page.answer {
        Some(answer) => assert_eq!(answer.status, 503),
        None => assert_eq!(ask.answer(&page).error(), "temporarily_unavailable"),
    }
    assert!(!world.is_signed_in(&browser));
    world.idp.set(|script| script.discovery = Answer::Sound);
    world.advance(vestibule::base::Span::secs(30));
    wait_until("a login goes through again", || browser.tab().open(&ask.url()).query().contains_key("code"));
}

#[test]
fn f11_while_the_database_is_locked_a_refresh_waits_and_is_not_lost() {
    let world = World::new();
    let client = Client::access();
    let tokens = world.sign_in_for_long(&client, &mut world.server.browser());
    let users = &world.server.running().ports().directory;
    crate::support::server::block_on(users.ping()).expect("it works before");
    let database = world.server.folder().join("data/vestibule.db");
    let locked = lock(&database);
    let answer = client.refresh(&world.server, tokens.refresh());
    assert_eq!((answer.status, answer.error().as_str()), (503, "temporarily_unavailable"));
    assert!(answer.header("retry-after").is_some());
    drop(locked);
    assert_eq!(client.refresh(&world.server, tokens.refresh()).status, 200, "the token was not touched");
}

/// Holds the database's one write lock until it is dropped.
fn lock(database: &std::path::Path) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(database).expect("the database is there");
    connection.execute_batch("BEGIN IMMEDIATE").expect("the lock is free");
    let mode = std::fs::metadata(database).expect("a file").permissions().mode();
    assert_eq!(mode & 0o077, 0, "and it is its owner's alone");
    connection
}
