//! The confirmed lists of the directories. What is taken out of a list is announced in the feed, so that services are
//! told to clear it, and erased in its time; what comes back is announced too. Each step is noted with what it did, so
//! that it goes on after a kill, and several servers can be at it.

use crate::base::Digest;
use crate::directory::DirectoryFault;
use crate::directory::roster::{ListedAttribute, Upkeep};
use crate::flow::Ports;
use crate::flow::ports::Request;

/// Users in one transaction: logins that write wait no longer than for these.
const BATCH: u32 = 500;

/// What this process has done already.
#[derive(Debug, Default)]
pub struct Attributes {
    /// The configuration whose lists are noted.
    noted: Option<Digest>,
}

impl Attributes {
    /// One round: notes the lists if they may have changed, goes on announcing, erases what is due.
    pub async fn tick(&mut self, ports: &Ports) {
        let request = ports.request();
        if let Err(fault) = self.round(&*ports.directory.upkeep, &request).await {
            tracing::warn!(%fault, "the confirmed attributes can't be looked after");
        }
    }

    async fn round(&mut self, upkeep: &dyn Upkeep, request: &Request) -> Result<(), DirectoryFault> {
        if self.noted != Some(request.config.version) {
            note(upkeep, request).await?;
            self.noted = Some(request.config.version);
        }
        for listed in upkeep.attribute_lists().await? {
            announce(upkeep, &listed, request).await?;
            if is_due(&listed, request) {
                erase(upkeep, &listed).await?;
            }
        }
        Ok(())
    }
}

async fn note(upkeep: &dyn Upkeep, request: &Request) -> Result<(), DirectoryFault> {
    for directory in request.config.directories.values() {
        let (aside, back) = upkeep.confirm(&directory.id, &directory.attributes, request.now).await?;
        for attribute in aside {
            let users = upkeep.holders_of(&directory.id, &attribute).await?;
            tracing::warn!(
                directory = directory.id,
                attribute,
                users,
                erased = %request.now.plus(directory.purge_after).to_rfc3339(),
                "an attribute is confirmed no longer; its values are out of use, and erased then",
            );
        }
        for attribute in back {
            let users = upkeep.holders_of(&directory.id, &attribute).await?;
            tracing::info!(directory = directory.id, attribute, users, "an attribute is confirmed again");
        }
    }
    Ok(())
}

async fn announce(upkeep: &dyn Upkeep, listed: &ListedAttribute, request: &Request) -> Result<(), DirectoryFault> {
    let ListedAttribute { directory, attribute, .. } = listed;
    let mut after = listed.announce_after;
    while let Some(from) = after {
        after = upkeep.announce(directory, attribute, from, BATCH, request.now).await?;
    }
    Ok(())
}

/// Whether its values are to go. A directory that is in no file any more keeps what it has, and so does one that
/// confirms the attribute by now, whatever was noted before.
fn is_due(listed: &ListedAttribute, request: &Request) -> bool {
    let directory = request.config.directories.get(&listed.directory);
    match (directory, listed.aside_since) {
        (Some(directory), Some(since)) => {
            !directory.confirms(&listed.attribute) && since.plus(directory.purge_after) <= request.now
        }
        _ => false,
    }
}

async fn erase(upkeep: &dyn Upkeep, listed: &ListedAttribute) -> Result<(), DirectoryFault> {
    let ListedAttribute { directory, attribute, .. } = listed;
    let (mut users, mut after) = (0, Some(0));
    while let Some(from) = after {
        let erased = upkeep.erase(directory, attribute, from, BATCH).await?;
        users += erased.users;
        after = erased.go_on;
    }
    tracing::info!(directory, attribute, users, "values of an attribute that is confirmed no longer are erased");
    Ok(())
}
