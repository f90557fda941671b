//! Our signing keys: loaded, rotated, and used for ID tokens and logout tokens.

use serde_json::Value;

use super::ports::{Ports, Request};
use crate::base::{Digest, Secret};
use crate::identity::{User, UserId};
use crate::keys::jws::verify_own_id_token;
use crate::keys::ring::Ring;
use crate::keys::signing::{JwtType, SignFault};
use crate::oidc::Client;
use crate::oidc::params::Params;
use crate::token::claims::{Holder, id_token};
use crate::token::grant::Grant;
use crate::token::logout_token::{Departure, logout_token};
use crate::token::subject::Subject;

/// What an ID token of ours says when it comes back as a hint.
#[derive(Debug)]
pub struct ReturnedIdToken {
    pub subject: String,
    pub audience: String,
    pub sid: Option<String>,
}

/// Reads an ID token of ours that comes back as `id_token_hint`, expired or not; `None` for anything else.
#[must_use]
pub fn read_id_token(ring: &Ring, token: &str, issuer: &str) -> Option<ReturnedIdToken> {
    let claims = verify_own_id_token(token, ring.verifying(), issuer).ok()?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
    Some(ReturnedIdToken { subject: text("sub")?, audience: text("aud")?, sid: text("sid") })
}

/// What the `id_token_hint` of a request says (OIDC Core §3.1.2.1).
#[derive(Debug)]
pub enum IdTokenHint {
    None,
    /// The `sub` that must sign in.
    Of(String),
    /// It proves nothing, and so signs nobody in silently.
    Unusable,
}

/// Reads the `id_token_hint` of a client's request: an ID token of ours for this client, expired or not.
#[must_use]
pub fn id_token_hint(ports: &Ports, request: &Request, client: &Client, params: &Params) -> IdTokenHint {
    let Some(token) = params.get("id_token_hint") else { return IdTokenHint::None };
    match read_id_token(&ports.ring.load(), token, &request.config.server.issuer) {
        Some(hint) if hint.audience == client.id.0 => IdTokenHint::Of(hint.subject),
        _ => IdTokenHint::Unusable,
    }
}

/// Why no token could be made.
#[derive(Debug, thiserror::Error)]
pub enum MintFault {
    #[error("there is no signing key for the client's algorithm")]
    NoKey,
    #[error("the user's directory is not configured")]
    NoDirectory,
    #[error(transparent)]
    Sign(#[from] SignFault),
}

/// Signs the ID token of a grant with the client's algorithm.
///
/// # Errors
/// [`MintFault`].
pub fn mint_id_token(
    ports: &Ports,
    request: &Request,
    (grant, user, client): (&Grant, &User, &Client),
    access_token: &Secret,
) -> Result<String, MintFault> {
    let directory = request.config.directories.get(&user.directory).ok_or(MintFault::NoDirectory)?;
    let subject = Subject::of(&user.id, client, &ports.pairwise_salt);
    let holder = Holder { subject: &subject, grant, user, client, directory };
    let claims = id_token(holder, &request.config.server.issuer, Some(access_token.expose()), request.now);
    let ring = ports.ring.load();
    let key = ring.signer(client.id_token_alg, request.now).ok_or(MintFault::NoKey)?;
    Ok(key.sign(&claims, JwtType::Jwt)?)
}

/// Signs a logout token with the client's algorithm: `user` has left session `sid`, or all at that client.
///
/// # Errors
/// [`MintFault`].
pub fn mint_logout_token(
    ports: &Ports,
    request: &Request,
    (client, user, sid): (&Client, &UserId, Option<&str>),
) -> Result<Secret, MintFault> {
    let subject = Subject::of(user, client, &ports.pairwise_salt);
    let departure = Departure { subject: &subject, client, sid };
    let claims = logout_token(departure, &request.config.server.issuer, &ports.dice.id(), request.now);
    let ring = ports.ring.load();
    let key = ring.signer(client.id_token_alg, request.now).ok_or(MintFault::NoKey)?;
    Ok(Secret::new(key.sign(&claims, JwtType::LogoutToken)?))
}

/// The kids of a ring, as a digest: tells whether two rings are the same.
#[must_use]
pub fn fingerprint(ring: &Ring) -> Digest {
    Digest::of(ring.jwks())
}
