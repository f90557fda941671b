//! Attributes taken out of documents, and whole scopes: within a transaction.

use super::engine::{Sql, SqlFault, params};
use super::rows;
use super::statements_roster as sql;
use super::stored::{self, remove_values};
use super::values::all_values;
use crate::directory::roster::Erased;

/// Erases an attribute of users, given by seq and id, if it is still set aside. Nobody may write a document any more that
/// was read before: versions grow.
pub(super) fn erase(
    db: &dyn Sql,
    (directory, attribute): (&str, &str),
    users: &[(u64, String)],
) -> Result<Erased, SqlFault> {
    if !db.exists(sql::IS_ASIDE, params![directory, attribute])? {
        return Ok(Erased::default());
    }
    let mut erased = 0;
    for (_, id) in users {
        erased += erase_of_user(db, (directory, attribute), id)?;
    }
    if users.is_empty() {
        db.execute(sql::FORGET_LIST, params![directory, attribute])?;
    }
    Ok(Erased { users: erased, go_on: users.last().map(|(seq, _)| *seq) })
}

fn erase_of_user(db: &dyn Sql, (directory, attribute): (&str, &str), id: &str) -> Result<u64, SqlFault> {
    let Some(user) = db.first(sql::STORED_USER, params![id, directory], stored::user)? else { return Ok(0) };
    let mut attributes = user.user.attributes.clone();
    if attributes.remove(attribute).is_none() {
        return Ok(0);
    }
    let was = all_values(&user.user.attributes, Some(attribute));
    remove_values(db, (directory, id), was.iter().filter(|(name, _)| name == attribute))?;
    db.execute(sql::REWRITE_USER, params![&rows::json(&attributes)?, id])
}

/// Removes some rows of each kind from a scope; true: nothing is left.
pub(super) fn clear(db: &dyn Sql, scope: &str, limit: u32) -> Result<bool, SqlFault> {
    let mut removed = 0;
    for statement in sql::CLEAR {
        removed += db.execute(statement, params![scope, i64::from(limit)])?;
    }
    if removed == 0 {
        for statement in sql::CLEAR_LAST {
            db.execute(statement, params![scope])?;
        }
    }
    Ok(removed == 0)
}
