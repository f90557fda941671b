//! The token endpoint (RFC 6749 §3.2): who is calling, and for which grant.

use super::client_auth::{Call, CallFault, prove, read_proof};
use super::client_credentials::client_credentials;
use super::code::code;
use super::issue::TokenAnswer;
use super::ports::Ports;
use super::refresh::refresh;
use super::sync_token::sync_token;
use crate::oidc::OAuthError;
use crate::oidc::client::GrantType;
use crate::oidc::error::ErrorCode::{InvalidRequest, UnauthorizedClient, UnsupportedGrantType};

/// Answers `/acs/token`.
///
/// # Errors
/// [`CallFault`]: an OAuth error, or 503 while something that it depends on is down.
pub async fn token(ports: &Ports, call: Call) -> Result<TokenAnswer, CallFault> {
    let request = ports.request();
    if call.params.repeated().is_some() {
        return Err(OAuthError::new(InvalidRequest, "a parameter stands more than once").into());
    }
    let proof = read_proof(&call)?;
    if let Some(answer) = sync_token(ports, &request, &call, &proof).await? {
        return Ok(answer);
    }
    let client = prove(ports, &request, &call, &proof).await?;
    let grant_type = match call.params.get("grant_type") {
        None => return Err(OAuthError::new(InvalidRequest, "grant_type is missing").into()),
        Some("authorization_code") => GrantType::AuthorizationCode,
        Some("refresh_token") => GrantType::RefreshToken,
        Some("client_credentials") => GrantType::ClientCredentials,
        Some(_) => return Err(OAuthError::new(UnsupportedGrantType, "this grant type is not supported").into()),
    };
    if !client.may_use(grant_type) {
        return Err(OAuthError::new(UnauthorizedClient, "this client may not use this grant type").into());
    }
    match grant_type {
        GrantType::AuthorizationCode => code(ports, &request, &client, &call.params).await,
        GrantType::RefreshToken => refresh(ports, &request, &client, &call.params).await,
        GrantType::ClientCredentials => client_credentials(ports, &request, &client, &call.params).await,
    }
}
