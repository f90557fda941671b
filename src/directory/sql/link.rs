//! The writer's connection, opened anew whenever the old one can't be trusted.

use std::fs::metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use rusqlite::{Connection, Error, ErrorCode, Result};

use super::connection::open_writer;
use super::fault::{busy, senseless, spoils_connection};
use super::readers::Readers;
use super::schema::is_current;

pub(super) struct Link {
    path: PathBuf,
    readers: Arc<Readers>,
    open: Option<Open>,
    /// A write or fsync failed: what the log holds may not be on the disk, though it can be read.
    doubtful: bool,
}

struct Open {
    db: Connection,
    file: FileId,
}

/// Which file a path leads to.
#[derive(Clone, Copy, PartialEq, Eq)]
struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    fn of(path: &Path) -> Option<Self> {
        metadata(path).ok().map(|file| Self { device: file.dev(), inode: file.ino() })
    }
}

impl Link {
    pub(super) const fn new(path: PathBuf, readers: Arc<Readers>) -> Self {
        Self { path, readers, open: None, doubtful: false }
    }

    /// Runs `work` in one transaction, waiting until `due` if another process holds the file.
    pub(super) fn transaction(&mut self, due: Instant, work: impl FnOnce(&Connection) -> Result<()>) -> Result<()> {
        let attempt = self.connection(due).and_then(|db| transaction(db, work));
        if let Err(error) = &attempt
            && spoils_connection(error)
        {
            self.open = None;
            self.doubtful |= error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure);
        }
        attempt
    }

    fn connection(&mut self, due: Instant) -> Result<&Connection> {
        let file = FileId::of(&self.path);
        if self.open.as_ref().is_some_and(|open| Some(open.file) != file) {
            // The file was moved away or replaced: what is written to it now, nobody would find.
            self.open = None;
            self.readers.renew();
        }
        let wait = due.saturating_duration_since(Instant::now());
        let open = match self.open.take() {
            Some(open) => open,
            None => {
                let db = open_writer(&self.path, wait)?;
                if !is_current(&db)? {
                    return Err(senseless("its schema is of another version"));
                }
                let file = FileId::of(&self.path).ok_or_else(|| senseless("it vanished"))?;
                Open { db, file }
            }
        };
        let open = self.open.insert(open);
        open.db.busy_timeout(wait)?;
        if self.doubtful {
            read_out_log(&open.db)?;
            self.doubtful = false;
        }
        Ok(&open.db)
    }
}

/// Moves the whole log into the database, with an fsync of its own, and begins a new one: a commit is
/// on the disk only if all of the log before it is.
fn read_out_log(db: &Connection) -> Result<()> {
    let blocked: i64 = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    if blocked == 0 { Ok(()) } else { Err(busy()) }
}

fn transaction(db: &Connection, work: impl FnOnce(&Connection) -> Result<()>) -> Result<()> {
    execute(db, "BEGIN IMMEDIATE")?;
    let attempt = work(db).and_then(|()| execute(db, "COMMIT"));
    if attempt.is_err() && !db.is_autocommit() {
        execute(db, "ROLLBACK")?;
    }
    attempt
}

pub(super) fn execute(db: &Connection, sql: &str) -> Result<(), Error> {
    db.prepare_cached(sql)?.execute([]).map(drop)
}
