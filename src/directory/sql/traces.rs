//! Traces, and forgetting.

use super::backlog::{decode, row_name};
use super::engine::params;
use super::statements as sql;
use super::statements_feed as feed;
use super::store::Store;
use crate::audit::Trace;
use crate::base::{Moment, Span};
use crate::directory::{DirectoryFault, Traces};
use async_trait::async_trait;

/// Rows that are forgotten in one transaction: other writes wait no longer than for this.
const PURGE_AT_ONCE: i64 = 500;
/// How long a revoked family stays at least.
const REVOKED_STAY: Span = Span::days(7);
/// How long notices and leavings wait at most. Whoever delivers gives up sooner; what is left is what nobody asks for:
/// notices of clients that are no longer configured.
const UNHEARD_STAY: Span = Span::days(2);
/// How long it is known who was deleted by policy.
const REMOVALS_STAY: Span = Span::days(90);

#[async_trait]
impl Traces for Store {
    fn keep(&self, trace: Trace) {
        if self.backlog.push(trace) {
            self.traces_wait();
        }
    }

    async fn trace(&self, reference: &str) -> Result<Option<Trace>, DirectoryFault> {
        if let Some(waiting) = self.backlog.find(reference) {
            return Ok(Some(waiting?));
        }
        let name = row_name(reference);
        let reference = reference.to_owned();
        self.read(move |db| db.first(sql::TRACE, params![&name], |row| decode(&reference, row.text(0)?))).await
    }

    async fn purge(&self, now: Moment, age: Span) -> Result<u64, DirectoryFault> {
        let old = now.minus(age);
        let long_revoked = old.min(now.minus(REVOKED_STAY));
        let mut gone = 0;
        for (statement, before) in [
            (sql::PURGE_TRACES, old),
            (sql::PURGE_SIGN_OUTS, now),
            (sql::PURGE_REVOKED, long_revoked),
            (sql::PURGE_ENDED, old),
            (sql::PURGE_NOTICES, now.minus(UNHEARD_STAY)),
            (sql::PURGE_LEAVINGS, now.minus(UNHEARD_STAY)),
            (feed::PURGE_RESERVED, now),
            (feed::PURGE_REMOVALS, now.minus(REMOVALS_STAY)),
        ] {
            gone += self.purge_by(statement, before).await?;
        }
        Ok(gone)
    }
}

impl Store {
    async fn purge_by(&self, statement: &'static str, before: Moment) -> Result<u64, DirectoryFault> {
        let mut gone = 0;
        loop {
            let some = self.write(move |db| db.execute(statement, params![before.ms(), PURGE_AT_ONCE])).await?;
            gone += some;
            if some == 0 {
                return Ok(gone);
            }
        }
    }
}
