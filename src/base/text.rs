//! Text from outside with a bound on its length and its characters.

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::decompose_compatible;

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

/// The one folding under which user names, addresses and group names are equal, for search and for uniqueness alike:
/// full-width and half-width characters as ordinary ones, full Unicode lower case, composed (NFC); RFC 7644 §5 and
/// §7.8 ask for it by way of RFC 8265 §3.3.2.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.chars().map(ordinary_width).collect::<String>().to_lowercase().nfc().collect()
}

/// The character of ordinary width that one of another width stands for (Unicode's `<wide>` and `<narrow>`).
fn ordinary_width(c: char) -> char {
    match c {
        '\u{3000}' => ' ',
        '\u{ffe3}' => '\u{af}',
        '\u{ffa0}' => '\u{3164}',
        '\u{ffa1}'..='\u{ffbe}' => moved(c, '\u{ffa1}', '\u{3131}'),
        '\u{ffc2}'..='\u{ffc7}' => moved(c, '\u{ffc2}', '\u{314f}'),
        '\u{ffca}'..='\u{ffcf}' => moved(c, '\u{ffca}', '\u{3155}'),
        '\u{ffd2}'..='\u{ffd7}' => moved(c, '\u{ffd2}', '\u{315b}'),
        '\u{ffda}'..='\u{ffdc}' => moved(c, '\u{ffda}', '\u{3161}'),
        // Of the others in this block the compatible form is one character, and it is that one.
        '\u{ff01}'..='\u{ffee}' => {
            let mut ordinary = c;
            decompose_compatible(c, |one| ordinary = one);
            ordinary
        }
        other => other,
    }
}

/// The character that stands as far behind `to` as `c` behind `from`.
fn moved(c: char, from: char, to: char) -> char {
    (u32::from(c) - u32::from(from)).checked_add(u32::from(to)).and_then(char::from_u32).unwrap_or(c)
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

    #[test]
    fn names_that_differ_in_case_width_or_composition_fold_to_one() {
        for (one, other) in [
            ("ADA@Contoso.com", "ada@contoso.com"),
            ("JÖRG", "jo\u{308}rg"),
            ("\u{ff21}\u{ff44}\u{ff21}\u{ff20}x", "ada@x"),
            ("\u{ff76}\u{ff9e}", "\u{30ac}"),
            ("\u{ffa1}\u{ffdc}", "\u{3131}\u{3163}"),
            ("a\u{3000}b\u{ffe3}", "a b\u{af}"),
            ("\u{1e9e}", "ß"),
            ("\u{212b}", "å"),
        ] {
            assert_eq!(fold(one), fold(other), "{one}");
        }
        for (one, other) in [("jörg", "jorg"), ("ß", "ss"), ("ﬁ", "fi"), ("²", "2"), ("a", "\u{430}")] {
            assert_ne!(fold(one), fold(other), "{one}");
        }
    }

    #[test]
    fn whatever_is_folded_twice_is_as_it_was_folded_once() {
        for c in '\u{0}'..=char::MAX {
            let once = fold(&format!("x{c}y"));
            assert_eq!(fold(&once), once, "{:x}", u32::from(c));
        }
    }
}
