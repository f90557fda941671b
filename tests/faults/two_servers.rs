//! Two servers with one Redis and one database are one: G03, G06, G12.

use std::sync::Arc;

use super::nodes::{beside_with, on_redis_with};
use crate::support::assertion::Signer;
use crate::support::browser::Browser;
use crate::support::client::{Client, Proof, Tokens, userinfo, verify};
use crate::support::http::Request;
use crate::support::redis::RedisServer;
use crate::support::server::{ISSUER, REDIRECT_URI, Server, Setup};
use crate::world::{OFFLINE, World, assert_page, assert_refused};

struct Two {
    one: World,
    other: Server,
    _redis: RedisServer,
}

impl Two {
    fn new() -> Self {
        Self::with(|_| {})
    }

    /// Both with these files.
    fn with(change: impl Fn(&mut Setup)) -> Self {
        let redis = RedisServer::start();
        let one = on_redis_with(&redis, &change);
        let other = beside_with(&one, &redis, &change);
        Self { one, other, _redis: redis }
    }

    /// The same browser, whose next request goes to the other server.
    fn moved(&self, browser: &Browser) -> Browser {
        let moved = self.other.browser();
        for cookie in browser.cookies(&self.other.base) {
            moved.plant(&self.other.base, &cookie.name, &cookie.value);
        }
        moved
    }
}

#[test]
fn g12_a_login_may_change_servers_at_every_step_and_its_tokens_are_good_at_both() {
    let two = Two::new();
    let client = Client::access();
    let mut browser = two.one.browser();
    let ask = two.one.ask().with("scope", OFFLINE);
    let callback = two.one.at_callback(&mut browser, &ask);
    let mut moved = two.moved(&browser);
    let code = ask.answer(&moved.open(&callback)).code();
    let first = Tokens::verified(&two.one.server, &client, Some(&ask), &client.redeem(&two.one.server, &ask, &code));
    for server in [&two.one.server, &two.other] {
        assert_eq!(verify(server, &first.id_token)["sub"], first.sub());
        assert_eq!(userinfo(server, &first.access).json()["sub"], first.sub());
    }
    let next = Tokens::verified(&two.other, &client, None, &client.refresh(&two.other, first.refresh()));
    assert_eq!(userinfo(&two.one.server, &next.access).json()["sub"], first.sub());
    assert_refused(&client.redeem(&two.other, &ask, &code), "invalid_grant");
    for server in [&two.one.server, &two.other] {
        assert_eq!(userinfo(server, &next.access).status, 401, "the code came twice: everything dies everywhere");
    }
}

#[test]
fn g03_somebody_switched_off_at_one_server_is_refused_at_the_other_at_once() {
    let two = Two::new();
    let client = Client::access();
    let mut browser = two.one.browser();
    let ask = two.one.ask().with("scope", OFFLINE);
    let tokens = client.sign_in(&two.one.server, &mut browser, &ask);
    let (code_ask, code) = two.one.code();
    assert_eq!(userinfo(&two.other, &tokens.access).status, 200);
    two.one.server.deactivate(tokens.sub());
    assert_eq!(userinfo(&two.other, &tokens.access).status, 401);
    assert_refused(&client.refresh(&two.other, tokens.refresh()), "invalid_grant");
    assert_refused(&client.redeem(&two.other, &code_ask, &code), "invalid_grant");
    let silent = client.ask(&two.other).with("prompt", "none");
    assert_eq!(silent.run(&mut two.moved(&browser)).error(), "login_required");
    assert_page(&two.other.browser().open(&client.ask(&two.other).url()), 403);
}

#[test]
fn g06_a_sign_out_at_one_server_is_one_at_the_other() {
    let two = Two::new();
    let client = Client::access();
    let mut browser = two.one.browser();
    let tokens = two.one.sign_in(&mut browser);
    let thief = two.moved(&browser);
    let silent = || client.ask(&two.other).with("prompt", "none").run(&mut thief.tab());
    silent().code();
    browser.open(&format!("{}/openid/logout?id_token_hint={}", two.one.server.issuer, tokens.id_token));
    assert_eq!(silent().error(), "login_required");
    assert_eq!(userinfo(&two.other, &tokens.access).status, 401);
}

#[test]
fn a088_an_assertion_that_one_server_has_heard_is_refused_at_the_other() {
    let signer = Arc::new(Signer::generate("k1"));
    let file = format!("name = \"Keyed\"\n{}\nredirect_uris = [\"{REDIRECT_URI}\"]\n", signer.as_toml());
    let two = Two::with(|setup| {
        setup.file("clients/keyed.toml", &file);
    });
    let client = Client::new("keyed", Proof::Assertion(Arc::clone(&signer)), REDIRECT_URI);
    let ask = client.ask(&two.one.server);
    let code = ask.run(&mut two.one.browser()).code();
    let redeem = |server: &Server, assertion: &str| {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", REDIRECT_URI),
            ("code_verifier", ask.verifier.as_str()),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", assertion),
        ];
        server.send(&Request::form(&server.url("/acs/token"), &fields))
    };
    let heard = signer.assertion("keyed", ISSUER, two.one.server.now());
    let introspect = [
        ("token", "none"),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", heard.as_str()),
    ];
    let answer = two.one.server.send(&Request::form(&two.one.server.url("/acs/introspect"), &introspect));
    assert_eq!(answer.status, 200, "it is good for once: {}", answer.text());
    assert_refused(&redeem(&two.other, &heard), "invalid_client");
    let fresh = signer.assertion("keyed", ISSUER, two.one.server.now());
    assert_eq!(redeem(&two.other, &fresh).status, 200, "and the code was not touched");
}
