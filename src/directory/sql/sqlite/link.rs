//! The writer's connection, opened anew whenever the old one can't be trusted.

use std::fs::metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use super::super::desk::Link;
use super::super::engine::{Sql, SqlFault};
use super::super::job::{Verdict, Work};
use super::super::schema::is_current;
use super::connection::{Db, Health, open_writer};
use super::readers::Readers;

pub(super) struct FileLink {
    path: PathBuf,
    readers: Arc<Readers>,
    open: Option<Open>,
    /// A write or fsync failed: what the log holds may not be on the disk, though it can be read.
    doubtful: bool,
}

struct Open {
    db: Db,
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

impl FileLink {
    pub(super) const fn new(path: PathBuf, readers: Arc<Readers>) -> Self {
        Self { path, readers, open: None, doubtful: false }
    }

    fn connection(&mut self, due: Instant) -> Result<&Db, SqlFault> {
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
                    return Err(SqlFault::Damage("its schema is of another version".to_owned()));
                }
                let file = FileId::of(&self.path).ok_or_else(|| SqlFault::Damage("it vanished".to_owned()))?;
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

    /// Lets go of a connection that may not be used again.
    fn look_after(&mut self) {
        let health = self.open.as_ref().map_or(Health::Well, |open| open.db.health());
        if health != Health::Well {
            self.open = None;
            self.doubtful |= health == Health::Doubtful;
        }
    }
}

impl Link for FileLink {
    const BATCH_MAX: usize = 256;

    fn commit<'a>(&mut self, due: Instant, jobs: impl Iterator<Item = &'a mut dyn Work>) -> Result<(), SqlFault> {
        let attempt = self.connection(due).and_then(|db| transaction(db, || run_all(db, jobs)));
        self.look_after();
        attempt
    }
}

/// Moves the whole log into the database, with an fsync of its own, and begins a new one: a commit is
/// on the disk only if all of the log before it is.
fn read_out_log(db: &Db) -> Result<(), SqlFault> {
    let sql: &dyn Sql = db;
    match sql.first("PRAGMA wal_checkpoint(TRUNCATE)", &[], |row| row.int(0))? {
        Some(0) => Ok(()),
        _ => Err(SqlFault::Busy),
    }
}

/// Runs `work` in a transaction, which ends with it.
pub(super) fn transaction(db: &Db, work: impl FnOnce() -> Result<(), SqlFault>) -> Result<(), SqlFault> {
    db.execute("BEGIN IMMEDIATE", &[])?;
    let attempt = work().and_then(|()| db.execute("COMMIT", &[]).map(drop));
    if attempt.is_err() && !db.is_autocommit() {
        db.execute("ROLLBACK", &[])?;
    }
    attempt
}

/// Each in a savepoint of its own: what fails in one is no matter of the others.
fn run_all<'a>(db: &Db, mut jobs: impl Iterator<Item = &'a mut dyn Work>) -> Result<(), SqlFault> {
    jobs.try_for_each(|job| {
        db.execute("SAVEPOINT errand", &[])?;
        match job.run(db) {
            Ok(Verdict::Keep) => {}
            Ok(Verdict::Undo) => {
                db.execute("ROLLBACK TO errand", &[])?;
            }
            Err(e) if db.is_autocommit() || db.health() != Health::Well => return Err(e),
            Err(e) => {
                db.execute("ROLLBACK TO errand", &[])?;
                job.fail(e.into());
            }
        }
        db.execute("RELEASE errand", &[]).map(drop)
    })
}
