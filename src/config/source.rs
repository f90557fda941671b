//! One file of the folder: its text, and findings that point into it without showing a secret.

use std::ops::Range;

use super::finding::{Excerpt, Finding};
use super::lints::Lint;
use super::shape::Vocabulary;

/// A file as it was read once; what is checked is what is used.
#[derive(Clone, Debug)]
pub struct Source {
    /// The path under the folder's name as it was given.
    pub shown: String,
    /// The object's id.
    pub stem: String,
    pub text: String,
    /// Whether all of it could be read.
    pub whole: bool,
    /// Bytes of secrets that stand in the open: never shown.
    pub secrets: Vec<Range<usize>>,
    pub vocabulary: Vocabulary,
}

/// Parts of key names that mean a secret, also misspelt ones or ones in the wrong place.
const SECRET_WORDS: [&str; 10] =
    ["secret", "secrt", "token", "passw", "pwd", "seal", "key", "credential", "bearer", "auth"];

impl Source {
    /// A finding at `span`. The excerpt is the line where it begins.
    #[must_use]
    pub fn finding(&self, lint: &'static Lint, span: &Range<usize>, label: impl Into<String>) -> Finding {
        let care = if self.whole { Care::Known } else { Care::Unsure };
        self.located(lint, span, label.into(), care)
    }

    /// A finding on a line that couldn't be understood: only words of the format are shown of it,
    /// unless it is plainly the one value of a key whose values are no secrets.
    #[must_use]
    pub fn unsure_finding(&self, lint: &'static Lint, span: &Range<usize>, label: impl Into<String>) -> Finding {
        self.located(lint, span, label.into(), Care::Unsure)
    }

    /// A finding about a key: its name is shown, of the rest only words of the format.
    #[must_use]
    pub fn key_finding(&self, lint: &'static Lint, span: &Range<usize>, label: impl Into<String>) -> Finding {
        let mut finding = self.located(lint, span, label.into(), Care::Unsure);
        if let (Some(excerpt), Some(name)) = (&mut finding.excerpt, self.text.get(span.clone()))
            && excerpt.text.get(excerpt.span.clone()).is_some_and(|blank| blank.len() == name.len())
            && !name.contains(char::is_control)
        {
            excerpt.text.replace_range(excerpt.span.clone(), name);
        }
        finding
    }

    fn located(&self, lint: &'static Lint, span: &Range<usize>, label: String, care: Care) -> Finding {
        let text = self.text.as_str();
        let start = floor(text, span.start);
        let line_start = text.get(..start).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
        let line_end = text.get(start..).and_then(|rest| rest.find('\n')).map_or(text.len(), |at| start + at);
        let line = text.get(line_start..line_end).unwrap_or_default().trim_end_matches('\r');
        let end = floor(text, span.end).min(line_start + line.len());
        let mut finding = Finding::whole(lint, self.shown.clone(), label);
        finding.line = text.get(..start).map_or(0, |before| before.matches('\n').count()) + 1;
        finding.column = text.get(line_start..start).map_or(0, |before| before.chars().count()) + 1;
        finding.excerpt = Some(Excerpt {
            text: self.blanked(line, line_start, care),
            span: start.saturating_sub(line_start).min(line.len())..end.saturating_sub(line_start),
        });
        finding
    }

    /// The line with `*` for each byte that could belong to a secret, of the same length in bytes.
    fn blanked(&self, line: &str, line_start: usize, care: Care) -> String {
        let guess = self.guessed_secrets(line, care);
        let hidden = |at: usize| {
            let byte = line_start + at;
            self.secrets.iter().any(|range| range.contains(&byte)) || guess.iter().any(|range| range.contains(&at))
        };
        let mut shown = String::with_capacity(line.len());
        for (at, c) in line.char_indices() {
            let stays = c == '"' || c == '\'' || !hidden(at);
            match c {
                // Control characters would play tricks on a terminal.
                _ if c.is_control() => shown.extend(std::iter::repeat_n(' ', c.len_utf8())),
                _ if stays => shown.push(c),
                _ => shown.extend(std::iter::repeat_n('*', c.len_utf8())),
            }
        }
        shown
    }

    /// Where secrets may stand besides the known places.
    fn guessed_secrets(&self, line: &str, care: Care) -> Vec<Range<usize>> {
        if care == Care::Unsure {
            return if self.is_plainly_open(line) { Vec::new() } else { self.foreign_words(line) };
        }
        let mut ranges: Vec<Range<usize>> = address_password(line).into_iter().collect();
        for (at, _) in line.match_indices('=') {
            let key = line.get(..at).unwrap_or_default().trim_end();
            let key = key.rsplit([' ', '\t', '{', ',', '.', '"', '\'']).next().unwrap_or_default().to_lowercase();
            let behind = line.get(at + 1..).unwrap_or_default();
            let value = behind.trim_start();
            let named =
                !self.vocabulary.open_keys.contains(key.as_str()) && SECRET_WORDS.iter().any(|word| key.contains(word));
            if named && !value.starts_with('{') {
                ranges.push(at + 1 + behind.len() - value.len()..line.len());
            }
        }
        ranges
    }

    /// `key = value` of a key whose values are no secrets, and nothing else.
    fn is_plainly_open(&self, line: &str) -> bool {
        let Some((key, value)) = line.split_once('=') else { return false };
        self.vocabulary.open_keys.contains(key.trim()) && !value.contains(['=', '@']) && value.matches(':').count() < 2
    }

    /// Words that are no keys of this kind of file.
    fn foreign_words(&self, line: &str) -> Vec<Range<usize>> {
        let mut ranges = Vec::new();
        let mut start = 0;
        for word in line.split(|c: char| !(c.is_alphanumeric() || c == '_')) {
            let known = self.vocabulary.keys.contains(word) || ["env", "file"].contains(&word);
            if !known && !word.is_empty() {
                ranges.push(start..start + word.len());
            }
            let gap = line.get(start + word.len()..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
            start += word.len() + gap;
        }
        ranges
    }
}

/// How much is known about the line that is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Care {
    Known,
    Unsure,
}

/// What may be `user:password` of an address: all between the first `:` and the last `@`.
fn address_password(line: &str) -> Option<Range<usize>> {
    let start = line.find(':')? + 1;
    line.rfind('@').filter(|sign| *sign > start).map(|sign| start..sign)
}

/// The nearest character boundary at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

impl Source {
    /// A preset, which is no file.
    #[must_use]
    pub fn preset(text: &str) -> Self {
        Self {
            shown: "preset".to_owned(),
            stem: "preset".to_owned(),
            text: text.to_owned(),
            whole: true,
            secrets: Vec::new(),
            vocabulary: Vocabulary::default(),
        }
    }
}
