//! From every way to write a name to what it stands for: one look-up, without allocation if the name is written as its
//! schema writes it or in lower case.

use std::collections::HashMap;

use super::{Attribute, Common, ResourceType, Sub, group, known};
use crate::scim::urn;

/// What a name stands for; attributes by their place in the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Attribute(usize, Option<&'static Sub>),
    Parent(&'static str),
    /// The extension of the attribute at this place.
    Extension(usize),
    Common(Common),
    Unconfirmed,
}

/// Names as they are usually written, and all of them in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Names(HashMap<Box<str>, Meaning>);

/// Microsoft's example writes the enterprise extension so.
const MISTYPED_ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0User";

impl Names {
    pub(super) fn find(&self, name: &str) -> Option<Meaning> {
        if let Some(meaning) = self.0.get(name) {
            return Some(*meaning);
        }
        if !name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return None;
        }
        self.0.get(name.to_ascii_lowercase().as_str()).copied()
    }

    /// What is put in first has its name: what every resource has, then core before extensions before custom ones,
    /// whether confirmed or not.
    pub(super) fn of(resource: ResourceType, confirmed: &[Attribute]) -> Self {
        let mut names = Self(HashMap::new());
        names.common(resource);
        let all = known(resource);
        let place = |known: &Attribute| confirmed.iter().position(|attribute| attribute.key == known.key);
        for attribute in &all {
            names.attribute(attribute, place(attribute));
        }
        for (place, attribute) in confirmed.iter().enumerate() {
            names.attribute(attribute, Some(place));
        }
        names
    }

    fn common(&mut self, resource: ResourceType) {
        let core = match resource {
            ResourceType::User => urn::USER,
            ResourceType::Group => urn::GROUP,
        };
        let mut all = vec![
            ("id".to_owned(), Common::Id),
            ("schemas".to_owned(), Common::Schemas),
            ("meta".to_owned(), Common::Meta),
            ("meta.resourceType".to_owned(), Common::ResourceType),
            ("meta.created".to_owned(), Common::Created),
            ("meta.lastModified".to_owned(), Common::LastModified),
            ("meta.location".to_owned(), Common::Location),
            ("meta.version".to_owned(), Common::Version),
        ];
        match resource {
            ResourceType::User => {
                all.push(("password".to_owned(), Common::Password));
                all.push(("groups".to_owned(), Common::Groups(None)));
                for sub in group::GROUP_OF {
                    all.push((format!("groups.{}", sub.name), Common::Groups(Some(sub.name))));
                }
            }
            ResourceType::Group => {
                all.push(("members".to_owned(), Common::Members(None)));
                for sub in group::MEMBER {
                    all.push((format!("members.{}", sub.name), Common::Members(Some(sub.name))));
                }
            }
        }
        for (name, common) in all {
            self.put(&name, Meaning::Common(common));
            self.below(core, &name, Meaning::Common(common));
        }
    }

    /// `place` is where it stands among the confirmed, if it does.
    fn attribute(&mut self, attribute: &Attribute, place: Option<usize>) {
        let extension = attribute.schema != urn::USER && attribute.schema != urn::GROUP;
        let path = attribute.path();
        let meaning = |sub| place.map_or(Meaning::Unconfirmed, |place| Meaning::Attribute(place, sub));
        self.both(attribute, &path, meaning(None));
        for sub in attribute.subs {
            self.both(attribute, &format!("{path}.{}", sub.name), meaning(Some(sub)));
        }
        if let Some(parent) = attribute.parent {
            self.both(attribute, parent, place.map_or(Meaning::Unconfirmed, |_| Meaning::Parent(parent)));
        }
        if extension {
            let whole = place.map_or(Meaning::Unconfirmed, Meaning::Extension);
            self.put(&attribute.schema, whole);
            if attribute.schema == urn::ENTERPRISE {
                self.put(MISTYPED_ENTERPRISE, whole);
            }
        }
    }

    fn both(&mut self, attribute: &Attribute, path: &str, meaning: Meaning) {
        self.put(path, meaning);
        self.below(&attribute.schema, path, meaning);
        if attribute.schema == urn::ENTERPRISE {
            self.below(MISTYPED_ENTERPRISE, path, meaning);
        }
    }

    fn below(&mut self, schema: &str, path: &str, meaning: Meaning) {
        self.put(&format!("{schema}:{path}"), meaning);
        self.put(&format!("{schema}.{path}"), meaning);
    }

    /// A name keeps what it stands for first, unless that was only something unconfirmed of the same schema: one
    /// confirmed part confirms its parent, one confirmed attribute its extension.
    fn put(&mut self, name: &str, meaning: Meaning) {
        let whole = matches!(meaning, Meaning::Parent(_) | Meaning::Extension(_));
        for name in [name.to_owned(), name.to_ascii_lowercase()] {
            let held = self.0.entry(name.into_boxed_str()).or_insert(meaning);
            if whole && *held == Meaning::Unconfirmed {
                *held = meaning;
            }
        }
    }
}
