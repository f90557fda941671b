//! A group of a directory. Its members are rows of their own: no group ever holds them in memory.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::user::Attributes;
use crate::base::Moment;

/// The group's own id: 128 random bits as 32 lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GroupId(pub String);

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A group with its bookkeeping.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredGroup {
    pub id: GroupId,
    /// The scope that it belongs to: the stem of its directory, or a scratch scope.
    pub directory: String,
    /// `displayName`, `externalId` and extension attributes; not `members`.
    pub attributes: Attributes,
    /// Grows with every change of the attributes, and of nothing else.
    pub head: u64,
    /// Grows with every change, memberships included; SCIM's `meta.version`.
    pub version: u64,
    /// Its place in lists: the order of creation.
    pub seq: u64,
    pub created_at: Moment,
    pub updated_at: Moment,
    /// How many members it has.
    pub members: u64,
    /// How many members are parked until a user or group of that id appears.
    pub parked: u64,
}

impl StoredGroup {
    /// A group that is yet to be written, without members.
    #[must_use]
    pub fn fresh(id: GroupId, directory: &str, attributes: Attributes, now: Moment) -> Self {
        Self {
            id,
            directory: directory.to_owned(),
            attributes,
            head: 1,
            version: 1,
            seq: 0,
            created_at: now,
            updated_at: now,
            members: 0,
            parked: 0,
        }
    }

    #[must_use]
    pub fn display_name(&self) -> Option<&str> {
        self.attributes.get("displayName")?.as_str()
    }

    #[must_use]
    pub fn external_id(&self) -> Option<&str> {
        self.attributes.get("externalId")?.as_str()
    }
}

/// What a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberKind {
    User,
    Group,
}

/// A member as a group shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub id: String,
    pub kind: MemberKind,
    /// Its displayName.
    pub display: Option<String>,
}

/// A group as its member shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupOf {
    pub id: GroupId,
    pub display: Option<String>,
    /// False: by way of a group within it.
    pub direct: bool,
}

/// A change of a group's members. Several are carried out in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemberDelta {
    Add(Vec<String>),
    Remove(Vec<String>),
    /// These and no others.
    Replace(Vec<String>),
    Clear,
}
