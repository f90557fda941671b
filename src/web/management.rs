//! The management address: metrics, and readiness with its reasons. Not for the internet.

use std::collections::BTreeMap;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use super::readiness::{blockers, cares, ending, held, unheard};
use crate::base::Span;
use crate::flow::Ports;

/// Answers one request at the management address.
pub async fn management(ports: Data<Ports>, request: HttpRequest) -> HttpResponse {
    match request.uri().path() {
        "/metrics" => {
            ports.metrics.config_state(ports.config.findings().len());
            ports.metrics.notices_wait(&waiting(&ports).await);
            HttpResponse::Ok()
                .insert_header((CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8"))
                .insert_header((CACHE_CONTROL, "no-store"))
                .body(ports.metrics.render())
        }
        "/healthz" => HttpResponse::Ok().body("ok"),
        "/readyz" => {
            let (blockers, mut cares) = (blockers(&ports).await, cares(&ports));
            cares.extend(unheard(&ports).await);
            cares.extend(ending(&ports).await);
            cares.extend(held(&ports).await);
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

/// What waits for each client of the files; nothing while the database can't be asked.
async fn waiting(ports: &Ports) -> BTreeMap<String, (u64, Span)> {
    let request = ports.request();
    let waiting = ports.directory.notices.waiting().await.unwrap_or_default();
    let of_files = waiting.into_iter().filter(|waiting| request.config.clients.contains_key(&waiting.client));
    of_files.map(|waiting| (waiting.client.0, (waiting.count, request.now.since(waiting.oldest)))).collect()
}
