//! The token endpoint (RFC 6749 §3.2, OIDC Core §3.1.3): a code, once, for tokens.

use std::sync::Arc;

use super::client_auth::{Call, CallFault, authenticate};
use super::ports::{Ports, Request};
use super::refresh;
use super::sessions::encode;
use super::signing::mint_id_token;
use crate::base::limits::CODE_RESIDUE_LIFETIME;
use crate::base::{Digest, Secret, Span};
use crate::broker::code::{CodeRequest, IssuedCode, Residue, redeem};
use crate::identity::User;
use crate::keys::signing::JwtType;
use crate::oidc::client::{AccessTokenKind, GrantType};
use crate::oidc::error::ErrorCode::{
    InvalidGrant, InvalidRequest, ServerError, UnauthorizedClient, UnsupportedGrantType,
};
use crate::oidc::params::Params;
use crate::oidc::{Client, OAuthError, Scope};
use crate::state::{Kind, Name, Record, Taken};
use crate::token::access::{AccessRecord, AccessState};
use crate::token::claims::{Holder, access_token};
use crate::token::family::{Family, FamilyId, NewTokens, is_refreshable};
use crate::token::grant::Grant;
use crate::token::refresh_token::{FAMILY_ID_BYTES, RefreshToken, SECRET_BYTES};
use crate::token::standing::{Rules, check};
use crate::token::subject::Subject;

/// A successful answer (RFC 6749 §5.1).
#[derive(Debug)]
pub struct TokenAnswer {
    pub access_token: Secret,
    pub expires_in: Span,
    pub refresh_token: Option<Secret>,
    pub id_token: Secret,
    pub scope: String,
}

/// Answers `/acs/token`.
///
/// # Errors
/// [`CallFault`]: an OAuth error, or 503 while something that it depends on is down.
pub async fn token(ports: &Ports, call: Call) -> Result<TokenAnswer, CallFault> {
    let request = ports.request();
    if call.params.repeated().is_some() {
        return Err(OAuthError::new(InvalidRequest, "a parameter stands more than once").into());
    }
    let client = authenticate(ports, &request, &call).await?;
    let grant_type = match call.params.get("grant_type") {
        None => return Err(OAuthError::new(InvalidRequest, "grant_type is missing").into()),
        Some("authorization_code") => GrantType::AuthorizationCode,
        Some("refresh_token") => GrantType::RefreshToken,
        Some(_) => return Err(OAuthError::new(UnsupportedGrantType, "this grant type is not supported").into()),
    };
    if !client.may_use(grant_type) {
        return Err(OAuthError::new(UnauthorizedClient, "this client may not use this grant type").into());
    }
    match grant_type {
        GrantType::RefreshToken => refresh::refresh(ports, &request, &client, &call.params).await,
        _ => code(ports, &request, &client, &call.params).await,
    }
}

/// The tokens about to be issued, drawn before the code is taken, so that a second use of the code knows what
/// the first one issued.
pub struct Drawn {
    /// The access token itself, or the id of a signed one.
    pub access: Secret,
    pub refresh: RefreshToken,
}

impl Drawn {
    fn new(ports: &Ports) -> Self {
        let (mut family, mut secret) = ([0_u8; FAMILY_ID_BYTES], [0_u8; SECRET_BYTES]);
        ports.dice.fill(&mut family);
        ports.dice.fill(&mut secret);
        Self { access: Secret::new(ports.dice.token()), refresh: RefreshToken::mint(family, secret) }
    }

    pub(super) fn digests(&self) -> NewTokens {
        NewTokens { refresh: self.refresh.digest(), access: Digest::of(self.access.expose()) }
    }

    fn residue(&self) -> Residue {
        Residue { access: Digest::of(self.access.expose()), family: self.refresh.family() }
    }
}

