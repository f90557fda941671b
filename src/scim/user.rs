//! POST, PUT and PATCH of a user: the attributes as they should be afterwards.

use serde_json::Value;

use super::error::ScimError;
use super::notes::Notes;
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

/// A POST. `active` is true unless the body says otherwise.
///
/// # Errors
/// 400 with the attribute and the mend.
pub fn create(reading: &Reading<'_>, body: &Value) -> Result<(Draft, Notes), ScimError> {
    let _ = (reading, body);
    Err(ScimError::status(501, "not built yet"))
}

/// A PUT over what is there.
///
/// # Errors
/// 400 with the attribute and the mend.
pub fn replace(reading: &Reading<'_>, current: &Draft, body: &Value) -> Result<(Draft, Notes), ScimError> {
    let _ = (reading, current, body);
    Err(ScimError::status(501, "not built yet"))
}

/// A PATCH: all operations in order, or none.
///
/// # Errors
/// 400 with the operation, the attribute and the mend.
pub fn patch(reading: &Reading<'_>, current: &Draft, body: &Value) -> Result<(Draft, Notes), ScimError> {
    let _ = (reading, current, body);
    Err(ScimError::status(501, "not built yet"))
}

/// The attributes that services need and this user lacks: `emails`, `name.givenName`, `name.familyName`, `externalId`,
/// and `domain` if neither its own, nor its name's, nor the directory's default says one.
#[must_use]
pub fn lacks(directory: &Directory, draft: &Draft) -> Vec<&'static str> {
    let _ = (directory, draft);
    Vec::new()
}
