//! One company's identity provider: what it knows and what it remembers.

use std::sync::Arc;

use crate::base::{Clock, Dice, Moment, Secret, Span};
use crate::demo::people::{Company, Person};
use crate::demo::shelf::Shelf;
use crate::demo::wire::Request;
use crate::keys::signing::SigningKey;
use crate::oidc::Prompt;
use crate::oidc::pkce::CodeChallenge;

/// How long a sign-in page may stay open.
pub const ASKED_LIFETIME: Span = Span::minutes(10);
/// How long somebody stays signed in here.
pub const SESSION_LIFETIME: Span = Span::hours(8);
/// How long an access token is good.
pub const ACCESS_LIFETIME: Span = Span::minutes(10);
/// Remembers who is signed in.
pub const SESSION_COOKIE: &str = "demo-idp-session";
/// Binds a sign-in page to the browser that it was shown in.
pub const BROWSER_COOKIE: &str = "demo-idp-browser";

/// One company's identity provider.
pub struct Realm {
    pub company: &'static Company,
    pub issuer: String,
    /// The one client: the broker.
    pub client_id: String,
    pub client_secret: Secret,
    pub redirect_uri: String,
    pub post_logout_redirect_uri: String,
    /// The page of the demo service, where one can start again.
    pub service: String,
    pub key: SigningKey,
    pub clock: Arc<dyn Clock>,
    pub dice: Arc<dyn Dice>,
    pub asked: Shelf<Asked>,
    pub sessions: Shelf<Session>,
    pub codes: Shelf<Code>,
    pub access: Shelf<Access>,
}

/// What a realm is made from.
pub struct RealmSettings {
    pub company: &'static Company,
    pub issuer: String,
    pub client_secret: Secret,
    pub redirect_uri: String,
    pub post_logout_redirect_uri: String,
    pub service: String,
    pub key: SigningKey,
}

/// An authorization request that has passed its checks.
#[derive(Clone)]
pub struct Asked {
    pub state: Option<String>,
    pub nonce: Option<String>,
    pub challenge: CodeChallenge,
    pub scopes: Vec<String>,
    pub prompt: Prompt,
    pub max_age: Option<Span>,
    pub hint: Option<String>,
    /// The value of [`BROWSER_COOKIE`] where its page is shown.
    pub browser: String,
}

/// Somebody who is signed in here.
#[derive(Clone)]
pub struct Session {
    pub person: &'static Person,
    pub auth_time: Moment,
    /// The session's name in ID tokens, which opens nothing.
    pub sid: String,
}

/// An authorization code.
#[derive(Clone)]
pub enum Code {
    Good(Box<Grant>),
    /// It was redeemed for this access token.
    Spent {
        access: String,
    },
}

/// What a code stands for.
#[derive(Clone)]
pub struct Grant {
    pub session: Session,
    pub nonce: Option<String>,
    pub challenge: CodeChallenge,
    pub scopes: Vec<String>,
}

/// An access token, for userinfo.
#[derive(Clone)]
pub struct Access {
    pub person: &'static Person,
    pub scopes: Vec<String>,
}

impl Realm {
    #[must_use]
    pub fn new(settings: RealmSettings, clock: Arc<dyn Clock>, dice: Arc<dyn Dice>) -> Self {
        let RealmSettings { company, issuer, client_secret, redirect_uri, post_logout_redirect_uri, service, key } =
            settings;
        Self {
            company,
            issuer,
            client_id: "vestibule".to_owned(),
            client_secret,
            redirect_uri,
            post_logout_redirect_uri,
            service,
            key,
            clock,
            dice,
            asked: Shelf::default(),
            sessions: Shelf::default(),
            codes: Shelf::default(),
            access: Shelf::default(),
        }
    }

    /// The path of its cookies and endpoints.
    pub(super) fn path(&self) -> String {
        format!("/{}", self.company.id)
    }

    /// Who is signed in in this browser.
    pub(super) fn session(&self, request: &Request, now: Moment) -> Option<Session> {
        self.sessions.look(request.cookie(SESSION_COOKIE)?, now)
    }
}
