//! A scripted identity provider on a free loopback port. By itself it behaves; each switch of its
//! [`Script`] is one way to be broken or evil.
//!
//! `/authorize` signs [`Script::person`] in at once and sends the browser back; tests without a browser
//! take a code by [`EvilIdp::issue_code`].

mod answers;
mod keys;
pub mod logout;

use std::collections::{HashMap, VecDeque};
use std::net::TcpListener;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::{App, HttpServer, web};
use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;
use vestibule::base::Clock;

/// A change of claims, a header or a document.
pub type Change = Arc<dyn Fn(&mut Map<String, Value>) + Send + Sync>;

/// How an endpoint answers.
#[derive(Clone, Default)]
pub enum Answer {
    /// As a sound provider would.
    #[default]
    Sound,
    /// This status, content type and body.
    Fixed(u16, &'static str, String),
    /// A redirect to this address.
    Redirect(String),
    /// Never.
    Hang,
    /// Soundly, once the test adds a permit.
    Held(Arc<Semaphore>),
    /// Half of a body that was announced longer.
    CutOff,
    /// A byte a second.
    Trickle,
    /// A gigabyte.
    Endless,
    /// Says that the body is compressed.
    Compressed,
}

/// How an ID token is signed.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Sign {
    #[default]
    Soundly,
    /// One bit of the signature is another.
    FlippedBit,
    /// No signature at all.
    Empty,
    /// HMAC keyed with the text of the public key.
    HmacWithPublicKey,
    /// By a key that the JWKS doesn't have.
    ForeignKey,
    /// Zeros.
    Zeros,
}

/// What the provider does. Change it by [`EvilIdp::set`].
#[derive(Clone)]
pub struct Script {
    /// Claims of whoever signs in (`sub` and what else is wanted in the ID token).
    pub person: Map<String, Value>,
    /// Claims of who signs in with this `login_hint`, if not `person`.
    pub by_hint: HashMap<String, Map<String, Value>>,
    /// What userinfo says; `None`: only the `sub` of `person`.
    pub userinfo_claims: Option<Map<String, Value>>,
    /// `RS256`, `PS256`, `ES256` or `EdDSA`.
    pub alg: &'static str,
    pub sign: Sign,
    pub claims: Option<Change>,
    pub header: Option<Change>,
    /// The ID token as text, in place of a signed one.
    pub id_token: Option<String>,
    pub token_body: Option<Change>,
    pub metadata: Option<Change>,
    pub jwks_body: Option<Change>,
    pub discovery: Answer,
    pub jwks: Answer,
    pub token: Answer,
    pub userinfo: Answer,
    /// The end-session endpoint: a sound one sends the browser back at once.
    pub logout: Answer,
    /// An `error` in place of a code.
    pub authorize_error: Option<&'static str>,
    /// Whether answers carry `iss`.
    pub sends_iss: bool,
    /// How many keys of each kind the JWKS has; the last one signs.
    pub keys: usize,
    /// How many were there before and are gone.
    pub retired: usize,
}

impl Default for Script {
    fn default() -> Self {
        let person = json!({"sub": "alice-at-idp"}).as_object().cloned().unwrap_or_default();
        Self {
            person,
            by_hint: HashMap::new(),
            userinfo_claims: None,
            alg: "RS256",
            sign: Sign::Soundly,
            claims: None,
            header: None,
            id_token: None,
            token_body: None,
            metadata: None,
            jwks_body: None,
            discovery: Answer::Sound,
            jwks: Answer::Sound,
            token: Answer::Sound,
            userinfo: Answer::Sound,
            logout: Answer::Sound,
            authorize_error: None,
            sends_iss: true,
            keys: 1,
            retired: 0,
        }
    }
}

/// A request that came in.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub query: String,
    /// Names in lower case.
    pub headers: HashMap<String, String>,
    pub body: String,
}

impl Seen {
    /// The decoded form body, or else the decoded query.
    pub fn params(&self) -> HashMap<String, String> {
        let encoded = if self.body.is_empty() { &self.query } else { &self.body };
        form_urlencoded::parse(encoded.as_bytes()).into_owned().collect()
    }
}

