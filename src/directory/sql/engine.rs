//! What SQLite and PostgreSQL have in common, so that each statement and each transaction is written once.

use crate::base::Moment;
use crate::directory::DirectoryFault;

/// A value bound to `$n`. There are texts and whole numbers; truth is 0 or 1.
#[derive(Clone, Copy, Debug)]
pub(super) enum Param<'a> {
    Null,
    Int(i64),
    Text(&'a str),
}

impl From<i64> for Param<'_> {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<bool> for Param<'_> {
    fn from(truth: bool) -> Self {
        Self::Int(i64::from(truth))
    }
}

impl<'a> From<&'a str> for Param<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Param<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl<'a, T: Into<Param<'a>>> From<Option<T>> for Param<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Makes a list of [`Param`] of values.
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::directory::sql::engine::Param::from($value)),*] };
}
pub(super) use params;

/// A row while it is read.
pub(super) trait Row {
    fn int(&self, column: usize) -> Result<i64, SqlFault>;
    fn opt_int(&self, column: usize) -> Result<Option<i64>, SqlFault>;
    fn text(&self, column: usize) -> Result<&str, SqlFault>;
    fn opt_text(&self, column: usize) -> Result<Option<&str>, SqlFault>;
}

impl dyn Row + '_ {
    /// A text of one's own.
    pub(super) fn string(&self, column: usize) -> Result<String, SqlFault> {
        self.text(column).map(str::to_owned)
    }

    pub(super) fn opt_string(&self, column: usize) -> Result<Option<String>, SqlFault> {
        Ok(self.opt_text(column)?.map(str::to_owned))
    }

    /// A number that is 0 or not.
    pub(super) fn truth(&self, column: usize) -> Result<bool, SqlFault> {
        Ok(self.int(column)? != 0)
    }

    /// A number that counts, and so isn't negative.
    pub(super) fn count(&self, column: usize) -> Result<u64, SqlFault> {
        u64::try_from(self.int(column)?).map_err(|_| SqlFault::Damage("a count is negative".to_owned()))
    }

    pub(super) fn moment(&self, column: usize) -> Result<Moment, SqlFault> {
        self.int(column).map(Moment::from_ms)
    }

    pub(super) fn opt_moment(&self, column: usize) -> Result<Option<Moment>, SqlFault> {
        Ok(self.opt_int(column)?.map(Moment::from_ms))
    }
}

/// One statement of several that don't depend on each other's answers.
pub(super) struct Statement<'a> {
    pub sql: &'a str,
    pub params: &'a [Param<'a>],
}

/// Which of the two it is, where a statement can't be the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flavour {
    Sqlite,
    Postgres,
}

/// A connection: for reading, or inside of a transaction that writes. Statements are prepared once and kept.
pub(super) trait Sql {
    fn flavour(&self) -> Flavour;

    /// How many rows it changed.
    fn execute(&self, sql: &str, params: &[Param<'_>]) -> Result<u64, SqlFault>;

    /// Runs statements in their order, on PostgreSQL in one round trip; how many rows each changed.
    fn execute_all(&self, statements: &[Statement<'_>]) -> Result<Vec<u64>, SqlFault>;

    /// Runs a query once for each list of values, in their order, on PostgreSQL in one round trip, and shows each row of
    /// the answers to `each`.
    fn query_all(
        &self,
        sql: &str,
        all: &[&[Param<'_>]],
        each: &mut dyn FnMut(&dyn Row) -> Result<(), SqlFault>,
    ) -> Result<(), SqlFault> {
        all.iter().try_for_each(|params| self.query(sql, params, each))
    }

    /// Says how many rows are concerned by the rest of what is done, so that each statement of it may take the longer.
    fn concerns(&self, rows: u64) -> Result<(), SqlFault> {
        let _bounded_otherwise = rows;
        Ok(())
    }

    /// Shows each row of the answer to `each`.
    fn query(
        &self,
        sql: &str,
        params: &[Param<'_>],
        each: &mut dyn FnMut(&dyn Row) -> Result<(), SqlFault>,
    ) -> Result<(), SqlFault>;

    /// Runs a script of several statements, without values or answers, as a schema has them.
    fn script(&self, sql: &str) -> Result<(), SqlFault>;
}

impl dyn Sql + '_ {
    /// All rows.
    pub(super) fn all<T>(
        &self,
        sql: &str,
        params: &[Param<'_>],
        read: impl Fn(&dyn Row) -> Result<T, SqlFault>,
    ) -> Result<Vec<T>, SqlFault> {
        let mut all = Vec::new();
        self.query(sql, params, &mut |row| {
            all.push(read(row)?);
            Ok(())
        })?;
        Ok(all)
    }

    /// The first row, if there is one.
    pub(super) fn first<T>(
        &self,
        sql: &str,
        params: &[Param<'_>],
        read: impl Fn(&dyn Row) -> Result<T, SqlFault>,
    ) -> Result<Option<T>, SqlFault> {
        let mut first = None;
        self.query(sql, params, &mut |row| {
            if first.is_none() {
                first = Some(read(row)?);
            }
            Ok(())
        })?;
        Ok(first)
    }

    /// Whether there is a row.
    pub(super) fn exists(&self, sql: &str, params: &[Param<'_>]) -> Result<bool, SqlFault> {
        Ok(self.first(sql, params, |_| Ok(()))?.is_some())
    }
}

/// Why a statement failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum SqlFault {
    /// Somebody else holds it for a moment; nothing ran that can't run again.
    #[error("another process holds it")]
    Busy,
    /// It can't be reached or written now. The connection is of no use any more.
    #[error("{0}")]
    Down(String),
    /// This statement failed; the connection is well.
    #[error("{0}")]
    Failed(String),
    /// What is stored makes no sense.
    #[error("{0}")]
    Damage(String),
}

impl From<SqlFault> for DirectoryFault {
    fn from(fault: SqlFault) -> Self {
        match fault {
            SqlFault::Damage(what) => Self::Corrupt(what),
            other => Self::Unavailable(other.to_string()),
        }
    }
}

/// What a write leaves behind.
pub(super) enum Outcome<T> {
    Keep(T),
    /// The answer, while nothing of the write remains.
    Undo(T),
}
