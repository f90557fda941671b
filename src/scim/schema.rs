//! What attributes there are: SCIM's, the enterprise extension's, the vendor's, and custom ones that a directory
//! confirms. A [`Schema`] is what one directory confirms of them, and nothing else can be stored, returned or used.

use std::borrow::Cow;

use crate::identity::Directory;

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
}

/// Both of a directory. Made once for each configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schemas {
    pub user: Schema,
    pub group: Schema,
}

impl Schemas {
    /// What `directory` confirms. Groups have all of theirs: `displayName`, `externalId` and the vendor's.
    #[must_use]
    pub fn of(directory: &Directory) -> Self {
        let _ = directory;
        Self {
            user: Schema { resource: ResourceType::User, attributes: Vec::new() },
            group: Schema { resource: ResourceType::Group, attributes: Vec::new() },
        }
    }
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
        let _ = name;
        Named::Unknown
    }

    /// The attribute of that key, exactly.
    #[must_use]
    pub fn attribute(&self, key: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.key == key)
    }
}
