//! A redirect URI that leaves the client's file while somebody signs in: nothing goes there any more.

use super::{pushed, url};
use crate::support::client::Client;
use crate::world::World;

const OTHER: &str = "https://rp.example.com/cb?tenant=1";

fn take_away(world: &World) {
    let gone = || {
        let config = world.server.running().ports().config.snapshot();
        config.client("access").is_some_and(|client| client.redirect_uris == [OTHER])
    };
    world.server.reconfigure("clients/access.toml", "\"https://rp.example.com/cb\", ", "", gone);
}

/// Where a login begins: plainly, and pushed.
fn beginnings(world: &World) -> [String; 2] {
    let client = Client::access();
    let uri = pushed(world, &client, &client.ask(&world.server));
    [client.ask(&world.server).url(), url(world, "access", &uri)]
}

#[test]
fn a001_a_redirect_uri_taken_away_while_somebody_signs_in_gets_no_code() {
    let world = World::new();
    let waiting = beginnings(&world).map(|at| {
        let mut browser = world.server.browser();
        let back = browser.until(&at, |url| url.contains("/federation/auth/response/"));
        (browser, back)
    });
    take_away(&world);
    for (mut browser, back) in waiting {
        world.is_page(&browser.open(&back), 400);
        let kept: Vec<String> = browser.cookies(&world.server.base).into_iter().map(|cookie| cookie.name).collect();
        assert!(!kept.iter().any(|name| name.contains("session")), "nobody is signed in: {kept:?}");
    }
    assert_eq!(world.exchanges(), 0, "nothing was asked of the provider");
    let other = Client { redirect_uri: OTHER.to_owned(), ..Client::access() };
    other.sign_in(&world.server, &mut world.server.browser(), &other.ask(&world.server));
}

#[test]
fn a001_a_redirect_uri_taken_away_while_a_page_waits_gets_neither_code_nor_error() {
    let world = World::two_idps();
    let waiting = beginnings(&world).map(|at| {
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
