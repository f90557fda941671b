//! What is done to many users without being asked for by a source.

use async_trait::async_trait;

use super::engine::{Sql, SqlFault, params};
use super::erasing::{clear, erase};
use super::rows::{self, count};
use super::statements_roster as sql;
use super::store::Store;
use super::stored::{self, Growth};
use super::users::{address, by_attribute};
use super::values::{ALWAYS, insert_values, wanted_values};
use crate::base::Moment;
use crate::directory::DirectoryFault;
use crate::directory::roster::{Erased, ListedAttribute, SetAside, Upkeep};
use crate::identity::StoredUser;
use crate::identity::user::Attributes;

/// An index of which nobody is indexed yet, and one that has everybody.
const BEGUN: i64 = 0;
const COMPLETE: i64 = 1;
/// Everybody has yet to be brought into the feed.
const FROM_THE_FIRST: i64 = 0;

#[async_trait]
impl Upkeep for Store {
    async fn confirm(
        &self,
        directory: &str,
        confirmed: &[String],
        now: Moment,
    ) -> Result<(Vec<String>, Vec<String>), DirectoryFault> {
        let (directory, confirmed) = (directory.to_owned(), confirmed.to_vec());
        self.write(move |db| confirm(db, &directory, &confirmed, now)).await
    }

    async fn set_aside(&self) -> Result<Vec<SetAside>, DirectoryFault> {
        self.read(|db| {
            db.all(sql::SET_ASIDE, &[], |row| {
                Ok(SetAside { directory: row.string(0)?, attribute: row.string(1)?, since: row.moment(2)? })
            })
        })
        .await
    }

    async fn attribute_lists(&self) -> Result<Vec<ListedAttribute>, DirectoryFault> {
        self.read(|db| {
            db.all(sql::LISTS, &[], |row| {
                Ok(ListedAttribute {
                    directory: row.string(0)?,
                    attribute: row.string(1)?,
                    aside_since: row.opt_moment(2)?,
                    announce_after: row.opt_int(3)?.map(|seq| u64::try_from(seq).unwrap_or_default()),
                })
            })
        })
        .await
    }

    async fn holders_of(&self, directory: &str, attribute: &str) -> Result<u64, DirectoryFault> {
        let (directory, attribute) = (directory.to_owned(), attribute.to_owned());
        let holders = self
            .read(move |db| {
                let address = address(db, &attribute);
                db.first(by_attribute(db).holders, params![&directory, &address], |row| row.count(0))
            })
            .await?;
        Ok(holders.unwrap_or(0))
    }

    async fn announce(
        &self,
        directory: &str,
        attribute: &str,
        after: u64,
        limit: u32,
        now: Moment,
    ) -> Result<Option<u64>, DirectoryFault> {
        let users = self.holders(directory, attribute, after, limit).await?;
        let last = users.last().map(|(seq, _)| *seq);
        let (directory, attribute) = (directory.to_owned(), attribute.to_owned());
        self.write(move |db| {
            let reached = params![last.map(count), &directory, &attribute, count(after)];
            if db.execute(sql::ANNOUNCED, reached)? == 0 {
                return Ok(None);
            }
            let numbers = count(users.len() as u64);
            let (newest, _) = stored::count(db, &directory, Growth { numbers, ..Growth::default() })?;
            for ((_, id), back) in users.iter().rev().zip(0..) {
                db.execute(sql::ANNOUNCE_USER, params![newest - back, now.ms(), id, &directory])?;
            }
            Ok(last)
        })
        .await
    }

    async fn erase(&self, directory: &str, attribute: &str, after: u64, limit: u32) -> Result<Erased, DirectoryFault> {
        // Searching may take its time: it doesn't hold up those who write.
        let mut users = self.holders(directory, attribute, after, limit).await?;
        if users.is_empty() && after > 0 {
            // Another server may have gone by an older list meanwhile.
            users = self.holders(directory, attribute, 0, limit).await?;
        }
        let (directory, attribute) = (directory.to_owned(), attribute.to_owned());
        self.write(move |db| erase(db, (&directory, &attribute), &users)).await
    }

    async fn inactive_between(
        &self,
        directory: &str,
        from: Moment,
        until: Moment,
        limit: u32,
    ) -> Result<Vec<StoredUser>, DirectoryFault> {
        let directory = directory.to_owned();
        self.read(move |db| {
            let asked = params![&directory, from.ms(), until.ms(), i64::from(limit)];
            db.all(sql::INACTIVE_BETWEEN, asked, stored::user)
        })
        .await
    }

    async fn count_inactive(&self, directory: &str, before: Moment, most: u64) -> Result<u64, DirectoryFault> {
        let directory = directory.to_owned();
        let counted = self.read(move |db| {
            db.first(sql::COUNT_INACTIVE, params![&directory, before.ms(), count(most)], |row| row.count(0))
        });
        Ok(counted.await?.unwrap_or(0))
    }

    async fn forget_audit(&self, directory: &str, before: Moment, limit: u32) -> Result<u64, DirectoryFault> {
        let directory = directory.to_owned();
        self.write(move |db| db.execute(sql::FORGET_AUDIT, params![&directory, i64::from(limit), before.ms()])).await
    }

    async fn removed_by_policy(&self, directory: &str, since: Moment) -> Result<u64, DirectoryFault> {
        let directory = directory.to_owned();
        let removed =
            self.read(move |db| db.first(sql::REMOVED_SINCE, params![&directory, since.ms()], |row| row.count(0)));
        Ok(removed.await?.unwrap_or(0))
    }

