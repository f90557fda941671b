//! Short-lived records: logins in flight, sessions, codes, access tokens, handles, used assertions.
//!
//! One contract, two implementations ([`embedded`] and [`redis`]), one conformance suite.
//! Names are digests under a kind, so that a dump of the store holds no usable code and one kind can
//! never be read or taken as another. Expiry is decided from `now` by the caller; what the store
//! forgets by itself is hygiene.

mod mark;
mod slots;
mod roll;
mod rest;
mod embedded;
mod redis;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

use crate::base::{Clock, Dice, Digest, Secret, Span};
use crate::keys::seal::Seal;

/// What a record is. Part of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// One sign-in under way, by its `state`.
    PendingLogin,
    /// A login that waits for a person at one of our pages.
    PausedLogin,
    /// The signed-in browser, by its cookie.
    Session,
    /// An authorization code.
    Code,
    /// An opaque access token.
    AccessToken,
    /// A cross-site POST that waits for the browser to come back by GET.
    Handle,
    /// A client assertion's `jti`, so that it is used once.
    Assertion,
    /// A pushed authorization request (RFC 9126), by its `request_uri`.
    PushedRequest,
    /// What a forwarded sign-out needs of the sign-in at the identity provider, by our `sid`.
    UpstreamSession,
    /// The `jti` of an identity provider's logout token, so that it works once.
    LogoutToken,
    /// Where the next page of a SCIM list begins, by credential, question and index.
    ListPage,
    /// A list of sessions: by user.
    SessionsOfUser,
    /// A list of sessions: by identity provider and its `sid`, or its `sub`.
    SessionsOfUpstream,
    /// A list of clients: by our `sid`.
    ClientsOfSession,
}

impl Kind {
    pub const ALL: [Self; 14] = [
        Self::PendingLogin,
        Self::PausedLogin,
        Self::Session,
        Self::Code,
        Self::AccessToken,
        Self::Handle,
        Self::Assertion,
        Self::PushedRequest,
        Self::UpstreamSession,
        Self::LogoutToken,
        Self::ListPage,
        Self::SessionsOfUser,
        Self::SessionsOfUpstream,
        Self::ClientsOfSession,
    ];

    /// The short word under which the store keeps this kind.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PendingLogin => "login",
            Self::PausedLogin => "paused",
            Self::Session => "session",
            Self::Code => "code",
            Self::AccessToken => "token",
            Self::Handle => "handle",
            Self::Assertion => "jti",
            Self::PushedRequest => "pushed",
            Self::UpstreamSession => "upstream",
            Self::LogoutToken => "logout_jti",
            Self::ListPage => "list_page",
            Self::SessionsOfUser => "sessions_of_user",
            Self::SessionsOfUpstream => "sessions_of_upstream",
            Self::ClientsOfSession => "clients_of_session",
        }
    }

    /// Whether records of this kind die with the store's epoch: after a fail-over or a restore the
    /// store may bring a used code back, and then it must not pay a second time.
    #[must_use]
    pub const fn is_fenced(self) -> bool {
        matches!(self, Self::Code | Self::Handle | Self::Assertion | Self::PushedRequest | Self::LogoutToken)
    }
}

/// A record's name: its kind and the digest of the token that opens it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name {
    pub kind: Kind,
    pub digest: Digest,
}

impl Name {
    /// The name of the record that `token` opens.
    #[must_use]
    pub fn of(kind: Kind, token: &str) -> Self {
        Self { kind, digest: Digest::of(token) }
    }
}

/// One record to be written.
#[derive(Clone, Debug)]
pub struct Record {
    pub name: Name,
    pub bytes: Vec<u8>,
    /// How long the store keeps it at least.
    pub lifetime: Span,
}

/// A member to be put on a list. Lists have names as records have, and are no records: what is put under a name of
/// a list kind can only be listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub list: Name,
    /// Up to 256 bytes; no secret: it is not sealed.
    pub member: String,
    /// How long the member stays on the list at least, unless [`LIST_MAX`] newer ones come.
    pub lifetime: Span,
}

/// Members of one list; of more, those go first whose time ends first.
pub const LIST_MAX: usize = 1_000;

/// What a [`StateStore::take`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The record, which nobody has taken before and nobody will take after.
    Once(Vec<u8>),
    /// It was taken before; this is the residue that its taker left.
    Already(Vec<u8>),
    /// There is none, or it is of an earlier epoch of the store.
    Never,
}

/// The store can't be asked now. Never a reason to call a code, token or session invalid.
#[derive(Debug, thiserror::Error)]
#[error("the state store is unavailable: {0}")]
pub struct StateFault(pub String);

