//! The tables, and how a file comes from one version of them to the next.

use rusqlite::{Connection, OptionalExtension as _};

use super::fault::fault;
use crate::directory::DirectoryFault;

/// One script for each version, in order. A released one never changes.
const MIGRATIONS: [&str; 2] = [VERSION_1, VERSION_2];

const VERSION_1: &str = "
CREATE TABLE users (
    id                  TEXT   NOT NULL PRIMARY KEY,
    directory           TEXT   NOT NULL,
    active              BIGINT NOT NULL,
    sessions_valid_from BIGINT NOT NULL,
    attributes          TEXT   NOT NULL,
    email_verified      BIGINT NOT NULL,
    former_names        TEXT   NOT NULL,
    updated_at          BIGINT NOT NULL
);
-- One row for each attribute value by which a user can be found. No two users hold the same userName
-- or externalId: there the holder is nobody, elsewhere the user. So the key is both index and rule.
CREATE TABLE user_values (
    directory TEXT NOT NULL,
    attribute TEXT NOT NULL,
    value     TEXT NOT NULL,
    holder    TEXT NOT NULL,
    user_id   TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (directory, attribute, value, holder),
    CHECK (holder = CASE WHEN attribute IN ('userName', 'externalId') THEN '' ELSE user_id END)
) WITHOUT ROWID;
CREATE INDEX user_values_by_user ON user_values (user_id);
-- A row without user and body is a family that was revoked before it was born.
CREATE TABLE families (
    id         TEXT   NOT NULL PRIMARY KEY,
    generation BIGINT NOT NULL,
    user_id    TEXT,
    sid        TEXT,
    bound      BIGINT NOT NULL,
    ends       BIGINT NOT NULL,
    revoked_at BIGINT,
    body       TEXT
);
CREATE INDEX families_by_user ON families (user_id);
CREATE INDEX families_by_sid ON families (sid);
CREATE INDEX families_by_end ON families (ends);
CREATE INDEX families_revoked ON families (revoked_at) WHERE revoked_at IS NOT NULL;
CREATE TABLE sign_outs (
    sid   TEXT   NOT NULL PRIMARY KEY,
    at    BIGINT NOT NULL,
    until BIGINT NOT NULL
);
CREATE INDEX sign_outs_by_end ON sign_outs (until);
CREATE TABLE signing_keys (
    kid         TEXT   NOT NULL PRIMARY KEY,
    algorithm   TEXT   NOT NULL,
    sealed      TEXT   NOT NULL,
    created     BIGINT NOT NULL,
    active_from BIGINT NOT NULL,
    retired_at  BIGINT
);
CREATE TABLE traces (
    reference TEXT   NOT NULL PRIMARY KEY,
    started   BIGINT NOT NULL,
    body      TEXT   NOT NULL
);
CREATE TABLE upstream_hints (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    idp     TEXT NOT NULL,
    sealed  TEXT NOT NULL,
    PRIMARY KEY (user_id, idp)
) WITHOUT ROWID;
CREATE INDEX traces_by_start ON traces (started);
";

const VERSION_2: &str = "
-- What clients have not heard yet. The sid is empty where all sessions of the user at the client are meant.
CREATE TABLE notices (
    id       TEXT   NOT NULL,
    client   TEXT   NOT NULL,
    user_id  TEXT   NOT NULL,
    sid      TEXT   NOT NULL,
    created  BIGINT NOT NULL,
    next_at  BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    PRIMARY KEY (client, user_id, sid)
) WITHOUT ROWID;
CREATE INDEX notices_by_id ON notices (id);
CREATE INDEX notices_due ON notices (client, next_at, created);
CREATE INDEX notices_by_age ON notices (created);
-- Users who were switched off; the families that ended with it are those revoked at the same moment.
CREATE TABLE leavings (
    user_id TEXT   NOT NULL,
    at      BIGINT NOT NULL,
    next_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, at)
) WITHOUT ROWID;
CREATE INDEX leavings_by_age ON leavings (at, next_at);
";

/// Brings the file to the newest version, in one transaction; a new file from nothing.
///
/// # Errors
/// A file of a newer version or of another program is [`DirectoryFault::Corrupt`] to us, and left alone.
pub(super) fn migrate(db: &mut Connection) -> Result<(), DirectoryFault> {
    let transaction = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(|e| fault(&e))?;
    let version = version(&transaction)?;
    let known = MIGRATIONS.len();
    if version > known {
        return Err(DirectoryFault::Corrupt(format!(
            "its schema is version {version}, and this program knows {known} at most: it was written by a newer one"
        )));
    }
    if version == known {
        return Ok(());
    }
    apply(&transaction, version).map_err(|e| fault(&e))?;
    transaction.commit().map_err(|e| fault(&e))
}

