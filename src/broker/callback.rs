//! The identity provider's answer at our redirect URI, before its code is exchanged (OIDC Core §3.1.2.5, RFC 9207 §2.4).

use super::pending::PendingLogin;
use crate::base::Moment;
use crate::i18n::PageError;
use crate::oidc::error::ErrorCode::{
    self, AccessDenied, AccountSelectionRequired, ConsentRequired, InteractionRequired, LoginRequired, ServerError,
    TemporarilyUnavailable,
};
use crate::oidc::params::Params;
use crate::oidc::{IdpId, OAuthError};

/// The code to exchange.
#[derive(Debug)]
pub struct IdpCode(pub crate::base::Secret);

/// Why the login ends here.
#[derive(Debug, PartialEq, Eq)]
pub enum CallbackEnd {
    /// A page: the answer can't be trusted, so nothing goes to the client.
    Page(PageError),
    /// The provider's error, as the client learns it. Its own words are for the trace.
    Back(OAuthError),
}

/// What is known of the provider that the login went to.
#[derive(Debug)]
pub struct Expected<'a> {
    pub issuer: &'a str,
    /// The provider promises `iss` in every answer (RFC 9207 §3).
    pub announces_iss: bool,
    /// The provider that the address belongs to; `None` at the shared address.
    pub at: Option<&'a IdpId>,
    /// The login was sent to the shared address.
    pub shared: bool,
}

/// Checks the answer against the login it claims to end.
///
/// # Errors
/// [`CallbackEnd`]: a page while the answer's origin is in doubt, an OAuth error once it isn't.
pub fn callback(
    pending: &PendingLogin,
    params: &Params,
    expected: &Expected<'_>,
    now: Moment,
) -> Result<IdpCode, CallbackEnd> {
    check_route(pending, expected)?;
    check_issuer(params, expected)?;
    if !pending.is_alive(now) {
        return Err(CallbackEnd::Page(PageError::LoginExpired));
    }
    match (params.get("code"), params.get("error")) {
        (Some(_), Some(_)) => Err(CallbackEnd::Page(PageError::MalformedRequest)),
        (Some(code), None) => Ok(IdpCode(crate::base::Secret::new(code))),
        (None, Some(error)) => Err(CallbackEnd::Back(translate(error))),
        (None, None) => Err(CallbackEnd::Page(PageError::MalformedRequest)),
    }
}

/// RFC 9700 §4.4.2.2: an answer at another provider's address is a mix-up.
fn check_route(pending: &PendingLogin, expected: &Expected<'_>) -> Result<(), CallbackEnd> {
    match expected.at {
        Some(at) if *at == pending.idp && !expected.shared => Ok(()),
        None if expected.shared => Ok(()),
        _ => Err(CallbackEnd::Page(PageError::AnswerNotTrusted)),
    }
}

fn check_issuer(params: &Params, expected: &Expected<'_>) -> Result<(), CallbackEnd> {
    match params.get("iss") {
        Some(iss) if iss == expected.issuer => Ok(()),
        None if !expected.announces_iss => Ok(()),
        _ => Err(CallbackEnd::Page(PageError::AnswerNotTrusted)),
    }
}

/// The provider's error code as our client learns it: what the person did is passed on, what went wrong between us
/// and the provider is our fault.
#[must_use]
pub fn translate(error: &str) -> OAuthError {
    let (code, description): (ErrorCode, &'static str) = match error {
        "access_denied" => (AccessDenied, "the identity provider denied access"),
        "login_required" => (LoginRequired, "the person has to sign in at the identity provider"),
        "interaction_required" => (InteractionRequired, "the identity provider needs the person"),
        "consent_required" => (ConsentRequired, "the identity provider needs the person's consent"),
        "account_selection_required" => (AccountSelectionRequired, "the person has to choose an account"),
        "temporarily_unavailable" => (TemporarilyUnavailable, "the identity provider is unavailable"),
        _ => (ServerError, "the sign-in at the identity provider failed"),
    };
    OAuthError::new(code, description)
}
