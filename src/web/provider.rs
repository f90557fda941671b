//! The provider's endpoints for programs.

use actix_web::http::Method;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue, WWW_AUTHENTICATE};
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Map, Value, json};

use super::extract;
use super::respond;
use crate::base::Secret;
use crate::flow::client_auth::CallFault;
use crate::flow::issue::TokenAnswer;
use crate::flow::{Ports, introspect, par, revoke, token, upstream_logout, userinfo};
use crate::oidc::OAuthError;
use crate::oidc::error::ErrorCode::{InvalidRequest, InvalidToken};

/// POST `/acs/token`.
pub async fn token_endpoint(ports: &Ports, request: &HttpRequest, payload: Payload) -> HttpResponse {
    let config = ports.config.snapshot();
    let mut response = match extract::call(request, payload, &config.server).await {
        Err(unreadable) => respond::unreadable(unreadable),
        Ok(call) => match token::token(ports, call).await {
            Ok(answer) => respond::json(200, &token_body(&answer)),
            Err(fault) => told(ports, fault),
        },
    };
    respond::allow_origin(request, &config, &mut response);
    response
}

fn token_body(answer: &TokenAnswer) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("access_token".into(), answer.access_token.expose().into());
    body.insert("token_type".into(), "Bearer".into());
    body.insert("expires_in".into(), answer.expires_in.as_secs().into());
    if let Some(refresh) = &answer.refresh_token {
        body.insert("refresh_token".into(), refresh.expose().into());
    }
    if let Some(id_token) = &answer.id_token {
        body.insert("id_token".into(), id_token.expose().into());
    }
    if let Some(scope) = &answer.scope {
        body.insert("scope".into(), scope.as_str().into());
    }
    body
}

/// Counts a refusal and answers it.
fn told(ports: &Ports, fault: CallFault) -> HttpResponse {
    ports.metrics.refused(match &fault {
        CallFault::OAuth(error) => error.code.as_str(),
        CallFault::Unavailable => "temporarily_unavailable",
        CallFault::Busy => "busy",
        CallFault::TooMany => "too_many_requests",
    });
    respond::fault(fault)
}

/// POST `/acs/revoke`.
pub async fn revoke_endpoint(ports: &Ports, request: &HttpRequest, payload: Payload) -> HttpResponse {
    let config = ports.config.snapshot();
    let mut response = match extract::call(request, payload, &config.server).await {
        Err(unreadable) => respond::unreadable(unreadable),
        Ok(call) => match revoke::revoke(ports, call).await {
            Ok(()) => respond::json(200, &json!({})),
            Err(fault) => told(ports, fault),
        },
    };
    respond::allow_origin(request, &config, &mut response);
    response
}

/// POST `/acs/introspect`.
pub async fn introspect_endpoint(ports: &Ports, request: &HttpRequest, payload: Payload) -> HttpResponse {
    let config = ports.config.snapshot();
    match extract::call(request, payload, &config.server).await {
        Err(unreadable) => respond::unreadable(unreadable),
        Ok(call) => match introspect::introspect(ports, call).await {
            Ok(answer) => respond::json(200, &answer),
            Err(fault) => told(ports, fault),
        },
    }
}

/// POST `/acs/par`.
pub async fn par_endpoint(ports: &Ports, request: &HttpRequest, payload: Payload) -> HttpResponse {
    let config = ports.config.snapshot();
    let mut response = match extract::call(request, payload, &config.server).await {
        Err(unreadable) => respond::unreadable(unreadable),
        Ok(call) => match par::push(ports, call).await {
            Ok(pushed) => {
                let body = json!({ "request_uri": pushed.request_uri, "expires_in": pushed.expires_in.as_secs() });
                respond::json(201, &body)
            }
            Err(fault) => told(ports, fault),
        },
    };
    respond::allow_origin(request, &config, &mut response);
    response
}

/// POST `/federation/auth/logout/backchannel`.
pub async fn upstream_backchannel_endpoint(ports: &Ports, request: &HttpRequest, payload: Payload) -> HttpResponse {
    let config = ports.config.snapshot();
    match extract::call(request, payload, &config.server).await {
        Err(unreadable) => respond::unreadable(unreadable),
        Ok(call) => match upstream_logout::backchannel(ports, call).await {
            Ok(()) => respond::json(200, &json!({})),
            Err(fault) => told(ports, fault),
        },
    }
}

/// GET and POST `/acs/userinfo` (OIDC Core §5.3.1, RFC 6750 §2).
pub async fn userinfo_endpoint(ports: &Ports, request: &HttpRequest, payload: Payload) -> HttpResponse {
    let config = ports.config.snapshot();
    let mut response = match bearer(request, payload).await {
        Err(error) => bearer_error(error),
        Ok(None) => {
            let mut response = HttpResponse::Unauthorized().insert_header((CACHE_CONTROL, "no-store")).finish();
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"vestibule\""));
            response
        }
        Ok(Some(token)) => match userinfo::userinfo(ports, &token).await {
            Ok(claims) => respond::json(200, &claims),
            Err(CallFault::OAuth(error)) => bearer_error(error),
            Err(fault) => told(ports, fault),
        },
    };
    respond::allow_origin(request, &config, &mut response);
    response
}

/// The token from the header, or from a form body; never from the query, never from two places.
async fn bearer(request: &HttpRequest, payload: Payload) -> Result<Option<Secret>, OAuthError> {
    let invalid = |description| OAuthError::new(InvalidRequest, description);
    let in_query = extract::query(request).map_err(|_| invalid("the query can't be read"))?;
    if in_query.pairs().any(|(name, _)| name == "access_token") {
        return Err(invalid("the access token does not belong in the query"));
    }
    let header =
        extract::header(request, "authorization").map_err(|_| invalid("the Authorization header can't be read"))?;
    let in_header = match header {
        None => None,
        Some(header) => {
            let (scheme, token) = header.split_once(' ').unwrap_or((header.as_str(), ""));
            if !scheme.eq_ignore_ascii_case("bearer") {
                return Err(OAuthError::new(InvalidToken, "the Authorization header is no bearer token"));
            }
            Some(Secret::new(token.trim()))
        }
    };
    if request.method() != Method::POST {
        return Ok(in_header);
    }
    let form = extract::form(request, payload).await.map_err(|_| invalid("the body is no readable form"))?;
    if form.is_repeated("access_token") {
        return Err(invalid("a parameter stands more than once"));
    }
    match (in_header, form.get("access_token")) {
        (Some(_), Some(_)) => Err(invalid("the access token stands in header and body")),
        (header, body) => Ok(header.or_else(|| body.map(Secret::new))),
    }
}

/// RFC 6750 §3: the reason is in the header too; nothing that came in is echoed.
fn bearer_error(error: OAuthError) -> HttpResponse {
    let mut response = respond::oauth(error);
    let challenge = format!(
        "Bearer realm=\"vestibule\", error=\"{}\", error_description=\"{}\"",
        error.code.as_str(),
        error.description
    );
    if let Ok(challenge) = HeaderValue::from_str(&challenge) {
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response
}
