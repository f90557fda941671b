//! Version 3 of the schema: the provisioned directory.

use super::engine::{Sql, SqlFault, params};
use super::rows;
use super::statements_roster as sql;
use super::values::{basic_values, insert_values};
use crate::identity::user::Attributes;

/// Users whose index rows are made anew at a time.
const AT_ONCE: i64 = 1_000;

pub(super) const VERSION_3: &str = "
ALTER TABLE users ADD COLUMN seq BIGINT NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE users ADD COLUMN created_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN inactive_since BIGINT;
-- The name of before a tombstone took its place.
ALTER TABLE users ADD COLUMN identity_name TEXT;
-- The directory's counter at its last change: its place in the feed.
ALTER TABLE users ADD COLUMN changed BIGINT NOT NULL DEFAULT 0;
UPDATE users SET seq = o.place, changed = o.place, created_at = updated_at,
    inactive_since = CASE WHEN active = 0 THEN updated_at END
    FROM (SELECT id AS user_id, ROW_NUMBER() OVER (PARTITION BY directory ORDER BY updated_at, id) AS place FROM users) o
    WHERE o.user_id = users.id;
CREATE UNIQUE INDEX users_by_seq ON users (directory, seq);
CREATE INDEX users_changed ON users (directory, changed);
CREATE INDEX users_inactive ON users (directory, inactive_since) WHERE inactive_since IS NOT NULL;
-- One row for each value of userName, externalId, displayName, emails, and of what value_indexes names. Which rows a
-- user has follows from its document. No two users of a directory hold the same userName or externalId: there the
-- holder is nobody, elsewhere the user. So the key is both index and rule.
DROP TABLE user_values;
CREATE TABLE user_values (
    directory TEXT NOT NULL,
    attribute TEXT NOT NULL,
    value     TEXT NOT NULL,
    holder    TEXT NOT NULL,
    user_id   TEXT NOT NULL,
    PRIMARY KEY (directory, attribute, value, holder),
    CHECK (holder = CASE WHEN attribute IN ('userName', 'externalId') THEN '' ELSE user_id END)
) WITHOUT ROWID;
-- seq: the directory's counter, from which every write takes its number. deletions: rows ever deleted.
CREATE TABLE tallies (
    directory   TEXT   NOT NULL PRIMARY KEY,
    seq         BIGINT NOT NULL,
    users       BIGINT NOT NULL,
    inactive    BIGINT NOT NULL,
    groups      BIGINT NOT NULL,
    memberships BIGINT NOT NULL,
    parked      BIGINT NOT NULL,
    deletions   BIGINT NOT NULL,
    released    BIGINT NOT NULL
);
INSERT INTO tallies (directory, seq, users, inactive, groups, memberships, parked, deletions, released)
    SELECT directory, COUNT(*), COUNT(*), SUM(1 - active), 0, 0, 0, 0, 0 FROM users GROUP BY directory;
