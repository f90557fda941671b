//! What was seen in a request beside what it changed: counted for each connection, shown by `explain scim`.

/// Names only, never values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// Confirmed attributes that came with a value.
    pub received: Vec<String>,
    /// Confirmed attributes that were cleared, or came blank.
    pub cleared: Vec<String>,
    /// Names in no schema.
    pub unknown: Vec<String>,
    /// Attributes that the directory doesn't confirm.
    pub unconfirmed: Vec<String>,
    /// Read-only ones, left out silently.
    pub read_only: Vec<String>,
    /// Something worth showing, in a sentence: `op` in another case, a boolean as text, a bare manager.
    pub remarks: Vec<&'static str>,
}

/// The most names of each kind that one request leaves behind, and the most characters of one: they come from outside.
const NAMES_MAX: usize = 100;
const NAME_CHARS_MAX: usize = 200;

impl Notes {
    pub fn received(&mut self, name: &str) {
        note(&mut self.received, name);
    }

    pub fn cleared(&mut self, name: &str) {
        note(&mut self.cleared, name);
    }

    pub fn unknown(&mut self, name: &str) {
        note(&mut self.unknown, name);
    }

    pub fn unconfirmed(&mut self, name: &str) {
        note(&mut self.unconfirmed, name);
    }

    pub fn read_only(&mut self, name: &str) {
        note(&mut self.read_only, name);
    }

    pub fn remark(&mut self, sentence: &'static str) {
        if !self.remarks.contains(&sentence) {
            self.remarks.push(sentence);
        }
    }
}

/// Once each, cut to a length that can be kept.
fn note(names: &mut Vec<String>, name: &str) {
    let name = match name.char_indices().nth(NAME_CHARS_MAX) {
        Some((end, _)) => name.get(..end).unwrap_or_default(),
        None => name,
    };
    if names.len() < NAMES_MAX && !names.iter().any(|known| known == name) {
        names.push(name.to_owned());
    }
}
