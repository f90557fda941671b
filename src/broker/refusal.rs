//! Every expected "no" that a person sees: before the redirect URI is proven there is only a page.

use serde::{Deserialize, Serialize};

/// Why a page is shown in place of an answer to the client. The page's texts stand in the message files under
/// [`Refusal::id`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// Parameters that can't be read, or one that stands twice.
    Malformed,
    /// Unknown or disabled client, redirect URI absent or not registered: one text for all.
    UntrustedRequest,
    /// The callback belongs to no login of this browser: cookies off, other browser, foreign link.
    NoSuchLogin,
    /// The callback was used before (reload, back button).
    AlreadyUsed,
    /// The login took too long, or its identity provider left the configuration.
    Expired,
    /// The answer is another provider's than the login went to.
    MixedUp,
    /// The identity provider can't be reached.
    ProviderUnavailable,
    /// The identity provider said no.
    ProviderRefused,
    /// The identity provider's answer fails a check.
    ProviderUntrusted,
    /// Nobody in the directory, two, or somebody who may not sign in: one text for all.
    NotProvisioned,
    /// Third-party-initiated login with an unknown issuer or a foreign target.
    UntrustedInitiation,
    /// No identity provider is left for this client.
    NoProvider,
    /// Too many logins are under way.
    TooManyLogins,
    /// State store or database down.
    Unavailable,
    /// A form of ours that came from another site or without its handle.
    ForeignForm,
    NotFound,
    /// A method that the address doesn't know.
    Method,
    TooLarge,
    /// A fault of ours.
    Internal,
}

impl Refusal {
    pub const ALL: [Self; 19] = [
        Self::Malformed,
        Self::UntrustedRequest,
        Self::NoSuchLogin,
        Self::AlreadyUsed,
        Self::Expired,
        Self::MixedUp,
        Self::ProviderUnavailable,
        Self::ProviderRefused,
        Self::ProviderUntrusted,
        Self::NotProvisioned,
        Self::UntrustedInitiation,
        Self::NoProvider,
        Self::TooManyLogins,
        Self::Unavailable,
        Self::ForeignForm,
        Self::NotFound,
        Self::Method,
        Self::TooLarge,
        Self::Internal,
    ];

    /// The stable word for messages, metrics and traces.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UntrustedRequest => "untrusted-request",
            Self::NoSuchLogin => "no-such-login",
            Self::AlreadyUsed => "already-used",
            Self::Expired => "expired",
            Self::MixedUp => "mixed-up",
            Self::ProviderUnavailable => "provider-unavailable",
            Self::ProviderRefused => "provider-refused",
            Self::ProviderUntrusted => "provider-untrusted",
            Self::NotProvisioned => "not-provisioned",
            Self::UntrustedInitiation => "untrusted-initiation",
            Self::NoProvider => "no-provider",
            Self::TooManyLogins => "too-many-logins",
            Self::Unavailable => "unavailable",
            Self::ForeignForm => "foreign-form",
            Self::NotFound => "not-found",
            Self::Method => "method",
            Self::TooLarge => "too-large",
            Self::Internal => "internal",
        }
    }

    /// The HTTP status of its page.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::ForeignForm => 403,
            Self::NotFound => 404,
            Self::Method => 405,
            Self::TooLarge => 413,
            Self::ProviderUnavailable | Self::TooManyLogins | Self::Unavailable => 503,
            Self::Internal => 500,
            _ => 400,
        }
    }
}
