//! A provider's public keys (RFC 7517) and the signatures that they check (RFC 7518 §3).

use aws_lc_rs::digest;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384,
    RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::UpstreamFault;
use crate::base::limits::JWKS_KEYS_MAX;

/// How many keys are tried if the token doesn't say which one, or several have its name.
const KEYS_TRIED_MAX: usize = 5;
/// Characters of a key id that are compared.
pub const KID_BYTES_MAX: usize = 256;

/// A signature algorithm that an ID token may have. `none` and HS* have no value here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alg {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    Es512,
    /// Ed25519.
    EdDsa,
}

impl Alg {
    /// By its JOSE name, to the letter.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "RS256" => Self::Rs256,
            "RS384" => Self::Rs384,
            "RS512" => Self::Rs512,
            "PS256" => Self::Ps256,
            "PS384" => Self::Ps384,
            "PS512" => Self::Ps512,
            "ES256" => Self::Es256,
            "ES384" => Self::Es384,
            "ES512" => Self::Es512,
            "EdDSA" => Self::EdDsa,
            _ => return None,
        })
    }

    /// The left half of the algorithm's hash, base64url: `at_hash` and `c_hash` (OIDC Core §3.1.3.6).
    /// For Ed25519 it is SHA-512, the hash within it.
    pub fn half_hash(self, text: &str) -> String {
        let algorithm = match self {
            Self::Rs256 | Self::Ps256 | Self::Es256 => &digest::SHA256,
            Self::Rs384 | Self::Ps384 | Self::Es384 => &digest::SHA384,
            Self::Rs512 | Self::Ps512 | Self::Es512 | Self::EdDsa => &digest::SHA512,
        };
        let whole = digest::digest(algorithm, text.as_bytes());
        let half = whole.as_ref().get(..whole.as_ref().len() / 2).unwrap_or_default();
        URL_SAFE_NO_PAD.encode(half)
    }

    const fn rsa(self) -> Option<&'static RsaParameters> {
        Some(match self {
            Self::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
            Self::Rs384 => &RSA_PKCS1_2048_8192_SHA384,
            Self::Rs512 => &RSA_PKCS1_2048_8192_SHA512,
            Self::Ps256 => &RSA_PSS_2048_8192_SHA256,
            Self::Ps384 => &RSA_PSS_2048_8192_SHA384,
            Self::Ps512 => &RSA_PSS_2048_8192_SHA512,
            _ => return None,
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Curve {
    P256,
    P384,
    P521,
    Ed25519,
}

impl Curve {
    /// Its name, the length of a coordinate, the one algorithm that goes with it.
    const ALL: [(&'static str, Self); 4] =
        [("P-256", Self::P256), ("P-384", Self::P384), ("P-521", Self::P521), ("Ed25519", Self::Ed25519)];

    const fn coordinate_bytes(self) -> usize {
        match self {
            Self::P256 | Self::Ed25519 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    fn verification(self, alg: Alg) -> Option<&'static dyn VerificationAlgorithm> {
        Some(match (self, alg) {
            (Self::P256, Alg::Es256) => &ECDSA_P256_SHA256_FIXED,
            (Self::P384, Alg::Es384) => &ECDSA_P384_SHA384_FIXED,
            (Self::P521, Alg::Es512) => &ECDSA_P521_SHA512_FIXED,
            (Self::Ed25519, Alg::EdDsa) => &ED25519,
            _ => return None,
        })
    }
}

enum Material {
    Rsa(RsaPublicKeyComponents<Vec<u8>>),
    /// A point: uncompressed (0x04 x y) on the NIST curves, 32 bytes for Ed25519.
    Point(Curve, Vec<u8>),
}

struct Key {
    kid: Option<String>,
    /// The only algorithm that it is for, if it says so.
    alg: Option<Alg>,
    material: Material,
}

/// The usable keys of a JWK set.
pub struct KeySet(Vec<Key>);

/// What a key set says to a signature.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    Good,
    Bad,
    /// None of these keys is the one that signed, by what the token says; a newer set may have it.
    NoKey,
}

impl KeySet {
    /// Takes the usable public signing keys of a set: RSA of 2048 to 8192 bits, the NIST curves,
    /// Ed25519. Others, and all beyond the first hundred, are ignored.
    ///
    /// # Errors
    /// [`UpstreamFault::Untrusted`] if it is no JWK set, or none of its keys can be used.
    pub fn parse(document: &Value) -> Result<Self, UpstreamFault> {
        let keys = document.get("keys").and_then(Value::as_array);
        let keys = keys.ok_or_else(|| UpstreamFault::untrusted("jwks", "is no JWK set: it has no list `keys`"))?;
        let usable: Vec<Key> =
            keys.iter().take(JWKS_KEYS_MAX).filter_map(Value::as_object).filter_map(Key::parse).collect();
        if usable.is_empty() {
            return Err(UpstreamFault::untrusted("jwks", "has no key that can be used"));
        }
        Ok(Self(usable))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// How many keys fit an algorithm.
    pub fn count_for(&self, alg: Alg) -> usize {
        self.0.iter().filter(|key| key.fits(alg)).count()
    }

    /// Checks a signature with the key of this name, or without a name with each that fits.
    pub fn check(&self, kid: Option<&str>, alg: Alg, message: &[u8], signature: &[u8]) -> Verdict {
        let named = |key: &&Key| kid.is_none_or(|kid| key.kid.as_deref() == Some(kid));
        let fitting: Vec<&Key> = self.0.iter().filter(named).filter(|key| key.fits(alg)).take(KEYS_TRIED_MAX).collect();
        if fitting.iter().any(|key| key.verifies(alg, message, signature)) {
            return Verdict::Good;
        }
        if fitting.is_empty() || kid.is_none() { Verdict::NoKey } else { Verdict::Bad }
    }
}

impl Key {
    fn parse(jwk: &Map<String, Value>) -> Option<Self> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        if jwk.contains_key("use") && text("use") != Some("sig") {
            return None;
        }
        if let Some(operations) = jwk.get("key_ops") {
            operations.as_array()?.iter().find(|operation| *operation == "verify")?;
        }
        let kid = match jwk.get("kid") {
            None => None,
            Some(kid) => Some(kid.as_str().filter(|kid| kid.len() <= KID_BYTES_MAX)?.to_owned()),
        };
        let alg = match jwk.get("alg") {
            None => None,
            Some(alg) => Some(Alg::parse(alg.as_str()?)?),
        };
        let material = match text("kty")? {
            "RSA" => rsa(&decoded(text("n")?)?, &decoded(text("e")?)?)?,
            "EC" => point(text("crv")?, &[0x04], &[text("x")?, text("y")?])?,
            "OKP" => point(text("crv")?, &[], &[text("x")?])?,
            _ => return None,
        };
        Some(Self { kid, alg, material })
    }

    fn fits(&self, alg: Alg) -> bool {
        let kind_fits = match &self.material {
            Material::Rsa(_) => alg.rsa().is_some(),
            Material::Point(curve, _) => curve.verification(alg).is_some(),
        };
        kind_fits && self.alg.is_none_or(|own| own == alg)
    }

    fn verifies(&self, alg: Alg, message: &[u8], signature: &[u8]) -> bool {
        match &self.material {
            Material::Rsa(key) => alg.rsa().is_some_and(|rsa| key.verify(rsa, message, signature).is_ok()),
            Material::Point(curve, point) => curve.verification(alg).is_some_and(|verification| {
                UnparsedPublicKey::new(verification, point).verify(message, signature).is_ok()
            }),
        }
    }
}

/// Members that belong to a private key are never looked at; padding and white space are refused.
fn decoded(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// 2048 to 8192 bits; an odd exponent from 3 on (with 1, the signature is the message).
fn rsa(n: &[u8], e: &[u8]) -> Option<Material> {
    let trimmed = |bytes: &[u8]| -> Vec<u8> { bytes.iter().copied().skip_while(|byte| *byte == 0).collect() };
    let (n, e) = (trimmed(n), trimmed(e));
    let bits = n.len() * 8 - n.first()?.leading_zeros() as usize;
    let odd_and_above_one = e.last()? & 1 == 1 && (e.len() > 1 || *e.last()? > 1);
    let sound = (2048..=8192).contains(&bits) && odd_and_above_one && e.len() <= 4;
    sound.then_some(Material::Rsa(RsaPublicKeyComponents { n, e }))
}

fn point(curve: &str, prefix: &[u8], coordinates: &[&str]) -> Option<Material> {
    let (_, curve) = Curve::ALL.into_iter().find(|(name, _)| *name == curve)?;
    if (curve == Curve::Ed25519) != (coordinates.len() == 1) {
        return None;
    }
    let mut bytes = prefix.to_vec();
    for coordinate in coordinates {
        bytes.extend(decoded(coordinate).filter(|bytes| bytes.len() == curve.coordinate_bytes())?);
    }
    Some(Material::Point(curve, bytes))
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
    use serde_json::json;

    use super::*;

    fn ec() -> (EcdsaKeyPair, Value) {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
        let bytes = pair.public_key().as_ref().to_vec();
        let jwk = json!({"kty": "EC", "crv": "P-256", "kid": "e1",
            "x": URL_SAFE_NO_PAD.encode(&bytes[1..33]), "y": URL_SAFE_NO_PAD.encode(&bytes[33..])});
        (pair, jwk)
    }

    fn set(keys: &[Value]) -> KeySet {
        KeySet::parse(&json!({ "keys": keys })).expect("usable keys")
    }

    #[test]
    fn a080_an_ecdsa_signature_of_zeros_is_refused() {
        let (pair, jwk) = ec();
        let set = set(&[jwk]);
        let good = pair.sign(&SystemRandom::new(), b"message").expect("signs");
        assert_eq!(set.check(Some("e1"), Alg::Es256, b"message", good.as_ref()), Verdict::Good);
        assert_eq!(set.check(Some("e1"), Alg::Es256, b"other", good.as_ref()), Verdict::Bad);
        assert_eq!(set.check(Some("e1"), Alg::Es256, b"message", &[0; 64]), Verdict::Bad);
        assert_eq!(set.check(Some("e1"), Alg::Es256, b"message", &[]), Verdict::Bad);
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
            assert_eq!(set.check(kid, Alg::Es256, b"m", signed(4).as_ref()), Verdict::Good);
            assert_ne!(set.check(kid, Alg::Es256, b"m", signed(5).as_ref()), Verdict::Good);
        }
        assert_eq!(set.check(Some("e2"), Alg::Es256, b"m", signed(0).as_ref()), Verdict::NoKey);
    }

    #[test]
    fn a061_a_key_of_another_kind_never_fits() {
        let (_, jwk) = ec();
        let set = set(&[jwk]);
        for alg in [Alg::Rs256, Alg::Ps256, Alg::EdDsa, Alg::Es384] {
            assert_eq!(set.check(Some("e1"), alg, b"m", b"s"), Verdict::NoKey);
        }
        assert!(Alg::parse("HS256").is_none() && Alg::parse("none").is_none() && Alg::parse("rs256").is_none());
    }

    #[test]
    fn a061_a_key_is_used_for_the_algorithm_that_it_names_only() {
        let rsa = |alg: &str| json!({"kty": "RSA", "alg": alg, "e": "AQAB", "n": URL_SAFE_NO_PAD.encode([0xff; 256])});
        let set = set(&[rsa("RS256")]);
        assert_eq!((set.count_for(Alg::Rs256), set.count_for(Alg::Ps256)), (1, 0));
        for other in ["RSA-OAEP", "HS256", "none"] {
            assert!(KeySet::parse(&json!({"keys": [rsa(other)]})).is_err(), "{other}");
        }
    }

    #[test]
    fn an_ed25519_signature_is_checked() {
        let pair = Ed25519KeyPair::generate().expect("a key");
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(pair.public_key().as_ref())});
        let set = set(&[jwk]);
        assert_eq!(set.check(None, Alg::EdDsa, b"m", pair.sign(b"m").as_ref()), Verdict::Good);
        assert_ne!(set.check(None, Alg::EdDsa, b"n", pair.sign(b"m").as_ref()), Verdict::Good);
    }

    #[test]
    fn the_hash_of_oidc_core_appendix_a3_comes_out() {
        let token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        assert_eq!(Alg::Rs256.half_hash(token), "77QmUPtjPfzWtF2AnpK9RQ");
    }
}
