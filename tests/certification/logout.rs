//! RP-initiated logout: C043–C052, what clients are told: C053, C055, and what isn't offered: C057.

use crate::support::assertion::{Signer, encode};
use crate::support::browser::{Browser, Page};
use crate::support::client::{Client, Tokens, peek};
use crate::world::{World, assert_page};

const BYE: &str = "https://rp.example.com/bye";

/// A signed-in browser.
struct SignedIn {
    world: World,
    browser: Browser,
    tokens: Tokens,
}

impl SignedIn {
    fn new() -> Self {
        let world = World::new();
        let mut browser = world.browser();
        let tokens = world.sign_in(&mut browser);
        Self { world, browser, tokens }
    }

    fn leave(&mut self, params: &[(&str, &str)]) -> Page {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
        self.browser.open(&format!("{}/openid/logout?{query}", self.world.server.issuer))
    }

    #[track_caller]
    fn assert_out(&self) {
        assert!(!self.world.is_signed_in(&self.browser), "the session lives");
        let codes = &self.world.server;
        assert_eq!(crate::support::client::userinfo(codes, &self.tokens.access).status, 401, "its tokens too");
        let kept = self.browser.cookies(&self.world.server.base);
        assert!(kept.iter().all(|cookie| !cookie.name.contains("session")), "{kept:?}");
    }

    /// Nothing is believed: the person is asked, nothing redirects, and the session lives until the answer.
    #[track_caller]
    fn asks_first(mut self, page: &Page) {
        assert_page(page, 200);
        assert!(self.world.is_signed_in(&self.browser), "signed out without being asked");
        self.world.assert_alive(&self.tokens.access);
        let form = page.form_with("handle").press("action", "sign-out");
        let end = self.browser.submit(page, &form);
        assert_page(&end, 200);
        assert_eq!(end.forms().len(), 0, "told that it is done: {}", end.text());
        self.assert_out();
    }
}

#[test]
fn c043_discovery_names_the_end_session_endpoint() {
    let document = World::new().server.get("/acs/.well-known/openid-configuration").json();
    assert_eq!(document["end_session_endpoint"], "https://id.example.com/acs/openid/logout");
}

#[test]
fn c053_c055_discovery_promises_that_clients_are_told_and_of_which_session() {
    let document = World::new().server.get("/acs/.well-known/openid-configuration").json();
    for name in [
        "backchannel_logout_supported",
        "backchannel_logout_session_supported",
        "frontchannel_logout_supported",
        "frontchannel_logout_session_supported",
    ] {
        assert_eq!(document[name], true, "{name}");
    }
}

#[test]
fn c057_what_is_not_there_is_not_advertised() {
    let document = World::new().server.get("/acs/.well-known/openid-configuration").json();
    assert!(document.get("check_session_iframe").is_none());
}

#[test]
fn c044_hint_address_and_state_lead_back_with_the_state() {
    let mut one = SignedIn::new();
    let hint = one.tokens.id_token.clone();
    let page = one.leave(&[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE), ("state", "a b&c=\r\n<x>")]);
    assert_eq!(page.answer.as_ref().map(|answer| answer.status), None, "left for the client");
    assert!(page.url.starts_with(&format!("{BYE}?")), "{}", page.url);
    assert_eq!(page.query()["state"], "a b&c=\r\n<x>");
    one.assert_out();
}

#[test]
fn c044_the_request_may_be_posted_from_the_clients_page() {
    let mut one = SignedIn::new();
    let hint = one.tokens.id_token.clone();
    let fields = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", BYE), ("state", "s")];
    let url = format!("{}/openid/logout", one.world.server.issuer);
    let page = one.browser.post_from("https://rp.example.com/", &url, &fields);
    assert_eq!(page.url, format!("{BYE}?state=s"));
    one.assert_out();
}

#[test]
fn c045_without_state_the_redirect_has_none() {
    let mut one = SignedIn::new();
    let hint = one.tokens.id_token.clone();
    assert_eq!(one.leave(&[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE)]).url, BYE);
    one.assert_out();
}

#[test]
fn c046_without_an_address_there_is_a_page() {
    let mut one = SignedIn::new();
    let hint = one.tokens.id_token.clone();
    assert_page(&one.leave(&[("id_token_hint", &hint)]), 200);
    one.assert_out();
}

#[test]
fn c047_without_parameters_the_person_asks_first() {
    let mut one = SignedIn::new();
    let page = one.leave(&[]);
    one.asks_first(&page);
}

