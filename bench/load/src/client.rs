//! The relying party: authorization code with PKCE, and what comes after.

use anyhow::{Context as _, ensure};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;
use url::Url;
use url::form_urlencoded::Serializer;

use crate::arguments::Arguments;
use crate::browser::{Cookies, walk};
use crate::wire::{Response, Wires};

/// Where the provider sends codes; nobody listens there, a login ends at the redirect.
const REDIRECT_URI: &str = "http://127.0.0.1:9499/cb";

/// One client at one provider, found by discovery.
pub struct Client {
    pub id: String,
    issuer: String,
    basic: String,
    scope: String,
    prompt: Option<String>,
    people: u64,
    /// Requests are pushed (RFC 9126) before the browser is sent.
    pushes: bool,
    pub discovery: Url,
    authorization: Url,
    token: Url,
    pub userinfo: Url,
    introspection: Option<Url>,
    push: Option<Url>,
    pub jwks_uri: Url,
    jwks: Value,
}

/// A code, with what its exchange needs.
pub struct Code {
    code: String,
    verifier: String,
    nonce: String,
}

/// What an exchange gave.
pub struct Tokens {
    pub access: String,
    pub refresh: Option<String>,
    id_token: String,
}

impl Client {
    pub async fn discover(arguments: &Arguments) -> anyhow::Result<Self> {
        let issuer = arguments.text("issuer")?.to_owned();
        let mut wires = Wires::default();
        let discovery = Url::parse(&format!("{issuer}/.well-known/openid-configuration"))?;
        let facts = wires.get(&discovery, "").await?.json()?;
        let announced = |name: &str| facts[name].as_str().map(Url::parse).transpose();
        let address =
            |name: &str| -> anyhow::Result<Url> { announced(name)?.with_context(|| format!("discovery lacks {name}")) };
        let jwks_uri = address("jwks_uri")?;
        let jwks = wires.get(&jwks_uri, "").await?.json()?;
        let id = arguments.text("client")?.to_owned();
        let basic = STANDARD.encode(format!("{id}:{}", arguments.text("secret")?));
        Ok(Self {
            basic: format!("authorization: Basic {basic}\r\n"),
            scope: arguments.get("scope").unwrap_or("openid profile email").to_owned(),
            prompt: arguments.get("prompt").map(str::to_owned),
            people: arguments.number("people", crate::stub::PEOPLE)?,
            pushes: arguments.get("scenario") == Some("pushed-login"),
            introspection: announced("introspection_endpoint")?,
            push: announced("pushed_authorization_request_endpoint")?,
            authorization: address("authorization_endpoint")?,
            token: address("token_endpoint")?,
            userinfo: address("userinfo_endpoint")?,
            discovery,
            jwks_uri,
            issuer,
            jwks,
            id,
        })
    }

    /// A login in a browser without cookies, up to the code.
    pub async fn sign_in(&self, wires: &mut Wires, turn: u64) -> anyhow::Result<Code> {
        self.sign_in_as(wires, turn, turn % self.people).await
    }

    /// The same for a person of that number.
    pub async fn sign_in_as(&self, wires: &mut Wires, turn: u64, person: u64) -> anyhow::Result<Code> {
        let (nonce, state, verifier) = (format!("nonce-{turn:020}"), format!("state-{turn:020}"), verifier(turn));
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
        let mut form = Serializer::new(String::new());
        form.append_pair("response_type", "code")
            .append_pair("client_id", &self.id)
            .append_pair("redirect_uri", REDIRECT_URI)
            .append_pair("scope", &self.scope)
            .append_pair("state", &state)
            .append_pair("nonce", &nonce)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256")
            .append_pair("login_hint", &format!("person{person}@example.com"));
        if let Some(prompt) = &self.prompt {
            form.append_pair("prompt", prompt);
        }
        let mut url = self.authorization.clone();
        url.set_query(Some(&if self.pushes { self.push(wires, &form.finish()).await? } else { form.finish() }));
        let back = walk(wires, &mut Cookies::default(), url, REDIRECT_URI).await?;
        let get = |name: &str| back.query_pairs().find(|(n, _)| n == name).map(|(_, v)| v.into_owned());
        ensure!(get("state").as_deref() == Some(state.as_str()), "another state came back: {back}");
        let code = get("code").with_context(|| format!("no code: {back}"))?;
        Ok(Code { code, verifier, nonce })
    }

