//! The open file.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::backlog::Backlog;
use super::super::desk::Writer;
use super::super::engine::{Sql, SqlFault};
use super::super::job::closed;
use super::super::schema::migrate;
use super::connection::{make_file, open_reader, open_writer};
use super::link::{FileLink, transaction};
use super::readers::{NotRead, Readers};
use crate::base::{Span, limits};
use crate::directory::DirectoryFault;

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

/// Connections for reading; the one that writes belongs to the writer's thread.
pub(in super::super) struct Sqlite {
    readers: Arc<Readers>,
    wait: Duration,
}

impl Sqlite {
    /// Opens the file, makes or migrates it if need be, and starts its writer.
    pub(in super::super) fn open(
        path: &Path,
        options: SqliteOptions,
        backlog: &Arc<Backlog>,
    ) -> Result<(Self, Writer), DirectoryFault> {
        make_file(path)?;
        let wait = options.wait.as_std();
        prepare(path, wait)?;
        let readers = Arc::new(Readers::new(path.to_owned()));
        let link = FileLink::new(path.to_owned(), Arc::clone(&readers));
        let writer = Writer::start(link, Arc::clone(backlog), wait, options.waiting_max)?;
        Ok((Self { readers, wait }, writer))
    }

    /// Reads in this thread.
    pub(in super::super) async fn read<T: Send>(
        &self,
        read: impl Fn(&dyn Sql) -> Result<T, SqlFault> + Send + Sync,
    ) -> Result<T, DirectoryFault> {
        let mut due = None;
        loop {
            match self.readers.read(&read) {
                Ok(answer) => return Ok(answer),
                Err(NotRead::Failed(e)) => return Err(e.into()),
                Err(NotRead::Closed) => return Err(closed()),
                Err(NotRead::Busy) => {
                    let now = Instant::now();
                    if *due.get_or_insert(now + self.wait) <= now {
                        return Err(SqlFault::Busy.into());
                    }
                }
            }
            tokio::time::sleep(READ_AGAIN).await;
        }
    }

    pub(in super::super) fn close(&self) {
        self.readers.close();
    }
}

/// A connection to a file as it is, which only reads.
pub(in super::super) fn reader(path: &Path) -> Result<impl Sql, SqlFault> {
    open_reader(path)
}

/// Makes the file ready, however many processes do so at once.
fn prepare(path: &Path, wait: Duration) -> Result<(), DirectoryFault> {
    let due = Instant::now() + wait;
    let migrated = loop {
        match open_writer(path, wait) {
            Ok(db) => break transaction(&db, || migrate(&db)),
            // Switching the file to its log answers busy without waiting.
            Err(SqlFault::Busy) if Instant::now() < due => std::thread::sleep(READ_AGAIN),
            Err(e) => return Err(e.into()),
        }
    };
    Ok(migrated?)
}
