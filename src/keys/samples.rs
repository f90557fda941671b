//! Fixed private keys and unsigned tokens for tests. They sign nothing outside.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::oidc::client::SigningAlgorithm;

/// The example key of RFC 8037 Appendix A.1 as PKCS#8.
const ED25519_PREFIX: &[u8] = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
const ED25519_SEED: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";

pub fn pkcs8(algorithm: SigningAlgorithm) -> Vec<u8> {
    match algorithm {
        SigningAlgorithm::Rs256 => STANDARD.decode(include_str!("golden/rs256.pkcs8.base64")).expect("base64"),
        SigningAlgorithm::Es256 => STANDARD.decode(include_str!("golden/es256.pkcs8.base64")).expect("base64"),
        SigningAlgorithm::EdDsa => [ED25519_PREFIX, &URL_SAFE_NO_PAD.decode(ED25519_SEED).expect("base64url")].concat(),
    }
}

/// An unsigned token of this header and these claims, up to its second dot.
pub fn unsigned(header: &Value, claims: &Value) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", encode(header), encode(claims))
}

/// The header of a token, as JSON.
pub fn header_of(token: &str) -> Value {
    let first = token.split('.').next().expect("a first part");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(first).expect("base64url")).expect("JSON")
}
