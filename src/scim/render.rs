//! A user or group as SCIM's JSON.

use serde_json::Value;

use super::list::Selection;
use super::schema::Schema;
use crate::identity::group::{GroupOf, Member};
use crate::identity::{StoredGroup, StoredUser};

/// How an answer is made.
#[derive(Clone, Copy, Debug)]
pub struct Rendering<'a> {
    pub schema: &'a Schema,
    /// `https://host/usergroup/scim/v2`, from the configuration.
    pub base: &'a str,
    pub selection: &'a Selection,
}

/// A user; `groups` only if they are wanted.
#[must_use]
pub fn user(rendering: &Rendering<'_>, user: &StoredUser, groups: Option<&[GroupOf]>) -> Value {
    let _ = (rendering, user, groups);
    Value::Null
}

/// A group; `members` only if they are wanted.
#[must_use]
pub fn group(rendering: &Rendering<'_>, group: &StoredGroup, members: Option<&[Member]>) -> Value {
    let _ = (rendering, group, members);
    Value::Null
}

/// `W/"7"`.
#[must_use]
pub fn etag(version: u64) -> String {
    format!("W/\"{version}\"")
}
