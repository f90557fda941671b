//! Groups as rows, and what they are compared by.

use super::engine::{Row, Sql, SqlFault, params};
use super::rows;
use super::rows::index_value;
use super::statements_groups as sql;
use crate::identity::{GroupId, StoredGroup};

/// Reads the columns of `statements_groups::group_columns`.
pub(super) fn stored(row: &dyn Row) -> Result<StoredGroup, SqlFault> {
    Ok(StoredGroup {
        id: GroupId(row.string(0)?),
        directory: row.string(1)?,
        seq: row.count(2)?,
        version: row.count(3)?,
        head: row.count(4)?,
        attributes: rows::read_json(row.text(5)?)?,
        members: row.count(6)?,
        parked: row.count(7)?,
        created_at: row.moment(8)?,
        updated_at: row.moment(9)?,
    })
}

pub(super) fn read(db: &dyn Sql, directory: &str, id: &str) -> Result<Option<StoredGroup>, SqlFault> {
    db.first(sql::GROUP, params![id, directory], stored)
}

/// What a group is compared by: its displayName as a userName is folded, and shortened if it is long.
pub(super) fn name_key(name: &str) -> Option<String> {
    index_value("userName", name)
}
