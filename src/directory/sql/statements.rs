//! The SQL text, kept to what SQLite and PostgreSQL both understand: `$n` in the order of their first
//! appearance, `ON CONFLICT`, TEXT and BIGINT. Truth is 0 or 1, moments are milliseconds, digests
//! are base64url.

/// The columns of a user, in the order in which `rows::user` reads them.
macro_rules! user_columns {
    () => {
        "u.id, u.directory, u.active, u.sessions_valid_from, u.attributes, u.email_verified, u.former_names, u.updated_at"
    };
}

pub(super) const SCHEMA_VERSION: &str = "SELECT version FROM vestibule_schema";

pub(super) const USER: &str = concat!("SELECT ", user_columns!(), ", u.identity_name FROM users u WHERE u.id = $1");
pub(super) const STANDING: &str = concat!(
    "SELECT ",
    user_columns!(),
    ", u.identity_name",
    ", CAST(CASE WHEN EXISTS (SELECT 1 FROM sign_outs WHERE sid = $1) THEN 1 ELSE 0 END AS BIGINT)",
    // Two point reads: a list of two would be made into a table of its own first.
    ", CAST(CASE WHEN EXISTS (SELECT 1 FROM families WHERE id = $2 AND revoked_at IS NOT NULL)",
    " OR EXISTS (SELECT 1 FROM families WHERE id = $3 AND revoked_at IS NOT NULL) THEN 1 ELSE 0 END AS BIGINT)",
    " FROM users u WHERE u.id = $4"
);
pub(super) const END_SESSIONS: &str =
    "UPDATE users SET sessions_valid_from = $1 WHERE id = $2 AND sessions_valid_from < $1";

pub(super) const FAMILY: &str = "SELECT generation, revoked_at, body FROM families WHERE id = $1";
pub(super) const BEGIN_FAMILY: &str = "INSERT INTO families (id, generation, user_id, sid, bound, ends, revoked_at, body) \
     SELECT CAST($1 AS TEXT), CAST($2 AS BIGINT), CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS BIGINT), \
     CAST($6 AS BIGINT), CAST($7 AS BIGINT), CAST($8 AS TEXT) \
     WHERE $5 = 0 OR NOT EXISTS (SELECT 1 FROM sign_outs WHERE sid = $4) \
     ON CONFLICT (id) DO NOTHING";
pub(super) const TURN_FAMILY: &str = "UPDATE families SET generation = $1, revoked_at = $2, body = $3 \
     WHERE id = $4 AND generation = $5 AND generation < $1 AND revoked_at IS NULL";
/// A family that isn't there leaves a tombstone: a row without user and body, which nothing can begin.
pub(super) const REVOKE_FAMILY: &str = "INSERT INTO families (id, generation, bound, ends, revoked_at) \
     VALUES ($1, 0, 0, $2, $2) \
     ON CONFLICT (id) DO UPDATE SET revoked_at = excluded.revoked_at WHERE families.revoked_at IS NULL";
pub(super) const IS_REVOKED: &str = "SELECT 1 FROM families WHERE id = $1 AND revoked_at IS NOT NULL";
pub(super) const REVOKE_FAMILIES_OF_USER: &str =
    "UPDATE families SET revoked_at = $1 WHERE user_id = $2 AND revoked_at IS NULL";
pub(super) const REVOKE_FAMILIES_OF_SESSION: &str =
    "UPDATE families SET revoked_at = $1 WHERE sid = $2 AND bound = 1 AND revoked_at IS NULL";

pub(super) const SIGN_OUT: &str = "INSERT INTO sign_outs (sid, at, until) VALUES ($1, $2, $3) \
     ON CONFLICT (sid) DO UPDATE SET until = excluded.until WHERE sign_outs.until < excluded.until";

/// A notice that waits stays as it is. One for all of a user's sessions that was handed out may have been delivered
/// already, and said nothing of what began since: there the new one takes its place.
pub(super) const QUEUE_NOTICE: &str = "INSERT INTO notices (id, client, user_id, sid, created, next_at, attempts) \
     VALUES ($1, $2, $3, $4, $5, $5, 0) \
     ON CONFLICT (client, user_id, sid) DO UPDATE SET id = excluded.id, created = excluded.created, \
     next_at = excluded.next_at, attempts = excluded.attempts \
     WHERE notices.sid = '' AND notices.attempts > 0 AND notices.id <> excluded.id";
/// Goes from client to client, however many notices each of them has.
pub(super) const CLIENTS_DUE: &str = "WITH RECURSIVE each (client) AS (\
     SELECT MIN(client) FROM notices \
     UNION ALL SELECT (SELECT MIN(n.client) FROM notices n WHERE n.client > each.client) FROM each \
     WHERE each.client IS NOT NULL) \
     SELECT each.client FROM each WHERE each.client IS NOT NULL \
     AND EXISTS (SELECT 1 FROM notices n WHERE n.client = each.client AND n.next_at <= $1)";
pub(super) const NOTICES_DUE: &str = "SELECT id, user_id, sid, created, attempts FROM notices \
     WHERE client = $1 AND next_at <= $2 ORDER BY next_at, created LIMIT $3";
