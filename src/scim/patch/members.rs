//! What a PATCH does to the members of a group: deltas in their order, of members that are never read.

use serde_json::Value;

use super::operation::Op;
use crate::identity::dialect::{Blank, LoneMember};
use crate::identity::group::MemberDelta;
use crate::scim::error::{ScimError, ScimType};
use crate::scim::filter::{Filter, Literal, Operand, Operator};
use crate::scim::member::read_members;
use crate::scim::notes::Notes;
use crate::scim::reading::Reading;

/// Filters of one PATCH that have to be asked of each member.
pub const FILTERS_MAX: usize = 16;

/// One step of a change of members.
#[derive(Clone, Debug, PartialEq)]
pub enum MemberStep {
    Delta(MemberDelta),
    /// Those that match a filter on members that is more than a list of ids; its operands are parts of `members`. None
    /// stands behind a step that adds.
    RemoveMatching(Filter),
}

/// Members are put in and taken out whole (RFC 7643 §4.2).
pub(super) fn immutable() -> ScimError {
    let detail = "a member can't be changed: remove members[value eq \"…\"] and add another to `members`";
    ScimError::bad(ScimType::Mutability, detail).about("members")
}

/// An operation on `members` without a filter.
pub(super) fn change(
    reading: &Reading<'_>,
    (op, value): (Op, Option<&Value>),
    steps: &mut Vec<MemberStep>,
    notes: &mut Notes,
) -> Result<(), ScimError> {
    let ids = value.map(read_members).transpose()?;
    let delta = match (op, ids) {
        (Op::Add, Some(ids)) => MemberDelta::Add(ids),
        (Op::Replace, Some(ids)) if ids.is_empty() => match reading.dialect.blank {
            Blank::Clear => MemberDelta::Clear,
            Blank::Ignore => return Ok(()),
        },
        (Op::Replace, Some(ids)) if ids.len() == 1 && reading.dialect.lone_member == LoneMember::Add => {
            notes.remark("`replace` of `members` with one value was taken as `add`");
            MemberDelta::Add(ids)
        }
        (Op::Replace, Some(ids)) => MemberDelta::Replace(ids),
        (Op::Add | Op::Replace, None) => {
            return Err(ScimError::value("members", "`value` is missing; an array of members is accepted"));
        }
        // Only null is as good as nothing: an empty list takes nobody out.
        (Op::Remove, None) => MemberDelta::Clear,
        (Op::Remove, Some(_)) if value.is_some_and(Value::is_null) => MemberDelta::Clear,
        (Op::Remove, Some(ids)) => {
            notes.remark("`remove` of `members` named its members in `value`");
            MemberDelta::Remove(ids)
        }
    };
    match &delta {
        MemberDelta::Clear => notes.cleared("members"),
        MemberDelta::Add(_) | MemberDelta::Remove(_) | MemberDelta::Replace(_) => notes.received("members"),
    }
    push(steps, delta);
    Ok(())
}

/// `remove` of `members[…]`. A filter that is more than a list of ids is asked of the members that a group has, so it can
/// stand behind no `add`.
pub(super) fn remove_matching(filter: Filter, steps: &mut Vec<MemberStep>) -> Result<(), ScimError> {
    if let Some(ids) = ids(&filter) {
        push(steps, MemberDelta::Remove(ids.into_iter().map(str::to_owned).collect()));
        return Ok(());
    }
    let adds = |step: &MemberStep| matches!(step, MemberStep::Delta(MemberDelta::Add(_) | MemberDelta::Replace(_)));
    if steps.iter().any(adds) {
        let detail = "members are added by an operation before this one: put it in front, or name ids: value eq \"…\"";
        return Err(ScimError::value("members", detail));
    }
    let filters = steps.iter().filter(|step| matches!(step, MemberStep::RemoveMatching(_)));
    if filters.count() == FILTERS_MAX {
        let detail = format!("at most {FILTERS_MAX} operations may filter members by more than their ids");
        return Err(ScimError::value("members", detail));
    }
    steps.push(MemberStep::RemoveMatching(filter));
    Ok(())
}

/// Thousands of operations with one member each are one step.
fn push(steps: &mut Vec<MemberStep>, delta: MemberDelta) {
    use MemberDelta::{Add, Remove};
    match (steps.last_mut(), delta) {
        (_, Add(ids) | Remove(ids)) if ids.is_empty() => {}
        (Some(MemberStep::Delta(Add(before))), Add(ids)) | (Some(MemberStep::Delta(Remove(before))), Remove(ids)) => {
            before.extend(ids);
        }
        (_, delta) => steps.push(MemberStep::Delta(delta)),
    }
}

/// The ids that a filter names, if it does nothing else; each once.
fn ids(filter: &Filter) -> Option<Vec<&str>> {
    match filter {
        Filter::Compare {
            operand: Operand::Attribute { sub: Some("value"), .. },
            operator: Operator::Eq,
            value: Literal::Text { text, .. },
        } => Some(vec![text]),
        Filter::Never => Some(Vec::new()),
        Filter::Or(all) => {
            let mut union: Vec<&str> = Vec::new();
            for id in all.iter().map(ids).collect::<Option<Vec<_>>>()?.into_iter().flatten() {
                if !union.contains(&id) {
                    union.push(id);
                }
            }
            Some(union)
        }
        Filter::And(all) => {
            let mut each = all.iter().map(ids).collect::<Option<Vec<_>>>()?.into_iter();
            let first = each.next()?;
            Some(each.fold(first, |both, next| both.into_iter().filter(|id| next.contains(id)).collect()))
        }
        _ => None,
    }
}
