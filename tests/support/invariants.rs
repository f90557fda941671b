//! What holds of a database of the directory after whatever was written: counts are what they count, the index is what
//! the documents say, the feed is behind no change, and no scope has a part in another.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use serde_json::Value;
use vestibule::base::Digest;
use vestibule::base::text::fold;

/// Between the columns of an answer.
const SEPARATOR: char = '\u{1f}';

/// What is never there; each statement gives one text for each case of it, and is one for SQLite and PostgreSQL.
const NEVER: &[(&str, &str)] = &[
    (
        "a tally that is not the count",
        "SELECT t.directory FROM tallies t WHERE t.users <> (SELECT COUNT(*) FROM users u WHERE u.directory = t.directory) \
         OR t.inactive <> (SELECT COUNT(*) FROM users u WHERE u.directory = t.directory AND u.active = 0) \
         OR t.groups <> (SELECT COUNT(*) FROM user_groups g WHERE g.directory = t.directory) \
         OR t.memberships <> (SELECT COUNT(*) FROM memberships m WHERE m.directory = t.directory) \
         OR t.parked <> (SELECT COUNT(*) FROM parked_members p WHERE p.directory = t.directory)",
    ),
    (
        "somebody who is counted nowhere",
        "SELECT u.id FROM users u WHERE NOT EXISTS (SELECT 1 FROM tallies t WHERE t.directory = u.directory)",
    ),
    ("a state at odds with its time", "SELECT u.id FROM users u WHERE (u.active = 1) <> (u.inactive_since IS NULL)"),
    (
        "a group whose numbers are not its members",
        "SELECT g.id FROM user_groups g WHERE g.members <> (SELECT COUNT(*) FROM memberships m WHERE m.group_id = g.id) \
         OR g.parked <> (SELECT COUNT(*) FROM parked_members p WHERE p.group_id = g.id)",
    ),
    (
        "a membership in no group of its scope",
        "SELECT m.group_id FROM memberships m WHERE NOT EXISTS \
         (SELECT 1 FROM user_groups g WHERE g.id = m.group_id AND g.directory = m.directory)",
    ),
    (
        "a member who is not there",
        "SELECT m.member_id FROM memberships m WHERE NOT EXISTS (SELECT 1 FROM users u \
         WHERE m.kind = 0 AND u.id = m.member_id AND u.directory = m.directory) AND NOT EXISTS (SELECT 1 \
         FROM user_groups g WHERE m.kind = 1 AND g.id = m.member_id AND g.directory = m.directory)",
    ),
    (
        "somebody parked in no group of the scope",
        "SELECT p.group_id FROM parked_members p WHERE NOT EXISTS \
         (SELECT 1 FROM user_groups g WHERE g.id = p.group_id AND g.directory = p.directory)",
    ),
    (
        "somebody parked who is there",
        "SELECT p.ref FROM parked_members p WHERE EXISTS (SELECT 1 FROM users u WHERE u.id = p.ref \
         AND u.directory = p.directory) OR EXISTS (SELECT 1 FROM user_groups g WHERE g.id = p.ref \
         AND g.directory = p.directory)",
    ),
    (
        "something gone that is there",
        "SELECT x.id FROM gone x WHERE x.kind = 0 AND EXISTS (SELECT 1 FROM users u WHERE u.id = x.id \
         AND u.directory = x.directory) OR x.kind = 1 AND EXISTS (SELECT 1 FROM user_groups g WHERE g.id = x.id \
         AND g.directory = x.directory) OR x.kind = 2 AND EXISTS (SELECT 1 FROM memberships m \
         WHERE m.group_id = x.id AND m.member_id = x.member)",
    ),
    (
        "a membership gone from no group",
        "SELECT x.id FROM gone x WHERE x.kind = 2 AND NOT EXISTS (SELECT 1 FROM user_groups g WHERE g.id = x.id \
         AND g.directory = x.directory)",
    ),
    (
        "an id that is kept for somebody who is there",
        "SELECT r.user_id FROM reserved_ids r JOIN users u ON u.id = r.user_id",
    ),
    (
        "a place beyond the counter",
        "SELECT t.directory FROM tallies t WHERE \
         t.seq < COALESCE((SELECT MAX(u.changed) FROM users u WHERE u.directory = t.directory), 0) \
         OR t.seq < COALESCE((SELECT MAX(u.seq) FROM users u WHERE u.directory = t.directory), 0) \
         OR t.seq < COALESCE((SELECT MAX(g.changed) FROM user_groups g WHERE g.directory = t.directory), 0) \
         OR t.seq < COALESCE((SELECT MAX(m.changed) FROM memberships m WHERE m.directory = t.directory), 0) \
         OR t.seq < COALESCE((SELECT MAX(x.changed) FROM gone x WHERE x.directory = t.directory), 0)",
    ),
    // Each write is one number of the audit: its object stands in the feed there or later.
    (
        "a user whose last write the feed leaves out",
        "SELECT u.id FROM users u WHERE u.changed < COALESCE((SELECT MAX(a.seq) FROM audit a WHERE a.object = u.id \
         AND a.directory = u.directory), 0)",
    ),
    (
        "a group whose last write the feed leaves out",
        "SELECT g.id FROM user_groups g WHERE g.changed < COALESCE((SELECT MAX(a.seq) FROM audit a \
         WHERE a.object = g.id AND a.directory = g.directory), 0)",
    ),
    (
        "an end that the feed leaves out",
        // What was before all that is kept of ends may be forgotten.
        "SELECT a.object FROM audit a WHERE a.what = 'delete' \
         AND a.seq > (SELECT MIN(y.changed) FROM gone y WHERE y.directory = a.directory) \
         AND NOT EXISTS (SELECT 1 FROM users u WHERE u.id = a.object) \
         AND NOT EXISTS (SELECT 1 FROM user_groups g WHERE g.id = a.object) \
         AND NOT EXISTS (SELECT 1 FROM gone x WHERE x.directory = a.directory AND x.id = a.object AND x.kind < 2 \
         AND x.changed >= a.seq)",
    ),
];

