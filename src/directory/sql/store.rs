//! The open file behind the contracts.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use rusqlite::{Connection, Result};

use super::backlog::Backlog;
use super::connection::{make_file, open_writer};
use super::fault::{fault, is_busy};
use super::link::Link;
use super::readers::{NotRead, Readers};
use super::schema::migrate;
use super::writer::{Outcome, Writer};
use crate::base::{Span, limits};
use crate::directory::unbuilt::Unbuilt;
use crate::directory::{Database, DirectoryFault, Engine};

/// How long a read that met a lock waits before it asks again; the thread serves others meanwhile.
const READ_AGAIN: Duration = Duration::from_millis(5);

/// What may differ from the defaults.
#[derive(Clone, Copy, Debug)]
pub struct SqliteOptions {
    /// How long a read or write waits for another process that holds the file.
    pub wait: Span,
    /// Writes that may wait for their turn; more are refused at once.
    pub waiting_max: usize,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self { wait: limits::DATABASE_WAIT, waiting_max: 4_096 }
    }
}

/// Opens the database in the file at `path`, and makes or migrates it if need be.
///
/// Its contracts want a tokio runtime with time.
///
/// # Errors
/// [`DirectoryFault`] if the file can't be made, read or written, is of a newer version, or is no
/// database of ours.
pub fn sqlite(path: &Path, options: SqliteOptions) -> Result<Database, DirectoryFault> {
    make_file(path)?;
    let wait = options.wait.as_std();
    prepare(path, wait)?;
    let backlog = Arc::new(Backlog::default());
    let readers = Arc::new(Readers::new(path.to_owned()));
    let link = Link::new(path.to_owned(), Arc::clone(&readers));
    let writer = Writer::start(link, Arc::clone(&backlog), wait, options.waiting_max)?;
    let store = Arc::new(Sqlite { readers, writer, backlog, wait });
    Ok(Database {
        users: store.clone(),
        upstream_hints: store.clone(),
        families: store.clone(),
        sign_outs: store.clone(),
        notices: store.clone(),
        keys: store.clone(),
        traces: store.clone(),
        roster: Arc::new(Unbuilt),
        groups: Arc::new(Unbuilt),
        lists: Arc::new(Unbuilt),
        feed: Arc::new(Unbuilt),
        sync_clients: Arc::new(Unbuilt),
        audits: Arc::new(Unbuilt),
        sightings: Arc::new(Unbuilt),
        upkeep: Arc::new(Unbuilt),
        engine: store,
    })
}

/// Makes the file ready, however many processes do so at once.
fn prepare(path: &Path, wait: Duration) -> Result<(), DirectoryFault> {
    let due = Instant::now() + wait;
    loop {
        match open_writer(path, wait) {
            Ok(mut db) => return migrate(&mut db),
            // Switching the file to its log answers busy without waiting.
            Err(e) if is_busy(&e) && Instant::now() < due => std::thread::sleep(READ_AGAIN),
            Err(e) => return Err(fault(&e)),
        }
    }
}

pub(super) struct Sqlite {
    readers: Arc<Readers>,
    writer: Writer,
    pub(super) backlog: Arc<Backlog>,
    wait: Duration,
}

impl Sqlite {
    /// Reads in this thread.
    pub(super) async fn read<T: Send>(
        &self,
        read: impl Fn(&Connection) -> Result<T> + Send + Sync,
    ) -> Result<T, DirectoryFault> {
        let mut due = None;
        loop {
            match self.readers.read(&read) {
                Ok(answer) => return Ok(answer),
                Err(NotRead::Failed(e)) => return Err(fault(&e)),
                Err(NotRead::Closed) => return Err(DirectoryFault::Unavailable("it is closed".to_owned())),
                Err(NotRead::Busy) => {
                    let now = Instant::now();
                    if *due.get_or_insert(now + self.wait) <= now {
                        return Err(DirectoryFault::Unavailable("another process holds it".to_owned()));
                    }
                }
            }
            tokio::time::sleep(READ_AGAIN).await;
        }
    }

    /// Writes; what `work` answered comes back when it is on the disk.
    pub(super) async fn write<T, W>(&self, work: W) -> Result<T, DirectoryFault>
    where
        T: Send + 'static,
        W: Fn(&Connection) -> Result<T> + Send + 'static,
    {
        self.writer.write(move |db| work(db).map(Outcome::Keep)).await
    }

    /// Writes, unless `work` wants it undone.
    pub(super) async fn write_or_undo<T, W>(&self, work: W) -> Result<T, DirectoryFault>
    where
        T: Send + 'static,
        W: Fn(&Connection) -> Result<Outcome<T>> + Send + 'static,
    {
        self.writer.write(work).await
    }

    pub(super) fn traces_wait(&self) {
        self.writer.traces_wait();
    }
}

#[async_trait]
impl Engine for Sqlite {
    async fn ping(&self) -> Result<(), DirectoryFault> {
        self.read(|db| db.prepare_cached("SELECT version FROM vestibule_schema")?.query_row([], |_| Ok(()))).await?;
        // Takes the lock of a writer and gives it back.
        self.write(|_| Ok(())).await
    }

    async fn close(&self) -> Result<(), DirectoryFault> {
        self.readers.close();
        self.writer.close().await
    }

    fn traces_dropped(&self) -> u64 {
        self.backlog.dropped()
    }
}
