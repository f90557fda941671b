//! The SQL text of groups and their members; see `statements`. Lists of ids come as one JSON text, so that a statement is
//! the same for one member and for a hundred thousand; only how it is taken apart differs.

use super::engine::Flavour;

/// A statement for each engine.
pub(super) struct Both {
    sqlite: &'static str,
    postgres: &'static str,
}

impl Both {
    pub(super) const fn of(&self, flavour: Flavour) -> &'static str {
        match flavour {
            Flavour::Sqlite => self.sqlite,
            Flavour::Postgres => self.postgres,
        }
    }
}

/// A statement that has the texts of the JSON array `$1` as `ids`.
macro_rules! of_ids {
    ($($part:expr),+ $(,)?) => {
        Both {
            sqlite: concat!("WITH ids (id) AS (SELECT value FROM json_each($1)) ", $($part),+),
            postgres: concat!(
                "WITH ids (id) AS (SELECT value FROM json_array_elements_text(CAST(CAST($1 AS TEXT) AS json)) AS e (value)) ",
                $($part),+
            ),
        }
    };
}

/// The columns of a group, in the order in which `group_rows::stored` reads them.
macro_rules! group_columns {
    () => {
        "g.id, g.directory, g.seq, g.version, g.head, g.attributes, g.members, g.parked, g.created_at, g.updated_at"
    };
}

macro_rules! nobody_has_it {
    ($directory:literal) => {
        concat!(
            "NOT EXISTS (SELECT 1 FROM users u WHERE u.id = i.id AND u.directory = ",
            $directory,
            ") AND NOT EXISTS (SELECT 1 FROM user_groups g WHERE g.id = i.id AND g.directory = ",
            $directory,
            ")"
        )
    };
}

pub(super) const GROUP: &str =
    concat!("SELECT ", group_columns!(), " FROM user_groups g WHERE g.id = $1 AND g.directory = $2");
pub(super) const GROUP_OF_NAME: &str = concat!(
    "SELECT ",
    group_columns!(),
    " FROM user_groups g WHERE g.directory = $1 AND g.name_key = $2 AND g.id <> $3 LIMIT 1"
);
pub(super) const GROUP_OF_EXTERNAL_ID: &str = concat!(
    "SELECT ",
    group_columns!(),
    " FROM user_groups g WHERE g.directory = $1 AND g.external_id = $2 AND g.id <> $3 LIMIT 1"
);
pub(super) const INSERT_GROUP: &str = "INSERT INTO user_groups (id, directory, seq, version, head, attributes, name_key, \
     external_id, members, parked, created_at, updated_at, changed) \
     VALUES ($1, $2, $3, 1, 1, $4, $5, $6, 0, 0, $7, $7, $3) ON CONFLICT (id) DO NOTHING";
pub(super) const WRITE_HEAD: &str =
    "UPDATE user_groups SET attributes = $1, name_key = $2, external_id = $3, head = head + 1 WHERE id = $4";
pub(super) const TOUCH_GROUP: &str = "UPDATE user_groups SET version = version + 1, members = members + $1, \
     parked = parked + $2, changed = $3, updated_at = CASE WHEN updated_at > $4 THEN updated_at ELSE $4 END \
     WHERE id = $5";
pub(super) const COUNT_MEMBERS: &str = "UPDATE user_groups SET members = $1, parked = $2 WHERE id = $3";
pub(super) const DELETE_GROUP: &str = "DELETE FROM user_groups WHERE id = $1";
pub(super) const EMPTY_GROUP: &str = "DELETE FROM memberships WHERE group_id = $1";
pub(super) const EMPTY_PARKED: &str = "DELETE FROM parked_members WHERE group_id = $1";

/// Takes so many numbers of a directory's counter; gives the last one.
pub(super) const RESERVE: &str = "INSERT INTO tallies \
     (directory, seq, users, inactive, groups, memberships, parked, deletions, released) \
     VALUES ($1, $2, 0, 0, 0, 0, 0, 0, 0) \
     ON CONFLICT (directory) DO UPDATE SET seq = tallies.seq + excluded.seq RETURNING seq";
