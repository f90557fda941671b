//! Indexes for the attributes by which logins are matched, wherever they are not the usual ones.

use crate::base::Digest;
use crate::directory::DirectoryFault;
use crate::flow::Ports;
use crate::flow::ports::Request;

/// What the store finds by in any case.
const ALWAYS: [&str; 4] = ["userName", "externalId", "emails", "displayName"];
/// Users in one transaction.
const BATCH: u32 = 500;

/// What this process has done already.
#[derive(Debug, Default)]
pub struct Indexes {
    /// The configuration whose indexes are all complete.
    complete: Option<Digest>,
}

impl Indexes {
    /// One round: makes what the identity providers of the configuration in force need.
    pub async fn tick(&mut self, ports: &Ports) {
        let request = ports.request();
        if self.complete == Some(request.config.version) {
            return;
        }
        match round(ports, &request).await {
            Ok(()) => self.complete = Some(request.config.version),
            Err(fault) => tracing::warn!(%fault, "an index for logins can't be made"),
        }
    }
}

async fn round(ports: &Ports, request: &Request) -> Result<(), DirectoryFault> {
    let upkeep = &ports.directory.upkeep;
    for idp in request.config.idps.values().filter(|idp| idp.enabled) {
        let (directory, attribute) = (&idp.directory, &idp.matching.attribute);
        if ALWAYS.contains(&attribute.as_str()) || upkeep.want_index(directory, attribute).await? {
            continue;
        }
        tracing::info!(directory, attribute, "an index for logins is being made");
        while !upkeep.build_index(directory, attribute, BATCH).await? {}
        tracing::info!(directory, attribute, "the index for logins is complete");
    }
    Ok(())
}
