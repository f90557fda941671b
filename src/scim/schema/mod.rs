//! What attributes there are: SCIM's, the enterprise extension's, the vendor's, and custom ones that a directory
//! confirms. A [`Schema`] is what one directory confirms of them, and nothing else can be stored, returned or used.

mod table;
mod core_user;
mod enterprise;
mod ws1b;
pub mod group;
mod names;

use std::borrow::Cow;

use self::names::{Meaning, Names};
use self::table::Row;
use super::urn;
use crate::identity::Directory;
use crate::identity::dialect::SameGroupName;
use crate::identity::user::Attributes;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceType {
    User,
    Group,
}

/// RFC 7643 §2.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    String,
    Boolean,
    Integer,
    Decimal,
    DateTime,
    Reference,
    Binary,
    Complex,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutability {
    ReadWrite,
    ReadOnly,
    Immutable,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returned {
    Always,
    Default,
    Request,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uniqueness {
    None,
    Server,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plurality {
    Single,
    Multi,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    Exact,
    Insensitive,
}

/// A sub-attribute of a complex attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sub {
    pub name: &'static str,
    pub kind: Kind,
    pub case: Case,
    pub mutability: Mutability,
    /// The most characters of a text.
    pub max: usize,
    pub description: &'static str,
}

/// An attribute that can be confirmed. A single-valued complex one whose parts are confirmed one by one (`name`) stands
/// here once for each part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its name in the directory's file and in [`crate::identity::user::Attributes`]: `userName`, `name.givenName`,
    /// `department`, or a URN with a name for custom ones.
    pub key: Cow<'static, str>,
    /// The URN of its schema.
    pub schema: Cow<'static, str>,
    /// The complex attribute that it is a part of: `name`.
    pub parent: Option<&'static str>,
    /// Its name there.
    pub name: Cow<'static, str>,
    pub kind: Kind,
    pub plurality: Plurality,
    pub case: Case,
    pub mutability: Mutability,
    pub returned: Returned,
    pub uniqueness: Uniqueness,
    /// Whether its values stand in the audit by digest only.
    pub sensitive: bool,
    /// The most characters of a text.
    pub max: usize,
    pub subs: &'static [Sub],
    pub description: &'static str,
}

/// The attributes of one resource type that a directory confirms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    pub resource: ResourceType,
    /// In the order in which they are returned.
    pub attributes: Vec<Attribute>,
    /// Whether an `externalId` in base64 stands for a Microsoft GUID, in bodies and in filters.
    pub decodes_guids: bool,
    /// The keys of the attributes, sorted.
    keys: Vec<Cow<'static, str>>,
    names: Names,
}

/// Both of a directory. Made once for each configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schemas {
    pub user: Schema,
    pub group: Schema,
}

impl Schemas {
    /// What `directory` confirms. Users have `userName` and `active` in any case; groups have all of theirs:
    /// `displayName`, `externalId` and the vendor's.
    #[must_use]
    pub fn of(directory: &Directory) -> Self {
        let mut attributes = known(ResourceType::User);
        attributes.retain(|attribute| {
            matches!(&*attribute.key, "userName" | "active")
                || directory.attributes.iter().any(|confirmed| is(attribute, confirmed))
        });
        for confirmed in &directory.attributes {
            if let Some(custom) = custom(confirmed)
                && !attributes.iter().any(|attribute| is(attribute, confirmed))
            {
                attributes.push(custom);
            }
        }
        // The attributes of one extension stand together, as they are returned.
        let mut order = vec![Cow::Borrowed(urn::USER)];
        for attribute in &attributes {
            if !order.contains(&attribute.schema) {
                order.push(attribute.schema.clone());
            }
        }
        attributes.sort_by_cached_key(|attribute| order.iter().position(|schema| *schema == attribute.schema));
        let mut group = known(ResourceType::Group);
        for attribute in &mut group {
            if attribute.key == "displayName" && directory.dialect.same_group_name == SameGroupName::Refuse {
                attribute.uniqueness = Uniqueness::Server;
            }
        }
        let schema = |resource, attributes: Vec<Attribute>| {
            let names = Names::of(resource, &attributes);
            let mut keys: Vec<_> = attributes.iter().map(|attribute| attribute.key.clone()).collect();
            keys.sort_unstable();
            Schema { resource, attributes, decodes_guids: directory.decode_ms_guid, keys, names }
        };
        Self { user: schema(ResourceType::User, attributes), group: schema(ResourceType::Group, group) }
    }
}

