//! The one thread that writes. What waits is committed together: one fsync for all of it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::backlog::{BATCH_MAX as TRACES_MAX, Backlog, Traces};
use super::engine::{Outcome, Sql, SqlFault};
use super::job::{Errand, Job, Joint, Kind, Ticket, Work, closed};
use crate::directory::DirectoryFault;

/// How long a trace waits for others to be written with.
const TRACE_WAIT: Duration = Duration::from_secs(1);

/// How long a batch that met a lock waits before it tries again.
const TRY_AGAIN: Duration = Duration::from_millis(5);

/// Where writes are handed in.
pub(super) struct Writer {
    inbox: SyncSender<Message>,
    wait: Duration,
}

enum Message {
    Write(Ticket),
    /// Traces wait.
    Traces,
    Close(oneshot::Sender<Result<(), DirectoryFault>>),
}

/// The connection of the one who writes, and what is particular to its engine.
pub(super) trait Link: Send + 'static {
    /// Writes that one commit holds at most.
    const BATCH_MAX: usize;

    /// Whether the database answered last time, so that what has waited too long may still be written.
    fn is_open(&self) -> bool {
        true
    }

    /// Runs all jobs in one transaction, each by itself, and commits. [`SqlFault::Busy`]: nothing of it is there, and
    /// all may run again, if `due` isn't over.
    fn commit<'a>(&mut self, due: Instant, jobs: impl Iterator<Item = &'a mut dyn Work>) -> Result<(), SqlFault>;
}

impl Writer {
    /// Starts the thread on a file that is there and migrated.
    pub(super) fn start(
        link: impl Link,
        backlog: Arc<Backlog>,
        wait: Duration,
        waiting_max: usize,
    ) -> Result<Self, DirectoryFault> {
        let (inbox, outbox) = sync_channel(waiting_max);
        let desk = Desk { link, wait, backlog, outbox, batch: VecDeque::new(), flush_at: None, closing: None };
        std::thread::Builder::new()
            .name("directory".to_owned())
            .spawn(move || desk.run())
            .map_err(|e| DirectoryFault::Unavailable(format!("no thread to write: {e}")))?;
        Ok(Self { inbox, wait })
    }

