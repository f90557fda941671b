//! A resource of a dump as a user or group that can be written.

use serde_json::Value;

use crate::base::{Dice, Moment};
use crate::identity::group::MemberDelta;
use crate::identity::{Directory, GroupId, StoredGroup, StoredUser, UserId};
use crate::scim::group::MemberStep;
use crate::scim::notes::Notes;
use crate::scim::reading::Reading;
use crate::scim::schema::Schema;
use crate::scim::{ScimError, group, urn, user};

/// The longest id that is kept.
const ID_CHARS_MAX: usize = 128;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    User,
    Group,
}

/// What a resource is, and the id that it shall have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arriving {
    pub kind: Kind,
    pub id: String,
}

/// Why a resource can't be taken; no value stands in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused(pub String);

impl From<ScimError> for Refused {
    fn from(error: ScimError) -> Self {
        Self(error.detail)
    }
}

/// Its id is kept if it can stand in an address and in a token.
#[must_use]
pub fn arriving(resource: &Value, dice: &dyn Dice) -> Arriving {
    let told = resource.pointer("/meta/resourceType").and_then(Value::as_str);
    let is_group = match told {
        Some(kind) => kind.eq_ignore_ascii_case("Group"),
        None => {
            let schemas = resource.get("schemas").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            let named = schemas.iter().filter_map(Value::as_str).any(|schema| schema.eq_ignore_ascii_case(urn::GROUP));
            named || (resource.get("userName").is_none() && resource.get("members").is_some())
        }
    };
    let sound = |id: &&str| {
        let clean = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~');
        !id.is_empty() && id.len() <= ID_CHARS_MAX && id.bytes().all(clean) && !matches!(*id, "." | "..")
    };
    let id = resource.get("id").and_then(Value::as_str).filter(sound);
    Arriving {
        kind: if is_group { Kind::Group } else { Kind::User },
        id: id.map_or_else(|| dice.hex_id(), str::to_owned),
    }
}

/// # Errors
/// [`Refused`] with the attribute and the mend.
pub fn user_of(
    directory: &Directory,
    schema: &Schema,
    (arriving, resource): (&Arriving, &Value),
    now: Moment,
) -> Result<(StoredUser, Notes), Refused> {
    let (draft, notes) = user::create(&Reading::new(directory, schema), resource)?;
    let id = UserId(arriving.id.clone());
    Ok((StoredUser::fresh(id, &directory.id, (draft.attributes, draft.active), now), notes))
}

/// The group with the ids of its members.
///
/// # Errors
/// [`Refused`] with the attribute and the mend.
pub fn group_of(
    directory: &Directory,
    schema: &Schema,
    (arriving, resource): (&Arriving, &Value),
    now: Moment,
) -> Result<(StoredGroup, Vec<String>, Notes), Refused> {
    let (plan, notes) = group::create(&Reading::new(directory, schema), resource)?;
    let group = StoredGroup::fresh(GroupId(arriving.id.clone()), &directory.id, plan.attributes, now);
    let mut members = Vec::new();
    for step in plan.members {
        if let MemberStep::Delta(MemberDelta::Add(ids) | MemberDelta::Replace(ids)) = step {
            members.extend(ids);
        }
    }
    Ok((group, members, notes))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::app::system::SystemDice;

    #[test]
    fn a_resource_is_told_by_its_type_its_schema_or_what_it_has() {
        let kind = |resource: Value| arriving(&resource, &SystemDice::default()).kind;
        assert_eq!(kind(json!({"meta": {"resourceType": "Group"}, "userName": "x"})), Kind::Group);
        assert_eq!(kind(json!({"schemas": [urn::GROUP], "displayName": "x"})), Kind::Group);
        assert_eq!(kind(json!({"displayName": "x", "members": []})), Kind::Group);
        assert_eq!(kind(json!({"userName": "x", "groups": []})), Kind::User);
        assert_eq!(kind(json!({"meta": {"resourceType": "User"}, "members": []})), Kind::User);
    }

    #[test]
    fn an_id_is_kept_if_it_can_stand_in_an_address() {
        let id = |id: &str| arriving(&json!({ "id": id }), &SystemDice::default()).id;
        let long = "a".repeat(128);
        for kept in ["a", "0b1c-D_e.f~", long.as_str()] {
            assert_eq!(id(kept), kept);
        }
        let longer = "a".repeat(129);
        for other in ["", ".", "..", "a/b", "a b", "ü", longer.as_str()] {
            let fresh = id(other);
            assert!(fresh.len() == 32 && fresh != other, "{fresh}");
        }
    }
}
