//! One user: made, shown, changed, deleted.

use serde_json::Value;

use super::desk::{Answer, Desk};
use super::refusal::Refusal;
use crate::base::limits::SCIM_TRIES_MAX;
use crate::directory::roster::{Deletion, Written};
use crate::identity::dialect::PatchAnswer;
use crate::identity::group::GroupOf;
use crate::identity::user::Attributes;
use crate::identity::{StoredUser, UserId};
use crate::scim::changes::{Side, Writing};
use crate::scim::confirmed::split;
use crate::scim::lifecycle::{Arrival, arriving, settle};
use crate::scim::list::Selection;
use crate::scim::reading::Draft;
use crate::scim::schema::ResourceType;
use crate::scim::{render, user};

/// Few resources are larger, but for groups with members.
pub(super) const RESOURCE_BYTES: usize = 1_024;

/// A change of a user that is there.
#[derive(Clone, Copy)]
pub enum Change<'b> {
    /// PUT
    Replace(&'b Value),
    /// PATCH
    Patch(&'b Value),
}

/// What became of a try to write a new user.
enum Made {
    Fresh(StoredUser),
    /// One who was there and switched off.
    Again(StoredUser),
}

impl Desk<'_> {
    /// POST `/Users`.
    ///
    /// # Errors
    /// [`Refusal`]; 409 `uniqueness` names the attribute and who has it.
    pub async fn create_user(&self, body: &Value) -> Result<Answer, Refusal> {
        let (draft, notes) = user::create(&self.reading(ResourceType::User), body)?;
        self.note(&notes);
        let (made, outcome) = match self.make(draft).await? {
            Made::Fresh(user) => (user, "created"),
            Made::Again(user) => (user, "revived"),
        };
        self.wrote(outcome);
        let location = format!("{}/Users/{}", self.pass.base(), made.user.id);
        Ok(Answer { location: Some(location), ..self.shown_user(201, &made).await? })
    }

    /// The store says who holds a name: asking before would cost every create two reads more.
    async fn make(&self, draft: Draft) -> Result<Made, Refusal> {
        for _ in 0..SCIM_TRIES_MAX {
            let fresh = self.fresh_user(&draft);
            let before = Side::default();
            let after = Side { attributes: Some(&draft.attributes), active: Some(draft.active) };
            let act = self.act("create", self.user_changes(before, after));
            match self.ports.directory.roster.create(fresh, act).await? {
                Written::Done(user) => return Ok(Made::Fresh(user)),
                Written::Stale => {}
                Written::Taken { .. } => {
                    let Some(known) = self.returning(&draft).await? else { continue };
                    if let Some(user) = self.write(&known, draft.clone(), "revive").await? {
                        return Ok(Made::Again(user));
                    }
                }
                refused => return Err(Refusal::unwritten(refused)),
            }
        }
        Err(Refusal::contended())
    }

    /// Who comes back with this draft; `None`: who was in the way is gone.
    async fn returning(&self, draft: &Draft) -> Result<Option<StoredUser>, Refusal> {
        let (by_external_id, by_user_name) =
            (self.holder(draft, "externalId").await?, self.holder(draft, "userName").await?);
        let dialect = &self.pass.directory().dialect;
        match arriving(draft, dialect, by_external_id.as_ref(), by_user_name.as_ref()) {
            Arrival::Create => Ok(None),
            Arrival::Revive(known) => Ok(Some(*known)),
            Arrival::Conflict(conflict) => Err(conflict.into()),
        }
    }

    async fn holder(&self, draft: &Draft, attribute: &str) -> Result<Option<StoredUser>, Refusal> {
        let Some(value) = draft.attributes.get(attribute).and_then(Value::as_str) else { return Ok(None) };
        Ok(self.ports.directory.roster.holder(self.pass.scope(), attribute, value).await?)
    }

    fn fresh_user(&self, draft: &Draft) -> StoredUser {
        let id = UserId(self.ports.dice.hex_id());
        StoredUser::fresh(id, self.pass.scope(), (draft.attributes.clone(), draft.active), self.request.now)
    }

    /// GET `/Users/{id}`.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn user(&self, id: &str) -> Result<Answer, Refusal> {
        let user = self.stored_user(id).await?;
        if self.knows(user.version) {
            return Ok(Answer { version: Some(user.version), ..Answer::empty(304) });
        }
        self.shown_user(200, &user).await
    }

    /// PUT and PATCH `/Users/{id}`.
    ///
    /// # Errors
    /// [`Refusal`]; 412 if it is of another version than `If-Match` names.
    pub async fn change_user(&self, id: &str, change: Change<'_>) -> Result<Answer, Refusal> {
        let mut noted = false;
        for _ in 0..SCIM_TRIES_MAX {
            let current = self.stored_user(id).await?;
            self.matches(current.version)?;
            let seen = Draft { attributes: self.seen(&current), active: current.user.active };
            let reading = self.reading(ResourceType::User);
            let (draft, notes) = match change {
                Change::Replace(body) => user::replace(&reading, &seen, body)?,
                Change::Patch(body) => user::patch(&reading, &seen, body)?,
            };
            if !std::mem::replace(&mut noted, true) {
                self.note(&notes);
            }
            let Some(user) = self.write(&current, draft, "update").await? else { continue };
            self.wrote(if user.version == current.version { "unchanged" } else { "changed" });
            return self.changed_user(change, &user).await;
        }
        Err(Refusal::contended())
    }

    async fn changed_user(&self, change: Change<'_>, user: &StoredUser) -> Result<Answer, Refusal> {
        let silent = matches!(change, Change::Patch(_))
            && self.pass.directory().dialect.patch_users == PatchAnswer::NoContent
            && self.terms.selection == Selection::Default;
        if silent {
            return Ok(Answer { version: Some(user.version), ..Answer::empty(204) });
        }
        self.shown_user(200, user).await
    }

    /// DELETE `/Users/{id}`.
    ///
    /// # Errors
    /// [`Refusal`]; 404 if it is not there (any more).
    pub async fn delete_user(&self, id: &str) -> Result<Answer, Refusal> {
        for _ in 0..SCIM_TRIES_MAX {
            let current = self.stored_user(id).await?;
            self.matches(current.version)?;
            let seen = self.seen(&current);
            let before = Side { attributes: Some(&seen), active: Some(current.user.active) };
            let act = self.act("delete", self.user_changes(before, Side::default()));
            let version = self.terms.if_match.is_there().then_some(current.version);
            let (scope, id) = (self.pass.scope(), &current.user.id);
            match self.ports.directory.roster.delete(scope, id, version, Deletion::BySource, act).await? {
                Written::Done(true) => {
                    self.ports.leavings_wait.notify_one();
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

    /// Writes what a draft makes of a user; one that it leaves as it is costs nothing. `None`: somebody else was faster.
    async fn write(
        &self,
        current: &StoredUser,
        draft: Draft,
        what: &'static str,
    ) -> Result<Option<StoredUser>, Refusal> {
        let parts = split(self.schema(ResourceType::User), current.user.attributes.clone());
        let mut known = current.clone();
        known.user.attributes = parts.seen.clone();
        let mut next = settle(&known, draft, &self.pass.directory().dialect, self.request.now);
        let same = next.user.attributes == known.user.attributes
            && next.user.active == known.user.active
            && next.identity_name == known.identity_name;
        if same {
            return Ok(Some(current.clone()));
        }
        let changes = self.user_changes(
            Side { attributes: Some(&known.user.attributes), active: Some(known.user.active) },
            Side { attributes: Some(&next.user.attributes), active: Some(next.user.active) },
        );
        let goes = known.user.active && !next.user.active;
        next.user.attributes = parts.with(std::mem::take(&mut next.user.attributes));
        match self.ports.directory.roster.replace(next, self.act(what, changes)).await? {
            Written::Done(user) => {
                if goes {
                    self.ports.leavings_wait.notify_one();
                }
                Ok(Some(user))
            }
            Written::Stale => Ok(None),
            refused => Err(Refusal::unwritten(refused)),
        }
    }

    fn user_changes(&self, before: Side<'_>, after: Side<'_>) -> String {
        let writing = Writing { schema: self.schema(ResourceType::User), key: &self.ports.audit_key };
        writing.between(before, after, &[])
    }

    async fn stored_user(&self, id: &str) -> Result<StoredUser, Refusal> {
        let id = UserId(id.to_owned());
        self.ports.directory.roster.user(self.pass.scope(), &id).await?.ok_or_else(Refusal::not_found)
    }

    fn seen(&self, user: &StoredUser) -> Attributes {
        split(self.schema(ResourceType::User), user.user.attributes.clone()).seen
    }

    async fn shown_user(&self, status: u16, user: &StoredUser) -> Result<Answer, Refusal> {
        let selection = &self.terms.selection;
        let groups = self.groups_of(user, selection).await?;
        let mut body = Vec::with_capacity(RESOURCE_BYTES);
        render::write_user(&self.rendering(ResourceType::User, selection), user, groups.as_deref(), &mut body);
        Ok(Answer { version: Some(user.version), ..Answer::json(status, body) })
    }

    /// The groups of a user; they are read only if they are asked for by name.
    pub(super) async fn groups_of(
        &self,
        user: &StoredUser,
        selection: &Selection,
    ) -> Result<Option<Vec<GroupOf>>, Refusal> {
        if !selection.wants("groups") {
            return Ok(None);
        }
        Ok(Some(self.ports.directory.groups.groups_of(self.pass.scope(), &user.user.id.0).await?))
    }
}
