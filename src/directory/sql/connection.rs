//! Connections to one file: how they are opened, and as whom the file is made.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{Error as IoError, ErrorKind};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Result};

use crate::directory::DirectoryFault;

/// Statements that a connection keeps prepared: more than there are.
const STATEMENTS_KEPT: usize = 64;
/// The write-ahead log is cut back to this size when it was read out.
const LOG_BYTES_KEPT: i64 = 16 * 1024 * 1024;

/// Makes the folder (0700) and the empty file (0600) if they are missing.
pub(super) fn make_file(path: &Path) -> Result<(), DirectoryFault> {
    let unavailable = |e: IoError| DirectoryFault::Unavailable(format!("{}: {e}", path.display()));
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(unavailable)?;
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(e) if e.kind() != ErrorKind::AlreadyExists => Err(unavailable(e)),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// A connection that writes. The file must be there: one that vanished is not replaced by an empty one.
pub(super) fn open_writer(path: &Path, wait: Duration) -> Result<Connection> {
    let db = open(path, wait)?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    // A commit is on the disk before it is answered.
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "foreign_keys", true)?;
    db.pragma_update(None, "journal_size_limit", LOG_BYTES_KEPT)?;
    Ok(db)
}

/// A connection that only reads. It waits for nothing: the caller has other requests to serve meanwhile.
pub(super) fn open_reader(path: &Path) -> Result<Connection> {
    let db = open(path, Duration::ZERO)?;
    db.pragma_update(None, "query_only", true)?;
    Ok(db)
}

fn open(path: &Path, wait: Duration) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    db.busy_timeout(wait)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    // Otherwise a search is planned anew for each value, which costs more than the search itself.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // What is in the file may be wrong, but it may not run anything.
    db.pragma_update(None, "trusted_schema", false)?;
    Ok(db)
}
