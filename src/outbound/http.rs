//! The one HTTP client towards others: guarded addresses, no redirects, no proxy but the
//! configured one, bounded time and size.

use std::collections::HashMap;
use std::error::Error;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HOST, HeaderValue, LOCATION};
use reqwest::{Certificate, Client, Method, NoProxy, Proxy, RequestBuilder, Response};
use url::Url;

use super::OutboundFault;
use super::guard::{Guard, GuardFault};
use crate::base::limits::{UPSTREAM_BODY_BYTES_MAX, UPSTREAM_CALL};
use crate::base::{Secret, Span};
use crate::config::Outbound;

/// How long a connection may take to come about: a dead address shall leave time for another one.
const CONNECT: Duration = Duration::from_secs(3);
/// How long an idle connection is kept: less than the five seconds after which Node closes its end, so
/// that a code is never sent into a connection that is being closed.
const IDLE: Duration = Duration::from_secs(4);

/// How long it is waited for the rest of an answer of which only the status counts, so that the connection can be
/// used again.
const REST: Duration = Duration::from_millis(250);
/// Bytes of that rest.
const REST_BYTES_MAX: usize = 16 * 1024;

/// An answer, whole.
pub struct Reply {
    pub status: u16,
    /// Without parameters, in lower case; empty if absent.
    pub content_type: String,
    pub body: Vec<u8>,
}

/// A request as somebody else's program would send it.
pub struct Call<'a> {
    pub method: &'a str,
    pub url: &'a Url,
    /// What `Host` says, if it isn't the URL's: for a server asked beside its public name.
    pub host: Option<&'a str>,
    pub content_type: Option<&'a str>,
    pub body: Option<&'a str>,
    pub authorization: &'a Secret,
}

/// Its answer with the headers that say something.
pub struct Exchanged {
    pub reply: Reply,
    pub location: Option<String>,
}

/// Guarded clients, one for each distinct set of trusted CA files.
pub struct GuardedClients {
    outbound: Outbound,
    guard: Arc<Guard>,
    made: Mutex<HashMap<Vec<PathBuf>, Http>>,
}

impl GuardedClients {
    pub fn new(outbound: &Outbound) -> Self {
        let guard = Arc::new(Guard::new(&outbound.allow_private));
        Self { outbound: outbound.clone(), guard, made: Mutex::default() }
    }

    /// Whether these are the settings that the clients are made by.
    pub fn are_of(&self, outbound: &Outbound) -> bool {
        self.outbound == *outbound
    }

