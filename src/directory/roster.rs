//! The provisioned directory: users, groups, lists, credentials, audit, the change feed. The contracts.
//!
//! `directory` is a scope: the stem of a directory's file, or a scratch scope of the doctor (`contoso~…`). Nothing of one
//! scope is ever seen from another. Every write is one transaction with its audit record and its place in the feed.

use async_trait::async_trait;

use super::DirectoryFault;
use crate::base::{Digest, Moment};
use crate::identity::dialect::{SameGroupName, UnknownMembers};
use crate::identity::group::{GroupOf, Member, MemberDelta};
use crate::identity::user::Attributes;
use crate::identity::{GroupId, StoredGroup, StoredUser, UserId};
use crate::scim::filter::{Filter, Operand};
use crate::scim::list::Order;

/// Who writes, when, and what the audit keeps of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Act {
    pub at: Moment,
    /// A credential's id, `policy`, `cli` or `login`.
    pub by: String,
    /// `create`, `update`, `delete`, `revive`, `members` …
    pub what: &'static str,
    /// What was before and after, as JSON, with sensitive values by digest: see [`AuditRecord::changes`].
    pub changes: String,
}

/// What became of a write. Nothing of it remains unless it is `Done`.
#[derive(Clone, Debug, PartialEq)]
pub enum Written<T> {
    Done(T),
    /// It is no longer the one that was read: another version, or gone.
    Stale,
    /// Somebody else of the same scope and type holds the value of `userName`, `externalId` or `displayName`.
    Taken {
        attribute: &'static str,
        by: String,
        external_id: Option<String>,
    },
    /// Neither user nor group of the scope has this id, or it can be nobody's (empty, longer than
    /// [`MEMBER_ID_BYTES_MAX`], with a NUL): a member that [`UnknownMembers`] refuses.
    UnknownMember(String),
    /// The group would have more than [`MEMBERS_MAX`] members, those that are parked included.
    TooManyMembers,
}

impl<T> Written<T> {
    /// The same with another answer.
    #[must_use]
    pub fn map<U>(self, answer: impl FnOnce(T) -> U) -> Written<U> {
        match self {
            Self::Done(done) => Written::Done(answer(done)),
            Self::Stale => Written::Stale,
            Self::Taken { attribute, by, external_id } => Written::Taken { attribute, by, external_id },
            Self::UnknownMember(id) => Written::UnknownMember(id),
            Self::TooManyMembers => Written::TooManyMembers,
        }
    }
}

/// The most members that a group may have.
pub const MEMBERS_MAX: u64 = 500_000;
/// The longest id of a member, in bytes.
pub const MEMBER_ID_BYTES_MAX: usize = 256;

/// How a user is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// By its source: for good.
    BySource,
    /// By our own policy: id and `sub` wait until then for the same externalId.
    ByPolicy { kept_until: Moment },
}

/// Users as SCIM writes them. What decides whether a login holds is written with them: a user who is switched off or
/// deleted loses all that was issued before, and a [`super::Leaving`] is noted, in the same transaction.
#[async_trait]
pub trait Roster: Send + Sync {
    async fn user(&self, directory: &str, id: &UserId) -> Result<Option<StoredUser>, DirectoryFault>;

    /// Who holds a `userName` (folded) or `externalId` (exact).
    async fn holder(&self, directory: &str, attribute: &str, value: &str)
    -> Result<Option<StoredUser>, DirectoryFault>;

    /// Writes a new user; `seq`, `version` (1) and the times are set here. An id that waits for its externalId is
    /// taken up in place of the fresh one. Parked memberships of its id become real.
    async fn create(&self, user: StoredUser, act: Act) -> Result<Written<StoredUser>, DirectoryFault>;

    /// Many new users in one transaction, for an import: none is written unless all can be.
    async fn create_all(&self, users: Vec<StoredUser>, act: Act) -> Result<Written<u64>, DirectoryFault>;

    /// Replaces a user that is still of its `version`, which grows by one.
    async fn replace(&self, user: StoredUser, act: Act) -> Result<Written<StoredUser>, DirectoryFault>;

    /// Deletes a user, its memberships and everything of its sessions; false: no such user (or of another version than
    /// `version`, if that is given: `Stale`).
    async fn delete(
        &self,
        directory: &str,
        id: &UserId,
        version: Option<u64>,
        deletion: Deletion,
        act: Act,
    ) -> Result<Written<bool>, DirectoryFault>;
}

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

/// Where a page of a list begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    First,
    /// So many rows are skipped: slow far behind.
    Skip(u64),
    /// Behind a row that was given: unharmed by deletions before it, and as fast as the first page.
    Behind(Position),
}

/// The place of a row in the order of its list. Kept by whoever lists, opaque.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Position {
    /// What the list is sorted by, as the store compares it; `None`: by the order of creation.
    pub key: Option<String>,
    pub seq: u64,
    /// How many items the walk has been given up to here.
    pub given: u64,
    /// How many rows had ever been deleted in the scope by then.
    pub deletions: u64,
}

