//! Answers to programs: JSON, errors with their codes, and what may be cached or read across origins.

use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue,
    IF_NONE_MATCH, PRAGMA, RETRY_AFTER, VARY, WWW_AUTHENTICATE,
};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use super::extract::Unreadable;
use crate::base::limits::RETRY_AFTER as RETRY_AFTER_SPAN;
use crate::config::Snapshot;
use crate::flow::client_auth::CallFault;
use crate::oidc::OAuthError;
use crate::oidc::error::ErrorCode::{InvalidClient, InvalidRequest, TemporarilyUnavailable};

/// JSON that nobody may keep (RFC 6749 §5.1).
#[must_use]
pub fn json(status: u16, body: &impl serde::Serialize) -> HttpResponse {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    HttpResponse::build(status)
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((PRAGMA, "no-cache"))
        .insert_header(("X-Content-Type-Options", "nosniff"))
        .json(body)
}

/// An OAuth error in a body (RFC 6749 §5.2).
#[must_use]
pub fn oauth(error: OAuthError) -> HttpResponse {
    let mut response =
        json(error.code.status(), &json!({ "error": error.code.as_str(), "error_description": error.description }));
    if error.code == InvalidClient {
        let scheme = HeaderValue::from_static("Basic realm=\"vestibule\"");
        response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
    }
    response
}

/// The world failed, not the caller: come again.
#[must_use]
pub fn unavailable() -> HttpResponse {
    retry_later(oauth(OAuthError::new(TemporarilyUnavailable, "a part of the service is unavailable")))
}

/// Adds `Retry-After` in whole seconds.
#[must_use]
pub fn retry_later(mut response: HttpResponse) -> HttpResponse {
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SPAN.as_secs()));
    response
}

#[must_use]
pub fn fault(fault: CallFault) -> HttpResponse {
    match fault {
        CallFault::OAuth(error) if error.code == TemporarilyUnavailable => retry_later(oauth(error)),
        CallFault::OAuth(error) => oauth(error),
        CallFault::Unavailable => unavailable(),
        CallFault::Busy => {
            retry_later(oauth(OAuthError::new(TemporarilyUnavailable, "too many attempts at a time, come again")))
        }
        // RFC 9126 §2.3
        CallFault::TooMany => retry_later(json(
            429,
            &json!({ "error": "temporarily_unavailable", "error_description": "too many of this client's requests wait for an answer" }),
        )),
    }
}

#[must_use]
pub fn unreadable(unreadable: Unreadable) -> HttpResponse {
    match unreadable {
        Unreadable::Malformed => oauth(OAuthError::new(InvalidRequest, "the request is no readable form")),
        Unreadable::TooLarge => {
            json(413, &json!({ "error": "invalid_request", "error_description": "the request is too large" }))
        }
    }
}

/// A document that everybody may read and keep for a while: discovery, keys.
#[must_use]
pub fn public_json(request: &HttpRequest, body: Bytes, etag: String) -> HttpResponse {
    let fresh = request.headers().get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes());
    let mut response = if fresh { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((CACHE_CONTROL, "public, max-age=3600"))
        .insert_header((ETAG, etag))
        .insert_header((ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .insert_header(("X-Content-Type-Options", "nosniff"));
    if fresh { response.finish() } else { response.insert_header((CONTENT_TYPE, "application/json")).body(body) }
}

/// Lets public clients in browsers read an answer: only from an origin that one of their files lists.
pub fn allow_origin(request: &HttpRequest, config: &Snapshot, response: &mut HttpResponse) {
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = listed_origin(request, config) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        // Why it was refused (RFC 6750 §3), and when to come again.
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("WWW-Authenticate, Retry-After"));
    }
}

/// The answer to a preflight request (Fetch §4.8).
#[must_use]
pub fn preflight(request: &HttpRequest, config: &Snapshot, methods: &str) -> HttpResponse {
    let mut response = HttpResponse::NoContent().finish();
    allow_origin(request, config, &mut response);
    if response.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
        let headers = response.headers_mut();
        if let Ok(methods) = HeaderValue::from_str(methods) {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
        }
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("authorization, content-type"));
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    }
    response
}

fn listed_origin(request: &HttpRequest, config: &Snapshot) -> Option<HeaderValue> {
    let origin = request.headers().get("origin")?;
    let text = origin.to_str().ok()?;
    let listed = |client: &crate::oidc::Client| client.is_public() && client.web_origins.iter().any(|o| o == text);
    config.clients.values().any(|client| client.enabled && listed(client)).then(|| origin.clone())
}
