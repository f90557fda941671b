//! The provisioned directory: users, groups, lists, credentials, audit, the change feed. The contracts.
//!
//! `directory` is a scope: the stem of a directory's file, or a scratch scope of the doctor (`contoso~…`). Nothing of one
//! scope is ever seen from another. Every write is one transaction with its audit record and its place in the feed.

/// Whether a scope is one of the doctor's, and no directory.
#[must_use]
pub fn is_scratch(scope: &str) -> bool {
    scope.contains('~')
}

mod write;
mod users;
mod groups;
mod lists;
mod feed;
mod clients;
mod seen;
mod upkeep;

pub use clients::{SyncClient, SyncClients, SyncKind};
pub use feed::{Change, Feed, Gone, Subject};
pub use groups::{GroupChange, GroupChanged, GroupRules, Groups, MEMBER_ID_BYTES_MAX, MEMBERS_MAX};
pub use lists::{ListFault, Listing, Lists, Page, Place, Position, ROWS_LOOKED_AT_MAX};
pub use seen::{AuditRecord, Audits, Sighting, Sightings, Tally};
pub use upkeep::{Erased, ListedAttribute, SetAside, Upkeep};
pub use users::{Deletion, Roster};
pub use write::{Act, Written};
