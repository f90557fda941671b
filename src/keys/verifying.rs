//! Public keys of a JWK set, parsed once, for checking signatures.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
    RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::signing::{RSA_BITS_MAX, RSA_BITS_MIN};
use super::strict_json::parse_object;
use crate::base::limits::JWKS_KEYS_MAX;
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

    /// The algorithm of exactly this name; names are case-sensitive.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
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

enum Material {
    Rsa { pkcs1: ParsedPublicKey, pss: ParsedPublicKey },
    Ec(ParsedPublicKey),
    Ed(ParsedPublicKey),
}

/// One public key.
pub struct VerifyingKey {
    kid: Option<String>,
    /// The only algorithm it may be used with, if the set names one.
    alg: Option<String>,
    material: Material,
}

/// Why a JWK set can't be used as a client's keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeySetFault {
    #[error("it is no JWK set: an object with a list `keys`")]
    Malformed,
    #[error("it has more than 100 keys")]
    TooMany,
    #[error("it holds a private key; give the public half only")]
    Private,
    #[error("it holds a symmetric key (kty `oct`)")]
    Symmetric,
    #[error("it holds no key for RS256, PS256, ES256 or EdDSA")]
    Empty,
}

/// The members of a JWK that belong to a private or symmetric key (RFC 7518 §6).
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// The usable keys of a JWK set.
#[derive(Debug, Default)]
pub struct KeySet(Vec<VerifyingKey>);

impl KeySet {
    /// Reads a JWK set. Keys of unknown type or curve, for encryption, or of unfit size are passed over
    /// (RFC 7517 §5).
    ///
    /// # Errors
    /// [`KeySetFault`]: private or symmetric keys, no usable key at all, or no JWK set.
    pub fn parse(jwks: &str) -> Result<Self, KeySetFault> {
        let set = parse_object(jwks.as_bytes()).map_err(|_| KeySetFault::Malformed)?;
        let Some(Value::Array(keys)) = set.get("keys") else { return Err(KeySetFault::Malformed) };
        if keys.len() > JWKS_KEYS_MAX {
            return Err(KeySetFault::TooMany);
        }
        let mut usable = Vec::new();
        for key in keys {
            let key = key.as_object().ok_or(KeySetFault::Malformed)?;
            if text(key, "kty") == Some("oct") {
                return Err(KeySetFault::Symmetric);
            }
            if PRIVATE_MEMBERS.iter().any(|member| key.contains_key(*member)) {
                return Err(KeySetFault::Private);
            }
            usable.extend(VerifyingKey::of(key));
        }
        if usable.is_empty() { Err(KeySetFault::Empty) } else { Ok(Self(usable)) }
    }

    /// The keys that may have signed: by kid if one is named, and of a type that fits the algorithm.
    pub fn fitting(&self, kid: Option<&str>, algorithm: JwsAlgorithm) -> impl Iterator<Item = &VerifyingKey> {
        self.0.iter().filter(move |key| (kid.is_none() || key.kid.as_deref() == kid) && key.fits(algorithm))
    }
}

impl VerifyingKey {
    fn of(jwk: &Map<String, Value>) -> Option<Self> {
        if jwk.get("use").is_some_and(|usage| usage != "sig") {
            return None;
        }
        let verifies = |ops: &Value| ops.as_array().is_some_and(|ops| ops.iter().any(|op| op == "verify"));
        if jwk.get("key_ops").is_some_and(|ops| !verifies(ops)) {
            return None;
        }
        let material = match text(jwk, "kty")? {
            "RSA" => rsa(&bytes(jwk, "n")?, &bytes(jwk, "e")?)?,
            "EC" if text(jwk, "crv")? == "P-256" => ec(&bytes(jwk, "x")?, &bytes(jwk, "y")?)?,
            "OKP" if text(jwk, "crv")? == "Ed25519" => {
                Material::Ed(UnparsedPublicKey::new(&ED25519, bytes(jwk, "x")?).parse().ok()?)
            }
            _ => return None,
        };
        let named = |member| text(jwk, member).map(str::to_owned);
        Some(Self { kid: named("kid"), alg: named("alg"), material })
    }

