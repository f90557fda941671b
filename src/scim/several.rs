//! The values of an attribute of several: one primary, none twice, not too many.

use serde_json::Value;

use super::error::ScimError;
use super::schema::{Attribute, Case};
use crate::base::text::fold;

/// The most values of an attribute of several.
pub const VALUES_MAX: usize = 100;

/// Brings the values of an attribute of several into order after a change: at most one is primary, the one at `primary`
/// if that is given (RFC 7643 §2.4); none is there twice (same `type` and `value`, by the case rule of `value`); at
/// most [`VALUES_MAX`].
///
/// # Errors
/// 400 `invalidValue`: too many values.
pub fn settle_values(attribute: &Attribute, values: &mut Vec<Value>, primary: Option<usize>) -> Result<(), ScimError> {
    if values.len() > 2 * VALUES_MAX {
        return Err(too_many(attribute, values.len()));
    }
    let is_primary = |value: &Value| value.get("primary") == Some(&Value::Bool(true));
    let chosen = primary.or_else(|| values.iter().position(is_primary));
    for (index, value) in values.iter_mut().enumerate() {
        if Some(index) != chosen && is_primary(value) {
            set_primary(value, false);
        }
    }
    if values.len() > 1 {
        drop_repeated(attribute, values);
    }
    if values.len() > VALUES_MAX { Err(too_many(attribute, values.len())) } else { Ok(()) }
}

fn drop_repeated(attribute: &Attribute, values: &mut Vec<Value>) {
    let exact = attribute.sub("value").is_none_or(|sub| sub.case == Case::Exact);
    let mut seen: Vec<String> = Vec::with_capacity(values.len());
    let mut primary_again = None;
    values.retain(|value| {
        let key = repetition_key(value, exact);
        match seen.iter().position(|known| *known == key) {
            Some(place) => {
                if value.get("primary") == Some(&Value::Bool(true)) {
                    primary_again = Some(place);
                }
                false
            }
            None => {
                seen.push(key);
                true
            }
        }
    });
    if let Some(value) = primary_again.and_then(|place| values.get_mut(place)) {
        set_primary(value, true);
    }
}

fn set_primary(value: &mut Value, primary: bool) {
    if let Some(fields) = value.as_object_mut() {
        fields.insert("primary".to_owned(), Value::Bool(primary));
    }
}

/// Type and value of an element; of one without `value` (an address) all but `primary`.
fn repetition_key(value: &Value, exact: bool) -> String {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    match (text("value"), value.as_object()) {
        (Some(value), _) if exact => format!("{}\0{value}", fold(text("type").unwrap_or_default())),
        (Some(value), _) => format!("{}\0{}", fold(text("type").unwrap_or_default()), fold(value)),
        (None, Some(fields)) => {
            let mut key = String::new();
            for (name, value) in fields.iter().filter(|(name, _)| *name != "primary") {
                key.push_str(name);
                key.push('\0');
                key.push_str(value.as_str().unwrap_or_default());
                key.push('\0');
            }
            key
        }
        (None, None) => value.to_string(),
    }
}

/// More values than are accepted.
pub(super) fn too_many(attribute: &Attribute, count: usize) -> ScimError {
    let key = &attribute.key;
    ScimError::value(key, format!("`{key}` has {count} values; at most {VALUES_MAX} are accepted"))
}
