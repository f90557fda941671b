//! What a login of a `type = "jit"` directory does to the user it matches. Pure.

use serde_json::{Map, Value, json};

use super::{JitUser, Provisioned};
use crate::base::text::fold;
use crate::base::{Digest, Moment};
use crate::identity::User;
use crate::identity::user::remember_names;

/// What no login may set, whatever it calls an attribute: SCIM's read-only and structural names
/// (RFC 7643 §3.1, §4.1.2) and the switch that is ours.
const NOT_BY_LOGIN: [&str; 6] = ["id", "active", "groups", "meta", "schemas", "password"];

/// What would become of `jit`, given the users that match it now. Nothing is written yet: `Created`
/// and `Updated` hold the user as it should be.
pub(super) fn plan(matches: &[User], jit: &JitUser, now: Moment) -> Provisioned {
    if jit.match_value.is_empty() {
        return Provisioned::Conflict("empty");
    }
    match matches {
        [] => Provisioned::Created(created(jit, now)),
        [user] if !user.active => Provisioned::Unchanged(user.clone()),
        [user] => {
            let mut next = updated(user, jit);
            if next == *user {
                return Provisioned::Unchanged(next);
            }
            next.updated_at = now;
            Provisioned::Updated(next)
        }
        _ => Provisioned::Conflict("ambiguous"),
    }
}

fn created(jit: &JitUser, now: Moment) -> User {
    let blank = User {
        id: jit.fresh_id.clone(),
        directory: jit.directory.clone(),
        active: true,
        // Nothing older can bear the id; and what began a moment before the one that made the user may go on.
        sessions_valid_from: Moment::from_ms(0),
        attributes: std::collections::BTreeMap::new(),
        email_verified: false,
        former_names: Vec::new(),
        updated_at: now,
    };
    updated(&blank, jit)
}

fn updated(user: &User, jit: &JitUser) -> User {
    let mut next = user.clone();
    for (name, value) in &jit.attributes {
        if !is_blank(value) && !NOT_BY_LOGIN.contains(&name.as_str()) {
            next.attributes.insert(name.clone(), value.clone());
        }
    }
    keep_matching(&mut next, jit);
    if next.email().is_none() {
        next.email_verified = false;
    } else if jit.attributes.get("emails").is_some_and(|emails| !is_blank(emails)) {
        next.email_verified = jit.email_verified;
    }
    remember_names(user, &mut next);
    next
}

/// Whether a value says nothing: then it counts as not given.
fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.iter().all(|item| is_blank(item.get("value").unwrap_or(item))),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// What a login changed, for the audit: all values by digest, since nobody says here which are sensitive.
pub(super) fn changes(before: Option<&User>, after: &User) -> String {
    let digest = |value: &Value| json!({ "digest": Digest::of(value.to_string()).base64url() });
    let mut changed = Map::new();
    for (name, value) in &after.attributes {
        let was = before.and_then(|user| user.attributes.get(name));
        if was != Some(value) {
            changed.insert(name.clone(), json!({ "before": was.map(digest), "after": digest(value) }));
        }
    }
    Value::Object(changed).to_string()
}

/// The attribute by which a login matches always is what it matched by: else the next login of the
/// same person would make a second user.
fn keep_matching(next: &mut User, jit: &JitUser) {
    let name = jit.match_attribute.as_str();
    let found_by = next.attributes.get(name).is_some_and(|value| value.is_string() || name == "emails");
    let holds = next.text(name).is_some_and(|text| match name {
        "userName" | "emails" => fold(text) == fold(&jit.match_value),
        _ => text == jit.match_value,
    });
    if !(found_by && holds) {
        let value = match name {
            "emails" => json!([{ "value": jit.match_value, "primary": true }]),
            _ => Value::String(jit.match_value.clone()),
        };
        next.attributes.insert(name.to_owned(), value);
    }
}
