//! What lasts: users, refresh families, sign-outs, signing keys at rest, traces.
//!
//! The contracts are here, the implementation in `sql/`. An acknowledged write survives power loss;
//! reads see every write that was acknowledged before, by whichever process.

mod jit;
pub mod roster;
mod sql;

use std::sync::Arc;

use async_trait::async_trait;

use crate::audit::Trace;
use crate::base::{Moment, Span};
use crate::identity::user::Attributes;
use crate::identity::{User, UserId};
use crate::oidc::{ClientId, IdpId};
use crate::token::family::{Family, FamilyId};

pub use sql::{Kept, PostgresOptions, SqliteOptions, kept, postgres, sqlite};

/// The database can't be asked, or can't write, now. Never a reason to call anything invalid.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DirectoryFault {
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    #[error("the database holds something that can't be read: {0}")]
    Corrupt(String),
}

/// What decides whether something issued earlier still holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    pub user: User,
    /// The session was signed out.
    pub signed_out: bool,
    /// One of the refresh families was revoked.
    pub family_revoked: bool,
}

/// A user as a login with `type = "jit"` describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct JitUser {
    /// Used if there is no such user yet.
    pub fresh_id: UserId,
    pub directory: String,
    /// The attribute and value by which the login matches.
    pub match_attribute: String,
    pub match_value: String,
    pub attributes: Attributes,
    pub email_verified: bool,
}

/// What became of a [`JitUser`].
#[derive(Clone, Debug, PartialEq)]
pub enum Provisioned {
    Created(User),
    Updated(User),
    Unchanged(User),
    /// Nothing was written: `userName` or `externalId` (whichever is named) belongs to another user,
    /// the match is `ambiguous` (more than one user has that value) or `empty`.
    Conflict(&'static str),
}

#[async_trait]
pub trait Users: Send + Sync {
    /// The users of a directory whose single-valued `attribute` is `value`, two at most: nobody needs
    /// to know how many more. `userName` and `emails` compare folded, everything else exactly; of
    /// `emails` it is the primary one that counts. An empty value is nobody's.
    async fn find(&self, directory: &str, attribute: &str, value: &str) -> Result<Vec<User>, DirectoryFault>;

    async fn user(&self, id: &UserId) -> Result<Option<User>, DirectoryFault>;

    /// A user with the standing of a session and of up to two refresh families (of more, the first two are asked), read
    /// at one moment. `None`: no such user.
    async fn standing(
        &self,
        id: &UserId,
        sid: Option<&str>,
        families: &[&FamilyId],
    ) -> Result<Option<Standing>, DirectoryFault>;

    /// Creates or updates the user whom a login describes, unless it is inactive: then it is
    /// returned as it is, unchanged. Attributes that the login doesn't name, or names without a value,
    /// stay as they are, and so does `email_verified` unless `emails` is named.
    async fn provision(&self, user: JitUser, now: Moment) -> Result<Provisioned, DirectoryFault>;

    /// Switches a user off or on; off ends all that was issued to it before `now`, and notes a [`Leaving`] in the same
    /// transaction if the user was active: who is off already has been told of. False: no such user.
    async fn set_active(&self, id: &UserId, activity: Activity, now: Moment) -> Result<bool, DirectoryFault>;
}

/// What an identity provider asks to be given as `login_hint` at a user's next sign-in: its own opaque `login_hint`
/// claim. Sealed, and sent to that provider only.
#[async_trait]
pub trait UpstreamHints: Send + Sync {
    /// Keeps the newest one.
    async fn keep_hint(&self, user: &UserId, idp: &IdpId, sealed: Vec<u8>) -> Result<(), DirectoryFault>;

    async fn hint(&self, user: &UserId, idp: &IdpId) -> Result<Option<Vec<u8>>, DirectoryFault>;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    Active,
    Inactive,
}

/// Refresh families: one row each, one conditional write for each turn.
#[async_trait]
pub trait Families: Send + Sync {
    /// Writes a new family; false if one of that id was revoked before it was born (its code was reused)
    /// or is there already, and if it is bound to a session that was signed out.
    async fn begin(&self, family: Family) -> Result<bool, DirectoryFault>;

