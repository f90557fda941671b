//! Connections for reading.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Semaphore;

use super::super::engine::{Sql, SqlFault};
use super::address::Address;
use super::connection::{Conn, Limit, Trouble};

/// Reads at a time, and so connections.
const READERS_MAX: usize = 16;

pub(super) struct Readers {
    address: Address,
    /// `None`: closed.
    idle: Mutex<Option<Vec<Conn>>>,
    pub turns: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn new(address: Address) -> Self {
        Self { address, idle: Mutex::new(Some(Vec::new())), turns: Arc::new(Semaphore::new(READERS_MAX)) }
    }

    /// Runs `read` in this thread, which may block until `deadline`. `None`: closed.
    pub(super) fn read<T>(
        &self,
        deadline: Instant,
        read: impl Fn(&dyn Sql) -> Result<T, SqlFault>,
    ) -> Option<Result<T, SqlFault>> {
        // Any number of idle ones may have ended with their server.
        while let Some(kept) = self.kept()? {
            let (answer, trouble) = self.read_on(kept, deadline, &read);
            if trouble != Trouble::Connection || Instant::now() >= deadline {
                return Some(answer);
            }
        }
        Some(Conn::open(&self.address, deadline).and_then(|fresh| self.read_on(fresh, deadline, &read).0))
    }

    /// An idle connection, if there is one; `None`: closed.
    fn kept(&self) -> Option<Option<Conn>> {
        self.lock().as_mut().map(Vec::pop)
    }

    fn read_on<T>(
        &self,
        conn: Conn,
        deadline: Instant,
        read: impl Fn(&dyn Sql) -> Result<T, SqlFault>,
    ) -> (Result<T, SqlFault>, Trouble) {
        conn.limit(Limit::Until(deadline));
        let answer = read(&conn);
        let trouble = conn.trouble();
        conn.recovered();
        if trouble != Trouble::Connection
            && let Some(idle) = self.lock().as_mut()
        {
            idle.push(conn);
        }
        (answer, trouble)
    }

    pub(super) fn close(&self) {
        self.lock().take();
    }

    fn lock(&self) -> MutexGuard<'_, Option<Vec<Conn>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
