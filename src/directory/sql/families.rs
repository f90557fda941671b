//! Refresh families and sign-outs.

use async_trait::async_trait;
use rusqlite::{OptionalExtension as _, params};

use super::notices::queue_notices;
use super::rows;
use super::statements as sql;
use super::store::Sqlite;
use crate::base::Moment;
use crate::directory::{DirectoryFault, Families, Notice, SignOuts};
use crate::token::family::{Family, FamilyId};

#[async_trait]
impl Families for Sqlite {
    async fn begin(&self, family: Family) -> Result<bool, DirectoryFault> {
        self.write(move |db| {
            let written = db.prepare_cached(sql::BEGIN_FAMILY)?.execute(params![
                family.id.0.base64url(),
                rows::count(family.generation),
                family.user.0,
                family.sid,
                family.bound_to_session,
                family.ends.ms(),
                family.revoked_at.map(Moment::ms),
                rows::json(&family)?,
            ])?;
            Ok(written > 0)
        })
        .await
    }

    async fn family(&self, id: &FamilyId) -> Result<Option<Family>, DirectoryFault> {
        let id = id.0.base64url();
        let row = self.read(|db| db.prepare_cached(sql::FAMILY)?.query_row([&id], rows::family).optional()).await?;
        Ok(row.flatten())
    }

    async fn turn(&self, expected: u64, next: Family) -> Result<bool, DirectoryFault> {
        self.write(move |db| {
            let written = db.prepare_cached(sql::TURN_FAMILY)?.execute(params![
                rows::count(next.generation),
                next.revoked_at.map(Moment::ms),
                rows::json(&next)?,
                next.id.0.base64url(),
                rows::count(expected),
            ])?;
            Ok(written > 0)
        })
        .await
    }

    async fn revoke(&self, id: &FamilyId, now: Moment) -> Result<(), DirectoryFault> {
        let id = id.0.base64url();
        self.write(move |db| db.prepare_cached(sql::REVOKE_FAMILY)?.execute(params![id, now.ms()]).map(drop)).await
    }

    async fn is_revoked(&self, id: &FamilyId) -> Result<bool, DirectoryFault> {
        let id = id.0.base64url();
        self.read(|db| db.prepare_cached(sql::IS_REVOKED)?.exists([&id])).await
    }
}

#[async_trait]
impl SignOuts for Sqlite {
    async fn sign_out(
        &self,
        sid: &str,
        now: Moment,
        until: Moment,
        notices: Vec<Notice>,
    ) -> Result<(), DirectoryFault> {
        let sid = sid.to_owned();
        self.write(move |db| {
            db.prepare_cached(sql::SIGN_OUT)?.execute(params![sid, now.ms(), until.ms()])?;
            db.prepare_cached(sql::REVOKE_FAMILIES_OF_SESSION)?.execute(params![now.ms(), sid])?;
            queue_notices(db, &notices)
        })
        .await
    }
}
