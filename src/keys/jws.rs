//! Checking of a signed token (RFC 7515 §5.2), strictly: what isn't understood is refused.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::signing::JwtType;
use super::strict_json::parse_object;
use super::verifying::{JwsAlgorithm, KeySet};
use crate::base::limits::ID_TOKEN_BYTES_MAX;

/// Bytes of an encoded header that is looked at.
const HEADER_BYTES_MAX: usize = 4 * 1024;
/// Bytes of a `kid`.
const KID_BYTES_MAX: usize = 256;
/// Keys that are tried for one token.
const KEYS_TRIED_MAX: usize = 5;

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
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| VerifyFault::Signature)?;
    let fitting: Vec<_> = keys.fitting(header.kid.as_deref(), header.algorithm).take(KEYS_TRIED_MAX).collect();
    if fitting.is_empty() {
        return Err(VerifyFault::NoKey);
    }
    if !fitting.iter().any(|key| key.verifies(header.algorithm, signed.as_bytes(), &signature)) {
        return Err(VerifyFault::Signature);
    }
    let claims = URL_SAFE_NO_PAD.decode(claims).ok().and_then(|bytes| parse_object(&bytes));
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
    let header = parse_object(&bytes).ok_or(VerifyFault::Header)?;
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
