//! Connections for reading, as many as threads read at a time.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::super::engine::{Sql, SqlFault};
use super::connection::{Db, Health, open_reader};

/// Idle connections that are kept.
const IDLE_MAX: usize = 16;

pub(super) struct Readers {
    path: PathBuf,
    /// `None`: closed.
    idle: Mutex<Option<Idle>>,
}

#[derive(Default)]
struct Idle {
    connections: Vec<Db>,
    /// How often the file was found to be another one: connections of before are not kept.
    generation: u64,
}

/// Why a read gave nothing.
pub(super) enum NotRead {
    /// Somebody holds the file for a moment; ask again.
    Busy,
    Failed(SqlFault),
    Closed,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, idle: Mutex::new(Some(Idle::default())) }
    }

    /// Runs `read` in this thread. One statement sees one moment of the database.
    pub(super) fn read<T>(&self, read: impl FnOnce(&dyn Sql) -> Result<T, SqlFault>) -> Result<T, NotRead> {
        let (db, generation) = match self.lock().as_mut() {
            None => return Err(NotRead::Closed),
            Some(idle) => (idle.connections.pop(), idle.generation),
        };
        let attempt = db.map_or_else(|| open_reader(&self.path), Ok).and_then(|db| {
            let answer = read(&db);
            if db.health() == Health::Well {
                self.keep(db, generation);
            }
            answer
        });
        attempt.map_err(|e| match e {
            SqlFault::Busy => NotRead::Busy,
            other => NotRead::Failed(other),
        })
    }

    fn keep(&self, db: Db, generation: u64) {
        if let Some(idle) = self.lock().as_mut()
            && idle.generation == generation
            && idle.connections.len() < IDLE_MAX
        {
            idle.connections.push(db);
        }
    }

    /// Lets go of all connections, because the path leads to another file now.
    pub(super) fn renew(&self) {
        if let Some(idle) = self.lock().as_mut() {
            *idle = Idle { connections: Vec::new(), generation: idle.generation.wrapping_add(1) };
        }
    }

    pub(super) fn close(&self) {
        self.lock().take();
    }

    fn lock(&self) -> MutexGuard<'_, Option<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
