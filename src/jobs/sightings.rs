//! Writes down what was seen on the connections of provisioning services, and when their credentials were used.

use std::collections::HashSet;

use crate::directory::roster::{Sighting, is_scratch};
use crate::flow::Ports;
use crate::flow::sightings::ADDRESS;

const NEW_ADDRESS: &str = "a SCIM credential is used from an address that it was not used from before";

/// One round. What can't be written now is lost: counts, and nothing else.
pub async fn tick(ports: &Ports) {
    let mut seen = ports.sightings.take();
    // Nobody looks at what was seen in a scratch scope, and it would outlive the scope.
    seen.retain(|sighting| !is_scratch(&sighting.directory));
    look_at_addresses(ports, &seen).await;
    if !seen.is_empty()
        && let Err(fault) = ports.directory.sightings.add(seen).await
    {
        tracing::warn!(%fault, "what was seen of provisioning services can't be written down");
    }
    for (credential, at) in ports.sightings.take_uses(ports.clock.now()) {
        if let Err(fault) = ports.directory.sync_clients.used(&credential, at).await {
            tracing::warn!(%fault, "the use of a SCIM credential can't be written down");
        }
    }
}

/// A token that leaked is used from elsewhere: somebody should hear of each new address but the first. Which are known is
/// read once a round, and only if something was called.
async fn look_at_addresses(ports: &Ports, seen: &[Sighting]) {
    let of_addresses = || seen.iter().filter(|sighting| sighting.kind == ADDRESS);
    let scopes: HashSet<&str> = of_addresses().map(|sighting| sighting.directory.as_str()).collect();
    for scope in scopes {
        let Ok(known) = ports.directory.sightings.all(scope).await else { continue };
        let known: HashSet<&str> =
            known.iter().filter(|sighting| sighting.kind == ADDRESS).map(|sighting| sighting.name.as_str()).collect();
        for sighting in of_addresses().filter(|sighting| sighting.directory == scope) {
            let Some((credential, address)) = sighting.name.split_once(' ') else { continue };
            let is_in_use = known.iter().any(|name| name.split_once(' ').is_some_and(|(other, _)| other == credential));
            if is_in_use && !known.contains(sighting.name.as_str()) {
                tracing::warn!(directory = scope, credential, address, "ALARM {NEW_ADDRESS}");
                ports.sightings.count(scope, "remark", NEW_ADDRESS, sighting.last);
            }
        }
    }
}