    async fn family(&self, id: &FamilyId) -> Result<Option<Family>, DirectoryFault>;

    /// Replaces a family if it is still alive and of the generation `expected`, which `next` must
    /// exceed; says whether it was.
    async fn turn(&self, expected: u64, next: Family) -> Result<bool, DirectoryFault>;

    /// Ends a family for good, also one that isn't there yet.
    async fn revoke(&self, id: &FamilyId, now: Moment) -> Result<(), DirectoryFault>;

    /// Whether it was revoked, also one that never was there.
    async fn is_revoked(&self, id: &FamilyId) -> Result<bool, DirectoryFault>;
}

/// Sign-outs, which must hold even if the state store brings a session back.
#[async_trait]
pub trait SignOuts: Send + Sync {
    /// Notes that session `sid` has ended (kept until `until`), ends the refresh families bound to it, and queues the
    /// `notices`: all or nothing.
    async fn sign_out(&self, sid: &str, now: Moment, until: Moment, notices: Vec<Notice>)
    -> Result<(), DirectoryFault>;
}

/// A client that is to hear that a person is out (OpenID Connect Back-Channel Logout 1.0).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// 128 random bits.
    pub id: String,
    pub client: ClientId,
    pub user: UserId,
    /// The session that has ended; `None`: all of that user's at the client.
    pub sid: Option<String>,
    pub created: Moment,
    /// How often it was handed out, this time included.
    pub attempts: u32,
}

/// A person who was switched off, while the clients of the sessions haven't been told yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaving {
    pub user: UserId,
    /// No two leavings of a user that wait have the same: one at the moment of another is a millisecond later.
    pub at: Moment,
    /// The clients whose refresh families ended with it, each once. A family that can't be read is passed over.
    pub clients: Vec<ClientId>,
}

/// The notices that a client has not heard yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    pub client: ClientId,
    pub count: u64,
    /// When the oldest was queued.
    pub oldest: Moment,
}

/// The durable queue of notices. What is handed out is nobody else's for a while; whoever dies with it in hand loses
/// none.
#[async_trait]
pub trait Notices: Send + Sync {
    /// Queues notices, to be handed out from their `created` on; their `attempts` begin at 0. One of the same client,
    /// user and session that waits already is not queued twice. But one for all sessions that was handed out before is
    /// replaced: it may have been delivered already, and knew nothing of sessions since.
    async fn queue(&self, notices: Vec<Notice>) -> Result<(), DirectoryFault>;

    /// The clients that have notices to hand out at `now`.
    async fn due(&self, now: Moment) -> Result<Vec<ClientId>, DirectoryFault>;

    /// Hands out up to `limit` notices of a client, those first that are due longest, and not again before `until`.
    async fn claim(
        &self,
        client: &ClientId,
        limit: u32,
        now: Moment,
        until: Moment,
    ) -> Result<Vec<Notice>, DirectoryFault>;

    /// Removes those that are `done` (by id), and hands the others out again from the given moments on; all or nothing.
    /// One that is no longer there is passed over.
    async fn settle(&self, done: Vec<String>, again: Vec<(String, Moment)>) -> Result<(), DirectoryFault>;

    /// What waits, what is handed out among it, by client; nothing for a client that has heard all.
    async fn waiting(&self) -> Result<Vec<Waiting>, DirectoryFault>;

    /// Hands out up to `limit` leavings, the oldest first, and not again before `until`.
    async fn claim_leavings(&self, limit: u32, now: Moment, until: Moment) -> Result<Vec<Leaving>, DirectoryFault>;

    /// Ends a leaving and queues what its clients are to hear, all or nothing; nothing is queued if it was closed
    /// before. A later leaving of the same user stays.
    async fn close_leaving(&self, leaving: &Leaving, notices: Vec<Notice>) -> Result<(), DirectoryFault>;
}

