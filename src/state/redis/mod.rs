//! The store in a Redis server.
//!
//! Each record is one key, sealed; what is left of a taken one is kept under the same key and marked
//! so. Each method is one command, one pipeline or one script, and so one round trip.
//!
//! **Epochs.** Records of a fenced kind carry the [`value::Epoch`] of the server that took them in, and
//! are worth nothing in another: after a restart, a restore or a fail-over nobody knows whether they
//! were taken. The epoch is learnt on every connection before its first use, and asked for once more
//! inside the script that takes, since a server can be demoted, be given other data and be promoted
//! again behind an open connection. Redis also begins a new history when a replica first attaches and
//! some time after the last one has gone: codes of that minute are lost, and their clients start again.
//!
//! A used assertion that a fail-over has lost can't be known again: until the assertion expires
//! ([`crate::base::limits::ASSERTION_LIFETIME_MAX`]) it could be used once more. One that is
//! still there counts as used in every epoch.
//!
//! **Lists** are sorted sets under keys of their own and belong to no epoch: what a fail-over brings back
//! on a list is one member too many, whose record is not there.
//!
//! **A full server** (`noeviction`) refuses new records and members. Taking goes on, but leaves no residue if there
//! is no room for it: a second taker then sees [`Taken::Never`] instead of [`Taken::Already`].

mod value;
mod script;
mod server;
mod link;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use redis::{Cmd, ErrorKind, FromRedisValue as _, Pipeline, RedisError, ServerErrorKind, Value};
use tokio::sync::{Semaphore, TryAcquireError};
use tokio::time::{Instant, timeout_at};

use crate::base::{Secret, Span, limits};
use crate::state::mark::Mark;
use crate::state::{Entry, Kind, LIST_MAX, Name, Options, Record, StateFault, StateStore, Taken};
use link::{CALLS_MAX, Lines, Link, describe};
use script::{KEEP_LONGER_MS, taken};
use value::{Epoch, Stored, Values, key, list_key};

/// How old the knowledge may be that the server is still a master when something is only read.
/// Writes need none: a replica refuses them.
const MASTER_SEEN_MAX: Duration = Duration::from_secs(1);

pub(super) struct Redis {
    lines: Lines,
    values: Values,
    calls: Semaphore,
    round_trips: AtomicU64,
}

/// What goes over the line in one piece.
enum Request {
    One(Cmd),
    Many(Pipeline),
}

/// Whether a call may be sent again when the connection broke and it isn't known if it was done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Repeat {
    Harmless,
    Never,
}

/// How a failed call goes on.
enum Failure {
    /// The server did nothing; a new connection may help.
    NotDone(StateFault),
    /// Nobody knows whether it was done.
    Unknown(StateFault),
    /// The server said no.
    Refused(StateFault),
}

impl Redis {
    pub fn new(url: &Secret, options: Options) -> Result<Self, StateFault> {
        Ok(Self {
            lines: Lines::new(url)?,
            values: Values::new(options.seal, options.dice),
            calls: Semaphore::new(CALLS_MAX),
            round_trips: AtomicU64::new(0),
        })
    }

    /// Sends what `request` makes for the link of the moment, and hands the answer to `read`, which
    /// may say that the server did nothing.
    async fn ask<T: Send>(
        &self,
        repeat: Repeat,
        request: impl Fn(&Link) -> Request + Send + Sync,
        read: impl Fn(&Link, Value) -> Result<T, Failure> + Send + Sync,
    ) -> Result<T, StateFault> {
        let deadline = Instant::now() + limits::STATE_CALL.as_std();
        let _place = self.calls.try_acquire().map_err(|none| match none {
            TryAcquireError::NoPermits => StateFault(format!("{CALLS_MAX} calls wait for Redis")),
            TryAcquireError::Closed => StateFault("it is closed".to_owned()),
        })?;
        let line = self.lines.here();
        let mut may_repeat = true;
        loop {
            let link = timeout_at(deadline, line.link()).await.map_err(|_| late("connection"))??;
            let answer = self.send(&link, deadline, request(&link)).await;
            let fault = match answer.and_then(|value| read(&link, value)) {
                Ok(answer) => return Ok(answer),
                Err(Failure::Refused(fault)) => return Err(fault),
                Err(Failure::NotDone(fault)) => {
                    line.lose(&link);
                    fault
                }
                Err(Failure::Unknown(fault)) => {
                    line.lose(&link);
                    if repeat == Repeat::Never {
                        return Err(fault);
                    }
                    fault
                }
            };
            if !may_repeat || Instant::now() >= deadline {
                return Err(fault);
            }
            may_repeat = false;
        }
    }