async fn code(
    ports: &Ports,
    request: &Request,
    client: &Arc<Client>,
    params: &Params,
) -> Result<TokenAnswer, CallFault> {
    let ask = CodeRequest::parse(params)?;
    let drawn = Drawn::new(ports);
    let name = Name::of(Kind::Code, ask.code);
    let taken = ports.state.take(name, encode(&drawn.residue()), CODE_RESIDUE_LIFETIME).await;
    let bytes = match taken.map_err(super::ports::Unavailable::from)? {
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
            let lifetime = crate::base::limits::CODE_LIFETIME;
            let back = ports.state.put(vec![Record { name, bytes, lifetime }]).await;
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
    if let Ok(residue) = serde_json::from_slice::<Residue>(residue) {
        if let Err(fault) = revoke(ports, request, Some(&residue.family), residue.access).await {
            return fault;
        }
    }
    refused("the code was used before")
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
        Record { name, bytes: AccessState::Revoked { at: request.now }.encode(), lifetime: CODE_RESIDUE_LIFETIME };
    ports.state.put(vec![tombstone]).await.map_err(super::ports::Unavailable::from)?;
    if let Some(family) = family {
        ports.directory.families.revoke(family, request.now).await.map_err(super::ports::Unavailable::from)?;
    }
    Ok(())
}

/// Asks the rules once more, and issues.
async fn pay(
    ports: &Ports,
    request: &Request,
    client: &Arc<Client>,
    issued: &IssuedCode,
    drawn: &Drawn,
) -> Result<TokenAnswer, CallFault> {
    let grant = &issued.grant;
    let standing = ports.directory.users.standing(&grant.user, Some(&grant.sid), None).await;
    let standing = standing.map_err(super::ports::Unavailable::from)?;
    check(&Rules {
        client,
        idp: request.config.idps.get(&grant.idp).map(AsRef::as_ref),
        user: standing.as_ref().map(|standing| &standing.user),
        issued: issued.issued,
        bound_to_session: true,
        signed_out: standing.as_ref().is_some_and(|standing| standing.signed_out),
        revoked: false,
    })
    .map_err(|why| {
        tracing::info!(client = %client.id, %why, "a code is worth nothing any more");
        refused("the sign-in no longer holds")
    })?;
    let Some(standing) = standing else { return Err(refused("the sign-in no longer holds")) };
    let family = is_refreshable(grant, client)
        .then(|| Family::begin(drawn.refresh.family(), grant, drawn.digests(), &client.tokens, request.now));
    if let Some(family) = family.clone() {
        let begun = ports.directory.families.begin(family).await.map_err(super::ports::Unavailable::from)?;
        if !begun {
            return Err(refused("the code was used before"));
        }
    }
    let record = AccessRecord::new(grant.clone(), family.as_ref(), client.tokens.access, request.now);
    if !keep_access(ports, &drawn.access, record).await? {
        return Err(refused("the code was used before"));
    }
    answer(ports, request, (grant, &standing.user, client), drawn, family.is_some())
}

/// Writes an access token's record, unless it was revoked before it was born.
///
/// # Errors
/// [`CallFault::Unavailable`].
pub async fn keep_access(ports: &Ports, token: &Secret, record: AccessRecord) -> Result<bool, CallFault> {
    let lifetime = Span::from_ms(record.expires.ms() - record.issued.ms());
    let name = Name::of(Kind::AccessToken, token.expose());
    let record = Record { name, bytes: AccessState::Issued(Box::new(record)).encode(), lifetime };
    Ok(ports.state.put_new(record).await.map_err(super::ports::Unavailable::from)?)
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
    refreshable: bool,
) -> Result<TokenAnswer, CallFault> {
    let fault = |fault: super::signing::MintFault| {
        tracing::error!(client = %client.id, %fault, "no token could be made");
        CallFault::OAuth(OAuthError::new(ServerError, "the tokens could not be made"))
    };
    let access_token = match client.access_token {
        AccessTokenKind::Opaque => drawn.access.clone(),
        AccessTokenKind::Jwt => signed_access(ports, request, (grant, user, client), drawn).map_err(fault)?,
    };
    let id_token = mint_id_token(ports, request, (grant, user, client), &access_token).map_err(fault)?;
    Ok(TokenAnswer {
        access_token,
        expires_in: client.tokens.access,
        refresh_token: refreshable.then(|| drawn.refresh.text()),
        id_token: Secret::new(id_token),
        scope: Scope::join(&grant.scopes),
    })
}

fn signed_access(
    ports: &Ports,
    request: &Request,
    (grant, user, client): (&Grant, &User, &Client),
    drawn: &Drawn,
) -> Result<Secret, super::signing::MintFault> {
    use super::signing::MintFault;
    let directory = request.config.directories.get(&user.directory).ok_or(MintFault::NoDirectory)?;
    let subject = Subject::of(&user.id, client, &ports.pairwise_salt);
    let holder = Holder { subject: &subject, grant, user, client, directory };
    let claims = access_token(holder, &request.config.server.issuer, drawn.access.expose(), request.now);
    let ring = ports.ring.load();
    let key = ring.signer(client.id_token_alg, request.now).ok_or(MintFault::NoKey)?;
    Ok(Secret::new(key.sign(&claims, JwtType::AccessToken)?))
}
