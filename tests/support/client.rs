//! A relying party, as strict as a good one: PKCE, state, nonce, `iss`, and the ID token checked by our JWKS.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::JwkSet;
use serde_json::{Map, Value};
use url::Url;
use vestibule::base::Digest;

use super::assertion::Signer;
use super::browser::{Browser, Page};
use super::http::{Request, Response};
use super::server::{REDIRECT_URI, Server};

/// How a client proves who it is.
#[derive(Clone)]
pub enum Proof {
    Basic(String),
    Post(String),
    Assertion(std::sync::Arc<Signer>),
    Public,
}

#[derive(Clone)]
pub struct Client {
    pub id: String,
    pub proof: Proof,
    pub redirect_uri: String,
}

impl Client {
    pub fn new(id: &str, proof: Proof, redirect_uri: &str) -> Self {
        Self { id: id.to_owned(), proof, redirect_uri: redirect_uri.to_owned() }
    }

    pub fn access() -> Self {
        Self::new("access", Proof::Basic("access-secret".to_owned()), REDIRECT_URI)
    }

    pub fn second() -> Self {
        Self::new("second", Proof::Post("second-secret".to_owned()), "https://second.example.com/cb")
    }

    pub fn spa() -> Self {
        Self::new("spa", Proof::Public, "https://spa.example.com/cb")
    }

    /// A complete authorization request, to be changed at will.
    pub fn ask(&self, server: &Server) -> Ask {
        let unique = |what: &str| Digest::of(format!("{what} {} {:p}", next(), server)).base64url();
        let verifier = unique("verifier");
        let params = vec![
            ("client_id", self.id.clone()),
            ("redirect_uri", self.redirect_uri.clone()),
            ("response_type", "code".to_owned()),
            ("scope", "openid profile email".to_owned()),
            ("state", unique("state")),
            ("nonce", unique("nonce")),
            ("code_challenge", Digest::of(&verifier).base64url()),
            ("code_challenge_method", "S256".to_owned()),
        ];
        let params = params.into_iter().map(|(n, v)| (n.to_owned(), v)).collect();
        Ask { endpoint: format!("{}/authorize", server.issuer), issuer: server.issuer.clone(), verifier, params }
    }

    /// A call of the token endpoint with this client's proof.
    pub fn token(&self, server: &Server, fields: &[(&str, &str)]) -> Response {
        server.send(&self.token_request(server, fields))
    }

    pub fn token_request(&self, server: &Server, fields: &[(&str, &str)]) -> Request {
        self.request(server, "/acs/token", fields)
    }

    /// A form POST with this client's proof.
    pub fn request(&self, server: &Server, path: &str, fields: &[(&str, &str)]) -> Request {
        let mut fields: Vec<(String, String)> =
            fields.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let mut add = |name: &str, value: &str| fields.push((name.to_owned(), value.to_owned()));
        let mut authorization = None;
        match &self.proof {
            Proof::Basic(secret) => authorization = Some(basic(&self.id, secret)),
            Proof::Post(secret) => {
                add("client_id", &self.id);
                add("client_secret", secret);
            }
            Proof::Assertion(signer) => {
                add("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
                add("client_assertion", &signer.assertion(&self.id, &server.issuer, server.now()));
            }
            Proof::Public => add("client_id", &self.id),
        }
        let request = Request::form(&server.url(path), &fields);
        match authorization {
            Some(value) => request.header("Authorization", &value),
            None => request,
        }
    }

    /// Turns a code into tokens.
    pub fn redeem(&self, server: &Server, ask: &Ask, code: &str) -> Response {
        let uri = ask.get("redirect_uri").unwrap_or_default();
        self.token(
            server,
            &[
                ("grant_type", "authorization_code"),
                ("code", code),
                ("redirect_uri", uri),
                ("code_verifier", &ask.verifier),
            ],
        )
    }

    pub fn refresh(&self, server: &Server, refresh_token: &str) -> Response {
        self.token(server, &[("grant_type", "refresh_token"), ("refresh_token", refresh_token)])
    }

    pub fn revoke(&self, server: &Server, token: &str) -> Response {
        server.send(&self.request(server, "/acs/revoke", &[("token", token)]))
    }

    pub fn introspect(&self, server: &Server, token: &str) -> Response {
        server.send(&self.request(server, "/acs/introspect", &[("token", token)]))
    }

    /// The whole way: through the browser, back, code against tokens, ID token verified.
    #[track_caller]
    pub fn sign_in(&self, server: &Server, browser: &mut Browser, ask: &Ask) -> Tokens {
        let answer = ask.run(browser);
        let code = answer.code();
        let response = self.redeem(server, ask, &code);
        assert_eq!(response.status, 200, "{}", response.text());
        Tokens::verified(server, self, Some(ask), &response)
    }
}

pub fn basic(id: &str, secret: &str) -> String {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encode(id), encode(secret))))
}

fn next() -> u64 {
    static COUNT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    COUNT.fetch_add(1, std::sync::atomic::Ordering::SeqCst)
}

/// An authorization request.
#[derive(Clone, Debug)]
pub struct Ask {
    endpoint: String,
    issuer: String,
    pub verifier: String,
    pub params: Vec<(String, String)>,
}

