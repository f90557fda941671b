//! What was written and seen, for admins.

use async_trait::async_trait;

use crate::base::Moment;
use crate::directory::DirectoryFault;

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
    /// `call`, `received`, `unknown`, `unconfirmed`, `refused`, `blank`, `remark`, `address`.
    pub kind: String,
    /// The attribute, `scimType:attribute`, the remark, or a credential's id and the address it was used from.
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
