//! Signed request objects by value (RFC 9101): what is inside is what is asked.

use std::borrow::Cow;

use super::client_keys;
use super::ports::{Ports, Request, Unavailable};
use crate::broker::signed::params_of;
use crate::keys::request_object::read_request_object;
use crate::oidc::error::ErrorCode::InvalidRequestObject;
use crate::oidc::params::Params;
use crate::oidc::{Client, OAuthError};

/// The parameters that count.
#[derive(Debug)]
pub struct Effective<'p> {
    /// Those inside the object; beside it if its signature is not good, or if it is refused and names no way back.
    pub params: Cow<'p, Params>,
    /// Why the object is refused.
    pub fault: Option<OAuthError>,
}

/// The parameters that count of a request of this client: those inside its request object, if there is one and the
/// client has keys to sign with. For others the object stays a parameter, which is refused as one.
///
/// # Errors
/// [`Unavailable`] if the client's keys can't be asked for.
pub async fn effective<'p>(
    ports: &Ports,
    request: &Request,
    client: &Client,
    params: &'p Params,
) -> Result<Effective<'p>, Unavailable> {
    let plain = Effective { params: Cow::Borrowed(params), fault: None };
    let alone = params.repeated().is_none() && params.get("request_uri").is_none();
    let Some(object) = params.get("request").filter(|_| alone) else { return Ok(plain) };
    let Some(keys) = client_keys::of(ports, client).await? else { return Ok(plain) };
    let mut read = read_request_object(object, &keys);
    if read.as_ref().is_err_and(|fault| fault.may_be_of_a_newer_key())
        && let Some(keys) = client_keys::newer(ports, client, &keys).await?
    {
        read = read_request_object(object, &keys);
    }
    let (params, fault) = match read {
        Err(_) => (plain.params, Some("signature, algorithm or type of the request object is not accepted")),
        Ok(signed) => {
            let fault = signed.check(&client.id, &request.config.server.issuer, request.now).err();
            let inside = params_of(signed.claims());
            let nowhere = fault.is_some() && inside.get("redirect_uri").is_none();
            (if nowhere { plain.params } else { Cow::Owned(inside) }, fault.map(|fault| fault.as_str()))
        }
    };
    Ok(Effective { params, fault: fault.map(|why| OAuthError::new(InvalidRequestObject, why)) })
}