/// All that we know by short names, in the order in which they are returned.
#[must_use]
pub fn known(resource: ResourceType) -> Vec<Attribute> {
    let tables: &[(&'static str, &[Row])] = match resource {
        ResourceType::User => {
            &[(urn::USER, core_user::ROWS), (urn::ENTERPRISE, enterprise::ROWS), (urn::WS1B_USER, ws1b::USER)]
        }
        ResourceType::Group => &[(urn::GROUP, group::ROWS), (urn::WS1B_GROUP, ws1b::GROUP)],
    };
    tables.iter().flat_map(|(schema, rows)| rows.iter().map(|row| row.attribute(schema))).collect()
}

/// The key of a custom attribute that is confirmed as `URN:name`: a text.
fn custom(confirmed: &str) -> Option<Attribute> {
    let (schema, name) = confirmed.rsplit_once(':').filter(|(_, name)| !name.is_empty())?;
    urn::is_urn(schema).then(|| Attribute {
        key: confirmed.to_owned().into(),
        schema: schema.to_owned().into(),
        parent: None,
        name: name.to_owned().into(),
        kind: Kind::String,
        plurality: Plurality::Single,
        case: Case::Insensitive,
        mutability: Mutability::ReadWrite,
        returned: Returned::Default,
        uniqueness: Uniqueness::None,
        sensitive: true,
        max: table::TEXT,
        subs: &[],
        description: "An attribute of this directory's own.",
    })
}

/// Whether a name of the confirmed list, short or by URN, is that of `attribute`.
fn is(attribute: &Attribute, confirmed: &str) -> bool {
    attribute.key == confirmed
        || confirmed.len() == attribute.schema.len() + 1 + attribute.path_len()
            && attribute.full_name().eq_ignore_ascii_case(confirmed)
}

/// The key under which documents have the user attribute of that name in a confirmed list: the short one of what is known
/// by its URN too, any other as it is.
#[must_use]
pub fn confirmed_key(confirmed: &str) -> String {
    let known = known(ResourceType::User);
    let called = known.iter().find(|attribute| is(attribute, confirmed));
    called.map_or_else(|| confirmed.to_owned(), |attribute| attribute.key.to_string())
}

/// What a name in a path, a filter, a body or `attributes` stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Named<'s> {
    /// One that is confirmed, or a part of each of its values.
    Attribute(&'s Attribute, Option<&'static Sub>),
    /// The whole of a complex attribute whose parts are confirmed one by one: `name`.
    Parent(&'static str),
    /// A whole extension, by its URN.
    Extension(&'s str),
    /// `id`, `schemas`, `meta` and its parts, `groups` of a user, `members` of a group and their parts.
    Common(Common),
    /// Known to SCIM or custom, but not confirmed here.
    Unconfirmed,
    /// In no schema.
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Common {
    Id,
    Schemas,
    /// `meta` whole.
    Meta,
    ResourceType,
    Created,
    LastModified,
    Location,
    Version,
    /// Of a user; `None`: whole.
    Groups(Option<&'static str>),
    /// Of a group; `None`: whole.
    Members(Option<&'static str>),
    Password,
}

impl Schema {
    /// What `name` stands for: bare, dotted, with a URN in front (known URNs are looked for first, longest first; also
    /// with a dot in place of the last colon), in any case; a bare name of an extension if no core attribute has it.
    #[must_use]
    pub fn named(&self, name: &str) -> Named<'_> {
        match self.names.find(name) {
            Some(Meaning::Attribute(index, sub)) => match self.attributes.get(index) {
                Some(attribute) => Named::Attribute(attribute, sub),
                None => Named::Unknown,
            },
            Some(Meaning::Parent(parent)) => Named::Parent(parent),
            Some(Meaning::Extension(index)) => match self.attributes.get(index) {
                Some(attribute) => Named::Extension(&attribute.schema),
                None => Named::Unknown,
            },
            Some(Meaning::Common(common)) => Named::Common(common),
            Some(Meaning::Unconfirmed) => Named::Unconfirmed,
            None if urn::is_urn(name) && !self.is_closed(name) => Named::Unconfirmed,
            None => Named::Unknown,
        }
    }

    /// Whether `name` stands below a schema of the RFC, of which we know all attributes.
    fn is_closed(&self, name: &str) -> bool {
        let core = self.urn();
        [core, urn::ENTERPRISE].iter().any(|urn| {
            name.get(..urn.len()).is_some_and(|start| start.eq_ignore_ascii_case(urn))
                && name.as_bytes().get(urn.len()).is_none_or(|next| matches!(next, b':' | b'.'))
        })
    }

    /// The URN of the core schema.
    #[must_use]
    pub const fn urn(&self) -> &'static str {
        match self.resource {
            ResourceType::User => urn::USER,
            ResourceType::Group => urn::GROUP,
        }
    }

    /// Whether every attribute of a document is confirmed: the usual case, told at the cost of a look at each name.
    #[must_use]
    pub fn confirms_all(&self, attributes: &Attributes) -> bool {
        let mut keys = self.keys.iter();
        // Both are sorted.
        attributes.keys().all(|name| keys.any(|key| key == name))
    }

    /// The attribute of that key, exactly.
    #[must_use]
    pub fn attribute(&self, key: &str) -> Option<&Attribute> {
        match self.names.find(key) {
            Some(Meaning::Attribute(index, None)) => self.attributes.get(index).filter(|found| found.key == key),
            _ => None,
        }
    }
}

impl Attribute {
    /// The part of that name, in any case.
    #[must_use]
    pub fn sub(&self, name: &str) -> Option<&'static Sub> {
        self.subs.iter().find(|sub| sub.name.eq_ignore_ascii_case(name))
    }

    /// `URN:name`, `URN:parent.name`.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}:{}", self.schema, self.path())
    }

    /// Its name below its schema: `name`, `parent.name`.
    #[must_use]
    pub fn path(&self) -> Cow<'_, str> {
        match self.parent {
            Some(parent) => format!("{parent}.{}", self.name).into(),
            None => Cow::Borrowed(&self.name),
        }
    }

    fn path_len(&self) -> usize {
        self.parent.map_or(0, |parent| parent.len() + 1) + self.name.len()
    }

    /// Whether no resource is without it.
    #[must_use]
    pub fn required(&self) -> bool {
        matches!(self.key.as_ref(), "userName" | "active") || (self.key == "displayName" && self.schema == urn::GROUP)
    }
}

#[cfg(test)]
mod tests;
