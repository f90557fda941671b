//! The SQL text that is put together of parts, under the rules of `statements`.

use super::statements_roster::stored_columns;

/// What asks for an attribute of a document, of which SQLite and PostgreSQL have different ideas.
pub(super) struct ByAttribute {
    /// The users who have it as this text, two at most.
    pub find: &'static str,
    /// How many users have a value of it.
    pub holders: &'static str,
    /// Users who have it, behind a seq and in its order.
    pub users: &'static str,
}

macro_rules! by_attribute {
    (value: $value:literal, is_text: $is_text:literal, has: $has:literal) => {
        ByAttribute {
            find: concat!(
                "SELECT ",
                stored_columns!(),
                " FROM users u WHERE u.directory = $1 AND ",
                $is_text,
                " AND ",
                $value,
                " = $3 LIMIT 2"
            ),
            holders: concat!("SELECT COUNT(*) FROM users u WHERE u.directory = $1 AND ", $has),
            users: concat!(
                "SELECT u.seq, u.id FROM users u WHERE u.directory = $1 AND ",
                $has,
                " AND u.seq > $3 ORDER BY u.seq LIMIT $4"
            ),
        }
    };
}

/// `$2` is a path.
pub(super) const ON_SQLITE: ByAttribute = by_attribute! {
    value: "json_extract(u.attributes, $2)",
    is_text: "json_type(u.attributes, $2) = 'text'",
    has: "json_type(u.attributes, $2) IS NOT NULL"
};
/// `$2` is the name.
pub(super) const ON_POSTGRES: ByAttribute = by_attribute! {
    value: "CAST(u.attributes AS json) ->> CAST($2 AS TEXT)",
    is_text: "json_typeof(CAST(u.attributes AS json) -> CAST($2 AS TEXT)) = 'string'",
    has: "(CAST(u.attributes AS json) -> CAST($2 AS TEXT)) IS NOT NULL"
};

/// One kind of object in the feed: number, kind, id, member, moment, whether it is gone, and what is left of it. What is
/// gone comes before what is there, a membership before its ends where it goes and behind them where it comes.
macro_rules! changes {
    ($range:literal) => {
        concat!(
            "SELECT changed, rank, kind, id, member, at, is_gone, external_id, name FROM (",
            "SELECT * FROM (SELECT u.changed AS changed, CAST(2 AS BIGINT) AS rank, CAST(0 AS BIGINT) AS kind, ",
            "u.id AS id, '' AS member, u.updated_at AS at, CAST(0 AS BIGINT) AS is_gone, ",
            "CAST(NULL AS TEXT) AS external_id, CAST(NULL AS TEXT) AS name ",
            "FROM users u WHERE u.directory = $1 AND u.changed ",
            $range,
            ") a UNION ALL SELECT * FROM (SELECT g.changed AS changed, CAST(3 AS BIGINT) AS rank, ",
            "CAST(1 AS BIGINT) AS kind, g.id AS id, '' AS member, g.updated_at AS at, CAST(0 AS BIGINT) AS is_gone, ",
            "CAST(NULL AS TEXT) AS external_id, CAST(NULL AS TEXT) AS name ",
            "FROM user_groups g WHERE g.directory = $1 AND g.changed ",
            $range,
            ") b UNION ALL SELECT * FROM (SELECT m.changed AS changed, CAST(4 AS BIGINT) AS rank, ",
            "CAST(2 AS BIGINT) AS kind, m.group_id AS id, m.member_id AS member, COALESCE(",
            "(SELECT w.at FROM audit w WHERE w.directory = m.directory AND w.seq = m.changed), ",
            "(SELECT h.updated_at FROM user_groups h WHERE h.id = m.group_id), CAST(0 AS BIGINT)) AS at, ",
            "CAST(0 AS BIGINT) AS is_gone, CAST(NULL AS TEXT) AS external_id, CAST(NULL AS TEXT) AS name ",
            "FROM memberships m WHERE m.directory = $1 AND m.changed ",
            $range,
            ") c UNION ALL SELECT * FROM (SELECT x.changed AS changed, ",
            "CAST(CASE x.kind WHEN 2 THEN 0 ELSE 1 END AS BIGINT) AS rank, x.kind AS kind, x.id AS id, ",
            "x.member AS member, x.at AS at, CAST(1 AS BIGINT) AS is_gone, x.external_id AS external_id, ",
            "x.name AS name FROM gone x WHERE x.directory = $1 AND x.changed ",
            $range,
            ") d) e ORDER BY changed, rank, id, member"
        )
    };
}

pub(super) const CHANGES: &str = concat!(changes!("> $2 ORDER BY changed LIMIT $3"), " LIMIT $3");
pub(super) const CHANGES_OF: &str = changes!("= $2");

#[cfg(test)]
mod tests {
    use super::super::statements::ascending_in;
    use super::*;

    #[test]
    fn placeholders_first_appear_in_ascending_order() {
        for ByAttribute { find, holders, users } in [ON_SQLITE, ON_POSTGRES] {
            [find, holders, users].into_iter().for_each(ascending_in);
        }
        [CHANGES, CHANGES_OF].into_iter().for_each(ascending_in);
    }
}
