//! The SQL text of users as SCIM writes them, under the rules of `statements`.

/// The columns of a stored user, in the order in which `stored::user` reads them: first those of `rows::user`.
macro_rules! stored_columns {
    () => {
        "u.id, u.directory, u.active, u.sessions_valid_from, u.attributes, u.email_verified, u.former_names, \
         u.updated_at, u.version, u.seq, u.created_at, u.inactive_since, u.identity_name"
    };
}
pub(super) use stored_columns;

pub(super) const STORED_USER: &str =
    concat!("SELECT ", stored_columns!(), " FROM users u WHERE u.id = $1 AND u.directory = $2");
pub(super) const STORED_BY_ID: &str = concat!("SELECT ", stored_columns!(), " FROM users u WHERE u.id = $1");
pub(super) const STORED_BY_VALUE: &str = concat!(
    "SELECT ",
    stored_columns!(),
    " FROM user_values v JOIN users u ON u.id = v.user_id WHERE v.directory = $1 AND v.attribute = $2 AND v.value = $3"
);
pub(super) const INACTIVE_BETWEEN: &str = concat!(
    "SELECT ",
    stored_columns!(),
    " FROM users u WHERE u.directory = $1 AND u.inactive_since >= $2 AND u.inactive_since < $3",
    " AND u.inactive_since IS NOT NULL ORDER BY u.inactive_since, u.seq LIMIT $4"
);
pub(super) const COUNT_INACTIVE: &str = "SELECT COUNT(*) FROM (SELECT 1 FROM users u WHERE u.directory = $1 \
     AND u.inactive_since < $2 AND u.inactive_since IS NOT NULL LIMIT $3) some";

/// Takes the next numbers of a directory ($2 of them) and counts what becomes more or less. Gives the last number, and
/// the attributes beyond the usual ones that are indexed.
pub(super) const COUNT: &str = "INSERT INTO tallies \
     (directory, seq, users, inactive, groups, memberships, parked, deletions, released) \
     VALUES ($1, $2, $3, $4, 0, 0, 0, $5, 0) \
     ON CONFLICT (directory) DO UPDATE SET seq = tallies.seq + excluded.seq, users = tallies.users + excluded.users, \
     inactive = tallies.inactive + excluded.inactive, deletions = tallies.deletions + excluded.deletions \
     RETURNING seq, (SELECT string_agg(v.attribute, ' ') FROM value_indexes v WHERE v.directory = tallies.directory)";
/// The same for one new user, with all that there may be to know of it beforehand: an id that waits for its externalId,
/// and whether its own id is parked in a group or was somebody's before.
pub(super) const COUNT_NEW_USER: &str = "INSERT INTO tallies \
     (directory, seq, users, inactive, groups, memberships, parked, deletions, released) \
     VALUES ($1, 1, 1, $2, 0, 0, 0, 0, 0) \
     ON CONFLICT (directory) DO UPDATE SET seq = tallies.seq + 1, users = tallies.users + 1, \
     inactive = tallies.inactive + excluded.inactive \
     RETURNING seq, (SELECT string_agg(v.attribute, ' ') FROM value_indexes v WHERE v.directory = tallies.directory), \
     (SELECT r.user_id FROM reserved_ids r WHERE r.directory = tallies.directory AND r.external_id = $3 \
     AND r.until > $4), \
     CAST(CASE WHEN EXISTS (SELECT 1 FROM parked_members p WHERE p.ref = $5) \
     OR EXISTS (SELECT 1 FROM gone g WHERE g.directory = tallies.directory AND g.kind = 0 AND g.id = $5 \
     AND g.member = '') THEN 1 ELSE 0 END AS BIGINT)";
pub(super) const INSERT_STORED: &str = "INSERT INTO users \
     (id, directory, active, sessions_valid_from, attributes, email_verified, former_names, updated_at, version, seq, \
     created_at, inactive_since, identity_name, changed) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, $8, $10, $11, $9) ON CONFLICT DO NOTHING";
pub(super) const UPDATE_STORED: &str = "UPDATE users SET active = $1, sessions_valid_from = $2, attributes = $3, \
     email_verified = $4, former_names = $5, updated_at = $6, version = version + 1, inactive_since = $7, \
     identity_name = $8, changed = $9 WHERE id = $10";
pub(super) const DELETE_USER: &str = "DELETE FROM users WHERE id = $1";
pub(super) const HOLDS: &str = "SELECT user_id FROM user_values WHERE directory = $1 AND attribute = $2 AND value = $3 \
     AND holder = ''";
