//! The tables, and how a database comes from one version of them to the next.

use super::engine::{Flavour, Sql, SqlFault, params};
use super::statements::SCHEMA_VERSION;
use super::version_3::{VERSION_3, index_all};

/// All versions, in order. A released one never changes.
const VERSIONS: [Version; 3] =
    [Version::new(VERSION_1), Version::new(VERSION_2), Version { script: VERSION_3, then: index_all }];

/// How a database comes to one version from the one before. The script is SQLite's; PostgreSQL reads it without
/// `WITHOUT ROWID`, and compares texts by their bytes as SQLite does.
struct Version {
    script: &'static str,
    /// What no script can do, after it.
    then: fn(&dyn Sql) -> Result<(), SqlFault>,
}

impl Version {
    const fn new(script: &'static str) -> Self {
        Self { script, then: |_| Ok(()) }
    }
}

pub(super) const VERSION_1: &str = "
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

pub(super) const VERSION_2: &str = "
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

/// Brings the database to the newest version within a transaction; a new one from nothing.
///
/// # Errors
/// One of a newer version or of another program is [`SqlFault::Damage`] to us, and left alone.
pub(super) fn migrate(db: &dyn Sql) -> Result<(), SqlFault> {
    let version = version(db)?;
    let known = VERSIONS.len();
    if version > known {
        return Err(SqlFault::Damage(format!(
            "its schema is version {version}, and this program knows {known} at most: it was written by a newer one"
        )));
    }
    if version == known {
        return Ok(());
    }
    for Version { script, then } in VERSIONS.iter().skip(version) {
        db.script(script)?;
        then(db)?;
    }
    db.script("CREATE TABLE IF NOT EXISTS vestibule_schema (version BIGINT NOT NULL); DELETE FROM vestibule_schema;")?;
    let known = i64::try_from(known).unwrap_or(i64::MAX);
    db.execute("INSERT INTO vestibule_schema (version) VALUES ($1)", params![known]).map(drop)
}

/// The version of the database; 0 of an empty one.
fn version(db: &dyn Sql) -> Result<usize, SqlFault> {
    let (ours, any) = match db.flavour() {
        Flavour::Sqlite => {
            ("SELECT 1 FROM sqlite_master WHERE name = 'vestibule_schema'", "SELECT 1 FROM sqlite_master")
        }
        Flavour::Postgres => (
            "SELECT 1 FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relname = 'vestibule_schema'",
            "SELECT 1 FROM pg_class WHERE relnamespace = current_schema()::regnamespace",
        ),
    };
    if !db.exists(ours, &[])? {
        return match db.exists(any, &[])? {
            false => Ok(0),
            true => Err(SqlFault::Damage("it is the database of another program".to_owned())),
        };
    }
    let version = db.first(SCHEMA_VERSION, &[], |row| row.int(0))?;
    version
        .and_then(|version| usize::try_from(version).ok())
        .ok_or_else(|| SqlFault::Damage("its schema has no version".to_owned()))
}

/// Whether the database is of the version that this program writes.
pub(super) fn is_current(db: &dyn Sql) -> Result<bool, SqlFault> {
    let version = db.first(SCHEMA_VERSION, &[], |row| row.int(0))?;
    Ok(version.and_then(|version| usize::try_from(version).ok()) == Some(VERSIONS.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_released_version_never_changes() {
        let released = [
            (VERSION_1, "jWq6fjkT7kHphb9uin6flAhqP2bJluL-u7cTEmSoPDA"),
            (VERSION_2, "EkUZOJRpzTu2VtXjbR--CRiCo9GWprrRg0beOB9td5w"),
        ];
        for (script, digest) in released {
            assert_eq!(crate::base::Digest::of(script).base64url(), digest);
        }
    }
}
