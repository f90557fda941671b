//! The queue of logout notices.

use async_trait::async_trait;

use super::store::Sqlite;
use crate::base::Moment;
use crate::directory::{DirectoryFault, Leaving, Notice, Notices, Waiting};
use crate::oidc::ClientId;

#[async_trait]
impl Notices for Sqlite {
    async fn queue(&self, _notices: Vec<Notice>) -> Result<(), DirectoryFault> {
        Ok(())
    }

    async fn due(&self, _now: Moment) -> Result<Vec<ClientId>, DirectoryFault> {
        Ok(Vec::new())
    }

    async fn claim(
        &self,
        _client: &ClientId,
        _limit: u32,
        _now: Moment,
        _until: Moment,
    ) -> Result<Vec<Notice>, DirectoryFault> {
        Ok(Vec::new())
    }

    async fn settle(&self, _done: Vec<String>, _again: Vec<(String, Moment)>) -> Result<(), DirectoryFault> {
        Ok(())
    }

    async fn waiting(&self) -> Result<Vec<Waiting>, DirectoryFault> {
        Ok(Vec::new())
    }

    async fn claim_leavings(&self, _limit: u32, _now: Moment, _until: Moment) -> Result<Vec<Leaving>, DirectoryFault> {
        Ok(Vec::new())
    }

    async fn close_leaving(&self, _leaving: &Leaving, _notices: Vec<Notice>) -> Result<(), DirectoryFault> {
        Ok(())
    }
}
