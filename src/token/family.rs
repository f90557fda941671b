//! A refresh family: what one sign-in may be renewed by, one live token at a time (RFC 9700 §4.14.2).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::{Digest, Moment};
use crate::identity::UserId;
use crate::oidc::{ClientId, IdpId, Scope};

/// The digest of the family's random id, which is the first half of its refresh tokens.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FamilyId(pub Digest);

impl fmt::Debug for FamilyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "family {:?}", self.0)
    }
}

/// One row of the database; every turn of the family replaces it under its `generation`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Family {
    pub id: FamilyId,
    /// Grows by one with every write.
    pub generation: u64,
    pub client: ClientId,
    pub user: UserId,
    pub directory: String,
    pub idp: IdpId,
    /// The session it was born in.
    pub sid: String,
    /// Whether it ends with that session (no `offline_access`).
    pub bound_to_session: bool,
    pub scopes: Vec<Scope>,
    pub auth_time: Moment,
    pub acr: Option<String>,
    pub amr: Vec<String>,
    pub created: Moment,
    /// Absolute end; no turn moves it.
    pub ends: Moment,
    /// End if it isn't used before.
    pub idle_ends: Moment,
    /// The digest of the one refresh token that is good now.
    pub current: Digest,
    /// The access token issued beside it.
    pub current_access: Digest,
    /// The token that was turned in for `current`, for the repeat window.
    pub previous: Option<Digest>,
    pub rotated_at: Option<Moment>,
    /// How often the previous token was presented again within the window.
    pub repeats: u32,
    pub revoked_at: Option<Moment>,
}