pub(super) const CLAIM_NOTICE: &str = "UPDATE notices SET next_at = $1, attempts = attempts + 1 WHERE id = $2";
pub(super) const NOTICE_AGAIN: &str = "UPDATE notices SET next_at = $1 WHERE id = $2";
pub(super) const NOTICE_DONE: &str = "DELETE FROM notices WHERE id = $1";
pub(super) const WAITING: &str = "SELECT client, COUNT(*), MIN(created) FROM notices GROUP BY client ORDER BY client";

pub(super) const LAST_LEAVING: &str = "SELECT MAX(at) FROM leavings WHERE user_id = $1";
pub(super) const NOTE_LEAVING: &str = "INSERT INTO leavings (user_id, at, next_at) VALUES ($1, $2, $3)";
pub(super) const ANY_LEAVING_DUE: &str =
    "SELECT CAST(CASE WHEN EXISTS (SELECT 1 FROM leavings WHERE next_at <= $1) THEN 1 ELSE 0 END AS BIGINT)";
pub(super) const LEAVINGS_DUE: &str = "SELECT user_id, at FROM leavings WHERE next_at <= $1 ORDER BY at LIMIT $2";
pub(super) const CLAIM_LEAVING: &str = "UPDATE leavings SET next_at = $1 WHERE user_id = $2 AND at = $3";
/// A range of one moment, so that it is searched by user: a whole company may leave at that moment.
pub(super) const FAMILIES_ENDED_AT: &str =
    "SELECT body FROM families WHERE user_id = $1 AND revoked_at >= $2 AND revoked_at <= $2";
pub(super) const CLOSE_LEAVING: &str = "DELETE FROM leavings WHERE user_id = $1 AND at = $2";

pub(super) const KEYS: &str =
    "SELECT kid, algorithm, sealed, created, active_from, retired_at FROM signing_keys ORDER BY created, kid";
pub(super) const KIDS: &str = "SELECT kid FROM signing_keys ORDER BY kid";
pub(super) const WRITE_KEY: &str = "INSERT INTO signing_keys (kid, algorithm, sealed, created, active_from, retired_at) \
     VALUES ($1, $2, $3, $4, $5, $6) \
     ON CONFLICT (kid) DO UPDATE SET algorithm = excluded.algorithm, sealed = excluded.sealed, \
     created = excluded.created, active_from = excluded.active_from, retired_at = excluded.retired_at";
pub(super) const REMOVE_KEY: &str = "DELETE FROM signing_keys WHERE kid = $1";

pub(super) const TRACE: &str = "SELECT body FROM traces WHERE reference = $1";
pub(super) const WRITE_TRACE: &str = "INSERT INTO traces (reference, started, body) VALUES ($1, $2, $3) \
     ON CONFLICT (reference) DO UPDATE SET started = excluded.started, body = excluded.body";

pub(super) const PURGE_TRACES: &str =
    "DELETE FROM traces WHERE reference IN (SELECT reference FROM traces WHERE started < $1 LIMIT $2)";
pub(super) const PURGE_SIGN_OUTS: &str =
    "DELETE FROM sign_outs WHERE sid IN (SELECT sid FROM sign_outs WHERE until < $1 LIMIT $2)";
pub(super) const PURGE_REVOKED: &str =
    "DELETE FROM families WHERE id IN (SELECT id FROM families WHERE revoked_at < $1 LIMIT $2)";
pub(super) const PURGE_ENDED: &str = "DELETE FROM families WHERE id IN \
     (SELECT id FROM families WHERE ends < $1 AND revoked_at IS NULL LIMIT $2)";
pub(super) const PURGE_NOTICES: &str =
    "DELETE FROM notices WHERE id IN (SELECT id FROM notices WHERE created < $1 LIMIT $2)";
pub(super) const PURGE_LEAVINGS: &str = "DELETE FROM leavings WHERE (user_id, at) IN \
     (SELECT user_id, at FROM leavings WHERE at < $1 LIMIT $2)";

pub(super) const KEEP_UPSTREAM_HINT: &str = "
INSERT INTO upstream_hints (user_id, idp, sealed) VALUES ($1, $2, $3)
ON CONFLICT (user_id, idp) DO UPDATE SET sealed = excluded.sealed";
pub(super) const UPSTREAM_HINT: &str = "SELECT sealed FROM upstream_hints WHERE user_id = $1 AND idp = $2";

/// SQLite numbers `$n` by first appearance, PostgreSQL by n: they must agree in each statement of a source text.
#[cfg(test)]
pub(super) fn ascending(source: &str) {
    let (text, _) = source.split_once("#[cfg(test)]").unwrap();
    text.split("pub(super) const ").skip(1).for_each(ascending_in);
}

/// The same of one statement.
#[cfg(test)]
pub(super) fn ascending_in(statement: &str) {
    let mut highest = 0;
    for part in statement.split('$').skip(1) {
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        if let Ok(number) = digits.parse::<u32>() {
            assert!(number <= highest + 1, "{statement}");
            highest = highest.max(number);
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn placeholders_first_appear_in_ascending_order() {
        super::ascending(include_str!("statements.rs"));
    }
}
