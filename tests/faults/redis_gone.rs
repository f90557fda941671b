//! Redis killed, and Redis frozen: F01, F02, G05, G08.

use std::time::{Duration, Instant};

use super::nodes::{assert_unavailable, assert_unavailable_page, at_once, on_redis};
use crate::support::browser::Browser;
use crate::support::client::{Ask, Client, Tokens, userinfo};
use crate::support::http::Request;
use crate::support::redis::RedisServer;
use crate::support::server::wait_until;
use crate::world::{World, assert_page, assert_refused, person};

/// Everything that a store holds for others: a session, a code, tokens, a login under way.
struct Held {
    signed_in: Browser,
    tokens: Tokens,
    code: (Ask, String),
    under_way: (Browser, Ask, String),
}

impl Held {
    fn new(world: &World) -> Self {
        let mut signed_in = world.browser();
        world.sign_in(&mut signed_in);
        let mut browser = world.browser();
        let ask = world.ask();
        let callback = world.at_callback(&mut browser, &ask);
        Self { signed_in, tokens: world.offline(), code: world.code(), under_way: (browser, ask, callback) }
    }

    /// Whatever is asked, the answer is "not now", and nothing is lost.
    #[track_caller]
    fn assert_not_now(&mut self, world: &World) {
        let client = Client::access();
        assert_unavailable_page(&world.browser().step(&world.ask().url()));
        let before: Vec<String> = self.signed_in.cookies(&world.server.base).into_iter().map(|c| c.value).collect();
        assert_unavailable_page(&self.signed_in.step(&world.ask().url()));
        assert_unavailable_page(&self.signed_in.step(&world.ask().with("prompt", "none").url()));
        let leave = format!("{}/openid/logout?id_token_hint={}", world.server.issuer, self.tokens.id_token);
        assert_unavailable_page(&self.signed_in.step(&leave));
        let after: Vec<String> = self.signed_in.cookies(&world.server.base).into_iter().map(|c| c.value).collect();
        assert_eq!(before, after);
        let (browser, _, callback) = &mut self.under_way;
        assert_unavailable_page(&browser.step(callback));
        assert_unavailable(&client.redeem(&world.server, &self.code.0, &self.code.1));
        assert_unavailable(&client.refresh(&world.server, self.tokens.refresh()));
        assert_unavailable(&userinfo(&world.server, &self.tokens.access));
        assert_unavailable(&client.revoke(&world.server, &self.tokens.access));
    }
}

#[track_caller]
fn assert_documents(world: &World) {
    for path in ["/acs/.well-known/openid-configuration", "/acs/jwks", "/federation/jwks", "/healthz"] {
        assert_eq!(world.server.get(path).status, 200, "{path}");
    }
}

#[test]
fn f01_redis_killed_and_back() {
    let mut redis = RedisServer::start();
    let world = on_redis(&redis);
    let mut held = Held::new(&world);
    assert_eq!(world.server.get("/readyz").status, 200);

    redis.kill();
    held.assert_not_now(&world);
    assert_documents(&world);
    let ready = world.server.get("/readyz");
    assert_eq!((ready.status, ready.text().as_str()), (503, "state"));
    assert_eq!(world.idp.count("/token"), 3, "no code was turned in upstream for nothing");

    redis.restart();
    let back = Instant::now();
    wait_until("the server is ready again", || world.server.get("/readyz").status == 200);
    assert!(back.elapsed() < Duration::from_secs(2), "ready after {:?}", back.elapsed());

    // It has forgotten everything: a clean refusal, a way on, a new login.
    assert_refused(&Client::access().redeem(&world.server, &held.code.0, &held.code.1), "invalid_grant");
    let (browser, _, callback) = &mut held.under_way;
    assert_page(&browser.open(callback), 400);
    assert!(!world.is_signed_in(&held.signed_in));
    world.sign_in(&mut held.signed_in);
    // What the database holds goes on, and the refused attempts have not spent it.
    let answer = Client::access().refresh(&world.server, held.tokens.refresh());
    let next = Tokens::verified(&world.server, &Client::access(), None, &answer);
    world.assert_alive(&next.access);
}