pub(super) const TALLY: &str = "UPDATE tallies SET groups = groups + $1, memberships = memberships + $2, \
     parked = parked + $3, deletions = deletions + $4 WHERE directory = $5";
pub(super) const WRITE_AUDIT: &str = "INSERT INTO audit (directory, seq, at, actor, what, object, changes) \
     VALUES ($1, $2, $3, $4, $5, $6, $7)";

macro_rules! add_members {
    ($kind:literal, $table:literal) => {
        of_ids!(
            "INSERT INTO memberships (group_id, member_id, directory, kind, changed) \
             SELECT CAST($2 AS TEXT), o.id, o.directory, ",
            $kind,
            ", CAST($3 AS BIGINT) + ROW_NUMBER() OVER () FROM ids i CROSS JOIN ",
            $table,
            " o WHERE o.id = i.id AND o.directory = $4 ON CONFLICT (group_id, member_id) DO NOTHING"
        )
    };
}
pub(super) const ADD_USERS: Both = add_members!("0", "users");
pub(super) const ADD_GROUPS: Both = add_members!("1", "user_groups");
pub(super) const UNKNOWN: Both =
    of_ids!("SELECT i.id FROM ids i WHERE ", nobody_has_it!("$2"), " ORDER BY i.id LIMIT 1");
pub(super) const PARK: Both = of_ids!(
    "INSERT INTO parked_members (group_id, ref, directory) SELECT CAST($2 AS TEXT), i.id, CAST($3 AS TEXT) \
     FROM ids i WHERE ",
    nobody_has_it!("$3"),
    " ON CONFLICT (group_id, ref) DO NOTHING"
);
/// Who is a member is not gone.
pub(super) const CAME_BACK: Both = of_ids!(
    "DELETE FROM gone WHERE directory = $2 AND kind = 2 AND id = $3 AND member IN (SELECT id FROM ids) \
     AND EXISTS (SELECT 1 FROM memberships m WHERE m.group_id = gone.id AND m.member_id = gone.member)"
);

macro_rules! note_gone {
    ($which:literal) => {
        of_ids!(
            "INSERT INTO gone (directory, kind, id, member, changed, at) \
             SELECT m.directory, 2, m.group_id, m.member_id, CAST($2 AS BIGINT) + ROW_NUMBER() OVER (), \
             CAST($3 AS BIGINT) FROM memberships m WHERE m.group_id = $4 AND m.member_id ",
            $which,
            " (SELECT id FROM ids) \
             ON CONFLICT (directory, kind, id, member) DO UPDATE SET changed = excluded.changed, at = excluded.at"
        )
    };
}
macro_rules! remove {
    ($table:literal, $column:literal, $which:literal) => {
        of_ids!("DELETE FROM ", $table, " WHERE group_id = $2 AND ", $column, " ", $which, " (SELECT id FROM ids)")
    };
}
pub(super) const NOTE_GONE: Both = note_gone!("IN");
pub(super) const NOTE_OTHERS_GONE: Both = note_gone!("NOT IN");
pub(super) const REMOVE: Both = remove!("memberships", "member_id", "IN");
pub(super) const REMOVE_OTHERS: Both = remove!("memberships", "member_id", "NOT IN");
pub(super) const FORGET_PARKED: Both = remove!("parked_members", "ref", "IN");
pub(super) const FORGET_OTHERS_PARKED: Both = remove!("parked_members", "ref", "NOT IN");

pub(super) const WAITING_FOR: &str =
    "SELECT group_id FROM parked_members WHERE ref = $1 AND directory = $2 ORDER BY group_id";
pub(super) const TAKE_IN: &str = "INSERT INTO memberships (group_id, member_id, directory, kind, changed) \
     SELECT p.group_id, p.ref, p.directory, CAST($1 AS BIGINT), CAST($2 AS BIGINT) + ROW_NUMBER() OVER () \
     FROM parked_members p WHERE p.ref = $3 AND p.directory = $4 ON CONFLICT (group_id, member_id) DO NOTHING";
