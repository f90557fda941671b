//! One pushed request, one answer.

use vestibule::base::Span;

use super::{pushed, url, world};
use crate::support::client::{Ask, Client};
use crate::world::World;

fn push_one(world: &World) -> (Ask, String) {
    let ask = Client::access().ask(&world.server);
    let uri = pushed(world, &Client::access(), &ask);
    let url = url(world, "access", &uri);
    (ask, url)
}

#[test]
fn a116_c065_a_request_uri_is_spent_when_the_code_is_issued() {
    let world = World::new();
    let (ask, url) = push_one(&world);
    let mut browser = world.server.browser();
    ask.answer(&browser.open(&url)).code();
    let logins = world.upstream_logins().len();
    for mut browser in [browser.tab(), world.server.browser()] {
        world.is_page(&browser.open(&url), 400);
    }
    assert_eq!(world.upstream_logins().len(), logins, "nobody is sent upstream by it");
}

#[test]
fn c066_a_page_reloaded_before_signing_in_still_works() {
    let world = World::new();
    let (ask, url) = push_one(&world);
    let mut browser = world.server.browser();
    let at_the_provider = |address: &str| address.starts_with(&world.idp.issuer());
    let first = browser.until(&url, at_the_provider);
    let second = browser.until(&url, at_the_provider);
    assert_ne!(first, second, "a login of its own each time");
    ask.answer(&browser.open(&second)).code();
}

#[test]
fn a116_of_two_tabs_that_finish_one_request_one_gets_a_code() {
    let world = World::new();
    let (ask, url) = push_one(&world);
    let (mut one, mut other) = (world.server.browser(), world.server.browser());
    let callback = |address: &str| address.contains("/federation/auth/response/");
    let (first, second) = (one.until(&url, callback), other.until(&url, callback));
    ask.answer(&one.open(&first)).code();
    assert_eq!(ask.answer(&other.open(&second)).error(), "invalid_request_uri");
    assert!(world.is_signed_in(&other), "the person did sign in");
}

#[test]
fn a116_of_ten_that_race_with_one_request_one_gets_a_code() {
    let world = World::new();
    let mut browser = world.server.browser();
    world.sign_in(&mut browser);
    let (_, url) = push_one(&world);
    let codes = std::thread::scope(|scope| {
        let racers: Vec<_> = (0..10)
            .map(|_| {
                let mut tab = browser.tab();
                let url = &url;
                scope.spawn(move || tab.open(url).query().contains_key("code"))
            })
            .collect();
        racers.into_iter().map(|racer| racer.join().expect("a tab")).filter(|code| *code).count()
    });
    assert_eq!(codes, 1);
}

#[test]
fn a116_an_error_is_an_answer_too() {
    let world = World::new();
    let ask = Client::access().ask(&world.server).with("prompt", "none");
    let uri = pushed(&world, &Client::access(), &ask);
    let url = url(&world, "access", &uri);
    let mut browser = world.server.browser();
    assert_eq!(ask.answer(&browser.open(&url)).error(), "login_required");
    world.is_page(&browser.open(&url), 400);
}

#[test]
fn a116_c067_a_request_uri_begins_a_login_for_a_minute() {
    let world = World::new();
    let (ask, url) = push_one(&world);
    world.advance(Span::secs(60));
    let mut browser = world.server.browser();
    let begun = browser.until(&url, |address| address.starts_with(&world.idp.issuer()));
    world.advance(Span::secs(1));
    let late = ask.answer(&world.server.browser().open(&url));
    assert_eq!(late.error(), "invalid_request_uri");
    world.advance(Span::minutes(9));
    ask.answer(&browser.open(&begun)).code();
}

