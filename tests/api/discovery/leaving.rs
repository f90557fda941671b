//! Clients hear of a sign-out in the ways that are announced, and which session it was.

use serde_json::{Map, Value};

use crate::support::browser::Page;
use crate::support::client::{Tokens, query, verify};
use crate::support::server::{Setup, wait_until};
use crate::world::World;

checks! {
    backchannel_logout_supported => the_server_tells_a_client,
    backchannel_logout_session_supported => and_says_which_session,
    frontchannel_logout_supported => the_browser_tells_a_client,
    frontchannel_logout_session_supported => and_says_there_which_session,
}

fn leave(world: &World) -> (Page, Tokens) {
    let mut browser = world.server.browser();
    let tokens = world.sign_in(&mut browser);
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("id_token_hint", &tokens.id_token).finish();
    let page =
        browser.open(&format!("{}?{query}", world.server.url(super::path(&super::DOCUMENT["end_session_endpoint"]))));
    assert!(!world.is_signed_in(&browser));
    (page, tokens)
}

/// What `access` hears at its back-channel address, and the tokens it had.
fn heard() -> (Map<String, Value>, Tokens) {
    // The listener of the scripted provider takes note of every path.
    let world = World::with(|setup, idp| {
        let uri = format!("{}/told", idp.issuer());
        setup.keys("clients/access.toml", &format!("backchannel_logout_uri = \"{uri}\""));
    });
    let (_, tokens) = leave(&world);
    wait_until("the client is told", || world.idp.count("/told") > 0);
    let told = world.idp.last("/told").expect("a request");
    assert_eq!(told.method, "POST");
    (verify(&world.server, &told.params()["logout_token"]), tokens)
}

fn the_server_tells_a_client(announced: &Value) {
    assert_eq!(announced, true);
    let (claims, tokens) = heard();
    assert!(claims["events"].get("http://schemas.openid.net/event/backchannel-logout").is_some(), "{claims:?}");
    assert_eq!((claims["iss"].as_str(), claims["aud"].as_str()), (tokens.claims["iss"].as_str(), Some("access")));
    assert_eq!(claims["sub"], tokens.sub());
    assert!(!claims.contains_key("nonce"), "Back-Channel Logout §2.4");
}

fn and_says_which_session(announced: &Value) {
    assert_eq!(announced, true);
    let (claims, tokens) = heard();
    assert_eq!(claims["sid"], tokens.claims["sid"]);
}

/// The parameters with which the page that follows the sign-out loads the address of `access`.
fn framed(lines: impl FnOnce(&mut Setup)) -> (std::collections::BTreeMap<String, String>, Tokens) {
    let world = World::with(|setup, _| lines(setup));
    let (page, tokens) = leave(&world);
    let html = page.text().replace("&#38;", "&").replace("&amp;", "&");
    let mut frames = html.split("<iframe").skip(1).filter_map(|rest| rest.split("src=\"").nth(1)?.split('"').next());
    let address = frames.find(|address| address.starts_with("https://rp.example.com/front"));
    let address = address.unwrap_or_else(|| panic!("no frame of the client: {html}"));
    (query(address), tokens)
}

fn at_front(setup: &mut Setup) {
    setup.keys("clients/access.toml", "frontchannel_logout_uri = \"https://rp.example.com/front?tenant=1\"");
}

fn the_browser_tells_a_client(announced: &Value) {
    assert_eq!(announced, true);
    let (told, _) = framed(at_front);
    assert_eq!(told.get("tenant").map(String::as_str), Some("1"), "its own query stays");
}

fn and_says_there_which_session(announced: &Value) {
    assert_eq!(announced, true);
    let (told, tokens) = framed(at_front);
    assert_eq!(told.get("sid").map(String::as_str), tokens.claims["sid"].as_str());
    assert_eq!(told.get("iss").map(String::as_str), tokens.claims["iss"].as_str());
}
