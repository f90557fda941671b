//! Client assertions (RFC 7523), good and bad ones.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use vestibule::base::{Moment, Span};

/// A P-256 key of a client.
pub struct Signer {
    key: EcdsaKeyPair,
    pub kid: String,
}

impl Signer {
    pub fn generate(kid: &str) -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a new key");
        Self { key, kid: kid.to_owned() }
    }

    /// Its public half, as it stands in a JWK set.
    pub fn jwk(&self) -> Value {
        let point = self.key.public_key().as_ref(); // 0x04, x, y
        json!({
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.kid,
            "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..65]),
        })
    }

    /// `jwks = { keys = [ … ] }` of a client's file.
    pub fn as_toml(&self) -> String {
        let point = self.key.public_key().as_ref(); // 0x04, x, y
        let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..65]));
        let kid = &self.kid;
        format!(
            "jwks = {{ keys = [{{ kty = \"EC\", crv = \"P-256\", use = \"sig\", alg = \"ES256\", kid = \"{kid}\", x = \"{x}\", y = \"{y}\" }}] }}"
        )
    }

    /// A good assertion, valid for a minute.
    pub fn assertion(&self, client: &str, audience: &str, now: Moment) -> String {
        self.sign(&json!({"alg": "ES256", "kid": self.kid}), &claims(client, audience, now))
    }

    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        self.sign_text(header, &claims.to_string())
    }

    /// As [`Signer::sign`], of claims in the very words.
    pub fn sign_text(&self, header: &Value, claims: &str) -> String {
        let message = format!("{}.{}", encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = self.key.sign(&SystemRandom::new(), message.as_bytes()).expect("it signs");
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// The claims of a good assertion.
pub fn claims(client: &str, audience: &str, now: Moment) -> Value {
    static COUNT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let jti = format!("{}-{}", std::process::id(), COUNT.fetch_add(1, std::sync::atomic::Ordering::SeqCst));
    json!({
        "iss": client, "sub": client, "aud": audience, "jti": jti,
        "iat": now.secs(), "exp": now.plus(Span::minutes(1)).secs(),
    })
}

/// One part of a JWT.
pub fn encode(part: &Value) -> String {
    URL_SAFE_NO_PAD.encode(part.to_string())
}
