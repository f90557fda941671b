//! Groups and their members.

use async_trait::async_trait;

use super::write::{Act, Written};
use crate::directory::DirectoryFault;
use crate::identity::dialect::{SameGroupName, UnknownMembers};
use crate::identity::group::{GroupOf, Member, MemberDelta};
use crate::identity::user::Attributes;
use crate::identity::{GroupId, StoredGroup, UserId};

/// The most members that a group may have.
pub const MEMBERS_MAX: u64 = 500_000;

/// The longest id of a member, in bytes.
pub const MEMBER_ID_BYTES_MAX: usize = 256;

/// What holds where a group is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupRules {
    /// Whether another group may have the same displayName.
    pub same_name: SameGroupName,
    /// What becomes of members whom nobody knows.
    pub unknown: UnknownMembers,
}

/// A change of a group.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupChange {
    /// Only if it is of this version (`If-Match`).
    pub version: Option<u64>,
    /// New attributes, if the `head` is still this one.
    pub head: Option<(u64, Attributes)>,
    pub rules: GroupRules,
    /// What they come to if they are carried out in their order.
    pub members: Vec<MemberDelta>,
}

/// What a change of a group did.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupChanged {
    pub group: StoredGroup,
    /// Members that came and went; one that was added and removed in one change did neither.
    pub added: u64,
    pub removed: u64,
    /// Ids that were parked by it and had not been before.
    pub parked: u64,
}

/// Groups. Members are rows: a change costs what it changes, never what the group is.
#[async_trait]
pub trait Groups: Send + Sync {
    async fn group(&self, directory: &str, id: &GroupId) -> Result<Option<StoredGroup>, DirectoryFault>;

    /// Writes a new group with its members; `seq`, `version` (1), `head` (1), counts and times are set here.
    async fn create(
        &self,
        group: StoredGroup,
        members: Vec<String>,
        rules: GroupRules,
        act: Act,
    ) -> Result<Written<GroupChanged>, DirectoryFault>;

    /// Changes a group. Parallel changes of its members never disturb each other. A change that changes nothing leaves
    /// version, times, feed and audit alone. `None` within `Done`: no such group.
    async fn change(
        &self,
        directory: &str,
        id: &GroupId,
        change: GroupChange,
        act: Act,
    ) -> Result<Written<Option<GroupChanged>>, DirectoryFault>;

    /// Deletes a group and its memberships; its members stay. False: no such group.
    async fn delete(
        &self,
        directory: &str,
        id: &GroupId,
        version: Option<u64>,
        act: Act,
    ) -> Result<Written<bool>, DirectoryFault>;

    /// Members in the order of their ids, from the one behind `after` on.
    async fn members(
        &self,
        directory: &str,
        id: &GroupId,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Member>, DirectoryFault>;

    /// Ids that wait for a user or group, in their order.
    async fn parked(
        &self,
        directory: &str,
        id: &GroupId,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<String>, DirectoryFault>;

    /// The groups of a user or group: direct ones, and those that hold these, each once whatever cycles there are, and
    /// never the group itself; in the order of creation.
    async fn groups_of(&self, directory: &str, member: &str) -> Result<Vec<GroupOf>, DirectoryFault>;

    /// The users of a group and of all groups within it, each once, in the order of their ids, from the one behind
    /// `after` on.
    async fn users_within(
        &self,
        directory: &str,
        id: &GroupId,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<UserId>, DirectoryFault>;
}
