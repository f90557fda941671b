//! What is done to many users without being asked for by a source.

use async_trait::async_trait;

use crate::base::Moment;
use crate::directory::DirectoryFault;
use crate::identity::StoredUser;

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

/// How far values are erased.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// Of how many users.
    pub users: u64,
    /// The `seq` behind which to go on; `None`: nothing is left to be erased.
    pub go_on: Option<u64>,
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

    /// How many users of a directory have a value of the attribute. Groups have all of theirs in any case.
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

    /// Erases the values of up to `limit` users behind `after` (by `seq`) of an attribute that is still set aside. When
    /// nobody has one any more it is forgotten.
    async fn erase(&self, directory: &str, attribute: &str, after: u64, limit: u32) -> Result<Erased, DirectoryFault>;

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

    /// The scratch scopes to which no credential leads any more.
    async fn scopes_left_behind(&self) -> Result<Vec<String>, DirectoryFault>;

    /// Removes everything of a scratch scope, up to `limit` rows of a kind, its credentials last; true: nothing is left.
    async fn clear_scope(&self, scope: &str, limit: u32) -> Result<bool, DirectoryFault>;
}
