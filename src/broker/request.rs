//! From parameters to a proven client: nothing is redirected before this.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::answer::ReturnAddress;
use crate::base::limits::{CLIENT_ID_BYTES_MAX, STATE_BYTES_MAX};
use crate::base::text::LoginHint;
use crate::base::{Digest, Moment};
use crate::hint::EntryPath;
use crate::i18n::PageError;
use crate::oidc::params::Params;
use crate::oidc::pkce::CodeChallenge;
use crate::oidc::prompt::Prompt;
use crate::oidc::{Client, ClientId, Scope};

/// A request whose client and redirect URI are proven. Every later error goes back to the client.
#[derive(Debug)]
pub struct ClientRequest<'p> {
    pub client: Arc<Client>,
    pub back: ReturnAddress,
    pub params: &'p Params,
    /// `state` was longer than we return.
    pub state_too_long: bool,
}

/// An authorization request that passed every check (OIDC Core §3.1.2.1); kept while the person signs in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AuthorizationRequest {
    pub client: ClientId,
    pub back: ReturnAddress,
    pub scopes: Vec<Scope>,
    pub nonce: Option<String>,
    pub challenge: Option<CodeChallenge>,
    pub prompt: Prompt,
    /// Seconds.
    pub max_age: Option<u32>,
    pub acr_values: Option<String>,
    pub ui_locales: Option<String>,
    pub hint: Option<LoginHint>,
    /// What the person typed at our page.
    pub typed: Option<LoginHint>,
    pub domain: Option<String>,
    /// The person that must sign in, by `sub`: from `id_token_hint` or the `claims` parameter.
    pub subject: Option<String>,
    pub entry: EntryPath,
    /// The pushed request that it came as.
    #[serde(default)]
    pub pushed: Option<PushedAs>,
}

impl AuthorizationRequest {
    /// Whether it is of this client, which still has the redirect URI that the answer goes to: its file may have changed
    /// since the request was accepted.
    #[must_use]
    pub fn is_of(&self, client: &Client) -> bool {
        self.client == client.id && client.redirect_uris.iter().any(|uri| uri == self.back.redirect_uri())
    }
}

/// Which pushed authorization request (RFC 9126) is being answered. It is spent when the client gets its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushedAs {
    /// The digest of its `request_uri`.
    pub digest: Digest,
    pub at: Moment,
    /// The counter of unanswered pushes that it stands in.
    pub counted_at: u64,
}

/// The `client_id` to look up, or why there is none.
///
/// # Errors
/// [`PageError::MalformedRequest`] if client_id or redirect_uri stand twice, [`PageError::LinkInvalid`] if there is no
/// usable client_id.
pub fn client_id(params: &Params) -> Result<&str, PageError> {
    if params.is_repeated("client_id") || params.is_repeated("redirect_uri") {
        return Err(PageError::MalformedRequest);
    }
    params.get("client_id").filter(|id| id.len() <= CLIENT_ID_BYTES_MAX).ok_or(PageError::LinkInvalid)
}

/// Proves that the request's redirect URI is the client's (RFC 9700 §2.1: exact comparison of text). That the client is
/// known and enabled is asked where it is looked up.
///
/// # Errors
/// [`PageError::LinkInvalid`] for a redirect URI that is absent or not registered, as for an unknown client: one text for
/// all, nothing redirected.
pub fn validate_client<'p>(
    client: Arc<Client>,
    params: &'p Params,
    issuer: &str,
) -> Result<ClientRequest<'p>, PageError> {
    let asked = params.get("redirect_uri").ok_or(PageError::LinkInvalid)?;
    if !client.redirect_uris.iter().any(|registered| registered == asked) {
        return Err(PageError::LinkInvalid);
    }
    let state = params.get("state").filter(|_| !params.is_repeated("state"));
    let state_too_long = state.is_some_and(|state| state.len() > STATE_BYTES_MAX);
    let kept = state.filter(|_| !state_too_long).map(str::to_owned);
    let back = ReturnAddress::proven(asked.to_owned(), issuer.to_owned()).with_state(kept);
    Ok(ClientRequest { client, back, params, state_too_long })
}
