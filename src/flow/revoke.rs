//! Revocation (RFC 7009): a client gives back what it was issued.

use super::client_auth::{Call, CallFault, authenticate};
use super::issue::{access_name, revoke as end};
use super::ports::{Ports, Unavailable};
use crate::oidc::OAuthError;
use crate::oidc::error::ErrorCode::{InvalidClient, InvalidRequest};
use crate::token::access::AccessState;
use crate::token::refresh_token::RefreshToken;

/// Answers `/acs/revoke`. A token that is unknown, or another client's, is answered like one that was revoked.
///
/// # Errors
/// `invalid_client` without client authentication, 503 while it can't be done.
pub async fn revoke(ports: &Ports, call: Call) -> Result<(), CallFault> {
    let request = ports.request();
    if call.params.repeated().is_some() {
        return Err(OAuthError::new(InvalidRequest, "a parameter stands more than once").into());
    }
    let client = authenticate(ports, &request, &call).await?;
    if client.is_public() {
        return Err(OAuthError::new(InvalidClient, "revocation needs client authentication").into());
    }
    let token = call.params.get("token").ok_or(OAuthError::new(InvalidRequest, "token is missing"))?;
    if let Some(refresh) = RefreshToken::parse(token) {
        let family = ports.directory.families.family(&refresh.family()).await.map_err(Unavailable::from)?;
        if let Some(family) = family.filter(|family| family.client == client.id) {
            end(ports, &request, Some(&family.id), family.current_access).await?;
        }
        return Ok(());
    }
    let Some(name) = access_name(ports, &request, token) else { return Ok(()) };
    let kept = ports.state.peek(name).await.map_err(Unavailable::from)?;
    let state = kept.as_deref().and_then(AccessState::decode);
    if state.as_ref().and_then(AccessState::issued_to).is_some_and(|(issued_to, _)| *issued_to == client.id) {
        end(ports, &request, None, name.digest).await?;
    }
    Ok(())
}
