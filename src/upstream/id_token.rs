//! The ID token's checks (OIDC Core §3.1.3.7, RFC 8725), but for the signature itself.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use subtle::ConstantTimeEq as _;

use super::UpstreamFault;
use crate::base::limits::{CLOCK_SKEW, ID_TOKEN_BYTES_MAX};
use crate::base::text::is_control;
use crate::base::{Moment, Secret, Span};
use crate::keys::algorithm::{JwsAlgorithm, half_hash};
use crate::keys::strict_json;
use crate::keys::verifying::KID_BYTES_MAX;
use crate::oidc::Idp;

/// How old an ID token may be that a code was just redeemed for.
const AGE_MAX: Span = Span::hours(24);
/// The longest subject (OIDC Core §2).
const SUBJECT_BYTES_MAX: usize = 255;
/// The last second of the year 9999: what lies beyond is no time.
const SECONDS_MAX: f64 = 253_402_300_799.0;

/// What an ID token may call itself in its header.
pub const ID_TOKEN_TYPES: &[&str] = &["JWT"];

/// A token taken apart: its signature is not checked yet, so its claims are not readable yet.
pub struct Unverified<'a> {
    pub alg: JwsAlgorithm,
    pub kid: Option<String>,
    /// What is signed.
    pub message: &'a str,
    /// As it stands in the token.
    pub signature: &'a str,
    payload: &'a str,
}

fn refused(check: &'static str, detail: impl AsRef<str>) -> UpstreamFault {
    UpstreamFault::untrusted(check, detail)
}

impl<'a> Unverified<'a> {
    /// Takes a token apart whose header is in order: an algorithm of `algs`, no `crit`, no `b64`, and a `typ` of
    /// `types` if it has one (in any case). Keys and addresses in the header are not looked at.
    ///
    /// # Errors
    /// [`UpstreamFault::Untrusted`] names the check.
    pub fn parse(token: &'a str, algs: &[String], types: &[&str]) -> Result<Self, UpstreamFault> {
        if token.len() > ID_TOKEN_BYTES_MAX {
            return Err(refused("id_token_size", "is longer than 64 KiB"));
        }
        let form = || refused("id_token_form", "is no signed JWT of three parts");
        let (message, signature) = token.rsplit_once('.').ok_or_else(form)?;
        let (header, payload) = message.split_once('.').ok_or_else(form)?;
        if payload.contains('.') {
            return Err(form());
        }
        let header = URL_SAFE_NO_PAD.decode(header).map_err(|_| form())?;
        let header = strict_json::parse_object(&header).map_err(|fault| refused("id_token_header", fault))?;
        let alg = algorithm(&header, algs)?;
        for forbidden in ["crit", "b64"] {
            if header.contains_key(forbidden) {
                return Err(refused("id_token_crit", format!("its header has `{forbidden}`")));
            }
        }
        let known = |typ: &str| types.iter().any(|known| typ.eq_ignore_ascii_case(known));
        if header.get("typ").is_some_and(|typ| !typ.as_str().is_some_and(known)) {
            return Err(refused("id_token_typ", "is another kind of token"));
        }
        let kid = match header.get("kid") {
            None => None,
            Some(Value::String(kid)) if kid.len() <= KID_BYTES_MAX => Some(kid.clone()),
            Some(_) => return Err(refused("id_token_kid", "its kid is no text of at most 256 bytes")),
        };
        Ok(Self { alg, kid, message, signature, payload })
    }

    /// The claims. Call it after the signature was found good.
    ///
    /// # Errors
    /// [`UpstreamFault::Untrusted`] if they are no sound JSON object.
    pub fn claims(&self) -> Result<Map<String, Value>, UpstreamFault> {
        let payload = URL_SAFE_NO_PAD.decode(self.payload).map_err(|_| refused("id_token_form", "is no base64url"))?;
        strict_json::parse_object(&payload).map_err(|fault| refused("id_token_json", fault))
    }
}

fn algorithm(header: &Map<String, Value>, algs: &[String]) -> Result<JwsAlgorithm, UpstreamFault> {
    let name = header.get("alg").and_then(Value::as_str).unwrap_or_default();
    let allowed = algs.iter().any(|alg| alg == name);
    JwsAlgorithm::parse(name).filter(|_| allowed).ok_or_else(|| {
        refused("id_token_alg", format!("its algorithm `{name}` is none of those configured and announced"))
    })
}

/// What the claims are held against.
pub struct Expected<'a> {
    pub idp: &'a Idp,
    pub nonce: &'a str,
    pub code: &'a str,
    pub access_token: &'a Secret,
    pub now: Moment,
}

