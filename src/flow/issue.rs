//! What is issued, and how it is ended.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::client_auth::CallFault;
use super::ports::{Ports, Request, Unavailable};
use super::signing::{MintFault, mint_id_token};
use crate::base::limits::REVOKED_LIFETIME;
use crate::base::{Digest, Secret, Span};
use crate::broker::code::Residue;
use crate::identity::User;
use crate::keys::algorithm::JwsAlgorithm;
use crate::keys::jws::verify_jws;
use crate::keys::signing::JwtType;
use crate::oidc::client::AccessTokenKind;
use crate::oidc::error::ErrorCode::ServerError;
use crate::oidc::{Client, OAuthError, Scope};
use crate::state::{Kind, Name, Record};
use crate::token::access::{AccessRecord, AccessState};
use crate::token::claims::{Holder, access_token};
use crate::token::family::{FamilyId, NewTokens};
use crate::token::grant::Grant;
use crate::token::refresh_token::{FAMILY_ID_BYTES, RefreshToken, SECRET_BYTES};
use crate::token::subject::Subject;

/// A successful answer (RFC 6749 §5.1).
#[derive(Debug)]
pub struct TokenAnswer {
    pub access_token: Secret,
    pub expires_in: Span,
    pub refresh_token: Option<Secret>,
    /// None for programs, and where a refresh asks for less than `openid` (OIDC Core §12.2).
    pub id_token: Option<Secret>,
    /// None for a program's token without any rights.
    pub scope: Option<String>,
}

/// The tokens about to be issued, drawn before the code is taken, so that a second use of the code knows what
/// the first one issued.
pub struct Drawn {
    /// The access token itself; a signed one has only its digest, as `jti`.
    pub access: Secret,
    pub refresh: RefreshToken,
}

impl Drawn {
    #[must_use]
    pub fn new(ports: &Ports) -> Self {
        let (mut family, mut secret) = ([0_u8; FAMILY_ID_BYTES], [0_u8; SECRET_BYTES]);
        ports.dice.fill(&mut family);
        ports.dice.fill(&mut secret);
        Self { access: Secret::new(ports.dice.token()), refresh: RefreshToken::mint(family, secret) }
    }

    pub(super) fn digests(&self) -> NewTokens {
        NewTokens { refresh: self.refresh.digest(), access: Digest::of(self.access.expose()) }
    }

    pub(super) fn residue(&self) -> Residue {
        Residue { access: Digest::of(self.access.expose()), family: self.refresh.family() }
    }
}

/// An access token as a family of its own, under which the database remembers that it was revoked.
#[must_use]
pub const fn alone(access: Digest) -> FamilyId {
    FamilyId(access)
}

/// Ends a family and an access token, whether they are there yet or not.
///
/// # Errors
/// [`CallFault::Unavailable`].
pub async fn revoke(
    ports: &Ports,
    request: &Request,
    family: Option<&FamilyId>,
    access: Digest,
) -> Result<(), CallFault> {
    let name = Name { kind: Kind::AccessToken, digest: access };
    let tombstone =
        Record { name, bytes: AccessState::Revoked { at: request.now }.encode(), lifetime: REVOKED_LIFETIME };
    ports.state.put(vec![tombstone]).await.map_err(Unavailable::from)?;
    // A store that is restored forgets that; the database doesn't.
    for id in family.into_iter().chain([&alone(access)]) {
        ports.directory.families.revoke(id, request.now).await.map_err(Unavailable::from)?;
    }
    Ok(())
}

/// Writes an access token's record, unless it was revoked before it was born.
///
/// # Errors
/// [`CallFault::Unavailable`].
pub async fn keep_access(ports: &Ports, token: &Secret, record: AccessRecord) -> Result<bool, CallFault> {
    let lifetime = Span::from_ms(record.expires.ms() - record.issued.ms());
    let name = Name::of(Kind::AccessToken, token.expose());
    let record = Record { name, bytes: AccessState::Issued(Box::new(record)).encode(), lifetime };
    Ok(ports.state.put_new(record).await.map_err(Unavailable::from)?)
}

