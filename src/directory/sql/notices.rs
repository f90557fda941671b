//! The queue of logout notices, and of people who left.

use std::collections::BTreeSet;

use async_trait::async_trait;
use rusqlite::{Connection, Result, Row, params};
use serde::Deserialize;

use super::fault::senseless;
use super::rows;
use super::statements as sql;
use super::store::Sqlite;
use crate::base::{Moment, Span};
use crate::directory::{DirectoryFault, Leaving, Notice, Notices, Waiting};
use crate::identity::UserId;
use crate::oidc::ClientId;

#[async_trait]
impl Notices for Sqlite {
    async fn queue(&self, notices: Vec<Notice>) -> Result<(), DirectoryFault> {
        if notices.is_empty() {
            return Ok(());
        }
        self.write(move |db| queue_notices(db, &notices)).await
    }

    async fn due(&self, now: Moment) -> Result<Vec<ClientId>, DirectoryFault> {
        self.read(|db| {
            db.prepare_cached(sql::CLIENTS_DUE)?.query_map([now.ms()], |row| Ok(ClientId(row.get(0)?)))?.collect()
        })
        .await
    }

    async fn claim(
        &self,
        client: &ClientId,
        limit: u32,
        now: Moment,
        until: Moment,
    ) -> Result<Vec<Notice>, DirectoryFault> {
        let client = client.clone();
        self.write(move |db| {
            let mut due = db.prepare_cached(sql::NOTICES_DUE)?;
            let due = due.query_map(params![client.0, now.ms(), limit], |row| claimed(row, &client))?;
            let notices = due.collect::<Result<Vec<Notice>>>()?;
            let mut claim = db.prepare_cached(sql::CLAIM_NOTICE)?;
            for notice in &notices {
                claim.execute(params![until.ms(), notice.id])?;
            }
            Ok(notices)
        })
        .await
    }

    async fn settle(&self, done: Vec<String>, again: Vec<(String, Moment)>) -> Result<(), DirectoryFault> {
        if done.is_empty() && again.is_empty() {
            return Ok(());
        }
        self.write(move |db| {
            for id in &done {
                db.prepare_cached(sql::NOTICE_DONE)?.execute([id])?;
            }
            for (id, next) in &again {
                db.prepare_cached(sql::NOTICE_AGAIN)?.execute(params![next.ms(), id])?;
            }
            Ok(())
        })
        .await
    }

    async fn waiting(&self) -> Result<Vec<Waiting>, DirectoryFault> {
        self.read(|db| db.prepare_cached(sql::WAITING)?.query_map([], waiting)?.collect()).await
    }

    async fn claim_leavings(&self, limit: u32, now: Moment, until: Moment) -> Result<Vec<Leaving>, DirectoryFault> {
        // It is asked all the time, and there is hardly ever one: that needs no writer.
        let any: bool =
            self.read(|db| db.prepare_cached(sql::ANY_LEAVING_DUE)?.query_row([now.ms()], |row| row.get(0))).await?;
        if !any {
            return Ok(Vec::new());
        }
        self.write(move |db| {
            let mut due = db.prepare_cached(sql::LEAVINGS_DUE)?;
            let due = due.query_map(params![now.ms(), limit], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let due = due.collect::<Result<Vec<(String, i64)>>>()?;
            due.into_iter().map(|(user, at)| claim_leaving(db, user, Moment::from_ms(at), until)).collect()
        })
        .await
    }

    async fn close_leaving(&self, leaving: &Leaving, notices: Vec<Notice>) -> Result<(), DirectoryFault> {
        let (user, at) = (leaving.user.0.clone(), leaving.at.ms());
        self.write(move |db| match db.prepare_cached(sql::CLOSE_LEAVING)?.execute(params![user, at])? {
            0 => Ok(()),
            _ => queue_notices(db, &notices),
        })
        .await
    }
}

/// Queues notices within a transaction.
pub(super) fn queue_notices(db: &Connection, notices: &[Notice]) -> Result<()> {
    let mut queue = db.prepare_cached(sql::QUEUE_NOTICE)?;
    for Notice { id, client, user, sid, created, attempts: _ } in notices {
        queue.execute(params![id, client.0, user.0, sid.as_deref().unwrap_or_default(), created.ms()])?;
    }
    Ok(())
}

/// Notes within a transaction that an active user was switched off. Gives the moment at which its families end: that
/// is what ties them to the leaving.
pub(super) fn note_leaving(db: &Connection, user: &str, now: Moment) -> Result<Moment> {
    let last: Option<i64> = db.prepare_cached(sql::LAST_LEAVING)?.query_row([user], |row| row.get(0))?;
    let at = last.map_or(now, |last| now.max(Moment::from_ms(last).plus(Span::from_ms(1))));
    db.prepare_cached(sql::NOTE_LEAVING)?.execute(params![user, at.ms(), now.ms()])?;
    Ok(at)
}

fn claim_leaving(db: &Connection, user: String, at: Moment, until: Moment) -> Result<Leaving> {
    db.prepare_cached(sql::CLAIM_LEAVING)?.execute(params![until.ms(), user, at.ms()])?;
    let mut families = db.prepare_cached(sql::FAMILIES_ENDED_AT)?;
    let clients = families
        .query_map(params![user, at.ms()], |row| Ok(client_of_family(row)))?
        .filter_map(Result::transpose)
        .collect::<Result<BTreeSet<ClientId>>>()?;
    Ok(Leaving { user: UserId(user), at, clients: clients.into_iter().collect() })
}

/// `None` of a body that can't be read: it must not hold up everybody who leaves.
fn client_of_family(row: &Row<'_>) -> Option<ClientId> {
    #[derive(Deserialize)]
    struct Body {
        client: ClientId,
    }
    let body: Body = rows::read_json(row.get_ref(0).ok()?.as_str().ok()?).ok()?;
    Some(body.client)
}

/// A notice as it is handed out now.
fn claimed(row: &Row<'_>, client: &ClientId) -> Result<Notice> {
    let sid: String = row.get(2)?;
    let before: u32 = row.get(4)?;
    Ok(Notice {
        id: row.get(0)?,
        client: client.clone(),
        user: UserId(row.get(1)?),
        sid: (!sid.is_empty()).then_some(sid),
        created: Moment::from_ms(row.get(3)?),
        attempts: before.saturating_add(1),
    })
}

fn waiting(row: &Row<'_>) -> Result<Waiting> {
    let count: i64 = row.get(1)?;
    Ok(Waiting {
        client: ClientId(row.get(0)?),
        count: u64::try_from(count).map_err(|_| senseless("a count is negative"))?,
        oldest: Moment::from_ms(row.get(2)?),
    })
}
