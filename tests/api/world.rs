//! A server with an identity provider, on one clock, and what tests look at after each step.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use vestibule::base::{Moment, Span};

use crate::support::browser::{Browser, Page};
use crate::support::client::{Ask, Client, Tokens};
use crate::support::clock::ManualClock;
use crate::support::evil_idp::EvilIdp;
use crate::support::http::Response;
use crate::support::server::{Server, Setup, block_on};

/// The session's cookie under https.
pub const SESSION_COOKIE: &str = "__Host-vestibule-session";

/// Somebody at the identity provider.
pub struct Person {
    pub sub: &'static str,
    pub email: &'static str,
    pub given: &'static str,
    pub family: &'static str,
}

pub const ALICE: Person = Person { sub: "alice-at-idp", email: "alice@contoso.com", given: "Alice", family: "Adams" };
pub const BOB: Person = Person { sub: "bob-at-idp", email: "bob@contoso.com", given: "Bob", family: "Brown" };

impl Person {
    pub fn claims(&self) -> Map<String, Value> {
        let claims = json!({
            "sub": self.sub, "preferred_username": self.email, "email": self.email, "email_verified": true,
            "given_name": self.given, "family_name": self.family, "name": format!("{} {}", self.given, self.family),
        });
        claims.as_object().cloned().unwrap_or_default()
    }
}

pub struct World {
    pub server: Server,
    /// The provider `contoso`.
    pub idp: EvilIdp,
    /// The provider `fabrikam`, where a test has two.
    pub other: Option<EvilIdp>,
}

impl World {
    /// `contoso` is the only identity provider, and Alice signs in there.
    pub fn new() -> Self {
        Self::with(|_, _| {})
    }

    pub fn with(change: impl FnOnce(&mut Setup, &EvilIdp)) -> Self {
        let clock = Arc::new(ManualClock::at_this_moment());
        let idp = EvilIdp::start(clock.clone());
        let mut setup = Setup::new(&idp.issuer());
        change(&mut setup, &idp);
        let world = Self { server: setup.start(clock), idp, other: None };
        world.next_is(&ALICE);
        world
    }

    /// A second provider, `fabrikam`, with people of the same directory.
    pub fn two_idps() -> Self {
        Self::two_idps_with(|_, _, _| {})
    }

    pub fn two_idps_with(change: impl FnOnce(&mut Setup, &EvilIdp, &EvilIdp)) -> Self {
        let clock = Arc::new(ManualClock::at_this_moment());
        let (idp, other) = (EvilIdp::start(clock.clone()), EvilIdp::start(clock.clone()));
        let mut setup = Setup::new(&idp.issuer());
        setup.idp("fabrikam", &other.issuer(), &["contoso.co.uk"]);
        change(&mut setup, &idp, &other);
        let world = Self { server: setup.start(clock), idp, other: Some(other) };
        world.next_is(&ALICE);
        world.other().set(|script| script.person = BOB.claims());
        world
    }

    pub fn other(&self) -> &EvilIdp {
        self.other.as_ref().expect("a world with two providers")
    }

    /// Who signs in next at `contoso`.
    pub fn next_is(&self, person: &Person) {
        self.idp.set(|script| script.person = person.claims());
    }

    /// The authorization requests that reached the providers, as their parameters.
    pub fn upstream_logins(&self) -> Vec<HashMap<String, String>> {
        let idps = std::iter::once(&self.idp).chain(&self.other);
        idps.flat_map(EvilIdp::seen).filter(|seen| seen.path == "/authorize").map(|seen| seen.params()).collect()
    }

    /// How often a code was turned in at the providers.
    pub fn exchanges(&self) -> usize {
        std::iter::once(&self.idp).chain(&self.other).map(|idp| idp.count("/token")).sum()
    }

    /// A whole login of `access`, with everything asked for.
    #[track_caller]
    pub fn sign_in(&self, browser: &mut Browser) -> Tokens {
        let client = Client::access();
        client.sign_in(&self.server, browser, &client.ask(&self.server))
    }

    /// A login whose tokens include a refresh token.
    #[track_caller]
    pub fn sign_in_for_long(&self, client: &Client, browser: &mut Browser) -> Tokens {
        let ask = client.ask(&self.server).with("scope", "openid profile email offline_access");
        client.sign_in(&self.server, browser, &ask)
    }

    /// A code that nobody has used yet, and the request it answers.
    #[track_caller]
    pub fn fresh_code(&self, client: &Client) -> (Ask, String) {
        let ask = client.ask(&self.server);
        let code = ask.run(&mut self.server.browser()).code();
        (ask, code)
    }

