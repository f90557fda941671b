use serde_json::{Value, json};

use super::error::ScimError;
use super::notes::Notes;
use super::patch::MemberStep;
use super::user::{Draft, Reading};
use crate::identity::Directory;
use crate::identity::user::Attributes;
use crate::scim::filter::tests::directory;
use crate::scim::group::GroupPlan;
use crate::scim::{Schemas, group, user};

mod users;
mod groups;
mod refusals;
mod random;

/// `name` and URN objects stand as single keys, as a stored user has them; `active` stands apart.
fn draft(attributes: Value) -> Draft {
    let Value::Object(fields) = attributes else { panic!("an object") };
    let mut attributes: Attributes = fields.into_iter().collect();
    let active = attributes.remove("active").is_none_or(|active| active == json!(true));
    Draft { attributes, active }
}

/// As the executable cases begin: Ada, with what is said of her beside.
fn ada(beside: Value) -> Draft {
    let mut ada = draft(json!({
        "userName": "u@example.com",
        "externalId": "ext-u",
        "name.givenName": "Ada",
        "name.familyName": "Lovelace",
        "displayName": "Ada Lovelace",
        "emails": [{ "type": "work", "primary": true, "value": "u@example.com" }],
    }));
    let beside = draft(beside);
    ada.attributes.extend(beside.attributes);
    Draft { active: beside.active, ..ada }
}

fn patch_op(operations: Value) -> Value {
    json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations })
}

fn patch_user_in(directory: &Directory, current: &Draft, body: &Value) -> Result<(Draft, Notes), ScimError> {
    let schemas = Schemas::of(directory);
    user::patch(&Reading::new(directory, &schemas.user), current, body)
}

/// The draft afterwards.
#[track_caller]
fn patched(current: &Draft, operations: Value) -> Draft {
    patch_user_in(&directory(), current, &patch_op(operations.clone()))
        .unwrap_or_else(|fault| panic!("{operations}: {fault}"))
        .0
}

#[track_caller]
fn refused(current: &Draft, operations: Value) -> ScimError {
    patch_user_in(&directory(), current, &patch_op(operations.clone())).expect_err(&operations.to_string())
}

fn patch_group_in(directory: &Directory, operations: Value) -> Result<(GroupPlan, Notes), ScimError> {
    let schemas = Schemas::of(directory);
    let current = draft(json!({ "displayName": "Grp g", "externalId": "gext-g" })).attributes;
    group::patch(&Reading::new(directory, &schemas.group), &current, &patch_op(operations))
}

#[track_caller]
fn group_after(operations: Value) -> GroupPlan {
    patch_group_in(&directory(), operations.clone()).unwrap_or_else(|fault| panic!("{operations}: {fault}")).0
}