pub(super) const TOOK_IN: &str = "DELETE FROM gone WHERE directory = $1 AND kind = 2 AND member = $2 \
     AND id IN (SELECT group_id FROM parked_members WHERE ref = $2 AND directory = $1)";
pub(super) const NO_LONGER_PARKED: &str = "DELETE FROM parked_members WHERE ref = $1 AND directory = $2";
pub(super) const HOLDERS: &str =
    "SELECT group_id FROM memberships WHERE member_id = $1 AND directory = $2 ORDER BY group_id";
pub(super) const NOTE_LEFT: &str = "INSERT INTO gone (directory, kind, id, member, changed, at) \
     SELECT m.directory, 2, m.group_id, m.member_id, CAST($1 AS BIGINT) + ROW_NUMBER() OVER (), CAST($2 AS BIGINT) \
     FROM memberships m WHERE m.member_id = $3 AND m.directory = $4 \
     ON CONFLICT (directory, kind, id, member) DO UPDATE SET changed = excluded.changed, at = excluded.at";
pub(super) const LEAVE: &str = "DELETE FROM memberships WHERE member_id = $1 AND directory = $2";
pub(super) const FORGET_GONE_MEMBERS: &str = "DELETE FROM gone WHERE directory = $1 AND kind = 2 AND id = $2";
pub(super) const GROUP_IS_GONE: &str = "INSERT INTO gone (directory, kind, id, member, changed, at, external_id, name) \
     VALUES ($1, 1, $2, '', $3, $4, $5, $6) ON CONFLICT (directory, kind, id, member) \
     DO UPDATE SET changed = excluded.changed, at = excluded.at, external_id = excluded.external_id, \
     name = excluded.name";
pub(super) const GROUP_IS_BACK: &str = "DELETE FROM gone WHERE directory = $1 AND kind = 1 AND id = $2 AND member = ''";

pub(super) const MEMBERS: &str = "SELECT m.member_id, m.kind, u.attributes, g.attributes FROM memberships m \
     LEFT JOIN users u ON m.kind = 0 AND u.id = m.member_id \
     LEFT JOIN user_groups g ON m.kind = 1 AND g.id = m.member_id \
     WHERE m.group_id = $1 AND m.directory = $2 AND m.member_id > $3 ORDER BY m.member_id LIMIT $4";
pub(super) const PARKED: &str = "SELECT ref FROM parked_members WHERE group_id = $1 AND directory = $2 AND ref > $3 \
     ORDER BY ref LIMIT $4";
/// SQLite keeps the order of a CROSS JOIN: else it would go through all memberships of the directory.
pub(super) const GROUPS_OF: &str = "WITH RECURSIVE up (id) AS (\
     SELECT m.group_id FROM memberships m WHERE m.member_id = $1 AND m.directory = $2 \
     UNION SELECT m.group_id FROM up CROSS JOIN memberships m WHERE m.member_id = up.id AND m.directory = $2) \
     SELECT g.id, g.attributes, CAST(CASE WHEN EXISTS (SELECT 1 FROM memberships d \
     WHERE d.group_id = g.id AND d.member_id = $1) THEN 1 ELSE 0 END AS BIGINT) \
     FROM up CROSS JOIN user_groups g WHERE g.id = up.id AND g.directory = $2 AND g.id <> $1 ORDER BY g.seq";
/// A group and all groups within it.
pub(super) const GROUPS_WITHIN: &str = "WITH RECURSIVE within (id) AS (\
     SELECT g.id FROM user_groups g WHERE g.id = $1 AND g.directory = $2 \
     UNION SELECT m.member_id FROM within w CROSS JOIN memberships m WHERE m.group_id = w.id \
     AND m.kind = 1 AND m.directory = $2) SELECT id FROM within ORDER BY id";
pub(super) const USERS_IN: &str =
    "SELECT member_id FROM memberships WHERE group_id = $1 AND kind = 0 AND member_id > $2 ORDER BY member_id LIMIT $3";
