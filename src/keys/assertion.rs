//! private_key_jwt: a client proves who it is by a signed assertion (RFC 7523 §3, OIDC Core §9).

use serde_json::{Map, Value};

use super::jws::{VerifyFault, verify_jws};
use super::signing::JwtType;
use super::verifying::{JwsAlgorithm, KeySet, KeySetFault};
use crate::base::limits::{ASSERTION_LIFETIME_MAX, CLOCK_SKEW};
use crate::base::{Moment, Span};
use crate::oidc::ClientId;

/// Characters of a `jti`.
const JTI_CHARS_MAX: usize = 256;
/// The `typ` that newer clients give (draft-ietf-oauth-rfc7523bis §4).
const CLIENT_AUTHENTICATION: &str = "client-authentication+jwt";

/// A client's public keys.
#[derive(Debug)]
pub struct ClientKeys(KeySet);

impl ClientKeys {
    /// Reads a client's JWK set.
    ///
    /// # Errors
    /// [`KeySetFault`]: private or symmetric keys, nothing usable, or no JWK set.
    pub fn parse(jwks: &str) -> Result<Self, KeySetFault> {
        KeySet::parse(jwks).map(Self)
    }
}

/// An assertion that proves its client, if its `jti` was never seen before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedAssertion {
    pub jti: String,
    /// Until when the `jti` must be remembered: after that the assertion is refused by its time.
    pub expires: Moment,
}

/// Why an assertion proves nothing. All are answered by `invalid_client`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssertionFault {
    #[error(transparent)]
    Token(#[from] VerifyFault),
    #[error("iss and sub are not the client's id")]
    Client,
    #[error("aud is not exactly our issuer")]
    Audience,
    #[error("exp is missing, past, or more than five minutes ahead")]
    Expiry,
    #[error("nbf or iat lies ahead, or iat is more than five minutes old")]
    Times,
    #[error("jti is missing or has more than 256 characters")]
    Jti,
}

/// Checks everything about an assertion but whether it was used before.
///
/// # Errors
/// [`AssertionFault`] names the first rule that it breaks.
pub fn check_assertion(
    assertion: &str,
    keys: &ClientKeys,
    client: &ClientId,
    issuer: &str,
    now: Moment,
) -> Result<AcceptedAssertion, AssertionFault> {
    let jws = verify_jws(assertion, &keys.0, &JwsAlgorithm::ALL)?;
    if !jws.header.is(JwtType::Jwt) && !jws.header.is_named(CLIENT_AUTHENTICATION) {
        return Err(AssertionFault::Token(VerifyFault::Type));
    }
    let text = |name: &str| jws.claims.get(name).and_then(Value::as_str);
    if text("iss") != Some(&client.0) || text("sub") != Some(&client.0) {
        return Err(AssertionFault::Client);
    }
    // One string: in a list, one of the others could play the assertion on to us.
    if text("aud") != Some(issuer) {
        return Err(AssertionFault::Audience);
    }
    let expires = check_times(&jws.claims, now)?;
    let jti = text("jti").filter(|jti| !jti.is_empty() && jti.chars().count() <= JTI_CHARS_MAX);
    Ok(AcceptedAssertion { jti: jti.ok_or(AssertionFault::Jti)?.to_owned(), expires })
}

/// The client's clock may be ahead of ours: its five minutes count from its own `iat`, within the skew.
fn check_times(claims: &Map<String, Value>, now: Moment) -> Result<Moment, AssertionFault> {
    let ahead = now.plus(CLOCK_SKEW);
    let issued = moment(claims, "iat").map_err(|()| AssertionFault::Times)?;
    let not_before = moment(claims, "nbf").map_err(|()| AssertionFault::Times)?;
    let oldest = now.minus(ASSERTION_LIFETIME_MAX).minus(CLOCK_SKEW);
    if issued.is_some_and(|at| at > ahead || at < oldest) || not_before.is_some_and(|at| at > ahead) {
        return Err(AssertionFault::Times);
    }
    let expires = moment(claims, "exp").ok().flatten().ok_or(AssertionFault::Expiry)?;
    let latest = issued.unwrap_or(now).max(now).plus(ASSERTION_LIFETIME_MAX);
    let until = expires.plus(CLOCK_SKEW);
    if expires > latest || until <= now { Err(AssertionFault::Expiry) } else { Ok(until) }
}

/// A `NumericDate` (RFC 7519 §2): whole seconds, or with a fraction that is cut off.
fn moment(claims: &Map<String, Value>, name: &str) -> Result<Option<Moment>, ()> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let seconds = value.as_i64().or_else(|| value.as_f64().and_then(whole_seconds)).ok_or(())?;
    if (0..=Span::days(366 * 10_000).as_secs()).contains(&seconds) {
        Ok(Some(Moment::from_secs(seconds)))
    } else {
        Err(())
    }
}

fn whole_seconds(seconds: f64) -> Option<i64> {
    // Bounded, so that the text of the whole part is a number again.
    (seconds.abs() < 1e12).then(|| format!("{:.0}", seconds.trunc())).and_then(|text| text.parse().ok())
}