    /// The URL at which the browser would come back from the provider, not yet visited.
    #[track_caller]
    pub fn at_the_callback(&self, browser: &mut Browser, ask: &Ask) -> String {
        browser.until(&ask.url(), |url| url.contains("/federation/auth/response/"))
    }

    /// A page for people: its status, a reference, no way to be kept or framed. Gives its text.
    #[track_caller]
    pub fn is_page(&self, page: &Page, status: u16) -> String {
        let response = page.response();
        assert_eq!(response.status, status, "{}: {}", page.url, response.text());
        is_guarded(response);
        let text = response.text();
        assert!(reference(&text).is_some(), "a reference is on the page: {text}");
        text
    }

    /// Whether this browser is signed in, as a client can find out.
    #[track_caller]
    pub fn is_signed_in(&self, browser: &Browser) -> bool {
        let ask = Client::access().ask(&self.server).with("prompt", "none");
        let answer = ask.run(&mut browser.tab());
        if answer.fields.contains_key("code") {
            return true;
        }
        assert!(matches!(answer.error(), "login_required" | "interaction_required"), "{:?}", answer.fields);
        false
    }

    /// After a refusal: nobody signed in, nobody sent upstream, no code turned in there.
    #[track_caller]
    pub fn nothing_happened(&self, browser: &Browser) {
        assert!(self.upstream_logins().is_empty(), "somebody was sent upstream: {:?}", self.upstream_logins());
        assert_eq!(self.exchanges(), 0, "a code was turned in upstream");
        let kept: Vec<String> = browser.cookies(&self.server.base).into_iter().map(|c| c.name).collect();
        assert!(!kept.iter().any(|name| name.contains("session")), "a session cookie: {kept:?}");
    }

    /// The directory's user who is matched by this externalId, as a login would find it.
    pub fn user_id(&self, external_id: &str) -> Option<String> {
        let users = &self.server.running().ports().directory.users;
        let found = block_on(users.find("contoso", "externalId", external_id)).expect("the database works");
        found.first().map(|user| user.id.0.clone())
    }

    /// A user as provisioning would write it.
    pub fn provision(&self, external_id: &str, user_name: &str) -> String {
        let attributes = [("userName", json!(user_name)), ("externalId", json!(external_id))];
        let user = vestibule::directory::JitUser {
            fresh_id: vestibule::identity::UserId(format!("id-of-{external_id}")),
            directory: "contoso".to_owned(),
            match_attribute: "externalId".to_owned(),
            match_value: external_id.to_owned(),
            attributes: attributes.into_iter().map(|(n, v)| (n.to_owned(), v)).collect(),
            email_verified: false,
        };
        let users = &self.server.running().ports().directory.users;
        block_on(users.provision(user, self.now())).expect("the database works");
        self.user_id(external_id).expect("it is there now")
    }

    pub fn now(&self) -> Moment {
        self.server.now()
    }

    pub fn advance(&self, span: Span) {
        self.server.advance(span);
    }
}

/// Headers that every page has: not kept, not framed, no referrer, a policy without anything inline.
#[track_caller]
pub fn is_guarded(response: &Response) {
    let header = |name: &str| response.header(name).unwrap_or_default().to_owned();
    assert!(header("content-type").starts_with("text/html"), "{}", response.text());
    assert!(header("cache-control").contains("no-store"), "cache-control: {}", header("cache-control"));
    assert_eq!(header("referrer-policy"), "no-referrer");
    assert_eq!(header("x-content-type-options"), "nosniff");
    let csp = header("content-security-policy");
    assert!(csp.contains("frame-ancestors 'none'"), "{csp}");
    assert!(csp.contains("default-src 'none'"), "{csp}");
    assert!(!csp.contains("unsafe-inline") && !csp.contains("unsafe-eval"), "{csp}");
    assert!(response.header("location").is_none());
}

/// The reference that a page shows: 22 base64url characters in its text, outside of any tag.
pub fn reference(html: &str) -> Option<String> {
    let visible = html.split('<').filter_map(|piece| piece.split_once('>')).map(|(_, text)| text);
    let mut words = visible.flat_map(|text| text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_')));
    words.find(|word| word.len() == 22).map(str::to_owned)
}

/// A page's text with its reference taken out, for comparisons.
pub fn without_reference(html: &str) -> String {
    match reference(html) {
        Some(reference) => html.replace(&reference, "REFERENCE"),
        None => html.to_owned(),
    }
}
