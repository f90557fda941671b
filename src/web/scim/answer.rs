//! Answers of SCIM: their type, their errors (RFC 7644 §3.8, §3.12).

use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue, LOCATION, WWW_AUTHENTICATE,
};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};

use futures_util::StreamExt as _;

use crate::base::limits::RETRY_AFTER as RETRY_AFTER_SPAN;
use crate::flow::scim::desk::Answer;
use crate::flow::scim::refusal::Refusal;
use crate::scim::ScimError;
use crate::scim::render::etag;

/// The answer of an errand.
pub fn of(request: &HttpRequest, answer: Answer) -> HttpResponse {
    let mut response = begun(answer.status);
    if let Some(version) = answer.version {
        response.insert_header((ETAG, etag(version)));
    }
    if let Some(location) = answer.location {
        response.insert_header((LOCATION, location));
    }
    if let Some(pieces) = answer.pieces {
        let pieces = pieces.0.map(|piece| piece.map(Bytes::from).map_err(std::io::Error::other));
        return response.insert_header((CONTENT_TYPE, content_type(request))).streaming(pieces);
    }
    match answer.body {
        Some(body) => response.insert_header((CONTENT_TYPE, content_type(request))).body(body),
        None => response.finish(),
    }
}

/// Why it is not done.
pub fn refusal(request: &HttpRequest, refusal: Refusal) -> HttpResponse {
    match refusal {
        Refusal::Scim(told) => error(request, &told),
        Refusal::Unauthorized => {
            let told = "the credential is missing, unknown or over; a token of this directory would be accepted";
            let mut response = error(request, &ScimError::status(401, told));
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            response
        }
        Refusal::TooMany => {
            let told = "more requests in a second than this credential may send; come again";
            later(error(request, &ScimError::status(429, told)), 1)
        }
        Refusal::Unavailable => {
            let told = "a part of the service is unavailable; nothing was changed by this answer, come again";
            later(error(request, &ScimError::status(503, told)), RETRY_AFTER_SPAN.as_secs())
        }
    }
}

/// 405 with what is allowed.
pub fn method_not_allowed(request: &HttpRequest, allowed: &[&str]) -> HttpResponse {
    let mut response = error(request, &ScimError::status(405, "this method is not supported here"));
    if let Ok(allow) = HeaderValue::from_str(&allowed.join(", ")) {
        response.headers_mut().insert(ALLOW, allow);
    }
    response
}

/// RFC 9110 §15.5.20.
#[must_use]
pub fn misdirected(request: &HttpRequest) -> HttpResponse {
    error(request, &ScimError::status(421, "this server has another name"))
}

fn error(request: &HttpRequest, told: &ScimError) -> HttpResponse {
    begun(told.status).insert_header((CONTENT_TYPE, content_type(request))).body(told.body().to_string())
}

fn begun(status: u16) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    response.insert_header((CACHE_CONTROL, "no-store")).insert_header(("X-Content-Type-Options", "nosniff"));
    response
}

/// Whole seconds: an HTTP date makes Okta pause for minutes.
fn later(mut response: HttpResponse, seconds: i64) -> HttpResponse {
    response.headers_mut().insert(actix_web::http::header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    response
}

/// SCIM's own type, unless the client takes `application/json` only.
fn content_type(request: &HttpRequest) -> &'static str {
    let mut accepted = request
        .headers()
        .get_all(ACCEPT)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|kind| kind.split(';').next().unwrap_or_default().trim())
        .filter(|kind| !kind.is_empty())
        .peekable();
    let plain = accepted.peek().is_some() && accepted.all(|kind| kind.eq_ignore_ascii_case("application/json"));
    if plain { "application/json" } else { "application/scim+json" }
}
