//! Identity providers: metadata, keys, client authentication, and openidconnect behind two functions,
//! [`Upstream::authorization_url`] and [`Upstream::exchange`].

use crate::base::Moment;
use serde_json::{Map, Value};

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
    pub id_token: crate::base::Secret,
}

impl std::fmt::Debug for VerifiedIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VerifiedIdentity")
            .field("claims", &self.claims.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// Why an identity provider could not be asked, or its answer not be believed. The provider's own words
/// are in `detail`, for the trace only.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamFault {
    /// It can't be reached, is too slow, or says 429 or 5xx.
    #[error("the identity provider is unavailable")]
    Unavailable { detail: String },
    /// It answered with an OAuth error at its token endpoint.
    #[error("the identity provider refused the code")]
    Refused { error: String, detail: String },
    /// Its answer is broken or not to be trusted.
    #[error("the identity provider's answer fails the check `{check}`")]
    Untrusted { check: &'static str, detail: String },
    /// Our own settings for it can't work (an unreadable key, say).
    #[error("the settings of the identity provider can't be used")]
    Misconfigured { detail: String },
}
