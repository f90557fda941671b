//! A program in its own name (RFC 6749 §4.4): no person, no ID token, no refresh token.

use std::sync::Arc;

use super::client_auth::CallFault;
use super::issue::{TokenAnswer, not_made, sign_access};
use super::ports::{Ports, Request, Unavailable};
use crate::base::{Digest, Secret};
use crate::oidc::client::AccessTokenKind;
use crate::oidc::error::ErrorCode::UnauthorizedClient;
use crate::oidc::params::Params;
use crate::oidc::{Client, OAuthError};
use crate::state::{Kind, Name, Record};
use crate::token::access::AccessState;
use crate::token::machine::{MachineRecord, claims, granted, scope};

/// Answers a token request of grant type `client_credentials`.
///
/// # Errors
/// [`CallFault`].
pub async fn client_credentials(
    ports: &Ports,
    request: &Request,
    client: &Arc<Client>,
    params: &Params,
) -> Result<TokenAnswer, CallFault> {
    if client.is_public() {
        return Err(OAuthError::new(UnauthorizedClient, "this client can't prove who it is").into());
    }
    let record = MachineRecord::new(client, granted(params.get("scope"), client)?, request.now);
    let drawn = Secret::new(ports.dice.token());
    let digest = Digest::of(drawn.expose());
    let scope = scope(&record.rule_sets);
    let access_token = match client.access_token {
        AccessTokenKind::Opaque => drawn,
        AccessTokenKind::Jwt => {
            let claims = claims(&record, &request.config.server.issuer, &digest.base64url());
            sign_access(ports, request, client, &claims).map_err(|fault| not_made(client, &fault))?
        }
    };
    let name = Name { kind: Kind::AccessToken, digest };
    let (bytes, lifetime) = (AccessState::Machine(record).encode(), client.tokens.access);
    ports.state.put(vec![Record { name, bytes, lifetime }]).await.map_err(Unavailable::from)?;
    Ok(TokenAnswer { access_token, expires_in: client.tokens.access, refresh_token: None, id_token: None, scope })
}