pub(super) const WRITE_AUDIT: &str = "INSERT INTO audit (directory, seq, at, actor, what, object, changes) \
     VALUES ($1, $2, $3, $4, $5, $6, $7)";

pub(super) const USER_IS_BACK: &str = "DELETE FROM gone WHERE directory = $1 AND kind = 0 AND id = $2 AND member = ''";
pub(super) const TAKE_RESERVED: &str = "DELETE FROM reserved_ids WHERE directory = $1 AND external_id = $2";
pub(super) const RESERVED_NO_LONGER: &str = "DELETE FROM reserved_ids WHERE directory = $1 AND user_id = $2";

pub(super) const USER_GONE: &str = "INSERT INTO gone (directory, kind, id, member, changed, at, external_id, name) \
     VALUES ($1, 0, $2, '', $3, $4, $5, $6) \
     ON CONFLICT (directory, kind, id, member) DO UPDATE SET changed = excluded.changed, at = excluded.at, \
     external_id = excluded.external_id, name = excluded.name";
pub(super) const RESERVE: &str = "INSERT INTO reserved_ids (directory, external_id, user_id, until) \
     VALUES ($1, $2, $3, $4) \
     ON CONFLICT (directory, external_id) DO UPDATE SET user_id = excluded.user_id, until = excluded.until";
pub(super) const NOTE_POLICY_REMOVAL: &str = "INSERT INTO policy_removals (directory, at, user_id) VALUES ($1, $2, $3)";

/// Users by directory and seq, behind ($1, $2).
pub(super) const USERS_BY_PLACE: &str = "SELECT directory, seq, id, attributes FROM users \
     WHERE (directory, seq) > ($1, $2) ORDER BY directory, seq LIMIT $3";

pub(super) const INDEX_STATE: &str = "SELECT complete FROM value_indexes WHERE directory = $1 AND attribute = $2";
pub(super) const WANT_INDEX: &str = "INSERT INTO value_indexes (directory, attribute, complete) VALUES ($1, $2, 0) \
     ON CONFLICT DO NOTHING";
pub(super) const INDEX_REACHES: &str = "UPDATE value_indexes SET complete = $1 WHERE directory = $2 AND attribute = $3";
pub(super) const USERS_BEHIND: &str = "SELECT seq, id, attributes FROM users \
     WHERE directory = $1 AND seq > $2 ORDER BY seq LIMIT $3";

pub(super) const ANNOUNCE_USER: &str = "UPDATE users SET changed = $1, updated_at = $2, version = version + 1 \
     WHERE id = $3 AND directory = $4";
pub(super) const REWRITE_USER: &str = "UPDATE users SET attributes = $1, version = version + 1 WHERE id = $2";
pub(super) const DELETE_VALUE: &str =
    "DELETE FROM user_values WHERE directory = $1 AND attribute = $2 AND value = $3 AND holder = $4 AND user_id = $5";

pub(super) const LISTS_OF: &str =
    "SELECT attribute, aside_since FROM attribute_lists WHERE directory = $1 ORDER BY attribute";
pub(super) const SET_ASIDE: &str = "SELECT directory, attribute, aside_since FROM attribute_lists \
     WHERE aside_since IS NOT NULL ORDER BY directory, attribute";
pub(super) const LISTS: &str = "SELECT directory, attribute, aside_since, announce_after FROM attribute_lists \
     ORDER BY directory, attribute";
pub(super) const WRITE_LIST: &str = "INSERT INTO attribute_lists (directory, attribute, aside_since, announce_after) \
     VALUES ($1, $2, $3, $4) ON CONFLICT (directory, attribute) DO UPDATE SET aside_since = excluded.aside_since, \
     announce_after = excluded.announce_after";
pub(super) const ANNOUNCED: &str = "UPDATE attribute_lists SET announce_after = $1 \
     WHERE directory = $2 AND attribute = $3 AND announce_after = $4";
pub(super) const IS_ASIDE: &str = "SELECT 1 FROM attribute_lists \
     WHERE directory = $1 AND attribute = $2 AND aside_since IS NOT NULL";
pub(super) const FORGET_LIST: &str = "DELETE FROM attribute_lists \
     WHERE directory = $1 AND attribute = $2 AND aside_since IS NOT NULL";

/// Of the oldest records ($2 of them) those that are too old: their numbers grow with time.
pub(super) const FORGET_AUDIT: &str = "DELETE FROM audit WHERE directory = $1 AND seq IN \
     (SELECT a.seq FROM audit a WHERE a.directory = $1 ORDER BY a.seq LIMIT $2) AND at < $3";

