//! Stands where the provisioned directory's store will stand, until it is there.

use async_trait::async_trait;

use super::DirectoryFault;
use super::roster::*;
use crate::base::{Digest, Moment};
use crate::identity::group::{GroupOf, Member};
use crate::identity::{GroupId, StoredGroup, StoredUser, UserId};

pub struct Unbuilt;

fn not_yet<T, E: From<DirectoryFault>>() -> Result<T, E> {
    Err(DirectoryFault::Unavailable("not built yet".to_owned()).into())
}

#[async_trait]
impl Roster for Unbuilt {
    async fn user(&self, _directory: &str, _id: &UserId) -> Result<Option<StoredUser>, DirectoryFault> {
        not_yet()
    }
    async fn holder(
        &self,
        _directory: &str,
        _attribute: &str,
        _value: &str,
    ) -> Result<Option<StoredUser>, DirectoryFault> {
        not_yet()
    }
    async fn create(&self, _user: StoredUser, _act: Act) -> Result<Written<StoredUser>, DirectoryFault> {
        not_yet()
    }
    async fn create_all(&self, _users: Vec<StoredUser>, _act: Act) -> Result<Written<u64>, DirectoryFault> {
        not_yet()
    }
    async fn replace(&self, _user: StoredUser, _act: Act) -> Result<Written<StoredUser>, DirectoryFault> {
        not_yet()
    }
    async fn delete(
        &self,
        _directory: &str,
        _id: &UserId,
        _version: Option<u64>,
        _deletion: Deletion,
        _act: Act,
    ) -> Result<Written<bool>, DirectoryFault> {
        not_yet()
    }
}

#[async_trait]
impl Groups for Unbuilt {
    async fn group(&self, _directory: &str, _id: &GroupId) -> Result<Option<StoredGroup>, DirectoryFault> {
        not_yet()
    }
    async fn create(
        &self,
        _group: StoredGroup,
        _members: Vec<String>,
        _rules: GroupRules,
        _act: Act,
    ) -> Result<Written<GroupChanged>, DirectoryFault> {
        not_yet()
    }
    async fn change(
        &self,
        _directory: &str,
        _id: &GroupId,
        _change: GroupChange,
        _act: Act,
    ) -> Result<Written<Option<GroupChanged>>, DirectoryFault> {
        not_yet()
    }
    async fn delete(
        &self,
        _directory: &str,
        _id: &GroupId,
        _version: Option<u64>,
        _act: Act,
    ) -> Result<Written<bool>, DirectoryFault> {
        not_yet()
    }
    async fn members(
        &self,
        _directory: &str,
        _id: &GroupId,
        _after: Option<&str>,
        _limit: u32,
    ) -> Result<Vec<Member>, DirectoryFault> {
        not_yet()
    }
    async fn parked(
        &self,
        _directory: &str,
        _id: &GroupId,
        _after: Option<&str>,
        _limit: u32,
    ) -> Result<Vec<String>, DirectoryFault> {
        not_yet()
    }
    async fn groups_of(&self, _directory: &str, _member: &str) -> Result<Vec<GroupOf>, DirectoryFault> {
        not_yet()
    }
    async fn users_within(
        &self,
        _directory: &str,
        _id: &GroupId,
        _after: Option<&str>,
        _limit: u32,
    ) -> Result<Vec<UserId>, DirectoryFault> {
        not_yet()
    }
}

#[async_trait]
impl Lists for Unbuilt {
    async fn users(&self, _listing: &Listing) -> Result<Page<StoredUser>, ListFault> {
        not_yet()
    }
    async fn groups(&self, _listing: &Listing) -> Result<Page<StoredGroup>, ListFault> {
        not_yet()
    }
}

#[async_trait]
impl Feed for Unbuilt {
    async fn changes(&self, _directory: &str, _after: u64, _limit: u32) -> Result<Vec<Change>, DirectoryFault> {
        not_yet()
    }
    async fn newest(&self, _directory: &str) -> Result<u64, DirectoryFault> {
        not_yet()
    }
    async fn position(&self, _directory: &str, _consumer: &str) -> Result<u64, DirectoryFault> {
        not_yet()
    }
    async fn advance(&self, _directory: &str, _consumer: &str, _from: u64, _to: u64) -> Result<bool, DirectoryFault> {
        not_yet()
    }
    async fn leave(&self, _directory: &str, _consumer: &str) -> Result<(), DirectoryFault> {
        not_yet()
    }
    async fn forget(&self, _directory: &str, _before: Moment) -> Result<u64, DirectoryFault> {
        not_yet()
    }
}

