//! The keys of a client, one for each algorithm that a client's key may have.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
    RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::assertion::encode;

pub struct Keyring {
    rsa: RsaKeyPair,
    ec: EcdsaKeyPair,
    ed: Ed25519KeyPair,
}

impl Keyring {
    pub fn generate() -> Self {
        Self {
            rsa: RsaKeyPair::generate(KeySize::Rsa2048).expect("a key"),
            ec: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key"),
            ed: Ed25519KeyPair::generate().expect("a key"),
        }
    }

    /// The public keys, as a JWK set.
    pub fn jwks(&self) -> Value {
        let encoded = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        // DER of a 2048-bit RSAPublicKey: nine bytes of heads, the modulus, then the exponent.
        let modulus = encoded(&self.rsa.public_key().as_ref()[9..265]);
        let point = self.ec.public_key().as_ref();
        json!({ "keys": [
            { "kty": "RSA", "use": "sig", "kid": "rsa", "n": modulus, "e": "AQAB" },
            { "kty": "EC", "use": "sig", "kid": "ec", "crv": "P-256",
                "x": encoded(&point[1..33]), "y": encoded(&point[33..]) },
            { "kty": "OKP", "use": "sig", "kid": "ed", "crv": "Ed25519", "x": encoded(self.ed.public_key().as_ref()) },
        ] })
    }

    /// A JWT by this algorithm: of a key of ours, `HS256` by `secret`, or `none`.
    pub fn sign(&self, alg: &str, secret: &str, claims: &Value) -> String {
        let kid = match alg {
            "RS256" | "PS256" => "rsa",
            "ES256" => "ec",
            _ => "ed",
        };
        let message = format!("{}.{}", encode(&json!({ "alg": alg, "kid": kid })), encode(claims));
        let (random, bytes) = (SystemRandom::new(), message.as_bytes());
        let mut rsa = vec![0; self.rsa.public_modulus_len()];
        let signature = match alg {
            "RS256" => self.rsa.sign(&RSA_PKCS1_SHA256, &random, bytes, &mut rsa).map(|()| rsa).expect("it signs"),
            "PS256" => self.rsa.sign(&RSA_PSS_SHA256, &random, bytes, &mut rsa).map(|()| rsa).expect("it signs"),
            "ES256" => self.ec.sign(&random, bytes).expect("it signs").as_ref().to_vec(),
            "EdDSA" | "Ed25519" => self.ed.sign(bytes).as_ref().to_vec(),
            "HS256" => {
                let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret.as_bytes());
                aws_lc_rs::hmac::sign(&key, bytes).as_ref().to_vec()
            }
            "none" => Vec::new(),
            other => panic!("no key for {other}"),
        };
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}
