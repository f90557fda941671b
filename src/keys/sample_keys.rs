//! The fixed keys of tests, parsed.

use super::samples::pkcs8;
use super::signing::SigningKey;
use crate::oidc::client::SigningAlgorithm;

pub fn key(algorithm: SigningAlgorithm) -> SigningKey {
    SigningKey::from_pkcs8(algorithm, &pkcs8(algorithm)).expect("a good key")
}

/// A JWK set of these keys' public halves.
pub fn jwks(keys: &[&SigningKey]) -> String {
    let keys: Vec<_> = keys.iter().map(|key| key.public_jwk()).collect();
    serde_json::json!({ "keys": keys }).to_string()
}
