//! One file of the folder: its text, and findings that point into it without showing a secret.

use std::collections::BTreeSet;
use std::ops::Range;

use super::finding::{Excerpt, Finding};
use super::lints::Lint;

/// A file as it was read once; what is checked is what is used.
#[derive(Clone, Debug)]
pub struct Source {
    /// The path under the folder's name as it was given.
    pub shown: String,
    /// The object's id.
    pub stem: String,
    pub text: String,
    /// Bytes of secrets that stand in the open: never shown.
    pub secrets: Vec<Range<usize>>,
    /// Keys of this kind of file whose values may be shown.
    pub open_keys: BTreeSet<&'static str>,
}

/// Parts of key names that mean a secret, also misspelt ones or ones in the wrong place.
const SECRET_WORDS: [&str; 10] =
    ["secret", "secrt", "token", "passw", "pwd", "seal", "key", "credential", "bearer", "auth"];

impl Source {
    /// A finding at `span`. The excerpt is the line where it begins.
    #[must_use]
    pub fn finding(&self, lint: &'static Lint, span: &Range<usize>, label: impl Into<String>) -> Finding {
        self.located(lint, span, label.into(), Care::Known)
    }

    /// A finding on a line whose values may be anything: what stands behind its `=` is blanked
    /// unless the key is one whose values are no secrets.
    #[must_use]
    pub fn unsure_finding(&self, lint: &'static Lint, span: &Range<usize>, label: impl Into<String>) -> Finding {
        self.located(lint, span, label.into(), Care::Unsure)
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
        let guess = self.guessed_secrets(line, line_start, care);
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

    fn guessed_secrets(&self, line: &str, line_start: usize, care: Care) -> Vec<Range<usize>> {
        let mut ranges = url_passwords(line);
        for (at, _) in line.match_indices('=') {
            let key = line.get(..at).unwrap_or_default().trim_end();
            let key = key.rsplit([' ', '\t', '{', ',', '.', '"', '\'']).next().unwrap_or_default();
            let behind = line.get(at + 1..).unwrap_or_default();
            let value = behind.trim_start();
            if self.hides(key, care) && !value.starts_with('{') {
                ranges.push(at + 1 + behind.len() - value.len()..line.len());
            }
        }
        if care == Care::Unsure && !line.contains('=') && !line.trim_start().starts_with(['[', '#']) {
            let before = self.text.get(..line_start).unwrap_or_default();
            let owner = before.lines().rev().find_map(|l| l.split_once('=')).map(|(key, _)| key.trim());
            if owner.is_none_or(|key| self.hides(key, care)) {
                ranges.push(0..line.len());
            }
        }
        ranges
    }

    fn hides(&self, key: &str, care: Care) -> bool {
        if self.open_keys.contains(key) {
            return false;
        }
        let lower = key.to_lowercase();
        care == Care::Unsure || SECRET_WORDS.iter().any(|word| lower.contains(word))
    }
}

/// How much is known about the line that is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Care {
    Known,
    Unsure,
}

/// `user:password` in `scheme://user:password@host`.
fn url_passwords(line: &str) -> Vec<Range<usize>> {
    line.match_indices("://")
        .filter_map(|(at, _)| {
            let rest = line.get(at + 3..)?;
            let end = rest.find(['"', '\'', ' ', ',']).unwrap_or(rest.len());
            let sign = rest.get(..end)?.rfind('@')?;
            Some(at + 3..at + 3 + sign)
        })
        .collect()
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
            secrets: Vec::new(),
            open_keys: BTreeSet::new(),
        }
    }
}
