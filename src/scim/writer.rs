//! JSON, straight into bytes.

use serde::Serialize;

/// Writes one JSON document piece by piece; commas come by themselves.
pub(super) struct Writer<'o> {
    out: &'o mut Vec<u8>,
}

impl<'o> Writer<'o> {
    pub(super) const fn new(out: &'o mut Vec<u8>) -> Self {
        Self { out }
    }

    pub(super) fn open(&mut self, bracket: u8) {
        self.comma();
        self.out.push(bracket);
    }

    pub(super) fn close(&mut self, bracket: u8) {
        self.out.push(bracket);
    }

    /// A name of ours, which needs no escape.
    pub(super) fn name(&mut self, name: &'static str) {
        self.pieces(&[name]);
        self.out.push(b':');
    }

    /// A name that may need one.
    pub(super) fn foreign_name(&mut self, name: &str) {
        self.value(name);
        self.out.push(b':');
    }

    pub(super) fn value<T: Serialize + ?Sized>(&mut self, value: &T) {
        self.comma();
        self.string(value);
    }

    /// A text of several pieces that need no escape.
    pub(super) fn pieces(&mut self, pieces: &[&str]) {
        self.comma();
        self.out.push(b'"');
        for piece in pieces {
            self.out.extend_from_slice(piece.as_bytes());
        }
        self.out.push(b'"');
    }

    /// What is JSON already.
    pub(super) fn raw(&mut self, json: &[u8]) {
        self.out.extend_from_slice(json);
    }

    /// Where the document stands, for [`Writer::back_to`].
    pub(super) fn place(&self) -> usize {
        self.out.len()
    }

    /// Takes back what was written since.
    pub(super) fn back_to(&mut self, place: usize) {
        self.out.truncate(place);
    }

    /// Nothing but its opening bracket stands since `place`.
    pub(super) fn is_empty_since(&self, place: usize) -> bool {
        matches!(self.out.get(place..), Some([] | [b'{' | b'['] | [b',', b'{' | b'[']))
    }

    fn comma(&mut self) {
        if !matches!(self.out.last(), None | Some(b'{' | b'[' | b':' | b',')) {
            self.out.push(b',');
        }
    }

    /// Memory takes every byte, and what is written here has text for names.
    fn string<T: Serialize + ?Sized>(&mut self, value: &T) {
        let place = self.out.len();
        if serde_json::to_writer(&mut *self.out, value).is_err() {
            self.out.truncate(place);
            self.out.extend_from_slice(b"null");
        }
    }
}
