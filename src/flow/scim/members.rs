//! Members of groups as an errand needs them: read in pages, resolved from filters.

use serde_json::json;

use super::desk::Desk;
use super::refusal::Refusal;
use crate::base::limits::GROUP_MEMBERS_MAX;
use crate::identity::dialect::UnknownMembers;
use crate::identity::group::{Member, MemberDelta, MemberKind};
use crate::identity::{GroupId, StoredGroup, UserId};
use crate::scim::ScimError;
use crate::scim::filter::Filter;
use crate::scim::group::MemberStep;

/// Members that are read at a time.
const PAGE: u32 = 1_000;

impl Desk<'_> {
    /// All members.
    pub(super) async fn members(&self, id: &GroupId) -> Result<Vec<Member>, Refusal> {
        let mut all: Vec<Member> = Vec::new();
        loop {
            let after = all.last().map(|member| member.id.as_str());
            let page = self.ports.directory.groups.members(self.pass.scope(), id, after, PAGE).await?;
            let more = page.len() == PAGE as usize;
            all.extend(page);
            if !more {
                return Ok(all);
            }
        }
    }

    /// The steps of a plan as the store takes them.
    pub(super) async fn deltas(&self, id: &GroupId, steps: Vec<MemberStep>) -> Result<Vec<MemberDelta>, Refusal> {
        let mut deltas = Vec::with_capacity(steps.len());
        for step in steps {
            match step {
                MemberStep::Delta(delta) => deltas.push(delta),
                MemberStep::RemoveMatching(filter) => {
                    let ids = self.matching(id, &filter).await?;
                    if !ids.is_empty() {
                        deltas.push(MemberDelta::Remove(ids));
                    }
                }
            }
        }
        self.known(&deltas).await?;
        Ok(deltas)
    }

    async fn matching(&self, id: &GroupId, filter: &Filter) -> Result<Vec<String>, Refusal> {
        let (mut ids, mut after) = (Vec::new(), None::<String>);
        loop {
            let groups = &self.ports.directory.groups;
            let page = groups.members(self.pass.scope(), id, after.as_deref(), PAGE).await?;
            let more = page.len() == PAGE as usize;
            after = page.last().map(|member| member.id.clone());
            let is_meant = |member: &Member| filter.matches_value(&self.as_value(member));
            ids.extend(page.into_iter().filter(is_meant).map(|member| member.id));
            if !more {
                return Ok(ids);
            }
        }
    }

    /// A member as a filter in a path sees it.
    fn as_value(&self, member: &Member) -> serde_json::Value {
        let (kind, place) = match member.kind {
            MemberKind::User => ("User", "Users"),
            MemberKind::Group => ("Group", "Groups"),
        };
        json!({
            "value": member.id,
            "type": kind,
            "display": member.display,
            "$ref": format!("{}/{place}/{}", self.pass.base(), member.id),
        })
    }

    /// A directory may refuse members whom nobody knows.
    async fn known(&self, deltas: &[MemberDelta]) -> Result<(), Refusal> {
        if self.pass.directory().dialect.unknown_members == UnknownMembers::Park {
            return Ok(());
        }
        for delta in deltas {
            let (MemberDelta::Add(ids) | MemberDelta::Replace(ids)) = delta else { continue };
            for id in ids {
                let scope = self.pass.scope();
                let directory = &self.ports.directory;
                let there = directory.roster.user(scope, &UserId(id.clone())).await?.is_some()
                    || directory.groups.group(scope, &GroupId(id.clone())).await?.is_some();
                if !there {
                    let told = "members names an id that no user and no group has; the id of one would be accepted";
                    return Err(ScimError::value("members", told).into());
                }
            }
        }
        Ok(())
    }
}

/// Whether a group would have more members than it may.
pub(super) fn check_size(group: Option<&StoredGroup>, deltas: &[MemberDelta]) -> Result<(), ScimError> {
    let mut most = group.map_or(0, |group| group.members.saturating_add(group.parked));
    for delta in deltas {
        most = match delta {
            MemberDelta::Add(ids) => most.saturating_add(ids.len() as u64),
            MemberDelta::Replace(ids) => ids.len() as u64,
            MemberDelta::Remove(_) => most,
            MemberDelta::Clear => 0,
        };
    }
    if most <= GROUP_MEMBERS_MAX {
        return Ok(());
    }
    Err(ScimError::value(
        "members",
        format!("members has more than {GROUP_MEMBERS_MAX} values, the most that a group has"),
    ))
}

/// The members of a group that is new.
pub(super) fn of_a_new_group(deltas: Vec<MemberDelta>) -> Vec<String> {
    let mut members: Vec<String> = Vec::new();
    for delta in deltas {
        match delta {
            MemberDelta::Add(ids) if members.is_empty() => members = ids,
            MemberDelta::Add(ids) => members.extend(ids),
            MemberDelta::Replace(ids) => members = ids,
            MemberDelta::Remove(ids) => members.retain(|member| !ids.contains(member)),
            MemberDelta::Clear => members.clear(),
        }
    }
    members
}
