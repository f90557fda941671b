//! Checking of a signed token (RFC 7515 §5.2), strictly: what isn't understood is refused.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::algorithm::JwsAlgorithm;
use super::signing::JwtType;
use super::strict_json::parse_object;
use super::verifying::{KEYS_TRIED_MAX, KID_BYTES_MAX, KeySet};
use crate::base::limits::ID_TOKEN_BYTES_MAX;

/// Bytes of an encoded header that is looked at.
const HEADER_BYTES_MAX: usize = 4 * 1024;

/// The parts of a header that mean something to us. Keys and addresses of keys in it mean nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwsHeader {
    pub algorithm: JwsAlgorithm,
    pub kid: Option<String>,
    pub typ: Option<String>,
}

impl JwsHeader {
    /// Whether `typ` says so; without `typ` it counts as `JWT`. Media types may carry `application/`
    /// and are compared without regard to case (RFC 7515 §4.1.9).
    #[must_use]
    pub fn is(&self, wanted: JwtType) -> bool {
        self.is_named(wanted.as_str())
    }

    /// As [`JwsHeader::is`], for types that others sign.
    #[must_use]
    pub fn is_named(&self, wanted: &str) -> bool {
        let typ = self.typ.as_deref().unwrap_or(JwtType::Jwt.as_str()).to_ascii_lowercase();
        typ.strip_prefix("application/").unwrap_or(&typ) == wanted.to_ascii_lowercase()
    }
}

/// A token whose signature is good. Nothing else about it has been looked at.
#[derive(Clone, PartialEq)]
pub struct Jws {
    pub header: JwsHeader,
    pub claims: Map<String, Value>,
}

impl std::fmt::Debug for Jws {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&String> = self.claims.keys().collect();
        f.debug_struct("Jws").field("header", &self.header).field("claims", &names).finish()
    }
}

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyFault {
    #[error("the token is too long")]
    TooLong,
    #[error("the token has no three parts")]
    Parts,
    #[error("the token's header can't be read")]
    Header,
    #[error("the token's header asks for an extension")]
    Critical,
    #[error("the token's algorithm is not allowed")]
    Algorithm,
    #[error("no key fits the token")]
    NoKey,
    #[error("the token's signature is wrong")]
    Signature,
    #[error("the token's claims can't be read")]
    Claims,
    #[error("the token is of another type")]
    Type,
    #[error("the token is of another issuer")]
    Issuer,
}

impl VerifyFault {
    /// Whether keys that are newer may be the ones. A name is no proof of the contrary: some give each new key the old
    /// one's.
    #[must_use]
    pub const fn may_be_of_a_newer_key(self) -> bool {
        matches!(self, Self::NoKey | Self::Signature)
    }
}

