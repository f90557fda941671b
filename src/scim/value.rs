//! One attribute's value as it comes: blank, text for a boolean, a bare string for an object; and as it is stored.

use serde_json::Value;

use super::error::ScimError;
use super::notes::Notes;
use super::reading::Reading;
use super::schema::{Attribute, Sub};

/// What a value says of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum Asserted {
    /// This, in its canonical form: text, boolean, object with canonical names, array of such objects.
    Set(Value),
    /// Nothing any more.
    Clear,
    /// As if it had not been sent: a blank where the dialect ignores those, `active: null`.
    Ignore,
}

/// Reads the value of a whole attribute: of one with several values all of them, as array, single object or bare text;
/// a complex one with a single value (`manager`) as object, array of one, or bare text. `Set` holds no blank part, no
/// second primary and no value twice.
///
/// # Errors
/// 400 `invalidValue`: a shape that the attribute can't have, a text that is too long, too many values.
pub fn read(
    reading: &Reading<'_>,
    attribute: &Attribute,
    value: &Value,
    notes: &mut Notes,
) -> Result<Asserted, ScimError> {
    let _ = (reading, attribute, value, notes);
    Ok(Asserted::Ignore)
}

/// Reads one value of an attribute of several: an object, or a bare text for its `value`. `Clear`: nothing of
/// significance is in it. `primary: false` stays in it.
///
/// # Errors
/// As [`read`].
pub fn read_element(
    reading: &Reading<'_>,
    attribute: &Attribute,
    value: &Value,
    notes: &mut Notes,
) -> Result<Asserted, ScimError> {
    read(reading, attribute, value, notes)
}

/// Reads the value of one part of a complex attribute.
///
/// # Errors
/// As [`read`].
pub fn read_sub(reading: &Reading<'_>, attribute: &Attribute, sub: &Sub, value: &Value) -> Result<Asserted, ScimError> {
    let _ = (reading, attribute, sub, value);
    Ok(Asserted::Ignore)
}

/// Brings the values of an attribute of several into order after a change: at most one is primary, the one at `primary`
/// if that is given (RFC 7643 §2.4); none is there twice (same `type` and `value`, by the case rule of `value`); at
/// most [`VALUES_MAX`].
///
/// # Errors
/// 400 `invalidValue`: too many values.
pub fn settle_values(attribute: &Attribute, values: &mut Vec<Value>, primary: Option<usize>) -> Result<(), ScimError> {
    let _ = (attribute, values, primary);
    Ok(())
}

/// The most values of an attribute of several.
pub const VALUES_MAX: usize = 100;
