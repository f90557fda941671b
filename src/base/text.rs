//! Text from outside with a bound on its length and its characters.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What somebody says about who is going to sign in (OIDC Core §3.1.2.1 `login_hint`), or typed
/// at our page: at most 512 characters, none of them a control character, never blank.
///
/// Personal data: `Debug` doesn't print it. Its text stands in two places only, the pending login
/// and the upstream URL.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LoginHint(String);

/// The most characters a hint may have.
pub const HINT_CHARS_MAX: usize = 512;

/// Why a text is no login hint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HintFault {
    #[error("login_hint has more than 512 characters")]
    TooLong,
    #[error("login_hint has a control character")]
    ControlCharacter,
}

impl LoginHint {
    /// Takes the text as it is; blank text is no hint at all.
    ///
    /// # Errors
    /// [`HintFault`] for control characters (line and paragraph separators too) and for more than
    /// [`HINT_CHARS_MAX`] characters.
    pub fn parse(text: &str) -> Result<Option<Self>, HintFault> {
        if text.chars().any(is_control) {
            return Err(HintFault::ControlCharacter);
        }
        if text.chars().count() > HINT_CHARS_MAX {
            return Err(HintFault::TooLong);
        }
        Ok((!text.trim().is_empty()).then(|| Self(text.to_owned())))
    }

    /// The text, byte for byte as it came.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part behind the `@`, if there is exactly one `@` with text on both sides.
    #[must_use]
    pub fn domain(&self) -> Option<&str> {
        let (local, domain) = self.0.split_once('@')?;
        (!local.is_empty() && !domain.is_empty() && !domain.contains('@')).then_some(domain)
    }
}

impl fmt::Debug for LoginHint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[login hint]")
    }
}

/// Control characters, and the separators that break lines without being counted among them.
#[must_use]
pub fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// The one folding under which user names and domains are equal: Unicode lower case of the
/// text, for search and for uniqueness alike.
#[must_use]
pub fn fold(text: &str) -> String {
    text.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_hints_are_absent_and_long_or_broken_ones_refused() {
        assert_eq!(LoginHint::parse(" \u{a0}"), Ok(None));
        assert_eq!(LoginHint::parse(&"ä".repeat(512)).map(|h| h.is_some()), Ok(true));
        assert_eq!(LoginHint::parse(&"a".repeat(513)), Err(HintFault::TooLong));
        for c in ['\r', '\n', '\0', '\u{7f}', '\u{85}', '\u{2028}'] {
            assert_eq!(LoginHint::parse(&format!("a{c}b")), Err(HintFault::ControlCharacter));
        }
    }

    #[test]
    fn a_domain_needs_exactly_one_at_sign() {
        let domain = |t: &str| LoginHint::parse(t).ok().flatten().and_then(|h| h.domain().map(str::to_owned));
        assert_eq!(domain("a@contoso.com").as_deref(), Some("contoso.com"));
        for none in ["contoso.com", "a@evil.test@contoso.com", "@contoso.com", "a@", "\"a@b\"@contoso.com"] {
            assert_eq!(domain(none), None, "{none}");
        }
    }
}
