//! A scripted identity provider on a free loopback port. By itself it behaves; each switch of its
//! [`Script`] is one way to be broken or evil.
//!
//! `/authorize` signs [`Script::person`] in at once and sends the browser back; tests without a browser
//! take a code by [`EvilIdp::issue_code`].

use std::collections::{HashMap, VecDeque};
use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, LOCATION};
use actix_web::web::{self, Bytes};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
    RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::stream;
use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;
use vestibule::base::{Clock, Digest};

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
    issued: std::sync::atomic::AtomicU64,
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
            issued: std::sync::atomic::AtomicU64::new(1),
        });
        let (started, ready) = std::sync::mpsc::channel();
        let served = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let server = HttpServer::new(move || {
                    App::new().app_data(web::Data::from(Arc::clone(&served))).default_service(web::to(serve))
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
        let number = self.issued.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let code = format!("code-{number}");
        lock(&self.codes).insert(code.clone(), login);
        code
    }

    fn id_token(&self, script: &Script, login: &Login, access_token: &str) -> String {
        if let Some(text) = &script.id_token {
            return text.clone();
        }
        let now = self.clock.now().secs();
        let mut claims = login.person.clone();
        for (name, value) in [
            ("iss", json!(self.issuer)),
            ("aud", json!(login.client_id)),
            ("iat", json!(now)),
            ("exp", json!(now + 300)),
            ("nonce", json!(login.nonce)),
            ("auth_time", json!(now)),
            ("at_hash", json!(at_hash(script.alg, access_token))),
        ] {
            claims.insert(name.to_owned(), value);
        }
        if let Some(change) = &script.claims {
            change(&mut claims);
        }
        let key = keys().at(script.keys - 1);
        let mut header = Map::new();
        header.insert("alg".to_owned(), json!(script.alg));
        header.insert("kid".to_owned(), json!(key.kid(script.alg)));
        if let Some(change) = &script.header {
            change(&mut header);
        }
        sign(script, &key, &header, &claims)
    }
}

/// How a sound provider answers a request.
type Sound = fn(&Shared, &Script, &Seen) -> HttpResponse;

async fn serve(request: HttpRequest, body: Bytes, shared: web::Data<Shared>) -> HttpResponse {
    let header = |(name, value): (&actix_web::http::header::HeaderName, &actix_web::http::header::HeaderValue)| {
        (name.as_str().to_owned(), value.to_str().unwrap_or_default().to_owned())
    };
    let seen = Seen {
        method: request.method().to_string(),
        path: request.path().to_owned(),
        query: request.query_string().to_owned(),
        headers: request.headers().iter().map(header).collect(),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    lock(&shared.seen).push_back(seen.clone());
    let script = lock(&shared.script).clone();
    let (answer, sound): (&Answer, Sound) = match seen.path.as_str() {
        "/.well-known/openid-configuration" => (&script.discovery, discovery),
        "/jwks" => (&script.jwks, jwks),
        "/token" => (&script.token, token),
        "/userinfo" => (&script.userinfo, userinfo),
        "/authorize" => (&Answer::Sound, authorize),
        _ => return HttpResponse::NotFound().finish(),
    };
    if let Answer::Held(gate) = answer {
        let _permit = gate.acquire().await;
        let script = lock(&shared.script).clone();
        return sound(&shared, &script, &seen);
    }
    badly(answer).await.unwrap_or_else(|| sound(&shared, &script, &seen))
}

/// The answer of a switch that is not [`Answer::Sound`].
async fn badly(answer: &Answer) -> Option<HttpResponse> {
    let broken = || std::io::Error::other("cut off");
    Some(match answer {
        Answer::Sound | Answer::Held(_) => return None,
        Answer::Hang => std::future::pending().await,
        Answer::Fixed(status, content_type, body) => {
            let status = StatusCode::from_u16(*status).expect("a status");
            HttpResponse::build(status).insert_header((CONTENT_TYPE, *content_type)).body(body.clone())
        }
        Answer::Redirect(to) => HttpResponse::TemporaryRedirect().insert_header((LOCATION, to.as_str())).finish(),
        Answer::CutOff => {
            let half: [Result<Bytes, std::io::Error>; 2] = [Ok(Bytes::from_static(b"{\"issuer\":\"")), Err(broken())];
            json_head().no_chunking(5_000).streaming(stream::iter(half))
        }
        Answer::Trickle => json_head().streaming(stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Some((Ok::<_, std::io::Error>(Bytes::from_static(b" ")), ()))
        })),
        Answer::Endless => {
            let piece = Bytes::from(vec![b' '; 64 * 1024]);
            let pieces = (0..16_384).map(move |_| Ok::<_, std::io::Error>(piece.clone()));
            json_head().streaming(stream::iter(pieces))
        }
        Answer::Compressed => json_head().insert_header(("content-encoding", "gzip")).body("{}"),
    })
}

