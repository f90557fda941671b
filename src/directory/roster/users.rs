//! Users as SCIM writes them.

use async_trait::async_trait;

use super::write::{Act, Written};
use crate::base::Moment;
use crate::directory::DirectoryFault;
use crate::identity::{StoredUser, UserId};

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

    /// Many new users in one transaction, for an import: none is written unless all can be. Answers the ids that they
    /// have, in their order.
    async fn create_all(&self, users: Vec<StoredUser>, act: Act) -> Result<Written<Vec<UserId>>, DirectoryFault>;

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
