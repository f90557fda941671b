//! A provider's public keys (RFC 7517), and what they say to a signature.

use serde_json::Value;

use super::UpstreamFault;
use crate::base::limits::JWKS_KEYS_MAX;
use crate::keys::algorithm::JwsAlgorithm;
use crate::keys::verifying::{KEYS_TRIED_MAX, VerifyingKey};

/// The usable keys of a JWK set.
pub struct KeySet(Vec<VerifyingKey>);

/// What a key set says to a signature.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    Good,
    Bad,
    /// None of these keys is the one that signed, by what the token says; a newer set may have it.
    NoKey,
}

impl KeySet {
    /// Takes the usable public signing keys of a set: RSA of 2048 to 8192 bits, P-256,
    /// Ed25519. Others, and all beyond the first hundred, are ignored.
    ///
    /// # Errors
    /// [`UpstreamFault::Untrusted`] if it is no JWK set, or none of its keys can be used.
    pub fn parse(document: &Value) -> Result<Self, UpstreamFault> {
        let keys = document.get("keys").and_then(Value::as_array);
        let keys = keys.ok_or_else(|| UpstreamFault::untrusted("jwks", "is no JWK set: it has no list `keys`"))?;
        let usable: Vec<_> =
            keys.iter().take(JWKS_KEYS_MAX).filter_map(Value::as_object).filter_map(VerifyingKey::of).collect();
        if usable.is_empty() {
            return Err(UpstreamFault::untrusted("jwks", "has no key that can be used"));
        }
        Ok(Self(usable))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// How many keys fit an algorithm.
    pub fn count_for(&self, alg: JwsAlgorithm) -> usize {
        self.0.iter().filter(|key| key.is_for(None, alg)).count()
    }

    /// Checks a signature, as it stands in the token, with the key of this name, or without a name with
    /// each that fits.
    pub fn check(&self, kid: Option<&str>, alg: JwsAlgorithm, message: &str, signature: &str) -> Verdict {
        let mut fitting = self.0.iter().filter(|key| key.is_for(kid, alg)).take(KEYS_TRIED_MAX).peekable();
        let none = fitting.peek().is_none();
        if fitting.any(|key| key.verifies(alg, message, signature)) {
            return Verdict::Good;
        }
        if none || kid.is_none() { Verdict::NoKey } else { Verdict::Bad }
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::*;

    fn ec() -> (EcdsaKeyPair, Value) {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
        let bytes = pair.public_key().as_ref().to_vec();
        let jwk = json!({"kty": "EC", "crv": "P-256", "kid": "e1",
            "x": URL_SAFE_NO_PAD.encode(&bytes[1..33]), "y": URL_SAFE_NO_PAD.encode(&bytes[33..])});
        (pair, jwk)
    }

    fn encoded(signature: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(signature)
    }

    fn set(keys: &[Value]) -> KeySet {
        KeySet::parse(&json!({ "keys": keys })).expect("usable keys")
    }

    #[test]
    fn a080_an_ecdsa_signature_of_zeros_is_refused() {
        let (pair, jwk) = ec();
        let set = set(&[jwk]);
        let good = pair.sign(&SystemRandom::new(), b"message").expect("signs");
        assert_eq!(set.check(Some("e1"), JwsAlgorithm::Es256, "message", &encoded(good.as_ref())), Verdict::Good);
        assert_eq!(set.check(Some("e1"), JwsAlgorithm::Es256, "other", &encoded(good.as_ref())), Verdict::Bad);
        assert_eq!(set.check(Some("e1"), JwsAlgorithm::Es256, "message", &encoded(&[0; 64])), Verdict::Bad);
        assert_eq!(set.check(Some("e1"), JwsAlgorithm::Es256, "message", &encoded(&[])), Verdict::Bad);
    }

    #[test]
    fn a080_an_rsa_key_with_exponent_one_or_an_even_one_is_ignored() {
        let n = URL_SAFE_NO_PAD.encode([0xff_u8; 256]);
        for e in ["AQ", "AA", "Ag", "AAAB", ""] {
            let jwk = json!({"keys": [{"kty": "RSA", "n": n, "e": e}]});
            assert!(KeySet::parse(&jwk).is_err(), "{e}");
        }
        assert!(KeySet::parse(&json!({"keys": [{"kty": "RSA", "n": n, "e": "AQAB"}]})).is_ok());
    }

    #[test]
    fn a066_symmetric_encrypting_small_and_huge_keys_are_ignored() {
        let rsa = |bytes: usize| json!({"kty": "RSA", "e": "AQAB", "n": URL_SAFE_NO_PAD.encode(vec![0xff; bytes])});
        let (_, good) = ec();
        let mut encrypting = good.clone();
        encrypting["use"] = json!("enc");
        let mut wrapping = good.clone();
        wrapping["key_ops"] = json!(["wrapKey"]);
        let oct = json!({"kty": "oct", "k": "c2VjcmV0"});
        let kid_number = json!({"kty": "RSA", "e": "AQAB", "kid": 7, "n": URL_SAFE_NO_PAD.encode([0xff_u8; 256])});
        for bad in [oct, encrypting, wrapping, rsa(128), rsa(255), rsa(1025), rsa(2048), kid_number] {
            assert!(KeySet::parse(&json!({"keys": [bad.clone()]})).is_err(), "{bad}");
            assert_eq!(set(&[bad, good.clone()]).len(), 1);
        }
        let many: Vec<Value> = (0..10_000).map(|_| good.clone()).collect();
        assert_eq!(set(&many).len(), JWKS_KEYS_MAX);
        assert!(KeySet::parse(&json!([])).is_err());
    }

    #[test]
    fn a065_keys_of_one_name_and_a_missing_name_are_tried_five_at_most() {
        let pairs: Vec<(EcdsaKeyPair, Value)> = (0..6).map(|_| ec()).collect();
        let keys: Vec<Value> = pairs.iter().map(|(_, jwk)| jwk.clone()).collect();
        let set = set(&keys);
        let signed = |i: usize| pairs[i].0.sign(&SystemRandom::new(), b"m").expect("signs");
        for kid in [Some("e1"), None] {
            assert_eq!(set.check(kid, JwsAlgorithm::Es256, "m", &encoded(signed(4).as_ref())), Verdict::Good);
            assert_ne!(set.check(kid, JwsAlgorithm::Es256, "m", &encoded(signed(5).as_ref())), Verdict::Good);
        }
        assert_eq!(set.check(Some("e2"), JwsAlgorithm::Es256, "m", &encoded(signed(0).as_ref())), Verdict::NoKey);
    }

    #[test]
    fn a061_a_key_of_another_kind_never_fits() {
        let (_, jwk) = ec();
        let set = set(&[jwk]);
        for alg in [JwsAlgorithm::Rs256, JwsAlgorithm::Ps256, JwsAlgorithm::EdDsa] {
            assert_eq!(set.check(Some("e1"), alg, "m", "cw"), Verdict::NoKey);
        }
        for other in ["HS256", "none", "rs256"] {
            assert!(JwsAlgorithm::parse(other).is_none(), "{other}");
        }
    }

    #[test]
    fn a061_a_key_is_used_for_the_algorithm_that_it_names_only() {
        let rsa = |alg: &str| json!({"kty": "RSA", "alg": alg, "e": "AQAB", "n": URL_SAFE_NO_PAD.encode([0xff; 256])});
        let set = set(&[rsa("RS256")]);
        assert_eq!((set.count_for(JwsAlgorithm::Rs256), set.count_for(JwsAlgorithm::Ps256)), (1, 0));
        for other in ["RSA-OAEP", "HS256", "none"] {
            assert!(KeySet::parse(&json!({"keys": [rsa(other)]})).is_err(), "{other}");
        }
    }

    #[test]
    fn an_ed25519_signature_is_checked() {
        let pair = Ed25519KeyPair::generate().expect("a key");
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(pair.public_key().as_ref())});
        let set = set(&[jwk]);
        assert_eq!(set.check(None, JwsAlgorithm::EdDsa, "m", &encoded(pair.sign(b"m").as_ref())), Verdict::Good);
        assert_ne!(set.check(None, JwsAlgorithm::EdDsa, "n", &encoded(pair.sign(b"m").as_ref())), Verdict::Good);
    }
}
