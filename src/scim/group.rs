//! POST, PUT and PATCH of a group: its attributes as they should be afterwards, and what changes of its members.

use serde_json::Value;

use super::error::ScimError;
use super::filter::Filter;
use super::notes::Notes;
use super::user::Reading;
use crate::identity::group::MemberDelta;
use crate::identity::user::Attributes;

/// What becomes of a group.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroupPlan {
    pub attributes: Attributes,
    /// In the order of the request.
    pub members: Vec<MemberStep>,
}

/// One step of a change of members.
#[derive(Clone, Debug, PartialEq)]
pub enum MemberStep {
    Delta(MemberDelta),
    /// Those that match a filter on members that is more than a list of ids.
    RemoveMatching(Filter),
}

/// A POST.
///
/// # Errors
/// 400 with the attribute and the mend.
pub fn create(reading: &Reading<'_>, body: &Value) -> Result<(GroupPlan, Notes), ScimError> {
    let _ = (reading, body);
    Err(ScimError::status(501, "not built yet"))
}

/// A PUT over the attributes that are there. Without `members` the members stay.
///
/// # Errors
/// 400 with the attribute and the mend.
pub fn replace(reading: &Reading<'_>, current: &Attributes, body: &Value) -> Result<(GroupPlan, Notes), ScimError> {
    let _ = (reading, current, body);
    Err(ScimError::status(501, "not built yet"))
}

/// A PATCH: all operations in order, or none. The members are never read.
///
/// # Errors
/// 400 with the operation, the attribute and the mend.
pub fn patch(reading: &Reading<'_>, current: &Attributes, body: &Value) -> Result<(GroupPlan, Notes), ScimError> {
    let _ = (reading, current, body);
    Err(ScimError::status(501, "not built yet"))
}
