//! The open database behind the contracts, whichever engine it is.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;

use super::backlog::Backlog;
use super::desk::Writer;
use super::engine::{Outcome, Sql, SqlFault};
use super::job::Kind;
use super::postgres::{Postgres, PostgresOptions};
use super::sqlite::{Sqlite, SqliteOptions};
use super::statements::SCHEMA_VERSION;
use crate::base::Secret;
use crate::directory::{Database, DirectoryFault, Engine};

/// Opens the database in the file at `path`, and makes or migrates it if need be.
///
/// Its contracts want a tokio runtime with time.
///
/// # Errors
/// [`DirectoryFault`] if the file can't be made, read or written, is of a newer version, or is no
/// database of ours.
pub fn sqlite(path: &Path, options: SqliteOptions) -> Result<Database, DirectoryFault> {
    let backlog = Arc::new(Backlog::default());
    let (readers, writer) = Sqlite::open(path, options, &backlog)?;
    Ok(database(Store::new(Readers::Sqlite(readers), writer, backlog)))
}

/// Opens the database at `url` (`postgres://…`), and makes or migrates its tables if need be. Blocks meanwhile.
///
/// Its contracts want a tokio runtime with time.
///
/// # Errors
/// [`DirectoryFault`] if the server can't be reached or written, or its tables are of a newer version or not ours.
pub fn postgres(url: &Secret, options: &PostgresOptions) -> Result<Database, DirectoryFault> {
    let backlog = Arc::new(Backlog::default());
    let (readers, writer) = Postgres::open(url, options, &backlog)?;
    Ok(database(Store::new(Readers::Postgres(readers), writer, backlog)))
}

fn database(store: Store) -> Database {
    let store = Arc::new(store);
    Database {
        users: store.clone(),
        upstream_hints: store.clone(),
        families: store.clone(),
        sign_outs: store.clone(),
        notices: store.clone(),
        keys: store.clone(),
        traces: store.clone(),
        roster: store.clone(),
        groups: store.clone(),
        lists: store.clone(),
        feed: store.clone(),
        sync_clients: store.clone(),
        audits: store.clone(),
        sightings: store.clone(),
        upkeep: store.clone(),
        engine: store,
    }
}

#[derive(Clone)]
pub(super) struct Store {
    readers: Arc<Readers>,
    writer: Arc<Writer>,
    pub(super) backlog: Arc<Backlog>,
    lasting: Lasting,
}

/// What becomes of writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lasting {
    Kept,
    /// They are answered as if they stayed, and undone.
    Undone,
}

enum Readers {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

impl Store {
    fn new(readers: Readers, writer: Writer, backlog: Arc<Backlog>) -> Self {
        Self { readers: Arc::new(readers), writer: Arc::new(writer), backlog, lasting: Lasting::Kept }
    }

    /// Reads. `read` may run again, and on another thread; each statement sees one moment of the database.
    pub(super) async fn read<T, R>(&self, read: R) -> Result<T, DirectoryFault>
    where
        T: Send + 'static,
        R: Fn(&dyn Sql) -> Result<T, SqlFault> + Send + Sync + 'static,
    {
        match &*self.readers {
            Readers::Sqlite(readers) => readers.read(read).await,
            Readers::Postgres(readers) => readers.read(read).await,
        }
    }

    /// Writes; what `work` answered comes back when it is on the disk. `work` may run again.
    pub(super) async fn write<T, W>(&self, work: W) -> Result<T, DirectoryFault>
    where
        T: Send + 'static,
        W: Fn(&dyn Sql) -> Result<T, SqlFault> + Send + 'static,
    {
        self.write_or_undo(move |db| work(db).map(Outcome::Keep)).await
    }

    /// Writes, unless `work` wants it undone.
    pub(super) async fn write_or_undo<T, W>(&self, work: W) -> Result<T, DirectoryFault>
    where
        T: Send + 'static,
        W: Fn(&dyn Sql) -> Result<Outcome<T>, SqlFault> + Send + 'static,
    {
        let lasting = self.lasting;
        let work = move |db: &dyn Sql| match (work(db)?, lasting) {
            (Outcome::Keep(answer), Lasting::Undone) => Ok(Outcome::Undo(answer)),
            (outcome, _) => Ok(outcome),
        };
        self.writer.write(work).await
    }

    /// Writes an item, together with others of its kind where that is quicker.
    pub(super) async fn write_jointly<I, T>(&self, item: I, kind: Kind<I, T>) -> Result<T, DirectoryFault>
    where
        I: Send + 'static,
        T: Send + 'static,
    {
        match self.lasting {
            Lasting::Kept => self.writer.write_jointly(item, kind).await,
            Lasting::Undone => self.write_or_undo(move |db| (kind.alone)(db, &item)).await,
        }
    }

    pub(super) fn traces_wait(&self) {
        self.writer.traces_wait();
    }
}

#[async_trait]
impl Engine for Store {
    async fn ping(&self) -> Result<(), DirectoryFault> {
        self.read(|db| db.exists(SCHEMA_VERSION, &[])).await?;
        // Takes the lock of a writer and gives it back.
        self.write(|_| Ok(())).await
    }

    async fn close(&self) -> Result<(), DirectoryFault> {
        match &*self.readers {
            Readers::Sqlite(readers) => readers.close(),
            Readers::Postgres(readers) => readers.close(),
        }
        self.writer.close().await
    }

    fn traces_dropped(&self) -> u64 {
        self.backlog.dropped()
    }

    fn rehearsal(&self) -> Database {
        database(Self { lasting: Lasting::Undone, ..self.clone() })
    }
}
