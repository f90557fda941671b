//! Who is calling the token endpoint (RFC 6749 §2.3, RFC 7523 §2.2): exactly one way of proof, the one of the
//! client's file.

use std::net::IpAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::client_keys;
use super::ports::{Ports, Request, Unavailable};
use crate::base::{Secret, Span};
use crate::keys::assertion::{AssertionFault, ClientKeys, check_assertion};
use crate::keys::client_secret::Hashing;
use crate::oidc::error::ErrorCode::{InvalidClient, InvalidRequest};
use crate::oidc::params::Params;
use crate::oidc::{Client, OAuthError};
use crate::state::{Kind, Name, Record};

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A call of a program.
#[derive(Debug)]
pub struct Call {
    pub params: Params,
    /// The `Authorization` header as it came.
    pub authorization: Option<Secret>,
    pub address: IpAddr,
}

/// Why a program's call fails.
#[derive(Debug)]
pub enum CallFault {
    OAuth(OAuthError),
    Unavailable,
    /// Too much of this at a time; come again.
    Busy,
    /// The client has used up its places.
    TooMany,
}

impl From<Unavailable> for CallFault {
    fn from(_: Unavailable) -> Self {
        Self::Unavailable
    }
}

impl From<OAuthError> for CallFault {
    fn from(error: OAuthError) -> Self {
        Self::OAuth(error)
    }
}

/// How a call proves who is calling.
pub enum Proof {
    /// The client only says who it is.
    Name(String),
    Secret(String, Secret),
    Assertion(String, Secret),
}

impl Proof {
    fn client_id(&self) -> &str {
        match self {
            Self::Name(id) | Self::Secret(id, _) | Self::Assertion(id, _) => id,
        }
    }

    /// The id and secret, if that is how.
    #[must_use]
    pub fn secret(&self) -> Option<(&str, &Secret)> {
        match self {
            Self::Secret(id, secret) => Some((id, secret)),
            Self::Name(_) | Self::Assertion(..) => None,
        }
    }
}

/// One text for every failure: what exactly was wrong is nobody's business.
const REFUSED: OAuthError = OAuthError::new(InvalidClient, "client authentication failed");

/// Authenticates the client of a call; a public client only says its name.
///
/// # Errors
/// `invalid_request` for several proofs at once, `invalid_client` for none that fits, 503 while it can't be told.
pub async fn authenticate(ports: &Ports, request: &Request, call: &Call) -> Result<Arc<Client>, CallFault> {
    prove(ports, request, call, &read_proof(call)?).await
}

/// As [`authenticate`], of a proof that was read.
///
/// # Errors
/// As [`authenticate`].
pub async fn prove(ports: &Ports, request: &Request, call: &Call, proof: &Proof) -> Result<Arc<Client>, CallFault> {
    let client = request.config.client(proof.client_id()).filter(|client| client.enabled).cloned();
    let proven = match proof {
        Proof::Name(_) => client.as_ref().is_some_and(|client| client.is_public()),
        Proof::Secret(id, secret) => check_secret(ports, request, client.as_ref(), (id, secret), call.address).await?,
        Proof::Assertion(_, assertion) => check_client_assertion(ports, request, client.as_ref(), assertion).await?,
    };
    match client.filter(|_| proven) {
        Some(client) => Ok(client),
        None => Err(refused(ports, request, call, proof.client_id())),
    }
}

/// Counts a failure, and answers it.
pub fn refused(ports: &Ports, request: &Request, call: &Call, client_id: &str) -> CallFault {
    if ports.failures.count(call.address, client_id, request.now) {
        tracing::warn!(address = %call.address, "many wrong client credentials");
        return CallFault::Busy;
    }
    REFUSED.into()
}