CREATE TABLE user_groups (
    id          TEXT   NOT NULL PRIMARY KEY,
    directory   TEXT   NOT NULL,
    seq         BIGINT NOT NULL,
    version     BIGINT NOT NULL,
    head        BIGINT NOT NULL,
    attributes  TEXT   NOT NULL,
    name_key    TEXT   NOT NULL,
    external_id TEXT,
    members     BIGINT NOT NULL,
    parked      BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    changed     BIGINT NOT NULL
);
CREATE UNIQUE INDEX user_groups_by_seq ON user_groups (directory, seq);
CREATE INDEX user_groups_by_name ON user_groups (directory, name_key);
CREATE UNIQUE INDEX user_groups_by_external_id ON user_groups (directory, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX user_groups_changed ON user_groups (directory, changed);
-- kind: 0 a user, 1 a group.
CREATE TABLE memberships (
    group_id  TEXT   NOT NULL,
    member_id TEXT   NOT NULL,
    directory TEXT   NOT NULL,
    kind      BIGINT NOT NULL,
    changed   BIGINT NOT NULL,
    PRIMARY KEY (group_id, member_id)
) WITHOUT ROWID;
-- With the directory: else SQLite prefers the index of the feed, and goes through all memberships of a directory.
CREATE INDEX memberships_by_member ON memberships (member_id, directory, group_id);
-- The groups within a group, however many users there are: all columns, for else SQLite prefers the primary key.
CREATE INDEX memberships_of_groups ON memberships (group_id, directory, kind, member_id) WHERE kind = 1;
CREATE INDEX memberships_changed ON memberships (directory, changed);
CREATE TABLE parked_members (
    group_id  TEXT NOT NULL,
    ref       TEXT NOT NULL,
    directory TEXT NOT NULL,
    PRIMARY KEY (group_id, ref)
) WITHOUT ROWID;
CREATE INDEX parked_members_by_ref ON parked_members (ref);
-- What was deleted, for the feed. kind: 0 a user, 1 a group, 2 a membership, which alone has a member.
CREATE TABLE gone (
    directory   TEXT   NOT NULL,
    kind        BIGINT NOT NULL,
    id          TEXT   NOT NULL,
    member      TEXT   NOT NULL,
    changed     BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    external_id TEXT,
    name        TEXT,
    PRIMARY KEY (directory, kind, id, member)
) WITHOUT ROWID;
CREATE INDEX gone_changed ON gone (directory, changed);
-- Ids of users whom our policy deleted, for when the same externalId comes back.
CREATE TABLE reserved_ids (
    directory   TEXT   NOT NULL,
    external_id TEXT   NOT NULL,
    user_id     TEXT   NOT NULL,
    until       BIGINT NOT NULL,
    PRIMARY KEY (directory, external_id)
) WITHOUT ROWID;
CREATE TABLE policy_removals (
    directory TEXT   NOT NULL,
    at        BIGINT NOT NULL,
    user_id   TEXT   NOT NULL
);
CREATE INDEX policy_removals_by_time ON policy_removals (directory, at);
CREATE TABLE sync_clients (
    id        TEXT   NOT NULL PRIMARY KEY,
    directory TEXT   NOT NULL,
    scope     TEXT   NOT NULL,
    name      TEXT   NOT NULL,
    kind      TEXT   NOT NULL,
    secret    TEXT   NOT NULL UNIQUE,
    created   BIGINT NOT NULL,
    expires   BIGINT NOT NULL,
    last_used BIGINT
);
CREATE TABLE audit (
    directory TEXT   NOT NULL,
    seq       BIGINT NOT NULL,
    at        BIGINT NOT NULL,
    actor     TEXT   NOT NULL,
    what      TEXT   NOT NULL,
    object    TEXT   NOT NULL,
    changes   TEXT   NOT NULL,
    PRIMARY KEY (directory, seq)
) WITHOUT ROWID;
CREATE INDEX audit_by_object ON audit (object, seq);
CREATE TABLE sightings (
    directory TEXT   NOT NULL,
    kind      TEXT   NOT NULL,
    name      TEXT   NOT NULL,
    count     BIGINT NOT NULL,
    last      BIGINT NOT NULL,
    PRIMARY KEY (directory, kind, name)
) WITHOUT ROWID;
-- Up to which number readers of the feed have carried everything out.
CREATE TABLE consumers (
    directory TEXT   NOT NULL,
    consumer  TEXT   NOT NULL,
    position  BIGINT NOT NULL,
    PRIMARY KEY (directory, consumer)
) WITHOUT ROWID;
-- What a directory ever confirmed. aside_since: when it ceased to. announce_after: behind which seq its holders have yet
-- to be brought into the feed, if they have.
CREATE TABLE attribute_lists (
    directory      TEXT NOT NULL,
    attribute      TEXT NOT NULL,
    aside_since    BIGINT,
    announce_after BIGINT,
    PRIMARY KEY (directory, attribute)
) WITHOUT ROWID;
-- complete: 1 once all users are indexed; until then 0, or the seq of the last one that is, below zero.
CREATE TABLE value_indexes (
    directory TEXT   NOT NULL,
    attribute TEXT   NOT NULL,
    complete  BIGINT NOT NULL,
    PRIMARY KEY (directory, attribute)
) WITHOUT ROWID;
";

/// Makes the index rows of all users of before: the script leaves none. Names fold together more widely than before;
/// of two users whose names have become one, the elder is found by it.
pub(super) fn index_all(db: &dyn Sql) -> Result<(), SqlFault> {
    let mut last = (String::new(), 0);
    loop {
        let users = db.all(sql::USERS_BY_PLACE, params![&last.0, last.1, AT_ONCE], |row| {
            let attributes: Attributes = rows::read_json(row.text(3)?)?;
            Ok((row.text(0)?.to_owned(), row.int(1)?, row.text(2)?.to_owned(), attributes))
        })?;
        let Some((directory, seq, ..)) = users.last() else { return Ok(()) };
        last = (directory.clone(), *seq);
        for (directory, _, id, attributes) in &users {
            insert_values(db, (directory, id), &basic_values(attributes))?;
        }
    }
}