/// What a code stands for.
struct Login {
    client_id: String,
    nonce: Option<String>,
    challenge: Option<String>,
    person: Map<String, Value>,
}

struct Shared {
    issuer: String,
    clock: Arc<dyn Clock>,
    script: Mutex<Script>,
    seen: Mutex<VecDeque<Seen>>,
    codes: Mutex<HashMap<String, Login>>,
    issued: AtomicU64,
}

/// The running provider; it stops when dropped.
pub struct EvilIdp {
    shared: Arc<Shared>,
    handle: actix_web::dev::ServerHandle,
    thread: Option<std::thread::JoinHandle<()>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl EvilIdp {
    /// Starts it on plain http.
    pub fn start(clock: Arc<dyn Clock>) -> Self {
        Self::start_on("127.0.0.1", None, clock)
    }

    /// Starts it on https under `https://HOST:PORT`, with this server configuration.
    pub fn start_tls(host: &str, tls: rustls::ServerConfig, clock: Arc<dyn Clock>) -> Self {
        Self::start_on(host, Some(tls), clock)
    }

    fn start_on(host: &str, tls: Option<rustls::ServerConfig>, clock: Arc<dyn Clock>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let shared = Arc::new(Shared {
            issuer: format!("{scheme}://{host}:{port}"),
            clock,
            script: Mutex::default(),
            seen: Mutex::default(),
            codes: Mutex::default(),
            issued: AtomicU64::new(1),
        });
        let (started, ready) = std::sync::mpsc::channel();
        let served = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let server = HttpServer::new(move || {
                    App::new().app_data(web::Data::from(Arc::clone(&served))).default_service(web::to(answers::serve))
                })
                .workers(1)
                .disable_signals()
                .shutdown_timeout(0);
                let server = match tls {
                    Some(tls) => server.listen_rustls_0_23(listener, tls),
                    None => server.listen(listener),
                };
                let server = server.expect("listens").run();
                started.send(server.handle()).expect("the test waits");
                let _ = server.await;
            });
        });
        let handle = ready.recv().expect("the provider starts");
        Self { shared, handle, thread: Some(thread) }
    }

    pub fn issuer(&self) -> String {
        self.shared.issuer.clone()
    }

    /// Changes the script.
    pub fn set(&self, change: impl FnOnce(&mut Script)) {
        change(&mut lock(&self.shared.script));
    }

    /// Behaves again.
    pub fn reset(&self) {
        *lock(&self.shared.script) = Script::default();
    }

    /// A new key signs; those before are no longer in the JWKS.
    pub fn rotate_keys(&self) {
        self.set(|script| {
            script.retired = script.keys;
            script.keys += 1;
        });
    }

    /// A code as after a sign-in of [`Script::person`], for a request with this client and nonce.
    pub fn issue_code(&self, client_id: &str, nonce: &str) -> String {
        let person = lock(&self.shared.script).person.clone();
        let login = Login { client_id: client_id.to_owned(), nonce: Some(nonce.to_owned()), challenge: None, person };
        self.shared.remember(login)
    }

    /// An ID token as the token endpoint gives it for [`Script::person`].
    pub fn id_token(&self, client_id: &str, nonce: &str) -> String {
        let script = lock(&self.shared.script).clone();
        let person = script.person.clone();
        let login = Login { client_id: client_id.to_owned(), nonce: Some(nonce.to_owned()), challenge: None, person };
        answers::id_token(&self.shared, &script, &login, "at")
    }

    /// All requests so far, oldest first.
    pub fn seen(&self) -> Vec<Seen> {
        lock(&self.shared.seen).iter().cloned().collect()
    }

    /// How many requests a path got.
    pub fn count(&self, path: &str) -> usize {
        lock(&self.shared.seen).iter().filter(|seen| seen.path == path).count()
    }

    /// The last request of a path.
    pub fn last(&self, path: &str) -> Option<Seen> {
        lock(&self.shared.seen).iter().rev().find(|seen| seen.path == path).cloned()
    }
}

impl Drop for EvilIdp {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn remember(&self, login: Login) -> String {
        let number = self.issued.fetch_add(1, Ordering::SeqCst);
        let code = format!("code-{number}");
        lock(&self.codes).insert(code.clone(), login);
        code
    }
}
