//! What one sign-in gives one client: the facts that every token of it is made from.

use serde::{Deserialize, Serialize};

use crate::base::Moment;
use crate::identity::UserId;
use crate::oidc::{Client, ClientId, IdpId, Scope};

/// The version of the stored form of [`Grant`]. Records of another one count as absent.
pub const GRANT_VERSION: u32 = 1;

/// A sign-in's result for a client; kept in codes and access tokens. Nothing about the person is in it
/// but ids: claims are made from the directory as it is when a token is made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grant {
    /// [`GRANT_VERSION`].
    pub version: u32,
    pub client: ClientId,
    pub user: UserId,
    /// The stem of the user's directory at sign-in.
    pub directory: String,
    pub idp: IdpId,
    /// The session's id, as in the claim `sid`.
    pub sid: String,
    /// Granted ones, in the order of [`Scope::ALL`].
    pub scopes: Vec<Scope>,
    /// The authorization request's nonce; goes into the first ID token only (OIDC Core §12.2).
    pub nonce: Option<String>,
    /// When the person proved who it is.
    pub auth_time: Moment,
    pub acr: Option<String>,
    pub amr: Vec<String>,
}

impl Grant {
    #[must_use]
    pub fn has(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// The same with the scopes that the client's file still lists.
    #[must_use]
    pub fn within(mut self, client: &Client) -> Self {
        self.scopes.retain(|scope| client.scopes.contains(scope));
        self
    }

    /// The same for what outlives the first answer.
    #[must_use]
    pub fn without_nonce(self) -> Self {
        Self { nonce: None, ..self }
    }
}
