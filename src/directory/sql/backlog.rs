//! Traces that wait to be written.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, Result, params};

use super::rows;
use super::statements::WRITE_TRACE;
use crate::audit::Trace;
use crate::base::Digest;

/// Traces that may wait: some seconds of the most logins that one process serves.
const WAITING_MAX: usize = 8_192;

#[derive(Default)]
pub(super) struct Backlog {
    waiting: Mutex<VecDeque<Arc<Trace>>>,
    dropped: AtomicU64,
}

impl Backlog {
    /// Takes a trace, or drops and counts it. True if it is the first that waits.
    pub(super) fn push(&self, trace: Trace) -> bool {
        let mut waiting = self.lock();
        if waiting.len() >= WAITING_MAX {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return false;
        }
        waiting.push_back(Arc::new(trace));
        waiting.len() == 1
    }

    /// The latest waiting trace of a reference.
    pub(super) fn find(&self, reference: &str) -> Option<Trace> {
        self.lock().iter().rev().find(|trace| trace.reference == reference).map(|trace| Trace::clone(trace))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// The first few, which stay until they are [`Self::written`].
    pub(super) fn first(&self, most: usize) -> Vec<Arc<Trace>> {
        self.lock().iter().take(most).cloned().collect()
    }

    /// Removes the first `count`.
    pub(super) fn written(&self, count: usize) {
        let mut waiting = self.lock();
        let count = count.min(waiting.len());
        waiting.drain(..count);
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Arc<Trace>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a trace's row is called: the reference opens it, and nothing in the row gives it away.
pub(super) fn row_name(reference: &str) -> String {
    Digest::of(reference).base64url()
}

pub(super) fn write_traces(db: &Connection, traces: &[Arc<Trace>]) -> Result<()> {
    let mut statement = db.prepare_cached(WRITE_TRACE)?;
    for trace in traces {
        let body = Trace { reference: String::new(), ..Trace::clone(trace) };
        statement.execute(params![row_name(&trace.reference), trace.started.ms(), rows::json(&body)?])?;
    }
    Ok(())
}
