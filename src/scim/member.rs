//! Members of a group as they come: objects, bare ids, addresses.

use std::collections::HashSet;

use serde_json::Value;

use super::error::ScimError;
use super::value::{is_blank, referenced, shape};

/// The most members that a group has.
pub const MEMBERS_MAX: usize = 500_000;

/// The most characters of a member's id.
const ID_MAX: usize = 256;

/// Reads the value of `members`: an array or one of objects with `value`, or else `$ref` (its last segment is the id), or
/// bare ids. Blank ones are left out; null is none. Each id stands once, in the order of the request.
///
/// # Errors
/// 400 `invalidValue`: another shape, too many members, a text that is too long.
pub fn read_members(value: &Value) -> Result<Vec<String>, ScimError> {
    let items = match value {
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    if items.len() > MEMBERS_MAX {
        let detail = format!("`members` has {} values; at most {MEMBERS_MAX} are accepted", items.len());
        return Err(ScimError::value("members", detail));
    }
    let mut seen = HashSet::with_capacity(items.len());
    let mut ids = Vec::with_capacity(items.len());
    for item in items {
        if let Some(id) = id(item)?
            && seen.insert(id)
        {
            ids.push(id.to_owned());
        }
    }
    Ok(ids)
}

fn id(item: &Value) -> Result<Option<&str>, ScimError> {
    let id = match item {
        Value::String(id) => Some(id.as_str()),
        Value::Object(fields) => {
            let value = fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("value")).map(|(_, value)| value);
            match value {
                Some(Value::String(id)) if !id.trim().is_empty() => Some(id.as_str()),
                Some(other) if !is_blank(other) => return Err(refused(other)),
                _ => referenced(item),
            }
        }
        Value::Null => None,
        Value::Array(items) if items.is_empty() => None,
        other => return Err(refused(other)),
    };
    match id.filter(|id| !id.trim().is_empty()) {
        Some(id) if id.len() > ID_MAX || id.contains('\0') => Err(refused(item)),
        id => Ok(id),
    }
}

fn refused(value: &Value) -> ScimError {
    let detail = format!(
        "a value of `members` is {}; an object with the id of a user or group as `value` is accepted, or the id alone",
        shape(value)
    );
    ScimError::value("members", detail)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_come_as_objects_bare_ids_and_addresses_g04_g05_g19() {
        for (value, expected) in [
            (json!([{ "$ref": null, "value": "a" }, { "value": "b", "display": "B", "type": "User" }]), vec!["a", "b"]),
            (json!("a"), vec!["a"]),
            (json!(["a", "b", "a"]), vec!["a", "b"]),
            (json!({ "Value": "a" }), vec!["a"]),
            (json!([{ "$ref": "https://host/usergroup/scim/v2/Users/a" }, { "$ref": "../Groups/g/" }]), vec!["a", "g"]),
            (json!([{ "value": "", "$ref": "Users/a" }]), vec!["a"]),
            (json!(null), vec![]),
            (json!([]), vec![]),
            (json!([{}, { "value": " " }, null, { "$ref": null }]), vec![]),
        ] {
            assert_eq!(read_members(&value).unwrap(), expected, "{value}");
        }
    }

    #[test]
    fn a_member_of_another_shape_is_refused_without_its_value() {
        for value in
            [json!([7]), json!(true), json!([{ "value": ["secret"] }]), json!(["x".repeat(257)]), json!("a\0b")]
        {
            let refusal = read_members(&value).unwrap_err();
            assert_eq!((refusal.status, refusal.attribute.as_deref()), (400, Some("members")), "{value}");
            assert!(!refusal.detail.contains("secret"));
        }
    }

    #[test]
    fn a_group_takes_half_a_million_members_and_not_one_more() {
        let members = |count: usize| Value::Array((0..count).map(|n| n.to_string().into()).collect());
        assert_eq!(read_members(&members(MEMBERS_MAX)).map(|ids| ids.len()), Ok(MEMBERS_MAX));
        assert!(read_members(&members(MEMBERS_MAX + 1)).unwrap_err().detail.contains("500001"));
    }
}
