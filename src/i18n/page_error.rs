//! The refusals and faults that end on a page of ours, told to a person.

use serde::{Deserialize, Serialize};

/// Why somebody sees an error page. One page never says more than its kind: which check failed
/// stands in the trace, under the reference that the page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageError {
    /// An unknown or disabled client, or a redirect URI that isn't its own: one text, so that nobody
    /// learns which.
    LinkInvalid,
    /// A request that can't be read: a parameter twice, a broken encoding, a wrong content type.
    MalformedRequest,
    /// A body or address above its bound.
    TooLarge,
    /// A form of ours that came from another site, or without its handle.
    ForeignForm,
    MethodNotAllowed,
    NotFound,
    /// A Host that isn't ours (RFC 9110 §15.5.20).
    WrongHost,
    /// Third-party-initiated login with an unknown `iss` or a foreign `target_link_uri` (OIDC Core §4).
    InitiateInvalid,
    /// A sign-out request with a hint or an address that can't be believed (RP-Initiated Logout §2).
    SignOutInvalid,
    /// The login took too long, or nothing is known of it any more.
    LoginExpired,
    /// The identity provider's answer was used before: back button, reload, second tab.
    AlreadyUsed,
    /// The browser doesn't have the cookie that the login is bound to.
    OtherBrowser,
    /// Too many logins under way.
    TooManyLogins,
    /// The identity provider doesn't answer.
    ProviderUnavailable,
    /// The identity provider said no, and the client can't be told.
    ProviderRefused,
    /// The identity provider's answer fails a check.
    AnswerNotTrusted,
    /// Nobody here matches the identity, more than one does, or the one who does is deactivated: one
    /// text, so that nobody learns which.
    NotProvisioned,
    ServerError,
    /// Something that we depend on is down.
    ServiceUnavailable,
}

impl PageError {
    pub const ALL: [Self; 19] = [
        Self::LinkInvalid,
        Self::MalformedRequest,
        Self::TooLarge,
        Self::ForeignForm,
        Self::MethodNotAllowed,
        Self::NotFound,
        Self::WrongHost,
        Self::InitiateInvalid,
        Self::SignOutInvalid,
        Self::LoginExpired,
        Self::AlreadyUsed,
        Self::OtherBrowser,
        Self::TooManyLogins,
        Self::ProviderUnavailable,
        Self::ProviderRefused,
        Self::AnswerNotTrusted,
        Self::NotProvisioned,
        Self::ServerError,
        Self::ServiceUnavailable,
    ];

    /// The name in message files, traces and metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::LinkInvalid => "link-invalid",
            Self::MalformedRequest => "malformed-request",
            Self::TooLarge => "too-large",
            Self::ForeignForm => "foreign-form",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::NotFound => "not-found",
            Self::WrongHost => "wrong-host",
            Self::InitiateInvalid => "initiate-invalid",
            Self::SignOutInvalid => "sign-out-invalid",
            Self::LoginExpired => "login-expired",
            Self::AlreadyUsed => "already-used",
            Self::OtherBrowser => "other-browser",
            Self::TooManyLogins => "too-many-logins",
            Self::ProviderUnavailable => "provider-unavailable",
            Self::ProviderRefused => "provider-refused",
            Self::AnswerNotTrusted => "answer-not-trusted",
            Self::NotProvisioned => "not-provisioned",
            Self::ServerError => "server-error",
            Self::ServiceUnavailable => "service-unavailable",
        }
    }

    /// The HTTP status of the page.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::LinkInvalid
            | Self::MalformedRequest
            | Self::InitiateInvalid
            | Self::SignOutInvalid
            | Self::LoginExpired
            | Self::AlreadyUsed
            | Self::OtherBrowser
            | Self::ProviderRefused
            | Self::AnswerNotTrusted => 400,
            Self::NotProvisioned | Self::ForeignForm => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::TooLarge => 413,
            Self::WrongHost => 421,
            Self::ServerError => 500,
            Self::TooManyLogins | Self::ProviderUnavailable | Self::ServiceUnavailable => 503,
        }
    }

    /// The message that names it.
    #[must_use]
    pub fn title_id(self) -> String {
        format!("error-{}-title", self.code())
    }

    /// The message that says what happened.
    #[must_use]
    pub fn what_id(self) -> String {
        format!("error-{}-what", self.code())
    }

    /// The message that says what the person can do.
    #[must_use]
    pub fn way_on_id(self) -> String {
        format!("error-{}-way-on", self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_the_list_is_complete() {
        let codes: std::collections::BTreeSet<_> = PageError::ALL.map(PageError::code).into();
        assert_eq!(codes.len(), PageError::ALL.len());
        assert!(PageError::ALL.iter().all(|error| (400..600).contains(&error.status())));
    }
}
