//! Scopes (RFC 6749 §3.3) that this provider knows.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    Openid,
    Profile,
    Email,
    /// Workspace ONE's own: oid, upn, domain, user_name, external_id.
    User,
    OfflineAccess,
}

impl Scope {
    pub const ALL: [Self; 5] = [Self::Openid, Self::Profile, Self::Email, Self::User, Self::OfflineAccess];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Openid => "openid",
            Self::Profile => "profile",
            Self::Email => "email",
            Self::User => "user",
            Self::OfflineAccess => "offline_access",
        }
    }

    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == word)
    }

    /// The `scope` member of an answer: words in one fixed order, separated by blanks.
    #[must_use]
    pub fn join(scopes: &[Self]) -> String {
        let words: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
        words.join(" ")
    }
}
