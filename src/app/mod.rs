//! The composition root: from the config folder to a server that runs. The only place that makes doors, reads the
//! clock and rolls the dice.

pub mod system;
pub mod seal_file;
pub mod parts;
pub mod certificate;
pub mod tls;
mod serve;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use actix_web::web::Data;

use crate::base::limits::SHUTDOWN_GRACE;
use crate::base::{Clock, Dice};
use crate::config::Finding;
use crate::flow::Ports;

/// How often it is looked whether all requests have ended.
const DRAIN_LOOK: Duration = Duration::from_millis(20);

/// Looks up a name in the environment.
pub type Environment = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// What a server is started from.
#[derive(Clone)]
pub struct Options {
    /// The config folder.
    pub folder: PathBuf,
    pub clock: Arc<dyn Clock>,
    pub dice: Arc<dyn Dice>,
    /// In place of the file's `listen`.
    pub listen: Option<SocketAddr>,
    pub environment: Environment,
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartFault {
    /// The files are wrong.
    #[error("the configuration has faults")]
    Config(Vec<Finding>),
    #[error("{0}")]
    Seal(String),
    #[error(transparent)]
    Directory(#[from] crate::directory::DirectoryFault),
    #[error(transparent)]
    State(#[from] crate::state::StateFault),
    #[error(transparent)]
    Ring(#[from] crate::jobs::keys::RingFault),
    #[error("{what} can't be listened at: {fault}")]
    Listen { what: SocketAddr, fault: std::io::Error },
    #[error("TLS: {0}")]
    Tls(String),
}

/// A server that runs.
pub struct Running {
    ports: Data<Ports>,
    address: SocketAddr,
    management: Option<SocketAddr>,
    /// The public one first.
    servers: Vec<actix_web::dev::ServerHandle>,
    ended: Vec<tokio::task::JoinHandle<std::io::Result<()>>>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
    deliveries: tokio::task::JoinHandle<()>,
    _watch: crate::config::live::Watch,
}

/// Starts a server: it answers when this returns.
///
/// # Errors
/// [`StartFault`].
pub async fn start(options: Options) -> Result<Running, StartFault> {
    let made = parts::make(&options)?;
    let ports = Data::new(parts::ports(made).await?);
    let watch = ports.config.watch();
    let server = Arc::clone(&ports.config.snapshot().server);
    let listen = options.listen.unwrap_or(server.listen);
    let (public, address) = serve::public(&ports, listen, &server)?;
    let mut servers = vec![public.handle()];
    let mut ended = vec![tokio::spawn(public)];
    let mut management = None;
    if let Some(at) = server.management_listen {
        let (private, address) = serve::management(&ports, at)?;
        servers.push(private.handle());
        ended.push(tokio::spawn(private));
        management = Some(address);
    }
    let (tasks, deliveries) = (serve::tasks(&ports), serve::deliveries(&ports));
    Ok(Running { ports, address, management, servers, ended, tasks, deliveries, _watch: watch })
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where metrics and readiness are.
    #[must_use]
    pub const fn management(&self) -> Option<SocketAddr> {
        self.management
    }

    #[must_use]
    pub fn ports(&self) -> &Ports {
        &self.ports
    }

    /// Until all requests have ended, and what is on its way to clients.
    async fn drained(&self) {
        while self.ports.metrics.requests_under_way() > 0 || !self.deliveries.is_finished() {
            tokio::time::sleep(DRAIN_LOOK).await;
        }
    }

    /// An orderly end: unready first, then what is under way finishes, then state and database are closed.
    pub async fn stop(self) {
        self.ports.stopping.store(true, Ordering::Relaxed);
        self.ports.notices_wait.notify_one();
        // Workers that have nothing to do end first, and with them the connections to identity providers that they
        // opened and others use: so none ends while a request is under way.
        if let Some(public) = self.servers.first() {
            public.pause().await;
        }
        if tokio::time::timeout(SHUTDOWN_GRACE.as_std(), self.drained()).await.is_err() {
            tracing::warn!("some requests, or notices to clients, did not finish in time");
        }
        for server in &self.servers {
            server.stop(true).await;
        }
        for ended in self.ended {
            if let Ok(Err(fault)) = ended.await {
                tracing::warn!(%fault, "a listener ended badly");
            }
        }
        for task in self.tasks.iter().chain([&self.deliveries]) {
            task.abort();
        }
        crate::jobs::sightings::tick(&self.ports).await;
        if let Err(fault) = self.ports.state.close().await {
            tracing::warn!(%fault, "the state store was not closed in order");
        }
        if let Err(fault) = self.ports.directory.close().await {
            tracing::warn!(%fault, "the database was not closed in order");
        }
    }
}
