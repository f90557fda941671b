//! Attributes taken out of documents, and whole scopes: within a transaction.

use super::engine::{Sql, SqlFault, params};
use super::rows;
use super::statements_roster as sql;
use super::stored::{self, remove_values};
use super::values::all_values;
use crate::identity::user::Attributes;

/// Erases an attribute of users and groups, by their ids, if it is still set aside; says of how many. Nobody may write a
/// document any more that was read before: versions grow.
pub(super) fn erase(
    db: &dyn Sql,
    (directory, attribute): (&str, &str),
    users: &[String],
    groups: &[String],
) -> Result<u64, SqlFault> {
    if !db.exists(sql::IS_ASIDE, params![directory, attribute])? {
        return Ok(0);
    }
    let mut erased = 0;
    for id in users {
        erased += erase_of_user(db, (directory, attribute), id)?;
    }
    for id in groups {
        let found = db.first(sql::GROUP_DOCUMENT, params![id, directory], |row| rows::read_json(row.text(0)?))?;
        let Some(mut attributes): Option<Attributes> = found else { continue };
        if attributes.remove(attribute).is_some() {
            erased += db.execute(sql::REWRITE_GROUP, params![&rows::json(&attributes)?, id])?;
        }
    }
    if users.is_empty() && groups.is_empty() {
        db.execute(sql::FORGET_LIST, params![directory, attribute])?;
    }
    Ok(erased)
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
        db.execute(sql::CLEAR_TALLY, params![scope])?;
    }
    Ok(removed == 0)
}