    /// Runs `work` in a transaction; the answer comes when it is on the disk. `work` may run again if
    /// the transaction has to.
    pub(super) async fn write<T, W>(&self, work: W) -> Result<T, DirectoryFault>
    where
        T: Send + 'static,
        W: Fn(&dyn Sql) -> Result<Outcome<T>, SqlFault> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.hand_in(Box::new(Errand::new(work, reply)))?;
        answer.await.unwrap_or_else(|_| Err(closed()))
    }

    /// Writes as [`write`](Self::write) does, together with others of its kind where that is quicker.
    pub(super) async fn write_jointly<I, T>(&self, item: I, kind: Kind<I, T>) -> Result<T, DirectoryFault>
    where
        I: Send + 'static,
        T: Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.hand_in(Box::new(Joint::new(item, kind, reply)))?;
        answer.await.unwrap_or_else(|_| Err(closed()))
    }

    fn hand_in(&self, job: Box<dyn Job>) -> Result<(), DirectoryFault> {
        let ticket = Ticket { job, due: Instant::now() + self.wait };
        self.inbox.try_send(Message::Write(ticket)).map_err(|e| match e {
            TrySendError::Full(_) => DirectoryFault::Unavailable("too many writes are waiting".to_owned()),
            TrySendError::Disconnected(_) => closed(),
        })
    }

    /// Says that traces wait. A full inbox needs no word: traces are looked at after each batch.
    pub(super) fn traces_wait(&self) {
        let _busy = self.inbox.try_send(Message::Traces);
    }

    /// Lets the thread end when all before this is written. It is no fault if it has ended already.
    pub(super) async fn close(&self) -> Result<(), DirectoryFault> {
        let (reply, answer) = oneshot::channel();
        let mut message = Message::Close(reply);
        loop {
            message = match self.inbox.try_send(message) {
                Ok(()) => return answer.await.unwrap_or(Ok(())),
                Err(TrySendError::Disconnected(_)) => return Ok(()),
                Err(TrySendError::Full(message)) => message,
            };
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// The thread's own side.
struct Desk<L> {
    wait: Duration,
    backlog: Arc<Backlog>,
    outbox: Receiver<Message>,
    link: L,
    batch: VecDeque<Ticket>,
    /// When the traces that wait are written.
    flush_at: Option<Instant>,
    closing: Option<Closing>,
}

/// Why the thread ends.
enum Closing {
    Asked(oneshot::Sender<Result<(), DirectoryFault>>),
    /// Nobody is left who could ask.
    Forgotten,
}

impl<L: Link> Desk<L> {
    fn run(mut self) {
        while self.closing.is_none() || !self.batch.is_empty() {
            self.gather();
            self.write_batch();
            self.write_due_traces();
        }
        let last = self.write_all_traces();
        drop(self.link);
        if let Some(Closing::Asked(reply)) = self.closing.take() {
            let _nobody = reply.send(last);
        }
    }

    /// Waits for something to do, and takes all that is there.
    fn gather(&mut self) {
        if self.batch.is_empty() && self.closing.is_none() {
            let first = match self.flush_at {
                None => self.outbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(at) => self.outbox.recv_timeout(at.saturating_duration_since(Instant::now())),
            };
            match first {
                Ok(message) => self.take(message),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => self.closing = Some(Closing::Forgotten),
            }
        }
        while self.batch.len() < L::BATCH_MAX && self.closing.is_none() {
            match self.outbox.try_recv() {
                Ok(message) => self.take(message),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => self.closing = Some(Closing::Forgotten),
            }
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Write(ticket) => self.batch.push_back(ticket),
            Message::Traces => {}
            Message::Close(reply) => self.closing = Some(Closing::Asked(reply)),
        }
    }

    fn write_batch(&mut self) {
        if !self.link.is_open() {
            let now = Instant::now();
            let gone = SqlFault::Down("it can't be reached".to_owned());
            self.answer(|ticket| ticket.due <= now, &Err(gone.into()));
        }
        let Some(due) = self.batch.front().map(|ticket| ticket.due) else { return };
        match self.commit_batch(due) {
            Ok(()) => self.answer(|_| true, &Ok(())),
            // Nothing ran. Those whose time is up are told so; the rest tries again.
            Err(e @ SqlFault::Busy) => {
                let now = Instant::now();
                self.answer(|ticket| ticket.due <= now, &Err(e.into()));
                if !self.batch.is_empty() {
                    // Not every lock is waited for by the engine itself.
                    std::thread::sleep(TRY_AGAIN);
                }
            }
            Err(e) => self.answer(|_| true, &Err(e.into())),
        }
    }

    fn commit_batch(&mut self, due: Instant) -> Result<(), SqlFault> {
        self.link.commit(due, self.batch.iter_mut().map(|ticket| -> &mut dyn Work { &mut *ticket.job }))
    }

    fn answer(&mut self, whom: impl Fn(&Ticket) -> bool, commit: &Result<(), DirectoryFault>) {
        for ticket in std::mem::take(&mut self.batch) {
            if whom(&ticket) {
                ticket.job.answer(commit.clone());
            } else {
                self.batch.push_back(ticket);
            }
        }
    }

    /// Writes some traces if the time has come, or a batch of them is full.
    fn write_due_traces(&mut self) {
        let now = Instant::now();
        let waiting = self.backlog.len();
        if waiting > 0 && (*self.flush_at.get_or_insert(now + TRACE_WAIT) <= now || waiting > TRACES_MAX) {
            // What can't be written stays and waits for the next time; the backlog is bounded.
            let written = self.write_some_traces(now);
            let wait = if written.is_ok() && self.backlog.len() > TRACES_MAX { Duration::ZERO } else { TRACE_WAIT };
            self.flush_at = Some(now + wait);
        }
        if self.backlog.len() == 0 {
            self.flush_at = None;
        }
    }

    fn write_all_traces(&mut self) -> Result<(), DirectoryFault> {
        let due = Instant::now() + self.wait;
        while self.backlog.len() > 0 {
            self.write_some_traces(due)?;
        }
        Ok(())
    }

    /// Writes a batch of traces in a transaction of their own, so that they sink nothing else.
    fn write_some_traces(&mut self, due: Instant) -> Result<(), DirectoryFault> {
        let mut traces = Traces::new(self.backlog.first(TRACES_MAX));
        self.link.commit(due, std::iter::once(&mut traces as &mut dyn Work))?;
        self.backlog.written(&traces.finish()?);
        Ok(())
    }
}
