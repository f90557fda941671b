//! The session and its cookie: ours alone, unguessable, ended when it is said to be.

use vestibule::base::Span;

use crate::support::browser::{Browser, Cookie};
use crate::support::client::Client;
use crate::support::http::Request;
use crate::world::{ALICE, BOB, SESSION_COOKIE, World};

#[track_caller]
fn session(world: &World, browser: &Browser) -> Cookie {
    let cookies = browser.cookies(&world.server.base);
    cookies.into_iter().find(|cookie| cookie.name == SESSION_COOKIE).expect("a session cookie")
}

/// Asks silently with this Cookie header; whether there was a code.
fn opens(world: &World, header: &str) -> bool {
    let ask = Client::access().ask(&world.server).with("prompt", "none");
    let answer = world.server.send(&Request::get(&ask.url()).header("Cookie", header));
    assert_eq!(answer.status, 303, "{}", answer.text());
    answer.header("location").expect("back to the client").contains("code=")
}

#[test]
fn a136_cookies_are_host_bound_and_hidden_from_scripts() {
    let world = World::new();
    let mut browser = world.server.browser();
    world.at_the_callback(&mut browser, &Client::access().ask(&world.server));
    let login = browser.cookies(&world.server.base);
    world.sign_in(&mut browser);
    let all: Vec<Cookie> = login.into_iter().chain([session(&world, &browser)]).collect();
    assert_eq!(all.len(), 2);
    for cookie in all {
        let header = cookie.header.to_ascii_lowercase();
        assert!(cookie.name.starts_with("__Host-"), "{header}");
        for part in ["secure", "httponly", "samesite=lax", "path=/"] {
            assert!(header.split("; ").any(|piece| piece == part), "{part} in {header}");
        }
        assert!(!header.contains("domain="), "{header}");
    }
}

#[test]
fn a136_a_session_cookie_that_comes_twice_is_none() {
    let world = World::new();
    let (mut alices, mut bobs) = (world.server.browser(), world.server.browser());
    world.sign_in(&mut alices);
    world.next_is(&BOB);
    world.sign_in(&mut bobs);
    let (alice, bob) = (session(&world, &alices).value, session(&world, &bobs).value);
    assert!(opens(&world, &format!("{SESSION_COOKIE}={alice}")));
    assert!(!opens(&world, &format!("{SESSION_COOKIE}={alice}; {SESSION_COOKIE}={bob}")));
    assert!(!opens(&world, &format!("{SESSION_COOKIE}={bob}; {SESSION_COOKIE}={alice}")));
    assert!(!opens(&world, &format!("vestibule-session={alice}")), "without its prefix it is none of ours");
}

#[test]
fn a137_a_broken_cookie_means_signing_in_again() {
    let world = World::new();
    let mut browser = world.server.browser();
    world.sign_in(&mut browser);
    let good = session(&world, &browser).value;
    let truncated = &good[..42];
    let long = format!("{good}A");
    let other = "A".repeat(43);
    for value in ["", "x", truncated, &long, &other, "ä", "\"\"", &"x".repeat(3_000)] {
        assert!(!opens(&world, &format!("{SESSION_COOKIE}={value}")), "{value}");
    }
    assert!(opens(&world, &format!("{SESSION_COOKIE}={good}")));
    let mut browser = world.server.browser();
    browser.plant(&world.server.base, SESSION_COOKIE, truncated);
    world.sign_in(&mut browser); // and nothing stands in the way
}

#[test]
fn a139_a_browser_keeps_eight_logins_at_most() {
    let world = World::new();
    let mut browser = world.server.browser();
    let asks: Vec<_> = (0..12)
        .map(|_| {
            world.advance(Span::secs(1));
            let ask = Client::access().ask(&world.server);
            let url = world.at_the_callback(&mut browser, &ask);
            (ask, url)
        })
        .collect();
    let cookies = browser.cookies(&world.server.base);
    assert_eq!(cookies.len(), 8, "the oldest are dropped");
    let header: usize = cookies.iter().map(|c| c.name.len() + c.value.len() + 3).sum();
    assert!(header < 4096, "{header}");
    let (newest, url) = &asks[11];
    newest.answer(&browser.open(url)).code();
    world.is_page(&browser.open(&asks[0].1), 400);
    assert_eq!(world.exchanges(), 1);
}

