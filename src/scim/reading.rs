//! How a directory reads what its source sends, and what a source says of a user.

use super::schema::Schema;
use crate::identity::user::Attributes;
use crate::identity::{Dialect, Directory};

/// What a source says of a user: the confirmed attributes, `userName` and `externalId` among them; `active` apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draft {
    pub attributes: Attributes,
    pub active: bool,
}

/// How a directory reads what its source sends.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    pub schema: &'a Schema,
    pub dialect: &'a Dialect,
    /// The value that means: clear this attribute.
    pub sentinel: &'a str,
    /// Whether an externalId may be the base64 of a Microsoft GUID.
    pub decode_guid: bool,
}

impl<'a> Reading<'a> {
    #[must_use]
    pub fn new(directory: &'a Directory, schema: &'a Schema) -> Self {
        Self {
            schema,
            dialect: &directory.dialect,
            sentinel: &directory.clear_sentinel,
            decode_guid: directory.decode_ms_guid,
        }
    }
}