    fn fits(&self, algorithm: JwsAlgorithm) -> bool {
        let type_fits = match self.material {
            Material::Rsa { .. } => matches!(algorithm, JwsAlgorithm::Rs256 | JwsAlgorithm::Ps256),
            Material::Ec(_) => algorithm == JwsAlgorithm::Es256,
            Material::Ed(_) => algorithm == JwsAlgorithm::EdDsa,
        };
        let name_fits = self
            .alg
            .as_deref()
            .is_none_or(|alg| alg == algorithm.as_str() || (alg == "Ed25519" && algorithm == JwsAlgorithm::EdDsa));
        type_fits && name_fits
    }

    /// Whether `signature` over `message` was made with this key by this algorithm.
    #[must_use]
    pub fn verifies(&self, algorithm: JwsAlgorithm, message: &[u8], signature: &[u8]) -> bool {
        let key = match (&self.material, algorithm) {
            (Material::Rsa { pkcs1, .. }, JwsAlgorithm::Rs256) => pkcs1,
            (Material::Rsa { pss, .. }, JwsAlgorithm::Ps256) => pss,
            (Material::Ec(key), JwsAlgorithm::Es256) | (Material::Ed(key), JwsAlgorithm::EdDsa) => key,
            _ => return false,
        };
        key.verify_sig(message, signature).is_ok()
    }
}

impl std::fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "VerifyingKey({})", self.kid.as_deref().unwrap_or("without kid"))
    }
}

fn rsa(n: &[u8], e: &[u8]) -> Option<Material> {
    let n = n.iter().position(|byte| *byte != 0).and_then(|zeros| n.get(zeros..))?;
    let bits = n.len() * 8 - usize::try_from(n.first()?.leading_zeros()).ok()?;
    // An exponent of one makes every message its own signature.
    let exponent = e.iter().try_fold(0_u64, |sum, byte| sum.checked_mul(256)?.checked_add(u64::from(*byte)))?;
    if !(RSA_BITS_MIN..=RSA_BITS_MAX).contains(&bits) || exponent < 3 || exponent % 2 == 0 || exponent >= 1 << 33 {
        return None;
    }
    let key = RsaPublicKeyComponents { n, e };
    Some(Material::Rsa {
        pkcs1: key.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256).ok()?,
        pss: key.to_parsed_public_key(&RSA_PSS_2048_8192_SHA256).ok()?,
    })
}

fn ec(x: &[u8], y: &[u8]) -> Option<Material> {
    if x.len() != 32 || y.len() != 32 {
        return None;
    }
    let point = [&[4], x, y].concat();
    Some(Material::Ec(UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).parse().ok()?))
}

fn text<'a>(jwk: &'a Map<String, Value>, member: &str) -> Option<&'a str> {
    jwk.get(member).and_then(Value::as_str)
}

