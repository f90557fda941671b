//! POST, PUT and PATCH of a user: the attributes as they should be afterwards.

use serde_json::Value;

use super::error::ScimError;
use super::notes::Notes;
use crate::identity::Directory;

pub use super::reading::{Draft, Reading};

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