impl Ask {
    /// Sets a parameter, in place of one of that name.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.params.retain(|(n, _)| n != name);
        self.and(name, value)
    }

    /// Adds a parameter beside any of that name.
    pub fn and(mut self, name: &str, value: &str) -> Self {
        self.params.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.params.retain(|(n, _)| n != name);
        self
    }

    pub fn hint(self, hint: &str) -> Self {
        self.with("login_hint", hint)
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    pub fn url(&self) -> String {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.params).finish();
        format!("{}?{query}", self.endpoint)
    }

    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Sends the browser on its way; the answer that arrives at the client.
    #[track_caller]
    pub fn run(&self, browser: &mut Browser) -> Answer {
        let page = browser.open(&self.url());
        self.answer(&page)
    }

    /// The answer in the URL at which the browser has left, with `state` and `iss` checked.
    #[track_caller]
    pub fn answer(&self, page: &Page) -> Answer {
        if let Some(response) = &page.answer {
            panic!("no answer but a page, {} at {}: {}", response.status, page.url, response.text());
        }
        let redirect_uri = self.get("redirect_uri").expect("the client asked with a redirect URI");
        assert!(page.url.starts_with(redirect_uri), "the browser is at {}, not at the client", page.url);
        self.checked(page.query())
    }

    /// The answer in the form of a page that posts it.
    #[track_caller]
    pub fn posted(&self, page: &Page) -> Answer {
        let form = page.form_with("iss");
        assert_eq!(Some(form.action.as_str()), self.get("redirect_uri"));
        assert_eq!(form.method, "post");
        self.checked(form.fields.into_iter().collect())
    }

    #[track_caller]
    fn checked(&self, fields: BTreeMap<String, String>) -> Answer {
        assert_eq!(fields.get("iss").map(String::as_str), Some(self.issuer.as_str()), "every answer has our iss");
        assert_eq!(fields.get("state").map(String::as_str), self.get("state"), "and the client's state");
        Answer { fields }
    }
}

/// What a client got at its redirect URI.
#[derive(Clone, Debug)]
pub struct Answer {
    pub fields: BTreeMap<String, String>,
}

impl Answer {
    #[track_caller]
    pub fn code(&self) -> String {
        self.fields.get("code").unwrap_or_else(|| panic!("no code but {:?}", self.fields)).clone()
    }

    #[track_caller]
    pub fn error(&self) -> &str {
        assert!(!self.fields.contains_key("code"), "a code beside an error, or instead of it");
        self.fields.get("error").unwrap_or_else(|| panic!("no error but {:?}", self.fields))
    }
}

/// Tokens whose ID token has been checked.
#[derive(Clone, Debug)]
pub struct Tokens {
    pub access: String,
    pub refresh: Option<String>,
    pub id_token: String,
    pub claims: Map<String, Value>,
    pub scope: String,
}

impl Tokens {
    #[track_caller]
    pub fn verified(server: &Server, client: &Client, ask: Option<&Ask>, response: &Response) -> Self {
        let json = response.json();
        let text = |name: &str| json[name].as_str().map(str::to_owned);
        assert_eq!(json["token_type"], "Bearer");
        assert!(response.header("cache-control").is_some_and(|v| v.contains("no-store")), "token answers aren't kept");
        let id_token = text("id_token").expect("an ID token");
        let claims = verify(server, &id_token);
        assert_eq!(claims["iss"], server.issuer.as_str());
        assert_eq!(claims["aud"], client.id.as_str());
        let now = server.now().secs();
        assert!(claims["exp"].as_i64().is_some_and(|exp| exp > now), "not expired");
        assert!(claims["iat"].as_i64().is_some_and(|iat| (iat - now).abs() <= 1), "issued now");
        if let Some(ask) = ask {
            assert_eq!(claims.get("nonce").and_then(Value::as_str), ask.get("nonce"));
        }
        let access = text("access_token").expect("an access token");
        Self { access, refresh: text("refresh_token"), id_token, claims, scope: text("scope").unwrap_or_default() }
    }

    pub fn sub(&self) -> &str {
        self.claims["sub"].as_str().expect("a sub")
    }

    #[track_caller]
    pub fn refresh(&self) -> &str {
        self.refresh.as_deref().expect("a refresh token")
    }
}

/// The claims of a JWT whose signature is good by the JWKS as served now.
#[track_caller]
pub fn verify(server: &Server, token: &str) -> Map<String, Value> {
    let keys: JwkSet = serde_json::from_value(server.get("/acs/jwks").json()).expect("a JWK set");
    let header = jsonwebtoken::decode_header(token).expect("a JWT");
    let jwk = keys.find(header.kid.as_deref().expect("a kid")).expect("its key is in the JWKS");
    let key = jsonwebtoken::DecodingKey::from_jwk(jwk).expect("a usable key");
    let mut rules = jsonwebtoken::Validation::new(header.alg);
    rules.validate_exp = false; // by the test's clock
    rules.validate_aud = false;
    rules.required_spec_claims.clear();
    jsonwebtoken::decode::<Map<String, Value>>(token, &key, &rules).expect("a good signature").claims
}

/// The claims of a JWT, unverified.
pub fn peek(token: &str) -> Value {
    let payload = token.split('.').nth(1).and_then(|p| URL_SAFE_NO_PAD.decode(p).ok()).expect("a JWT");
    serde_json::from_slice(&payload).expect("JSON claims")
}

/// Userinfo with a bearer token.
pub fn userinfo(server: &Server, access: &str) -> Response {
    server.send(&Request::get(&server.url("/acs/userinfo")).header("Authorization", &format!("Bearer {access}")))
}

/// The parameters of a URL.
pub fn query(url: &str) -> BTreeMap<String, String> {
    Url::parse(url).expect("a URL").query_pairs().into_owned().collect()
}