/// What is listed.
#[derive(Clone, Debug, PartialEq)]
pub struct Listing {
    pub directory: String,
    pub filter: Option<Filter>,
    /// Left out: the order of creation.
    pub sort: Option<(Operand, Order)>,
    pub place: Place,
    /// 0: only the total.
    pub limit: u32,
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// All that match. Behind a position: those that the walk was given and those still ahead, these included; of a
    /// list without filter, if nothing was deleted since, all that there are.
    pub total: u64,
    /// The place of the last item, if there are more behind it.
    pub next: Option<Position>,
}

/// The most users or groups that one list request reads to see whether they match, or to sort them, where no index says
/// so.
pub const ROWS_LOOKED_AT_MAX: u64 = 200_000;

/// Why there is no page.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ListFault {
    #[error(transparent)]
    Fault(#[from] DirectoryFault),
    /// More rows would have to be looked at one by one than a request may, [`ROWS_LOOKED_AT_MAX`] (RFC 7644 §3.12
    /// `tooMany`).
    #[error("too many rows would have to be looked at")]
    TooMany,
}

#[async_trait]
pub trait Lists: Send + Sync {
    async fn users(&self, listing: &Listing) -> Result<Page<StoredUser>, ListFault>;
    async fn groups(&self, listing: &Listing) -> Result<Page<StoredGroup>, ListFault>;
}

/// What a change in the feed is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    User(UserId),
    Group(GroupId),
    /// Of a member in a group: there or not.
    Membership {
        group: GroupId,
        member: String,
    },
}

/// An object whose last change has this number. Earlier changes of the same object are covered by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub seq: u64,
    pub subject: Subject,
    pub at: Moment,
    /// The object as it was last, if it is no longer there: all that whoever deletes it elsewhere needs.
    pub gone: Option<Gone>,
}

/// What is left of a deleted object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gone {
    pub external_id: Option<String>,
    /// `userName` or `displayName`.
    pub name: Option<String>,
}

/// The change feed: of each object its last change, in the order of these. Durable, and complete: whoever reads on from
/// the number where he stopped misses no object that changed since.
#[async_trait]
pub trait Feed: Send + Sync {
    /// The changes of a directory behind number `after`, in order.
    async fn changes(&self, directory: &str, after: u64, limit: u32) -> Result<Vec<Change>, DirectoryFault>;

    /// The number of the newest change; 0: none yet.
    async fn newest(&self, directory: &str) -> Result<u64, DirectoryFault>;

    /// Up to which number a consumer has carried everything out; 0 for one that never moved.
    async fn position(&self, directory: &str, consumer: &str) -> Result<u64, DirectoryFault>;

    /// Moves a consumer on, if it still stands at `from`; says whether it did.
    async fn advance(&self, directory: &str, consumer: &str, from: u64, to: u64) -> Result<bool, DirectoryFault>;

    /// Ends a consumer: nothing is kept for it any more.
    async fn leave(&self, directory: &str, consumer: &str) -> Result<(), DirectoryFault>;

    /// Forgets what is gone and what every consumer has passed, if it is older than `before`; says how many rows.
    async fn forget(&self, directory: &str, before: Moment) -> Result<u64, DirectoryFault>;
}

/// What a SCIM credential is shown as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncKind {
    /// A bearer token as it is.
    Token,
    /// Id and secret, for tokens of `/acs/token`.
    Oauth,
}

/// A credential of a provisioning service: a pass for one directory, and for nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncClient {
    /// Public; the `client_id` of an OAuth one.
    pub id: String,
    /// The stem of the directory's file: whose rules hold.
    pub directory: String,
    /// Where it reads and writes: the same, or a scratch scope.
    pub scope: String,
    pub name: String,
    pub kind: SyncKind,
    /// Of the token or secret, which has 256 random bits.
    pub secret: Digest,
    pub created: Moment,
    pub expires: Moment,
    pub last_used: Option<Moment>,
}

#[async_trait]
pub trait SyncClients: Send + Sync {
    /// Writes a new one; false if the directory has as many as it may (`most`) that are not over at `created`.
    async fn create(&self, client: SyncClient, most: u32) -> Result<bool, DirectoryFault>;
    /// The one whose token or secret has this digest, also if it is over.
    async fn by_secret(&self, secret: &Digest) -> Result<Option<SyncClient>, DirectoryFault>;
    async fn by_id(&self, id: &str) -> Result<Option<SyncClient>, DirectoryFault>;
    /// All, also those that are over; the oldest first.
    async fn all(&self) -> Result<Vec<SyncClient>, DirectoryFault>;
    /// Removes it; false: no such one.
    async fn revoke(&self, id: &str) -> Result<bool, DirectoryFault>;
    /// Notes a use.
    async fn used(&self, id: &str, at: Moment) -> Result<(), DirectoryFault>;
}

/// One write as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    pub seq: u64,
    pub directory: String,
    pub at: Moment,
    pub by: String,
    pub what: String,
    /// The id of the user or group.
    pub object: String,
    /// JSON: `{attribute: {"before": …, "after": …}}`; a sensitive value is `{"digest": …}`.
    pub changes: String,
}