#[test]
fn c047_with_state_only_the_person_asks_first() {
    let mut one = SignedIn::new();
    let page = one.leave(&[("state", "s")]);
    one.asks_first(&page);
}

#[test]
fn c047_staying_keeps_the_session() {
    let mut one = SignedIn::new();
    let page = one.leave(&[]);
    let form = page.form_with("handle").press("action", "stay");
    one.browser.submit(&page, &form);
    assert!(one.world.is_signed_in(&one.browser));
}

#[test]
fn c048_an_address_without_a_hint_is_not_gone_to() {
    let mut one = SignedIn::new();
    let page = one.leave(&[("post_logout_redirect_uri", BYE), ("state", "s")]);
    one.asks_first(&page);
}

#[test]
fn c048_a_named_clients_own_address_is_gone_to_once_the_person_has_said_yes() {
    let mut one = SignedIn::new();
    let page = one.leave(&[("post_logout_redirect_uri", BYE), ("client_id", "access"), ("state", "s")]);
    assert_page(&page, 200);
    assert!(page.text().contains("Workspace ONE Access"), "it says who asks");
    assert!(one.world.is_signed_in(&one.browser), "signed out without being asked");
    let form = page.form_with("handle").press("action", "sign-out");
    assert_eq!(one.browser.submit(&page, &form).url, format!("{BYE}?state=s"));
    one.assert_out();
}

#[test]
fn c049_a_hint_signed_by_another_is_no_hint() {
    let mut one = SignedIn::new();
    let header = jsonwebtoken::decode_header(&one.tokens.id_token).expect("a JWT");
    let stranger = Signer::generate("k");
    let claims = peek(&one.tokens.id_token);
    for alg in ["RS256", "ES256"] {
        let forged = stranger.sign(&serde_json::json!({"alg": alg, "kid": header.kid, "typ": "JWT"}), &claims);
        let page = one.leave(&[("id_token_hint", &forged), ("post_logout_redirect_uri", BYE)]);
        assert_page(&page, 200);
        assert!(one.world.is_signed_in(&one.browser));
    }
    let page = one.leave(&[("id_token_hint", "x.y.z"), ("post_logout_redirect_uri", BYE)]);
    one.asks_first(&page);
}

#[test]
fn c050_a_hint_turned_unsigned_is_no_hint() {
    let mut one = SignedIn::new();
    let claims = peek(&one.tokens.id_token);
    let unsigned = format!("{}.{}.", encode(&serde_json::json!({"alg": "none"})), encode(&claims));
    let page = one.leave(&[("id_token_hint", &unsigned), ("post_logout_redirect_uri", BYE)]);
    one.asks_first(&page);
}

#[test]
fn c051_an_unregistered_address_is_not_gone_to() {
    for address in ["https://evil.example.com/bye", "https://rp.example.com/cb", "//evil.example.com", "/\\evil"] {
        let mut one = SignedIn::new();
        let hint = one.tokens.id_token.clone();
        assert_page(&one.leave(&[("id_token_hint", &hint), ("post_logout_redirect_uri", address)]), 200);
        one.assert_out();
    }
}

#[test]
fn c051_another_clients_address_is_not_gone_to() {
    let world = World::new();
    let mut browser = world.browser();
    let client = Client::second();
    let tokens = client.sign_in(&world.server, &mut browser, &client.ask(&world.server));
    let mut one = SignedIn { world, browser, tokens };
    let hint = one.tokens.id_token.clone();
    assert_page(&one.leave(&[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE)]), 200);
    one.assert_out();
}

#[test]
fn c052_an_address_with_a_query_added_is_not_gone_to() {
    let mut one = SignedIn::new();
    let hint = one.tokens.id_token.clone();
    let address = format!("{BYE}?foo=bar");
    assert_page(&one.leave(&[("id_token_hint", &hint), ("post_logout_redirect_uri", &address)]), 200);
    one.assert_out();
}

#[test]
fn a_sign_out_ends_every_clients_tokens_of_that_session_and_nobody_elses() {
    let mut one = SignedIn::new();
    let second = Client::second();
    let also = second.sign_in(&one.world.server, &mut one.browser, &second.ask(&one.world.server));
    assert_eq!(also.claims["sid"], one.tokens.claims["sid"], "one session");
    let elsewhere = one.world.sign_in(&mut one.world.browser());
    let hint = one.tokens.id_token.clone();
    one.leave(&[("id_token_hint", &hint)]);
    one.assert_out();
    one.world.assert_dead(&also.access);
    one.world.assert_alive(&elsewhere.access);
}
