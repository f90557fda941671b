//! A server with one identity provider, and what is looked at after each step.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::support::browser::{Browser, Page};
use crate::support::client::{Ask, Client, Tokens, userinfo};
use crate::support::clock::ManualClock;
use crate::support::evil_idp::EvilIdp;
use crate::support::http::Response;
use crate::support::server::{Server, Setup, block_on};

/// Everything that a client with refresh tokens asks for.
pub const OFFLINE: &str = "openid profile email offline_access";

/// The claims of somebody at a provider, marked by name everywhere.
pub fn person(name: &str) -> Map<String, Value> {
    let claims = json!({
        "sub": format!("{name}-at-idp"), "preferred_username": format!("{name}@contoso.com"),
        "email": format!("{name}@contoso.com"), "email_verified": true,
        "given_name": name, "family_name": "Adams", "name": format!("{name} Adams"),
    });
    claims.as_object().cloned().unwrap_or_default()
}

pub struct World {
    pub server: Server,
    pub idp: EvilIdp,
}

impl World {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// With other files. `alice` is who signs in.
    pub fn with(change: impl FnOnce(&mut Setup)) -> Self {
        let clock = Arc::new(ManualClock::at_this_moment());
        let idp = EvilIdp::start(clock.clone());
        idp.set(|script| script.person = person("alice"));
        let mut setup = Setup::new(&idp.issuer());
        change(&mut setup);
        Self { server: setup.start(clock), idp }
    }

    pub fn browser(&self) -> Browser {
        self.server.browser()
    }

    pub fn ask(&self) -> Ask {
        Client::access().ask(&self.server)
    }

    /// A whole login of `access` in a new browser, with a refresh token that outlives the session.
    #[track_caller]
    pub fn offline(&self) -> Tokens {
        self.offline_of(&Client::access())
    }

    #[track_caller]
    pub fn offline_of(&self, client: &Client) -> Tokens {
        let ask = client.ask(&self.server).with("scope", OFFLINE);
        client.sign_in(&self.server, &mut self.browser(), &ask)
    }

    /// A whole login of `access`.
    #[track_caller]
    pub fn sign_in(&self, browser: &mut Browser) -> Tokens {
        Client::access().sign_in(&self.server, browser, &self.ask())
    }

    /// A code that nobody has redeemed, and the request that it answers.
    #[track_caller]
    pub fn code(&self) -> (Ask, String) {
        let ask = self.ask().with("scope", OFFLINE);
        let code = ask.run(&mut self.browser()).code();
        (ask, code)
    }

    /// Sends a browser to the provider and back, up to our redirect URI: the address it is about to open.
    #[track_caller]
    pub fn at_callback(&self, browser: &mut Browser, ask: &Ask) -> String {
        browser.until(&ask.url(), |url| url.contains("/federation/auth/response/"))
    }

    #[track_caller]
    pub fn assert_alive(&self, access: &str) {
        let answer = userinfo(&self.server, access);
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    #[track_caller]
    pub fn assert_dead(&self, access: &str) {
        let answer = userinfo(&self.server, access);
        assert_eq!((answer.status, answer.error().as_str()), (401, "invalid_token"), "{}", answer.text());
    }

    /// Whether the browser has a session that answers silently.
    #[track_caller]
    pub fn is_signed_in(&self, browser: &Browser) -> bool {
        let answer = self.ask().with("prompt", "none").run(&mut browser.tab());
        if answer.fields.contains_key("code") {
            return true;
        }
        assert_eq!(answer.error(), "login_required");
        false
    }

    /// How many logins went to the provider.
    pub fn sent_upstream(&self) -> usize {
        self.idp.count("/authorize")
    }

    /// How many users the directory has under this external id.
    pub fn user_ids(&self, name: &str) -> Vec<String> {
        let users = &self.server.running().ports().directory.users;
        let found = block_on(users.find("contoso", "externalId", &format!("{name}-at-idp"))).expect("the database");
        found.into_iter().map(|user| user.id.0).collect()
    }
}

/// An error page: its status, a localised text, no redirect, nothing set.
#[track_caller]
pub fn assert_page(page: &Page, status: u16) {
    let answer = page.response();
    assert_eq!(answer.status, status, "{}: {}", page.url, answer.text());
    assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html")), "a page for people");
    assert_eq!(answer.header("location"), None);
}

/// A refused grant, and nothing else in the answer.
#[track_caller]
pub fn assert_refused(answer: &Response, error: &str) {
    let status = if error == "invalid_client" { 401 } else { 400 };
    assert_eq!((answer.status, answer.error().as_str()), (status, error), "{}", answer.text());
    let body = answer.json();
    for name in ["access_token", "refresh_token", "id_token"] {
        assert!(body.get(name).is_none(), "{name} in a refusal");
    }
    assert!(answer.header("cache-control").is_some_and(|value| value.contains("no-store")));
}
