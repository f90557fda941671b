//! A login at the identity provider: what is kept here, and what is asked there.

use serde::{Deserialize, Serialize};

use super::next::freshness;
use super::request::AuthorizationRequest;
use crate::audit::Trace;
use crate::base::limits::PENDING_LIFETIME;
use crate::base::text::LoginHint;
use crate::base::{Digest, Moment, Secret};
use crate::hint::{Decision, Guard};
use crate::oidc::idp::FreshnessProof;
use crate::oidc::pkce::CodeChallenge;
use crate::oidc::{Idp, IdpId};

/// Where a login ends.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Destination {
    /// At the client that asked for it.
    Client(Box<AuthorizationRequest>),
    /// Third-party-initiated without a client of its own: a session, and our page of links.
    Links {
        /// Who the third party says is going to sign in.
        hint: Option<LoginHint>,
    },
}

impl Destination {
    /// The request of the client, if one waits for the answer.
    #[must_use]
    pub fn request(&self) -> Option<&AuthorizationRequest> {
        match self {
            Self::Client(request) => Some(request),
            Self::Links { .. } => None,
        }
    }
}

/// One sign-in under way; kept under the digest of its `state` and the browser's binding secret together, so
/// that another browser doesn't even find it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PendingLogin {
    pub version: u8,
    pub started: Moment,
    pub destination: Destination,
    pub idp: IdpId,
    pub redirect_uri: String,
    pub nonce: Secret,
    pub verifier: Secret,
    pub guard: Guard,
    /// prompt=login was sent.
    pub login_forced: bool,
    /// The configuration that the login began with.
    pub config: Digest,
    pub trace: Trace,
    /// The counter of logins under way that this one stands in.
    pub counted_at: u64,
}

/// The form in which pending logins are written now.
pub const PENDING_VERSION: u8 = 1;

/// Secrets drawn for one login.
#[derive(Debug)]
pub struct FreshSecrets {
    pub state: Secret,
    pub nonce: Secret,
    pub verifier: Secret,
    /// The browser's binding cookie.
    pub binding: Secret,
}

/// What is asked of the identity provider. Can't be made without a hint [`Decision`].
#[derive(Debug)]
pub struct UpstreamRequest {
    pub redirect_uri: String,
    pub state: Secret,
    pub nonce: Secret,
    pub challenge: CodeChallenge,
    pub login_hint: Option<String>,
    pub domain_hint: Option<String>,
    pub prompt: Option<String>,
    pub max_age: Option<u32>,
    pub acr_values: Option<String>,
    pub ui_locales: Option<String>,
}

impl PendingLogin {
    /// Reads what a store holds; anything unreadable or of another version is as if absent.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok().filter(|pending: &Self| pending.version == PENDING_VERSION)
    }

    #[must_use]
    pub fn is_alive(&self, now: Moment) -> bool {
        now <= self.started.plus(PENDING_LIFETIME)
    }

    /// The request of the client, if one waits for the answer.
    #[must_use]
    pub fn request(&self) -> Option<&AuthorizationRequest> {
        self.destination.request()
    }
}

/// The text whose digest names the pending login.
#[must_use]
pub fn pending_token(state: &str, binding: &str) -> String {
    format!("{state}.{binding}")
}

/// Builds the request to the identity provider from the hint decision and what the client asked for.
///
/// A provider that gives no `auth_time` can only prove a recent sign-in by having been told to make one, so there
/// `max_age` is sent as prompt=login too.
#[must_use]
pub fn upstream_request(
    destination: &Destination,
    idp: &Idp,
    decision: &Decision,
    fresh: &FreshSecrets,
    redirect_uri: String,
) -> UpstreamRequest {
    let request = destination.request();
    let must_be_fresh = request.and_then(freshness).is_some();
    let force = must_be_fresh && idp.freshness == FreshnessProof::Prompt;
    let prompt = match decision.prompt() {
        Some(prompt) if !force => Some(prompt.to_owned()),
        _ if force || request.is_some_and(|r| r.max_age == Some(0)) => Some("login".to_owned()),
        _ => None,
    };
    UpstreamRequest {
        redirect_uri,
        state: fresh.state.clone(),
        nonce: fresh.nonce.clone(),
        challenge: CodeChallenge::of(fresh.verifier.expose()),
        login_hint: decision.login_hint().map(str::to_owned),
        domain_hint: decision.domain_hint().map(str::to_owned),
        prompt,
        max_age: request.and_then(|r| r.max_age),
        acr_values: request.and_then(|r| r.acr_values.clone()),
        ui_locales: request.and_then(|r| r.ui_locales.clone()),
    }
}
