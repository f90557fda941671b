//! HTTP for the demo's own parties: on loopback, one worker each.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes, PayloadConfig};
use actix_web::{App, HttpMessage as _, HttpRequest, HttpResponse, HttpServer};

use super::wire::{Answer, Method, Party, Request};
use crate::base::limits::BODY_BYTES_MAX;
use crate::oidc::params::Params;

/// A party that answers.
pub struct Listening {
    handle: ServerHandle,
    ended: tokio::task::JoinHandle<std::io::Result<()>>,
}

/// Takes the port.
///
/// # Errors
/// The system's: somebody has it already.
pub fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(address)
}

/// Answers for `party`.
///
/// # Errors
/// The system's.
pub fn listen(listener: TcpListener, party: Arc<dyn Party>) -> std::io::Result<Listening> {
    let host = listener.local_addr()?.to_string();
    let server = HttpServer::new(move || {
        let (party, host) = (Arc::clone(&party), host.clone());
        App::new().app_data(PayloadConfig::new(BODY_BYTES_MAX)).default_service(web::to(
            move |request: HttpRequest, body: Bytes| {
                let (party, host) = (Arc::clone(&party), host.clone());
                async move { answer(&*party, &host, &request, &body).await }
            },
        ))
    })
    .workers(1)
    .disable_signals()
    .listen(listener)?
    .run();
    Ok(Listening { handle: server.handle(), ended: tokio::spawn(server) })
}

impl Listening {
    /// Ends at once: nothing of the demo is worth waiting for.
    pub async fn stop(self) {
        self.handle.stop(false).await;
        if let Ok(Err(fault)) = self.ended.await {
            tracing::warn!(%fault, "a part of the demo did not end in order");
        }
    }
}

async fn answer(party: &dyn Party, host: &str, request: &HttpRequest, body: &Bytes) -> HttpResponse {
    // A name of somebody else's that leads to loopback must not reach us (DNS rebinding).
    let answer = if header(request, "host") != Some(host) {
        Answer::plain(421, &format!("This is http://{host}/."))
    } else {
        match read(request, body) {
            Some(request) => party.answer(request).await,
            None => Answer::plain(400, "The request can't be read."),
        }
    };
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    for header in answer.headers {
        response.append_header(header);
    }
    response.body(answer.body)
}

fn read(request: &HttpRequest, body: &Bytes) -> Option<Request> {
    let is_form = request.content_type().eq_ignore_ascii_case("application/x-www-form-urlencoded");
    let form = if is_form { Params::decode(body).ok()? } else { Params::default() };
    let pairs = |header: &str| -> Vec<(String, String)> {
        header
            .split(';')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
            .collect()
    };
    let cookies = request.headers().get_all("cookie").filter_map(|value| value.to_str().ok()).flat_map(pairs);
    Some(Request {
        method: match request.method().as_str() {
            "GET" => Method::Get,
            "POST" => Method::Post,
            _ => Method::Other,
        },
        path: request.uri().path().to_owned(),
        query: Params::decode(request.query_string().as_bytes()).ok()?,
        form,
        authorization: header(request, "authorization").map(str::to_owned),
        cookies: cookies.collect(),
        languages: header(request, "accept-language").map(str::to_owned),
        from_elsewhere: header(request, "sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none")),
    })
}

fn header<'r>(request: &'r HttpRequest, name: &str) -> Option<&'r str> {
    request.headers().get(name).and_then(|value| value.to_str().ok())
}
