//! Writes down what was seen on the connections of provisioning services, and when their credentials were used.

use crate::directory::roster::is_scratch;
use crate::flow::Ports;

/// One round. What can't be written now is lost: counts, and nothing else.
pub async fn tick(ports: &Ports) {
    let mut seen = ports.sightings.take();
    // Nobody looks at what was seen in a scratch scope, and it would outlive the scope.
    seen.retain(|sighting| !is_scratch(&sighting.directory));
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
