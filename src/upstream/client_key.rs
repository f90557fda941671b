//! `[client_key]`: how we prove who we are by a key of our own (private_key_jwt, RFC 7523 §2.2).

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding,
    RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};

use super::UpstreamFault;
use crate::base::{Digest, Moment, Secret, Span};
use crate::oidc::Idp;
use crate::oidc::idp::{ClientKey, ClientKeyAlgorithm, IdpCredential};

/// How long an assertion may be used; it is made for one call.
const ASSERTION_LIFETIME: Span = Span::secs(60);

/// A client key, read once: its signatures and its public half.
pub struct Signer {
    pair: Pair,
    /// The JOSE header, encoded.
    header: String,
    /// The public half, with `kid`, `use` and `alg`.
    jwk: Value,
}

enum Pair {
    Rsa(Box<RsaKeyPair>, &'static dyn RsaEncoding),
    P256(Box<EcdsaKeyPair>),
}

/// What an assertion says.
pub struct Assertion<'a> {
    pub client_id: &'a str,
    pub audience: &'a str,
    pub jti: String,
    pub now: Moment,
}

impl Signer {
    /// Reads the key and, if there is one, its certificate.
    ///
    /// # Errors
    /// [`UpstreamFault::Misconfigured`] if one of them can't be read or doesn't fit the algorithm.
    pub fn new(key: &ClientKey) -> Result<Self, UpstreamFault> {
        let unusable = |what: &str| UpstreamFault::Misconfigured { detail: format!("[client_key] {what}") };
        let der = PrivatePkcs8KeyDer::from_pem_slice(key.pem.expose().as_bytes())
            .map_err(|_| unusable("key is no PKCS#8 in PEM"))?;
        let der = der.secret_pkcs8_der();
        let (pair, thumbprint_of, jwk) = match key.algorithm {
            ClientKeyAlgorithm::Rs256 => rsa(der, &RSA_PKCS1_SHA256),
            ClientKeyAlgorithm::Ps256 => rsa(der, &RSA_PSS_SHA256),
            ClientKeyAlgorithm::Es256 => p256(der),
        }
        .ok_or_else(|| unusable("key doesn't fit the algorithm"))?;
        let kid = key.kid.clone().unwrap_or_else(|| Digest::of(thumbprint_of).base64url());
        let mut header = json!({"typ": "JWT", "alg": name(key.algorithm), "kid": kid});
        if let Some(pem) = &key.certificate {
            let certificate =
                CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| unusable("certificate is no PEM"))?;
            insert(&mut header, "x5t#S256", &Digest::of(&certificate).base64url());
        }
        let mut jwk = jwk;
        for (member, value) in [("kid", kid.as_str()), ("use", "sig"), ("alg", name(key.algorithm))] {
            insert(&mut jwk, member, value);
        }
        Ok(Self { pair, header: URL_SAFE_NO_PAD.encode(header.to_string()), jwk })
    }

    /// Signs an assertion for one call of the token endpoint.
    ///
    /// # Errors
    /// [`UpstreamFault::Misconfigured`] if the key can't sign.
    pub fn assertion(&self, say: &Assertion<'_>) -> Result<Secret, UpstreamFault> {
        let claims = json!({
            "iss": say.client_id, "sub": say.client_id, "aud": say.audience, "jti": say.jti,
            "iat": say.now.secs(), "nbf": say.now.secs(), "exp": say.now.plus(ASSERTION_LIFETIME).secs(),
        });
        let message = format!("{}.{}", self.header, URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signature = self
            .signature(message.as_bytes())
            .ok_or_else(|| UpstreamFault::Misconfigured { detail: "[client_key] can't sign".to_owned() })?;
        Ok(Secret::new(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))))
    }

    fn signature(&self, message: &[u8]) -> Option<Vec<u8>> {
        match &self.pair {
            Pair::Rsa(pair, padding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*padding, &SystemRandom::new(), message, &mut signature).ok()?;
                Some(signature)
            }
            Pair::P256(pair) => Some(pair.sign(&SystemRandom::new(), message).ok()?.as_ref().to_vec()),
        }
    }
}

/// The public halves of all `[client_key]`s as a JWK set, for `/federation/jwks`. A key that can't be
/// read is left out; the configuration's findings name it.
#[must_use]
pub fn public_jwks<'a>(idps: impl IntoIterator<Item = &'a Idp>) -> Value {
    let keys: Vec<Value> = idps
        .into_iter()
        .filter_map(|idp| match &idp.credential {
            IdpCredential::Key(key) => Signer::new(key).ok().map(|signer| signer.jwk),
            IdpCredential::Secret(_) => None,
        })
        .collect();
    json!({ "keys": keys })
}

const fn name(algorithm: ClientKeyAlgorithm) -> &'static str {
    match algorithm {
        ClientKeyAlgorithm::Rs256 => "RS256",
        ClientKeyAlgorithm::Ps256 => "PS256",
        ClientKeyAlgorithm::Es256 => "ES256",
    }
}

fn insert(object: &mut Value, member: &str, value: &str) {
    if let Some(members) = object.as_object_mut() {
        members.insert(member.to_owned(), Value::from(value));
    }
}

/// A pair, the text whose digest is its RFC 7638 thumbprint, and its public JWK.
type Read = (Pair, String, Value);

fn rsa(der: &[u8], padding: &'static dyn RsaEncoding) -> Option<Read> {
    let pair = RsaKeyPair::from_pkcs8(der).ok()?;
    let (n, e) = public_components(pair.public_key().as_ref())?;
    let (n, e) = (URL_SAFE_NO_PAD.encode(n), URL_SAFE_NO_PAD.encode(e));
    let thumbprint_of = format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#);
    Some((Pair::Rsa(Box::new(pair), padding), thumbprint_of, json!({"kty": "RSA", "n": n, "e": e})))
}

fn p256(der: &[u8]) -> Option<Read> {
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der).ok()?;
    let point = pair.public_key().as_ref();
    let (x, y) = (URL_SAFE_NO_PAD.encode(point.get(1..33)?), URL_SAFE_NO_PAD.encode(point.get(33..65)?));
    let thumbprint_of = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    Some((Pair::P256(Box::new(pair)), thumbprint_of, json!({"kty": "EC", "crv": "P-256", "x": x, "y": y})))
}

/// `n` and `e` of a DER `RSAPublicKey` (RFC 8017 Appendix A.1.1), without leading zeros.
fn public_components(der: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (sequence, _) = element(der, 0x30)?;
    let (n, rest) = element(sequence, 0x02)?;
    let (e, _) = element(rest, 0x02)?;
    let trimmed = |bytes: &[u8]| bytes.iter().copied().skip_while(|byte| *byte == 0).collect();
    Some((trimmed(n), trimmed(e)))
}

/// A DER element of this tag: its content and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&[found, first], mut rest) = der.split_first_chunk()?;
    if found != tag {
        return None;
    }
    let mut length = usize::from(first);
    if first & 0x80 != 0 {
        let (bytes, after) = rest.split_at_checked(usize::from(first & 0x7f))?;
        length = bytes.iter().fold(0, |sum, byte| sum * 256 + usize::from(*byte));
        rest = after;
    }
    rest.split_at_checked(length)
}