    /// Pushes a request; what the browser is sent with in its place.
    async fn push(&self, wires: &mut Wires, form: &str) -> anyhow::Result<String> {
        let endpoint = self.push.as_ref().context("requests can't be pushed there")?;
        let response = wires.post(endpoint, &self.basic, form).await?;
        ensure!(response.status == 201, "{}: {}", response.status, String::from_utf8_lossy(&response.body));
        let pushed = response.json()?;
        let request_uri = pushed["request_uri"].as_str().context("no request_uri")?;
        let mut query = Serializer::new(String::new());
        Ok(query.append_pair("client_id", &self.id).append_pair("request_uri", request_uri).finish())
    }

    /// Asks about an access token (RFC 7662), which must be good.
    pub async fn introspect(&self, wires: &mut Wires, token: &str) -> anyhow::Result<()> {
        let endpoint = self.introspection.as_ref().context("no introspection there")?;
        let form = Serializer::new(String::new()).append_pair("token", token).finish();
        let response = wires.post(endpoint, &self.basic, &form).await?;
        ensure!(response.status == 200 && response.json()?["active"] == true, "{}", response.status);
        Ok(())
    }

    /// An access token in the client's own name.
    pub async fn client_credentials(&self, wires: &mut Wires) -> anyhow::Result<()> {
        let response = wires.post(&self.token, &self.basic, "grant_type=client_credentials").await?;
        ensure!(response.status == 200, "{}: {}", response.status, String::from_utf8_lossy(&response.body));
        Ok(())
    }

    /// Redeems a code and checks the ID token's claims.
    pub async fn redeem(&self, wires: &mut Wires, code: &Code) -> anyhow::Result<Tokens> {
        let form = Serializer::new(String::new())
            .append_pair("grant_type", "authorization_code")
            .append_pair("code", &code.code)
            .append_pair("redirect_uri", REDIRECT_URI)
            .append_pair("code_verifier", &code.verifier)
            .finish();
        let tokens = tokens(&wires.post(&self.token, &self.basic, &form).await?)?;
        let claims = part(&tokens.id_token, 1)?;
        ensure!(claims["nonce"] == code.nonce.as_str(), "another nonce: {claims}");
        ensure!(claims["iss"] == self.issuer.as_str(), "another issuer: {claims}");
        ensure!(
            claims["aud"] == self.id.as_str() || claims["aud"][0] == self.id.as_str(),
            "another audience: {claims}"
        );
        Ok(tokens)
    }

    pub async fn refresh(&self, wires: &mut Wires, refresh: &str) -> anyhow::Result<Tokens> {
        let form = Serializer::new(String::new())
            .append_pair("grant_type", "refresh_token")
            .append_pair("refresh_token", refresh)
            .finish();
        tokens(&wires.post(&self.token, &self.basic, &form).await?)
    }

    /// Checks the ID token's signature with the provider's published keys.
    pub fn verify(&self, tokens: &Tokens) -> anyhow::Result<()> {
        let (message, signature) = tokens.id_token.rsplit_once('.').context("no signature")?;
        let signature = URL_SAFE_NO_PAD.decode(signature)?;
        let header = part(&tokens.id_token, 0)?;
        let keys = self.jwks["keys"].as_array().context("no keys")?;
        let key = keys.iter().find(|key| key["kid"] == header["kid"]).context("an unknown kid")?;
        let bytes = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap_or_default());
        let good = match header["alg"].as_str() {
            Some("RS256") => RsaPublicKeyComponents { n: bytes("n")?, e: bytes("e")? }
                .verify(&RSA_PKCS1_2048_8192_SHA256, message.as_bytes(), &signature)
                .is_ok(),
            Some("ES256") => {
                let point = [vec![4], bytes("x")?, bytes("y")?].concat();
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message.as_bytes(), &signature).is_ok()
            }
            _ => false,
        };
        ensure!(good, "a wrong signature: {header}");
        Ok(())
    }
}

fn tokens(response: &Response) -> anyhow::Result<Tokens> {
    ensure!(response.status == 200, "{}: {}", response.status, String::from_utf8_lossy(&response.body));
    let body = response.json()?;
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    Ok(Tokens {
        access: text("access_token").context("no access token")?,
        refresh: text("refresh_token"),
        id_token: text("id_token").unwrap_or_default(),
    })
}

fn part(token: &str, index: usize) -> anyhow::Result<Value> {
    let part = token.split('.').nth(index).context("no JWT")?;
    Ok(serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part)?)?)
}

/// 43 characters that differ from login to login; a benchmark's secrets need not be secret.
fn verifier(turn: u64) -> String {
    format!("{turn:043}")
}
