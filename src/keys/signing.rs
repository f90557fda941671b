//! A signing key, parsed once and kept: parsing an RSA key costs more than signing with it.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{Jwk, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, Header};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::algorithm::JwsAlgorithm;
use crate::oidc::client::SigningAlgorithm;

/// RSA keys below this many bits are refused (NIST SP 800-131A).
pub const RSA_BITS_MIN: usize = 2048;
/// And above this many: verifying with them would be a burden on others.
pub const RSA_BITS_MAX: usize = 8192;

/// Why a key can't be used or made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    #[error("the key is no PKCS#8 of its algorithm")]
    Malformed,
    #[error("the RSA key has fewer than 2048 or more than 8192 bits")]
    Size,
    #[error("no key could be generated")]
    Generation,
}

/// A token could not be signed: its claims are no JSON, or the signature failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the token could not be signed")]
pub struct SignFault;

/// The `typ` of a token of ours (RFC 8725 §3.11: none can be taken for another).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JwtType {
    /// `JWT`: an ID token.
    Jwt,
    /// `at+jwt` (RFC 9068 §2.1).
    AccessToken,
    /// `logout+jwt` (OIDC Back-Channel Logout §2.4).
    LogoutToken,
}

impl JwtType {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jwt => "JWT",
            Self::AccessToken => "at+jwt",
            Self::LogoutToken => "logout+jwt",
        }
    }
}

/// A public key as it stands in the JWKS (RFC 7517 §4), its members in the order in which they are
/// served. There is no member for anything private.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicJwk {
    pub kty: String,
    #[serde(rename = "use")]
    pub usage: String,
    pub alg: String,
    pub kid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crv: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub y: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub e: Option<String>,
}

enum Pair {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

/// One private key, ready to sign.
pub struct SigningKey {
    pair: Pair,
    algorithm: SigningAlgorithm,
    public: PublicJwk,
    /// The first part of a token, for each [`JwtType`].
    headers: [String; 3],
}

impl SigningKey {
    /// Parses an unencrypted PKCS#8 key. Its kid is its RFC 7638 thumbprint.
    ///
    /// # Errors
    /// [`KeyFault::Malformed`] if it is none of this algorithm, [`KeyFault::Size`] for RSA keys out of
    /// [`RSA_BITS_MIN`]..=[`RSA_BITS_MAX`].
    pub fn from_pkcs8(algorithm: SigningAlgorithm, der: &[u8]) -> Result<Self, KeyFault> {
        let (pair, public) = match algorithm {
            SigningAlgorithm::Rs256 => rsa(der)?,
            SigningAlgorithm::Es256 => ec(der)?,
            SigningAlgorithm::EdDsa => ed(der)?,
        };
        let name = JwsAlgorithm::from(algorithm).into();
        let public = published(&public, name).ok_or(KeyFault::Malformed)?;
        let header = |typ: JwtType| {
            let (typ, kid) = (Some(typ.as_str().to_owned()), Some(public.kid.clone()));
            let header = Header { typ, kid, ..Header::new(name) };
            serde_json::to_vec(&header).map(|json| URL_SAFE_NO_PAD.encode(json)).map_err(|_| KeyFault::Malformed)
        };
        let headers = [header(JwtType::Jwt)?, header(JwtType::AccessToken)?, header(JwtType::LogoutToken)?];
        Ok(Self { pair, algorithm, public, headers })
    }

    #[must_use]
    pub fn kid(&self) -> &str {
        &self.public.kid
    }

    #[must_use]
    pub const fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// The public half, with `use`, `alg` and `kid`.
    #[must_use]
    pub const fn public_jwk(&self) -> &PublicJwk {
        &self.public
    }