/// Checks the form and the signature of a compact JWS by one of `keys` and one of `allowed`.
///
/// # Errors
/// [`VerifyFault`] says at which step it failed.
pub fn verify_jws(token: &str, keys: &KeySet, allowed: &[JwsAlgorithm]) -> Result<Jws, VerifyFault> {
    if token.len() > ID_TOKEN_BYTES_MAX {
        return Err(VerifyFault::TooLong);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(VerifyFault::Parts)?;
    let (header, claims) = signed.split_once('.').ok_or(VerifyFault::Parts)?;
    if claims.contains('.') || header.is_empty() || claims.is_empty() || signature.is_empty() {
        return Err(VerifyFault::Parts);
    }
    let header = read_header(header, allowed)?;
    let fitting: Vec<_> = keys.fitting(header.kid.as_deref(), header.algorithm).take(KEYS_TRIED_MAX).collect();
    if fitting.is_empty() {
        return Err(VerifyFault::NoKey);
    }
    if !fitting.iter().any(|key| key.verifies(header.algorithm, signed, signature)) {
        // Without a name it may be by a key that is newer than these.
        return Err(if header.kid.is_some() { VerifyFault::Signature } else { VerifyFault::NoKey });
    }
    let claims = URL_SAFE_NO_PAD.decode(claims).ok().and_then(|bytes| parse_object(&bytes).ok());
    Ok(Jws { header, claims: claims.ok_or(VerifyFault::Claims)? })
}

/// Checks an ID token that we issued ourselves, as `id_token_hint` (OIDC Core §3.1.2.1): signature,
/// type and issuer. It may be expired, and its audience is the caller's to compare.
///
/// # Errors
/// [`VerifyFault`].
pub fn verify_own_id_token(token: &str, keys: &KeySet, issuer: &str) -> Result<Map<String, Value>, VerifyFault> {
    let jws = verify_jws(token, keys, &[JwsAlgorithm::Rs256, JwsAlgorithm::Es256, JwsAlgorithm::EdDsa])?;
    if !jws.header.is(JwtType::Jwt) {
        return Err(VerifyFault::Type);
    }
    if jws.claims.get("iss").and_then(Value::as_str) != Some(issuer) {
        return Err(VerifyFault::Issuer);
    }
    Ok(jws.claims)
}

fn read_header(encoded: &str, allowed: &[JwsAlgorithm]) -> Result<JwsHeader, VerifyFault> {
    if encoded.len() > HEADER_BYTES_MAX {
        return Err(VerifyFault::Header);
    }
    let bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| VerifyFault::Header)?;
    let header = parse_object(&bytes).map_err(|_| VerifyFault::Header)?;
    if header.contains_key("crit") || header.contains_key("b64") || header.contains_key("enc") {
        return Err(VerifyFault::Critical);
    }
    let text = |member: &str| match header.get(member) {
        None => Ok(None),
        Some(Value::String(text)) if text.len() <= KID_BYTES_MAX => Ok(Some(text.clone())),
        Some(_) => Err(VerifyFault::Header),
    };
    let algorithm = text("alg")?.as_deref().and_then(JwsAlgorithm::parse).ok_or(VerifyFault::Algorithm)?;
    if !allowed.contains(&algorithm) {
        return Err(VerifyFault::Algorithm);
    }
    Ok(JwsHeader { algorithm, kid: text("kid")?, typ: text("typ")? })
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::hmac;
    use serde_json::json;

    use super::super::sample_keys::{jwks, key};
    use super::super::samples::{pkcs8, unsigned};
    use super::super::signing::SigningKey;
    use super::*;
    use crate::oidc::client::SigningAlgorithm::{EdDsa, Es256, Rs256};

    fn set(keys: &[&SigningKey]) -> KeySet {
        KeySet::parse(&jwks(keys)).expect("a set")
    }

    fn fault(token: &str, keys: &[&SigningKey]) -> Option<VerifyFault> {
        verify_jws(token, &set(keys), &JwsAlgorithm::ALL).err()
    }

    #[test]
    fn a_good_token_is_accepted_by_its_kid_and_without_one() {
        let (rsa, ec, ed) = (key(Rs256), key(Es256), key(EdDsa));
        for signer in [&rsa, &ec, &ed] {
            let token = signer.sign(&json!({ "sub": "u" }), JwtType::AccessToken).expect("signs");
            let jws = verify_jws(&token, &set(&[&rsa, &ec, &ed]), &JwsAlgorithm::ALL).expect("verifies");
            assert_eq!(jws.header.kid.as_deref(), Some(signer.kid()));
            assert!(jws.header.is(JwtType::AccessToken) && !jws.header.is(JwtType::Jwt));
            assert_eq!(jws.claims.get("sub"), Some(&json!("u")));
            let only_other = if signer.algorithm() == Rs256 { &ec } else { &rsa };
            assert_eq!(fault(&token, &[only_other]), Some(VerifyFault::NoKey));
        }
        let claims = json!({ "iss": "x" });
        let token = signed(&ed, &json!({ "alg": "EdDSA" }), &claims);
        assert!(verify_jws(&token, &set(&[&rsa, &ed]), &JwsAlgorithm::ALL).is_ok(), "no kid: each key that fits");
    }

    fn signed(ed: &SigningKey, header: &Value, claims: &Value) -> String {
        signed_text(ed, &unsigned(header, claims))
    }

    fn signed_text(ed: &SigningKey, text: &str) -> String {
        assert_eq!(ed.algorithm(), EdDsa);
        let pair = aws_lc_rs::signature::Ed25519KeyPair::from_pkcs8_maybe_unchecked(&pkcs8(EdDsa)).expect("a key");
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(pair.sign(text.as_bytes())))
    }

    #[test]
    fn a059_every_flipped_bit_is_refused() {
        for algorithm in [Rs256, Es256, EdDsa] {
            let signer = key(algorithm);
            let keys = set(&[&signer]);
            let token = signer.sign(&json!({ "sub": "u", "exp": 9 }), JwtType::Jwt).expect("signs");
            for place in 0..token.len() {
                let mut bytes = token.clone().into_bytes();
                bytes[place] ^= 1;
                if let Ok(text) = String::from_utf8(bytes) {
                    assert!(verify_jws(&text, &keys, &JwsAlgorithm::ALL).is_err(), "{place}");
                }
            }
        }
    }

    #[test]
    fn a060_no_algorithm_is_taken_from_the_header_alone() {
        let ed = key(EdDsa);
        for alg in [json!("none"), json!("nOnE"), json!(""), json!("eddsa"), json!(null), json!(5), json!("HS256")] {
            let token = signed(&ed, &json!({ "alg": alg, "kid": ed.kid() }), &json!({}));
            assert!(matches!(fault(&token, &[&ed]), Some(VerifyFault::Algorithm | VerifyFault::Header)), "{alg}");
        }
        assert_eq!(fault(&signed(&ed, &json!({}), &json!({})), &[&ed]), Some(VerifyFault::Algorithm));
        let good = ed.sign(&json!({}), JwtType::Jwt).expect("signs");
        let refused = verify_jws(&good, &set(&[&ed]), &[JwsAlgorithm::Rs256]).err();
        assert_eq!(refused, Some(VerifyFault::Algorithm), "good, but not allowed here");
        let bare = unsigned(&json!({ "alg": "EdDSA", "kid": ed.kid() }), &json!({}));
        assert_eq!(fault(&format!("{bare}."), &[&ed]), Some(VerifyFault::Parts), "no signature");
    }

    #[test]
    fn a061_a_public_key_is_never_an_hmac_secret() {
        let rsa = key(Rs256);
        let text = unsigned(&json!({ "alg": "HS256", "kid": rsa.kid() }), &json!({ "sub": "u" }));
        let jwk = serde_json::to_string(rsa.public_jwk()).expect("JSON");
        for secret in [jwk.as_bytes(), rsa.public_jwk().n.as_deref().unwrap_or_default().as_bytes()] {
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), text.as_bytes());
            let token = format!("{text}.{}", URL_SAFE_NO_PAD.encode(tag));
            assert_eq!(fault(&token, &[&rsa]), Some(VerifyFault::Algorithm));
        }
    }

    #[test]
    fn a062_keys_in_the_header_mean_nothing() {
        let (ed, rsa) = (key(EdDsa), key(Rs256));
        let header = json!({ "alg": "EdDSA", "jwk": ed.public_jwk(), "jku": "https://evil.test/", "x5c": ["x"] });
        let token = signed(&ed, &header, &json!({}));
        assert_eq!(fault(&token, &[&rsa]), Some(VerifyFault::NoKey));
    }

    #[test]
    fn a063_a_kid_is_text_of_256_bytes_at_most() {
        let ed = key(EdDsa);
        for (kid, expected) in [
            (json!("../../x"), VerifyFault::NoKey),
            (json!("' OR 1"), VerifyFault::NoKey),
            (json!("k".repeat(10_000)), VerifyFault::Header),
            (json!(7), VerifyFault::Header),
        ] {
            let token = signed(&ed, &json!({ "alg": "EdDSA", "kid": kid }), &json!({}));
            assert_eq!(fault(&token, &[&ed]), Some(expected));
        }
    }

    #[test]
    fn a067_extensions_and_other_numbers_of_parts_are_refused() {
        let ed = key(EdDsa);
        for extra in [json!({ "crit": ["b64"], "b64": false }), json!({ "b64": false }), json!({ "crit": [] })] {
            let mut header = json!({ "alg": "EdDSA", "kid": ed.kid() });
            header.as_object_mut().expect("an object").extend(extra.as_object().expect("an object").clone());
            assert_eq!(fault(&signed(&ed, &header, &json!({})), &[&ed]), Some(VerifyFault::Critical));
        }
        let good = ed.sign(&json!({}), JwtType::Jwt).expect("signs");
        let dots = ".".repeat(1_000_000);
        for (token, expected) in [
            ("", VerifyFault::Parts),
            ("a", VerifyFault::Parts),
            ("a.b", VerifyFault::Parts),
            ("a.b.c.d", VerifyFault::Parts),
            ("a.b.c.d.e", VerifyFault::Parts),
            (dots.as_str(), VerifyFault::TooLong),
            (&format!("{good}."), VerifyFault::Parts),
            (&format!(" {good}"), VerifyFault::Header),
            (&format!("{good}="), VerifyFault::Signature),
        ] {
            assert_eq!(fault(token, &[&ed]), Some(expected), "{}", token.get(..20).unwrap_or(token));
        }
    }

    #[test]
    fn a076_doubled_claims_are_refused_though_signed() {
        let ed = key(EdDsa);
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let header = part(r#"{"alg":"EdDSA"}"#);
        for claims in [r#"{"sub":"a","sub":"b"}"#, "[]", "{", "7", "\"x\"", "{}x"] {
            let token = signed_text(&ed, &format!("{header}.{}", part(claims)));
            assert_eq!(fault(&token, &[&ed]), Some(VerifyFault::Claims), "{claims}");
        }
        let twice = part(r#"{"alg":"none","alg":"EdDSA"}"#);
        let token = signed_text(&ed, &format!("{twice}.{}", part("{}")));
        assert_eq!(fault(&token, &[&ed]), Some(VerifyFault::Header));
    }

    #[test]
    fn a080_an_ecdsa_signature_of_zeros_is_refused() {
        let ec = key(Es256);
        let text = unsigned(&json!({ "alg": "ES256", "kid": ec.kid() }), &json!({ "sub": "u" }));
        let token = format!("{text}.{}", URL_SAFE_NO_PAD.encode([0; 64]));
        assert_eq!(fault(&token, &[&ec]), Some(VerifyFault::Signature));
    }
}