    /// The client that trusts the system's roots, `[outbound] ca_files` and these.
    ///
    /// # Errors
    /// [`OutboundFault::Misconfigured`] if a CA file or the proxy can't be used.
    pub fn trusting(&self, ca_files: &[PathBuf]) -> Result<Http, OutboundFault> {
        let mut files: Vec<PathBuf> = self.outbound.ca_files.iter().chain(ca_files).cloned().collect();
        files.sort();
        files.dedup();
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(http) = made.get(&files) {
            return Ok(http.clone());
        }
        let client = build(&self.outbound, &self.guard, &files)?;
        let http = Http { client, guard: Arc::clone(&self.guard) };
        made.insert(files, http.clone());
        Ok(http)
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that makes a client, with the guard in it")]
fn build(outbound: &Outbound, guard: &Arc<Guard>, ca_files: &[PathBuf]) -> Result<Client, OutboundFault> {
    let misconfigured = |detail: String| OutboundFault::Misconfigured { detail };
    let resolver = GuardedResolver {
        guard: Arc::clone(guard),
        proxy_host: outbound.proxy.as_ref().and_then(Url::host_str).map(str::to_owned),
    };
    let mut builder = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .dns_resolver(Arc::new(resolver))
        .connect_timeout(CONNECT)
        .timeout(UPSTREAM_CALL.as_std())
        .pool_idle_timeout(IDLE)
        .tls_backend_rustls()
        .user_agent(concat!("vestibule/", env!("CARGO_PKG_VERSION")));
    if let Some(proxy) = &outbound.proxy {
        // Names are the proxy's to resolve, and to refuse; addresses and ports are judged here all the same.
        let loopback = NoProxy::from_string("localhost,127.0.0.0/8,::1");
        let proxy = Proxy::all(proxy.clone()).map_err(|e| misconfigured(format!("[outbound] proxy: {e}")))?;
        builder = builder.proxy(proxy.no_proxy(loopback));
    }
    let mut certificates = Vec::new();
    for file in ca_files {
        let unreadable = |e: String| misconfigured(format!("CA file {}: {e}", file.display()));
        let pem = std::fs::read(file).map_err(|e| unreadable(e.to_string()))?;
        let found = Certificate::from_pem_bundle(&pem).map_err(|e| unreadable(e.to_string()))?;
        if found.is_empty() {
            return Err(unreadable("has no certificate".to_owned()));
        }
        certificates.extend(found);
    }
    if !certificates.is_empty() {
        builder = builder.tls_certs_merge(certificates);
    }
    builder.build().map_err(|e| misconfigured(format!("the HTTP client can't be made: {}", chain(&e))))
}

/// Resolves as the system does, and gives out vetted addresses only: what is checked is what is dialled.
struct GuardedResolver {
    guard: Arc<Guard>,
    /// Named by the admin, so it may be private.
    proxy_host: Option<String>,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = Arc::clone(&self.guard);
        let host = name.as_str().to_owned();
        let is_proxy = self.proxy_host.as_deref() == Some(name.as_str());
        Box::pin(async move {
            let found = tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            let vetted = if is_proxy { found } else { guard.vet(&host, found)? };
            let addresses: Addrs = Box::new(vetted.into_iter());
            Ok(addresses)
        })
    }
}

/// A guarded client. Cheap to clone; its clones share their connections.
#[derive(Clone)]
pub struct Http {
    client: Client,
    guard: Arc<Guard>,
}

impl Http {
    /// GETs JSON, with an `Authorization` header if there is one.
    ///
    /// # Errors
    /// [`OutboundFault`] if there is no whole answer; any status is one.
    pub async fn get(&self, url: &Url, authorization: Option<&Secret>) -> Result<Reply, OutboundFault> {
        self.guard.judge(url).map_err(refused)?;
        self.send(self.client.get(url.clone()), authorization).await
    }

    /// As [`Http::get`], tried once more if there is no answer.
    ///
    /// # Errors
    /// As [`Http::get`].
    pub async fn get_with_retry(&self, url: &Url) -> Result<Reply, OutboundFault> {
        match self.get(url, None).await {
            Err(OutboundFault::Unavailable { .. }) => self.get(url, None).await,
            answer => answer,
        }
    }

    /// POSTs a form, once.
    ///
    /// # Errors
    /// As [`Http::get`].
    pub async fn post_form(
        &self,
        url: &Url,
        form: &Secret,
        authorization: Option<&Secret>,
    ) -> Result<Reply, OutboundFault> {
        self.guard.judge(url).map_err(refused)?;
        let request = self
            .client
            .post(url.clone())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form.expose().to_owned());
        self.send(request, authorization).await
    }

    /// POSTs a form, once, and takes note of the answer's status only, whatever it is. It ends `within` that time.
    ///
    /// # Errors
    /// [`OutboundFault`] if there is no answer.
    pub async fn post_form_for_status(&self, url: &Url, form: &Secret, within: Span) -> Result<u16, OutboundFault> {
        self.guard.judge(url).map_err(refused)?;
        let request = self
            .client
            .post(url.clone())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .timeout(within.as_std())
            .body(form.expose().to_owned());
        let mut response = request.send().await.map_err(|e| transport(&e))?;
        let status = response.status().as_u16();
        let rest = async {
            let mut read = 0;
            while let Ok(Some(piece)) = response.chunk().await {
                read += piece.len();
                if read > REST_BYTES_MAX {
                    break;
                }
            }
        };
        // What the rest is, and whether it comes, makes no difference.
        let _ = tokio::time::timeout(REST, rest).await;
        Ok(status)
    }