/// Where short-lived records are kept.
///
/// Each method is one round trip, and what is done to one record or to one list is one command or one script at the
/// store: two callers that race see one winner.
/// Every method answers within [`crate::base::limits::STATE_CALL`], with a fault if need be, and an
/// answer that comes too late is never taken for another call's.
#[async_trait]
pub trait StateStore: Send + Sync {
    /// Writes all records, in one round trip, replacing what stood under their names.
    async fn put(&self, records: Vec<Record>) -> Result<(), StateFault> {
        self.put_listed(records, Vec::new()).await
    }

    /// Puts all members on their lists and then writes all records, in one round trip: whoever sees a record of a call
    /// that succeeds finds its members too. After a fault any part of it may be done. A member that is there already
    /// stays once, for the longer of both times.
    async fn put_listed(&self, records: Vec<Record>, entries: Vec<Entry>) -> Result<(), StateFault>;

    /// The members of a list whose time is not over, those last whose time ends last.
    async fn list(&self, list: Name) -> Result<Vec<String>, StateFault>;

    /// Reads several records in one round trip, each as [`StateStore::peek`] would.
    async fn peek_all(&self, names: Vec<Name>) -> Result<Vec<Option<Vec<u8>>>, StateFault>;

    /// Writes one record unless there is one under that name (also one that was taken and left a
    /// residue); says whether it did.
    async fn put_new(&self, record: Record) -> Result<bool, StateFault>;

    /// Reads a record and leaves it. A taken one is not there any more.
    async fn peek(&self, name: Name) -> Result<Option<Vec<u8>>, StateFault>;

    /// Takes a record away and leaves `residue` in its place for `residue_lifetime`, in one step.
    /// Of any number of callers exactly one gets [`Taken::Once`].
    async fn take(&self, name: Name, residue: Vec<u8>, residue_lifetime: Span) -> Result<Taken, StateFault>;

    /// Replaces a record if it still is `expected`; says whether it was.
    async fn swap(&self, expected: Vec<u8>, record: Record) -> Result<bool, StateFault>;

    /// Removes a record and any residue; it is no fault if there is none.
    async fn forget(&self, name: Name) -> Result<(), StateFault>;

    /// Whether the store answers.
    async fn ping(&self) -> Result<(), StateFault>;

    /// An orderly end: what must survive a restart is written down. Every later call is a fault.
    async fn close(&self) -> Result<(), StateFault>;

    /// How often a call has waited for a server's answer since the start; none if there is no server.
    fn round_trips(&self) -> u64 {
        0
    }
}

/// What a store is made from.
#[derive(Clone)]
pub struct Options {
    /// Says when a record of the embedded store has expired; Redis counts by its own clock.
    pub clock: Arc<dyn Clock>,
    /// Nonces of what is sealed.
    pub dice: Arc<dyn Dice>,
    /// Seals the values in Redis, and the file of the embedded store.
    pub seal: Arc<Seal>,
    /// Where the embedded store rests between an orderly end and the next start; `None`: it forgets
    /// all. Redis has no use for it.
    pub file: Option<PathBuf>,
}

/// A store in this process. What rests in `options.file` is taken over and the file deleted before
/// anything of it is used, so that no kill can bring a used code back. Files of all earlier versions are
/// read; one that is missing, broken, foreign or of a later version is a warning and an empty store.
///
/// # Errors
/// None at present: a store that can't take its file over begins empty.
pub fn embedded(options: Options) -> Result<Arc<dyn StateStore>, StateFault> {
    Ok(Arc::new(embedded::Embedded::open(options)))
}

/// A store in a Redis server (6.2 or later) at `redis://` or `rediss://[user:password@]host[:port][/db]`.
/// It connects at the first call and again whenever it must; a server that is down is a fault of
/// each call and no fault here. For `rediss://` the process must have a default rustls provider, and the
/// server a certificate that the system trusts. Its user needs the commands HELLO, CLIENT, SELECT,
/// INFO, SCRIPT, EVALSHA, GET, SET and DEL, and for lists TIME, ZADD, ZRANGE, ZREMRANGEBYSCORE, ZREMRANGEBYRANK, PTTL
/// and PEXPIRE, on keys `vestibule:*`.
///
/// # Errors
/// [`StateFault`] if `url` is no such address. It never holds the address itself.
pub fn redis(url: &Secret, options: Options) -> Result<Arc<dyn StateStore>, StateFault> {
    Ok(Arc::new(redis::Redis::new(url, options)?))
}
