//! A code, once, for tokens (OIDC Core §3.1.3).

use std::sync::Arc;

use super::client_auth::CallFault;
use super::issue::{Drawn, Refresh, TokenAnswer, answer, keep_access, revoke};
use super::ports::{Ports, Request, Unavailable};
use super::rules::{Issued, hold};
use super::sessions::encode;
use crate::base::limits::{CODE_LIFETIME, CODE_RESIDUE_LIFETIME};
use crate::broker::code::{CodeRequest, IssuedCode, Residue, redeem};
use crate::oidc::error::ErrorCode::InvalidGrant;
use crate::oidc::params::Params;
use crate::oidc::{Client, OAuthError};
use crate::state::{Kind, Name, Record, Taken};
use crate::token::access::AccessRecord;
use crate::token::family::{Family, is_refreshable};
use crate::token::grant::Grant;

/// Answers a token request of grant type `authorization_code`.
///
/// # Errors
/// [`CallFault`].
pub async fn code(
    ports: &Ports,
    request: &Request,
    client: &Arc<Client>,
    params: &Params,
) -> Result<TokenAnswer, CallFault> {
    let ask = CodeRequest::parse(params)?;
    let drawn = Drawn::new(ports);
    let name = Name::of(Kind::Code, ask.code);
    let taken = ports.state.take(name, encode(&drawn.residue()), CODE_RESIDUE_LIFETIME).await;
    let bytes = match taken.map_err(Unavailable::from)? {
        Taken::Once(bytes) => bytes,
        Taken::Already(residue) => return Err(reused(ports, request, client, &residue).await),
        Taken::Never => return Err(refused("the code is unknown or has expired")),
    };
    let Some(issued) = IssuedCode::decode(&bytes) else { return Err(refused("the code is unknown or has expired")) };
    if issued.grant.client != client.id {
        tracing::warn!(client = %client.id, reference = %issued.reference, "ALARM a code was presented by another client");
    }
    redeem(&issued, &ask, client, request.now)?;
    match pay(ports, request, client, &issued, &drawn).await {
        Err(CallFault::Unavailable) => {
            // Nothing was issued: the code is put back, so that it still pays when what is down is up again.
            let back = ports.state.put(vec![Record { name, bytes, lifetime: CODE_LIFETIME }]).await;
            if let Err(fault) = back {
                tracing::warn!(%fault, "a code could not be put back");
            }
            Err(CallFault::Unavailable)
        }
        paid => paid,
    }
}

fn refused(description: &'static str) -> CallFault {
    OAuthError::new(InvalidGrant, description).into()
}

/// A code came a second time (RFC 6749 §4.1.2): what its first use issued dies, also what is about to be issued.
async fn reused(ports: &Ports, request: &Request, client: &Client, residue: &[u8]) -> CallFault {
    tracing::warn!(client = %client.id, "ALARM a code was used twice; what its first use issued is revoked");
    if let Ok(residue) = serde_json::from_slice::<Residue>(residue)
        && let Err(fault) = revoke(ports, request, Some(&residue.family), residue.access).await
    {
        return fault;
    }
    refused("the code was used before")
}

/// Whether the session was signed out since the rules were asked.
async fn is_signed_out(ports: &Ports, grant: &Grant) -> Result<bool, Unavailable> {
    let standing = ports.directory.users.standing(&grant.user, Some(&grant.sid), &[]).await?;
    Ok(standing.is_none_or(|standing| standing.signed_out))
}

/// Asks the rules once more, and issues.
async fn pay(
    ports: &Ports,
    request: &Request,
    client: &Arc<Client>,
    issued: &IssuedCode,
    drawn: &Drawn,
) -> Result<TokenAnswer, CallFault> {
    let grant = &issued.grant.clone().within(client);
    let standing = ports.directory.users.standing(&grant.user, Some(&grant.sid), &[]).await;
    let standing = standing.map_err(Unavailable::from)?;
    let rules = Issued { client: Some(client), idp: &grant.idp, at: issued.issued, bound_to_session: true };
    hold(request, rules, standing.as_ref().into()).map_err(|why| {
        tracing::info!(client = %client.id, %why, "a code is worth nothing any more");
        refused("the sign-in no longer holds")
    })?;
    let Some(standing) = standing else { return Err(refused("the sign-in no longer holds")) };
    let family = is_refreshable(grant, client)
        .then(|| Family::begin(drawn.refresh.family(), grant, drawn.digests(), &client.tokens, request.now))
        .map(|family| family.within_session(issued.session_ends));
    if let Some(family) = family.clone() {
        let begun = ports.directory.families.begin(family).await.map_err(Unavailable::from)?;
        if !begun && is_signed_out(ports, grant).await? {
            return Err(refused("the sign-in no longer holds"));
        }
    }
    let record = AccessRecord::new(grant.clone(), family.as_ref(), client.tokens.access, request.now);
    // A second use of the code may have revoked both before they were kept. The first one is answered all the same, as
    // it would have been a moment earlier: its tokens are dead, its ID token is not.
    keep_access(ports, &drawn.access, record).await?;
    let refresh = if family.is_some() { Refresh::Issued } else { Refresh::None };
    answer(ports, request, (grant, &standing.user, client), drawn, refresh)
}
