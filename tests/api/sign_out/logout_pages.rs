//! Front-channel logout of clients, and what people are told.

use crate::support::browser::{Browser, Page};
use crate::support::client::{Client, Tokens};
use crate::support::html::tags;
use crate::support::server::Setup;
use crate::world::{BOB, World, is_guarded};

use super::logout_request::{BYE, request};

const FRONT: &str = "frontchannel_logout_uri = \"https://rp.example.com/out?tenant=1\"";

fn world(logout: &str, change: impl FnOnce(&mut Setup)) -> World {
    World::with(|setup, _| {
        setup.keys("idps/contoso.toml", &format!("logout = \"{logout}\""));
        change(setup);
    })
}

/// One session that served both clients.
fn at_both(world: &World) -> (Browser, Tokens) {
    let mut browser = world.server.browser();
    let tokens = world.sign_in(&mut browser);
    let second = Client::second();
    second.sign_in(&world.server, &mut browser, &second.ask(&world.server));
    (browser, tokens)
}

fn frames(page: &Page) -> Vec<String> {
    let tags = tags(&page.text());
    tags.iter().filter(|tag| tag.name == "iframe").filter_map(|tag| tag.get("src").map(str::to_owned)).collect()
}

#[test]
fn c056_a_page_loads_the_clients_address_and_goes_on_to_the_client() {
    let world = world("local", |setup| {
        setup.keys("clients/access.toml", FRONT);
    });
    let (mut browser, tokens) = at_both(&world);
    let params = [("id_token_hint", tokens.id_token.as_str()), ("post_logout_redirect_uri", BYE), ("state", "s")];
    let page = browser.open(&request(&world, &params));
    assert_eq!(page.status(), 200);
    is_guarded(page.response());
    let sid = tokens.claims["sid"].as_str().expect("a sid");
    let told = format!("https://rp.example.com/out?tenant=1&iss=https%3A%2F%2Fid.example.com%2Facs&sid={sid}");
    assert_eq!(frames(&page), [told]);
    let policy = page.response().header("content-security-policy").unwrap_or_default();
    assert!(policy.contains("; frame-src https://rp.example.com; "), "{policy}");
    let text = page.text();
    assert!(text.contains("content=\"2; url=https://rp.example.com/bye?state=s\""), "without a script: {text}");
    assert!(text.contains("id=\"next\" href=\"https://rp.example.com/bye?state=s\""), "by hand: {text}");
    assert!(text.contains("/assets/leave."), "{text}");
    assert!(!world.is_signed_in(&browser));
}

#[test]
fn frames_load_before_the_browser_goes_to_the_provider() {
    let world = world("forward", |setup| {
        setup.keys("clients/access.toml", FRONT);
    });
    let (mut browser, tokens) = at_both(&world);
    let page = browser.open(&request(&world, &[("id_token_hint", &tokens.id_token)]));
    assert_eq!(frames(&page).len(), 1);
    let link = tags(&page.text()).into_iter().find(|tag| tag.get("id") == Some("next")).expect("a way on");
    let end = browser.open(link.get("href").expect("an address"));
    let text = end.text();
    assert!(text.contains("at The contoso provider have ended"), "{text}");
    let (told, untold) = text.split_once("id=\"untold\"").expect("both lists");
    assert!(told.contains("Workspace ONE Access") && untold.contains("Second service"), "{text}");
    assert_eq!(frames(&end).len(), 0, "not a second time");
}

#[test]
fn back_channel_clients_need_no_page_and_are_named_as_told() {
    let world = world("local", |setup| {
        setup.keys("clients/second.toml", "backchannel_logout_uri = \"https://second.example.com/back\"");
    });
    let (mut browser, tokens) = at_both(&world);
    let page = browser.open(&request(&world, &[("id_token_hint", &tokens.id_token)]));
    let text = page.text();
    assert_eq!(frames(&page).len(), 0);
    assert!(text.contains("Second service") && !text.contains("id=\"untold\""), "who asks isn't listed: {text}");
    assert!(text.contains("still be signed in at The contoso provider"), "a local sign-out says so: {text}");
}

#[test]
fn without_anywhere_to_go_the_last_page_loads_the_frames() {
    let world = world("local", |setup| {
        setup.keys("clients/access.toml", FRONT);
    });
    let (mut browser, tokens) = at_both(&world);
    let page = browser.open(&request(&world, &[("id_token_hint", &tokens.id_token)]));
    is_guarded(page.response());
    assert_eq!(frames(&page).len(), 1);
    assert!(page.text().contains("signed out"));
}

#[test]
fn a054_whoever_signs_in_after_another_passes_the_frames_of_the_others_clients() {
    let world = world("local", |setup| {
        setup.keys("clients/access.toml", FRONT);
    });
    let mut browser = world.server.browser();
    let alice = world.sign_in(&mut browser);
    world.next_is(&BOB);
    let second = Client::second();
    let ask = second.ask(&world.server).with("prompt", "login");
    let page = browser.open(&ask.url());
    is_guarded(page.response());
    let sid = alice.claims["sid"].as_str().expect("a sid");
    let told = format!("https://rp.example.com/out?tenant=1&iss=https%3A%2F%2Fid.example.com%2Facs&sid={sid}");
    assert_eq!(frames(&page), [told], "she would be signed in there still, for him");
    let link = tags(&page.text()).into_iter().find(|tag| tag.get("id") == Some("next")).expect("a way on");
    let code = ask.answer(&browser.open(link.get("href").expect("an address"))).code();
    let bob = Tokens::verified(&world.server, &second, Some(&ask), &second.redeem(&world.server, &ask, &code));
    assert_eq!(bob.claims["email"], BOB.email);
    // Who goes on with a session of his own passes nothing.
    let again = second.ask(&world.server).with("prompt", "login");
    again.run(&mut browser).code();
}

#[test]
fn only_clients_of_this_session_are_told_and_only_once() {
    let world = world("local", |setup| {
        setup.keys("clients/access.toml", FRONT);
        setup.keys("clients/second.toml", "frontchannel_logout_uri = \"https://second.example.com/out\"");
    });
    let mut browser = world.server.browser();
    let tokens = world.sign_in(&mut browser);
    world.sign_in(&mut browser);
    let leave = request(&world, &[("id_token_hint", &tokens.id_token)]);
    let page = browser.open(&leave);
    assert_eq!(frames(&page).len(), 1, "{:?}", frames(&page));
    assert!(!page.text().contains("second.example.com"));
    assert_eq!(frames(&browser.open(&leave)).len(), 0, "the session is gone");
}
