//! The confirmed list over what is stored: what a directory doesn't confirm (any more) is out of use, though it is kept
//! for a while.

use super::schema::Schema;
use crate::identity::user::Attributes;

/// A stored document in its two parts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Split {
    /// What is confirmed: what is shown, found, used and changed.
    pub seen: Attributes,
    /// What is not: kept as it is, for the case that it is confirmed again.
    pub aside: Attributes,
}

/// Parts a document.
#[must_use]
pub fn split(schema: &Schema, attributes: Attributes) -> Split {
    if attributes.keys().all(|key| schema.attribute(key).is_some()) {
        return Split { seen: attributes, aside: Attributes::new() };
    }
    let (seen, aside) = attributes.into_iter().partition(|(key, _)| schema.attribute(key).is_some());
    Split { seen, aside }
}

impl Split {
    /// The whole document with `seen` in the place of what was seen.
    #[must_use]
    pub fn with(self, seen: Attributes) -> Attributes {
        let mut whole = self.aside;
        whole.extend(seen);
        whole
    }
}