#[test]
fn a139_fifty_cookies_of_strangers_do_no_harm() {
    let world = World::new();
    let browser = world.server.browser();
    for n in 0..50 {
        browser.plant(
            &world.server.base,
            &format!("__Host-vestibule-login-{n:010}"),
            &format!("{n}.{}", "A".repeat(43)),
        );
    }
    let mut tab = browser.tab();
    world.sign_in(&mut tab);
    assert!(world.is_signed_in(&browser));
}

#[test]
fn a140_a_session_ends_unused_after_eight_hours_and_in_any_case_after_seven_days() {
    let world = World::new();
    let mut browser = world.server.browser();
    world.sign_in(&mut browser);
    world.advance(Span::hours(7));
    assert!(world.is_signed_in(&browser), "and that was a use");
    world.advance(Span::hours(7));
    assert!(world.is_signed_in(&browser));
    world.advance(Span::secs(8 * 3600 + 1));
    assert!(!world.is_signed_in(&browser));
    world.sign_in(&mut browser);
    for _ in 0..23 {
        world.advance(Span::hours(7));
        assert!(world.is_signed_in(&browser));
    }
    world.advance(Span::secs(7 * 3600 + 1));
    assert!(!world.is_signed_in(&browser), "seven days and a second");
}

#[test]
fn a140_a_stolen_cookie_is_dead_after_the_sign_out() {
    let world = World::new();
    let mut browser = world.server.browser();
    let tokens = world.sign_in(&mut browser);
    let stolen = format!("{SESSION_COOKIE}={}", session(&world, &browser).value);
    assert!(opens(&world, &stolen));
    browser.open(&world.server.url(&format!("/acs/openid/logout?id_token_hint={}", tokens.id_token)));
    assert!(!opens(&world, &stolen));
}

#[test]
fn a140_a_session_of_somebody_switched_off_is_dead_at_once() {
    let world = World::new();
    let mut browser = world.server.browser();
    let tokens = world.sign_in(&mut browser);
    world.server.deactivate(tokens.sub());
    assert!(!world.is_signed_in(&browser));
}

#[test]
fn a141_what_belongs_to_a_person_is_never_kept() {
    let world = World::new();
    let mut browser = world.server.browser();
    let ask = Client::access().ask(&world.server);
    let callback = world.at_the_callback(&mut browser, &ask);
    let answer = browser.step(&callback);
    let silent = browser.step(&ask.with("prompt", "none").url());
    let signed_out = browser.step(&world.server.url("/acs/openid/logout"));
    for answer in [answer, silent, signed_out] {
        assert!(answer.header("cache-control").is_some_and(|v| v.contains("no-store")), "{answer:?}");
    }
}

#[test]
fn a142_a_session_of_somebody_else_than_hinted_is_not_used() {
    let world = World::new();
    let (client, mut browser) = (Client::access(), world.server.browser());
    world.sign_in(&mut browser);
    let for_bob = client.ask(&world.server).hint(BOB.email);
    assert_eq!(for_bob.clone().with("prompt", "none").run(&mut browser).error(), "login_required");
    world.next_is(&BOB);
    let tokens = client.sign_in(&world.server, &mut browser, &for_bob);
    assert_eq!(tokens.claims["email"], BOB.email);
    assert_eq!(world.upstream_logins().len(), 2);
}

#[test]
fn a142_a_subject_asked_for_by_the_claims_parameter_is_heeded() {
    let world = World::new();
    let (client, mut browser) = (Client::access(), world.server.browser());
    let alice = world.sign_in(&mut browser);
    let silent = |sub: &str| {
        let claims = serde_json::json!({"id_token": {"sub": {"value": sub}}}).to_string();
        client.ask(&world.server).with("prompt", "none").with("claims", &claims)
    };
    silent(alice.sub()).run(&mut browser).code();
    assert_eq!(silent("somebody-else").run(&mut browser).error(), "login_required");
}

#[test]
fn a162_prompt_none_with_a_hint_of_another_person_is_login_required() {
    let world = World::new();
    let mut browser = world.server.browser();
    world.sign_in(&mut browser);
    let silent = |hint: &str| Client::access().ask(&world.server).with("prompt", "none").hint(hint);
    silent(ALICE.email).run(&mut browser).code();
    silent("ALICE@CONTOSO.COM").run(&mut browser).code();
    assert_eq!(silent(BOB.email).run(&mut browser).error(), "login_required");
    assert_eq!(silent("nobody@contoso.com").run(&mut browser).error(), "login_required");
}
