//! What all pages have in common, and what makes text from outside fit to be shown.

use crate::base::text::HINT_CHARS_MAX;
use crate::config::PageSettings;
use crate::i18n::{Language, text};

use super::assets::{LOGO_PATH, asset_path};
use super::theme::theme_path;

/// The most characters of a text from outside that a page shows.
const SHOWN_CHARS_MAX: usize = 200;

/// A page's surroundings: language, look, and the same page's addresses in other languages.
pub struct Frame<'a> {
    pub(super) w: Words,
    settings: &'a PageSettings,
    switch_path: Option<&'a str>,
}

impl<'a> Frame<'a> {
    #[must_use]
    pub const fn new(language: Language, settings: &'a PageSettings) -> Self {
        Self { w: Words(language), settings, switch_path: None }
    }

    /// Offers the page in the other languages. `path`: where on our origin the page can be had by
    /// GET, with its query if it has one; `ui_locales=TAG` is appended.
    #[must_use]
    pub const fn with_languages_at(self, path: &'a str) -> Self {
        Self { switch_path: Some(path), ..self }
    }

    pub(super) fn product(&self) -> String {
        self.settings.product_name.as_deref().map_or_else(|| self.w.t("product"), shown)
    }

    pub(super) fn title(&self, title: &str) -> String {
        text(self.w.0, "page-title", &[("title", title), ("product", &self.product())])
    }

    /// The title of a page that isn't ours, but a demo party's of this name.
    pub(super) fn demo_title(&self, title: &str, party_id: &str) -> String {
        text(self.w.0, "page-title", &[("title", title), ("product", &self.w.t(party_id))])
    }

    pub(super) fn theme(&self) -> Option<String> {
        theme_path(self.settings)
    }

    pub(super) fn logo(&self) -> Option<&'static str> {
        self.settings.logo.as_ref().map(|_| LOGO_PATH)
    }

    pub(super) fn support_email(&self) -> Option<String> {
        let address = self.settings.support_email.as_deref()?;
        let plain = |c: char| c.is_ascii_alphanumeric() || "@.+-_".contains(c);
        (!address.is_empty() && address.chars().all(plain)).then(|| format!("mailto:{address}"))
    }

    pub(super) fn support_url(&self) -> Option<&str> {
        self.settings.support_url.as_deref().and_then(link)
    }

    /// Tag, address and name of every language, and whether it is this page's.
    pub(super) fn languages(&self) -> Vec<LanguageLink> {
        let Some(path) = self.switch_path.and_then(own_path) else { return Vec::new() };
        let joint = if path.contains('?') { '&' } else { '?' };
        Language::ALL
            .into_iter()
            .map(|language| LanguageLink {
                tag: language.tag(),
                href: format!("{path}{joint}ui_locales={}", language.tag()),
                name: text(language, &format!("language-{}", language.tag()), &[]),
                current: language == self.w.0,
            })
            .collect()
    }
}

pub(super) struct LanguageLink {
    pub tag: &'static str,
    pub href: String,
    pub name: String,
    pub current: bool,
}

/// The texts of one language, as templates ask for them.
#[derive(Clone, Copy, Debug)]
pub struct Words(Language);

impl Words {
    pub(super) const fn tag(self) -> &'static str {
        self.0.tag()
    }

    pub(super) const fn direction(self) -> &'static str {
        self.0.direction()
    }

    pub(super) fn t(self, id: &str) -> String {
        text(self.0, id, &[])
    }

    /// The message with one variable, a text from outside.
    pub(super) fn with(self, id: &str, name: &str, value: &str) -> String {
        text(self.0, id, &[(name, &shown(value))])
    }
}

/// The address of a static file of ours.
pub(super) fn file(name: &str) -> String {
    asset_path(name)
}

/// A text from outside as a page shows it: without control characters and without the marks that
/// turn the direction of what follows, at most 200 characters. Templates escape it as well.
pub(super) fn shown(text: &str) -> String {
    let mut plain = visible(text);
    let mut kept: String = plain.by_ref().take(SHOWN_CHARS_MAX).collect();
    if plain.next().is_some() {
        kept.push('…');
    }
    kept
}

/// What somebody typed, to be corrected: as [`shown`], but whole, up to a login hint's bound.
pub(super) fn typed(text: &str) -> String {
    visible(text).take(HINT_CHARS_MAX).collect()
}

fn visible(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|c| !is_invisible_order(*c))
}

/// Control characters, and Unicode's explicit directional formatting (UAX #9 §2).
fn is_invisible_order(c: char) -> bool {
    let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || crate::base::text::is_control(c)
}

/// An address that a link may lead to: https, http, or a path of ours. Anything else, `javascript:`
/// before all, is no link.
pub(super) fn link(address: &str) -> Option<&str> {
    let web = address.starts_with("https://") || address.starts_with("http://");
    if address.chars().any(is_invisible_order) {
        return None;
    }
    if web { Some(address) } else { own_path(address) }
}

/// A path of ours: one slash at its beginning, so that it can't name a host, and no backslash, which
/// browsers read as a slash.
pub(super) fn own_path(path: &str) -> Option<&str> {
    let ours = path.starts_with('/') && !path.starts_with("//") && !path.contains('\\');
    (ours && !path.chars().any(is_invisible_order)).then_some(path)
}

/// The sign that stands for a name in lists: its first letter or digit.
pub(super) fn initial(name: &str) -> String {
    name.chars().find(|c| c.is_alphanumeric()).map(|c| c.to_uppercase().collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_lead_to_web_pages_become_links() {
        for good in ["https://help.example.com/?q=1", "http://127.0.0.1:9/", "/", "/acs/authorize?client_id=a"] {
            assert_eq!(link(good), Some(good));
        }
        for bad in ["javascript:alert(1)", " https://x", "//evil.test", "/\\evil.test", "data:text/html,x", "", "/a\nb"]
        {
            assert_eq!(link(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn shown_texts_have_no_characters_that_reorder_or_control_and_an_end() {
        assert_eq!(shown("a\u{202e}b\u{1b}[31mc\u{2066}d\0"), "ab[31mcd");
        assert_eq!(shown(&"ä".repeat(1_000_000)).chars().count(), 201);
        assert_eq!(shown("חברה"), "חברה");
    }

    #[test]
    fn an_initial_is_a_letter_or_nothing() {
        assert_eq!(initial("»contoso«"), "C");
        assert_eq!(initial("– –"), "");
    }
}
