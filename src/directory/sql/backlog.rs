//! Traces that wait to be written.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::engine::{Sql, SqlFault, params};
use super::job::{Verdict, Work};
use super::rows;
use super::statements::WRITE_TRACE;
use crate::audit::Trace;
use crate::base::{Digest, Moment};
use crate::directory::DirectoryFault;

/// Traces that may wait: some seconds of the most logins that one process serves.
const WAITING_MAX: usize = 8_192;
/// Traces that one transaction writes at most: other writes wait no longer than for this.
pub(super) const BATCH_MAX: usize = 256;

/// A trace as its row holds it: a fourth of the memory that its steps and facts take one by one.
pub(super) struct Encoded {
    name: String,
    started: Moment,
    body: String,
}

#[derive(Default)]
pub(super) struct Backlog {
    waiting: Mutex<Waiting>,
    dropped: AtomicU64,
}

/// In the order of their coming; a later trace takes the place of an earlier one of its reference.
#[derive(Default)]
struct Waiting {
    queue: VecDeque<Arc<Encoded>>,
    /// Where a name stands: its number among all that ever came.
    places: HashMap<String, u64>,
    /// Those that have left the queue.
    gone: u64,
}

impl Waiting {
    fn place(&self, name: &str) -> Option<usize> {
        usize::try_from(self.places.get(name)?.checked_sub(self.gone)?).ok()
    }

    fn push(&mut self, trace: Arc<Encoded>) {
        self.places.insert(trace.name.clone(), self.gone + self.queue.len() as u64);
        self.queue.push_back(trace);
    }

    fn pop(&mut self) -> Option<Arc<Encoded>> {
        let first = self.queue.pop_front()?;
        self.gone += 1;
        self.places.remove(&first.name);
        Some(first)
    }
}

impl Backlog {
    /// Takes a trace, or drops and counts it. True if the writer is to be told: it is the first that waits, or
    /// another batch is full.
    pub(super) fn push(&self, trace: Trace) -> bool {
        let Ok(trace) = encode(trace).map(Arc::new) else { return self.drop_one() };
        let mut waiting = self.lock();
        let place = waiting.place(&trace.name);
        if let Some(earlier) = place.and_then(|at| waiting.queue.get_mut(at)) {
            *earlier = trace;
            return false;
        }
        if waiting.queue.len() >= WAITING_MAX {
            return self.drop_one();
        }
        waiting.push(trace);
        waiting.queue.len() % BATCH_MAX == 1
    }

    fn drop_one(&self) -> bool {
        self.dropped.fetch_add(1, Ordering::Relaxed);
        false
    }

    /// The waiting trace of a reference.
    pub(super) fn find(&self, reference: &str) -> Option<Result<Trace, SqlFault>> {
        let waiting = self.lock();
        let found = waiting.queue.get(waiting.place(&row_name(reference))?)?;
        Some(decode(reference, &found.body))
    }

    pub(super) fn len(&self) -> usize {
        self.lock().queue.len()
    }

    /// The first few, which stay until they are [`Self::written`].
    pub(super) fn first(&self, most: usize) -> Vec<Arc<Encoded>> {
        self.lock().queue.iter().take(most).cloned().collect()
    }

    /// Removes these, which were the first; one in whose place a later one has come meanwhile goes to the end.
    pub(super) fn written(&self, traces: &[Arc<Encoded>]) {
        let mut waiting = self.lock();
        for written in traces {
            if let Some(first) = waiting.pop()
                && !Arc::ptr_eq(&first, written)
            {
                waiting.push(first);
            }
        }
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a trace's row is called: the reference opens it, and nothing in the row gives it away.
pub(super) fn row_name(reference: &str) -> String {
    Digest::of(reference).base64url()
}

fn encode(mut trace: Trace) -> Result<Encoded, SqlFault> {
    let name = row_name(&std::mem::take(&mut trace.reference));
    Ok(Encoded { name, started: trace.started, body: rows::json(&trace)? })
}

/// Reads the body of a row.
pub(super) fn decode(reference: &str, body: &str) -> Result<Trace, SqlFault> {
    Ok(Trace { reference: reference.to_owned(), ..rows::read_json(body)? })
}

/// A batch of traces on its way to the disk.
pub(super) struct Traces {
    traces: Vec<Arc<Encoded>>,
    fault: Option<DirectoryFault>,
}

impl Traces {
    pub(super) const fn new(traces: Vec<Arc<Encoded>>) -> Self {
        Self { traces, fault: None }
    }

    /// The traces, once they are committed.
    pub(super) fn finish(self) -> Result<Vec<Arc<Encoded>>, DirectoryFault> {
        self.fault.map_or(Ok(self.traces), Err)
    }
}

impl Work for Traces {
    fn run(&mut self, db: &dyn Sql) -> Result<Verdict, SqlFault> {
        for trace in &self.traces {
            db.execute(WRITE_TRACE, params![&trace.name, trace.started.ms(), &trace.body])?;
        }
        Ok(Verdict::Keep)
    }

    fn fail(&mut self, fault: DirectoryFault) {
        self.fault = Some(fault);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Outcome;

    fn trace(reference: &str, outcome: Outcome) -> Trace {
        Trace { outcome, ..Trace::begin(reference.to_owned(), Moment::from_secs(1)) }
    }

    fn outcome(backlog: &Backlog, reference: &str) -> Option<Outcome> {
        backlog.find(reference).map(|found| found.unwrap().outcome)
    }

    #[test]
    fn a_later_trace_of_a_login_takes_the_place_of_the_earlier_one() {
        let backlog = Backlog::default();
        assert!(backlog.push(trace("a", Outcome::Open)));
        assert!(!backlog.push(trace("b", Outcome::Open)));
        assert!(!backlog.push(trace("a", Outcome::SignedIn)));
        assert_eq!(backlog.len(), 2);
        assert_eq!(outcome(&backlog, "a"), Some(Outcome::SignedIn));
        assert_eq!(outcome(&backlog, "c"), None);
    }

    #[test]
    fn a_trace_that_comes_while_its_forerunner_is_written_is_not_lost() {
        let backlog = Backlog::default();
        for reference in ["a", "b", "c"] {
            backlog.push(trace(reference, Outcome::Open));
        }
        let first = backlog.first(2);
        backlog.push(trace("a", Outcome::Failed));
        backlog.written(&first);
        assert_eq!(backlog.len(), 2);
        assert_eq!(outcome(&backlog, "a"), Some(Outcome::Failed));
        assert_eq!(outcome(&backlog, "b"), None);
        assert_eq!(outcome(&backlog, "c"), Some(Outcome::Open));
        backlog.written(&backlog.first(9));
        assert_eq!(backlog.len(), 0);
        assert!(backlog.push(trace("a", Outcome::Open)), "the queue was empty");
    }

    #[test]
    fn the_writer_is_told_of_each_batch_that_is_full() {
        let backlog = Backlog::default();
        let told: Vec<usize> =
            (0..600).filter(|number| backlog.push(trace(&number.to_string(), Outcome::Open))).collect();
        assert_eq!(told, [0, BATCH_MAX, 2 * BATCH_MAX]);
    }
}
