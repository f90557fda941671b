//! Forgets what is too old: traces, sign-outs past their time, families long dead; of directories what nobody can ask
//! for any more.

use crate::base::{Moment, Span};
use crate::directory::DirectoryFault;
use crate::directory::roster::{SyncClient, is_scratch};
use crate::flow::Ports;
use crate::flow::ports::Request;

/// How long the feed keeps what is gone, for a consumer that stood still.
const GONE_KEPT: Span = Span::days(30);
/// How long a credential is shown after its end.
const CREDENTIAL_KEPT: Span = Span::days(30);
/// Rows of a kind in one transaction.
const BATCH: u32 = 500;

/// One round.
pub async fn tick(ports: &Ports) {
    let request = ports.request();
    match ports.directory.traces.purge(request.now, request.config.server.limits.traces).await {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "old records purged"),
        Err(fault) => tracing::warn!(%fault, "old records could not be purged"),
    }
    match directories(ports, &request).await {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "old records of directories purged"),
        Err(fault) => tracing::warn!(%fault, "old records of directories could not be purged"),
    }
}

async fn directories(ports: &Ports, request: &Request) -> Result<u64, DirectoryFault> {
    let mut count = 0;
    let audit_before = request.now.minus(request.config.server.limits.audit);
    for directory in request.config.directories.keys() {
        count += ports.directory.feed.forget(directory, request.now.minus(GONE_KEPT)).await?;
        loop {
            let forgotten = ports.directory.upkeep.forget_audit(directory, audit_before, BATCH).await?;
            count += forgotten;
            if forgotten == 0 {
                break;
            }
        }
    }
    for client in ports.directory.sync_clients.all().await? {
        if credential(ports, &client, request.now).await? {
            count += 1;
        }
    }
    // A doctor that was killed after it had given its credential up.
    for scope in ports.directory.upkeep.scopes_left_behind().await? {
        while !ports.directory.upkeep.clear_scope(&scope, BATCH).await? {}
        count += 1;
    }
    Ok(count)
}

/// Removes a credential that is over long enough; one of a scratch scope when it is over, and the scope before it, so
/// that a kill leaves no scope that nothing leads to. Says whether it went.
async fn credential(ports: &Ports, client: &SyncClient, now: Moment) -> Result<bool, DirectoryFault> {
    let is_scratch = is_scratch(&client.scope);
    let until = if is_scratch { client.expires } else { client.expires.plus(CREDENTIAL_KEPT) };
    if until > now {
        return Ok(false);
    }
    if is_scratch {
        while !ports.directory.upkeep.clear_scope(&client.scope, BATCH).await? {}
        return Ok(true);
    }
    ports.directory.sync_clients.revoke(&client.id).await
}