fn json_head() -> actix_web::HttpResponseBuilder {
    let mut head = HttpResponse::Ok();
    head.insert_header((CONTENT_TYPE, "application/json"));
    head
}

fn object(mut members: Value, change: Option<&Change>) -> HttpResponse {
    if let (Some(change), Some(members)) = (change, members.as_object_mut()) {
        change(members);
    }
    json_head().body(members.to_string())
}

fn discovery(shared: &Shared, script: &Script, _seen: &Seen) -> HttpResponse {
    let at = |path: &str| format!("{}{path}", shared.issuer);
    let document = json!({
        "issuer": shared.issuer,
        "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"),
        "userinfo_endpoint": at("/userinfo"), "jwks_uri": at("/jwks"), "end_session_endpoint": at("/logout"),
        "response_types_supported": ["code"], "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "PS256", "ES256", "EdDSA"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "private_key_jwt"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
    });
    object(document, script.metadata.as_ref())
}

fn jwks(_shared: &Shared, script: &Script, _seen: &Seen) -> HttpResponse {
    let list: Vec<Value> = (script.retired..script.keys).flat_map(|n| keys().at(n).jwks()).collect();
    object(json!({ "keys": list }), script.jwks_body.as_ref())
}

fn authorize(shared: &Shared, script: &Script, seen: &Seen) -> HttpResponse {
    let asked = seen.params();
    let get = |name: &str| asked.get(name).cloned();
    let Some(redirect_uri) = get("redirect_uri") else {
        return HttpResponse::BadRequest().body("no redirect_uri");
    };
    let hinted = get("login_hint").and_then(|hint| script.by_hint.get(&hint).cloned());
    let mut answer: Vec<(&str, String)> = get("state").map(|state| ("state", state)).into_iter().collect();
    if script.sends_iss {
        answer.push(("iss", shared.issuer.clone()));
    }
    match script.authorize_error {
        Some(error) => answer.push(("error", error.to_owned())),
        None => {
            let login = Login {
                client_id: get("client_id").unwrap_or_default(),
                nonce: get("nonce"),
                challenge: get("code_challenge"),
                person: hinted.unwrap_or_else(|| script.person.clone()),
            };
            answer.push(("code", shared.remember(login)));
        }
    }
    if get("response_mode").as_deref() == Some("form_post") {
        let field = |(name, value): &(&str, String)| format!("<input type=hidden name={name} value=\"{value}\">");
        let fields: String = answer.iter().map(field).collect();
        let page = format!("<form method=post action=\"{redirect_uri}\">{fields}<button>Go on</button></form>");
        return HttpResponse::Ok().insert_header((CONTENT_TYPE, "text/html")).body(page);
    }
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(answer).finish();
    let joint = if redirect_uri.contains('?') { '&' } else { '?' };
    HttpResponse::Found().insert_header((LOCATION, format!("{redirect_uri}{joint}{query}"))).finish()
}

fn token(shared: &Shared, script: &Script, seen: &Seen) -> HttpResponse {
    let asked = seen.params();
    let refuse = |why: &str| {
        let body = json!({"error": "invalid_grant", "error_description": why}).to_string();
        HttpResponse::BadRequest().insert_header((CONTENT_TYPE, "application/json")).body(body)
    };
    let Some(login) = asked.get("code").and_then(|code| lock(&shared.codes).remove(code)) else {
        return refuse("this code is unknown or spent");
    };
    let verifier = asked.get("code_verifier").map(String::as_str).unwrap_or_default();
    if login.challenge.as_ref().is_some_and(|challenge| *challenge != Digest::of(verifier).base64url()) {
        return refuse("the code_verifier does not fit");
    }
    let subject = login.person.get("sub").and_then(Value::as_str).unwrap_or_default();
    let access_token = format!("at-{subject}");
    let id_token = shared.id_token(script, &login, &access_token);
    let body = json!({
        "access_token": access_token, "token_type": "Bearer", "expires_in": 3600, "id_token": id_token,
        "refresh_token": "rt-of-the-provider", "scope": "openid",
    });
    object(body, script.token_body.as_ref())
}

