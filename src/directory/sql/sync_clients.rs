//! Credentials of provisioning services.

use async_trait::async_trait;

use super::engine::{Row, SqlFault, params};
use super::rows::senseless;
use super::statements_feed as sql;
use super::store::Store;
use crate::base::{Digest, Moment};
use crate::directory::DirectoryFault;
use crate::directory::roster::{SyncClient, SyncClients, SyncKind};

#[async_trait]
impl SyncClients for Store {
    async fn create(&self, client: SyncClient, most: u32) -> Result<bool, DirectoryFault> {
        self.write(move |db| {
            let secret = client.secret.base64url();
            let row = params![
                &client.id,
                &client.directory,
                &client.scope,
                &client.name,
                name(client.kind),
                &secret,
                client.created.ms(),
                client.expires.ms(),
                client.last_used.map(Moment::ms),
                i64::from(most),
            ];
            Ok(db.execute(sql::ADD_SYNC_CLIENT, row)? > 0)
        })
        .await
    }

    async fn by_secret(&self, secret: &Digest) -> Result<Option<SyncClient>, DirectoryFault> {
        let secret = secret.base64url();
        self.read(move |db| db.first(sql::SYNC_CLIENT_BY_SECRET, params![&secret], client)).await
    }

    async fn by_id(&self, id: &str) -> Result<Option<SyncClient>, DirectoryFault> {
        let id = id.to_owned();
        self.read(move |db| db.first(sql::SYNC_CLIENT, params![&id], client)).await
    }

    async fn all(&self) -> Result<Vec<SyncClient>, DirectoryFault> {
        self.read(|db| db.all(sql::SYNC_CLIENTS, &[], client)).await
    }

    async fn revoke(&self, id: &str) -> Result<bool, DirectoryFault> {
        let id = id.to_owned();
        self.write(move |db| Ok(db.execute(sql::REVOKE_SYNC_CLIENT, params![&id])? > 0)).await
    }

    async fn used(&self, id: &str, at: Moment) -> Result<(), DirectoryFault> {
        let id = id.to_owned();
        self.write(move |db| db.execute(sql::SYNC_CLIENT_USED, params![at.ms(), &id]).map(drop)).await
    }
}

const fn name(kind: SyncKind) -> &'static str {
    match kind {
        SyncKind::Token => "token",
        SyncKind::Oauth => "oauth",
    }
}

fn client(row: &dyn Row) -> Result<SyncClient, SqlFault> {
    let kind = match row.text(4)? {
        "token" => SyncKind::Token,
        "oauth" => SyncKind::Oauth,
        _ => return Err(senseless("a credential is of no kind that there is")),
    };
    let secret = Digest::from_base64url(row.text(5)?).ok_or_else(|| senseless("a credential's digest is none"))?;
    Ok(SyncClient {
        id: row.string(0)?,
        directory: row.string(1)?,
        scope: row.string(2)?,
        name: row.string(3)?,
        kind,
        secret,
        created: row.moment(6)?,
        expires: row.moment(7)?,
        last_used: row.opt_moment(8)?,
    })
}
