//! Faults that were found once, each with the way in which it was found.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test whose own world is broken has to stop"
)]

#[path = "support/mod.rs"]
#[expect(dead_code, reason = "shared by several test programs")]
mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use support::client::{Client, Tokens, peek, userinfo};
use support::clock::ManualClock;
use support::evil_idp::EvilIdp;
use support::http::Request;
use support::server::{Server, Setup};
use vestibule::base::Span;

struct World {
    server: Server,
    idp: EvilIdp,
}

fn world(change: impl FnOnce(&mut Setup)) -> World {
    let clock = Arc::new(ManualClock::at_this_moment());
    let idp = EvilIdp::start(clock.clone());
    idp.set(|script| {
        let person = json!({
            "sub": "alice-at-idp", "preferred_username": "alice@contoso.com", "email": "alice@contoso.com",
            "email_verified": true, "name": "Alice Adams",
        });
        script.person = person.as_object().cloned().unwrap_or_default();
    });
    let mut setup = Setup::new(&idp.issuer());
    change(&mut setup);
    World { server: setup.start(clock), idp }
}

fn sign_in(world: &World, scope: &str) -> Tokens {
    let client = Client::access();
    let ask = client.ask(&world.server).with("scope", scope);
    client.sign_in(&world.server, &mut world.server.browser(), &ask)
}

#[test]
fn thousands_of_parameters_are_answered_at_once() {
    let world = world(|_| {});
    let letters = || (b'a'..=b'z').chain(b'A'..=b'Z').map(char::from);
    let names = letters().flat_map(|a| letters().flat_map(move |b| letters().map(move |c| format!("{a}{b}{c}"))));
    let body = names.take(16_000).collect::<Vec<_>>().join("&");
    for path in ["/acs/token", "/acs/openid/logout", "/federation/auth/response/oauth2/contoso"] {
        let form = Request::new("POST", &world.server.url(path))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(body.clone());
        let began = Instant::now();
        let status = world.server.send(&form).status;
        assert!(began.elapsed() < Duration::from_secs(1), "{path}: {status} after {:?}", began.elapsed());
    }
}

#[test]
fn the_jti_of_a_signed_access_token_opens_nothing_and_revocation_ends_the_token() {
    let world = world(|setup| {
        setup.keys("clients/access.toml", "access_token = \"jwt\"");
    });
    let tokens = sign_in(&world, "openid email");
    let jti = peek(&tokens.access)["jti"].as_str().expect("a jti").to_owned();
    assert_eq!(userinfo(&world.server, &jti).status, 401, "a jti stands in logs: it is no token");
    assert_eq!(userinfo(&world.server, &tokens.access).status, 200);
    assert_eq!(Client::second().revoke(&world.server, &tokens.access).status, 200);
    assert_eq!(userinfo(&world.server, &tokens.access).status, 200, "another client's revocation does nothing");
    assert_eq!(Client::access().revoke(&world.server, &tokens.access).status, 200);
    assert_eq!(userinfo(&world.server, &tokens.access).status, 401, "a revoked token is dead");
}

#[test]
fn a_refresh_family_without_offline_access_ends_with_its_session() {
    let world = world(|setup| {
        setup.table("clients/access.toml", "[tokens]\nrefresh_without_offline = true\nrefresh_idle = \"60d\"");
        setup.table("vestibule.toml", "[session]\nidle = \"8h\"\nabsolute = \"12h\"");
    });
    let client = Client::access();
    let tokens = sign_in(&world, "openid");
    world.server.advance(Span::hours(11));
    let answer = client.refresh(&world.server, tokens.refresh());
    assert_eq!(answer.status, 200, "{}", answer.text());
    let next = answer.json()["refresh_token"].as_str().expect("a refresh token").to_owned();
    world.server.advance(Span::hours(2));
    let late = client.refresh(&world.server, &next);
    assert_eq!((late.status, late.json()["error"].as_str()), (400, Some("invalid_grant")));
}

#[test]
fn a207_posts_and_choices_of_strangers_are_bounded_and_answered_ones_free_their_place() {
    let world = world(|setup| {
        setup.idp("fabrikam", "https://fabrikam.example.com", &["contoso.co.uk"]);
        setup.table("vestibule.toml", "[limits]\npending_logins_per_address = 5");
    });
    let callback = world.server.url("/federation/auth/response/oauth2/contoso");
    let post = || world.server.send(&Request::form(&callback, &[("state", "x"), ("code", "y")]));
    let mut kept = Vec::new();
    for _ in 0..5 {
        let answer = post();
        assert_eq!(answer.status, 303);
        kept.push(answer.header("location").expect("a way back").to_owned());
    }
    let full = post();
    assert_eq!(full.status, 503);
    assert!(full.header("retry-after").is_some());
    assert_eq!(world.server.get(&kept[0]).status, 400, "that came back, and its place is free");
    assert_eq!(post().status, 303);
    let ask = Client::access().ask(&world.server);
    let mut browser = world.server.browser();
    assert_eq!(browser.step(&ask.url()).status, 503, "a page that asks counts too");
    for location in &kept[1..] {
        world.server.get(location);
    }
    for _ in 0..8 {
        let page = browser.open(&ask.url());
        assert_eq!(page.status(), 200);
        let form = page.form_with("email");
        let fields = [("handle", form.fields.iter().find(|(n, _)| n == "handle").expect("a handle").1.as_str())];
        let fields = [fields[0], ("action", "cancel")];
        let answer = browser.post_from(&page.url, &world.server.url("/acs/continue"), &fields);
        assert!(answer.url.contains("error=access_denied"), "{}", answer.url);
    }
    let long = "x".repeat(20_000);
    assert_eq!(world.server.send(&Request::form(&callback, &[("state", long.as_str())])).status, 413);
}

