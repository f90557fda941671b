//! Lists, page by page.

use async_trait::async_trait;

use crate::directory::DirectoryFault;
use crate::identity::{StoredGroup, StoredUser};
use crate::scim::filter::{Filter, Operand};
use crate::scim::list::Order;

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