/// Whether an access token is a signed one; an opaque one has no dot.
#[must_use]
pub fn is_signed(token: &str) -> bool {
    token.contains('.')
}

/// The name under which a presented access token's record is kept: an opaque one names it itself, a signed one by
/// its `jti`, once its signature is checked (RFC 9068 §4).
#[must_use]
pub fn access_name(ports: &Ports, request: &Request, token: &str) -> Option<Name> {
    if !is_signed(token) {
        return Some(Name::of(Kind::AccessToken, token));
    }
    let ring = ports.ring.load();
    let ours = [JwsAlgorithm::Rs256, JwsAlgorithm::Es256, JwsAlgorithm::EdDsa];
    let jws = verify_jws(token, ring.verifying(), &ours).ok()?;
    let text = |name: &str| jws.claims.get(name).and_then(Value::as_str);
    let issued_here = jws.header.is(JwtType::AccessToken) && text("iss") == Some(&request.config.server.issuer);
    let digest = Digest::from_base64url(text("jti")?)?;
    issued_here.then_some(Name { kind: Kind::AccessToken, digest })
}

/// Whether an answer comes with a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresh {
    Issued,
    None,
}

/// Signs, and puts the answer together.
///
/// # Errors
/// `server_error` if there is no key or directory to make tokens with.
pub fn answer(
    ports: &Ports,
    request: &Request,
    (grant, user, client): (&Grant, &User, &Arc<Client>),
    drawn: &Drawn,
    refresh: Refresh,
) -> Result<TokenAnswer, CallFault> {
    let fault = |fault| not_made(client, &fault);
    let access_token = match client.access_token {
        AccessTokenKind::Opaque => drawn.access.clone(),
        AccessTokenKind::Jwt => signed_access(ports, request, (grant, user, client), drawn).map_err(fault)?,
    };
    let id_token = if grant.has(Scope::Openid) {
        Some(Secret::new(mint_id_token(ports, request, (grant, user, client), &access_token).map_err(fault)?))
    } else {
        None
    };
    Ok(TokenAnswer {
        access_token,
        expires_in: client.tokens.access,
        refresh_token: (refresh == Refresh::Issued).then(|| drawn.refresh.text()),
        id_token,
        scope: Some(Scope::join(&grant.scopes)),
    })
}

/// Says in the log why a token could not be made.
#[must_use]
pub fn not_made(client: &Client, fault: &MintFault) -> CallFault {
    tracing::error!(client = %client.id, %fault, "no token could be made");
    OAuthError::new(ServerError, "the tokens could not be made").into()
}

fn signed_access(
    ports: &Ports,
    request: &Request,
    (grant, user, client): (&Grant, &User, &Client),
    drawn: &Drawn,
) -> Result<Secret, MintFault> {
    let directory = request.config.directories.get(&user.directory).ok_or(MintFault::NoDirectory)?;
    let subject = Subject::of(&user.id, client, &ports.pairwise_salt);
    let holder = Holder { subject: &subject, grant, user, client, directory };
    let id = drawn.digests().access.base64url();
    let claims = access_token(holder, &request.config.server.issuer, &id, request.now);
    sign_access(ports, request, client, &claims)
}

/// Signs the claims of an access token with the client's algorithm (RFC 9068 §2.1).
///
/// # Errors
/// [`MintFault`].
pub fn sign_access(
    ports: &Ports,
    request: &Request,
    client: &Client,
    claims: &Map<String, Value>,
) -> Result<Secret, MintFault> {
    let ring = ports.ring.load();
    let key = ring.signer(client.id_token_alg, request.now).ok_or(MintFault::NoKey)?;
    Ok(Secret::new(key.sign(claims, JwtType::AccessToken)?))
}
