//! A row of the tables of attributes, and what is made of it.

use std::borrow::Cow;

use super::{Attribute, Case, Kind, Mutability, Plurality, Returned, Sub, Uniqueness};

/// The most characters of an ordinary text, of an address or a document, and of a certificate.
pub(super) const TEXT: usize = 1_024;
pub(super) const LONG: usize = 4_096;
pub(super) const CERTIFICATE: usize = 128 * 1_024;

/// One attribute of a table. The key of a part is `parent.name`.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub key: &'static str,
    kind: Kind,
    plurality: Plurality,
    case: Case,
    uniqueness: Uniqueness,
    sensitive: bool,
    max: usize,
    subs: &'static [Sub],
    description: &'static str,
}

/// A single-valued text without regard to case.
pub(super) const fn text(key: &'static str, description: &'static str) -> Row {
    Row {
        key,
        kind: Kind::String,
        plurality: Plurality::Single,
        case: Case::Insensitive,
        uniqueness: Uniqueness::None,
        sensitive: false,
        max: TEXT,
        subs: &[],
        description,
    }
}

/// A complex attribute of several values.
pub(super) const fn values(key: &'static str, subs: &'static [Sub], description: &'static str) -> Row {
    Row { kind: Kind::Complex, plurality: Plurality::Multi, subs, ..text(key, description) }
}

impl Row {
    pub(super) const fn kind(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    pub(super) const fn exact(self) -> Self {
        Self { case: Case::Exact, ..self }
    }

    pub(super) const fn unique(self) -> Self {
        Self { uniqueness: Uniqueness::Server, ..self }
    }

    pub(super) const fn sensitive(self) -> Self {
        Self { sensitive: true, ..self }
    }

    pub(super) const fn max(self, max: usize) -> Self {
        Self { max, ..self }
    }

    /// A single-valued complex attribute.
    pub(super) const fn complex(self, subs: &'static [Sub]) -> Self {
        Self { kind: Kind::Complex, subs, ..self }
    }

    pub(super) fn attribute(self, schema: &'static str) -> Attribute {
        let (parent, name) = match self.key.split_once('.') {
            Some((parent, name)) => (Some(parent), name),
            None => (None, self.key),
        };
        Attribute {
            key: Cow::Borrowed(self.key),
            schema: Cow::Borrowed(schema),
            parent,
            name: Cow::Borrowed(name),
            kind: self.kind,
            plurality: self.plurality,
            case: self.case,
            mutability: Mutability::ReadWrite,
            returned: Returned::Default,
            uniqueness: self.uniqueness,
            sensitive: self.sensitive,
            max: self.max,
            subs: self.subs,
            description: self.description,
        }
    }
}

/// A text of a complex attribute.
pub(super) const fn sub(name: &'static str, description: &'static str) -> Sub {
    Sub { name, kind: Kind::String, case: Case::Insensitive, mutability: Mutability::ReadWrite, max: TEXT, description }
}

impl Sub {
    pub(super) const fn of_kind(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    pub(super) const fn exactly(self) -> Self {
        Self { case: Case::Exact, ..self }
    }

    pub(super) const fn read_only(self) -> Self {
        Self { mutability: Mutability::ReadOnly, ..self }
    }

    pub(super) const fn up_to(self, max: usize) -> Self {
        Self { max, ..self }
    }
}
