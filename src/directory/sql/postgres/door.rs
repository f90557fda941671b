//! The server, and how it is opened.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::timeout_at;

use super::super::backlog::Backlog;
use super::super::desk::{Link as _, Writer};
use super::super::engine::{Sql, SqlFault};
use super::super::job::{Verdict, Work, closed};
use super::super::schema::migrate;
use super::address::Address;
use super::link::{Schema, ServerLink};
use super::readers::Readers;
use crate::base::{Secret, Span, limits};
use crate::directory::DirectoryFault;

/// How long a start waits while another server brings the tables to a new version.
const MIGRATION_WAIT: Duration = Duration::from_secs(3_600);

/// What may differ from the defaults.
#[derive(Clone, Debug)]
pub struct PostgresOptions {
    /// How long a read or write waits.
    pub wait: Span,
    /// Writes that may wait for their turn; more are refused at once.
    pub waiting_max: usize,
    /// Certificates (PEM) trusted besides the system's.
    pub ca_files: Vec<PathBuf>,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self { wait: limits::DATABASE_WAIT, waiting_max: 4_096, ca_files: Vec::new() }
    }
}

/// Connections for reading; the one that writes belongs to the writer's thread.
pub(in super::super) struct Postgres {
    readers: Arc<Readers>,
    wait: Duration,
}

impl Postgres {
    /// Connects, makes or migrates the tables if need be, and starts the writer.
    pub(in super::super) fn open(
        url: &Secret,
        options: &PostgresOptions,
        backlog: &Arc<Backlog>,
    ) -> Result<(Self, Writer), DirectoryFault> {
        let wait = options.wait.as_std();
        let address = Address::new(url, &options.ca_files)?;
        // The caller's thread may belong to a runtime, which lets nobody block on another.
        let prepared = std::thread::scope(|scope| scope.spawn(|| prepare(&address, wait)).join());
        prepared.unwrap_or_else(|_| Err(closed()))?;
        let link = ServerLink::new(address.clone(), Schema::Made, wait);
        let writer = Writer::start(link, Arc::clone(backlog), wait, options.waiting_max)?;
        Ok((Self { readers: Arc::new(Readers::new(address)), wait }, writer))
    }

    /// Reads on a thread that may block.
    pub(in super::super) async fn read<T, R>(&self, read: R) -> Result<T, DirectoryFault>
    where
        T: Send + 'static,
        R: Fn(&dyn Sql) -> Result<T, SqlFault> + Send + Sync + 'static,
    {
        let deadline = Instant::now() + self.wait;
        let turn = timeout_at(deadline.into(), Arc::clone(&self.readers.turns).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else {
            return Err(DirectoryFault::Unavailable("too many reads are waiting".to_owned()));
        };
        let readers = Arc::clone(&self.readers);
        let reading = tokio::task::spawn_blocking(move || {
            let answer = readers.read(deadline, read);
            drop(turn);
            answer
        });
        match reading.await {
            Ok(Some(answer)) => Ok(answer?),
            Ok(None) | Err(_) => Err(closed()),
        }
    }

    pub(in super::super) fn close(&self) {
        self.readers.close();
    }
}

/// Brings the tables to the newest version, under the lock of all writes.
struct Migration(Option<DirectoryFault>);

impl Work for Migration {
    fn run(&mut self, db: &dyn Sql) -> Result<Verdict, SqlFault> {
        // It takes as long as it takes.
        db.script("SET LOCAL statement_timeout = 0")?;
        migrate(db)?;
        Ok(Verdict::Keep)
    }

    fn fail(&mut self, fault: DirectoryFault) {
        self.0 = Some(fault);
    }
}

fn prepare(address: &Address, wait: Duration) -> Result<(), DirectoryFault> {
    let end = Instant::now() + MIGRATION_WAIT;
    // That it can be reached at all is told sooner.
    drop(super::connection::Conn::open(address, Instant::now() + wait)?);
    let mut link = ServerLink::new(address.clone(), Schema::ToBeMade, MIGRATION_WAIT);
    loop {
        let mut migration = Migration(None);
        match link.commit(end, std::iter::once(&mut migration as &mut dyn Work)) {
            Ok(()) => return migration.0.map_or(Ok(()), Err),
            Err(SqlFault::Busy) if Instant::now() < end => {}
            Err(fault) => return Err(fault.into()),
        }
    }
}
