//! The change feed, read from where the objects themselves stand.

use async_trait::async_trait;

use super::engine::{Row, SqlFault, params};
use super::rows::{count, senseless};
use super::statements_feed as sql;
use super::statements_roster::TALLY;
use super::store::Store;
use crate::base::Moment;
use crate::directory::DirectoryFault;
use crate::directory::roster::{Change, Feed, Gone, Subject};
use crate::identity::{GroupId, UserId};

/// Rows that are forgotten in one transaction: other writes wait no longer than for this.
const FORGET_AT_ONCE: i64 = 500;

#[async_trait]
impl Feed for Store {
    async fn changes(&self, directory: &str, after: u64, limit: u32) -> Result<Vec<Change>, DirectoryFault> {
        let directory = directory.to_owned();
        self.read(move |db| db.all(sql::CHANGES, params![&directory, count(after), i64::from(limit)], change)).await
    }

    async fn newest(&self, directory: &str) -> Result<u64, DirectoryFault> {
        let directory = directory.to_owned();
        Ok(self.read(move |db| db.first(TALLY, params![&directory], |row| row.count(5))).await?.unwrap_or(0))
    }

    async fn position(&self, directory: &str, consumer: &str) -> Result<u64, DirectoryFault> {
        let (directory, consumer) = (directory.to_owned(), consumer.to_owned());
        let position =
            self.read(move |db| db.first(sql::POSITION, params![&directory, &consumer], |row| row.count(0))).await?;
        Ok(position.unwrap_or(0))
    }

    async fn advance(&self, directory: &str, consumer: &str, from: u64, to: u64) -> Result<bool, DirectoryFault> {
        if to < from {
            return Ok(false);
        }
        let (directory, consumer) = (directory.to_owned(), consumer.to_owned());
        self.write(move |db| {
            let moved = match from {
                0 => db.execute(sql::BEGIN_CONSUMER, params![&directory, &consumer, count(to)])?,
                _ => db.execute(sql::ADVANCE, params![count(to), &directory, &consumer, count(from)])?,
            };
            Ok(moved > 0)
        })
        .await
    }

    async fn leave(&self, directory: &str, consumer: &str) -> Result<(), DirectoryFault> {
        let (directory, consumer) = (directory.to_owned(), consumer.to_owned());
        self.write(move |db| db.execute(sql::LEAVE, params![&directory, &consumer]).map(drop)).await
    }

    async fn forget(&self, directory: &str, before: Moment) -> Result<u64, DirectoryFault> {
        let mut forgotten = 0;
        loop {
            let directory = directory.to_owned();
            let some =
                self.write(move |db| db.execute(sql::FORGET, params![&directory, before.ms(), FORGET_AT_ONCE])).await?;
            forgotten += some;
            if some == 0 {
                return Ok(forgotten);
            }
        }
    }
}

/// Reads a row of [`sql::CHANGES`].
fn change(row: &dyn Row) -> Result<Change, SqlFault> {
    let id = row.string(2)?;
    let subject = match row.int(1)? {
        0 => Subject::User(UserId(id)),
        1 => Subject::Group(GroupId(id)),
        2 => Subject::Membership { group: GroupId(id), member: row.string(3)? },
        _ => return Err(senseless("a change is of no kind that there is")),
    };
    let gone = match row.truth(5)? {
        true => Some(Gone { external_id: row.opt_string(6)?, name: row.opt_string(7)? }),
        false => None,
    };
    Ok(Change { seq: row.count(0)?, subject, at: row.moment(4)?, gone })
}
