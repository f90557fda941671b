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
    if schema.confirms_all(&attributes) {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::samples::directory;
    use super::super::schema::Schemas;
    use super::*;
    use crate::identity::Source;

    #[test]
    fn a_document_is_whole_only_if_each_of_its_names_is_confirmed() {
        let schema = Schemas::of(&directory(Source::Azure, &["userName", "emails", "title"])).user;
        let known = ["title", "userName", "emails"];
        let document =
            |names: &[&str]| -> Attributes { names.iter().map(|&name| (name.to_owned(), json!(1))).collect() };
        assert_eq!(split(&schema, document(&known)), Split { seen: document(&known), aside: Attributes::new() });
        assert!(split(&schema, Attributes::new()).aside.is_empty());
        for other in ["aaa", "department", "zzz", "Title"] {
            let both = document(&[&known[..], &[other]].concat());
            assert_eq!(split(&schema, both), Split { seen: document(&known), aside: document(&[other]) }, "{other}");
        }
    }
}
