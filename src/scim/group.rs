//! POST, PUT and PATCH of a group: its attributes as they should be afterwards, and what changes of its members.

use serde_json::Value;

use super::body::{Said, read_body};
use super::error::ScimError;
use super::member::read_members;
use super::notes::Notes;
use super::patch::{GROUP_OPERATIONS_MAX, carry_out};
use super::reading::{Draft, Reading};
use super::value::{Asserted, blank};
use crate::identity::dialect::Omission;
use crate::identity::group::MemberDelta;
use crate::identity::user::Attributes;

pub use super::patch::MemberStep;

/// What becomes of a group.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroupPlan {
    pub attributes: Attributes,
    /// In the order of the request.
    pub members: Vec<MemberStep>,
}

/// A POST.
///
/// # Errors
/// 400 with the attribute and the mend.
pub fn create(reading: &Reading<'_>, body: &Value) -> Result<(GroupPlan, Notes), ScimError> {
    let mut notes = Notes::default();
    let said = read_body(reading, body, &mut notes)?;
    let ids = match said.members {
        Some(value) if !clears(reading, value) => read_members(value)?,
        _ => Vec::new(),
    };
    let mut plan = GroupPlan::default();
    if !ids.is_empty() {
        notes.received("members");
        plan.members.push(MemberStep::Delta(MemberDelta::Add(ids)));
    }
    apply(said, &mut plan.attributes, &mut notes);
    named(&plan.attributes)?;
    Ok((plan, notes))
}

/// A PUT over the attributes that are there; `displayName` must come. Without `members` the members stay.
///
/// # Errors
/// 400 with the attribute and the mend.
pub fn replace(reading: &Reading<'_>, current: &Attributes, body: &Value) -> Result<(GroupPlan, Notes), ScimError> {
    let mut notes = Notes::default();
    let said = read_body(reading, body, &mut notes)?;
    let mut plan = GroupPlan { attributes: current.clone(), members: Vec::new() };
    if let Some(value) = said.members {
        let clears = clears(reading, value);
        let ids = if clears { Vec::new() } else { read_members(value)? };
        if !ids.is_empty() {
            notes.received("members");
            plan.members.push(MemberStep::Delta(MemberDelta::Replace(ids)));
        } else if clears || blank(reading) == Asserted::Clear {
            notes.cleared("members");
            plan.members.push(MemberStep::Delta(MemberDelta::Clear));
        }
    }
    let keeps =
        |key: &str| key == "externalId" || (key != "displayName" && reading.dialect.put_omission == Omission::Keep);
    for attribute in reading.schema.attributes.iter().filter(|attribute| !keeps(&attribute.key)) {
        if !said.speaks_of(attribute) && plan.attributes.remove(&*attribute.key).is_some() {
            notes.cleared(&attribute.key);
        }
    }
    apply(said, &mut plan.attributes, &mut notes);
    named(&plan.attributes)?;
    Ok((plan, notes))
}

/// The directory's own word for: no members.
fn clears(reading: &Reading<'_>, value: &Value) -> bool {
    value.as_str() == Some(reading.sentinel)
}

/// Clears first, then values: a value under one name is not undone by a null under another.
fn apply(said: Said<'_, '_>, attributes: &mut Attributes, notes: &mut Notes) {
    for (attribute, _) in said.attributes.iter().filter(|(_, asserted)| *asserted == Asserted::Clear) {
        attributes.remove(&*attribute.key);
        notes.cleared(&attribute.key);
    }
    for (attribute, asserted) in said.attributes {
        if let Asserted::Set(value) = asserted {
            notes.received(&attribute.key);
            attributes.insert(attribute.key.to_string(), value);
        }
    }
}

/// Whether a group may stand with these attributes: never without a name.
///
/// # Errors
/// 400 `invalidValue` with the attribute.
pub fn named(attributes: &Attributes) -> Result<(), ScimError> {
    if attributes.contains_key("displayName") {
        return Ok(());
    }
    Err(ScimError::value("displayName", "`displayName` is missing or blank; every group needs one"))
}

/// A PATCH: all operations in order, or none. The members are never read.
///
/// # Errors
/// 400 with the operation, the attribute and the mend.
pub fn patch(reading: &Reading<'_>, current: &Attributes, body: &Value) -> Result<(GroupPlan, Notes), ScimError> {
    let current = Draft { attributes: current.clone(), active: true };
    let patched = carry_out(reading, &current, body, GROUP_OPERATIONS_MAX)?;
    named(&patched.draft.attributes)?;
    Ok((GroupPlan { attributes: patched.draft.attributes, members: patched.members }, patched.notes))
}

#[cfg(test)]
mod tests;
