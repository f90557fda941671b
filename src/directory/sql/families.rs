//! Refresh families and sign-outs.

use super::engine::params;
use super::notices::queue_notices;
use super::rows;
use super::statements as sql;
use super::store::Store;
use crate::base::Moment;
use crate::directory::{DirectoryFault, Families, Notice, SignOuts};
use crate::token::family::{Family, FamilyId};
use async_trait::async_trait;

#[async_trait]
impl Families for Store {
    async fn begin(&self, family: Family) -> Result<bool, DirectoryFault> {
        self.write(move |db| {
            let (id, body) = (family.id.0.base64url(), rows::json(&family)?);
            let row = params![
                &id,
                rows::count(family.generation),
                &family.user.0,
                &family.sid,
                family.bound_to_session,
                family.ends.ms(),
                family.revoked_at.map(Moment::ms),
                &body,
            ];
            Ok(db.execute(sql::BEGIN_FAMILY, row)? > 0)
        })
        .await
    }

    async fn family(&self, id: &FamilyId) -> Result<Option<Family>, DirectoryFault> {
        let id = id.0.base64url();
        let row = self.read(move |db| db.first(sql::FAMILY, params![&id], rows::family)).await?;
        Ok(row.flatten())
    }

    async fn turn(&self, expected: u64, next: Family) -> Result<bool, DirectoryFault> {
        self.write(move |db| {
            let (id, body) = (next.id.0.base64url(), rows::json(&next)?);
            let row = params![
                rows::count(next.generation),
                next.revoked_at.map(Moment::ms),
                &body,
                &id,
                rows::count(expected),
            ];
            Ok(db.execute(sql::TURN_FAMILY, row)? > 0)
        })
        .await
    }

    async fn revoke(&self, id: &FamilyId, now: Moment) -> Result<(), DirectoryFault> {
        let id = id.0.base64url();
        self.write(move |db| db.execute(sql::REVOKE_FAMILY, params![&id, now.ms()]).map(drop)).await
    }

    async fn is_revoked(&self, id: &FamilyId) -> Result<bool, DirectoryFault> {
        let id = id.0.base64url();
        self.read(move |db| db.exists(sql::IS_REVOKED, params![&id])).await
    }
}

#[async_trait]
impl SignOuts for Store {
    async fn sign_out(
        &self,
        sid: &str,
        now: Moment,
        until: Moment,
        notices: Vec<Notice>,
    ) -> Result<(), DirectoryFault> {
        let sid = sid.to_owned();
        self.write(move |db| {
            db.execute(sql::SIGN_OUT, params![&sid, now.ms(), until.ms()])?;
            db.execute(sql::REVOKE_FAMILIES_OF_SESSION, params![now.ms(), &sid])?;
            queue_notices(db, &notices)
        })
        .await
    }
}