#[test]
fn f01_redis_away_for_a_moment_loses_nothing() {
    let mut redis = RedisServer::start();
    let world = on_redis(&redis);
    let mut held = Held::new(&world);
    redis.ask(&["SAVE"]);
    redis.kill();
    held.assert_not_now(&world);
    redis.restart();
    wait_until("the server is ready again", || world.server.get("/readyz").status == 200);
    // Sessions and tokens are no codes: they live on. A code is spent, lest it pay twice.
    assert!(world.is_signed_in(&held.signed_in));
    world.assert_alive(&held.tokens.access);
    assert_refused(&Client::access().redeem(&world.server, &held.code.0, &held.code.1), "invalid_grant");
}

#[test]
fn f02_redis_frozen_answers_in_time_and_nothing_is_crossed_afterwards() {
    let redis = RedisServer::start();
    let world = on_redis(&redis);
    let people: Vec<(String, Tokens, Browser)> = (0..6)
        .map(|nth| {
            let name = format!("person{nth}");
            world.idp.set(|script| script.person = person(&name));
            let mut browser = world.browser();
            let tokens = world.sign_in(&mut browser);
            (name, tokens, browser)
        })
        .collect();
    let bearer = |nth: usize| {
        let (_, tokens, _) = &people[nth % people.len()];
        Request::get(&world.server.url("/acs/userinfo")).header("Authorization", &format!("Bearer {}", tokens.access))
    };

    redis.freeze();
    let frozen = Instant::now();
    while frozen.elapsed() < Duration::from_secs(5) {
        let answers = at_once(12, |nth| {
            let asked = Instant::now();
            let answer = world.server.send(&bearer(nth));
            assert!(asked.elapsed() < Duration::from_secs(3), "answered after {:?}", asked.elapsed());
            answer
        });
        answers.iter().for_each(assert_unavailable);
        let asked = Instant::now();
        assert_unavailable_page(&world.browser().step(&world.ask().url()));
        assert!(asked.elapsed() < Duration::from_secs(3), "answered after {:?}", asked.elapsed());
        assert_documents(&world);
    }
    redis.thaw();

    wait_until("the server is ready again", || world.server.get("/readyz").status == 200);
    for _ in 0..5 {
        let answers = at_once(24, |nth| world.server.send(&bearer(nth)));
        for (nth, answer) in answers.iter().enumerate() {
            let (name, tokens, _) = &people[nth % people.len()];
            assert_eq!(answer.status, 200, "{}", answer.text());
            let told = answer.json();
            assert_eq!((&told["given_name"], &told["sub"]), (&name.as_str().into(), &tokens.sub().into()), "g08");
        }
    }
    for (_, tokens, browser) in &people {
        let ask = world.ask().with("prompt", "none");
        let silent = Client::access().sign_in(&world.server, &mut browser.tab(), &ask);
        assert_eq!(silent.sub(), tokens.sub(), "g08");
    }
}

#[test]
fn f02_what_was_brought_while_redis_was_frozen_pays_at_most_once_and_can_be_begun_again() {
    let redis = RedisServer::start();
    let world = on_redis(&redis);
    let mut held = Held::new(&world);
    let client = Client::access();
    let exchanges = world.idp.count("/token");
    redis.freeze();
    let (browser, _, callback) = &mut held.under_way;
    assert_unavailable_page(&browser.step(callback));
    assert_unavailable(&client.redeem(&world.server, &held.code.0, &held.code.1));
    assert_unavailable(&client.refresh(&world.server, held.tokens.refresh()));
    redis.thaw();
    wait_until("the server is ready again", || world.server.get("/readyz").status == 200);
    // Redis may have carried out late what was told as unavailable: then it is spent, and never paid twice.
    let answers = [(); 2].map(|()| client.redeem(&world.server, &held.code.0, &held.code.1));
    assert!(answers.iter().filter(|answer| answer.status == 200).count() <= 1, "g01");
    assert_refused(&answers[1], "invalid_grant");
    let (browser, ask, callback) = &mut held.under_way;
    let page = browser.open(callback);
    if page.answer.is_some() {
        assert_page(&page, 400);
        assert_eq!(world.idp.count("/token"), exchanges, "no code was turned in upstream for nothing");
    }
    let code = ask.run(browser).code();
    assert_eq!(client.redeem(&world.server, ask, &code).status, 200);
    // The database decides about refresh tokens: that one is not spent.
    assert_eq!(client.refresh(&world.server, held.tokens.refresh()).status, 200);
}
