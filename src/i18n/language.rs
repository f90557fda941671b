//! The languages that pages come in, and the choice among them.

use fluent_langneg::{NegotiationStrategy, negotiate_languages};
use serde::{Deserialize, Serialize};
use unic_langid::{LanguageIdentifier, langid};

/// A language that pages come in: a fixed list, whatever is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// What is used if nothing that was asked for is there.
    #[default]
    En,
    De,
}

/// The longest list of languages that is looked at, in bytes and in entries: browsers send about
/// 50 bytes and 5 entries.
const LIST_BYTES_MAX: usize = 512;
const LIST_ENTRIES_MAX: usize = 16;

impl Language {
    pub const ALL: [Self; 2] = [Self::En, Self::De];

    /// The BCP 47 tag, for `lang` attributes and `Content-Language`.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
        }
    }

    /// The value of the `dir` attribute.
    #[must_use]
    pub const fn direction(self) -> &'static str {
        match self {
            Self::En | Self::De => "ltr",
        }
    }

    pub(super) const fn identifier(self) -> LanguageIdentifier {
        match self {
            Self::En => langid!("en"),
            Self::De => langid!("de"),
        }
    }
}

/// The language of a page: the first of the request's `ui_locales` (OIDC Core §3.1.2.1: by preference,
/// separated by spaces) that we have, else the best of the browser's `Accept-Language`
/// (RFC 9110 §12.5.4), else English. A region or script that we don't have falls back to its language.
///
/// The work is bounded and nothing is kept, however long and strange the lists are.
#[must_use]
pub fn negotiate(ui_locales: Option<&str>, accept_language: Option<&str>) -> Language {
    let from_request = ui_locales.and_then(|list| first_known(&by_order(list)));
    let chosen = from_request.or_else(|| accept_language.and_then(|list| first_known(&by_weight(list))));
    chosen.unwrap_or_default()
}

fn first_known(wanted: &[LanguageIdentifier]) -> Option<Language> {
    let known = Language::ALL.map(Language::identifier);
    let best = negotiate_languages(wanted, &known, None, NegotiationStrategy::Lookup);
    let best = best.first()?;
    Language::ALL.into_iter().find(|language| language.identifier() == **best)
}

fn by_order(list: &str) -> Vec<LanguageIdentifier> {
    bounded(list).split_ascii_whitespace().take(LIST_ENTRIES_MAX).filter_map(|tag| tag.parse().ok()).collect()
}

/// By falling weight, entries of equal weight in their order; a weight of 0 means "not this one".
fn by_weight(list: &str) -> Vec<LanguageIdentifier> {
    let mut weighted: Vec<(u16, LanguageIdentifier)> = bounded(list)
        .split(',')
        .take(LIST_ENTRIES_MAX)
        .filter_map(|entry| {
            let (tag, parameters) = entry.split_once(';').unwrap_or((entry, ""));
            Some((thousandths(parameters)?, tag.trim().parse().ok()?))
        })
        .filter(|(weight, _)| *weight > 0)
        .collect();
    weighted.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    weighted.into_iter().map(|(_, tag)| tag).collect()
}

/// `q=0.8` is 800, no `q` is 1000, a broken one is none.
fn thousandths(parameters: &str) -> Option<u16> {
    let parameters = parameters.trim();
    if parameters.is_empty() {
        return Some(1000);
    }
    let weight = parameters.strip_prefix("q=")?;
    let (whole, fraction) = weight.trim().split_once('.').unwrap_or((weight.trim(), ""));
    let fraction: u16 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    match whole {
        "0" => Some(fraction),
        "1" => Some(1000),
        _ => None,
    }
}

/// The list's beginning, cut where a character begins.
fn bounded(list: &str) -> &str {
    let end = (0..=LIST_BYTES_MAX).rev().find(|end| list.is_char_boundary(*end)).unwrap_or(0);
    list.get(..end).unwrap_or(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_counts_more_than_the_browser() {
        assert_eq!(negotiate(Some("de"), Some("en")), Language::De);
        assert_eq!(negotiate(Some("fr de-AT en"), Some("en")), Language::De);
        assert_eq!(negotiate(Some("fr it"), Some("de-CH, en;q=0.5")), Language::De);
        assert_eq!(negotiate(Some(""), None), Language::En);
        assert_eq!(negotiate(None, None), Language::En);
    }

    #[test]
    fn weights_order_what_a_browser_accepts() {
        for (list, language) in [
            ("en;q=0.3, de;q=0.9", Language::De),
            ("de;q=0, en;q=0.1", Language::En),
            ("de;q=0", Language::En),
            ("fr-CH, fr;q=0.9, de;q=0.7, *;q=0.5", Language::De),
            ("en-US,en;q=0.9,de;q=0.8", Language::En),
            ("de ; q=0.2 , en;q=0.20", Language::De),
            ("de;q=7, en;q=0.1", Language::En),
            ("DE-de", Language::De),
        ] {
            assert_eq!(negotiate(None, Some(list)), language, "{list}");
        }
    }

    #[test]
    fn a191_a_million_strange_languages_cost_nothing_and_fall_back() {
        let endless = "x-ä,".repeat(250_000) + "de";
        assert!(bounded(&endless).len() <= LIST_BYTES_MAX);
        assert_eq!(negotiate(Some(&endless.replace(',', " ")), Some(&endless)), Language::En);
        for n in 0..10_000_u32 {
            let tag = format!("q{n}-{n:x}, ;q, \u{202e}, de;;q=1e9, {n}");
            assert_eq!(negotiate(Some(&tag), Some(&tag)), Language::En);
        }
    }
}
