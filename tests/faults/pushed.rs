//! Pushed requests on several servers, without the store, and after a restart.

use super::nodes::{assert_unavailable, assert_unavailable_page, beside, on_redis};
use crate::support::browser::Browser;
use crate::support::client::{Ask, Client};
use crate::support::http::Response;
use crate::support::redis::RedisServer;
use crate::support::server::Server;
use crate::world::{World, assert_page};

fn push(server: &Server, ask: &Ask) -> Response {
    let fields: Vec<(&str, &str)> = ask.params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    server.send(&Client::access().request(server, "/acs/par", &fields))
}

/// Where the browser is sent with a request that was pushed.
#[track_caller]
fn pushed(server: &Server, ask: &Ask) -> String {
    let answer = push(server, ask);
    assert_eq!(answer.status, 201, "{}", answer.text());
    let uri = answer.json()["request_uri"].as_str().expect("a request_uri").to_owned();
    format!("{}?client_id=access&request_uri={uri}", ask.endpoint())
}

/// The same cookies at another server.
fn moved(browser: &Browser, server: &Server) -> Browser {
    let moved = server.browser();
    for cookie in browser.cookies(&server.base) {
        moved.plant(&server.base, &cookie.name, &cookie.value);
    }
    moved
}

#[test]
fn g12_a_request_pushed_at_one_server_is_good_for_one_answer_of_both() {
    let redis = RedisServer::start();
    let one = on_redis(&redis);
    let other = beside(&one, &redis);
    let mut browser = one.browser();
    one.sign_in(&mut browser);
    let url = pushed(&one.server, &one.ask());
    let codes = std::thread::scope(|scope| {
        let racers: Vec<_> = (0..10)
            .map(|nth| {
                let mut tab = if nth % 2 == 0 { browser.tab() } else { moved(&browser, &other) };
                let url = &url;
                scope.spawn(move || tab.open(url).query().contains_key("code"))
            })
            .collect();
        racers.into_iter().map(|racer| racer.join().expect("answered")).filter(|code| *code).count()
    });
    assert_eq!(codes, 1);
}

#[test]
fn f02_without_the_store_nothing_pushed_is_called_invalid_and_nothing_is_lost() {
    let redis = RedisServer::start();
    let world = on_redis(&redis);
    let mut signed_in = world.browser();
    world.sign_in(&mut signed_in);
    let (ask, silent) = (world.ask(), world.ask().with("prompt", "none"));
    let (url, silent_url) = (pushed(&world.server, &ask), pushed(&world.server, &silent));
    redis.freeze();
    assert_unavailable(&push(&world.server, &ask));
    assert_unavailable_page(&world.browser().step(&url));
    assert_unavailable_page(&signed_in.step(&silent_url));
    redis.thaw();
    ask.answer(&world.browser().open(&url)).code();
    silent.answer(&signed_in.open(&silent_url)).code();
}

#[test]
fn f16_an_orderly_restart_keeps_what_was_pushed_and_what_was_spent() {
    let world = World::new();
    let (ask, spent_ask) = (world.ask(), world.ask());
    let (url, spent) = (pushed(&world.server, &ask), pushed(&world.server, &spent_ask));
    spent_ask.answer(&world.browser().open(&spent)).code();
    let world = World { server: world.server.restart(), idp: world.idp };
    assert_page(&world.browser().open(&spent), 400);
    ask.answer(&world.browser().open(&url)).code();
}
