//! What was seen on connections, and counts of directories.

use async_trait::async_trait;

use super::engine::{Row, SqlFault, params};
use super::rows::count;
use super::statements_feed as sql;
use super::statements_roster::TALLY;
use super::store::Store;
use crate::directory::DirectoryFault;
use crate::directory::roster::{Sighting, Sightings, Tally};

#[async_trait]
impl Sightings for Store {
    async fn add(&self, sightings: Vec<Sighting>) -> Result<(), DirectoryFault> {
        if sightings.is_empty() {
            return Ok(());
        }
        self.write(move |db| {
            sightings.iter().try_for_each(|Sighting { directory, kind, name, count: seen, last }| {
                let row = params![directory, kind, name, count(*seen), last.ms()];
                db.execute(sql::ADD_SIGHTING, row).map(drop)
            })
        })
        .await
    }

    async fn all(&self, directory: &str) -> Result<Vec<Sighting>, DirectoryFault> {
        let directory = directory.to_owned();
        self.read(move |db| db.all(sql::SIGHTINGS, params![&directory], sighting)).await
    }

    async fn tally(&self, directory: &str) -> Result<Tally, DirectoryFault> {
        let directory = directory.to_owned();
        Ok(self.read(move |db| db.first(TALLY, params![&directory], tally)).await?.unwrap_or_default())
    }
}

fn sighting(row: &dyn Row) -> Result<Sighting, SqlFault> {
    Ok(Sighting {
        directory: row.string(0)?,
        kind: row.string(1)?,
        name: row.string(2)?,
        count: row.count(3)?,
        last: row.moment(4)?,
    })
}

fn tally(row: &dyn Row) -> Result<Tally, SqlFault> {
    Ok(Tally {
        users: row.count(0)?,
        inactive: row.count(1)?,
        groups: row.count(2)?,
        memberships: row.count(3)?,
        parked: row.count(4)?,
    })
}