#[test]
fn a_parameter_named_handle_among_others_is_ignored_like_any_unknown_one() {
    let world = world(|_| {});
    let client = Client::access();
    let ask = client.ask(&world.server).with("handle", "of-the-client");
    client.sign_in(&world.server, &mut world.server.browser(), &ask);
}

#[test]
fn a180_an_address_that_two_headers_disagree_on_is_not_believed() {
    let world = world(|setup| {
        setup.table(
            "vestibule.toml",
            "[proxy]\ntrusted = [\"127.0.0.0/8\"]\n\n[limits]\npending_logins_per_address = 2",
        );
    });
    let begin = |n: usize, headers: &[(&str, String)]| {
        let mut request = Request::get(&Client::access().ask(&world.server).url());
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let _ = n;
        world.server.send(&request).status
    };
    let invented = |n: usize| ("Forwarded", format!("for=198.51.100.{n}"));
    let real = |_: usize| ("X-Forwarded-For", "192.0.2.1".to_owned());
    let statuses: Vec<u16> = (1..=3).map(|n| begin(n, &[invented(n), real(n)])).collect();
    assert_eq!(statuses, [303, 303, 503], "an invented Forwarded beside the proxy's own header changes nothing");
    assert_eq!(begin(4, &[real(4)]), 303, "and who is told of by the proxy alone has places of his own");
}

#[test]
fn a_wrong_client_credential_is_counted_once() {
    let world = world(|_| {});
    let wrong = Client::new("access", support::client::Proof::Post("wrong".to_owned()), "https://rp.example.com/cb");
    wrong.token(&world.server, &[("grant_type", "authorization_code"), ("code", "x")]);
    let line = world.server.metrics().lines().find(|line| line.contains("invalid_client")).map(str::to_owned);
    assert!(line.as_deref().is_some_and(|line| line.ends_with(" 1")), "{line:?}");
    drop(world.idp);
}

/// Runs `act` in so many threads at a time.
fn together<T: Send>(count: usize, act: impl Fn() -> T + Sync) -> Vec<T> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..count).map(|_| scope.spawn(&act)).collect();
        threads.into_iter().map(|thread| thread.join().expect("a thread ends")).collect()
    })
}

#[test]
fn of_twenty_redeemers_of_one_code_exactly_one_wins_and_its_tokens_die_of_the_others() {
    let world = world(|_| {});
    let client = Client::access();
    let ask = client.ask(&world.server).with("scope", "openid offline_access");
    let code = ask.run(&mut world.server.browser()).code();
    let answers = together(20, || client.redeem(&world.server, &ask, &code));
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!((won.len(), lost.len()), (1, 19));
    assert!(lost.iter().all(|answer| answer.json()["error"] == "invalid_grant"));
    let tokens = won[0].json();
    assert_eq!(userinfo(&world.server, tokens["access_token"].as_str().expect("a token")).status, 401);
    let refreshed = client.refresh(&world.server, tokens["refresh_token"].as_str().expect("a token"));
    assert_eq!(refreshed.json()["error"], "invalid_grant");
}

#[test]
fn a101_repeats_that_race_are_no_reuse() {
    let world = world(|_| {});
    let client = Client::access();
    for _ in 0..5 {
        let tokens = sign_in(&world, "openid offline_access");
        let answers = together(8, || client.refresh(&world.server, tokens.refresh()));
        assert!(answers.iter().any(|answer| answer.status == 200));
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            assert_eq!(answer.status, 503, "{}", answer.text());
            assert!(answer.header("retry-after").is_some());
        }
    }
    assert!(!world.server.metrics().contains("refresh_reuse"), "nobody has stolen anything");
}

#[test]
fn logins_that_never_left_take_no_place() {
    let mut redis = support::redis::RedisServer::start();
    let url = redis.url();
    let world = world(|setup| {
        setup.edit("vestibule.toml", "embedded:", &url);
        setup.table("vestibule.toml", "[limits]\npending_logins_per_address = 2");
    });
    let client = Client::access();
    let status = || world.server.browser().step(&client.ask(&world.server).url()).status;
    assert_eq!(status(), 303);
    redis.kill();
    for _ in 0..4 {
        assert_eq!(status(), 503);
    }
    redis.restart();
    support::server::wait_until("the state store is back", || world.server.get("/readyz").status == 200);
    assert_eq!(status(), 303);
    assert_eq!(status(), 503, "the two places are taken by the two that left");
}

#[test]
fn requests_that_can_become_no_login_fill_no_database() {
    let world = world(|_| {});
    let client = Client::access();
    let wrong = client.ask(&world.server).with("response_type", "token").url();
    for _ in 0..80 {
        assert_eq!(world.server.browser().step(&wrong).status, 303);
    }
    let file = world.server.folder().join("data/vestibule.db");
    let traces = || {
        let db = rusqlite::Connection::open(&file).expect("the database");
        db.query_row("SELECT COUNT(*) FROM traces", [], |row| row.get::<_, i64>(0)).expect("a count")
    };
    support::server::wait_until("traces are written", || traces() >= 60);
    // Traces are written in batches: the answer to a write that waits for its turn comes after all of them.
    let server = world.server.restart();
    let file = server.folder().join("data/vestibule.db");
    let db = rusqlite::Connection::open(file).expect("the database");
    let count: i64 = db.query_row("SELECT COUNT(*) FROM traces", [], |row| row.get(0)).expect("a count");
    assert_eq!(count, 60, "sixty a minute, whatever comes");
}
