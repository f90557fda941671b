//! Connections to one file: how they are opened, and as whom the file is made.

use std::cell::Cell;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{Error as IoError, ErrorKind};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, OpenFlags, ToSql, params_from_iter};

use super::super::engine::{Flavour, Param, Row, Sql, SqlFault, Statement};
use super::fault::{casts_doubt, spoils_connection};
use crate::directory::DirectoryFault;

/// Statements that a connection keeps prepared: more than there are.
const STATEMENTS_KEPT: usize = 256;
/// The write-ahead log is cut back to this size when it was read out.
const LOG_BYTES_KEPT: i64 = 32 * 1024 * 1024;
/// The log is read out when it has so many pages of 4 KiB: a page that was written twice meanwhile is copied once.
const LOG_PAGES: i64 = 4_000;
/// What the writer keeps of the file in memory: new values belong all over the indexes, and reading those pages anew
/// costs more than writing them.
const WRITER_CACHE_KIB: i64 = 32 * 1024;

/// Makes the folder (0700) and the empty file (0600) if they are missing.
pub(super) fn make_file(path: &Path) -> Result<(), DirectoryFault> {
    let unavailable = |e: IoError| DirectoryFault::Unavailable(format!("{}: {e}", path.display()));
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(unavailable)?;
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(e) if e.kind() != ErrorKind::AlreadyExists => Err(unavailable(e)),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// A connection that writes. The file must be there: one that vanished is not replaced by an empty one.
pub(super) fn open_writer(path: &Path, wait: Duration) -> Result<Db, SqlFault> {
    let db = open(path, wait)?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    // A commit is on the disk before it is answered.
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "foreign_keys", true)?;
    db.pragma_update(None, "journal_size_limit", LOG_BYTES_KEPT)?;
    db.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
    db.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    Ok(Db::new(db))
}

/// A connection that only reads. It waits for nothing: the caller has other requests to serve meanwhile.
pub(super) fn open_reader(path: &Path) -> Result<Db, SqlFault> {
    let db = open(path, Duration::ZERO)?;
    db.pragma_update(None, "query_only", true)?;
    Ok(Db::new(db))
}

fn open(path: &Path, wait: Duration) -> Result<Connection, SqlFault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    db.busy_timeout(wait)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    // Otherwise a search is planned anew for each value, which costs more than the search itself.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // What is in the file may be wrong, but it may not run anything.
    db.pragma_update(None, "trusted_schema", false)?;
    Ok(db)
}

/// An open connection, which remembers what it met.
pub(super) struct Db {
    db: Connection,
    health: Cell<Health>,
}

/// What a connection is still good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Health {
    Well,
    /// It may not be used again.
    Spoiled,
    /// Nor does what it wrote last prove anything about the disk.
    Doubtful,
}

impl Db {
    const fn new(db: Connection) -> Self {
        Self { db, health: Cell::new(Health::Well) }
    }

    pub(super) fn health(&self) -> Health {
        self.health.get()
    }

    pub(super) fn busy_timeout(&self, wait: Duration) -> Result<(), SqlFault> {
        self.note(self.db.busy_timeout(wait))
    }

    /// Whether no transaction is open: an error may have ended it.
    pub(super) fn is_autocommit(&self) -> bool {
        self.db.is_autocommit()
    }

    fn note<T>(&self, result: rusqlite::Result<T>) -> Result<T, SqlFault> {
        result.map_err(|e| {
            if casts_doubt(&e) {
                self.health.set(Health::Doubtful);
            } else if spoils_connection(&e) && self.health.get() == Health::Well {
                self.health.set(Health::Spoiled);
            }
            e.into()
        })
    }

    fn prepared(&self, sql: &str) -> Result<CachedStatement<'_>, SqlFault> {
        self.note(self.db.prepare_cached(sql))
    }
}

impl Sql for Db {
    fn flavour(&self) -> Flavour {
        Flavour::Sqlite
    }

