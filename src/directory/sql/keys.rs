//! Signing keys at rest.

use super::engine::{Sql, SqlFault, params};
use super::rows;
use super::statements as sql;
use super::store::Store;
use crate::base::Moment;
use crate::directory::{DirectoryFault, KeyAtRest, KeyStore};
use async_trait::async_trait;

#[async_trait]
impl KeyStore for Store {
    async fn keys(&self) -> Result<Vec<KeyAtRest>, DirectoryFault> {
        self.read(|db| db.all(sql::KEYS, &[], rows::key)).await
    }

    async fn change_keys(
        &self,
        expected: &[String],
        write: Vec<KeyAtRest>,
        remove: Vec<String>,
    ) -> Result<bool, DirectoryFault> {
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        expected.dedup();
        self.write(move |db| {
            if kids(db)? != expected {
                return Ok(false);
            }
            for kid in &remove {
                db.execute(sql::REMOVE_KEY, params![kid])?;
            }
            write.iter().try_for_each(|key| write_key(db, key))?;
            Ok(true)
        })
        .await
    }
}

fn kids(db: &dyn Sql) -> Result<Vec<String>, SqlFault> {
    let mut kids = db.all(sql::KIDS, &[], |row| row.string(0))?;
    kids.sort_unstable();
    Ok(kids)
}

fn write_key(db: &dyn Sql, key: &KeyAtRest) -> Result<(), SqlFault> {
    let sealed = rows::bytes(&key.sealed);
    let row = params![
        &key.kid,
        &key.algorithm,
        &sealed,
        key.created.ms(),
        key.active_from.ms(),
        key.retired_at.map(Moment::ms),
    ];
    db.execute(sql::WRITE_KEY, row).map(drop)
}
