//! The writer's connection, opened anew whenever the old one is of no use.

use std::any::Any;
use std::time::{Duration, Instant};

use super::super::desk::Link;
use super::super::engine::{Sql as _, SqlFault};
use super::super::job::{Verdict, Work};
use super::super::schema::is_current;
use super::address::Address;
use super::connection::{Conn, Limit, Trouble};

/// A batch has at least this long, however long its first job has waited for its turn.
const LEAST: Duration = Duration::from_secs(1);

/// The lock is ours alone: any number that no other program takes. What runs under it sees all that ran before,
/// because a statement of `READ COMMITTED` looks at the moment when it begins.
const BEGIN: &str =
    "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SELECT pg_advisory_xact_lock(7310575178855278965)";

pub(super) struct ServerLink {
    address: Address,
    open: Option<Conn>,
    schema: Schema,
    /// How long one round trip may take.
    wait: Duration,
}

/// Whether the tables must be there already.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Schema {
    Made,
    ToBeMade,
}

/// Why a transaction came to nothing.
enum Broken {
    /// Nothing of it is there.
    Undone(SqlFault),
    /// Nobody knows.
    Unknown(SqlFault),
}

impl ServerLink {
    pub(super) const fn new(address: Address, schema: Schema, wait: Duration) -> Self {
        Self { address, open: None, schema, wait }
    }

    fn connect(&self, deadline: Instant) -> Result<Conn, SqlFault> {
        let conn = Conn::open(&self.address, deadline)?;
        if self.schema == Schema::Made && !is_current(&conn)? {
            return Err(SqlFault::Damage("its schema is of another version".to_owned()));
        }
        Ok(conn)
    }
}

impl Link for ServerLink {
    const BATCH_MAX: usize = 64;

    fn is_open(&self) -> bool {
        self.open.is_some()
    }

    fn commit<'a>(&mut self, due: Instant, jobs: impl Iterator<Item = &'a mut dyn Work>) -> Result<(), SqlFault> {
        let deadline = due.max(Instant::now() + LEAST);
        let (conn, kept) = match self.open.take() {
            Some(conn) => (conn, true),
            None => (self.connect(deadline)?, false),
        };
        conn.limit(Limit::Each(self.wait));
        match transaction(&conn, jobs) {
            Ok(()) => {
                self.open = Some(conn);
                Ok(())
            }
            Err(Broken::Unknown(fault)) => Err(fault),
            Err(Broken::Undone(fault)) => {
                conn.forget_ahead();
                if conn.trouble() != Trouble::Connection && conn.script("ROLLBACK").is_ok() {
                    conn.recovered();
                    self.open = Some(conn);
                }
                match fault {
                    // Its server may have been started again since the last batch.
                    SqlFault::Down(_) if kept => Err(SqlFault::Busy),
                    other => Err(other),
                }
            }
        }
    }
}

fn transaction<'a>(conn: &Conn, jobs: impl Iterator<Item = &'a mut dyn Work>) -> Result<(), Broken> {
    conn.ahead(BEGIN);
    let mut jobs: Vec<&mut dyn Work> = jobs.collect();
    for some in jobs.chunk_by_mut(|one, next| one.item().is_some() && next.item().is_some()) {
        if some.len() < 2 || !run_together(conn, some).map_err(Broken::Undone)? {
            some.iter_mut().try_for_each(|job| run(conn, &mut **job)).map_err(Broken::Undone)?;
        }
    }
    // So that nothing is left whose end could be unknown but the commit, and what can't fail before it.
    if conn.is_waiting(BEGIN) {
        conn.flush().map_err(Broken::Undone)?;
    }
    conn.ahead("COMMIT");
    conn.flush().map_err(|fault| match fault {
        SqlFault::Down(what) => Broken::Unknown(SqlFault::Down(format!("whether it was written is unknown: {what}"))),
        told => Broken::Undone(told),
    })
}

/// Several of a kind in one savepoint, in fewer round trips; `false`: nothing of it is there, each has to be run by itself.
fn run_together(conn: &Conn, jobs: &mut [&mut dyn Work]) -> Result<bool, SqlFault> {
    conn.ahead("SAVEPOINT errand");
    let items: Vec<&dyn Any> = jobs.iter().filter_map(|job| job.item()).collect();
    let done = jobs.first().map_or(Ok(None), |first| first.together(conn, &items));
    match (conn.trouble(), done) {
        (Trouble::Transaction | Trouble::Connection, done) => {
            Err(done.err().unwrap_or_else(|| SqlFault::Down("a statement failed".to_owned())))
        }
        (Trouble::None, Ok(Some(answers))) if answers.len() == jobs.len() => {
            conn.ahead("RELEASE errand");
            jobs.iter_mut().zip(answers).for_each(|(job, answer)| job.keep(answer));
            Ok(true)
        }
        _ => {
            conn.ahead("ROLLBACK TO errand; RELEASE errand");
            conn.recovered();
            Ok(false)
        }
    }
}

/// In a savepoint of its own: what fails in one is no matter of the others.
fn run(conn: &Conn, job: &mut dyn Work) -> Result<(), SqlFault> {
    conn.ahead("SAVEPOINT errand");
    let done = job.run(conn);
    // A savepoint that is rolled back takes its settings along.
    conn.concerns_few(if matches!(done, Ok(Verdict::Keep)) { conn.trouble() } else { Trouble::Statement });
    let fault = match (conn.trouble(), done) {
        (Trouble::Transaction | Trouble::Connection, done) => {
            return Err(done.err().unwrap_or_else(|| SqlFault::Down("a statement failed".to_owned())));
        }
        (Trouble::None, Ok(Verdict::Keep)) => {
            conn.ahead("RELEASE errand");
            return Ok(());
        }
        (_, Ok(Verdict::Undo)) => None,
        (Trouble::Statement, Ok(Verdict::Keep)) => Some(SqlFault::Failed("a statement failed".to_owned())),
        (_, Err(fault)) => Some(fault),
    };
    conn.ahead("ROLLBACK TO errand; RELEASE errand");
    conn.recovered();
    if let Some(fault) = fault {
        job.fail(fault.into());
    }
    Ok(())
}
