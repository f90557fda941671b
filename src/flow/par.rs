//! Pushed authorization requests (RFC 9126): the client asks by itself first, and sends the browser with a name.

use std::sync::Arc;

use super::admission::{AddressKey, Bounds};
use super::client_auth::{Call, CallFault, authenticate};
use super::ports::{Ports, Request, Unavailable};
use super::sessions::encode;
use super::signing::{IdTokenHint, id_token_hint};
use super::{pushed, request_object};
use crate::base::Span;
use crate::base::limits::{PUSHED_LIFETIME, PUSHED_LOGIN_LIFETIME};
use crate::broker::accept::accept;
use crate::broker::pushed::{PUSHED_VERSION, PushedRequest, request_uri};
use crate::broker::request::validate_client;
use crate::hint::EntryPath;
use crate::oidc::error::ErrorCode::InvalidRequest;
use crate::oidc::{Client, OAuthError};
use crate::state::Record;

/// What the client sends the browser with.
#[derive(Debug)]
pub struct Pushed {
    pub request_uri: String,
    pub expires_in: Span,
}

const fn invalid(description: &'static str) -> OAuthError {
    OAuthError::new(InvalidRequest, description)
}

/// Answers `/acs/par`: every check of an authorization request is made here.
///
/// # Errors
/// [`CallFault`].
pub async fn push(ports: &Ports, call: Call) -> Result<Pushed, CallFault> {
    let request = ports.request();
    if call.params.repeated().is_some() {
        return Err(invalid("a parameter stands more than once").into());
    }
    let client = authenticate(ports, &request, &call).await?;
    if call.params.get("request_uri").is_some() {
        return Err(invalid("request_uri can't be pushed").into());
    }
    let effective = request_object::effective(ports, &request, &client, &call.params).await?;
    if let Some(error) = effective.fault {
        return Err(error.into());
    }
    let params = effective.params.as_ref();
    let proven = validate_client(Arc::clone(&client), params, &request.config.server.issuer)
        .map_err(|_| invalid("redirect_uri is missing or not registered"))?;
    let mut asked = accept(proven, EntryPath::Pushed).map_err(|back| back.1)?;
    let hint = id_token_hint(ports, &request, &client, params);
    let hint_is_unusable = matches!(hint, IdTokenHint::Unusable);
    if let IdTokenHint::Of(subject) = hint {
        asked.subject = Some(subject);
    }
    let counted_at = AddressKey::from(call.address);
    let pushed =
        PushedRequest { version: PUSHED_VERSION, at: request.now, counted_at: counted_at.0, asked, hint_is_unusable };
    let places = ports.pushes.of(&client.id);
    places.begin(counted_at, bounds(&request, &client), request.now).map_err(|_| CallFault::TooMany)?;
    let kept = keep(ports, &pushed).await;
    if kept.is_err() {
        places.end(counted_at, request.now);
    }
    Ok(Pushed { request_uri: kept?, expires_in: PUSHED_LIFETIME })
}

/// Anybody can push in the name of a public client: from one address no more than logins.
fn bounds(request: &Request, client: &Client) -> Bounds {
    let limits = &request.config.server.limits;
    let all = limits.pushed_requests_per_client;
    Bounds { all, by_address: if client.is_public() { limits.pending_logins_per_address } else { all } }
}

async fn keep(ports: &Ports, pushed: &PushedRequest) -> Result<String, Unavailable> {
    let reference = request_uri(&ports.dice.token());
    let name = pushed::name(&reference);
    ports.state.put(vec![Record { name, bytes: encode(pushed), lifetime: PUSHED_LOGIN_LIFETIME }]).await?;
    Ok(reference)
}
