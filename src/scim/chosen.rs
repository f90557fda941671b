//! Which attributes an answer shows: `attributes` and `excludedAttributes`, read with a schema (RFC 7644 §3.9).

use super::list::Selection;
use super::schema::{Attribute, Common, Named, Schema, Sub};

/// A selection whose names have been looked up; names of nothing are passed over.
#[derive(Debug)]
pub(super) enum Chosen<'s> {
    All,
    Only(Vec<Named<'s>>),
    Without(Vec<Named<'s>>),
}

/// How much of an attribute is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    No,
    Whole,
    /// Some of its parts: see [`Chosen::shows_sub`].
    Parts,
}

impl<'s> Chosen<'s> {
    pub(super) fn of(selection: &Selection, schema: &'s Schema) -> Self {
        let named = |names: &[String]| names.iter().map(|name| schema.named(name.trim())).collect();
        match selection {
            Selection::Default => Self::All,
            Selection::Only(names) => Self::Only(named(names)),
            Selection::Without(names) => Self::Without(named(names)),
        }
    }

    pub(super) fn shows(&self, attribute: &Attribute) -> Shown {
        let whole = |name: &Named<'s>| match name {
            Named::Attribute(named, None) => named.key == attribute.key,
            Named::Parent(parent) => attribute.parent == Some(parent),
            Named::Extension(urn) => attribute.schema == *urn,
            _ => false,
        };
        let part = |name: &Named<'s>| matches!(name, Named::Attribute(named, Some(_)) if named.key == attribute.key);
        self.shown(whole, part)
    }

    /// Whether a part of an attribute that is shown in parts is among them.
    pub(super) fn shows_sub(&self, attribute: &Attribute, sub: &Sub) -> bool {
        let named = |name: &Named<'s>| matches!(name, Named::Attribute(named, Some(part)) if named.key == attribute.key && part.name == sub.name);
        self.keeps(named)
    }

    /// `meta`, `groups`, `members`; `part` tells the names of its parts.
    pub(super) fn shows_common(&self, whole: Common, part: fn(Common) -> bool) -> Shown {
        self.shown(
            |name| *name == Named::Common(whole),
            |name| matches!(name, Named::Common(common) if *common != whole && part(*common)),
        )
    }

    /// How much of a group's `members` is shown.
    pub(super) fn shows_members(&self) -> Shown {
        self.shows_common(Common::Members(None), |common| matches!(common, Common::Members(_)))
    }

    /// Whether this part of `meta`, `groups` or `members` is among those that are shown.
    pub(super) fn shows_common_part(&self, part: Common) -> bool {
        self.keeps(|name| *name == Named::Common(part))
    }

    fn shown(&self, whole: impl Fn(&Named<'s>) -> bool, part: impl Fn(&Named<'s>) -> bool) -> Shown {
        match self {
            Self::All => Shown::Whole,
            Self::Only(names) if names.iter().any(&whole) => Shown::Whole,
            Self::Without(names) if names.iter().any(&whole) => Shown::No,
            Self::Only(names) if !names.iter().any(&part) => Shown::No,
            Self::Without(names) if !names.iter().any(&part) => Shown::Whole,
            Self::Only(_) | Self::Without(_) => Shown::Parts,
        }
    }

    fn keeps(&self, named: impl Fn(&Named<'s>) -> bool) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.iter().any(named),
            Self::Without(names) => !names.iter().any(named),
        }
    }
}
