//! A client's file that changes while somebody signs in: what was allowed at the start is asked again at the end.

use super::{pushed, url};
use crate::support::browser::Browser;
use crate::support::client::{Ask, Client};
use crate::world::World;

const OTHER: &str = "https://rp.example.com/cb?tenant=1";

/// Takes the first redirect URI away.
fn take_away(world: &World) {
    let gone = || {
        let config = world.server.running().ports().config.snapshot();
        config.client("access").is_some_and(|client| client.redirect_uris == [OTHER])
    };
    world.server.reconfigure("clients/access.toml", "\"https://rp.example.com/cb\", ", "", gone);
}

/// Where a login begins: plainly, and pushed.
fn beginnings(world: &World) -> [(Ask, String); 2] {
    let client = Client::access();
    let (plain, ask) = (client.ask(&world.server), client.ask(&world.server));
    let uri = pushed(world, &client, &ask);
    [(plain.clone(), plain.url()), (ask, url(world, "access", &uri))]
}

#[track_caller]
fn ends_at_a_page(world: &World, browser: &mut Browser, at: &str, status: u16) {
    world.is_page(&browser.open(at), status);
    let kept: Vec<String> = browser.cookies(&world.server.base).into_iter().map(|cookie| cookie.name).collect();
    assert!(!kept.iter().any(|name| name.contains("session")), "nobody is signed in: {kept:?}");
}

#[test]
fn a001_a_redirect_uri_taken_away_while_somebody_signs_in_gets_no_code() {
    let world = World::new();
    let waiting = beginnings(&world).map(|(_, at)| {
        let mut browser = world.server.browser();
        let back = browser.until(&at, |url| url.contains("/federation/auth/response/"));
        (browser, back)
    });
    take_away(&world);
    for (mut browser, back) in waiting {
        ends_at_a_page(&world, &mut browser, &back, 400);
    }
    assert_eq!(world.exchanges(), 0, "nothing was asked of the provider");
    let other = Client { redirect_uri: OTHER.to_owned(), ..Client::access() };
    other.sign_in(&world.server, &mut world.server.browser(), &other.ask(&world.server));
}

#[test]
fn a001_a_redirect_uri_taken_away_while_a_page_waits_gets_neither_code_nor_error() {
    let world = World::two_idps();
    let waiting = beginnings(&world).map(|(_, at)| {
        let mut browser = world.server.browser();
        let page = browser.open(&at);
        (browser, page)
    });
    take_away(&world);
    for (mut browser, page) in waiting {
        let form = page.form_with("email");
        for answer in [form.clone().fill("email", "alice@contoso.com"), form.press("action", "cancel")] {
            world.is_page(&browser.submit(&page, &answer), 400);
        }
    }
    assert!(world.upstream_logins().is_empty());
}

#[test]
fn a001_the_code_for_a_redirect_uri_that_was_taken_away_pays_nothing() {
    let world = World::new();
    let client = Client::access();
    let (ask, code) = world.fresh_code(&client);
    take_away(&world);
    let answer = client.redeem(&world.server, &ask, &code);
    assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_grant"), "{}", answer.text());
}

#[test]
fn a116_a_client_switched_off_since_the_push_or_the_login_gets_nothing() {
    let world = World::new();
    let [(_, begun), (_, pushed)] = beginnings(&world);
    let mut browser = world.server.browser();
    let back = browser.until(&begun, |url| url.contains("/federation/auth/response/"));
    let off = || Client::access().introspect(&world.server, "x").status == 401;
    world.server.reconfigure("clients/access.toml", "name =", "enabled = false\nname =", off);
    ends_at_a_page(&world, &mut browser, &back, 403);
    ends_at_a_page(&world, &mut world.server.browser(), &pushed, 400);
    assert_eq!(world.exchanges(), 0);
}
