//! What is handed to the one who writes, and answered when it is on the disk.

use std::time::Instant;

use tokio::sync::oneshot;

use super::engine::{Outcome, Sql, SqlFault};
use crate::directory::DirectoryFault;

/// Whether what a job wrote stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Keep,
    Undo,
}

/// What runs in a transaction that others may share.
pub(super) trait Work: Send {
    /// Does it and keeps its answer. It may run again if the transaction has to.
    fn run(&mut self, db: &dyn Sql) -> Result<Verdict, SqlFault>;

    /// Its own fault, of which the others in the transaction know nothing.
    fn fail(&mut self, fault: DirectoryFault);
}

/// Work that somebody waits for.
pub(super) trait Job: Work {
    /// Ends it; `commit` is what became of the transaction around it.
    fn answer(self: Box<Self>, commit: Result<(), DirectoryFault>);
}

pub(super) struct Ticket {
    pub job: Box<dyn Job>,
    /// When it is given up, if the database is held by another process or can't be reached.
    pub due: Instant,
}

pub(super) struct Errand<W, T> {
    work: W,
    result: Option<Result<T, DirectoryFault>>,
    reply: oneshot::Sender<Result<T, DirectoryFault>>,
}

impl<W, T> Errand<W, T> {
    pub(super) const fn new(work: W, reply: oneshot::Sender<Result<T, DirectoryFault>>) -> Self {
        Self { work, result: None, reply }
    }
}

impl<W, T> Work for Errand<W, T>
where
    W: Fn(&dyn Sql) -> Result<Outcome<T>, SqlFault> + Send,
    T: Send,
{
    fn run(&mut self, db: &dyn Sql) -> Result<Verdict, SqlFault> {
        let (answer, verdict) = match (self.work)(db)? {
            Outcome::Keep(answer) => (answer, Verdict::Keep),
            Outcome::Undo(answer) => (answer, Verdict::Undo),
        };
        self.result = Some(Ok(answer));
        Ok(verdict)
    }

    fn fail(&mut self, fault: DirectoryFault) {
        self.result = Some(Err(fault));
    }
}

impl<W, T> Job for Errand<W, T>
where
    W: Fn(&dyn Sql) -> Result<Outcome<T>, SqlFault> + Send,
    T: Send,
{
    fn answer(self: Box<Self>, commit: Result<(), DirectoryFault>) {
        let Self { work, result, reply } = *self;
        // What it shares with whoever waits is theirs alone from here on.
        drop(work);
        let answer = commit.and_then(|()| result.unwrap_or_else(|| Err(closed())));
        // Whoever asked may have gone meanwhile.
        let _nobody = reply.send(answer);
    }
}

/// What everybody meets after the end.
pub(super) fn closed() -> DirectoryFault {
    DirectoryFault::Unavailable("it is closed".to_owned())
}
