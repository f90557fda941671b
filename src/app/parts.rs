//! The parts, made from the configuration.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use arc_swap::ArcSwap;

use super::{Options, StartFault, seal_file};
use crate::backchannel::Clients;
use crate::base::limits::UNPROVEN_TRACES_PER_MINUTE;
use crate::config::lints::DIR08;
use crate::config::{DatabaseUrl, Finding, Live, Server, Snapshot, StateUrl};
use crate::directory::{Database, Kept, PostgresOptions, SqliteOptions, kept};
use crate::flow::Ports;
use crate::flow::admission::{Failures, LoginsUnderWay, PerSecond, Pushes, Seldom};
use crate::flow::confirmed::{ConfirmedUsers, Editions};
use crate::flow::sightings::Gathered;
use crate::jobs::keys::{Keeper, rotation, tick};
use crate::keys::client_secret::RememberedSecrets;
use crate::keys::ring::Ring;
use crate::keys::seal::Seal;
use crate::metrics::Metrics;
use crate::scim::changes::AuditKey;
use crate::state::{self, StateStore};
use crate::upstream::Upstream;

/// Right client secrets that are remembered, so that each is hashed once.
const REMEMBERED_SECRETS_MAX: usize = 10_000;

/// Configuration, seal and database: what commands beside a server need too.
pub struct Parts {
    pub options: Options,
    pub config: Arc<Live>,
    pub seal: Arc<Seal>,
    pub directory: Database,
}

/// Reads the configuration and opens what lasts.
///
/// # Errors
/// [`StartFault`].
pub fn make(options: &Options) -> Result<Parts, StartFault> {
    // A second call finds the provider installed.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let environment = Arc::clone(&options.environment);
    let config = Live::new(&options.folder, move |name| environment(name)).map_err(StartFault::Config)?;
    let server = Arc::clone(&config.snapshot().server);
    let seal = Arc::new(seal_file::open(&server, &*options.dice).map_err(StartFault::Seal)?);
    let directory = match &server.database {
        DatabaseUrl::Sqlite(file) => crate::directory::sqlite(file, SqliteOptions::default())?,
        DatabaseUrl::Postgres(url) => {
            let options = PostgresOptions { ca_files: server.outbound.ca_files.clone(), ..PostgresOptions::default() };
            crate::directory::postgres(url, &options)?
        }
    };
    Ok(Parts { options: options.clone(), config, seal, directory })
}

/// Attributes that these files take out of a list, or did before, while users have values of them. The file of
/// the database is read as it is, and neither made nor migrated; nothing goes over the network.
#[must_use]
pub fn out_of_use(folder: &Path, snapshot: &Snapshot) -> Vec<Finding> {
    let DatabaseUrl::Sqlite(file) = &snapshot.server.database else { return Vec::new() };
    let concerns =
        |directory: &str, attribute: &str| snapshot.directories.get(directory).is_some_and(|d| !d.confirms(attribute));
    let finding = |Kept { directory, attribute, holders }| {
        let file = folder.join(format!("directories/{directory}.toml"));
        let whose = if holders == 1 { "user has" } else { "users have" };
        Finding::whole(&DIR08, file.display().to_string(), format!("{holders} {whose} `{attribute}`"))
    };
    kept(file, &concerns).into_iter().map(finding).collect()
}

/// Everything that errands need.
///
/// # Errors
/// [`StartFault`].
pub async fn ports(parts: Parts) -> Result<Ports, StartFault> {
    let Parts { options, config, seal, directory } = &parts;
    let snapshot = config.snapshot();
    let state = open_state(&snapshot.server, state_options(&parts, state_file(&snapshot.server)))?;
    // The connection lives on the runtime that first calls; a server that is down is told by readiness.
    let _ = state.ping().await;
    let keeper = Keeper { store: &*directory.keys, seal, dice: &*options.dice };
    let ring = tick(&keeper, &rotation(&snapshot), options.clock.now()).await?;
    Ok(assembled(parts, state, ring))
}

/// The same for a rehearsal: what is written is undone, no key is made, and no state is shared with a server.
///
/// # Errors
/// [`StartFault`].
pub fn rehearsal(parts: &Parts) -> Result<Ports, StartFault> {
    let state = state::embedded(state_options(parts, None))?;
    let parts = Parts {
        options: parts.options.clone(),
        config: Arc::clone(&parts.config),
        seal: Arc::clone(&parts.seal),
        directory: parts.directory.rehearsal(),
    };
    Ok(assembled(parts, state, Ring::from_keys(Vec::new())))
}

fn state_options(parts: &Parts, file: Option<PathBuf>) -> state::Options {
    let (clock, dice) = (Arc::clone(&parts.options.clock), Arc::clone(&parts.options.dice));
    state::Options { clock, dice, seal: Arc::clone(&parts.seal), file }
}

fn assembled(parts: Parts, state: Arc<dyn StateStore>, ring: Ring) -> Ports {
    let Parts { options, config, seal, mut directory } = parts;
    let snapshot = config.snapshot();
    let (clock, dice) = (options.clock, options.dice);
    let upstream = Upstream::new(&snapshot.server.outbound, Arc::clone(&clock), Arc::clone(&dice));
    let clients = Clients::new(&snapshot.server.outbound, Arc::clone(&clock));
    let mut process_key = [0_u8; 32];
    dice.fill(&mut process_key);
    let users = ConfirmedUsers::new(directory.users, Arc::clone(&config));
    directory.users = Arc::new(users);
    let metrics = Metrics::default();
    metrics.config_loaded(clock.now());
    Ports {
        unproven: Seldom::new(UNPROVEN_TRACES_PER_MINUTE),
        failures: Failures::new(snapshot.server.limits.client_failures_per_minute),
        pairwise_salt: seal.derive("pairwise subjects"),
        secrets: Arc::new(RememberedSecrets::new(&process_key, REMEMBERED_SECRETS_MAX)),
        upstream: Arc::new(upstream),
        clients: Arc::new(clients),
        ring: ArcSwap::from_pointee(ring),
        under_way: LoginsUnderWay::default(),
        pushes: Pushes::default(),
        stopping: AtomicBool::new(false),
        notices_wait: tokio::sync::Notify::new(),
        leavings_wait: tokio::sync::Notify::new(),
        audit_key: AuditKey::new(&seal.derive("audit")),
        scim_rates: PerSecond::default(),
        sightings: Gathered::default(),
        editions: Editions::default(),
        seal,
        clock,
        dice,
        config,
        state,
        directory,
        metrics,
    }
}

/// The state store alone, for a look at it from beside a server: the embedded one is empty then.
///
/// # Errors
/// [`StartFault`] if its address can't be used.
pub fn open_state_of(options: &Options, seal: &Arc<Seal>, server: &Server) -> Result<Arc<dyn StateStore>, StartFault> {
    let (clock, dice) = (Arc::clone(&options.clock), Arc::clone(&options.dice));
    open_state(server, state::Options { clock, dice, seal: Arc::clone(seal), file: None })
}

fn open_state(server: &Server, options: state::Options) -> Result<Arc<dyn StateStore>, StartFault> {
    Ok(match &server.state {
        StateUrl::Embedded => state::embedded(options)?,
        StateUrl::Redis(url) => state::redis(url, options)?,
    })
}

/// Where the embedded state rests between an orderly end and the next start: beside the database. With PostgreSQL no
/// folder is ours, and it ends with the process.
fn state_file(server: &Server) -> Option<PathBuf> {
    match &server.database {
        DatabaseUrl::Sqlite(database) => Some(database.with_extension("state")),
        DatabaseUrl::Postgres(_) => None,
    }
}
