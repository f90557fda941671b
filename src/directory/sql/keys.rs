//! Signing keys at rest.

use async_trait::async_trait;
use rusqlite::{Connection, Result, params};

use super::rows;
use super::statements as sql;
use super::store::Sqlite;
use crate::base::Moment;
use crate::directory::{DirectoryFault, KeyAtRest, KeyStore};

#[async_trait]
impl KeyStore for Sqlite {
    async fn keys(&self) -> Result<Vec<KeyAtRest>, DirectoryFault> {
        self.read(|db| db.prepare_cached(sql::KEYS)?.query_map([], rows::key)?.collect()).await
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
                db.prepare_cached(sql::REMOVE_KEY)?.execute([kid])?;
            }
            write.iter().try_for_each(|key| write_key(db, key))?;
            Ok(true)
        })
        .await
    }
}

fn kids(db: &Connection) -> Result<Vec<String>> {
    let mut kids = db.prepare_cached(sql::KIDS)?.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>>>()?;
    kids.sort_unstable();
    Ok(kids)
}

fn write_key(db: &Connection, key: &KeyAtRest) -> Result<()> {
    db.prepare_cached(sql::WRITE_KEY)?.execute(params![
        key.kid,
        key.algorithm,
        rows::bytes(&key.sealed),
        key.created.ms(),
        key.active_from.ms(),
        key.retired_at.map(Moment::ms),
    ])?;
    Ok(())
}
