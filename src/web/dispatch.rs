//! One handler for everything: which host, which address, which method; then the endpoint.

use std::time::Instant;

use actix_web::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH};
use actix_web::http::{Method, StatusCode};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use super::documents::{Documents, etag};
use super::routes::Route;
use super::{discovery, peer, people, provider, readiness, respond, scim};
use crate::config::Snapshot;
use crate::flow::Ports;
use crate::i18n::PageError;
use crate::oidc::OAuthError;
use crate::oidc::error::ErrorCode::InvalidRequest;
use crate::pages::{ASSET_CSP, Asset, LOGO_PATH, asset, logo_content_type, theme_css, theme_path};

/// Answers one request.
pub async fn dispatch(
    ports: Data<Ports>,
    documents: Data<Documents>,
    request: HttpRequest,
    payload: Payload,
) -> HttpResponse {
    let began = Instant::now();
    let _under_way = ports.metrics.began();
    let path = request.uri().path().to_owned();
    let route = Route::at(&path);
    let label = match route {
        Some(Route::Scim(rest)) => scim::label(rest),
        route => route.map_or("other", Route::label),
    };
    let response = match route {
        None => not_found(&ports, &request),
        Some(route) => routed((&ports, &documents), &request, payload, route).await,
    };
    let status = response.status().as_u16();
    let took = began.elapsed();
    ports.metrics.answered(label, status, took);
    tracing::debug!(endpoint = label, method = %request.method(), status, micros = took.as_micros() as u64, "request");
    response
}

fn not_found(ports: &Ports, request: &HttpRequest) -> HttpResponse {
    let config = ports.config.snapshot();
    let refusal = if peer::is_for_us(request, &config.server) { PageError::NotFound } else { PageError::WrongHost };
    people::page(ports, request, &config, refusal)
}

/// RFC 9110 §15.5.20.
fn misdirected(ports: &Ports, request: &HttpRequest, route: Route<'_>) -> HttpResponse {
    if let Route::Scim(_) = route {
        return scim::misdirected(request);
    }
    if route.is_for_programs() {
        let told = "this server has another name";
        return respond::json(421, &serde_json::json!({ "error": "invalid_request", "error_description": told }));
    }
    people::page(ports, request, &ports.config.snapshot(), PageError::WrongHost)
}

async fn routed(
    (ports, documents): (&Ports, &Documents),
    request: &HttpRequest,
    payload: Payload,
    route: Route<'_>,
) -> HttpResponse {
    let config = ports.config.snapshot();
    if !route.answers_any_host() && !peer::is_for_us(request, &config.server) {
        return misdirected(ports, request, route);
    }
    if let Route::Scim(rest) = route {
        return scim::endpoint(ports, request, payload, rest).await;
    }
    if request.method() == Method::OPTIONS && route.is_for_scripts() {
        return respond::preflight(request, &config, &route.methods().join(", "));
    }
    if !route.methods().contains(&request.method().as_str()) {
        return wrong_method(ports, request, route);
    }
    match route {
        Route::Discovery => {
            let document = documents.discovery.get(&config, |config| text(&discovery::discovery(config)));
            respond::public_json(request, document.body.clone(), document.etag.clone())
        }
        Route::Jwks => {
            let jwks = ports.ring.load().jwks().to_owned();
            let tag = etag(&jwks);
            respond::public_json(request, jwks.into(), tag)
        }
        Route::FederationJwks => {
            let made = |config: &Snapshot| discovery::federation_jwks(config).to_string();
            let document = documents.federation_jwks.get(&config, made);
            respond::public_json(request, document.body.clone(), document.etag.clone())
        }
        Route::Token => provider::token_endpoint(ports, request, payload).await,
        Route::Userinfo => provider::userinfo_endpoint(ports, request, payload).await,
        Route::Revoke => provider::revoke_endpoint(ports, request, payload).await,
        Route::Introspect => provider::introspect_endpoint(ports, request, payload).await,
        Route::Par => provider::par_endpoint(ports, request, payload).await,
        Route::UpstreamBackchannel => provider::upstream_backchannel_endpoint(ports, request, payload).await,
        Route::Asset(_) => static_file(ports, request).await,
        Route::Health => plain(200, "ok"),
        Route::Ready => match readiness::blockers(ports).await.first() {
            None => plain(200, "ready"),
            Some(blocker) => respond::retry_later(plain(503, blocker.code)),
        },
        _ => people::visited(ports, request, payload, route).await,
    }
}

/// JSON of a document whose encoding can't fail: texts, truth values and lists of them.
fn text(document: &impl serde::Serialize) -> String {
    serde_json::to_string(document).unwrap_or_default()
}

fn plain(status: u16, word: &'static str) -> HttpResponse {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    HttpResponse::build(status)
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((CONTENT_TYPE, "text/plain; charset=utf-8"))
        .body(word)
}

fn wrong_method(ports: &Ports, request: &HttpRequest, route: Route<'_>) -> HttpResponse {
    let mut response = if route.is_for_programs() {
        let error = OAuthError::new(InvalidRequest, "this method is not supported here");
        respond::json(405, &serde_json::json!({ "error": error.code.as_str(), "error_description": error.description }))
    } else {
        people::page(ports, request, &ports.config.snapshot(), PageError::MethodNotAllowed)
    };
    if let Ok(allow) = HeaderValue::from_str(&route.methods().join(", ")) {
        response.headers_mut().insert(ALLOW, allow);
    }
    response
}

async fn static_file(ports: &Ports, request: &HttpRequest) -> HttpResponse {
    let path = request.uri().path();
    if let Some(file) = asset(path) {
        return serve(request, file.content_type, &file.etag, file.bytes.to_vec());
    }
    let config = ports.config.snapshot();
    let settings = &config.server.pages;
    if theme_path(settings).is_some_and(|theme| theme == path) {
        let css = theme_css(settings);
        let tag = etag(&css);
        return serve(request, "text/css; charset=utf-8", &tag, css.into_bytes());
    }
    let logo = settings.logo.clone().filter(|_| path == LOGO_PATH);
    // A disk may be slow, and this thread serves others.
    let read = tokio::task::spawn_blocking(move || {
        let file = logo?;
        Some((logo_content_type(&file)?, std::fs::read(&file).ok()?))
    });
    match read.await.ok().flatten() {
        Some((content_type, bytes)) => {
            let tag = etag(&bytes);
            serve(request, content_type, &tag, bytes)
        }
        None => not_found(ports, request),
    }
}

fn serve(request: &HttpRequest, content_type: &str, etag: &str, bytes: Vec<u8>) -> HttpResponse {
    let known = request.headers().get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes());
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    let cache = if request.uri().path() == LOGO_PATH { "public, max-age=300" } else { Asset::CACHE_CONTROL };
    response
        .insert_header((CACHE_CONTROL, cache))
        .insert_header((ETAG, etag))
        .insert_header(("X-Content-Type-Options", "nosniff"))
        .insert_header(("Content-Security-Policy", ASSET_CSP));
    if known { response.finish() } else { response.insert_header((CONTENT_TYPE, content_type)).body(bytes) }
}
