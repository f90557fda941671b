//! The writer's connection, opened anew whenever the old one is of no use.

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

fn transaction<'a>(conn: &Conn, mut jobs: impl Iterator<Item = &'a mut dyn Work>) -> Result<(), Broken> {
    conn.ahead(BEGIN);
    jobs.try_for_each(|job| run(conn, job)).map_err(Broken::Undone)?;
    // So that nothing but the commit is left whose end could be unknown.
    conn.flush().map_err(Broken::Undone)?;
    conn.ahead("COMMIT");
    conn.flush().map_err(|fault| match fault {
        SqlFault::Down(what) => Broken::Unknown(SqlFault::Down(format!("whether it was written is unknown: {what}"))),
        told => Broken::Undone(told),
    })
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