pub(super) const REMOVED_SINCE: &str = "SELECT COUNT(*) FROM policy_removals WHERE directory = $1 AND at >= $2";
pub(super) const TALLY: &str =
    "SELECT users, inactive, groups, memberships, parked, seq, released FROM tallies WHERE directory = $1";
pub(super) const RELEASE_FIRST: &str = "INSERT INTO tallies \
     (directory, seq, users, inactive, groups, memberships, parked, deletions, released) \
     VALUES ($1, 0, 0, 0, 0, 0, 0, 0, $2) ON CONFLICT DO NOTHING";
pub(super) const RELEASE: &str = "UPDATE tallies SET released = $1 WHERE directory = $2 AND released = $3";

/// Clears a scope, some rows at a time; in the order of their running.
pub(super) const CLEAR: [&str; 14] = [
    "DELETE FROM leavings WHERE (user_id, at) IN (SELECT l.user_id, l.at FROM leavings l \
     WHERE l.user_id IN (SELECT u.id FROM users u WHERE u.directory = $1 \
     UNION ALL SELECT g.id FROM gone g WHERE g.directory = $1 AND g.kind = 0) LIMIT $2)",
    "DELETE FROM user_values WHERE (directory, attribute, value, holder) IN \
     (SELECT directory, attribute, value, holder FROM user_values WHERE directory = $1 LIMIT $2)",
    "DELETE FROM memberships WHERE (group_id, member_id) IN \
     (SELECT group_id, member_id FROM memberships WHERE directory = $1 LIMIT $2)",
    "DELETE FROM parked_members WHERE (group_id, ref) IN \
     (SELECT group_id, ref FROM parked_members WHERE directory = $1 LIMIT $2)",
    "DELETE FROM user_groups WHERE id IN (SELECT id FROM user_groups WHERE directory = $1 LIMIT $2)",
    "DELETE FROM users WHERE id IN (SELECT u.id FROM users u WHERE u.directory = $1 \
     AND NOT EXISTS (SELECT 1 FROM leavings l WHERE l.user_id = u.id) LIMIT $2)",
    "DELETE FROM gone WHERE (directory, kind, id, member) IN \
     (SELECT g.directory, g.kind, g.id, g.member FROM gone g WHERE g.directory = $1 \
     AND NOT EXISTS (SELECT 1 FROM leavings l WHERE l.user_id = g.id) LIMIT $2)",
    "DELETE FROM reserved_ids WHERE (directory, external_id) IN \
     (SELECT directory, external_id FROM reserved_ids WHERE directory = $1 LIMIT $2)",
    "DELETE FROM policy_removals WHERE (directory, at, user_id) IN \
     (SELECT directory, at, user_id FROM policy_removals WHERE directory = $1 LIMIT $2)",
    "DELETE FROM audit WHERE (directory, seq) IN (SELECT directory, seq FROM audit WHERE directory = $1 LIMIT $2)",
    "DELETE FROM sightings WHERE (directory, kind, name) IN \
     (SELECT directory, kind, name FROM sightings WHERE directory = $1 LIMIT $2)",
    "DELETE FROM consumers WHERE (directory, consumer) IN \
     (SELECT directory, consumer FROM consumers WHERE directory = $1 LIMIT $2)",
    "DELETE FROM attribute_lists WHERE (directory, attribute) IN \
     (SELECT directory, attribute FROM attribute_lists WHERE directory = $1 LIMIT $2)",
    "DELETE FROM value_indexes WHERE (directory, attribute) IN \
     (SELECT directory, attribute FROM value_indexes WHERE directory = $1 LIMIT $2)",
];
/// The last of it, when nothing else is left.
pub(super) const CLEAR_LAST: [&str; 2] =
    ["DELETE FROM sync_clients WHERE scope = $1", "DELETE FROM tallies WHERE directory = $1"];
pub(super) const SCOPES_LEFT_BEHIND: &str = "SELECT s.scope FROM (SELECT directory AS scope FROM tallies \
     UNION SELECT directory FROM sightings) s WHERE s.scope LIKE '%~%' \
     AND NOT EXISTS (SELECT 1 FROM sync_clients c WHERE c.scope = s.scope) ORDER BY s.scope";

#[cfg(test)]
mod tests {
    use super::super::statements::ascending;

    #[test]
    fn placeholders_first_appear_in_ascending_order() {
        ascending(include_str!("statements_roster.rs"));
    }
}
