//! A provisioning service turns its id and secret into an access token (RFC 6749 §4.4) that opens SCIM of one directory,
//! and nothing else.

use super::client_auth::{Call, CallFault, Proof, refused};
use super::issue::TokenAnswer;
use super::ports::{Ports, Request, Unavailable};
use crate::base::limits::SYNC_TOKEN_LIFETIME;
use crate::base::{Digest, Secret, Span};
use crate::directory::roster::SyncKind;
use crate::oidc::error::ErrorCode::{InvalidRequest, UnauthorizedClient};
use crate::oidc::{ClientId, OAuthError};
use crate::state::{Kind, Name, Record};
use crate::token::access::{AccessState, SyncRecord};

/// How the ids of credentials begin.
pub const SYNC_CLIENT_PREFIX: &str = "scim-";

/// Answers a token request that comes with the id of a SCIM credential; `None`: it comes from a client of the files. A
/// client of the files has the id if both do.
///
/// # Errors
/// [`CallFault`].
pub async fn sync_token(
    ports: &Ports,
    request: &Request,
    call: &Call,
    proof: &Proof,
) -> Result<Option<TokenAnswer>, CallFault> {
    let Some((id, secret)) = proof.secret() else { return Ok(None) };
    if !id.starts_with(SYNC_CLIENT_PREFIX) || request.config.client(id).is_some() {
        return Ok(None);
    }
    let digest = Digest::of(secret.expose());
    let known = ports.directory.sync_clients.by_id(id).await.map_err(Unavailable::from)?;
    let known = known.filter(|known| known.kind == SyncKind::Oauth && known.secret.matches(&digest));
    let Some(known) = known else { return Err(refused(ports, request, call, id)) };
    if known.expires <= request.now || !request.config.directories.contains_key(&known.directory) {
        tracing::warn!(credential = known.id, name = known.name, "an expired SCIM credential asks for a token");
        return Err(refused(ports, request, call, id));
    }
    match call.params.get("grant_type") {
        Some("client_credentials") => {}
        None => return Err(OAuthError::new(InvalidRequest, "grant_type is missing").into()),
        Some(_) => return Err(OAuthError::new(UnauthorizedClient, "this client may not use this grant type").into()),
    }
    let expires = request.now.plus(SYNC_TOKEN_LIFETIME).min(known.expires);
    let lifetime: Span = expires.since(request.now);
    let token = Secret::new(ports.dice.token());
    let record = SyncRecord { client: ClientId(known.id), issued: request.now, expires };
    let name = Name::of(Kind::AccessToken, token.expose());
    let kept = Record { name, bytes: AccessState::Sync(record).encode(), lifetime };
    ports.state.put(vec![kept]).await.map_err(Unavailable::from)?;
    ports.sightings.used(id, request.now);
    Ok(Some(TokenAnswer {
        access_token: token,
        expires_in: lifetime,
        refresh_token: None,
        id_token: None,
        scope: None,
    }))
}