#[async_trait]
pub trait Audits: Send + Sync {
    /// Of one object, the newest first.
    async fn of_object(&self, directory: &str, object: &str, limit: u32) -> Result<Vec<AuditRecord>, DirectoryFault>;
    /// Of a directory, the newest first, from the one before number `before` on.
    async fn of_directory(
        &self,
        directory: &str,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<AuditRecord>, DirectoryFault>;
}

/// Something that was seen so often on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    pub directory: String,
    /// `call`, `received`, `unknown`, `unconfirmed`, `refused`, `blank`, `remark`.
    pub kind: String,
    /// The attribute, `scimType:attribute`, or the remark.
    pub name: String,
    pub count: u64,
    pub last: Moment,
}

/// Counts and sizes of a directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub users: u64,
    pub inactive: u64,
    pub groups: u64,
    pub memberships: u64,
    pub parked: u64,
}

#[async_trait]
pub trait Sightings: Send + Sync {
    /// Adds counts; the newest moment stays.
    async fn add(&self, sightings: Vec<Sighting>) -> Result<(), DirectoryFault>;
    async fn all(&self, directory: &str) -> Result<Vec<Sighting>, DirectoryFault>;
    async fn tally(&self, directory: &str) -> Result<Tally, DirectoryFault>;
}

/// An attribute of a directory's list of before or of now, as the store has noted it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedAttribute {
    pub directory: String,
    pub attribute: String,
    /// Since when it is confirmed no longer; `None`: it is confirmed.
    pub aside_since: Option<Moment>,
    /// The `seq` behind which its holders have yet to be brought into the feed; `None`: all have been.
    pub announce_after: Option<u64>,
}

/// An attribute that a directory confirmed and confirms no longer: its values are out of use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    pub directory: String,
    pub attribute: String,
    pub since: Moment,
}

/// What is done to many users without being asked for by a source: confirmed lists, policies, indexes.
#[async_trait]
pub trait Upkeep: Send + Sync {
    /// Notes the confirmed attributes of a directory. Gives those that were set aside with it, and those that came back:
    /// in the same transaction it is noted that their holders have to be announced, from the first one on.
    async fn confirm(
        &self,
        directory: &str,
        confirmed: &[String],
        now: Moment,
    ) -> Result<(Vec<String>, Vec<String>), DirectoryFault>;

    /// What is set aside and not yet erased.
    async fn set_aside(&self) -> Result<Vec<SetAside>, DirectoryFault>;

    /// How many users and groups of a directory have a value of the attribute.
    async fn holders_of(&self, directory: &str, attribute: &str) -> Result<u64, DirectoryFault>;

    /// All that is noted of the lists, by directory and attribute.
    async fn attribute_lists(&self) -> Result<Vec<ListedAttribute>, DirectoryFault>;

    /// Brings up to `limit` users behind `after` (by `seq`) who have a value of the attribute into the feed again, and
    /// notes how far that is, in one transaction. Gives the last one's `seq`; `None`: there are no more, or somebody
    /// else has gone on from `after`.
    async fn announce(
        &self,
        directory: &str,
        attribute: &str,
        after: u64,
        limit: u32,
        now: Moment,
    ) -> Result<Option<u64>, DirectoryFault>;

    /// Erases up to `limit` values of an attribute that is still set aside; says how many. When none is left it is
    /// forgotten.
    async fn erase(&self, directory: &str, attribute: &str, limit: u32) -> Result<u64, DirectoryFault>;

    /// Users who were switched off at `from` or later and before `until`, the longest gone first.
    async fn inactive_between(
        &self,
        directory: &str,
        from: Moment,
        until: Moment,
        limit: u32,
    ) -> Result<Vec<StoredUser>, DirectoryFault>;

    /// How many were switched off before that moment; not counted beyond `most`.
    async fn count_inactive(&self, directory: &str, before: Moment, most: u64) -> Result<u64, DirectoryFault>;

    /// How many were deleted by policy since that moment.
    async fn removed_by_policy(&self, directory: &str, since: Moment) -> Result<u64, DirectoryFault>;

    /// How many deletions by policy are released by a person beyond the guard's share.
    async fn released(&self, directory: &str) -> Result<u64, DirectoryFault>;

    /// Sets that number if it is still `from`.
    async fn release(&self, directory: &str, from: u64, to: u64) -> Result<bool, DirectoryFault>;

    /// Whether `find` by this attribute is served by an index. One that is asked for is built by `build_index`.
    async fn want_index(&self, directory: &str, attribute: &str) -> Result<bool, DirectoryFault>;

    /// Indexes up to `limit` users; true: the index is complete.
    async fn build_index(&self, directory: &str, attribute: &str, limit: u32) -> Result<bool, DirectoryFault>;

    /// Forgets up to `limit` records of a directory's audit that are older than `before`; says how many.
    async fn forget_audit(&self, directory: &str, before: Moment, limit: u32) -> Result<u64, DirectoryFault>;

    /// Removes everything of a scratch scope, up to `limit` rows of a kind; true: nothing is left.
    async fn clear_scope(&self, scope: &str, limit: u32) -> Result<bool, DirectoryFault>;
}