    /// One round trip. A connection on which an answer is late is given up: its answers come in the
    /// order of the questions, so the late one goes to nobody, but whatever is asked behind it waits.
    async fn send(&self, link: &Link, deadline: Instant, request: Request) -> Result<Value, Failure> {
        self.round_trips.fetch_add(1, Ordering::Relaxed);
        let mut connection = link.connection.clone();
        let answer = match &request {
            Request::One(command) => timeout_at(deadline, command.query_async(&mut connection)).await,
            Request::Many(pipeline) => timeout_at(deadline, pipeline.query_async(&mut connection)).await,
        };
        answer.map_err(|_| Failure::Unknown(late("answer")))?.map_err(|fault| failure(&fault))
    }

    fn epoch(link: &Link, kind: Kind) -> Epoch {
        if kind.is_fenced() { link.server.epoch } else { Epoch::NONE }
    }

    fn set(&self, link: &Link, record: &Record) -> Cmd {
        let key = key(record.name);
        let value = self.values.write(&key, Mark::Fresh, Self::epoch(link, record.name.kind), &record.bytes);
        let mut set = redis::cmd("SET");
        set.arg(key).arg(value).arg("PX").arg(lifetime_ms(record.lifetime));
        set
    }

    /// Asks the `count` questions that `ask` adds, in one round trip, and whether the server still is who it was, if
    /// that wasn't asked lately: a replica must not be believed.
    async fn look<T: Send>(
        &self,
        count: usize,
        ask: impl Fn(&mut Pipeline) + Send + Sync,
        read: impl Fn(&Link, Vec<Value>) -> Result<T, Failure> + Send + Sync,
    ) -> Result<T, StateFault> {
        let request = |link: &Link| {
            let mut pipeline = Pipeline::with_capacity(count + 1);
            ask(&mut pipeline);
            if link.is_due(MASTER_SEEN_MAX) {
                pipeline.cmd("INFO").arg("replication");
            }
            Request::Many(pipeline)
        };
        let checked = |link: &Link, answer: Value| {
            let mut answers = Vec::<Value>::from_redis_value(answer).map_err(strange)?;
            if answers.len() > count {
                let info = String::from_redis_value(answers.pop().unwrap_or(Value::Nil)).map_err(strange)?;
                if !link.server.is_still(&info) {
                    return Err(other_history());
                }
            }
            if answers.len() == count { read(link, answers) } else { Err(strangely()) }
        };
        self.ask(Repeat::Harmless, request, checked).await
    }

    /// The bytes of a record that `GET` answered, if it wasn't taken and is of this epoch.
    fn fresh(&self, link: &Link, (name, key): (Name, &str), value: Value) -> Result<Option<Vec<u8>>, Failure> {
        let value = Option::<Vec<u8>>::from_redis_value(value).map_err(strange)?;
        let stored = value.and_then(|value| self.open(key, &value));
        let wanted = |stored: &Stored| stored.mark == Mark::Fresh && stored.epoch == Self::epoch(link, name.kind);
        Ok(stored.filter(wanted).map(|stored| stored.bytes))
    }

    /// The record in `value`; one that doesn't open was written under another seal secret and is
    /// none.
    fn open(&self, key: &str, value: &[u8]) -> Option<Stored> {
        let stored = self.values.read(key, value);
        if stored.is_none() {
            tracing::warn!("a record in Redis doesn't open: it was sealed under another secret, or is damaged");
        }
        stored
    }
}

/// Redis takes no lifetime below 1 ms.
fn lifetime_ms(lifetime: Span) -> i64 {
    lifetime.ms().max(1)
}

fn late(what: &str) -> StateFault {
    StateFault(format!("Redis gave no {what} within {} s", limits::STATE_CALL.as_secs()))
}

fn failure(fault: &RedisError) -> Failure {
    let text = describe(fault);
    match fault.kind() {
        // A demoted master, or a server whose scripts were flushed: a new connection knows better.
        ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::NoScript) => Failure::NotDone(text),
        ErrorKind::Server(_) | ErrorKind::Extension => Failure::Refused(text),
        _ => Failure::Unknown(text),
    }
}

/// The server behind the same connection was demoted, or its data replaced; nothing was done.
fn other_history() -> Failure {
    Failure::NotDone(StateFault("the server has become another one".to_owned()))
}

/// An answer of a shape that no Redis gives.
fn strange(fault: impl Into<RedisError>) -> Failure {
    Failure::Unknown(describe(&fault.into()))
}

fn strangely() -> Failure {
    Failure::Unknown(StateFault("Redis answers strangely".to_owned()))
}

fn enlist(entry: &Entry) -> Cmd {
    let lifetime = lifetime_ms(entry.lifetime);
    let mut call = script::ENLIST.call(&[&list_key(entry.list)]);
    call.arg(&entry.member)
        .arg(lifetime)
        .arg(lifetime.saturating_add(KEEP_LONGER_MS))
        .arg(format!("-{}", LIST_MAX + 1));
    call
}

