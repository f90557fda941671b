//! From an HTTP request to what errands take: parameters within their bounds, a visit, a call.

use std::time::Duration;

use actix_web::http::Method;
use actix_web::web::Payload;
use actix_web::{HttpMessage as _, HttpRequest};
use futures_util::StreamExt as _;

use super::cookies::Jar;
use super::peer;
use crate::base::Secret;
use crate::base::limits::{BODY_BYTES_MAX, TARGET_BYTES_MAX};
use crate::config::Server;
use crate::flow::browser::{Arrival, Visit};
use crate::flow::client_auth::Call;
use crate::oidc::params::Params;

/// How long a body may take to arrive.
const BODY_WAIT: Duration = Duration::from_secs(30);

/// Why a request can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    TooLarge,
    /// Not form-encoded, not UTF-8, cut off, or too slow.
    Malformed,
}

/// The parameters of the query.
///
/// # Errors
/// [`Unreadable`].
pub fn query(request: &HttpRequest) -> Result<Params, Unreadable> {
    let text = request.query_string();
    if text.len() > TARGET_BYTES_MAX {
        return Err(Unreadable::TooLarge);
    }
    Params::decode(text.as_bytes()).map_err(|_| Unreadable::Malformed)
}

/// The parameters of a form body.
///
/// # Errors
/// [`Unreadable`]; a body that is no form is malformed, an empty one has no parameters.
pub async fn form(request: &HttpRequest, payload: Payload) -> Result<Params, Unreadable> {
    let is_form = request.content_type().eq_ignore_ascii_case("application/x-www-form-urlencoded");
    let bytes = body(request, payload).await?;
    match bytes.as_slice() {
        [] => Ok(Params::default()),
        _ if !is_form || request.headers().contains_key("content-encoding") => Err(Unreadable::Malformed),
        bytes => Params::decode(bytes).map_err(|_| Unreadable::Malformed),
    }
}

async fn body(request: &HttpRequest, payload: Payload) -> Result<Vec<u8>, Unreadable> {
    let declared = request.headers().get("content-length").and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|length| length > BODY_BYTES_MAX as u64) {
        return Err(Unreadable::TooLarge);
    }
    tokio::time::timeout(BODY_WAIT, collect(payload)).await.unwrap_or(Err(Unreadable::Malformed))
}

async fn collect(mut payload: Payload) -> Result<Vec<u8>, Unreadable> {
    let mut bytes = Vec::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Unreadable::Malformed)?;
        if bytes.len() + chunk.len() > BODY_BYTES_MAX {
            return Err(Unreadable::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// A browser's request: the parameters of query and body in one list, so that nothing can hide in one of them.
///
/// # Errors
/// [`Unreadable`].
pub async fn visit(request: &HttpRequest, payload: Payload, server: &Server) -> Result<Visit, Unreadable> {
    let jar = Jar::of(&server.base_url);
    let (arrival, params) = if request.method() == Method::POST {
        let in_query = query(request)?;
        let in_body = form(request, payload).await?;
        let pairs = in_query.pairs().chain(in_body.pairs()).map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
        (Arrival::Post, Params::from_pairs(pairs))
    } else {
        (Arrival::Get, query(request)?)
    };
    let tickets = jar.tickets(request).into_iter().map(|(id, _, binding)| (id, binding)).collect();
    Ok(Visit { params, arrival, address: peer::address(request, server), session: jar.session(request), tickets })
}

/// A program's call. Parameters in the query are not looked at: secrets don't belong there.
///
/// # Errors
/// [`Unreadable`].
pub async fn call(request: &HttpRequest, payload: Payload, server: &Server) -> Result<Call, Unreadable> {
    if !request.query_string().is_empty() {
        return Err(Unreadable::Malformed);
    }
    let params = form(request, payload).await?;
    let authorization = header(request, "authorization")?.map(Secret::new);
    Ok(Call { params, authorization, address: peer::address(request, server) })
}

/// A header that may stand once.
///
/// # Errors
/// [`Unreadable::Malformed`] if it stands twice or isn't ASCII.
pub fn header(request: &HttpRequest, name: &str) -> Result<Option<String>, Unreadable> {
    let mut values = request.headers().get_all(name);
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(|v| Some(v.to_owned())).map_err(|_| Unreadable::Malformed),
        _ => Err(Unreadable::Malformed),
    }
}