fn userinfo(_shared: &Shared, script: &Script, seen: &Seen) -> HttpResponse {
    let bearer = seen.headers.get("authorization").map(String::as_str).unwrap_or_default();
    let Some(subject) = bearer.strip_prefix("Bearer at-") else {
        return HttpResponse::Unauthorized().finish();
    };
    let mut claims = script.userinfo_claims.clone().unwrap_or_default();
    claims.entry("sub").or_insert_with(|| json!(subject));
    object(Value::Object(claims), None)
}

// Keys are made once in a process: an RSA pair costs a tenth of a second.

/// One key of each kind.
struct KeyTrio {
    number: usize,
    rsa: RsaKeyPair,
    ec: EcdsaKeyPair,
    ed: Ed25519KeyPair,
}

#[derive(Default)]
struct KeyRow(Mutex<HashMap<usize, Arc<KeyTrio>>>);

/// The number of the keys that no JWKS has.
const FOREIGN: usize = usize::MAX;

fn keys() -> &'static KeyRow {
    static ROW: OnceLock<KeyRow> = OnceLock::new();
    ROW.get_or_init(KeyRow::default)
}

impl KeyRow {
    fn at(&self, number: usize) -> Arc<KeyTrio> {
        let mut row = lock(&self.0);
        let trio = row.entry(number).or_insert_with(|| {
            Arc::new(KeyTrio {
                number,
                rsa: RsaKeyPair::generate(KeySize::Rsa2048).expect("a key"),
                ec: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key"),
                ed: Ed25519KeyPair::generate().expect("a key"),
            })
        });
        Arc::clone(trio)
    }
}

impl KeyTrio {
    fn kid(&self, alg: &str) -> String {
        let kind = match alg {
            "ES256" => "ec",
            "EdDSA" => "ed",
            _ => "rsa",
        };
        format!("{kind}-{}", self.number)
    }

    /// The modulus of the RSA key, base64url.
    fn modulus(&self) -> String {
        // DER of a 2048-bit RSAPublicKey: nine bytes of heads, the modulus, then the exponent.
        URL_SAFE_NO_PAD.encode(&self.rsa.public_key().as_ref()[9..265])
    }

    fn jwks(&self) -> [Value; 3] {
        let point = self.ec.public_key().as_ref();
        let encoded = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        [
            json!({"kty": "RSA", "use": "sig", "kid": self.kid("RS256"), "n": self.modulus(), "e": "AQAB"}),
            json!({"kty": "EC", "use": "sig", "kid": self.kid("ES256"), "crv": "P-256",
                "x": encoded(&point[1..33]), "y": encoded(&point[33..])}),
            json!({"kty": "OKP", "use": "sig", "kid": self.kid("EdDSA"), "crv": "Ed25519",
                "x": encoded(self.ed.public_key().as_ref())}),
        ]
    }
}

fn at_hash(alg: &str, access_token: &str) -> String {
    use aws_lc_rs::digest::{SHA256, SHA512, digest};
    let whole = digest(if alg == "EdDSA" { &SHA512 } else { &SHA256 }, access_token.as_bytes());
    URL_SAFE_NO_PAD.encode(&whole.as_ref()[..whole.as_ref().len() / 2])
}

fn sign(script: &Script, key: &KeyTrio, header: &Map<String, Value>, claims: &Map<String, Value>) -> String {
    let encoded = |members: &Map<String, Value>| URL_SAFE_NO_PAD.encode(Value::Object(members.clone()).to_string());
    let message = format!("{}.{}", encoded(header), encoded(claims));
    let foreign = keys().at(FOREIGN);
    let pair = if script.sign == Sign::ForeignKey { &foreign } else { key };
    let mut signature = match script.sign {
        Sign::Empty => Vec::new(),
        Sign::HmacWithPublicKey => {
            let secret = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, key.modulus().as_bytes());
            aws_lc_rs::hmac::sign(&secret, message.as_bytes()).as_ref().to_vec()
        }
        Sign::Zeros => vec![0; 64],
        _ => signature(pair, script.alg, message.as_bytes()),
    };
    if script.sign == Sign::FlippedBit {
        signature[17] ^= 0x04;
    }
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn signature(key: &KeyTrio, alg: &str, message: &[u8]) -> Vec<u8> {
    let random = SystemRandom::new();
    match alg {
        "ES256" => key.ec.sign(&random, message).expect("signs").as_ref().to_vec(),
        "EdDSA" => key.ed.sign(message).as_ref().to_vec(),
        _ => {
            let mut signature = vec![0; key.rsa.public_modulus_len()];
            let padding: &dyn aws_lc_rs::signature::RsaEncoding =
                if alg == "PS256" { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
            key.rsa.sign(padding, &random, message, &mut signature).expect("signs");
            signature
        }
    }
}
