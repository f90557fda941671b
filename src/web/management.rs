//! The management address: metrics, and readiness with its reasons. Not for the internet.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use super::readiness::{blockers, cares};
use crate::flow::Ports;

/// Answers one request at the management address.
pub async fn management(ports: Data<Ports>, request: HttpRequest) -> HttpResponse {
    match request.uri().path() {
        "/metrics" => {
            ports.metrics.config_state(ports.config.findings().len());
            HttpResponse::Ok()
                .insert_header((CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8"))
                .insert_header((CACHE_CONTROL, "no-store"))
                .body(ports.metrics.render())
        }
        "/healthz" => HttpResponse::Ok().body("ok"),
        "/readyz" => {
            let (blockers, cares) = (blockers(&ports).await, cares(&ports));
            let body = json!({ "ready": blockers.is_empty(), "blockers": blockers, "cares": cares });
            if blockers.is_empty() {
                HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(body)
            } else {
                HttpResponse::ServiceUnavailable().insert_header((CACHE_CONTROL, "no-store")).json(body)
            }
        }
        _ => HttpResponse::NotFound().finish(),
    }
}
