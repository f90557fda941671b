//! Stands between an errand and the database, and keeps in mind what was written.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::directory::DirectoryFault;
use crate::directory::roster::{Act, Deletion, GroupChange, GroupChanged, GroupRules, Groups, Roster, Written};
use crate::identity::group::{GroupOf, Member, MemberDelta};
use crate::identity::{GroupId, StoredGroup, StoredUser, UserId};

/// What was written, as the database answered it.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// `create`, `revive`, `update`, `members`, `delete`.
    pub what: Option<&'static str>,
    pub user: Option<StoredUser>,
    pub group: Option<GroupChanged>,
    /// As they were asked for, in their order.
    pub members: Vec<MemberDelta>,
}

pub struct Witness {
    roster: Arc<dyn Roster>,
    groups: Arc<dyn Groups>,
    seen: Mutex<Seen>,
}

impl Witness {
    #[must_use]
    pub fn new(roster: Arc<dyn Roster>, groups: Arc<dyn Groups>) -> Self {
        Self { roster, groups, seen: Mutex::default() }
    }

    #[must_use]
    pub fn seen(&self) -> Seen {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, seen: Seen) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = seen;
    }

    fn user_written(&self, what: &'static str, written: &Written<StoredUser>) {
        if let Written::Done(user) = written {
            self.keep(Seen { what: Some(what), user: Some(user.clone()), ..Seen::default() });
        }
    }
}

#[async_trait]
impl Roster for Witness {
    async fn user(&self, directory: &str, id: &UserId) -> Result<Option<StoredUser>, DirectoryFault> {
        self.roster.user(directory, id).await
    }

    async fn holder(
        &self,
        directory: &str,
        attribute: &str,
        value: &str,
    ) -> Result<Option<StoredUser>, DirectoryFault> {
        self.roster.holder(directory, attribute, value).await
    }

    async fn create(&self, user: StoredUser, act: Act) -> Result<Written<StoredUser>, DirectoryFault> {
        let what = act.what;
        let written = self.roster.create(user, act).await?;
        self.user_written(what, &written);
        Ok(written)
    }

    async fn create_all(&self, users: Vec<StoredUser>, act: Act) -> Result<Written<Vec<UserId>>, DirectoryFault> {
        self.roster.create_all(users, act).await
    }

    async fn replace(&self, user: StoredUser, act: Act) -> Result<Written<StoredUser>, DirectoryFault> {
        let what = act.what;
        let written = self.roster.replace(user, act).await?;
        self.user_written(what, &written);
        Ok(written)
    }

    async fn delete(
        &self,
        directory: &str,
        id: &UserId,
        version: Option<u64>,
        deletion: Deletion,
        act: Act,
    ) -> Result<Written<bool>, DirectoryFault> {
        let what = act.what;
        let written = self.roster.delete(directory, id, version, deletion, act).await?;
        if written == Written::Done(true) {
            self.keep(Seen { what: Some(what), ..Seen::default() });
        }
        Ok(written)
    }
}

#[async_trait]
impl Groups for Witness {
    async fn group(&self, directory: &str, id: &GroupId) -> Result<Option<StoredGroup>, DirectoryFault> {
        self.groups.group(directory, id).await
    }

    async fn create(
        &self,
        group: StoredGroup,
        members: Vec<String>,
        rules: GroupRules,
        act: Act,
    ) -> Result<Written<GroupChanged>, DirectoryFault> {
        let what = act.what;
        let asked = if members.is_empty() { Vec::new() } else { vec![MemberDelta::Add(members.clone())] };
        let written = self.groups.create(group, members, rules, act).await?;
        if let Written::Done(changed) = &written {
            self.keep(Seen { what: Some(what), group: Some(changed.clone()), members: asked, user: None });
        }
        Ok(written)
    }

    async fn change(
        &self,
        directory: &str,
        id: &GroupId,
        change: GroupChange,
        act: Act,
    ) -> Result<Written<Option<GroupChanged>>, DirectoryFault> {
        let (what, members) = (act.what, change.members.clone());
        let written = self.groups.change(directory, id, change, act).await?;
        if let Written::Done(Some(changed)) = &written {
            self.keep(Seen { what: Some(what), group: Some(changed.clone()), members, user: None });
        }
        Ok(written)
    }

    async fn delete(
        &self,
        directory: &str,
        id: &GroupId,
        version: Option<u64>,
        act: Act,
    ) -> Result<Written<bool>, DirectoryFault> {
        let what = act.what;
        let written = self.groups.delete(directory, id, version, act).await?;
        if written == Written::Done(true) {
            self.keep(Seen { what: Some(what), ..Seen::default() });
        }
        Ok(written)
    }

    async fn members(
        &self,
        directory: &str,
        id: &GroupId,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Member>, DirectoryFault> {
        self.groups.members(directory, id, after, limit).await
    }

    async fn parked(
        &self,
        directory: &str,
        id: &GroupId,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<String>, DirectoryFault> {
        self.groups.parked(directory, id, after, limit).await
    }

    async fn groups_of(&self, directory: &str, member: &str) -> Result<Vec<GroupOf>, DirectoryFault> {
        self.groups.groups_of(directory, member).await
    }

    async fn users_within(
        &self,
        directory: &str,
        id: &GroupId,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<UserId>, DirectoryFault> {
        self.groups.users_within(directory, id, after, limit).await
    }
}
