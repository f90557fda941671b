//! Everything an errand may use: the doors, the clock, the dice, the configuration in force.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use arc_swap::ArcSwap;

use super::admission::{Bounds, Failures, LoginsUnderWay, PerSecond, Pushes, Seldom};
use super::confirmed::Editions;
use super::sightings::Gathered;
use crate::audit::Trace;
use crate::backchannel::Clients;
use crate::base::{Clock, Dice, Moment};
use crate::config::{Live, Snapshot};
use crate::directory::Database;
use crate::keys::client_secret::RememberedSecrets;
use crate::keys::ring::Ring;
use crate::keys::seal::Seal;
use crate::metrics::Metrics;
use crate::scim::changes::AuditKey;
use crate::state::StateStore;
use crate::upstream::Upstream;

/// Made once by the composition root; shared by all workers.
pub struct Ports {
    pub clock: Arc<dyn Clock>,
    pub dice: Arc<dyn Dice>,
    pub config: Arc<Live>,
    pub state: Arc<dyn StateStore>,
    pub directory: Database,
    pub upstream: Arc<Upstream>,
    /// Clients as servers.
    pub clients: Arc<Clients>,
    pub ring: ArcSwap<Ring>,
    /// Seals what rests outside the process.
    pub seal: Arc<Seal>,
    pub secrets: Arc<RememberedSecrets>,
    pub failures: Failures,
    /// Traces of what never became a login.
    pub unproven: Seldom,
    pub under_way: LoginsUnderWay,
    pub pushes: Pushes,
    /// Lasting secret from which pairwise subjects are made.
    pub pairwise_salt: [u8; 32],
    pub metrics: Metrics,
    /// The configuration in force as SCIM needs it.
    pub editions: Editions,
    /// Requests of provisioning services, by credential.
    pub scim_rates: PerSecond,
    /// What was seen on their connections.
    pub sightings: Gathered,
    pub audit_key: AuditKey,
    /// Rings when logout notices were queued, so that nobody waits for the next look.
    pub notices_wait: tokio::sync::Notify,
    /// Rings when somebody was switched off or deleted.
    pub leavings_wait: tokio::sync::Notify,
    /// The order to stop has come: not ready for anything new.
    pub stopping: AtomicBool,
}

/// One request's moment and configuration.
#[derive(Clone)]
pub struct Request {
    pub now: Moment,
    pub config: Arc<Snapshot>,
}

impl Request {
    /// How many logins may be under way.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        let limits = &self.config.server.limits;
        Bounds { all: limits.pending_logins, by_address: limits.pending_logins_per_address }
    }
}

impl Ports {
    /// Reads the clock and the configuration, once for a request.
    #[must_use]
    pub fn request(&self) -> Request {
        Request { now: self.clock.now(), config: self.config.snapshot() }
    }

    /// A new trace with a reference of its own.
    #[must_use]
    pub fn trace(&self, now: Moment) -> Trace {
        Trace::begin(self.dice.id(), now)
    }
}

/// A door could not be opened: state store, database, a client's keys. Answered with 503, never with "invalid".
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unavailable(String);

impl From<crate::state::StateFault> for Unavailable {
    fn from(fault: crate::state::StateFault) -> Self {
        tracing::warn!(fault = %fault, "state store");
        Self(fault.to_string())
    }
}

impl From<crate::directory::DirectoryFault> for Unavailable {
    fn from(fault: crate::directory::DirectoryFault) -> Self {
        tracing::warn!(fault = %fault, "database");
        Self(fault.to_string())
    }
}

/// The log has its reason from the door, which keeps it.
impl From<crate::outbound::OutboundFault> for Unavailable {
    fn from(fault: crate::outbound::OutboundFault) -> Self {
        Self(fault.to_string())
    }
}
