//! Identity providers: metadata, keys, client authentication, and openidconnect behind two functions,
//! [`authorization_url`] and [`Upstream::exchange`].

mod keyset;
mod authorize;
mod metadata;
mod client_key;
mod token_call;
mod id_token;
mod logout_token;
mod userinfo;
mod provider;
mod exchange;
mod door;
mod probe;

use serde_json::{Map, Value};
use url::Url;

use crate::base::{Moment, Secret, Span};
use crate::oidc::pkce::CodeChallenge;
use crate::outbound::{OutboundFault, cut};

pub use authorize::authorization_url;
pub use client_key::public_jwks;
pub use door::Upstream;
pub use exchange::wanted_claims;
pub use logout_token::{LogoutNotice, LogoutToken, LogoutTokenFault};
pub use probe::ProbeFinding;

/// What an identity provider says about the person, after every check of OIDC Core §3.1.3.7.
#[derive(Clone)]
pub struct VerifiedIdentity {
    pub issuer: String,
    pub subject: String,
    /// The ID token's claims, with userinfo's merged where wanted.
    pub claims: Map<String, Value>,
    pub auth_time: Option<Moment>,
    pub acr: Option<String>,
    pub amr: Vec<String>,
    /// The provider's session id, for its sign-out notices.
    pub sid: Option<String>,
    /// The raw ID token, kept sealed for a forwarded sign-out only.
    pub id_token: Secret,
    /// How long the provider took, for the trace.
    pub timings: Timings,
}

impl std::fmt::Debug for VerifiedIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VerifiedIdentity")
            .field("claims", &self.claims.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// How long the steps of one exchange took, by a clock that never jumps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// The code's redemption at the token endpoint.
    pub token: Span,
    /// Finding the keys and checking the ID token; a fetch of the keys is in it.
    pub verification: Span,
    /// The call of the userinfo endpoint, if there was one.
    pub userinfo: Option<Span>,
}

/// Why an identity provider could not be asked, or its answer not be believed. The provider's own words
/// are in `detail`, for the trace only.
#[derive(Clone, Debug, thiserror::Error)]
pub enum UpstreamFault {
    /// It can't be reached, is too slow, or says 429 or 5xx.
    #[error("the identity provider is unavailable")]
    Unavailable { detail: String },
    /// It answered with an OAuth error at its token endpoint.
    #[error("the identity provider refused the code, or our client authentication")]
    Refused { error: String, detail: String },
    /// Its answer is broken or not to be trusted.
    #[error("the identity provider's answer fails the check `{check}`")]
    Untrusted { check: &'static str, detail: String },
    /// Our own settings for it can't work (an unreadable key, say).
    #[error("the settings of the identity provider can't be used")]
    Misconfigured { detail: String },
}

impl UpstreamFault {
    fn untrusted(check: &'static str, detail: impl AsRef<str>) -> Self {
        Self::Untrusted { check, detail: cut(detail.as_ref()) }
    }

    fn unavailable(detail: impl AsRef<str>) -> Self {
        Self::Unavailable { detail: cut(detail.as_ref()) }
    }

    /// What happened, in the provider's words where it has some: for the trace and for `check --online`.
    #[must_use]
    pub fn detail(&self) -> &str {
        match self {
            Self::Unavailable { detail }
            | Self::Refused { detail, .. }
            | Self::Untrusted { detail, .. }
            | Self::Misconfigured { detail } => detail,
        }
    }
}

impl From<OutboundFault> for UpstreamFault {
    fn from(fault: OutboundFault) -> Self {
        match fault {
            OutboundFault::Unavailable { detail } => Self::Unavailable { detail },
            OutboundFault::Untrusted { check, detail } => Self::Untrusted { check, detail },
            OutboundFault::Misconfigured { detail } => Self::Misconfigured { detail },
        }
    }
}

/// What a provider's discovery document says (OIDC Discovery §3), checked: the issuer is the configured
/// one, the endpoints are https (or http on loopback), and those that get codes and secrets are on the
/// issuer's origin.
#[derive(Clone, Debug)]
pub struct ProviderFacts {
    /// Byte for byte as it stands in the file.
    pub issuer: String,
    pub authorization_endpoint: Url,
    pub token_endpoint: Url,
    pub userinfo_endpoint: Option<Url>,
    /// None too if it is one that nobody may be sent to.
    pub end_session: EndSession,
    pub jwks_uri: Url,
    /// `authorization_response_iss_parameter_supported` (RFC 9207 §3): an answer without `iss` is refused.
    pub announces_iss: bool,
    /// `token_endpoint_auth_methods_supported`; `None` if it says nothing.
    pub client_authentication: Option<Vec<String>>,
    /// `id_token_signing_alg_values_supported`, as far as they are known here.
    pub id_token_algs: Vec<String>,
    /// `code_challenge_methods_supported` has S256, or says nothing.
    pub takes_s256: bool,
}

/// Where people sign out at a provider (RP-Initiated Logout 1.0 §2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndSession {
    /// It announces nothing.
    Absent,
    /// It announces an address that nobody may be sent to.
    Unusable,
    At(Url),
}

impl EndSession {
    #[must_use]
    pub const fn url(&self) -> Option<&Url> {
        match self {
            Self::At(url) => Some(url),
            Self::Absent | Self::Unusable => None,
        }
    }
}

/// What is sent to a provider's authorization endpoint besides what the settings say.
#[derive(Clone)]
pub struct AuthorizationCall {
    pub redirect_uri: String,
    pub state: String,
    pub nonce: String,
    pub code_challenge: CodeChallenge,
    /// The text as it shall arrive: it is encoded once, here.
    pub login_hint: Option<String>,
    pub domain_hint: Option<String>,
    pub prompt: Option<String>,
    /// Seconds.
    pub max_age: Option<i64>,
    pub acr_values: Option<String>,
    pub ui_locales: Option<String>,
    /// Further extras besides `authorize_params`. Neither overrides anything above.
    pub extra: Vec<(String, String)>,
}

impl std::fmt::Debug for AuthorizationCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthorizationCall").field("redirect_uri", &self.redirect_uri).finish_non_exhaustive()
    }
}

/// A code to redeem, with what was sent when it was asked for.
#[derive(Clone, Copy)]
pub struct CodeCall<'a> {
    pub code: &'a str,
    /// The PKCE verifier (RFC 7636 §4.5).
    pub verifier: &'a Secret,
    /// As it was sent to the authorization endpoint, byte for byte.
    pub redirect_uri: &'a str,
    /// The ID token must name the same.
    pub nonce: &'a str,
    /// With `userinfo = "auto"`, userinfo is asked if one of these claims is missing in the ID token;
    /// [`wanted_claims`] derives them from the settings.
    pub wanted: &'a [String],
}

impl std::fmt::Debug for CodeCall<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CodeCall").field("redirect_uri", &self.redirect_uri).finish_non_exhaustive()
    }
}
