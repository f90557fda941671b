//! The signed-in browser.

use serde::{Deserialize, Serialize};

use crate::base::limits::CLOCK_SKEW;
use crate::base::{Moment, Secret, Span};
use crate::identity::UserId;
use crate::oidc::{ClientId, IdpId};

/// What the state store keeps under the digest of the session cookie. `sid` is public, the cookie is not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    pub version: u8,
    pub sid: String,
    pub user: UserId,
    pub directory: String,
    pub idp: IdpId,
    /// The identity provider's session id.
    pub upstream_sid: Option<String>,
    /// The person's `sub` at the identity provider.
    #[serde(default)]
    pub upstream_subject: Option<String>,
    /// When the person last proved who they are (OIDC Core §2).
    pub auth_time: Moment,
    pub acr: Option<String>,
    pub amr: Vec<String>,
    pub created: Moment,
    pub last_used: Moment,
    /// The client that was given a code last. All of them stand on a list of the state store.
    #[serde(default)]
    pub last_client: Option<ClientId>,
}

/// The form in which sessions are written now.
pub const SESSION_VERSION: u8 = 1;

impl Session {
    /// Whether the session still lives at `now` (idle and absolute end).
    #[must_use]
    pub fn is_alive(&self, now: Moment, idle: Span, absolute: Span) -> bool {
        now <= self.last_used.plus(idle) && now <= self.created.plus(absolute)
    }

    /// Whether the sign-in is recent enough for `max_age` seconds (OIDC Core §3.1.2.1).
    #[must_use]
    pub fn satisfies_max_age(&self, max_age: Option<u32>, now: Moment) -> bool {
        max_age.is_none_or(|seconds| now <= self.auth_time.plus(Span::secs(i64::from(seconds))))
    }

    /// Reads what a store holds; anything unreadable or of another version is as if absent.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok().filter(|session: &Self| session.version == SESSION_VERSION)
    }
}

/// What a sign-out here must tell the identity provider so that it signs the person out too; kept under our `sid` for
/// as long as the session lives.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UpstreamSession {
    pub version: u8,
    pub idp: IdpId,
    /// The ID token of the sign-in, and when it expires.
    pub id_token: Option<(Secret, Moment)>,
    /// The provider's own `login_hint` claim.
    pub login_hint: Option<Secret>,
}

/// The form in which upstream sessions are written now.
pub const UPSTREAM_SESSION_VERSION: u8 = 1;

impl UpstreamSession {
    /// Reads what a store holds; anything unreadable or of another version is as if absent.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok().filter(|kept: &Self| kept.version == UPSTREAM_SESSION_VERSION)
    }
}

/// When the person signed in, as far as the identity provider tells: its `auth_time`, but never in our future.
#[must_use]
pub fn auth_time(told: Option<Moment>, now: Moment) -> Moment {
    told.map_or(now, |told| told.min(now))
}

/// Whether an identity provider's `auth_time` lies at or after `since`, clocks differing by [`CLOCK_SKEW`].
#[must_use]
pub fn is_fresh(auth_time: Moment, since: Moment) -> bool {
    auth_time.plus(CLOCK_SKEW) >= since
}
