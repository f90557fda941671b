//! One connection, for a thread that may block.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::Future;
use std::time::{Duration, Instant};

use futures_util::TryStreamExt as _;
use futures_util::future::{join, join_all, ready};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout_at;
use tokio_postgres::{Client, Error, Statement as Prepared};

use super::super::engine::{Flavour, Param, Row, Sql, SqlFault, Statement};
use super::address::Address;
use super::dialect::translate;
use super::fault::fault;
use super::values::Answer;

/// Statements that a connection keeps prepared; at one more it begins anew.
const STATEMENTS_KEPT: usize = 512;

/// How long a statement runs at its server that concerns few rows.
const STATEMENT_MS: u64 = 5_000;

/// How much longer each statement may take for a row that it concerns.
const ROW: Duration = Duration::from_micros(200);

/// Rows that need no time of their own.
const ROWS_FREE: u64 = 1_000;

/// What each connection asks of its server: commits that are on the disk, no statement that runs on after we have
/// given it up, and that a server of ours that hangs amid a transaction doesn't hold up the others.
const SETTINGS: &str = "SELECT set_config('statement_timeout', '5000', false), \
     set_config('lock_timeout', '2000', false), set_config('idle_in_transaction_session_timeout', '10000', false); \
     SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";

/// An open connection, driven by whoever waits for it.
pub(super) struct Conn {
    client: Client,
    runtime: Option<Runtime>,
    statements: RefCell<HashMap<String, Prepared>>,
    limit: Cell<Limit>,
    /// How much longer a statement may take, for the rows that it concerns.
    longer: Cell<Duration>,
    /// Statements without values or answers, which go ahead of the next one and cost no round trip of their own.
    ahead: RefCell<String>,
    trouble: Cell<Trouble>,
}

/// When what a connection is asked is given up.
#[derive(Clone, Copy, Debug)]
pub(super) enum Limit {
    /// All of it.
    Until(Instant),
    /// Each round trip by itself: a job may have any number of them, while a server that hangs is noticed at one.
    Each(Duration),
}

/// The worst that was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trouble {
    None,
    /// A statement failed: nothing goes on before its savepoint, if there is one, is rolled back.
    Statement,
    /// The transaction can't go on.
    Transaction,
    /// The connection is of no use any more.
    Connection,
}

impl Conn {
    pub(super) fn open(address: &Address, deadline: Instant) -> Result<Self, SqlFault> {
        let down = |e: std::io::Error| SqlFault::Down(format!("no runtime for a connection: {e}"));
        let runtime = Builder::new_current_thread().enable_all().build().map_err(down)?;
        let connect = async { timeout_at(deadline.into(), address.config.connect(address.tls.clone())).await };
        let (client, connection) = match runtime.block_on(connect) {
            Ok(Ok(made)) => made,
            Ok(Err(e)) => {
                return Err(match fault(&e) {
                    SqlFault::Busy => SqlFault::Busy,
                    other => SqlFault::Down(other.to_string()),
                });
            }
            Err(_) => return Err(late()),
        };
        runtime.spawn(async move {
            // Whoever waits for an answer hears of it.
            let _told = connection.await;
        });
        let conn = Self {
            client,
            runtime: Some(runtime),
            statements: RefCell::default(),
            limit: Cell::new(Limit::Until(deadline)),
            longer: Cell::default(),
            ahead: RefCell::default(),
            trouble: Cell::new(Trouble::None),
        };
        conn.wait(conn.client.batch_execute(SETTINGS))?;
        Ok(conn)
    }

    /// Sets when what it is asked from now on is given up.
    pub(super) fn limit(&self, limit: Limit) {
        self.limit.set(limit);
    }

    /// What concerned many rows is over; within a transaction that goes on, its statements have their usual time again.
    pub(super) fn concerns_few(&self, goes_on: Trouble) {
        if !self.longer.take().is_zero() && goes_on == Trouble::None {
            self.ahead(&format!("SET LOCAL statement_timeout = {STATEMENT_MS}"));
        }
    }

    pub(super) fn trouble(&self) -> Trouble {
        self.trouble.get()
    }

    /// A savepoint or a transaction was rolled back: all but the connection's own trouble is over.
    pub(super) fn recovered(&self) {
        if self.trouble.get() != Trouble::Connection {
            self.trouble.set(Trouble::None);
        }
    }

    /// Lets statements go ahead of the next one. They must not fail but with the whole transaction.
    pub(super) fn ahead(&self, sql: &str) {
        let mut ahead = self.ahead.borrow_mut();
        ahead.push_str(sql);
        ahead.push(';');
    }

    /// Whether this still waits to go ahead, as the first.
    pub(super) fn is_waiting(&self, sql: &str) -> bool {
        self.ahead.borrow().starts_with(sql)
    }

    pub(super) fn forget_ahead(&self) {
        self.ahead.borrow_mut().clear();
    }

    /// Sends what waits to go ahead.
    pub(super) fn flush(&self) -> Result<(), SqlFault> {
        self.send(ready(Ok(())))
    }