    fn execute(&self, sql: &str, params: &[Param<'_>]) -> Result<u64, SqlFault> {
        let changed = self.note(self.prepared(sql)?.execute(params_from_iter(params)))?;
        Ok(changed as u64)
    }

    fn execute_all(&self, statements: &[Statement<'_>]) -> Result<Vec<u64>, SqlFault> {
        statements.iter().map(|statement| self.execute(statement.sql, statement.params)).collect()
    }

    fn query(
        &self,
        sql: &str,
        params: &[Param<'_>],
        each: &mut dyn FnMut(&dyn Row) -> Result<(), SqlFault>,
    ) -> Result<(), SqlFault> {
        let mut statement = self.prepared(sql)?;
        let mut rows = self.note(statement.query(params_from_iter(params)))?;
        while let Some(row) = self.note(rows.next())? {
            each(row)?;
        }
        Ok(())
    }

    fn script(&self, sql: &str) -> Result<(), SqlFault> {
        self.note(self.db.execute_batch(sql))
    }
}

impl ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

impl Row for rusqlite::Row<'_> {
    fn int(&self, column: usize) -> Result<i64, SqlFault> {
        Ok(self.get(column)?)
    }

    fn opt_int(&self, column: usize) -> Result<Option<i64>, SqlFault> {
        Ok(self.get(column)?)
    }

    fn text(&self, column: usize) -> Result<&str, SqlFault> {
        self.get_ref(column)?.as_str().map_err(|e| SqlFault::Damage(format!("column {column}: {e}")))
    }

    fn opt_text(&self, column: usize) -> Result<Option<&str>, SqlFault> {
        self.get_ref(column)?.as_str_or_null().map_err(|e| SqlFault::Damage(format!("column {column}: {e}")))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rusqlite::Connection;
    use rusqlite::StatementStatus::RePrepare;

    use super::super::super::schema::{VERSION_1, VERSION_2, is_current, migrate};
    use super::super::super::statements as sql;
    use super::super::super::{statements_feed as feed, statements_roster as roster};
    use super::*;

    #[test]
    fn no_statement_of_a_request_is_prepared_again_for_new_values() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("v.db");
        make_file(&path).unwrap();
        let db = open_writer(&path, Duration::ZERO).unwrap();
        migrate(&db).unwrap();
        let db = db.db;
        let all = [
            sql::USER,
            sql::STANDING,
            sql::FAMILY,
            sql::BEGIN_FAMILY,
            sql::TURN_FAMILY,
            sql::REVOKE_FAMILY,
            sql::REVOKE_FAMILIES_OF_USER,
            sql::REVOKE_FAMILIES_OF_SESSION,
            sql::SIGN_OUT,
            sql::TRACE,
            sql::WRITE_TRACE,
            sql::QUEUE_NOTICE,
            sql::CLIENTS_DUE,
            sql::NOTICES_DUE,
            sql::CLAIM_NOTICE,
            sql::NOTICE_AGAIN,
            sql::NOTICE_DONE,
            sql::WAITING,
            sql::END_SESSIONS,
            sql::LAST_LEAVING,
            sql::NOTE_LEAVING,
            sql::ANY_LEAVING_DUE,
            sql::LEAVINGS_DUE,
            sql::CLAIM_LEAVING,
            sql::FAMILIES_ENDED_AT,
            sql::CLOSE_LEAVING,
            roster::STORED_USER,
            roster::STORED_BY_ID,
            roster::STORED_BY_VALUE,
            roster::COUNT,
            roster::COUNT_NEW_USER,
            roster::INSERT_STORED,
            roster::UPDATE_STORED,
            roster::WRITE_AUDIT,
            roster::HOLDS,
            roster::DELETE_VALUE,
            roster::INDEX_STATE,
            feed::CHANGES,
            feed::SYNC_CLIENT_BY_SECRET,
            feed::SYNC_CLIENT_USED,
        ];
        db.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
        for text in all {
            let mut statement = db.prepare(text).unwrap();
            for round in 0..3 {
                let values: Vec<i64> = (0..).take(statement.parameter_count()).map(|n| n * 10 + round).collect();
                let mut rows = statement.query(rusqlite::params_from_iter(values)).unwrap();
                // Senseless values may break a CHECK; what counts is how often the text was compiled.
                let _checked = rows.next();
            }
            assert_eq!(statement.get_status(RePrepare), 0, "{text}");
        }
    }

    fn tables(db: &Connection) -> Vec<(String, String)> {
        let mut text = db.prepare("SELECT name, COALESCE(sql, '') FROM sqlite_master ORDER BY type, name").unwrap();
        text.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
    }

    /// All values of a table, each row as one text.
    fn contents(db: &Connection, table: &str) -> Vec<String> {
        let mut all = db.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2")).unwrap();
        let columns = all.column_count();
        let row = |row: &rusqlite::Row<'_>| {
            (0..columns).map(|column| row.get_ref(column).map(|value| format!("{value:?}"))).collect()
        };
        all.query_map([], row).unwrap().map(Result::unwrap).collect()
    }

    fn open(folder: &tempfile::TempDir, name: &str) -> Db {
        let path = folder.path().join(name);
        make_file(&path).unwrap();
        open_writer(&path, Duration::ZERO).unwrap()
    }

    #[test]
    fn a_file_of_version_1_becomes_one_of_today_with_its_contents() {
        let folder = tempfile::tempdir().unwrap();
        let (old, fresh) = (open(&folder, "old.db"), open(&folder, "fresh.db"));
        old.script(VERSION_1).unwrap();
        old.script(
            "CREATE TABLE vestibule_schema (version BIGINT NOT NULL); INSERT INTO vestibule_schema VALUES (1);
            INSERT INTO families VALUES ('f1', 7, 'u1', 's1', 1, 9000, 3000, '{}'), ('f2', 0, NULL, NULL, 0, 1, 1, NULL);
            INSERT INTO sign_outs VALUES ('s1', 3000, 8000);
            INSERT INTO signing_keys VALUES ('k1', 'ES256', 'AP8', 1000, 2000, NULL);
            INSERT INTO traces VALUES ('r1', 1, '{}');
            INSERT INTO users VALUES ('u1', 'd', 1, 1000, '{}', 1, '[]', 2000);
            INSERT INTO upstream_hints VALUES ('u1', 'entra', 'AP8');",
        )
        .unwrap();
        let kept = ["families", "sign_outs", "signing_keys", "traces", "upstream_hints"];
        let before = kept.map(|table| contents(&old.db, table));
        assert!(before.iter().all(|rows| !rows.is_empty()));

        assert!(!is_current(&old).unwrap());
        migrate(&old).unwrap();
        migrate(&fresh).unwrap();
        assert!(is_current(&old).unwrap());
        assert_eq!(kept.map(|table| contents(&old.db, table)), before);
        assert_eq!(tables(&old.db), tables(&fresh.db));
        for table in ["notices", "leavings"] {
            assert!(contents(&old.db, table).is_empty(), "{table}");
        }
    }

    #[test]
    fn users_of_a_file_of_version_2_get_their_places_counts_and_index_rows() {
        let folder = tempfile::tempdir().unwrap();
        let (old, fresh) = (open(&folder, "old.db"), open(&folder, "fresh.db"));
        old.script(VERSION_1).unwrap();
        old.script(VERSION_2).unwrap();
        // u2 and u4 of `d` have one name under today's folding: composed, and not.
        old.script(
            r#"CREATE TABLE vestibule_schema (version BIGINT NOT NULL); INSERT INTO vestibule_schema VALUES (2);
            INSERT INTO users VALUES
            ('u1', 'd', 0, 7, '{"userName":"Ada","emails":[{"value":"A@b"},{"value":"z@b","primary":true}],"title":"t"}', 1, '["x"]', 30),
            ('u2', 'd', 1, 1, '{"userName":"JÖRG","externalId":"X"}', 0, '[]', 20),
            ('u4', 'd', 1, 1, '{"userName":"jo\u0308rg"}', 0, '[]', 40),
            ('u3', 'e', 1, 1, '{"userName":"Ada","displayName":"Ada L"}', 0, '[]', 10);
            INSERT INTO user_values VALUES ('d', 'userName', 'ada', '', 'u1'), ('d', 'title', 't', 'u1', 'u1');
            INSERT INTO upstream_hints VALUES ('u1', 'entra', 'AP8');"#,
        )
        .unwrap();
        let hints = contents(&old.db, "upstream_hints");
        migrate(&old).unwrap();
        migrate(&fresh).unwrap();
        assert_eq!(tables(&old.db), tables(&fresh.db));
        assert_eq!(contents(&old.db, "upstream_hints"), hints);

        let texts = |sql: &str| -> Vec<String> {
            let mut all = old.db.prepare(sql).unwrap();
            all.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
        };
        let users = texts(
            "SELECT concat_ws(' ', id, directory, seq, version, created_at, updated_at, changed, active, \
             sessions_valid_from, COALESCE(inactive_since, '-'), COALESCE(identity_name, '-'), former_names) \
             FROM users ORDER BY directory, seq",
        );
        assert_eq!(
            users,
            [
                "u2 d 1 1 20 20 1 1 1 - - []",
                "u1 d 2 1 30 30 2 0 7 30 - [\"x\"]",
                "u4 d 3 1 40 40 3 1 1 - - []",
                "u3 e 1 1 10 10 1 1 1 - - []",
            ]
        );
        let values = texts(
            "SELECT concat_ws(' ', directory, attribute, value, user_id) FROM user_values ORDER BY directory, user_id, 1",
        );
        assert_eq!(
            values,
            [
                "d emails a@b u1",
                "d emails z@b u1",
                "d userName ada u1",
                "d externalId X u2",
                "d userName jörg u2",
                "e displayName ada l u3",
                "e userName ada u3",
            ]
        );
        let tallies = texts("SELECT concat_ws(' ', directory, seq, users, inactive, groups) FROM tallies");
        assert_eq!(tallies, ["d 3 3 1 0", "e 1 1 0 0"]);
    }
}
