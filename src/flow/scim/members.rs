//! Members of groups as an errand needs them: read in pages, resolved from filters.

use serde_json::json;

use super::desk::Desk;
use super::pass::Pass;
use super::refusal::Refusal;
use crate::directory::roster::Groups;
use crate::flow::ports::Unavailable;
use crate::identity::GroupId;
use crate::identity::group::{Member, MemberDelta, MemberKind};
use crate::scim::filter::Filter;
use crate::scim::group::MemberStep;

/// Members that are read at a time. Between two pages others have their turn, and the time that a call may take is looked
/// at: a read of SQLite doesn't wait for anything.
pub(super) const PAGE: u32 = 1_000;

/// The members behind one, by their ids; fewer than [`PAGE`] are the last. What users are called is seen only where
/// `displayName` is confirmed.
pub(super) async fn member_page(
    groups: &dyn Groups,
    pass: &Pass,
    id: &GroupId,
    after: Option<&str>,
) -> Result<Vec<Member>, Unavailable> {
    let mut page = groups.members(pass.scope(), id, after, PAGE).await?;
    if pass.schemas().user.attribute("displayName").is_none() {
        for member in page.iter_mut().filter(|member| member.kind == MemberKind::User) {
            member.display = None;
        }
    }
    Ok(page)
}

impl Desk<'_> {
    /// All members.
    pub(super) async fn members(&self, id: &GroupId) -> Result<Vec<Member>, Refusal> {
        let mut all: Vec<Member> = Vec::new();
        loop {
            let after = all.last().map(|member| member.id.as_str());
            let page = self.member_page(id, after).await?;
            let more = page.len() == PAGE as usize;
            all.extend(page);
            if !more {
                return Ok(all);
            }
            tokio::task::yield_now().await;
        }
    }

    async fn member_page(&self, id: &GroupId, after: Option<&str>) -> Result<Vec<Member>, Refusal> {
        Ok(member_page(&*self.ports.directory.groups, self.pass, id, after).await?)
    }

    /// The steps of a plan as the store takes them.
    pub(super) async fn deltas(&self, id: &GroupId, steps: Vec<MemberStep>) -> Result<Vec<MemberDelta>, Refusal> {
        let mut deltas = Vec::with_capacity(steps.len());
        let mut filters = Vec::new();
        for step in steps {
            match step {
                MemberStep::Delta(delta) => deltas.push(delta),
                MemberStep::RemoveMatching(filter) => filters.push(filter),
            }
        }
        if !filters.is_empty() {
            let ids = self.matching(id, &Filter::Or(filters)).await?;
            if !ids.is_empty() {
                // What they match was there before the request.
                deltas.insert(0, MemberDelta::Remove(ids));
            }
        }
        Ok(deltas)
    }

    async fn matching(&self, id: &GroupId, filter: &Filter) -> Result<Vec<String>, Refusal> {
        let (mut ids, mut after) = (Vec::new(), None::<String>);
        loop {
            let page = self.member_page(id, after.as_deref()).await?;
            let more = page.len() == PAGE as usize;
            after = page.last().map(|member| member.id.clone());
            let is_meant = |member: &Member| filter.matches_value(&self.as_value(member));
            ids.extend(page.into_iter().filter(is_meant).map(|member| member.id));
            if !more {
                return Ok(ids);
            }
            tokio::task::yield_now().await;
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
