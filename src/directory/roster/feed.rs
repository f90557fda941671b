//! The change feed.

use async_trait::async_trait;

use crate::base::Moment;
use crate::directory::DirectoryFault;
use crate::identity::{GroupId, UserId};

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
    /// The changes of a directory behind number `after`, in order, `limit` at most. No two have the same number. A
    /// membership that came is as old as the last change of its group.
    async fn changes(&self, directory: &str, after: u64, limit: u32) -> Result<Vec<Change>, DirectoryFault>;

    /// The number of the newest change; 0: none yet.
    async fn newest(&self, directory: &str) -> Result<u64, DirectoryFault>;

    /// Up to which number a consumer has carried everything out; 0 for one that never moved.
    async fn position(&self, directory: &str, consumer: &str) -> Result<u64, DirectoryFault>;

    /// Moves a consumer on, if it still stands at `from`; says whether it did. The first time makes it one, from 0 and to
    /// 0 if it has nothing to pass yet. `to` before `from`: false.
    async fn advance(&self, directory: &str, consumer: &str, from: u64, to: u64) -> Result<bool, DirectoryFault>;

    /// Ends a consumer: nothing is kept for it any more.
    async fn leave(&self, directory: &str, consumer: &str) -> Result<(), DirectoryFault>;

    /// Forgets what was deleted before that moment and every consumer has passed; says how many rows. A consumer counts
    /// from its first [`advance`](Self::advance) on: until then nothing waits for it.
    async fn forget(&self, directory: &str, before: Moment) -> Result<u64, DirectoryFault>;
}
