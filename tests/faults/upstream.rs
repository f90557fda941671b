//! Identity providers that hang, break off, talk nonsense or change their keys: F22–F25, G15.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use vestibule::base::Span;

use super::nodes::two_providers;
use crate::support::client::Client;
use crate::support::evil_idp::Answer;
use crate::support::server::wait_until;
use crate::world::World;

#[test]
fn f22_a_token_endpoint_that_hangs_is_told_within_ten_seconds_and_the_login_can_begin_again() {
    let world = World::new();
    world.idp.set(|script| script.token = Answer::Hang);
    let mut browser = world.browser();
    let asked = Instant::now();
    assert_eq!(world.ask().run(&mut browser).error(), "temporarily_unavailable");
    assert!(asked.elapsed() < Duration::from_secs(10), "told after {:?}", asked.elapsed());
    assert_eq!(world.idp.count("/token"), 1, "f23: a code is never turned in twice");
    assert!(!world.is_signed_in(&browser));
    world.idp.set(|script| script.token = Answer::Sound);
    world.sign_in(&mut browser);
}

#[test]
fn g15_a_provider_that_hangs_leaves_the_other_alone() {
    let (world, other) = two_providers();
    let waiting = 40;
    let alone = fabrikam(&world);
    world.idp.set(|script| script.token = Answer::Hang);
    std::thread::scope(|scope| {
        let hung: Vec<_> = (0..waiting)
            .map(|_| {
                let ask = world.ask().hint("alice@contoso.com");
                let mut browser = world.browser();
                scope.spawn(move || ask.run(&mut browser).error().to_owned())
            })
            .collect();
        wait_until("all of them wait", || world.idp.count("/token") == waiting);
        for _ in 0..5 {
            let took = fabrikam(&world);
            // Ten times its time alone, and never that of the provider that hangs.
            assert!(took < (alone * 10).max(Duration::from_secs(2)), "{took:?}, alone {alone:?}");
        }
        for one in hung {
            assert_eq!(one.join().expect("answered"), "temporarily_unavailable");
        }
    });
    assert_eq!(other.count("/token"), 6);
}

/// How long a login at the other provider takes.
fn fabrikam(world: &World) -> Duration {
    let began = Instant::now();
    let ask = world.ask().hint("bob@contoso.co.uk");
    let tokens = Client::access().sign_in(&world.server, &mut world.browser(), &ask);
    assert_eq!(tokens.claims["given_name"], "bob");
    began.elapsed()
}

#[test]
fn f23_f24_whatever_the_token_endpoint_answers_the_client_gets_a_clear_error_and_nobody_is_signed_in() {
    let world = World::new();
    let fixed = |status, kind, body: &str| Answer::Fixed(status, kind, body.to_owned());
    let secret = "<script>marked-body-of-the-provider</script>";
    for (answer, told) in [
        (Answer::CutOff, &["temporarily_unavailable", "server_error"][..]),
        (fixed(200, "text/html", secret), &["server_error"]),
        (fixed(200, "application/json", "{\"access_token\":\"x\""), &["server_error"]),
        (fixed(200, "application/json", "[]"), &["server_error"]),
        (fixed(400, "application/json", r#"{"error":"invalid_grant"}"#), &["server_error"]),
        (fixed(500, "text/html", secret), &["temporarily_unavailable"]),
        (fixed(503, "text/plain", secret), &["temporarily_unavailable"]),
        (fixed(429, "application/json", "{}"), &["temporarily_unavailable"]),
        (Answer::Redirect("http://127.0.0.1:1/".to_owned()), &["server_error"]),
    ] {
        world.idp.set(|script| script.token = answer);
        let mut browser = world.browser();
        let before = world.idp.count("/token");
        let ask = world.ask();
        let page = browser.open(&ask.url());
        assert!(!page.url.contains("marked-body"), "{}", page.url);
        let error = ask.answer(&page).error().to_owned();
        assert!(told.contains(&error.as_str()), "{error}, and not {told:?}");
        assert_eq!(world.idp.count("/token"), before + 1, "one try");
        assert!(!world.is_signed_in(&browser));
    }
    assert!(world.user_ids("alice").is_empty());
    world.idp.set(|script| script.token = Answer::Sound);
    world.sign_in(&mut world.browser());
}

#[test]
fn f25_keys_rotated_while_thirty_logins_wait_are_fetched_once() {
    let world = World::new();
    world.sign_in(&mut world.browser());
    world.server.advance(Span::minutes(5));
    let gate = Arc::new(Semaphore::new(0));
    world.idp.set(|script| script.token = Answer::Held(Arc::clone(&gate)));
    let before = world.idp.count("/jwks");
    std::thread::scope(|scope| {
        let waiting: Vec<_> = (0..30)
            .map(|_| {
                let (ask, mut browser) = (world.ask(), world.browser());
                scope.spawn(move || ask.run(&mut browser).code())
            })
            .collect();
        wait_until("all of them wait", || world.idp.count("/token") == 31);
        world.idp.rotate_keys();
        gate.add_permits(1000);
        for one in waiting {
            assert!(!one.join().expect("answered").is_empty());
        }
    });
    assert_eq!(world.idp.count("/jwks"), before + 1);
}

#[test]
fn f25_while_the_jwks_is_down_the_last_good_one_serves_for_a_day() {
    let world = World::new();
    world.sign_in(&mut world.browser());
    world.idp.set(|script| {
        script.jwks = Answer::Fixed(500, "text/plain", "down".to_owned());
        script.discovery = Answer::Fixed(500, "text/plain", "down".to_owned());
    });
    world.server.advance(Span::hours(23));
    world.sign_in(&mut world.browser());
    wait_until("a new one was asked for", || world.idp.count("/jwks") > 1);
    world.server.advance(Span::hours(2));
    let mut browser = world.browser();
    assert_eq!(world.ask().run(&mut browser).error(), "temporarily_unavailable");
    assert!(!world.is_signed_in(&browser));
    world.idp.set(|script| {
        script.jwks = Answer::Sound;
        script.discovery = Answer::Sound;
    });
    world.server.advance(Span::minutes(2));
    world.sign_in(&mut browser);
}