    fn note(&self, trouble: Trouble) {
        self.trouble.set(self.trouble.get().max(trouble));
    }

    fn failed(&self, error: &Error, least: Trouble) -> SqlFault {
        let fault = fault(error);
        self.note(match fault {
            SqlFault::Down(_) => Trouble::Connection,
            SqlFault::Busy => Trouble::Transaction,
            SqlFault::Failed(_) | SqlFault::Damage(_) => least,
        });
        fault
    }

    fn wait<T>(&self, answer: impl Future<Output = Result<T, Error>>) -> Result<T, SqlFault> {
        self.block_on(answer)?.map_err(|e| self.failed(&e, Trouble::Statement))
    }

    fn block_on<T>(&self, answer: impl Future<Output = T>) -> Result<T, SqlFault> {
        let Some(runtime) = &self.runtime else { return Err(late()) };
        let end = match self.limit.get() {
            Limit::Until(end) => end,
            Limit::Each(wait) => Instant::now() + wait + self.longer.get(),
        };
        runtime.block_on(async { timeout_at(end.into(), answer).await }).map_err(|_| {
            self.note(Trouble::Connection);
            late()
        })
    }

    /// Waits for an answer, with what goes ahead of it in the same round trip.
    fn send<T>(&self, answer: impl Future<Output = Result<T, Error>>) -> Result<T, SqlFault> {
        let ahead = std::mem::take(&mut *self.ahead.borrow_mut());
        if ahead.is_empty() {
            return self.wait(answer);
        }
        // What is polled first is sent first.
        let (before, answer) = self.block_on(join(self.client.batch_execute(&ahead), answer))?;
        before.map_err(|e| self.failed(&e, Trouble::Transaction))?;
        answer.map_err(|e| self.failed(&e, Trouble::Statement))
    }

    fn prepared(&self, sql: &str) -> Result<Prepared, SqlFault> {
        if let Some(known) = self.statements.borrow().get(sql) {
            return Ok(known.clone());
        }
        if !self.ahead.borrow().is_empty() {
            self.flush()?;
        }
        let statement = self.wait(self.client.prepare(sql))?;
        let mut statements = self.statements.borrow_mut();
        if statements.len() >= STATEMENTS_KEPT {
            statements.clear();
        }
        statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

impl Drop for Conn {
    fn drop(&mut self) {
        // It may be let go where nothing may block.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn late() -> SqlFault {
    SqlFault::Down("PostgreSQL gave no answer in time".to_owned())
}

impl Sql for Conn {
    fn flavour(&self) -> Flavour {
        Flavour::Postgres
    }

    fn execute(&self, sql: &str, params: &[Param<'_>]) -> Result<u64, SqlFault> {
        let statement = self.prepared(sql)?;
        self.send(self.client.execute_raw(&statement, params.iter().copied()))
    }

    fn execute_all(&self, statements: &[Statement<'_>]) -> Result<Vec<u64>, SqlFault> {
        let prepared = statements.iter().map(|one| self.prepared(one.sql)).collect::<Result<Vec<_>, _>>()?;
        let all = prepared
            .iter()
            .zip(statements)
            .map(|(statement, one)| self.client.execute_raw(statement, one.params.iter().copied()));
        self.send(async { join_all(all).await.into_iter().collect() })
    }

    fn query(
        &self,
        sql: &str,
        params: &[Param<'_>],
        each: &mut dyn FnMut(&dyn Row) -> Result<(), SqlFault>,
    ) -> Result<(), SqlFault> {
        let statement = self.prepared(sql)?;
        let rows: Vec<tokio_postgres::Row> =
            self.send(async { self.client.query_raw(&statement, params.iter().copied()).await?.try_collect().await })?;
        rows.iter().try_for_each(|row| each(&Answer::new(row)))
    }

    fn query_all(
        &self,
        sql: &str,
        all: &[&[Param<'_>]],
        each: &mut dyn FnMut(&dyn Row) -> Result<(), SqlFault>,
    ) -> Result<(), SqlFault> {
        let statement = self.prepared(sql)?;
        let asked = all.iter().map(|params| self.client.query_raw(&statement, params.iter().copied()));
        let rows = asked.map(|asked| async { asked.await?.try_collect::<Vec<tokio_postgres::Row>>().await });
        let answers: Vec<_> = self.send(async { join_all(rows).await.into_iter().collect() })?;
        answers.iter().flatten().try_for_each(|row| each(&Answer::new(row)))
    }

    fn concerns(&self, rows: u64) -> Result<(), SqlFault> {
        let longer = ROW * u32::try_from(rows.saturating_sub(ROWS_FREE)).unwrap_or(u32::MAX);
        if longer > self.longer.get() {
            self.longer.set(longer);
            let ms = u128::from(STATEMENT_MS) + longer.as_millis();
            self.ahead(&format!("SET LOCAL statement_timeout = {ms}"));
        }
        Ok(())
    }

    fn script(&self, sql: &str) -> Result<(), SqlFault> {
        let sql = translate(sql);
        self.send(self.client.batch_execute(&sql))
    }
}