    /// Signs claims as a compact JWS (RFC 7515 §3.1).
    ///
    /// # Errors
    /// [`SignFault`], if the claims are no JSON or the machine can't sign.
    pub fn sign<C: Serialize>(&self, claims: &C, typ: JwtType) -> Result<String, SignFault> {
        let [jwt, access, logout] = &self.headers;
        let header = match typ {
            JwtType::Jwt => jwt,
            JwtType::AccessToken => access,
            JwtType::LogoutToken => logout,
        };
        let claims = serde_json::to_vec(claims).map_err(|_| SignFault)?;
        let mut token = String::with_capacity(header.len() + claims.len() * 4 / 3 + 350);
        token.push_str(header);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        self.append_signature(&mut token)?;
        Ok(token)
    }

    fn append_signature(&self, token: &mut String) -> Result<(), SignFault> {
        let signature = |token: &mut String, bytes: &[u8]| {
            token.push('.');
            URL_SAFE_NO_PAD.encode_string(bytes, token);
        };
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut bytes = vec![0_u8; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), token.as_bytes(), &mut bytes)
                    .map_err(|_| SignFault)?;
                signature(token, &bytes);
            }
            Pair::Ec(pair) => {
                let made = pair.sign(&SystemRandom::new(), token.as_bytes()).map_err(|_| SignFault)?;
                signature(token, made.as_ref());
            }
            Pair::Ed(pair) => {
                let made = pair.try_sign(token.as_bytes()).map_err(|_| SignFault)?;
                signature(token, made.as_ref());
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({} {})", self.public.alg, self.public.kid)
    }
}

/// A private key in PKCS#8 DER, wiped when dropped, never printed.
pub struct Pkcs8(Zeroizing<Vec<u8>>);

impl Pkcs8 {
    /// The bytes, for the one place that seals them.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Pkcs8 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[private key]")
    }
}

/// Makes a new private key: RSA 2048, P-256 or Ed25519.
///
/// The one place in the pure part that throws dice: aws-lc draws the key from its own generator and
/// takes no other. RSA takes about 100 ms of a core, so the caller runs it off the workers.
///
/// # Errors
/// [`KeyFault::Generation`], if the machine has no randomness.
pub fn generate(algorithm: SigningAlgorithm) -> Result<Pkcs8, KeyFault> {
    let failed = |_| KeyFault::Generation;
    let der = match algorithm {
        SigningAlgorithm::Rs256 => {
            let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
            let der: Pkcs8V1Der<'_> = pair.as_der().map_err(failed)?;
            der.as_ref().to_vec()
        }
        SigningAlgorithm::Es256 => {
            let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(failed)?;
            pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec()
        }
        SigningAlgorithm::EdDsa => {
            let pair = Ed25519KeyPair::generate().map_err(failed)?;
            pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec()
        }
    };
    Ok(Pkcs8(Zeroizing::new(der)))
}

fn rsa(der: &[u8]) -> Result<(Pair, DecodingKey), KeyFault> {
    let pair = RsaKeyPair::from_pkcs8(der).map_err(|_| KeyFault::Malformed)?;
    let bits = pair.public_modulus_len().saturating_mul(8);
    if !(RSA_BITS_MIN..=RSA_BITS_MAX).contains(&bits) {
        return Err(KeyFault::Size);
    }
    let (n, e) = (pair.public_key().modulus(), pair.public_key().exponent());
    let (n, e) = (n.big_endian_without_leading_zero(), e.big_endian_without_leading_zero());
    let public = DecodingKey::from_rsa_raw_components(n, e);
    Ok((Pair::Rsa(pair), public))
}

fn ec(der: &[u8]) -> Result<(Pair, DecodingKey), KeyFault> {
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der).map_err(|_| KeyFault::Malformed)?;
    let public = DecodingKey::from_ec_der(pair.public_key().as_ref());
    Ok((Pair::Ec(pair), public))
}

fn ed(der: &[u8]) -> Result<(Pair, DecodingKey), KeyFault> {
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map_err(|_| KeyFault::Malformed)?;
    let public = DecodingKey::from_ed_der(pair.public_key().as_ref());
    Ok((Pair::Ed(pair), public))
}

