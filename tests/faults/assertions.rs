//! Client assertions on several servers, and while their store is away.

use std::sync::Arc;

use super::nodes::{assert_unavailable, at_once, beside_with, on_redis_with};
use crate::support::assertion::Signer;
use crate::support::http::{Request, Response};
use crate::support::redis::RedisServer;
use crate::support::server::{ISSUER, Server, Setup, wait_until};

/// A client `keyed` with this key.
fn add(setup: &mut Setup, signer: &Signer) {
    let keys = signer.as_toml();
    let uri = "https://keyed.example.com/cb";
    setup.file("clients/keyed.toml", &format!("name = \"Keyed\"\n{keys}\nredirect_uris = [\"{uri}\"]\n"));
}

/// Asks for nothing but to be known.
fn present(server: &Server, path: &str, assertion: &str) -> Response {
    let fields = [
        ("token", "no-token"),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", assertion),
    ];
    server.send(&Request::form(&server.url(path), &fields))
}

#[test]
fn a088_an_assertion_is_heard_by_one_of_all_servers_once() {
    let (redis, signer) = (RedisServer::start(), Arc::new(Signer::generate("k1")));
    let one = on_redis_with(&redis, |setup| add(setup, &signer));
    let other = beside_with(&one, &redis, |setup| add(setup, &signer));
    let servers = [&one.server, &other];
    for paths in [["/acs/introspect", "/acs/introspect"], ["/acs/introspect", "/acs/revoke"]] {
        let assertion = signer.assertion("keyed", ISSUER, one.server.now());
        let answers = at_once(10, |nth| present(servers[nth % 2], paths[nth % 2], &assertion));
        let heard = answers.iter().filter(|answer| answer.status == 200).count();
        let refused = answers.iter().filter(|answer| answer.error() == "invalid_client").count();
        assert_eq!((heard, refused), (1, 9));
    }
}

#[test]
fn a098_while_the_store_is_away_no_assertion_is_called_wrong() {
    let (redis, signer) = (RedisServer::start(), Arc::new(Signer::generate("k1")));
    let world = on_redis_with(&redis, |setup| add(setup, &signer));
    let fresh = || signer.assertion("keyed", ISSUER, world.server.now());
    let foreign = Signer::generate("k1").assertion("keyed", ISSUER, world.server.now());
    redis.freeze();
    for path in ["/acs/token", "/acs/introspect", "/acs/revoke", "/acs/par"] {
        assert_unavailable(&present(&world.server, path, &fresh()));
    }
    let answer = present(&world.server, "/acs/introspect", &foreign);
    assert_eq!((answer.status, answer.error().as_str()), (401, "invalid_client"), "what is wrong needs no store");
    redis.thaw();
    wait_until("it is heard again", || present(&world.server, "/acs/introspect", &fresh()).status == 200);
}
