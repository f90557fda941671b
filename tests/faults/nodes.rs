//! Servers with one state store and one database.

use std::sync::Arc;

use crate::support::clock::ManualClock;
use crate::support::evil_idp::EvilIdp;
use crate::support::http::Response;
use crate::support::redis::RedisServer;
use crate::support::server::{Server, Setup};
use crate::world::{World, person};

/// One server whose short-lived state is in Redis.
pub fn on_redis(redis: &RedisServer) -> World {
    on_redis_with(redis, |_| {})
}

/// As [`on_redis`], with other files.
pub fn on_redis_with(redis: &RedisServer, change: impl FnOnce(&mut Setup)) -> World {
    World::with(|setup| {
        setup.edit("vestibule.toml", "embedded:", &redis.url());
        change(setup);
    })
}

/// A second server beside that one: the same Redis, database, keys and clock.
pub fn beside(world: &World, redis: &RedisServer) -> Server {
    beside_with(world, redis, |_| {})
}

/// As [`beside`], with other files.
pub fn beside_with(world: &World, redis: &RedisServer, change: impl FnOnce(&mut Setup)) -> Server {
    let mut setup = Setup::new(&world.idp.issuer());
    let database = world.server.folder().join("data/vestibule.db");
    setup.edit("vestibule.toml", "embedded:", &redis.url());
    setup.edit("vestibule.toml", "sqlite:data/vestibule.db", &format!("sqlite:{}", database.display()));
    change(&mut setup);
    setup.start(Arc::clone(&world.server.clock))
}

/// A server with two providers, `contoso` and `fabrikam`, of one directory.
pub fn two_providers() -> (World, EvilIdp) {
    let clock = Arc::new(ManualClock::at_this_moment());
    let (idp, other) = (EvilIdp::start(clock.clone()), EvilIdp::start(clock.clone()));
    idp.set(|script| script.person = person("alice"));
    other.set(|script| {
        script.person = person("bob");
        script.person.insert("email".to_owned(), "bob@contoso.co.uk".into());
    });
    let mut setup = Setup::new(&idp.issuer());
    setup.idp("fabrikam", &other.issuer(), &["contoso.co.uk"]);
    (World { server: setup.start(clock), idp }, other)
}

/// The same call by so many at once.
pub fn at_once(count: usize, call: impl Fn(usize) -> Response + Sync) -> Vec<Response> {
    let call = &call;
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..count).map(|nth| scope.spawn(move || call(nth))).collect();
        all.into_iter().map(|one| one.join().expect("answered")).collect()
    })
}

/// Unavailable and nothing worse: come again in so many whole seconds.
#[track_caller]
pub fn assert_unavailable(answer: &Response) {
    assert_eq!((answer.status, answer.error().as_str()), (503, "temporarily_unavailable"), "{}", answer.text());
    assert_retry(answer);
}

/// An unavailable page: nothing lost, nothing cleared.
#[track_caller]
pub fn assert_unavailable_page(answer: &Response) {
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html")));
    assert_retry(answer);
}

#[track_caller]
fn assert_retry(answer: &Response) {
    let after = answer.header("retry-after").expect("Retry-After");
    assert!(after.parse::<u32>().is_ok_and(|seconds| seconds > 0), "{after}");
    assert_eq!(answer.header("set-cookie"), None, "no cookie is touched");
}