#[async_trait]
impl StateStore for Redis {
    async fn put_listed(&self, records: Vec<Record>, entries: Vec<Entry>) -> Result<(), StateFault> {
        if records.is_empty() && entries.is_empty() {
            return Ok(());
        }
        let request = |link: &Link| {
            let mut pipeline = Pipeline::with_capacity(entries.len() + records.len());
            // The lists come first: no record may stand there that its list doesn't know.
            for entry in &entries {
                pipeline.add_command(enlist(entry));
            }
            for record in &records {
                pipeline.add_command(self.set(link, record));
            }
            Request::Many(pipeline)
        };
        self.ask(Repeat::Harmless, request, |_, _| Ok(())).await
    }

    async fn list(&self, list: Name) -> Result<Vec<String>, StateFault> {
        let key = list_key(list);
        let question = |pipeline: &mut Pipeline| {
            pipeline.add_command(script::LISTED.call(&[&key]));
        };
        let read = |_: &Link, mut answers: Vec<Value>| {
            Vec::from_redis_value(answers.pop().unwrap_or(Value::Nil)).map_err(strange)
        };
        self.look(1, question, read).await
    }

    async fn peek_all(&self, names: Vec<Name>) -> Result<Vec<Option<Vec<u8>>>, StateFault> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let keys: Vec<_> = names.iter().map(|name| key(*name)).collect();
        let questions = |pipeline: &mut Pipeline| {
            for key in &keys {
                pipeline.cmd("GET").arg(key);
            }
        };
        let read = |link: &Link, answers: Vec<Value>| {
            let mut found = Vec::with_capacity(answers.len());
            for ((name, key), value) in names.iter().zip(&keys).zip(answers) {
                found.push(self.fresh(link, (*name, key), value)?);
            }
            Ok(found)
        };
        self.look(names.len(), questions, read).await
    }

    async fn put_new(&self, record: Record) -> Result<bool, StateFault> {
        let request = |link: &Link| {
            let mut set = self.set(link, &record);
            set.arg("NX");
            Request::One(set)
        };
        self.ask(Repeat::Never, request, |_, answer| Ok(answer == Value::Okay)).await
    }

    async fn peek(&self, name: Name) -> Result<Option<Vec<u8>>, StateFault> {
        Ok(self.peek_all(vec![name]).await?.pop().flatten())
    }

    async fn take(&self, name: Name, residue: Vec<u8>, residue_lifetime: Span) -> Result<Taken, StateFault> {
        let key = key(name);
        let residue = self.values.write(&key, Mark::Taken, Epoch::NONE, &residue);
        let request = |link: &Link| {
            let mut call = script::TAKE.call(&[&key]);
            call.arg(&residue).arg(lifetime_ms(residue_lifetime)).arg(&Self::epoch(link, name.kind).0[..]);
            call.arg(if name.kind.is_fenced() { link.server.history.as_str() } else { "" });
            Request::One(call)
        };
        let read = |_: &Link, answer: Value| {
            let (outcome, value) = <(i64, Vec<u8>)>::from_redis_value(answer).map_err(strange)?;
            match outcome {
                taken::OTHER_HISTORY => Err(other_history()),
                taken::ONCE => Ok(self.open(&key, &value).map_or(Taken::Never, |stored| Taken::Once(stored.bytes))),
                taken::ALREADY => {
                    Ok(self.open(&key, &value).map_or(Taken::Never, |stored| Taken::Already(stored.bytes)))
                }
                taken::NEVER => Ok(Taken::Never),
                _ => Err(strangely()),
            }
        };
        self.ask(Repeat::Never, request, read).await
    }

    async fn swap(&self, expected: Vec<u8>, record: Record) -> Result<bool, StateFault> {
        let key = key(record.name);
        let tag = self.values.tag(&key, &expected);
        let request = |link: &Link| {
            let epoch = Self::epoch(link, record.name.kind);
            let mut call = script::SWAP.call(&[&key]);
            call.arg([epoch.0.as_slice(), tag.as_slice()].concat())
                .arg(self.values.write(&key, Mark::Fresh, epoch, &record.bytes))
                .arg(lifetime_ms(record.lifetime));
            Request::One(call)
        };
        self.ask(Repeat::Never, request, |_, answer| bool::from_redis_value(answer).map_err(strange)).await
    }

    async fn forget(&self, name: Name) -> Result<(), StateFault> {
        let key = key(name);
        let request = |_: &Link| {
            let mut del = redis::cmd("DEL");
            del.arg(&key);
            Request::One(del)
        };
        self.ask(Repeat::Harmless, request, |_, _| Ok(())).await
    }

    async fn ping(&self) -> Result<(), StateFault> {
        let request = |_: &Link| {
            let mut info = redis::cmd("INFO");
            info.arg("replication");
            Request::One(info)
        };
        let read = |link: &Link, answer: Value| {
            let info = String::from_redis_value(answer).map_err(strange)?;
            if link.server.is_still(&info) {
                return Ok(());
            }
            Err(other_history())
        };
        self.ask(Repeat::Harmless, request, read).await
    }

    async fn close(&self) -> Result<(), StateFault> {
        self.calls.close();
        self.lines.hang_up();
        Ok(())
    }

    fn round_trips(&self) -> u64 {
        self.round_trips.load(Ordering::Relaxed)
    }
}