/// Checks all of it. `ask` gives the texts that a statement answers.
#[track_caller]
pub fn hold(ask: &dyn Fn(&str) -> Vec<String>) {
    let all: Vec<String> = NEVER
        .iter()
        .map(|(what, sql)| format!("SELECT '{what}: ' || v.it FROM ({}) v", sql.replacen(" FROM ", " AS it FROM ", 1)))
        .collect();
    assert_eq!(ask(&all.join(" UNION ALL ")), [""; 0]);
    the_index_is_what_the_documents_say(ask);
}

/// Asks a database of SQLite.
pub fn of_sqlite(db: &Connection) -> impl Fn(&str) -> Vec<String> {
    move |sql| {
        let mut statement = db.prepare(sql).expect("a statement");
        let rows = statement.query_map([], |row| row.get(0)).expect("it reads");
        rows.collect::<Result<_, _>>().expect("texts")
    }
}

/// The rows of a statement of several columns.
fn rows(ask: &dyn Fn(&str) -> Vec<String>, columns: &str, rest: &str) -> Vec<Vec<String>> {
    let joined = columns.replace(", ", &format!(" || '{SEPARATOR}' || "));
    let answer = ask(&format!("SELECT {joined} {rest}"));
    answer.iter().map(|row| row.split(SEPARATOR).map(str::to_owned).collect()).collect()
}

#[track_caller]
fn the_index_is_what_the_documents_say(ask: &dyn Fn(&str) -> Vec<String>) {
    let mut wanted: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in rows(ask, "directory, attribute", "FROM value_indexes WHERE complete = 1") {
        wanted.entry(row[0].clone()).or_default().push(row[1].clone());
    }
    let mut said = BTreeSet::new();
    for row in rows(ask, "directory, id, attributes", "FROM users") {
        let document: Value = serde_json::from_str(&row[2]).expect("a document");
        let more = wanted.get(&row[0]).into_iter().flatten().map(String::as_str);
        for attribute in ["userName", "externalId", "displayName", "emails"].into_iter().chain(more) {
            for value in texts(attribute, &document[attribute]) {
                let holder = if matches!(attribute, "userName" | "externalId") { "" } else { &row[1] };
                said.insert([&row[0], attribute, &value, holder, &row[1]].map(str::to_owned).to_vec());
            }
        }
    }
    let unfinished = "FROM user_values v WHERE NOT EXISTS (SELECT 1 FROM value_indexes i \
        WHERE i.directory = v.directory AND i.attribute = v.attribute AND i.complete <> 1)";
    let found: BTreeSet<Vec<String>> =
        rows(ask, "directory, attribute, value, holder, user_id", unfinished).into_iter().collect();
    let difference: Vec<_> = said.symmetric_difference(&found).collect();
    assert!(difference.is_empty(), "only in the documents or only in the index: {difference:?}");
}

/// What the index holds of an attribute.
fn texts(attribute: &str, value: &Value) -> BTreeSet<String> {
    let values = match value {
        Value::Array(items) if attribute == "emails" => {
            items.iter().map(|item| item.get("value").unwrap_or(item)).collect()
        }
        other => vec![other],
    };
    let texts = values.into_iter().filter_map(Value::as_str);
    let folded = texts.map(|text| if attribute == "externalId" { text.to_owned() } else { fold(text) });
    folded.filter(|text| !text.is_empty()).map(cut).collect()
}

/// A long value stands by its beginning and digest.
fn cut(value: String) -> String {
    if value.len() <= 256 {
        return value;
    }
    format!("{}{}", &value[..value.floor_char_boundary(256)], Digest::of(&value).base64url())
}
