//! The providers' own hints for the next sign-in.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rusqlite::{OptionalExtension as _, params};

use super::statements as sql;
use super::store::Sqlite;
use crate::directory::{DirectoryFault, UpstreamHints};
use crate::identity::UserId;
use crate::oidc::IdpId;

#[async_trait]
impl UpstreamHints for Sqlite {
    async fn keep_hint(&self, user: &UserId, idp: &IdpId, sealed: Vec<u8>) -> Result<(), DirectoryFault> {
        let (user, idp, sealed) = (user.0.clone(), idp.0.clone(), STANDARD.encode(sealed));
        self.write(move |db| db.prepare_cached(sql::KEEP_UPSTREAM_HINT)?.execute(params![user, idp, sealed]).map(drop))
            .await
    }

    async fn hint(&self, user: &UserId, idp: &IdpId) -> Result<Option<Vec<u8>>, DirectoryFault> {
        let row: Option<String> = self
            .read(|db| db.prepare_cached(sql::UPSTREAM_HINT)?.query_row([&user.0, &idp.0], |row| row.get(0)).optional())
            .await?;
        Ok(row.and_then(|text| STANDARD.decode(text).ok()))
    }
}
