//! The userinfo endpoint (OIDC Core §5.3): the directory of now, for a token that still holds.

use serde_json::{Map, Value};

use super::client_auth::CallFault;
use super::issue::access_name;
use super::issue::alone;
use super::ports::{Ports, Request, Unavailable};
use super::rules::{Issued, hold};
use crate::base::limits::REFRESH_REPEAT_WINDOW;
use crate::base::{Secret, Span};
use crate::directory::Standing;
use crate::oidc::OAuthError;
use crate::oidc::error::ErrorCode::InvalidToken;
use crate::state::{Name, Record};
use crate::token::access::{AccessRecord, AccessState};
use crate::token::claims::{Holder, userinfo as claims};
use crate::token::subject::Subject;

const REFUSED: OAuthError = OAuthError::new(InvalidToken, "the access token is not valid");

/// Answers `/acs/userinfo` for a bearer token.
///
/// # Errors
/// `invalid_token`, or 503 while it can't be told.
pub async fn userinfo(ports: &Ports, token: &Secret) -> Result<Map<String, Value>, CallFault> {
    let request = ports.request();
    let name = access_name(ports, &request, token.expose()).ok_or(REFUSED)?;
    let bytes = ports.state.peek(name).await.map_err(Unavailable::from)?.ok_or(REFUSED)?;
    let Some(AccessState::Issued(record)) = AccessState::decode(&bytes) else { return Err(REFUSED.into()) };
    if record.is_expired(request.now) {
        return Err(REFUSED.into());
    }
    let client = request.config.clients.get(&record.grant.client).cloned().ok_or(REFUSED)?;
    let grant = &record.grant;
    let standing = standing(ports, name, &record).await?.ok_or(REFUSED)?;
    let issued =
        Issued { client: Some(&client), idp: &grant.idp, at: record.issued, bound_to_session: record.bound_to_session };
    hold(&request, issued, Some(&standing).into()).map_err(|_| REFUSED)?;
    note_first_use(ports, &request, name, bytes, &record).await?;
    let directory = request.config.directories.get(&standing.user.directory).ok_or(REFUSED)?;
    let subject = Subject::of(&standing.user.id, &client, &ports.pairwise_salt);
    Ok(claims(Holder { subject: &subject, grant, user: &standing.user, client: &client, directory }))
}

/// The standing of now; a token is revoked with its family, or alone.
async fn standing(ports: &Ports, name: Name, record: &AccessRecord) -> Result<Option<Standing>, Unavailable> {
    let (users, grant, alone) = (&ports.directory.users, &record.grant, alone(name.digest));
    let standing = users.standing(&grant.user, Some(&grant.sid), Some(&alone)).await?;
    match (&record.family, standing) {
        (Some(family), Some(standing)) if !standing.family_revoked => {
            Ok(users.standing(&grant.user, Some(&grant.sid), Some(family)).await?)
        }
        (_, standing) => Ok(standing),
    }
}

/// A used access token shows that its refresh token arrived too; only while that can matter is it written down.
async fn note_first_use(
    ports: &Ports,
    request: &Request,
    name: Name,
    seen: Vec<u8>,
    record: &AccessRecord,
) -> Result<(), CallFault> {
    let age = request.now.since(record.issued);
    let matters = record.family.is_some() && age <= Span::from_ms(REFRESH_REPEAT_WINDOW.ms() * 2);
    let Some(used) = record.first_use().filter(|_| matters) else { return Ok(()) };
    let lifetime = Span::from_ms(record.expires.ms() - request.now.ms());
    let bytes = AccessState::Issued(Box::new(used)).encode();
    let noted = ports.state.swap(seen, Record { name, bytes, lifetime }).await.map_err(Unavailable::from)?;
    // Somebody else noted it, or a repeated refresh voided the token in this very moment.
    if noted { Ok(()) } else { still_there(ports, name).await }
}

async fn still_there(ports: &Ports, name: Name) -> Result<(), CallFault> {
    let kept = ports.state.peek(name).await.map_err(Unavailable::from)?;
    match kept.as_deref().and_then(AccessState::decode) {
        Some(AccessState::Issued(_)) => Ok(()),
        _ => Err(REFUSED.into()),
    }
}