    async fn released(&self, directory: &str) -> Result<u64, DirectoryFault> {
        let directory = directory.to_owned();
        Ok(self.read(move |db| db.first(sql::TALLY, params![&directory], |row| row.count(6))).await?.unwrap_or(0))
    }

    async fn release(&self, directory: &str, from: u64, to: u64) -> Result<bool, DirectoryFault> {
        let directory = directory.to_owned();
        self.write(move |db| {
            let known = db.execute(sql::RELEASE, params![count(to), &directory, count(from)])? > 0;
            Ok(known || from == 0 && db.execute(sql::RELEASE_FIRST, params![&directory, count(to)])? > 0)
        })
        .await
    }

    async fn want_index(&self, directory: &str, attribute: &str) -> Result<bool, DirectoryFault> {
        if ALWAYS.contains(&attribute) {
            return Ok(true);
        }
        let (directory, attribute) = (directory.to_owned(), attribute.to_owned());
        let asked = (directory.clone(), attribute.clone());
        let state = self.read(move |db| state_of(db, &asked.0, &asked.1)).await?;
        if state.is_none() {
            self.write(move |db| db.execute(sql::WANT_INDEX, params![&directory, &attribute])).await?;
        }
        Ok(state == Some(COMPLETE))
    }

    async fn build_index(&self, directory: &str, attribute: &str, limit: u32) -> Result<bool, DirectoryFault> {
        let (directory, attribute) = (directory.to_owned(), attribute.to_owned());
        self.write(move |db| build_index(db, &directory, &attribute, limit)).await
    }

    async fn scopes_left_behind(&self) -> Result<Vec<String>, DirectoryFault> {
        self.read(|db| db.all(sql::SCOPES_LEFT_BEHIND, &[], |row| row.string(0))).await
    }

    async fn clear_scope(&self, scope: &str, limit: u32) -> Result<bool, DirectoryFault> {
        let scope = scope.to_owned();
        self.write(move |db| clear(db, &scope, limit)).await
    }
}

impl Store {
    /// Users behind a seq who have an attribute: their seq and id.
    async fn holders(
        &self,
        directory: &str,
        attribute: &str,
        after: u64,
        limit: u32,
    ) -> Result<Vec<(u64, String)>, DirectoryFault> {
        let (directory, attribute) = (directory.to_owned(), attribute.to_owned());
        self.read(move |db| {
            let address = address(db, &attribute);
            let asked = params![&directory, &address, count(after), i64::from(limit)];
            db.all(by_attribute(db).users, asked, |row| Ok((row.count(0)?, row.string(1)?)))
        })
        .await
    }
}

fn state_of(db: &dyn Sql, directory: &str, attribute: &str) -> Result<Option<i64>, SqlFault> {
    db.first(sql::INDEX_STATE, params![directory, attribute], |row| row.int(0))
}

fn confirm(
    db: &dyn Sql,
    directory: &str,
    confirmed: &[String],
    now: Moment,
) -> Result<(Vec<String>, Vec<String>), SqlFault> {
    let known = db.all(sql::LISTS_OF, params![directory], |row| Ok((row.string(0)?, row.opt_moment(1)?)))?;
    let is_aside = |name: &String| known.iter().find(|(known, _)| known == name).map(|(_, aside)| aside.is_some());
    let mut back = Vec::new();
    for attribute in confirmed {
        match is_aside(attribute) {
            Some(false) => {}
            Some(true) => {
                db.execute(sql::WRITE_LIST, params![directory, attribute, None::<i64>, FROM_THE_FIRST])?;
                back.push(attribute.clone());
            }
            // Nobody was told of it before, so nobody need be told now.
            None => {
                db.execute(sql::WRITE_LIST, params![directory, attribute, None::<i64>, None::<i64>])?;
            }
        }
    }
    let mut aside = Vec::new();
    for (attribute, _) in known.iter().filter(|(name, since)| since.is_none() && !confirmed.contains(name)) {
        db.execute(sql::WRITE_LIST, params![directory, attribute, now.ms(), FROM_THE_FIRST])?;
        aside.push(attribute.clone());
    }
    Ok((aside, back))
}

/// Indexes some users behind those who are indexed.
fn build_index(db: &dyn Sql, directory: &str, attribute: &str, limit: u32) -> Result<bool, SqlFault> {
    let reached = match state_of(db, directory, attribute)? {
        Some(COMPLETE) => return Ok(true),
        Some(reached) => reached,
        None => {
            db.execute(sql::WANT_INDEX, params![directory, attribute])?;
            BEGUN
        }
    };
    let asked = params![directory, -reached, i64::from(limit)];
    let users = db.all(sql::USERS_BEHIND, asked, |row| {
        let attributes: Attributes = rows::read_json(row.text(2)?)?;
        Ok((row.int(0)?, row.string(1)?, attributes))
    })?;
    for (_, id, attributes) in &users {
        insert_values(db, (directory, id), &wanted_values(attributes, Some(attribute)))?;
    }
    let is_complete = users.len() < limit as usize;
    let reached = users.last().map_or(reached, |(seq, ..)| -seq);
    db.execute(sql::INDEX_REACHES, params![if is_complete { COMPLETE } else { reached }, directory, attribute])?;
    Ok(is_complete)
}
