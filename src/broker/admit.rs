//! From a verified identity to a person of the directory who may enter.

use serde_json::{Map, Value, json};

use super::next::freshness;
use super::pending::PendingLogin;
use super::session::is_fresh;
use crate::base::Moment;
use crate::identity::Directory;
use crate::identity::user::Attributes;
use crate::oidc::OAuthError;
use crate::oidc::error::ErrorCode::LoginRequired;
use crate::oidc::idp::{FreshnessProof, Idp};

/// How the directory is searched.
#[derive(Clone, PartialEq, Eq)]
pub struct MatchKey {
    pub attribute: String,
    pub value: String,
}

/// Why an identity can't be searched for. The person sees one text for all; the trace says which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoMatchKey {
    /// The claim is absent, empty or no text.
    ClaimUnusable,
    /// `tid` is not the pinned tenant.
    OtherTenant,
    /// The key is an email that the provider doesn't call verified.
    EmailUnverified,
}

impl NoMatchKey {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClaimUnusable => "the claim is absent, empty or no text",
            Self::OtherTenant => "the token is of another tenant",
            Self::EmailUnverified => "the email is not verified",
        }
    }
}

/// The attribute and value by which the identity's user is found.
///
/// # Errors
/// [`NoMatchKey`]; empty never equals empty.
pub fn match_key(idp: &Idp, claims: &Map<String, Value>) -> Result<MatchKey, NoMatchKey> {
    if let Some(tenant) = &idp.matching.tenant
        && claims.get("tid").and_then(Value::as_str) != Some(tenant)
    {
        return Err(NoMatchKey::OtherTenant);
    }
    let value = claims.get(&idp.matching.claim).and_then(Value::as_str).filter(|v| !v.trim().is_empty());
    let value = value.ok_or(NoMatchKey::ClaimUnusable)?;
    if idp.matching.claim == "email" && !email_verified(claims) {
        return Err(NoMatchKey::EmailUnverified);
    }
    Ok(MatchKey { attribute: idp.matching.attribute.clone(), value: value.to_owned() })
}

/// Whether the provider proves the email: the boolean `email_verified`, or Entra's `xms_edov`.
#[must_use]
pub fn email_verified(claims: &Map<String, Value>) -> bool {
    claims.get("email_verified") == Some(&Value::Bool(true)) || claims.get("xms_edov") == Some(&Value::Bool(true))
}

/// What a login of a `jit` directory writes: confirmed attributes only, never `active`, groups or a foreign domain.
#[must_use]
pub fn jit_attributes(idp: &Idp, directory: &Directory, claims: &Map<String, Value>, key: &MatchKey) -> Attributes {
    let mut attributes = Attributes::new();
    let mapped = idp.user_attributes.iter().filter_map(|(attribute, claim)| {
        let text = claims.get(claim).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty())?;
        Some((attribute.as_str(), text))
    });
    for (attribute, text) in mapped.chain([(key.attribute.as_str(), key.value.as_str())]) {
        let barred = matches!(attribute, "active" | "groups" | "id" | "schemas" | "meta");
        let foreign = attribute == "domain" && !directory.has_domain(text);
        if barred || foreign || !directory.confirms(attribute) {
            continue;
        }
        let value = if attribute == "emails" {
            json!([{ "value": text, "type": "work", "primary": true }])
        } else {
            Value::from(text)
        };
        attributes.insert(attribute.to_owned(), value);
    }
    attributes
}

/// How a demanded fresh sign-in was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    NotAsked,
    ByAuthTime,
    /// There is no `auth_time`, but prompt=login was sent and the provider counts on that.
    ByPrompt,
}

impl Shown {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotAsked => "not asked for",
            Self::ByAuthTime => "by auth_time",
            Self::ByPrompt => "by the forced prompt=login, since there is no auth_time",
        }
    }
}

/// Whether prompt=login or max_age was heeded (OIDC Core §3.1.2.1): never silently fine.
///
/// # Errors
/// `login_required` if the sign-in is too old or its time is not told.
pub fn check_freshness(
    pending: &PendingLogin,
    idp: &Idp,
    auth_time: Option<Moment>,
    now: Moment,
) -> Result<Shown, OAuthError> {
    let Some(age) = pending.request().and_then(freshness) else { return Ok(Shown::NotAsked) };
    let since = if age.ms() == 0 { pending.started } else { now.minus(age) };
    let refused = |description| Err(OAuthError::new(LoginRequired, description));
    match auth_time {
        Some(told) if is_fresh(told, since) => Ok(Shown::ByAuthTime),
        Some(_) => refused("the sign-in at the identity provider is too old"),
        None if idp.freshness == FreshnessProof::Prompt && pending.login_forced => Ok(Shown::ByPrompt),
        None => refused("the identity provider does not say when the person signed in"),
    }
}