#[test]
fn c067_a_request_uri_that_nobody_remembers_leads_to_a_page() {
    let world = World::new();
    let (_, url) = push_one(&world);
    world.advance(Span::minutes(22));
    let mut browser = world.server.browser();
    world.is_page(&browser.open(&url), 400);
    let unknown = super::url(&world, "access", "urn:ietf:params:oauth:request_uri:AAAA");
    world.is_page(&browser.open(&unknown), 400);
    world.nothing_happened(&browser);
}

#[test]
fn a116_c067_a_request_uri_is_good_for_its_client_alone() {
    let (world, signer) = world();
    let client = super::keyed(&signer);
    let ask = client.ask(&world.server);
    let uri = pushed(&world, &client, &ask);
    let mut browser = world.server.browser();
    for other in ["access", "strict", "spa", "nobody", ""] {
        world.is_page(&browser.open(&url(&world, other, &uri)), 400);
    }
    world.is_page(&browser.open(&format!("{}?request_uri={uri}", ask.endpoint())), 400);
    world.nothing_happened(&browser);
    ask.answer(&browser.open(&url(&world, "keyed", &uri))).code();
}

#[test]
fn a_request_uri_that_stands_twice_leads_to_a_page() {
    let world = World::new();
    let (_, url) = push_one(&world);
    let mut browser = world.server.browser();
    world.is_page(&browser.open(&format!("{url}&request_uri=x")), 400);
    world.nothing_happened(&browser);
}

#[test]
fn a_redirect_uri_that_was_taken_away_since_the_push_is_gone() {
    let world = World::new();
    let (_, url) = push_one(&world);
    let plain = Client::access().ask(&world.server);
    world.server.reconfigure("clients/access.toml", "\"https://rp.example.com/cb\", ", "", || {
        world.server.browser().open(&plain.url()).answer.is_some()
    });
    let mut browser = world.server.browser();
    world.is_page(&browser.open(&url), 400);
}

#[test]
fn a_request_that_the_clients_file_no_longer_allows_goes_back_as_an_error() {
    for (before, after, error) in [
        ("pkce = \"optional\"", "pkce = \"required\"", "invalid_request"),
        ("[\"authorization_code\"", "[\"client_credentials\"", "unauthorized_client"),
        ("[\"openid\", ", "[", "invalid_scope"),
    ] {
        let world = World::with(|setup, _| {
            setup.keys("clients/access.toml", "pkce = \"optional\"");
        });
        let client = Client::access();
        let ask = client.ask(&world.server).without("code_challenge").without("code_challenge_method");
        let uri = pushed(&world, &client, &ask);
        let plain = ask.clone().with("prompt", "none");
        world.server.reconfigure("clients/access.toml", before, after, || {
            plain.run(&mut world.server.browser()).error() == error
        });
        let mut browser = world.server.browser();
        let answer = ask.answer(&browser.open(&url(&world, "access", &uri)));
        assert_eq!(answer.error(), error);
        world.nothing_happened(&browser);
    }
}

#[test]
fn a_login_that_waits_at_a_page_keeps_its_pushed_request() {
    let world = World::two_idps();
    let client = Client::access();
    let ask = client.ask(&world.server);
    let uri = pushed(&world, &client, &ask);
    let url = url(&world, "access", &uri);
    let mut browser = world.server.browser();
    let page = browser.open(&url);
    let form = page.form_with("email").fill("email", "alice@contoso.com");
    world.advance(Span::minutes(2));
    ask.answer(&browser.submit(&page, &form)).code();
    world.is_page(&browser.open(&url), 400);
}

#[test]
fn who_cancels_has_answered_the_pushed_request() {
    let world = World::two_idps();
    let client = Client::access();
    let ask = client.ask(&world.server);
    let uri = pushed(&world, &client, &ask);
    let url = url(&world, "access", &uri);
    let mut browser = world.server.browser();
    let page = browser.open(&url);
    let form = page.form_with("email").press("action", "cancel");
    assert_eq!(ask.answer(&browser.submit(&page, &form)).error(), "access_denied");
    world.is_page(&browser.open(&url), 400);
}
