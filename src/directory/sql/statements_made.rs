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

#[cfg(test)]
mod tests {
    use super::super::statements::ascending_in;
    use super::*;

    #[test]
    fn placeholders_first_appear_in_ascending_order() {
        for ByAttribute { find, holders, users } in [ON_SQLITE, ON_POSTGRES] {
            [find, holders, users].into_iter().for_each(ascending_in);
        }
    }
}