    /// Sends a request of any method, once.
    ///
    /// # Errors
    /// As [`Http::get`].
    pub async fn exchange(&self, call: &Call<'_>) -> Result<Exchanged, OutboundFault> {
        self.guard.judge(call.url).map_err(refused)?;
        let method = Method::from_bytes(call.method.as_bytes())
            .map_err(|_| OutboundFault::Misconfigured { detail: "a method that no request has".to_owned() })?;
        let mut request = self.client.request(method, call.url.clone()).header(ACCEPT, "application/scim+json");
        if let Some(host) = call.host {
            request = request.header(HOST, host);
        }
        if let Some(content_type) = call.content_type {
            request = request.header(CONTENT_TYPE, content_type);
        }
        if let Some(body) = call.body {
            request = request.body(body.to_owned());
        }
        let mut value = HeaderValue::from_str(call.authorization.expose())
            .map_err(|_| OutboundFault::untrusted("authorization", "has characters that no header takes"))?;
        value.set_sensitive(true);
        let response = request.header(AUTHORIZATION, value).send().await.map_err(|e| transport(&e))?;
        let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Ok(Exchanged { reply: read(response).await?, location })
    }

    async fn send(&self, request: RequestBuilder, authorization: Option<&Secret>) -> Result<Reply, OutboundFault> {
        let mut request = request.header(ACCEPT, "application/json");
        if let Some(value) = authorization {
            let mut value = HeaderValue::from_str(value.expose())
                .map_err(|_| OutboundFault::untrusted("access_token", "has characters that no header takes"))?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        let response = request.send().await.map_err(|e| transport(&e))?;
        read(response).await
    }
}

async fn read(mut response: Response) -> Result<Reply, OutboundFault> {
    let too_big = || OutboundFault::untrusted("body_size", "the answer is longer than 1 MiB");
    let status = response.status();
    if status.is_redirection() {
        return Err(OutboundFault::untrusted("redirect", format!("answered {status}; redirects are not followed")));
    }
    let encoding = response.headers().get(CONTENT_ENCODING);
    if encoding.is_some_and(|encoding| encoding != "identity") {
        return Err(OutboundFault::untrusted("content_encoding", "answered compressed without having been asked to"));
    }
    let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let content_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if response.content_length().is_some_and(|length| length > UPSTREAM_BODY_BYTES_MAX as u64) {
        return Err(too_big());
    }
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|e| transport(&e))? {
        if body.len() + piece.len() > UPSTREAM_BODY_BYTES_MAX {
            return Err(too_big());
        }
        body.extend_from_slice(&piece);
    }
    Ok(Reply { status: status.as_u16(), content_type, body })
}

fn refused(fault: GuardFault) -> OutboundFault {
    OutboundFault::untrusted("outbound_guard", fault.to_string())
}

/// What a failed request means: refused by the guard, by the certificate check, or just not reached.
fn transport(error: &reqwest::Error) -> OutboundFault {
    if let Some(fault) = cause::<GuardFault>(error) {
        return refused(fault.clone());
    }
    if let Some(rustls::Error::InvalidCertificate(reason)) = cause::<rustls::Error>(error) {
        return OutboundFault::untrusted("tls_certificate", format!("its certificate is not trusted: {reason:?}"));
    }
    let what = if error.is_timeout() { "took too long: " } else { "" };
    OutboundFault::unavailable(format!("{what}{}", chain(error)))
}

/// The cause of type `T`, looking into `io::Error`s, whose own `source` leaves out what they wrap.
fn cause<'e, T: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        next = match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

/// An error with its causes, without the URL.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut words = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = match error.downcast_ref::<reqwest::Error>() {
            Some(e) if e.is_connect() => "can't connect".to_owned(),
            Some(e) if e.is_timeout() => "no whole answer in time".to_owned(),
            Some(e) if e.is_body() || e.is_decode() => "the answer broke off".to_owned(),
            Some(_) => "no answer".to_owned(),
            None => error.to_string(),
        };
        words.push(text);
        next = error.source();
    }
    words.dedup();
    words.join(": ")
}