/// A signing key at rest: sealed, so that a stolen database signs nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyAtRest {
    pub kid: String,
    /// `RS256`, `ES256` or `EdDSA`.
    pub algorithm: String,
    pub sealed: Vec<u8>,
    pub created: Moment,
    /// When it begins to sign.
    pub active_from: Moment,
    /// When it stops to sign.
    pub retired_at: Option<Moment>,
}

#[async_trait]
pub trait KeyStore: Send + Sync {
    async fn keys(&self) -> Result<Vec<KeyAtRest>, DirectoryFault>;

    /// Writes keys and removes others in one transaction, unless the set is no longer `expected`
    /// (the kids as they were read): then somebody else has rotated, and it is false.
    async fn change_keys(
        &self,
        expected: &[String],
        write: Vec<KeyAtRest>,
        remove: Vec<String>,
    ) -> Result<bool, DirectoryFault>;
}

#[async_trait]
pub trait Traces: Send + Sync {
    /// Takes a trace to be written soon, in the place of an earlier one of its reference; may be lost
    /// with the last second before a crash, or when more come than can be written.
    fn keep(&self, trace: Trace);

    async fn trace(&self, reference: &str) -> Result<Option<Trace>, DirectoryFault>;

    /// Forgets what is older than `age`: traces, sign-outs past their time, families long dead; and notices and
    /// leavings of more than two days, which nobody hands out any more. Says how many rows went. A revoked family
    /// stays for a week at least, since what was issued beside it may live on.
    async fn purge(&self, now: Moment, age: Span) -> Result<u64, DirectoryFault>;
}

/// An open database behind all the contracts. Clones share it.
#[derive(Clone)]
pub struct Database {
    pub users: Arc<dyn Users>,
    pub upstream_hints: Arc<dyn UpstreamHints>,
    pub families: Arc<dyn Families>,
    pub sign_outs: Arc<dyn SignOuts>,
    pub notices: Arc<dyn Notices>,
    pub keys: Arc<dyn KeyStore>,
    pub traces: Arc<dyn Traces>,
    pub roster: Arc<dyn roster::Roster>,
    pub groups: Arc<dyn roster::Groups>,
    pub lists: Arc<dyn roster::Lists>,
    pub feed: Arc<dyn roster::Feed>,
    pub sync_clients: Arc<dyn roster::SyncClients>,
    pub audits: Arc<dyn roster::Audits>,
    pub sightings: Arc<dyn roster::Sightings>,
    pub upkeep: Arc<dyn roster::Upkeep>,
    engine: Arc<dyn Engine>,
}

/// What every implementation can do beside the contracts.
#[async_trait]
trait Engine: Send + Sync {
    async fn ping(&self) -> Result<(), DirectoryFault>;
    async fn close(&self) -> Result<(), DirectoryFault>;
    fn traces_dropped(&self) -> u64;
    fn rehearsal(&self) -> Database;
}

impl Database {
    /// Whether the database can be read and written now.
    ///
    /// # Errors
    /// The [`DirectoryFault`] that a request would meet.
    pub async fn ping(&self) -> Result<(), DirectoryFault> {
        self.engine.ping().await
    }

    /// An orderly end: finishes the writes that wait, and writes the traces. After it, everything is
    /// unavailable.
    ///
    /// # Errors
    /// Says what could not be written.
    pub async fn close(&self) -> Result<(), DirectoryFault> {
        self.engine.close().await
    }

    /// The same database, where every write but that of traces is answered as if it stayed, and undone.
    #[must_use]
    pub fn rehearsal(&self) -> Self {
        self.engine.rehearsal()
    }

    /// How many traces were dropped since the start, because more came than could be written.
    #[must_use]
    pub fn traces_dropped(&self) -> u64 {
        self.engine.traces_dropped()
    }
}
