//! A look at a database file from beside it: nothing is made, migrated or written.

use std::path::Path;

use super::engine::{Sql, SqlFault, params};
use super::sqlite::reader;
use super::statements_roster as sql;
use super::users::{address, by_attribute};

/// An attribute that users or groups have values of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub directory: String,
    pub attribute: String,
    /// How many users.
    pub holders: u64,
}

/// The attributes that directories confirmed when a server last ran, as far as `concerns` (directory, attribute) says so
/// and somebody has a value. Nothing if the file isn't there, can't be read now, or is of another version.
#[must_use]
pub fn kept(file: &Path, concerns: &dyn Fn(&str, &str) -> bool) -> Vec<Kept> {
    reader(file).and_then(|db| look(&db, concerns)).unwrap_or_default()
}

fn look(db: &dyn Sql, concerns: &dyn Fn(&str, &str) -> bool) -> Result<Vec<Kept>, SqlFault> {
    let listed = db.all(sql::LISTS, &[], |row| Ok((row.string(0)?, row.string(1)?)))?;
    let mut all = Vec::new();
    for (directory, attribute) in listed.into_iter().filter(|(directory, attribute)| concerns(directory, attribute)) {
        let address = address(db, &attribute);
        let asked = params![&directory, &address];
        let holders = db.first(by_attribute(db).holders, asked, |row| row.count(0))?.unwrap_or(0);
        if holders > 0 {
            all.push(Kept { directory, attribute, holders });
        }
    }
    Ok(all)
}
