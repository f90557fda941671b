//! When two domains, and two names of a person, are the same.

use url::quirks::{domain_to_ascii, domain_to_unicode};

use crate::base::text::{LoginHint, fold};
use crate::identity::Directory;

/// The form in which domains are compared: lower case, and IDNA's A-labels (RFC 5890 §2.3.2.1).
///
/// Strict: `None` for a text that IDNA would change in more than its case (fullwidth letters, invisible
/// characters, decomposed accents), because such a text only looks like the domain it would become.
#[must_use]
pub fn comparable(domain: &str) -> Option<String> {
    if domain.is_ascii() {
        return Some(domain.to_ascii_lowercase());
    }
    // The Kelvin sign and the dotted capital I become ASCII by case alone.
    let becomes_ascii = |c: char| !c.is_ascii() && c.to_lowercase().any(|lower| lower.is_ascii());
    if domain.chars().any(becomes_ascii) {
        return None;
    }
    let ascii = domain_to_ascii(domain);
    (!ascii.is_empty() && domain_to_unicode(&ascii) == domain.to_lowercase()).then_some(ascii)
}

/// The one of `ours` that is `domain`, as it stands in the configuration.
#[must_use]
pub fn find<'d>(ours: &'d [String], domain: &str) -> Option<&'d str> {
    let wanted = comparable(domain)?;
    ours.iter().find(|own| comparable(own).as_ref() == Some(&wanted)).map(String::as_str)
}

/// The domain of a directory that a hint names by its suffix: then the hint is comparable.
#[must_use]
pub fn of_directory<'d>(directory: &'d Directory, hint: &LoginHint) -> Option<&'d str> {
    find(&directory.domains, hint.domain()?)
}

/// The form in which names of a person are compared: folded, an internationalised domain as A-labels.
#[must_use]
pub fn comparable_name(name: &str) -> String {
    match name.split_once('@') {
        Some((local, domain)) if !domain.contains('@') => {
            comparable(domain).map_or_else(|| fold(name), |domain| format!("{}@{domain}", fold(local)))
        }
        _ => fold(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a147_domains_are_compared_whole_and_without_regard_to_case() {
        let ours = ["contoso.com".to_owned(), "müller.example".to_owned()];
        assert_eq!(find(&ours, "CONTOSO.com"), Some("contoso.com"));
        assert_eq!(find(&ours, "MÜLLER.example"), Some("müller.example"));
        assert_eq!(find(&ours, "xn--mller-kva.example"), Some("müller.example"));
        for other in ["evilcontoso.com", "contoso.com.evil.test", "sub.contoso.com", "contoso.com.", "contoso", ""] {
            assert_eq!(find(&ours, other), None, "{other}");
        }
    }

    #[test]
    fn a148_what_only_looks_like_a_domain_is_another() {
        let ours = ["contoso.com".to_owned(), "kontoso.com".to_owned(), "müller.example".to_owned()];
        for other in [
            "cont\u{43e}so.com",     // Cyrillic o
            "conto\u{200d}so.com",   // zero-width joiner
            "conto\u{200b}so.com",   // zero-width space
            "conto\u{ad}so.com",     // soft hyphen
            "\u{ff43}ontoso.com",    // fullwidth c
            "contoso\u{3002}com",    // ideographic full stop
            "\u{212a}ontoso.com",    // Kelvin sign
            "mu\u{308}ller.example", // decomposed ü
            "contoso%2Ecom",
            "c%6Fnt\u{f6}so.com",
        ] {
            assert_eq!(find(&ours, other), None, "{other}");
        }
    }

    #[test]
    fn names_are_compared_without_regard_to_case_and_to_the_writing_of_the_domain() {
        assert_eq!(comparable_name("Bob@MÜLLER.example"), comparable_name("bob@xn--mller-kva.example"));
        assert_eq!(comparable_name("BOB"), "bob");
        assert_ne!(comparable_name("a@b@contoso.com"), comparable_name("a@contoso.com"));
    }
}
