//! Before the redirect URI is proven there is only a page.

use crate::support::client::Client;
use crate::world::World;

/// The request gets a page, and nothing else has happened anywhere.
#[track_caller]
fn page_only(world: &World, url: &str) -> String {
    let mut browser = world.server.browser();
    let page = browser.open(url);
    let text = world.is_page(&page, 400);
    world.nothing_happened(&browser);
    text
}

#[test]
fn a001_a_redirect_uri_that_only_looks_like_the_registered_one_is_refused() {
    let world = World::new();
    for uri in [
        "https://rp.example.com@evil.test/cb",
        "https://rp.example.com@x@evil.test/cb",
        "https://rp.example.com\\@evil.test/cb",
        "https://rp.example.com/cb\t",
        "https://rp.example.com\t/cb",
        "https://evil.test/https://rp.example.com/cb",
    ] {
        page_only(&world, &Client::access().ask(&world.server).with("redirect_uri", uri).url());
    }
}

#[test]
fn a002_a_redirect_uri_that_differs_in_one_byte_is_refused() {
    let world = World::new();
    for uri in [
        "https://rp.example.com/cb/..;/x",
        "https://rp.example.com/cb/%2e%2e/x",
        "https://rp.example.com/CB",
        "https://RP.example.com/cb",
        "https://rp.example.com/cb/",
        "https://rp.example.com:443/cb",
        "https://rp.example.com/cb?",
        "https://rp.example.com/cb?tenant=2",
        "https://rp.example.com/cb?tenant=1&x=1",
        "http://rp.example.com/cb",
        "https://rp.example.com/cb#",
    ] {
        page_only(&world, &Client::access().ask(&world.server).with("redirect_uri", uri).url());
    }
}

#[test]
fn a004_a_loopback_redirect_uri_is_compared_exactly_too() {
    let world = World::with(|setup, _| {
        setup.edit("clients/spa.toml", "https://spa.example.com/cb", "http://127.0.0.1/cb");
        setup.edit("clients/spa.toml", "web_origins = [\"https://spa.example.com\"]\n", "");
    });
    for uri in ["http://127.0.0.1:9/cb", "http://localhost/cb", "http://[::1]/cb", "http://127.0.0.1:80/cb"] {
        page_only(&world, &Client::spa().ask(&world.server).with("redirect_uri", uri).url());
    }
}

#[test]
fn a006_an_absent_empty_or_doubled_redirect_uri_gets_a_page() {
    let world = World::new();
    let ask = Client::spa().ask(&world.server); // has one registered URI only
    page_only(&world, &ask.clone().without("redirect_uri").url());
    page_only(&world, &ask.clone().with("redirect_uri", "").url());
    page_only(&world, &ask.clone().and("redirect_uri", "https://evil.test/cb").url());
    page_only(&world, &ask.and("redirect_uri", "https://spa.example.com/cb").url());
}

#[test]
fn a007_an_unsupported_request_with_an_unregistered_redirect_uri_is_not_redirected() {
    let world = World::new();
    let ask = Client::access().ask(&world.server).with("redirect_uri", "https://evil.test/cb");
    page_only(&world, &ask.clone().with("response_type", "token").url());
    page_only(&world, &ask.with("scope", "profile").url());
}

#[test]
fn a008_prompt_none_with_an_unregistered_redirect_uri_is_not_redirected() {
    let world = World::new();
    let ask = Client::access().ask(&world.server).with("redirect_uri", "https://evil.test/cb");
    page_only(&world, &ask.with("prompt", "none").with("response_mode", "nonsense").url());
}

#[test]
fn a009_unknown_and_disabled_clients_get_the_same_page() {
    let world = World::with(|setup, _| {
        setup.keys("clients/second.toml", "enabled = false");
    });
    let ask = Client::second().ask(&world.server);
    let disabled = page_only(&world, &ask.url());
    let unknown = page_only(&world, &ask.clone().with("client_id", "nobody").url());
    assert_eq!(crate::world::without_reference(&disabled), crate::world::without_reference(&unknown));
    for id in ["", "acc\0ess", &"a".repeat(10_000), "access\n"] {
        page_only(&world, &ask.clone().with("client_id", id).url());
    }
    page_only(&world, &ask.without("client_id").url());
}

#[test]
fn a014_a_doubled_client_id_gets_a_page() {
    let world = World::new();
    let ask = Client::access().ask(&world.server);
    page_only(&world, &ask.clone().and("client_id", "access").url());
    page_only(&world, &ask.and("client_id", "second").url());
}

#[test]
fn c039_a_redirect_uri_with_a_query_gets_the_code_appended() {
    let world = World::new();
    let ask = Client::access().ask(&world.server).with("redirect_uri", "https://rp.example.com/cb?tenant=1");
    let mut browser = world.server.browser();
    let page = browser.open(&ask.url());
    assert!(page.url.starts_with("https://rp.example.com/cb?tenant=1&code="), "{}", page.url);
    ask.answer(&page).code();
}
