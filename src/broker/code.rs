//! The authorization code: one sign-in for one client, redeemed once (RFC 6749 §4.1.2, §4.1.3).

use serde::{Deserialize, Serialize};

use super::request::AuthorizationRequest;
use super::session::Session;
use crate::base::limits::CODE_LIFETIME;
use crate::base::{Digest, Moment};
use crate::oidc::error::ErrorCode::{InvalidGrant, InvalidRequest};
use crate::oidc::params::Params;
use crate::oidc::pkce::CodeChallenge;
use crate::oidc::{Client, OAuthError};
use crate::token::family::FamilyId;
use crate::token::grant::{GRANT_VERSION, Grant};

/// What the state store keeps under the digest of a code.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct IssuedCode {
    pub version: u8,
    pub grant: Grant,
    pub challenge: Option<CodeChallenge>,
    pub redirect_uri: String,
    pub issued: Moment,
    /// When the session ends at the latest: a refresh family without offline_access ends then too.
    #[serde(default)]
    pub session_ends: Option<Moment>,
    /// The login's trace.
    pub reference: String,
}

/// The form in which codes are written now.
pub const CODE_VERSION: u8 = 1;

/// What a code's first use issued: left in its place, so that a second use can revoke it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Residue {
    pub access: Digest,
    pub family: FamilyId,
}

impl IssuedCode {
    /// Reads what a store holds; anything unreadable or of another version is as if absent.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok().filter(|code: &Self| code.version == CODE_VERSION)
    }
}

/// What a session gives to the client of this request.
#[must_use]
pub fn grant(request: &AuthorizationRequest, session: &Session) -> Grant {
    Grant {
        version: GRANT_VERSION,
        client: request.client.clone(),
        user: session.user.clone(),
        directory: session.directory.clone(),
        idp: session.idp.clone(),
        sid: session.sid.clone(),
        scopes: request.scopes.clone(),
        nonce: request.nonce.clone(),
        auth_time: session.auth_time,
        acr: session.acr.clone(),
        amr: session.amr.clone(),
    }
}

/// The code for a granted request.
#[must_use]
pub fn issue(request: &AuthorizationRequest, grant: Grant, now: Moment, reference: &str) -> IssuedCode {
    IssuedCode {
        version: CODE_VERSION,
        grant,
        challenge: request.challenge.clone(),
        redirect_uri: request.back.redirect_uri().to_owned(),
        issued: now,
        session_ends: None,
        reference: reference.to_owned(),
    }
}

/// A token request of grant type `authorization_code`.
#[derive(Debug)]
pub struct CodeRequest<'p> {
    pub code: &'p str,
    redirect_uri: Option<&'p str>,
    verifier: Option<&'p str>,
}

impl<'p> CodeRequest<'p> {
    /// # Errors
    /// `invalid_request` if there is no code.
    pub fn parse(params: &'p Params) -> Result<Self, OAuthError> {
        let code = params.get("code").ok_or(OAuthError::new(InvalidRequest, "code is missing"))?;
        Ok(Self { code, redirect_uri: params.get("redirect_uri"), verifier: params.get("code_verifier") })
    }
}

/// Whether the code, which is spent from now on in any case, pays for this request.
///
/// # Errors
/// `invalid_grant`: another client, too late, a redirect URI that is another or no longer the client's, a verifier that
/// doesn't fit or wasn't expected.
pub fn redeem(issued: &IssuedCode, ask: &CodeRequest<'_>, client: &Client, now: Moment) -> Result<(), OAuthError> {
    let refused = |description| Err(OAuthError::new(InvalidGrant, description));
    if issued.grant.client != client.id {
        return refused("the code is not for this client");
    }
    if now > issued.issued.plus(CODE_LIFETIME) {
        return refused("the code has expired");
    }
    if ask.redirect_uri != Some(issued.redirect_uri.as_str()) {
        return refused("redirect_uri is not that of the authorization request");
    }
    if !client.redirect_uris.contains(&issued.redirect_uri) {
        return refused("redirect_uri is no longer registered");
    }
    match (&issued.challenge, ask.verifier) {
        (Some(challenge), Some(verifier)) if challenge.is_met_by(verifier) => Ok(()),
        (Some(_), Some(_)) => refused("code_verifier does not fit the code_challenge"),
        (Some(_), None) => refused("code_verifier is missing"),
        (None, Some(_)) => refused("code_verifier without a code_challenge"),
        (None, None) => Ok(()),
    }
}
