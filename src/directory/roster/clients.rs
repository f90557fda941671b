//! Credentials of provisioning services.

use async_trait::async_trait;

use crate::base::{Digest, Moment};
use crate::directory::DirectoryFault;

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
    /// Writes a new one; false if its scope has as many as it may (`most`) that are not over at its `created`.
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
