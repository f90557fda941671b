//! By which values of its attributes a user is found: the rows of `user_values` follow from its document.

use std::sync::LazyLock;

use serde_json::Value;

use super::engine::{Param, Sql, SqlFault};
use super::rows::index_value;
use crate::base::text::fold;
use crate::identity::User;
use crate::identity::user::Attributes;

/// The attributes by which users are always found.
pub(super) const ALWAYS: [&str; 4] = ["displayName", "emails", "externalId", "userName"];
/// The attributes whose value one user of a directory has at most.
pub(super) const UNIQUE: [&str; 2] = ["externalId", "userName"];
/// Rows that one statement inserts.
const ROWS_AT_ONCE: usize = 12;

/// A row: attribute and value, as the index has it.
pub(super) type IndexRow = (String, String);

/// Whether `value` is what a user is found by: `userName` and the primary email folded, any other text exactly.
pub(super) fn is_found_by(user: &User, attribute: &str, value: &str) -> bool {
    match attribute {
        "userName" | "emails" => user.text(attribute).is_some_and(|own| fold(own) == fold(value)),
        _ => user.attributes.get(attribute).and_then(Value::as_str) == Some(value),
    }
}

/// The rows that every user has, in order, each once.
pub(super) fn basic_values(attributes: &Attributes) -> Vec<IndexRow> {
    let mut rows = Vec::with_capacity(ALWAYS.len() + 1);
    for attribute in ALWAYS {
        match attributes.get(attribute) {
            Some(Value::Array(items)) if attribute == "emails" => {
                for item in items {
                    push(&mut rows, attribute, item.get("value").unwrap_or(item));
                }
            }
            Some(value) => push(&mut rows, attribute, value),
            None => {}
        }
    }
    rows.sort_unstable();
    rows.dedup();
    rows
}

/// The rows of a user in a directory that has also asked for indexes of `wanted`, names separated by spaces.
pub(super) fn all_values(attributes: &Attributes, wanted: Option<&str>) -> Vec<IndexRow> {
    let mut rows = basic_values(attributes);
    rows.extend(wanted_values(attributes, wanted));
    rows
}

/// Those of the rows that every user doesn't have.
pub(super) fn wanted_values(attributes: &Attributes, wanted: Option<&str>) -> Vec<IndexRow> {
    let mut rows = Vec::new();
    for attribute in wanted.into_iter().flat_map(|names| names.split(' ')) {
        if let Some(value) = attributes.get(attribute) {
            push(&mut rows, attribute, value);
        }
    }
    rows
}

fn push(rows: &mut Vec<IndexRow>, attribute: &str, value: &Value) {
    if let Some(value) = value.as_str().and_then(|text| index_value(attribute, text)) {
        rows.push((attribute.to_owned(), value));
    }
}

fn holder<'a>(attribute: &str, id: &'a str) -> &'a str {
    if UNIQUE.contains(&attribute) { "" } else { id }
}

/// The statement that inserts a number of rows, and what it needs. Nothing happens to a row that is there already or,
/// for a unique one, belongs to another user.
pub(super) fn insertion<'a>(
    (directory, id): (&'a str, &'a str),
    rows: &'a [IndexRow],
) -> (&'static str, Vec<Param<'a>>) {
    let mut values = Vec::with_capacity(2 + rows.len() * 3);
    values.extend([Param::Text(directory), Param::Text(id)]);
    for (attribute, value) in rows {
        values.extend([Param::Text(attribute), Param::Text(value), Param::Text(holder(attribute, id))]);
    }
    (insert_text(rows.len()), values)
}

/// The rows in portions that one statement can insert.
pub(super) fn portions(rows: &[IndexRow]) -> impl Iterator<Item = &[IndexRow]> {
    rows.chunks(ROWS_AT_ONCE)
}

/// Inserts rows of a user (directory, id); says how many of them.
pub(super) fn insert_values(db: &dyn Sql, user: (&str, &str), rows: &[IndexRow]) -> Result<u64, SqlFault> {
    let mut inserted = 0;
    for portion in portions(rows) {
        let (text, values) = insertion(user, portion);
        inserted += db.execute(text, &values)?;
    }
    Ok(inserted)
}

/// The text that inserts a number of rows, from 1 to [`ROWS_AT_ONCE`].
fn insert_text(rows: usize) -> &'static str {
    static TEXTS: LazyLock<Vec<String>> = LazyLock::new(|| (0..=ROWS_AT_ONCE).map(text_for).collect());
    TEXTS.get(rows).map_or("", String::as_str)
}

fn text_for(rows: usize) -> String {
    // The first row names directory and user; `$n` appear in order.
    let row = |number: usize| {
        let [attribute, value, holder] = [3, 4, 5].map(|n| n + 3 * number);
        format!("(CAST($1 AS TEXT), CAST($2 AS TEXT), ${attribute}, ${value}, ${holder})")
    };
    let rows: Vec<String> = (0..rows).map(row).collect();
    format!(
        "INSERT INTO user_values (directory, user_id, attribute, value, holder) VALUES {} ON CONFLICT DO NOTHING",
        rows.join(", ")
    )
}
