//! The stub identity provider: everybody is signed in at once. It keeps nothing: the code carries what the ID token
//! needs. Its tokens are RS256 with 2048 bits, signed one by one, since each has its own nonce.

use std::rc::Rc;

use anyhow::{Context as _, ensure};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeySize, PublicKeyComponents};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::arguments::Arguments;

/// People that this provider knows, if not said otherwise.
pub const PEOPLE: u64 = 500;

struct Stub {
    issuer: String,
    key: RsaKeyPair,
    discovery: String,
    jwks: String,
}

pub async fn serve(arguments: &Arguments) -> anyhow::Result<()> {
    let listen = arguments.text("listen")?;
    let stub = Rc::new(Stub::new(format!("http://{listen}"))?);
    let listener = TcpListener::bind(listen).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        let stub = Rc::clone(&stub);
        tokio::task::spawn_local(async move {
            if let Err(fault) = stub.converse(stream).await {
                eprintln!("stub: {fault:#}");
            }
        });
    }
}

impl Stub {
    fn new(issuer: String) -> anyhow::Result<Self> {
        let key = RsaKeyPair::generate(KeySize::Rsa2048)?;
        let public = PublicKeyComponents::<Vec<u8>>::from(key.public_key());
        let jwks = json!({ "keys": [{
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": "stub",
            "n": URL_SAFE_NO_PAD.encode(&public.n), "e": URL_SAFE_NO_PAD.encode(&public.e),
        }] });
        let discovery = json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": format!("{issuer}/token"),
            "jwks_uri": format!("{issuer}/jwks"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "code_challenge_methods_supported": ["S256"],
        });
        Ok(Self { issuer, key, discovery: discovery.to_string(), jwks: jwks.to_string() })
    }

    /// Answers the requests of one connection, one after the other.
    async fn converse(&self, mut stream: TcpStream) -> anyhow::Result<()> {
        stream.set_nodelay(true)?;
        let mut bytes = Vec::with_capacity(4096);
        loop {
            let Some((method, target, start, length)) = head(&bytes)? else {
                if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                    return Ok(());
                }
                continue;
            };
            while bytes.len() < start + length {
                ensure!(stream.read_buf(&mut bytes).await? > 0, "the request broke off");
            }
            let body = bytes[start..start + length].to_vec();
            bytes.drain(..start + length);
            let answer = self.answer(&method, &target, &body)?;
            stream.write_all(answer.as_bytes()).await?;
        }
    }

    fn answer(&self, method: &str, target: &str, body: &[u8]) -> anyhow::Result<String> {
        let url = url::Url::parse(&format!("{}{target}", self.issuer))?;
        Ok(match (method, url.path()) {
            ("GET", "/.well-known/openid-configuration") => json_answer(&self.discovery),
            ("GET", "/jwks") => json_answer(&self.jwks),
            ("GET", "/authorize") => self.authorize(&url)?,
            ("GET", "/logout-token") => json_answer(&self.logout_token(&url)?),
            ("POST", "/token") => json_answer(&self.token(body)?),
            _ => "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_owned(),
        })
    }

    /// The person is the one hinted at, by number; without a hint, number 0.
    fn authorize(&self, url: &url::Url) -> anyhow::Result<String> {
        let get = |name: &str| url.query_pairs().find(|(n, _)| n == name).map(|(_, v)| v.into_owned());
        let nonce = get("nonce").context("no nonce")?;
        let hint = get("login_hint").unwrap_or_default();
        let person: u64 =
            hint.trim_start_matches("person").split('@').next().and_then(|n| n.parse().ok()).unwrap_or_default();
        let client = get("client_id").context("no client_id")?;
        let code = URL_SAFE_NO_PAD.encode(json!({ "n": nonce, "p": person, "c": client }).to_string());
        let mut back = url::Url::parse(&get("redirect_uri").context("no redirect_uri")?)?;
        back.query_pairs_mut().append_pair("code", &code).append_pair("state", &get("state").context("no state")?);
        Ok(format!("HTTP/1.1 303 See Other\r\nlocation: {back}\r\ncontent-length: 0\r\n\r\n"))
    }

    fn token(&self, body: &[u8]) -> anyhow::Result<String> {
        let code = url::form_urlencoded::parse(body).find(|(n, _)| n == "code").context("no code")?.1;
        let told: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(code.as_bytes())?)?;
        let person = told["p"].as_u64().unwrap_or_default();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs();
        let claims = json!({
            "iss": self.issuer, "sub": format!("upstream-{person:06}"), "aud": told["c"], "nonce": told["n"],
            "iat": now, "exp": now + 300, "auth_time": now,
            "name": format!("Person {person}"), "given_name": "Person", "family_name": format!("Number {person}"),
            "preferred_username": format!("person{person}@example.com"),
            "email": format!("person{person}@example.com"), "email_verified": true,
        });
        let id_token = self.sign(&claims)?;
        let answer =
            json!({ "access_token": "upstream", "token_type": "Bearer", "expires_in": 300, "id_token": id_token });
        Ok(answer.to_string())
    }

    /// Says that a person has signed out here: a logout token for the client, on demand (Back-Channel Logout 1.0 §2.4).
    fn logout_token(&self, url: &url::Url) -> anyhow::Result<String> {
        let get = |name: &str| url.query_pairs().find(|(n, _)| n == name).map(|(_, v)| v.into_owned());
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
        let claims = json!({
            "iss": self.issuer, "sub": format!("upstream-{:0>6}", get("person").context("no person")?),
            "aud": get("client").context("no client")?, "iat": now.as_secs(), "exp": now.as_secs() + 120,
            "jti": format!("{}", now.as_nanos()), "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
        });
        self.sign(&claims)
    }

    fn sign(&self, claims: &Value) -> anyhow::Result<String> {
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","kid":"stub","typ":"JWT"}"#);
        let message = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature)?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

fn json_answer(body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}")
}

/// Method, target, where the body begins, its length.
pub fn head(bytes: &[u8]) -> anyhow::Result<Option<(String, String, usize, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(start) = request.parse(bytes)? else { return Ok(None) };
    let length = request.headers.iter().find(|h| h.name.eq_ignore_ascii_case("content-length"));
    let length = length.map_or(Ok(0), |h| String::from_utf8_lossy(h.value).parse())?;
    let text = |part: Option<&str>| part.map(str::to_owned).context("no request line");
    Ok(Some((text(request.method)?, text(request.path)?, start, length)))
}