#[async_trait]
impl SyncClients for Unbuilt {
    async fn create(&self, _client: SyncClient, _most: u32) -> Result<bool, DirectoryFault> {
        not_yet()
    }
    async fn by_secret(&self, _secret: &Digest) -> Result<Option<SyncClient>, DirectoryFault> {
        not_yet()
    }
    async fn by_id(&self, _id: &str) -> Result<Option<SyncClient>, DirectoryFault> {
        not_yet()
    }
    async fn all(&self) -> Result<Vec<SyncClient>, DirectoryFault> {
        not_yet()
    }
    async fn revoke(&self, _id: &str) -> Result<bool, DirectoryFault> {
        not_yet()
    }
    async fn used(&self, _id: &str, _at: Moment) -> Result<(), DirectoryFault> {
        not_yet()
    }
}

#[async_trait]
impl Audits for Unbuilt {
    async fn of_object(
        &self,
        _directory: &str,
        _object: &str,
        _limit: u32,
    ) -> Result<Vec<AuditRecord>, DirectoryFault> {
        not_yet()
    }
    async fn of_directory(
        &self,
        _directory: &str,
        _before: Option<u64>,
        _limit: u32,
    ) -> Result<Vec<AuditRecord>, DirectoryFault> {
        not_yet()
    }
}

#[async_trait]
impl Sightings for Unbuilt {
    async fn add(&self, _sightings: Vec<Sighting>) -> Result<(), DirectoryFault> {
        not_yet()
    }
    async fn all(&self, _directory: &str) -> Result<Vec<Sighting>, DirectoryFault> {
        not_yet()
    }
    async fn tally(&self, _directory: &str) -> Result<Tally, DirectoryFault> {
        not_yet()
    }
}

#[async_trait]
impl Upkeep for Unbuilt {
    async fn confirm(
        &self,
        _directory: &str,
        _confirmed: &[String],
        _now: Moment,
    ) -> Result<(Vec<String>, Vec<String>), DirectoryFault> {
        not_yet()
    }
    async fn set_aside(&self) -> Result<Vec<SetAside>, DirectoryFault> {
        not_yet()
    }
    async fn attribute_lists(&self) -> Result<Vec<ListedAttribute>, DirectoryFault> {
        not_yet()
    }
    async fn holders_of(&self, _directory: &str, _attribute: &str) -> Result<u64, DirectoryFault> {
        not_yet()
    }
    async fn announce(
        &self,
        _directory: &str,
        _attribute: &str,
        _after: u64,
        _limit: u32,
        _now: Moment,
    ) -> Result<Option<u64>, DirectoryFault> {
        not_yet()
    }
    async fn erase(&self, _directory: &str, _attribute: &str, _limit: u32) -> Result<u64, DirectoryFault> {
        not_yet()
    }
    async fn inactive_between(
        &self,
        _directory: &str,
        _from: Moment,
        _until: Moment,
        _limit: u32,
    ) -> Result<Vec<StoredUser>, DirectoryFault> {
        not_yet()
    }
    async fn count_inactive(&self, _directory: &str, _before: Moment, _most: u64) -> Result<u64, DirectoryFault> {
        not_yet()
    }
    async fn forget_audit(&self, _directory: &str, _before: Moment, _limit: u32) -> Result<u64, DirectoryFault> {
        not_yet()
    }
    async fn removed_by_policy(&self, _directory: &str, _since: Moment) -> Result<u64, DirectoryFault> {
        not_yet()
    }
    async fn released(&self, _directory: &str) -> Result<u64, DirectoryFault> {
        not_yet()
    }
    async fn release(&self, _directory: &str, _from: u64, _to: u64) -> Result<bool, DirectoryFault> {
        not_yet()
    }
    async fn want_index(&self, _directory: &str, _attribute: &str) -> Result<bool, DirectoryFault> {
        not_yet()
    }
    async fn build_index(&self, _directory: &str, _attribute: &str, _limit: u32) -> Result<bool, DirectoryFault> {
        not_yet()
    }
    async fn clear_scope(&self, _scope: &str, _limit: u32) -> Result<bool, DirectoryFault> {
        not_yet()
    }
}
