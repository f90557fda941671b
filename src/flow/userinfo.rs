//! The userinfo endpoint (OIDC Core §5.3): the directory of now, for a token that still holds.

use serde_json::{Map, Value};

use super::client_auth::CallFault;
use super::ports::Ports;
use super::presented::{Holding, find};
use crate::base::Secret;
use crate::oidc::error::ErrorCode::{InsufficientScope, InvalidToken};
use crate::oidc::{OAuthError, Scope};
use crate::token::claims::{Holder, userinfo as claims};
use crate::token::subject::Subject;

const REFUSED: OAuthError = OAuthError::new(InvalidToken, "the access token is not valid");

/// Answers `/acs/userinfo` for a bearer token.
///
/// # Errors
/// `invalid_token`, `insufficient_scope` for a token that is about no person or without `openid`, or 503 while it can't be
/// told.
pub async fn userinfo(ports: &Ports, token: &Secret) -> Result<Map<String, Value>, CallFault> {
    let request = ports.request();
    let found = find(ports, &request, token.expose()).await?.ok_or(REFUSED)?;
    let client = found.client.clone();
    let person = match found.hold(ports, &request).await?.ok_or(REFUSED)? {
        Holding::Person(person) => person,
        Holding::Machine(_) => {
            return Err(OAuthError::new(InsufficientScope, "the access token is about no person").into());
        }
    };
    let (grant, user) = (&person.record.grant, &person.standing.user);
    // A refresh may ask for less.
    if !grant.has(Scope::Openid) {
        return Err(OAuthError::new(InsufficientScope, "the access token lacks the scope openid").into());
    }
    let directory = request.config.directories.get(&user.directory).ok_or(REFUSED)?;
    let subject = Subject::of(&user.id, &client, &ports.pairwise_salt);
    Ok(claims(Holder { subject: &subject, grant, user, client: &client, directory }))
}
