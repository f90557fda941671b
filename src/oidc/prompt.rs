//! The `prompt` parameter (OIDC Core §3.1.2.1).

use serde::{Deserialize, Serialize};

/// What a request asks of the sign-in page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prompt {
    /// Nothing is asked. `consent` alone too: consent is the configuration's, no page asks for it.
    #[default]
    Absent,
    /// No page at all may be shown.
    None,
    /// The person signs in anew. `login select_account` too: who signs in anew says who they are.
    Login,
    /// The person chooses an account.
    SelectAccount,
}

impl Prompt {
    /// Reads the parameter's value. `None`: it has a word that isn't OIDC Core's, or `none` beside another.
    #[must_use]
    pub fn parse(value: Option<&str>) -> Option<Self> {
        let words: Vec<&str> = value.unwrap_or_default().split(' ').filter(|word| !word.is_empty()).collect();
        let known = words.iter().all(|word| matches!(*word, "none" | "login" | "select_account" | "consent"));
        let has = |word| words.contains(&word);
        match () {
            () if !known => None,
            () if has("none") => words.iter().all(|word| *word == "none").then_some(Self::None),
            () if has("login") => Some(Self::Login),
            () if has("select_account") => Some(Self::SelectAccount),
            () => Some(Self::Absent),
        }
    }

    /// The value as it is sent.
    #[must_use]
    pub const fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Absent => None,
            Self::None => Some("none"),
            Self::Login => Some("login"),
            Self::SelectAccount => Some("select_account"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a018_none_stands_alone_and_foreign_words_are_refused() {
        assert_eq!(Prompt::parse(None), Some(Prompt::Absent));
        assert_eq!(Prompt::parse(Some("")), Some(Prompt::Absent));
        assert_eq!(Prompt::parse(Some("consent")), Some(Prompt::Absent));
        assert_eq!(Prompt::parse(Some("none")), Some(Prompt::None));
        assert_eq!(Prompt::parse(Some("consent login")), Some(Prompt::Login));
        assert_eq!(Prompt::parse(Some("login select_account")), Some(Prompt::Login));
        assert_eq!(Prompt::parse(Some("select_account")), Some(Prompt::SelectAccount));
        for refused in ["none login", "login none", "consent none", "create", "LOGIN", "login\tnone"] {
            assert_eq!(Prompt::parse(Some(refused)), None, "{refused}");
        }
    }
}