fn apply(db: &Connection, version: usize) -> rusqlite::Result<()> {
    for script in MIGRATIONS.iter().skip(version) {
        db.execute_batch(script)?;
    }
    db.execute_batch(
        "CREATE TABLE IF NOT EXISTS vestibule_schema (version BIGINT NOT NULL); DELETE FROM vestibule_schema;",
    )?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    db.execute("INSERT INTO vestibule_schema (version) VALUES ($1)", [known])?;
    Ok(())
}

/// The version of the file; 0 of an empty one.
fn version(db: &Connection) -> Result<usize, DirectoryFault> {
    let count = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(|e| fault(&e));
    if count("SELECT COUNT(*) FROM sqlite_master WHERE name = 'vestibule_schema'")? == 0 {
        return match count("SELECT COUNT(*) FROM sqlite_master")? {
            0 => Ok(0),
            _ => Err(DirectoryFault::Corrupt("it is the database of another program".to_owned())),
        };
    }
    let version: Option<i64> =
        db.query_row("SELECT version FROM vestibule_schema", [], |row| row.get(0)).optional().map_err(|e| fault(&e))?;
    version
        .and_then(|version| usize::try_from(version).ok())
        .ok_or_else(|| DirectoryFault::Corrupt("its schema has no version".to_owned()))
}

/// Whether the file is of the version that this program writes.
pub(super) fn is_current(db: &Connection) -> rusqlite::Result<bool> {
    let version: i64 = db.query_row("SELECT version FROM vestibule_schema", [], |row| row.get(0))?;
    Ok(usize::try_from(version).is_ok_and(|version| version == MIGRATIONS.len()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rusqlite::StatementStatus::RePrepare;

    use super::super::connection::{make_file, open_writer};
    use super::super::statements as sql;
    use super::*;

    #[test]
    fn no_statement_of_a_request_is_prepared_again_for_new_values() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("v.db");
        make_file(&path).unwrap();
        let mut db = open_writer(&path, Duration::ZERO).unwrap();
        migrate(&mut db).unwrap();
        let all = [
            sql::FIND_USERS,
            sql::USER,
            sql::STANDING,
            sql::UPDATE_USER,
            sql::VALUES_OF_USER,
            sql::INSERT_VALUE,
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
            sql::DEACTIVATE_USER,
            sql::SWITCH_OFF,
            sql::LAST_LEAVING,
            sql::NOTE_LEAVING,
            sql::ANY_LEAVING_DUE,
            sql::LEAVINGS_DUE,
            sql::CLAIM_LEAVING,
            sql::FAMILIES_ENDED_AT,
            sql::CLOSE_LEAVING,
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

    #[test]
    fn a_file_of_version_1_becomes_one_of_today_with_its_contents() {
        let folder = tempfile::tempdir().unwrap();
        let open = |name: &str| {
            let path = folder.path().join(name);
            make_file(&path).unwrap();
            open_writer(&path, Duration::ZERO).unwrap()
        };
        let (mut old, mut fresh) = (open("old.db"), open("fresh.db"));
        old.execute_batch(VERSION_1).unwrap();
        old.execute_batch(
            "CREATE TABLE vestibule_schema (version BIGINT NOT NULL); INSERT INTO vestibule_schema VALUES (1);
            INSERT INTO users VALUES ('u1', 'd', 1, 1000, '{}', 1, '[]', 2000), ('u2', 'd', 0, 1, '{}', 0, '[]', 2);
            INSERT INTO user_values VALUES ('d', 'userName', 'ada', '', 'u1'), ('d', 'emails', 'a@b', 'u1', 'u1');
            INSERT INTO families VALUES ('f1', 7, 'u1', 's1', 1, 9000, 3000, '{}'), ('f2', 0, NULL, NULL, 0, 1, 1, NULL);
            INSERT INTO sign_outs VALUES ('s1', 3000, 8000);
            INSERT INTO signing_keys VALUES ('k1', 'ES256', 'AP8', 1000, 2000, NULL);
            INSERT INTO traces VALUES ('r1', 1, '{}');
            INSERT INTO upstream_hints VALUES ('u1', 'entra', 'AP8');",
        )
        .unwrap();
        let kept = ["users", "user_values", "families", "sign_outs", "signing_keys", "traces", "upstream_hints"];
        let before = kept.map(|table| contents(&old, table));
        assert!(before.iter().all(|rows| !rows.is_empty()));

        assert!(!is_current(&old).unwrap());
        migrate(&mut old).unwrap();
        migrate(&mut fresh).unwrap();
        assert!(is_current(&old).unwrap());
        assert_eq!(kept.map(|table| contents(&old, table)), before);
        assert_eq!(tables(&old), tables(&fresh));
        for table in ["notices", "leavings"] {
            assert!(contents(&old, table).is_empty(), "{table}");
        }
    }

    #[test]
    fn a_released_version_never_changes() {
        let digest = crate::base::Digest::of(VERSION_1).base64url();
        assert_eq!(digest, "jWq6fjkT7kHphb9uin6flAhqP2bJluL-u7cTEmSoPDA");
    }
}