/// Reads the proof of a call.
///
/// # Errors
/// `invalid_request` for several at once, `invalid_client` for none.
pub fn read_proof(call: &Call) -> Result<Proof, OAuthError> {
    let params = &call.params;
    let invalid = |description| Err(OAuthError::new(InvalidRequest, description));
    let in_body = params.get("client_secret");
    let assertion = params.get("client_assertion");
    let named = params.get("client_id").map(str::to_owned);
    if let Some(header) = &call.authorization {
        if in_body.is_some() || assertion.is_some() {
            return invalid("more than one way of client authentication");
        }
        let (id, secret) = basic(header.expose()).ok_or(REFUSED)?;
        if named.is_some_and(|named| named != id) {
            return invalid("client_id is not that of the Authorization header");
        }
        return Ok(Proof::Secret(id, secret));
    }
    match (in_body, assertion) {
        (Some(_), Some(_)) => invalid("more than one way of client authentication"),
        (None, Some(_)) if params.get("client_assertion_type") != Some(JWT_BEARER) => {
            invalid("client_assertion_type is not that of a JWT")
        }
        (None, Some(assertion)) => {
            let subject = asserted_subject(assertion).ok_or(REFUSED)?;
            if named.is_some_and(|named| named != subject) {
                return invalid("client_id is not that of the assertion");
            }
            Ok(Proof::Assertion(subject, Secret::new(assertion)))
        }
        (Some(secret), None) => Ok(Proof::Secret(named.ok_or(REFUSED)?, Secret::new(secret))),
        (None, None) => Ok(Proof::Name(named.ok_or(REFUSED)?)),
    }
}

/// RFC 6749 §2.3.1: both parts are form-encoded, then joined and put into base64.
fn basic(header: &str) -> Option<(String, Secret)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((form_decode(id)?, Secret::new(form_decode(secret)?)))
}

fn form_decode(text: &str) -> Option<String> {
    let params = Params::decode(format!("v={}", text.replace('&', "%26")).as_bytes()).ok()?;
    Some(params.pairs().next()?.1.to_owned())
}

/// The `sub` of an assertion before anything of it is believed: it only chooses the keys to check it with.
fn asserted_subject(assertion: &str) -> Option<String> {
    let payload = URL_SAFE_NO_PAD.decode(assertion.split('.').nth(1)?).ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&payload).ok()?;
    claims.get("sub")?.as_str().map(str::to_owned)
}

async fn check_secret(
    ports: &Ports,
    request: &Request,
    client: Option<&Arc<Client>>,
    (id, secret): (&str, &Secret),
    address: IpAddr,
) -> Result<bool, CallFault> {
    let credential = client.map(|client| &client.credential);
    let mut which = ports.secrets.known(credential, secret);
    if which.is_none() {
        let all = request.config.clients.values().map(|client| &client.credential);
        let Some(hashing) = Hashing::of(credential, all, secret) else { return Ok(false) };
        let place = ports.failures.place_to_hash(address, id).ok_or(CallFault::Busy)?;
        let secrets = Arc::clone(&ports.secrets);
        let hashed = tokio::task::spawn_blocking(move || {
            // Held to the end of the hashing, even if the caller is gone by then.
            let _place = place;
            secrets.hash(&hashing)
        });
        which = hashed.await.map_err(|_| CallFault::Unavailable)?;
    }
    if let (Some(client), Some(which)) = (client, which) {
        ports.metrics.secret_used(&client.stem, which);
    }
    Ok(which.is_some())
}

async fn check_client_assertion(
    ports: &Ports,
    request: &Request,
    client: Option<&Arc<Client>>,
    assertion: &Secret,
) -> Result<bool, CallFault> {
    let Some(client) = client else { return Ok(false) };
    let Some(keys) = client_keys::of(ports, client).await? else { return Ok(false) };
    let check = |keys: &ClientKeys| {
        check_assertion(assertion.expose(), keys, &client.id, &request.config.server.issuer, request.now)
    };
    let mut checked = check(&keys);
    if let Err(AssertionFault::Token(fault)) = checked
        && fault.may_be_of_a_newer_key()
        && let Some(keys) = client_keys::newer(ports, client, &keys).await?
    {
        checked = check(&keys);
    }
    let Ok(accepted) = checked else { return Ok(false) };
    // Once on all nodes: the store says who was first (RFC 7523 §3, `jti`).
    let record = Record {
        // No client id has a line break in it.
        name: Name::of(Kind::Assertion, &format!("{}\n{}", client.id, accepted.jti)),
        bytes: vec![1],
        lifetime: Span::from_ms(accepted.expires.ms() - request.now.ms()),
    };
    Ok(ports.state.put_new(record).await.map_err(Unavailable::from)?)
}
