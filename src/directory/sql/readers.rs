//! Connections for reading, as many as threads read at a time.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, Result};

use super::connection::open_reader;
use super::fault::{is_busy, spoils_connection};

/// Idle connections that are kept.
const IDLE_MAX: usize = 16;

pub(super) struct Readers {
    path: PathBuf,
    /// `None`: closed.
    idle: Mutex<Option<Vec<Connection>>>,
}

/// Why a read gave nothing.
pub(super) enum NotRead {
    /// Somebody holds the file for a moment; ask again.
    Busy,
    Failed(rusqlite::Error),
    Closed,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, idle: Mutex::new(Some(Vec::new())) }
    }

    /// Runs `read` in this thread. One statement sees one moment of the database.
    pub(super) fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T>) -> Result<T, NotRead> {
        let db = match self.idle.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            None => return Err(NotRead::Closed),
            Some(idle) => idle.pop(),
        };
        let attempt = db.map_or_else(|| open_reader(&self.path), Ok).and_then(|db| {
            let answer = read(&db);
            if !answer.as_ref().is_err_and(spoils_connection) {
                self.keep(db);
            }
            answer
        });
        attempt.map_err(|e| if is_busy(&e) { NotRead::Busy } else { NotRead::Failed(e) })
    }

    fn keep(&self, db: Connection) {
        if let Some(idle) = self.idle.lock().unwrap_or_else(PoisonError::into_inner).as_mut()
            && idle.len() < IDLE_MAX
        {
            idle.push(db);
        }
    }

    pub(super) fn close(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}
