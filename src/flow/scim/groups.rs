//! One group: made, shown, changed, deleted. Its members are read for an answer that shows them, and for nothing else.

use serde_json::Value;

use super::desk::{Answer, Desk};
use super::members::of_a_new_group;
use super::refusal::Refusal;
use super::users::{Change, RESOURCE_BYTES};
use crate::base::limits::{GROUP_ANSWER_MEMBERS_MAX, SCIM_TRIES_MAX};
use crate::directory::roster::{GroupChange, GroupChanged, GroupRules, Written};
use crate::identity::dialect::PatchAnswer;
use crate::identity::group::{Member, MemberDelta};
use crate::identity::user::Attributes;
use crate::identity::{GroupId, StoredGroup};
use crate::scim::changes::{Side, Writing};
use crate::scim::list::Selection;
use crate::scim::schema::ResourceType;
use crate::scim::{group, render};

/// A replace that takes more members away than this, and more than half of them, deserves a look.
const SHRINK_UNSEEN: u64 = 20;
const SHRUNK: &str = "a group lost more than half of its members to a replace";

/// Which members an answer shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    /// If they are wanted.
    All,
    /// If they are wanted by name, or are few.
    Few,
    None,
}

impl Desk<'_> {
    /// POST `/Groups`.
    ///
    /// # Errors
    /// [`Refusal`]; 409 `uniqueness` names the attribute and who has it.
    pub async fn create_group(&self, body: &Value) -> Result<Answer, Refusal> {
        let (plan, notes) = group::create(&self.reading(ResourceType::Group), body)?;
        self.note(&notes);
        let id = GroupId(self.ports.dice.hex_id());
        let fresh = StoredGroup::fresh(id, self.pass.scope(), plan.attributes, self.request.now);
        let deltas = self.deltas(&fresh.id, plan.members).await?;
        let changes = self.group_changes(None, Some(&fresh.attributes), &deltas);
        let (members, act) = (of_a_new_group(deltas), self.act("create", changes));
        match self.ports.directory.groups.create(fresh, members, self.rules(), act).await? {
            Written::Done(GroupChanged { group, .. }) => {
                self.wrote("created");
                let location = format!("{}/Groups/{}", self.pass.base(), group.id);
                Ok(Answer { location: Some(location), ..self.shown_group(201, &group, Shown::Few).await? })
            }
            refused => Err(Refusal::unwritten(refused)),
        }
    }

    /// GET `/Groups/{id}`.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn group(&self, id: &str) -> Result<Answer, Refusal> {
        let group = self.stored_group(id).await?;
        if self.knows(group.version) {
            return Ok(Answer { version: Some(group.version), ..Answer::empty(304) });
        }
        self.shown_group(200, &group, Shown::All).await
    }

    /// PUT and PATCH `/Groups/{id}`.
    ///
    /// # Errors
    /// [`Refusal`]; 412 if it is of another version than `If-Match` names.
    pub async fn change_group(&self, id: &str, change: Change<'_>) -> Result<Answer, Refusal> {
        let mut noted = false;
        for _ in 0..SCIM_TRIES_MAX {
            let current = self.stored_group(id).await?;
            self.matches(current.version)?;
            let reading = self.reading(ResourceType::Group);
            let (plan, notes) = match change {
                Change::Replace(body) => group::replace(&reading, &current.attributes, body)?,
                Change::Patch(body) => group::patch(&reading, &current.attributes, body)?,
            };
            if !std::mem::replace(&mut noted, true) {
                self.note(&notes);
            }
            let deltas = self.deltas(&current.id, plan.members).await?;
            if let Some(group) = self.write_group(&current, plan.attributes, deltas).await? {
                return self.changed_group(change, &group).await;
            }
        }
        Err(Refusal::contended())
    }

    /// `None`: somebody else was faster.
    async fn write_group(
        &self,
        current: &StoredGroup,
        attributes: Attributes,
        members: Vec<MemberDelta>,
    ) -> Result<Option<StoredGroup>, Refusal> {
        let renamed = attributes != current.attributes;
        if !renamed && members.is_empty() {
            self.wrote("unchanged");
            return Ok(Some(current.clone()));
        }
        let before = renamed.then_some(&current.attributes);
        let changes = self.group_changes(before, renamed.then_some(&attributes), &members);
        let replaces = members.iter().any(|delta| matches!(delta, MemberDelta::Replace(_) | MemberDelta::Clear));
        let change = GroupChange {
            version: self.terms.if_match.is_there().then_some(current.version),
            head: renamed.then_some((current.head, attributes)),
            rules: self.rules(),
            members,
        };
        let act = self.act(if renamed { "update" } else { "members" }, changes);
        let groups = &self.ports.directory.groups;
        match groups.change(self.pass.scope(), &current.id, change, act).await? {
            Written::Done(Some(changed)) => {
                if replaces {
                    self.look_at_shrinking(current, &changed);
                }
                self.wrote(if changed.group.version == current.version { "unchanged" } else { "changed" });
                Ok(Some(changed.group))
            }
            Written::Done(None) => Err(Refusal::not_found()),
            Written::Stale => Ok(None),
            refused => Err(Refusal::unwritten(refused)),
        }
    }

    /// It is done as it was asked for; somebody should know.
    fn look_at_shrinking(&self, before: &StoredGroup, changed: &GroupChanged) {
        if changed.removed > SHRINK_UNSEEN && changed.removed.saturating_mul(2) > before.members {
            self.ports.sightings.count(self.pass.scope(), "remark", SHRUNK, self.request.now);
            tracing::warn!(
                directory = self.pass.scope(),
                group = %before.id,
                removed = changed.removed,
                of = before.members,
                "{SHRUNK}"
            );
        }
    }

    async fn changed_group(&self, change: Change<'_>, group: &StoredGroup) -> Result<Answer, Refusal> {
        let shown = match (change, self.pass.directory().dialect.patch_groups) {
            _ if self.terms.selection != Selection::Default => Shown::All,
            (Change::Replace(_), _) => Shown::Few,
            (Change::Patch(_), _) if group.members > GROUP_ANSWER_MEMBERS_MAX => Shown::None,
            (Change::Patch(_), PatchAnswer::NoContent) => Shown::None,
            (Change::Patch(_), PatchAnswer::Whole) => Shown::All,
            (Change::Patch(_), PatchAnswer::WithoutMembers) => return Ok(self.rendered_group(200, group, None)),
        };
        if shown == Shown::None {
            return Ok(Answer { version: Some(group.version), ..Answer::empty(204) });
        }
        self.shown_group(200, group, shown).await
    }

    /// DELETE `/Groups/{id}`.
    ///
    /// # Errors
    /// [`Refusal`]; 404 if it is not there (any more).
    pub async fn delete_group(&self, id: &str) -> Result<Answer, Refusal> {
        for _ in 0..SCIM_TRIES_MAX {
            let current = self.stored_group(id).await?;
            self.matches(current.version)?;
            let act = self.act("delete", self.group_changes(Some(&current.attributes), None, &[]));
            let version = self.terms.if_match.is_there().then_some(current.version);
            match self.ports.directory.groups.delete(self.pass.scope(), &current.id, version, act).await? {
                Written::Done(true) => {
                    self.wrote("deleted");
                    return Ok(Answer::empty(204));
                }
                Written::Done(false) => return Err(Refusal::not_found()),
                Written::Stale => {}
                refused => return Err(Refusal::unwritten(refused)),
            }
        }
        Err(Refusal::contended())
    }

    fn rules(&self) -> GroupRules {
        let dialect = &self.pass.directory().dialect;
        GroupRules { same_name: dialect.same_group_name, unknown: dialect.unknown_members }
    }

    fn group_changes(
        &self,
        before: Option<&Attributes>,
        after: Option<&Attributes>,
        members: &[MemberDelta],
    ) -> String {
        let writing = Writing { schema: self.schema(ResourceType::Group), key: &self.ports.audit_key };
        let side = |attributes| Side { attributes, active: None };
        writing.between(side(before), side(after), members)
    }

    async fn stored_group(&self, id: &str) -> Result<StoredGroup, Refusal> {
        let id = GroupId(id.to_owned());
        self.ports.directory.groups.group(self.pass.scope(), &id).await?.ok_or_else(Refusal::not_found)
    }

    async fn shown_group(&self, status: u16, group: &StoredGroup, shown: Shown) -> Result<Answer, Refusal> {
        if (shown == Shown::All || self.terms.selection != Selection::Default)
            && let Some(answer) = self.in_pieces(status, group)
        {
            return Ok(answer);
        }
        let many = group.members > GROUP_ANSWER_MEMBERS_MAX && self.terms.selection == Selection::Default;
        if shown == Shown::Few && many {
            return Ok(self.rendered_group(status, group, None));
        }
        let members = self.members_of(group, &self.terms.selection).await?;
        Ok(self.rendered_group(status, group, members.as_deref()))
    }

    fn rendered_group(&self, status: u16, group: &StoredGroup, members: Option<&[Member]>) -> Answer {
        let rendering = self.rendering(ResourceType::Group, &self.terms.selection);
        let mut body = Vec::with_capacity(RESOURCE_BYTES);
        render::write_group(&rendering, group, members, &mut body);
        Answer { version: Some(group.version), ..Answer::json(status, body) }
    }

    /// The members of a group; they are read only if they are wanted.
    pub(super) async fn members_of(
        &self,
        group: &StoredGroup,
        selection: &Selection,
    ) -> Result<Option<Vec<Member>>, Refusal> {
        if !selection.wants("members") {
            return Ok(None);
        }
        if group.members == 0 {
            return Ok(Some(Vec::new()));
        }
        self.members(&group.id).await.map(Some)
    }
}
