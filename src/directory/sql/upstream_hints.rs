//! The providers' own hints for the next sign-in.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::engine::params;
use super::statements as sql;
use super::store::Store;
use crate::directory::{DirectoryFault, UpstreamHints};
use crate::identity::UserId;
use crate::oidc::IdpId;

#[async_trait]
impl UpstreamHints for Store {
    async fn keep_hint(&self, user: &UserId, idp: &IdpId, sealed: Vec<u8>) -> Result<(), DirectoryFault> {
        let (user, idp, sealed) = (user.0.clone(), idp.0.clone(), STANDARD.encode(sealed));
        self.write(move |db| db.execute(sql::KEEP_UPSTREAM_HINT, params![&user, &idp, &sealed]).map(drop)).await
    }

    async fn hint(&self, user: &UserId, idp: &IdpId) -> Result<Option<Vec<u8>>, DirectoryFault> {
        let (user, idp) = (user.0.clone(), idp.0.clone());
        let row = self.read(move |db| db.first(sql::UPSTREAM_HINT, params![&user, &idp], |row| row.string(0))).await?;
        Ok(row.and_then(|text| STANDARD.decode(text).ok()))
    }
}
