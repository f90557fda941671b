//! The checks of a logout token (OpenID Connect Back-Channel Logout 1.0 §2.6), but for the signature itself and for
//! whether it was used before.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::UpstreamFault;
use super::id_token::{Unverified, check_audience, moment};
use crate::base::Moment;
use crate::base::limits::{CLOCK_SKEW, LOGOUT_TOKEN_AGE_MAX, LOGOUT_TOKEN_BYTES_MAX};
use crate::keys::strict_json;
use crate::oidc::Idp;

/// The member of `events` that makes a JWT a logout token (§2.4).
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// What a logout token may call itself in its header: that is recommended only, and older providers say `JWT`.
const TYPES: &[&str] = &["JWT", "logout+jwt"];

/// A logout token as it came. Until its provider is known and [`super::Upstream::signed_out`] has believed it, nothing
/// of it can be had but to whom it may belong.
pub struct LogoutToken<'a> {
    text: &'a str,
    claims: Map<String, Value>,
}

/// What a provider's logout token says, after its checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutNotice {
    /// The provider's session that has ended; none: all of the `subject`'s.
    pub sid: Option<String>,
    pub subject: Option<String>,
    /// The token's own name, unique at its issuer.
    pub jti: String,
    pub issued: Moment,
}

/// Why a logout token is not acted on.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LogoutTokenFault {
    /// It is wrong, and will be.
    #[error("the logout token fails a check: {0}")]
    Refused(UpstreamFault),
    /// The provider's keys can't be had now: neither right nor wrong.
    #[error("the logout token can't be checked: {0}")]
    NoKeys(UpstreamFault),
}

impl From<UpstreamFault> for LogoutTokenFault {
    fn from(fault: UpstreamFault) -> Self {
        Self::Refused(fault)
    }
}

impl LogoutTokenFault {
    /// The name of the check that failed; `keys` if they could not be had.
    #[must_use]
    pub const fn check(&self) -> &'static str {
        match self {
            Self::Refused(UpstreamFault::Untrusted { check, .. }) => check,
            Self::Refused(_) => "form",
            Self::NoKeys(_) => "keys",
        }
    }

    /// What is wrong, for the log.
    #[must_use]
    pub fn detail(&self) -> &str {
        match self {
            Self::Refused(fault) | Self::NoKeys(fault) => fault.detail(),
        }
    }
}

fn refused(check: &'static str, detail: impl AsRef<str>) -> UpstreamFault {
    UpstreamFault::untrusted(check, detail)
}

impl<'a> LogoutToken<'a> {
    /// Reads the claims of a token, to find its provider by.
    ///
    /// # Errors
    /// [`LogoutTokenFault::Refused`] if it is longer than 16 KiB or no JWT with sound JSON.
    pub fn read(text: &'a str) -> Result<Self, LogoutTokenFault> {
        if text.len() > LOGOUT_TOKEN_BYTES_MAX {
            return Err(refused("size", "is longer than 16 KiB").into());
        }
        let form = || refused("form", "is no JWT");
        let payload = text.split('.').nth(1).ok_or_else(form)?;
        let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| form())?;
        let claims = strict_json::parse_object(&payload).map_err(|fault| refused("json", fault))?;
        Ok(Self { text, claims })
    }

    /// Whether it names this provider as its issuer, and us at it as the one audience.
    #[must_use]
    pub fn is_for(&self, idp: &Idp) -> bool {
        let issuer = self.claims.get("iss").and_then(Value::as_str);
        issuer == Some(&idp.issuer) && check_audience(&self.claims, &idp.client_id).is_ok()
    }

    /// The signed token, if its header is in order and its algorithm one of `algs`.
    pub(super) fn signed(&self, algs: &[String]) -> Result<Unverified<'a>, UpstreamFault> {
        Unverified::parse(self.text, algs, TYPES)
    }

    /// Checks every claim.
    pub(super) fn check(&self, idp: &Idp, now: Moment) -> Result<LogoutNotice, UpstreamFault> {
        let claims = &self.claims;
        if !self.is_for(idp) {
            return Err(refused("iss", "is not of this provider for this client"));
        }
        let tenant = idp.matching.tenant.as_deref();
        if tenant.is_some() && claims.get("tid").is_some_and(|tid| tid.as_str() != tenant) {
            return Err(refused("tid", "is of another tenant"));
        }
        let issued = check_times(claims, now)?;
        let event = claims.get("events").and_then(Value::as_object).and_then(|events| events.get(EVENT));
        if !event.is_some_and(Value::is_object) {
            return Err(refused("events", "has no back-channel logout event"));
        }
        // It is what tells it from an ID token, whatever its value.
        if claims.contains_key("nonce") {
            return Err(refused("nonce", "is there"));
        }
        let (sid, subject) = (text(claims, "sid")?, text(claims, "sub")?);
        if sid.is_none() && subject.is_none() {
            return Err(refused("sub", "is missing, and so is sid"));
        }
        let jti = text(claims, "jti")?.ok_or_else(|| refused("jti", "is missing"))?;
        Ok(LogoutNotice { sid, subject, jti, issued })
    }
}

/// Gives `iat`. `exp` is required as in an ID token (§2.4, since December 2023).
fn check_times(claims: &Map<String, Value>, now: Moment) -> Result<Moment, UpstreamFault> {
    let exp = moment(claims, "exp")?.ok_or_else(|| refused("exp", "is missing"))?;
    if now > exp.plus(CLOCK_SKEW) {
        return Err(refused("exp", "has expired"));
    }
    if moment(claims, "nbf")?.is_some_and(|nbf| nbf > now.plus(CLOCK_SKEW)) {
        return Err(refused("nbf", "is not valid yet"));
    }
    let issued = moment(claims, "iat")?.ok_or_else(|| refused("iat", "is missing"))?;
    if issued > now.plus(CLOCK_SKEW) || now > issued.plus(LOGOUT_TOKEN_AGE_MAX) {
        return Err(refused("iat", "was not issued just now"));
    }
    Ok(issued)
}

/// A claim that is absent or a text with something in it.
fn text(claims: &Map<String, Value>, name: &'static str) -> Result<Option<String>, UpstreamFault> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text.clone())),
        Some(_) => Err(refused(name, "is empty or no text")),
    }
}
