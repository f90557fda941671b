//! Forgets what is too old: traces, sign-outs past their time, families long dead.

use crate::flow::Ports;

/// One round.
pub async fn tick(ports: &Ports) {
    let request = ports.request();
    match ports.directory.traces.purge(request.now, request.config.server.limits.traces).await {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "old records purged"),
        Err(fault) => tracing::warn!(%fault, "old records could not be purged"),
    }
}
