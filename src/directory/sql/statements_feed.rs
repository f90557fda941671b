//! The SQL text of consumers of the feed, credentials, audit and sightings, under the rules of `statements`.

/// The feed: number, kind, id, member, moment, whether it is gone, and what is left of it. No two have one number. Each
/// kind is cut by itself, so that its index serves.
pub(super) const CHANGES: &str = "SELECT changed, kind, id, member, at, is_gone, external_id, name FROM (\
     SELECT * FROM (SELECT u.changed AS changed, CAST(0 AS BIGINT) AS kind, u.id AS id, '' AS member, \
     u.updated_at AS at, CAST(0 AS BIGINT) AS is_gone, CAST(NULL AS TEXT) AS external_id, CAST(NULL AS TEXT) AS name \
     FROM users u WHERE u.directory = $1 AND u.changed > $2 ORDER BY changed LIMIT $3) a \
     UNION ALL SELECT * FROM (SELECT g.changed AS changed, CAST(1 AS BIGINT) AS kind, g.id AS id, '' AS member, \
     g.updated_at AS at, CAST(0 AS BIGINT) AS is_gone, CAST(NULL AS TEXT) AS external_id, CAST(NULL AS TEXT) AS name \
     FROM user_groups g WHERE g.directory = $1 AND g.changed > $2 ORDER BY changed LIMIT $3) b \
     UNION ALL SELECT * FROM (SELECT m.changed AS changed, CAST(2 AS BIGINT) AS kind, m.group_id AS id, \
     m.member_id AS member, COALESCE((SELECT h.updated_at FROM user_groups h WHERE h.id = m.group_id), \
     CAST(0 AS BIGINT)) AS at, CAST(0 AS BIGINT) AS is_gone, CAST(NULL AS TEXT) AS external_id, \
     CAST(NULL AS TEXT) AS name FROM memberships m WHERE m.directory = $1 AND m.changed > $2 \
     ORDER BY changed LIMIT $3) c \
     UNION ALL SELECT * FROM (SELECT x.changed AS changed, x.kind AS kind, x.id AS id, x.member AS member, x.at AS at, \
     CAST(1 AS BIGINT) AS is_gone, x.external_id AS external_id, x.name AS name \
     FROM gone x WHERE x.directory = $1 AND x.changed > $2 ORDER BY changed LIMIT $3) d) e \
     ORDER BY changed LIMIT $3";

pub(super) const POSITION: &str = "SELECT position FROM consumers WHERE directory = $1 AND consumer = $2";
pub(super) const BEGIN_CONSUMER: &str = "INSERT INTO consumers (directory, consumer, position) VALUES ($1, $2, $3) \
     ON CONFLICT (directory, consumer) DO UPDATE SET position = excluded.position WHERE consumers.position = 0";
pub(super) const ADVANCE: &str =
    "UPDATE consumers SET position = $1 WHERE directory = $2 AND consumer = $3 AND position = $4";
pub(super) const LEAVE: &str = "DELETE FROM consumers WHERE directory = $1 AND consumer = $2";
/// Some rows at a time ($3).
pub(super) const FORGET: &str = "DELETE FROM gone WHERE (directory, kind, id, member) IN \
     (SELECT x.directory, x.kind, x.id, x.member FROM gone x WHERE x.directory = $1 AND x.at < $2 \
     AND NOT EXISTS (SELECT 1 FROM consumers c WHERE c.directory = x.directory AND c.position < x.changed) LIMIT $3)";

/// The columns of a credential, in the order in which they are read.
macro_rules! sync_client {
    ($rest:literal) => {
        concat!(
            "SELECT id, directory, scope, name, kind, secret, created, expires, last_used FROM sync_clients ",
            $rest
        )
    };
}
pub(super) const ADD_SYNC_CLIENT: &str = "INSERT INTO sync_clients \
     (id, directory, scope, name, kind, secret, created, expires, last_used) \
     SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS TEXT), \
     CAST($6 AS TEXT), CAST($7 AS BIGINT), CAST($8 AS BIGINT), CAST($9 AS BIGINT) \
     WHERE (SELECT COUNT(*) FROM sync_clients s WHERE s.scope = $3 AND s.expires > $7) < $10";
pub(super) const SYNC_CLIENT_BY_SECRET: &str = sync_client!("WHERE secret = $1");
pub(super) const SYNC_CLIENT: &str = sync_client!("WHERE id = $1");
pub(super) const SYNC_CLIENTS: &str = sync_client!("ORDER BY created, id");
pub(super) const REVOKE_SYNC_CLIENT: &str = "DELETE FROM sync_clients WHERE id = $1";
pub(super) const SYNC_CLIENT_USED: &str =
    "UPDATE sync_clients SET last_used = $1 WHERE id = $2 AND (last_used IS NULL OR last_used < $1)";

/// The columns of an audit record, in the order in which they are read.
macro_rules! audit {
    ($rest:literal) => {
        concat!("SELECT seq, directory, at, actor, what, object, changes FROM audit ", $rest)
    };
}
pub(super) const AUDIT_OF_OBJECT: &str = audit!("WHERE object = $1 AND directory = $2 ORDER BY seq DESC LIMIT $3");
pub(super) const AUDIT_OF_DIRECTORY: &str = audit!("WHERE directory = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3");

pub(super) const ADD_SIGHTING: &str = "INSERT INTO sightings (directory, kind, name, count, last) \
     VALUES ($1, $2, $3, $4, $5) \
     ON CONFLICT (directory, kind, name) DO UPDATE SET count = sightings.count + excluded.count, \
     last = CASE WHEN sightings.last < excluded.last THEN excluded.last ELSE sightings.last END";
pub(super) const SIGHTINGS: &str =
    "SELECT directory, kind, name, count, last FROM sightings WHERE directory = $1 ORDER BY kind, name";

pub(super) const PURGE_RESERVED: &str = "DELETE FROM reserved_ids WHERE (directory, external_id) IN \
     (SELECT directory, external_id FROM reserved_ids WHERE until < $1 LIMIT $2)";
pub(super) const PURGE_REMOVALS: &str = "DELETE FROM policy_removals WHERE (directory, at, user_id) IN \
     (SELECT directory, at, user_id FROM policy_removals WHERE at < $1 LIMIT $2)";

#[cfg(test)]
mod tests {
    use super::super::statements::ascending;

    #[test]
    fn placeholders_first_appear_in_ascending_order() {
        ascending(include_str!("statements_feed.rs"));
    }
}