fn published(key: &DecodingKey, algorithm: Algorithm) -> Option<PublicJwk> {
    let mut jwk = Jwk::from_decoding_key(key, Some(algorithm)).ok()?;
    jwk.common.key_id = Some(jwk.thumbprint(ThumbprintHash::SHA256).ok()?);
    jwk.common.public_key_use = Some(PublicKeyUse::Signature);
    serde_json::from_value(serde_json::to_value(jwk).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::Validation;
    use serde_json::{Value, json};

    use super::super::samples::{header_of, pkcs8};
    use super::*;

    fn key(algorithm: SigningAlgorithm) -> SigningKey {
        SigningKey::from_pkcs8(algorithm, &pkcs8(algorithm)).expect("a good key")
    }

    #[test]
    fn rfc_8037_appendix_a_holds() {
        let key = key(SigningAlgorithm::EdDsa);
        assert_eq!(key.kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        assert_eq!(key.public_jwk().x.as_deref(), Some("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"));
        let mut token = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc".to_owned();
        key.append_signature(&mut token).expect("signs");
        let expected = ".hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        assert!(token.ends_with(expected), "{token}");
    }

    #[test]
    fn an_independent_verifier_accepts_every_algorithm_and_type() {
        for algorithm in SigningAlgorithm::ALL {
            let key = key(algorithm);
            let jwk: Jwk = serde_json::from_value(json!(key.public_jwk())).expect("a JWK");
            assert_eq!(jwk.thumbprint(ThumbprintHash::SHA256).as_deref(), Ok(key.kid()), "RFC 7638");
            let name: Algorithm = algorithm.as_str().parse().expect("known");
            let mut validation = Validation::new(name);
            validation.validate_exp = false;
            validation.required_spec_claims.clear();
            for typ in [JwtType::Jwt, JwtType::AccessToken, JwtType::LogoutToken] {
                let claims = json!({ "sub": "ä", "n": 1 });
                let token = key.sign(&claims, typ).expect("signs");
                let header = json!({ "alg": algorithm.as_str(), "typ": typ.as_str(), "kid": key.kid() });
                assert_eq!(header_of(&token), header);
                let decoding = DecodingKey::from_jwk(&jwk).expect("a key");
                let decoded = jsonwebtoken::decode::<Value>(&token, &decoding, &validation).expect("verifies");
                assert_eq!(decoded.claims, claims);
            }
        }
    }

    #[test]
    fn generated_keys_sign_and_differ() {
        for algorithm in SigningAlgorithm::ALL {
            let made = generate(algorithm).expect("generates");
            let first = SigningKey::from_pkcs8(algorithm, made.expose()).expect("its own format");
            let again = SigningKey::from_pkcs8(algorithm, made.expose()).expect("its own format");
            let other = generate(algorithm).expect("generates");
            let other = SigningKey::from_pkcs8(algorithm, other.expose()).expect("its own format");
            assert_eq!(first.kid(), again.kid());
            assert_ne!(first.kid(), other.kid());
            assert!(first.sign(&json!({}), JwtType::Jwt).is_ok());
        }
    }

    #[test]
    fn a_key_of_another_algorithm_or_a_short_one_is_refused() {
        for (algorithm, other) in [
            (SigningAlgorithm::Rs256, SigningAlgorithm::Es256),
            (SigningAlgorithm::Es256, SigningAlgorithm::EdDsa),
            (SigningAlgorithm::EdDsa, SigningAlgorithm::Rs256),
        ] {
            assert_eq!(SigningKey::from_pkcs8(algorithm, &pkcs8(other)).err(), Some(KeyFault::Malformed));
            assert_eq!(SigningKey::from_pkcs8(algorithm, b"").err(), Some(KeyFault::Malformed));
        }
    }

    #[test]
    fn a259_keys_print_nothing_private() {
        for algorithm in SigningAlgorithm::ALL {
            let printed = format!("{:?}", key(algorithm));
            assert_eq!(printed, format!("SigningKey({} {})", algorithm.as_str(), key(algorithm).kid()));
        }
        assert_eq!(format!("{:?}", generate(SigningAlgorithm::EdDsa)), "Ok([private key])");
    }
}