fn bytes(jwk: &Map<String, Value>, member: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text(jwk, member)?).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::samples::key;
    use super::*;
    use crate::oidc::client::SigningAlgorithm::{EdDsa, Es256, Rs256};

    fn parse(keys: &Value) -> Result<usize, KeySetFault> {
        KeySet::parse(&json!({ "keys": keys }).to_string()).map(|set| set.0.len())
    }

    fn jwk(algorithm: SigningAlgorithm, changes: &Value) -> Value {
        let mut jwk = json!(key(algorithm).public_jwk());
        for (name, value) in changes.as_object().expect("an object") {
            jwk[name] = value.clone();
        }
        jwk
    }

    #[test]
    fn a066_unfit_keys_are_passed_over() {
        let short = URL_SAFE_NO_PAD.encode([0xff; 128]);
        let long = URL_SAFE_NO_PAD.encode([0xff; 2048]);
        for unfit in [
            jwk(Rs256, &json!({ "use": "enc" })),
            jwk(Rs256, &json!({ "key_ops": ["encrypt"] })),
            jwk(Rs256, &json!({ "n": short })),
            jwk(Rs256, &json!({ "n": long })),
            jwk(Rs256, &json!({ "e": "AQ" })),
            jwk(Rs256, &json!({ "e": "Ag" })),
            jwk(Rs256, &json!({ "e": "" })),
            jwk(Rs256, &json!({ "n": "" })),
            jwk(Es256, &json!({ "crv": "P-384" })),
            jwk(Es256, &json!({ "x": "AAAA" })),
            jwk(Es256, &json!({ "y": key(EdDsa).public_jwk().x })),
            jwk(EdDsa, &json!({ "crv": "X25519" })),
            jwk(EdDsa, &json!({ "x": "AAAA" })),
            json!({ "kty": "unheard-of" }),
            json!({}),
        ] {
            assert_eq!(parse(&json!([unfit])), Err(KeySetFault::Empty), "{unfit}");
            assert_eq!(parse(&json!([unfit, key(EdDsa).public_jwk()])), Ok(1), "{unfit}");
        }
    }

    #[test]
    fn a080_an_rsa_exponent_of_one_is_no_key() {
        assert_eq!(parse(&json!([jwk(Rs256, &json!({ "e": "AQ" }))])), Err(KeySetFault::Empty));
        assert_eq!(parse(&json!([jwk(Rs256, &json!({ "e": "AAAAAQ" }))])), Err(KeySetFault::Empty));
    }

    #[test]
    fn private_and_symmetric_keys_are_refused() {
        assert_eq!(parse(&json!([jwk(EdDsa, &json!({ "d": "x" }))])), Err(KeySetFault::Private));
        assert_eq!(parse(&json!([{ "kty": "oct", "k": "x" }])), Err(KeySetFault::Symmetric));
        assert_eq!(parse(&json!(["x"])), Err(KeySetFault::Malformed));
        assert_eq!(parse(&json!(vec![key(EdDsa).public_jwk(); 101])), Err(KeySetFault::TooMany));
        assert!(matches!(KeySet::parse("<html>"), Err(KeySetFault::Malformed)));
        assert!(matches!(KeySet::parse("[]"), Err(KeySetFault::Malformed)));
        assert!(matches!(KeySet::parse(r#"{"keys":[]}"#), Err(KeySetFault::Empty)));
    }

    #[test]
    fn a_key_is_used_with_its_own_algorithm_only() {
        let fits =
            |jwk: Value, algorithm| VerifyingKey::of(jwk.as_object().expect("an object")).map(|k| k.fits(algorithm));
        assert_eq!(fits(jwk(Rs256, &json!({})), JwsAlgorithm::Rs256), Some(true));
        assert_eq!(fits(jwk(Rs256, &json!({})), JwsAlgorithm::Ps256), Some(false), "the set says RS256");
        assert_eq!(fits(jwk(Rs256, &json!({ "alg": null })), JwsAlgorithm::Ps256), Some(true));
        assert_eq!(fits(jwk(Rs256, &json!({ "alg": null })), JwsAlgorithm::Es256), Some(false));
        assert_eq!(fits(jwk(EdDsa, &json!({ "alg": "Ed25519" })), JwsAlgorithm::EdDsa), Some(true));
    }

    #[test]
    fn a065_of_keys_with_one_kid_each_that_fits_is_tried() {
        let one = jwk(EdDsa, &json!({ "kid": "k" }));
        let other = jwk(Rs256, &json!({ "kid": "k" }));
        let set = KeySet::parse(&json!({ "keys": [other, one, one] }).to_string()).expect("a set");
        assert_eq!(set.fitting(Some("k"), JwsAlgorithm::EdDsa).count(), 2);
        assert_eq!(set.fitting(Some("k"), JwsAlgorithm::Rs256).count(), 1);
        assert_eq!(set.fitting(Some("K"), JwsAlgorithm::Rs256).count(), 0);
        assert_eq!(set.fitting(None, JwsAlgorithm::EdDsa).count(), 2);
    }
}
