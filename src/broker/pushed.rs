//! Pushed authorization requests (RFC 9126), as they are kept and named.

use serde::{Deserialize, Serialize};

use super::request::{AuthorizationRequest, PushedAs};
use crate::base::limits::PUSHED_LIFETIME;
use crate::base::{Digest, Moment};
use crate::oidc::params::Params;

/// What every `request_uri` of ours begins with (RFC 9126 §2.2).
const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

/// What the state store keeps under the digest of the `request_uri`. It is there until the login that it began must
/// have ended, so that a page can be loaded again; only for [`PUSHED_LIFETIME`] does it begin one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PushedRequest {
    pub version: u8,
    pub at: Moment,
    pub counted_at: u64,
    /// It passed every check when it was pushed.
    pub asked: AuthorizationRequest,
    /// It has an `id_token_hint` that proves nothing.
    pub hint_is_unusable: bool,
}

/// The form in which pushed requests are written now.
pub const PUSHED_VERSION: u8 = 1;

impl PushedRequest {
    /// Reads what a store holds; anything unreadable or of another version is as if absent.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok().filter(|pushed: &Self| pushed.version == PUSHED_VERSION)
    }

    /// Whether a login may begin with it.
    #[must_use]
    pub fn is_alive(&self, now: Moment) -> bool {
        now <= self.at.plus(PUSHED_LIFETIME)
    }

    /// The request, knowing by which `request_uri` it came.
    #[must_use]
    pub fn named(self, reference: &str) -> AuthorizationRequest {
        let pushed = PushedAs { digest: Digest::of(reference), at: self.at, counted_at: self.counted_at };
        AuthorizationRequest { pushed: Some(pushed), ..self.asked }
    }
}

/// The `request_uri` for a fresh token.
#[must_use]
pub fn request_uri(token: &str) -> String {
    format!("{PREFIX}{token}")
}

/// The `request_uri` of a request, if it is of ours.
#[must_use]
pub fn reference(params: &Params) -> Option<&str> {
    params.get("request_uri").filter(|uri| uri.starts_with(PREFIX))
}
