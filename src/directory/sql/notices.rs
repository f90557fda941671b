//! The queue of logout notices, and of people who left.

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde::Deserialize;

use super::engine::{Param, Row, Sql, SqlFault, Statement, params};
use super::rows;
use super::statements as sql;
use super::store::Store;
use crate::base::{Moment, Span};
use crate::directory::{DirectoryFault, Leaving, Notice, Notices, Waiting};
use crate::identity::UserId;
use crate::oidc::ClientId;

#[async_trait]
impl Notices for Store {
    async fn queue(&self, notices: Vec<Notice>) -> Result<(), DirectoryFault> {
        if notices.is_empty() {
            return Ok(());
        }
        self.write(move |db| queue_notices(db, &notices)).await
    }

    async fn due(&self, now: Moment) -> Result<Vec<ClientId>, DirectoryFault> {
        self.read(move |db| db.all(sql::CLIENTS_DUE, params![now.ms()], |row| row.string(0).map(ClientId))).await
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
            let due = params![&client.0, now.ms(), i64::from(limit)];
            let notices = db.all(sql::NOTICES_DUE, due, |row| claimed(row, &client))?;
            each_of(db, sql::CLAIM_NOTICE, notices.iter().map(|notice| [until.ms().into(), (&notice.id).into()]))?;
            Ok(notices)
        })
        .await
    }

    async fn settle(&self, done: Vec<String>, again: Vec<(String, Moment)>) -> Result<(), DirectoryFault> {
        if done.is_empty() && again.is_empty() {
            return Ok(());
        }
        self.write(move |db| {
            each_of(db, sql::NOTICE_DONE, done.iter().map(|id| [id.into()]))?;
            each_of(db, sql::NOTICE_AGAIN, again.iter().map(|(id, next)| [next.ms().into(), id.into()]))
        })
        .await
    }

    async fn waiting(&self) -> Result<Vec<Waiting>, DirectoryFault> {
        self.read(|db| db.all(sql::WAITING, &[], waiting)).await
    }

    async fn claim_leavings(&self, limit: u32, now: Moment, until: Moment) -> Result<Vec<Leaving>, DirectoryFault> {
        // It is asked all the time, and there is hardly ever one: that needs no writer.
        let any = self.read(move |db| db.first(sql::ANY_LEAVING_DUE, params![now.ms()], |row| row.truth(0))).await?;
        if any != Some(true) {
            return Ok(Vec::new());
        }
        self.write(move |db| {
            let due = params![now.ms(), i64::from(limit)];
            let due = db.all(sql::LEAVINGS_DUE, due, |row| Ok((row.string(0)?, row.moment(1)?)))?;
            due.into_iter().map(|(user, at)| claim_leaving(db, user, at, until)).collect()
        })
        .await
    }

    async fn close_leaving(&self, leaving: &Leaving, notices: Vec<Notice>) -> Result<(), DirectoryFault> {
        let (user, at) = (leaving.user.0.clone(), leaving.at.ms());
        self.write(move |db| match db.execute(sql::CLOSE_LEAVING, params![&user, at])? {
            0 => Ok(()),
            _ => queue_notices(db, &notices),
        })
        .await
    }
}

/// Queues notices within a transaction.
pub(super) fn queue_notices(db: &dyn Sql, notices: &[Notice]) -> Result<(), SqlFault> {
    let rows = notices.iter().map(|Notice { id, client, user, sid, created, attempts: _ }| {
        let sid = sid.as_deref().unwrap_or_default();
        [id.into(), (&client.0).into(), (&user.0).into(), sid.into(), created.ms().into()]
    });
    each_of(db, sql::QUEUE_NOTICE, rows)
}

/// The same statement for each of many rows.
fn each_of<'a, const N: usize>(
    db: &dyn Sql,
    sql: &str,
    rows: impl Iterator<Item = [Param<'a>; N]>,
) -> Result<(), SqlFault> {
    let rows: Vec<[Param<'_>; N]> = rows.collect();
    let statements: Vec<Statement<'_>> = rows.iter().map(|params| Statement { sql, params }).collect();
    db.execute_all(&statements).map(drop)
}

/// Notes within a transaction that an active user was switched off. Gives the moment at which its families end: that
/// is what ties them to the leaving.
pub(super) fn note_leaving(db: &dyn Sql, user: &str, now: Moment) -> Result<Moment, SqlFault> {
    let last = db.first(sql::LAST_LEAVING, params![user], |row| row.opt_moment(0))?.flatten();
    let at = last.map_or(now, |last| now.max(last.plus(Span::from_ms(1))));
    db.execute(sql::NOTE_LEAVING, params![user, at.ms(), now.ms()])?;
    Ok(at)
}

fn claim_leaving(db: &dyn Sql, user: String, at: Moment, until: Moment) -> Result<Leaving, SqlFault> {
    db.execute(sql::CLAIM_LEAVING, params![until.ms(), &user, at.ms()])?;
    let mut clients = BTreeSet::new();
    db.query(sql::FAMILIES_ENDED_AT, params![&user, at.ms()], &mut |row| {
        clients.extend(client_of_family(row));
        Ok(())
    })?;
    Ok(Leaving { user: UserId(user), at, clients: clients.into_iter().collect() })
}

/// `None` of a body that can't be read: it must not hold up everybody who leaves.
fn client_of_family(row: &dyn Row) -> Option<ClientId> {
    #[derive(Deserialize)]
    struct Body {
        client: ClientId,
    }
    let body: Body = rows::read_json(row.text(0).ok()?).ok()?;
    Some(body.client)
}

/// A notice as it is handed out now.
fn claimed(row: &dyn Row, client: &ClientId) -> Result<Notice, SqlFault> {
    let sid = row.text(2)?;
    let before = u32::try_from(row.count(4)?).unwrap_or(u32::MAX);
    Ok(Notice {
        id: row.string(0)?,
        client: client.clone(),
        user: UserId(row.string(1)?),
        sid: (!sid.is_empty()).then(|| sid.to_owned()),
        created: row.moment(3)?,
        attempts: before.saturating_add(1),
    })
}

fn waiting(row: &dyn Row) -> Result<Waiting, SqlFault> {
    Ok(Waiting { client: ClientId(row.string(0)?), count: row.count(1)?, oldest: row.moment(2)? })
}