/// Checks the claims of a token whose signature is good.
///
/// # Errors
/// [`UpstreamFault::Untrusted`] names the check.
pub fn check_claims(
    claims: &Map<String, Value>,
    alg: JwsAlgorithm,
    expected: &Expected<'_>,
) -> Result<(), UpstreamFault> {
    check_issuer(claims, expected.idp)?;
    check_audience(claims, &expected.idp.client_id)?;
    check_nonce(claims, expected.nonce)?;
    check_times(claims, expected.now)?;
    check_subject(claims)?;
    check_half_hash(claims, "at_hash", &half_hash(alg, expected.access_token.expose()))?;
    check_half_hash(claims, "c_hash", &half_hash(alg, expected.code))
}

fn check_issuer(claims: &Map<String, Value>, idp: &Idp) -> Result<(), UpstreamFault> {
    let issuer = claims.get("iss").and_then(Value::as_str).unwrap_or_default();
    if issuer != idp.issuer {
        return Err(refused("iss", format!("names the issuer `{issuer}`")));
    }
    // Entra: whoever may write an email or UPN in another tenant must not become somebody here.
    let tenant = claims.get("tid").and_then(Value::as_str);
    if idp.matching.tenant.is_some() && tenant != idp.matching.tenant.as_deref() {
        return Err(refused("tid", "is of another tenant"));
    }
    Ok(())
}

/// The audience is us and nobody else; an authorized party is us (OIDC Core §3.1.3.7, 3 to 5).
///
/// # Errors
/// [`UpstreamFault::Untrusted`] names the check.
pub fn check_audience(claims: &Map<String, Value>, client_id: &str) -> Result<(), UpstreamFault> {
    let is_us = |value: &Value| value.as_str() == Some(client_id);
    let ours = match claims.get("aud") {
        Some(Value::Array(members)) => matches!(members.as_slice(), [only] if is_us(only)),
        Some(one) => is_us(one),
        None => false,
    };
    if !ours {
        return Err(refused("aud", "is not for this client alone"));
    }
    if claims.get("azp").is_some_and(|azp| !is_us(azp)) {
        return Err(refused("azp", "was issued to another client"));
    }
    Ok(())
}

fn check_nonce(claims: &Map<String, Value>, nonce: &str) -> Result<(), UpstreamFault> {
    let given = claims.get("nonce").and_then(Value::as_str).unwrap_or_default();
    let equal: bool = given.as_bytes().ct_eq(nonce.as_bytes()).into();
    if equal && !nonce.is_empty() { Ok(()) } else { Err(refused("nonce", "is missing or another one")) }
}

fn check_times(claims: &Map<String, Value>, now: Moment) -> Result<(), UpstreamFault> {
    let exp = moment(claims, "exp")?.ok_or_else(|| refused("exp", "is missing"))?;
    if now > exp.plus(CLOCK_SKEW) {
        return Err(refused("exp", "has expired"));
    }
    if moment(claims, "nbf")?.is_some_and(|nbf| nbf > now.plus(CLOCK_SKEW)) {
        return Err(refused("nbf", "is not valid yet"));
    }
    let iat = moment(claims, "iat")?.ok_or_else(|| refused("iat", "is missing"))?;
    if iat > now.plus(CLOCK_SKEW) || now.since(iat) >= AGE_MAX {
        return Err(refused("iat", "was not issued just now"));
    }
    moment(claims, "auth_time").map(drop)
}

/// A NumericDate (RFC 7519 §2), if it is there.
///
/// # Errors
/// [`UpstreamFault::Untrusted`] if it is no number, or no time of ours.
pub fn moment(claims: &Map<String, Value>, name: &'static str) -> Result<Option<Moment>, UpstreamFault> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let seconds = value.as_f64().filter(|seconds| (0.0..=SECONDS_MAX).contains(seconds));
    let seconds = seconds.ok_or_else(|| refused(name, "is no time"))?;
    #[expect(clippy::cast_possible_truncation, reason = "it lies between 0 and the year 9999")]
    let seconds = seconds.floor() as i64;
    Ok(Some(Moment::from_secs(seconds)))
}

fn check_subject(claims: &Map<String, Value>) -> Result<(), UpstreamFault> {
    let sound = |sub: &str| !sub.is_empty() && sub.len() <= SUBJECT_BYTES_MAX && !sub.chars().any(is_control);
    if claims.get("sub").and_then(Value::as_str).is_some_and(sound) {
        return Ok(());
    }
    Err(refused("sub", "is missing, empty, longer than 255 bytes or no plain text"))
}

/// Absent is fine in the code flow (OIDC Core §3.1.3.6); wrong never is.
fn check_half_hash(claims: &Map<String, Value>, name: &'static str, expected: &str) -> Result<(), UpstreamFault> {
    match claims.get(name) {
        None => Ok(()),
        Some(Value::String(hash)) if bool::from(hash.as_bytes().ct_eq(expected.as_bytes())) => Ok(()),
        Some(_) => Err(refused(name, "does not fit")),
    }
}
