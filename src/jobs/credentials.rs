//! The log's daily word of credentials of provisioning services that will be over.

use super::sync_expiry;
use crate::base::{Moment, Span};
use crate::flow::Ports;

/// How often.
const EVERY: Span = Span::days(1);

/// When this process spoke last.
#[derive(Debug, Default)]
pub struct Credentials {
    last: Option<Moment>,
}

impl Credentials {
    /// One round: once a day it says what there is to say.
    pub async fn tick(&mut self, ports: &Ports) {
        let now = ports.clock.now();
        if self.last.is_some_and(|last| now < last.plus(EVERY)) {
            return;
        }
        self.last = Some(now);
        for told in sync_expiry::told(ports).await {
            tracing::warn!("SCIM credential {told}");
        }
    }
}
