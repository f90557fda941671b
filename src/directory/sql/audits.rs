//! The audit of writes.

use async_trait::async_trait;

use super::engine::{Row, SqlFault, params};
use super::rows::count;
use super::statements_feed as sql;
use super::store::Store;
use crate::directory::DirectoryFault;
use crate::directory::roster::{AuditRecord, Audits};

#[async_trait]
impl Audits for Store {
    async fn of_object(&self, directory: &str, object: &str, limit: u32) -> Result<Vec<AuditRecord>, DirectoryFault> {
        let (directory, object) = (directory.to_owned(), object.to_owned());
        self.read(move |db| db.all(sql::AUDIT_OF_OBJECT, params![&object, &directory, i64::from(limit)], record)).await
    }

    async fn of_directory(
        &self,
        directory: &str,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<AuditRecord>, DirectoryFault> {
        let (directory, before) = (directory.to_owned(), before.map_or(i64::MAX, count));
        self.read(move |db| db.all(sql::AUDIT_OF_DIRECTORY, params![&directory, before, i64::from(limit)], record))
            .await
    }
}

fn record(row: &dyn Row) -> Result<AuditRecord, SqlFault> {
    Ok(AuditRecord {
        seq: row.count(0)?,
        directory: row.string(1)?,
        at: row.moment(2)?,
        by: row.string(3)?,
        what: row.string(4)?,
        object: row.string(5)?,
        changes: row.string(6)?,
    })
}
