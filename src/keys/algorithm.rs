//! The signature algorithms of tokens, by their JOSE names.

use aws_lc_rs::digest::{SHA256, SHA512, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::oidc::client::SigningAlgorithm;

/// A signature algorithm that we check (RFC 7518 §3.1, RFC 8037 §3.1): never `none`, never HS*.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JwsAlgorithm {
    Rs256,
    Ps256,
    Es256,
    EdDsa,
}

impl JwsAlgorithm {
    pub const ALL: [Self; 4] = [Self::Rs256, Self::Ps256, Self::Es256, Self::EdDsa];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    /// The algorithm of exactly this name; names are case-sensitive. `Ed25519` is what RFC 9864 §2.2 calls EdDSA with
    /// the one curve that we know.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let name = if name == "Ed25519" { "EdDSA" } else { name };
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name)
    }
}

impl From<SigningAlgorithm> for JwsAlgorithm {
    fn from(algorithm: SigningAlgorithm) -> Self {
        match algorithm {
            SigningAlgorithm::Rs256 => Self::Rs256,
            SigningAlgorithm::Es256 => Self::Es256,
            SigningAlgorithm::EdDsa => Self::EdDsa,
        }
    }
}

impl From<JwsAlgorithm> for jsonwebtoken::Algorithm {
    fn from(algorithm: JwsAlgorithm) -> Self {
        match algorithm {
            JwsAlgorithm::Rs256 => Self::RS256,
            JwsAlgorithm::Ps256 => Self::PS256,
            JwsAlgorithm::Es256 => Self::ES256,
            JwsAlgorithm::EdDsa => Self::EdDSA,
        }
    }
}

/// `at_hash` and `c_hash`: the left half of the hash that belongs to the ID token's algorithm (OIDC
/// Core §3.1.3.6); SHA-512 for Ed25519.
#[must_use]
pub fn half_hash(algorithm: impl Into<JwsAlgorithm>, text: &str) -> String {
    let hash = match algorithm.into() {
        JwsAlgorithm::Rs256 | JwsAlgorithm::Ps256 | JwsAlgorithm::Es256 => digest(&SHA256, text.as_bytes()),
        JwsAlgorithm::EdDsa => digest(&SHA512, text.as_bytes()),
    };
    let bytes = hash.as_ref();
    let (left, _) = bytes.split_at_checked(bytes.len() / 2).unwrap_or((bytes, &[]));
    URL_SAFE_NO_PAD.encode(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_exact_and_one_algorithm_has_two() {
        for algorithm in JwsAlgorithm::ALL {
            assert_eq!(JwsAlgorithm::parse(algorithm.as_str()), Some(algorithm));
        }
        assert_eq!(JwsAlgorithm::parse("Ed25519"), Some(JwsAlgorithm::EdDsa), "RFC 9864");
        for other in ["none", "HS256", "rs256", "ed25519", "Ed448", "ES256K", ""] {
            assert_eq!(JwsAlgorithm::parse(other), None, "{other}");
        }
    }

    #[test]
    fn the_hashes_of_openid_connect_core_appendix_a_hold() {
        let token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        assert_eq!(half_hash(SigningAlgorithm::Rs256, token), "77QmUPtjPfzWtF2AnpK9RQ");
        assert_eq!(half_hash(SigningAlgorithm::Es256, token), "77QmUPtjPfzWtF2AnpK9RQ");
        assert_eq!(half_hash(SigningAlgorithm::EdDsa, token).len(), 43, "half of SHA-512");
    }
}
