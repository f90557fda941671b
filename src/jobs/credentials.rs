//! Credentials of provisioning services that will be over: an expired one stops a directory from one moment to the next.

use crate::base::{Moment, Span};
use crate::flow::Ports;

/// How long before its end a credential is named in the log.
const AHEAD: Span = Span::days(30);
/// How often.
const EVERY: Span = Span::days(1);

/// What this process has said already.
#[derive(Debug, Default)]
pub struct Credentials {
    last: Option<Moment>,
}

impl Credentials {
    /// One round: once a day it says which credentials will be over within 30 days, and louder within 7 days and 1.
    pub async fn tick(&mut self, ports: &Ports) {
        let now = ports.clock.now();
        if self.last.is_some_and(|last| now < last.plus(EVERY)) {
            return;
        }
        let Ok(clients) = ports.directory.sync_clients.all().await else { return };
        self.last = Some(now);
        for client in clients.iter().filter(|client| client.scope == client.directory && client.expires > now) {
            let left = client.expires.since(now);
            let (id, directory, days) = (&client.id, &client.directory, left.as_secs() / 86_400);
            if left <= Span::days(1) {
                tracing::error!(id, directory, days, "ALARM a SCIM credential is over within a day");
            } else if left <= Span::days(7) {
                tracing::warn!(id, directory, days, "a SCIM credential is over within a week: make the next one now");
            } else if left <= AHEAD {
                tracing::info!(id, directory, days, "a SCIM credential is over within a month");
            }
        }
    }
}
