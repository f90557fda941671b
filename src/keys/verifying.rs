//! Public keys of a JWK set (RFC 7517), and the signatures that they check (RFC 7518 §3).

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, CommonParameters, EllipticCurve, Jwk};
use jsonwebtoken::{AlgorithmFamily, DecodingKey, crypto};
use serde_json::{Map, Value};

use super::algorithm::JwsAlgorithm;
use super::signing::{RSA_BITS_MAX, RSA_BITS_MIN};
use super::strict_json::parse_object;
use crate::base::limits::JWKS_KEYS_MAX;

/// Bytes of a key's name.
pub const KID_BYTES_MAX: usize = 256;
/// Keys that are tried for one token.
pub const KEYS_TRIED_MAX: usize = 5;

/// One public key.
pub struct VerifyingKey {
    kid: Option<String>,
    /// The only algorithm it may be used with, if the set names one.
    alg: Option<JwsAlgorithm>,
    key: DecodingKey,
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
            if key.get("kty").is_some_and(|kty| kty == "oct") {
                return Err(KeySetFault::Symmetric);
            }
            if PRIVATE_MEMBERS.iter().any(|member| key.contains_key(*member)) {
                return Err(KeySetFault::Private);
            }
            usable.extend(VerifyingKey::of(key));
        }
        if usable.is_empty() { Err(KeySetFault::Empty) } else { Ok(Self(usable)) }
    }

    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The keys that may have signed: by kid if one is named, and of a type that fits the algorithm.
    pub fn fitting(&self, kid: Option<&str>, algorithm: JwsAlgorithm) -> impl Iterator<Item = &VerifyingKey> {
        self.0.iter().filter(move |key| key.is_for(kid, algorithm))
    }
}

impl VerifyingKey {
    /// Reads a JWK; `None` if nothing can be checked with it: another type, curve, size, use or
    /// algorithm, or an odd name. Members of a private key are not looked at.
    #[must_use]
    pub fn of(jwk: &Map<String, Value>) -> Option<Self> {
        if jwk.get("use").is_some_and(|usage| usage != "sig") {
            return None;
        }
        let verifies = |ops: &Value| ops.as_array().is_some_and(|ops| ops.iter().any(|op| op == "verify"));
        if jwk.get("key_ops").is_some_and(|ops| !verifies(ops)) {
            return None;
        }
        let kid = match jwk.get("kid") {
            None => None,
            Some(kid) => Some(kid.as_str().filter(|kid| kid.len() <= KID_BYTES_MAX)?.to_owned()),
        };
        let alg = match jwk.get("alg") {
            None | Some(Value::Null) => None,
            Some(name) => Some(JwsAlgorithm::parse(name.as_str()?)?),
        };
        let parameters = serde_json::from_value(Value::Object(jwk.clone())).ok()?;
        Some(Self { kid, alg, key: sound(parameters)? })
    }

    /// Whether the key has this name, or none is asked for, and is of a type that fits the algorithm.
    #[must_use]
    pub fn is_for(&self, kid: Option<&str>, algorithm: JwsAlgorithm) -> bool {
        (kid.is_none() || self.kid.as_deref() == kid) && self.fits(algorithm)
    }

    fn fits(&self, algorithm: JwsAlgorithm) -> bool {
        self.key.family() == jsonwebtoken::Algorithm::from(algorithm).family()
            && self.alg.is_none_or(|own| own == algorithm)
    }

    /// Whether `signature`, as it stands in the token, was made over `message` with this key by this
    /// algorithm.
    #[must_use]
    pub fn verifies(&self, algorithm: JwsAlgorithm, message: &str, signature: &str) -> bool {
        let verified = crypto::verify(signature, message.as_bytes(), &self.key, algorithm.into());
        self.fits(algorithm) && verified.unwrap_or(false)
    }
}

impl std::fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "VerifyingKey({})", self.kid.as_deref().unwrap_or("without kid"))
    }
}

/// The key of these parameters, if it is one of ours and a signature by it can be trusted:
/// jsonwebtoken reads it, but doesn't look at sizes, exponents and whether a point is on its curve.
fn sound(parameters: AlgorithmParameters) -> Option<DecodingKey> {
    match &parameters {
        AlgorithmParameters::RSA(rsa) => return rsa_key(&bytes(&rsa.n)?, &bytes(&rsa.e)?),
        AlgorithmParameters::EllipticCurve(ec) if ec.curve == EllipticCurve::P256 && ec.x.len() == ec.y.len() => {}
        AlgorithmParameters::OctetKeyPair(okp) if okp.curve == EllipticCurve::Ed25519 => {}
        _ => return None,
    }
    let key = DecodingKey::from_jwk(&Jwk { common: CommonParameters::default(), algorithm: parameters }).ok()?;
    let point = key.try_get_as_bytes().ok()?;
    match key.family() {
        AlgorithmFamily::Ec => ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).ok()?,
        _ => ParsedPublicKey::new(&ED25519, point).ok().filter(|_| point.len() == 32)?,
    };
    Some(key)
}

fn rsa_key(n: &[u8], e: &[u8]) -> Option<DecodingKey> {
    let trimmed = |bytes: &[u8]| -> Vec<u8> { bytes.iter().copied().skip_while(|byte| *byte == 0).collect() };
    let (n, e) = (trimmed(n), trimmed(e));
    let bits = n.len() * 8 - usize::try_from(n.first()?.leading_zeros()).ok()?;
    // An exponent of one makes every message its own signature.
    let odd_from_three_on = e.last()? % 2 == 1 && e != [1];
    let sound = (RSA_BITS_MIN..=RSA_BITS_MAX).contains(&bits) && odd_from_three_on && e.len() <= 4;
    sound.then(|| DecodingKey::from_rsa_raw_components(&n, &e))
}

/// Padding and white space are refused.
fn bytes(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::sample_keys::key;
    use super::*;
    use crate::oidc::client::SigningAlgorithm::{self, EdDsa, Es256, Rs256};

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
