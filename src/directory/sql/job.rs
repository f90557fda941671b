//! What is handed to the one who writes, and answered when it is on the disk.

use std::any::Any;
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

    /// What it is about, if several of its kind can be done in fewer steps than one after the other.
    fn item(&self) -> Option<&dyn Any> {
        None
    }

    /// Does it for these items, of which its own is one. `None`: each has to be done by itself, after what this did is
    /// undone.
    fn together(&self, db: &dyn Sql, items: &[&dyn Any]) -> Result<Option<Vec<Answer>>, SqlFault> {
        let _unused = (db, items);
        Ok(None)
    }

    /// Keeps its answer of what was done together.
    fn keep(&mut self, answer: Answer) {
        drop(answer);
    }
}

/// The answer of one of several that were done together.
pub(super) type Answer = Box<dyn Any + Send>;

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

/// What came of several that were done together; `None`: each has to be done by itself.
type Together<T> = Result<Option<Vec<T>>, SqlFault>;

/// How work of a kind is done: one alone, or several together.
pub(super) struct Kind<I, T> {
    pub alone: fn(&dyn Sql, &I) -> Result<Outcome<T>, SqlFault>,
    pub together: fn(&dyn Sql, &[&I]) -> Together<T>,
}

/// Work that somebody waits for, and that may be done together with others of its kind.
pub(super) struct Joint<I, T> {
    item: I,
    kind: Kind<I, T>,
    result: Option<Result<T, DirectoryFault>>,
    reply: oneshot::Sender<Result<T, DirectoryFault>>,
}

impl<I, T> Joint<I, T> {
    pub(super) const fn new(item: I, kind: Kind<I, T>, reply: oneshot::Sender<Result<T, DirectoryFault>>) -> Self {
        Self { item, kind, result: None, reply }
    }
}

impl<I: Send + 'static, T: Send + 'static> Work for Joint<I, T> {
    fn run(&mut self, db: &dyn Sql) -> Result<Verdict, SqlFault> {
        let (answer, verdict) = match (self.kind.alone)(db, &self.item)? {
            Outcome::Keep(answer) => (answer, Verdict::Keep),
            Outcome::Undo(answer) => (answer, Verdict::Undo),
        };
        self.result = Some(Ok(answer));
        Ok(verdict)
    }

    fn fail(&mut self, fault: DirectoryFault) {
        self.result = Some(Err(fault));
    }

    fn item(&self) -> Option<&dyn Any> {
        Some(&self.item)
    }

    fn together(&self, db: &dyn Sql, items: &[&dyn Any]) -> Result<Option<Vec<Answer>>, SqlFault> {
        let Some(items) = items.iter().map(|item| item.downcast_ref()).collect::<Option<Vec<&I>>>() else {
            return Ok(None);
        };
        let answers = (self.kind.together)(db, &items)?;
        Ok(answers.map(|answers| answers.into_iter().map(|answer| -> Answer { Box::new(answer) }).collect()))
    }

    fn keep(&mut self, answer: Answer) {
        self.result = answer.downcast().ok().map(|answer| Ok(*answer));
    }
}

impl<I: Send + 'static, T: Send + 'static> Job for Joint<I, T> {
    fn answer(self: Box<Self>, commit: Result<(), DirectoryFault>) {
        let Self { item, result, reply, .. } = *self;
        drop(item);
        let answer = commit.and_then(|()| result.unwrap_or_else(|| Err(closed())));
        // Whoever asked may have gone meanwhile.
        let _nobody = reply.send(answer);
    }
}

/// What everybody meets after the end.
pub(super) fn closed() -> DirectoryFault {
    DirectoryFault::Unavailable("it is closed".to_owned())
}
