//! Stands where the provisioned directory's store will stand, until it is there.

use async_trait::async_trait;

use super::DirectoryFault;
use super::roster::*;
use crate::identity::group::{GroupOf, Member};
use crate::identity::{GroupId, StoredGroup, StoredUser, UserId};

pub struct Unbuilt;

fn not_yet<T, E: From<DirectoryFault>>() -> Result<T, E> {
    Err(DirectoryFault::Unavailable("not built yet".to_owned()).into())
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
