//! Whether we can serve now, and what stands in the way or deserves care.

use std::sync::atomic::Ordering;

use serde::Serialize;

use crate::base::Span;
use crate::config::lints::Severity;
use crate::directory::Waiting;
use crate::flow::Ports;
use crate::jobs::{departures, sync_expiry};
use crate::oidc::IdpId;

/// How long before its end a certificate deserves care.
const CERTIFICATE_AHEAD: Span = Span::hours(30 * 24);

/// How long a client may take to hear of a sign-out before it deserves care.
const UNHEARD: Span = Span::minutes(5);

/// Something that keeps the service from serving, or that somebody should look at.
#[derive(Debug, Serialize)]
pub struct Reason {
    /// `state`, `database`, `stopping`, `config`, `identity_provider`, `certificate`, `client`, `removals`,
    /// `sync_client`.
    pub code: &'static str,
    pub detail: String,
}

/// What keeps the service from serving: while there is any, it is not ready.
pub async fn blockers(ports: &Ports) -> Vec<Reason> {
    let mut blockers = Vec::new();
    if ports.stopping.load(Ordering::Relaxed) {
        blockers.push(Reason { code: "stopping", detail: "the order to stop has come".to_owned() });
    }
    let (state, database) = futures_util::future::join(ports.state.ping(), ports.directory.ping()).await;
    if let Err(fault) = state {
        blockers.push(Reason { code: "state", detail: fault.to_string() });
    }
    if let Err(fault) = database {
        blockers.push(Reason { code: "database", detail: fault.to_string() });
    }
    blockers
}

/// What deserves care though the service serves: a wrong file, a provider that can't be reached.
#[must_use]
pub fn cares(ports: &Ports) -> Vec<Reason> {
    let findings = ports.config.findings();
    let wrong = findings.iter().filter(|finding| finding.severity == Severity::Error);
    let files = wrong.map(|finding| Reason {
        code: "config",
        detail: format!("{}:{}:{}: [{}] {}", finding.file, finding.line, finding.column, finding.code, finding.title),
    });
    let config = ports.config.snapshot();
    let in_use = |id: &IdpId| config.idps.get(id).is_some_and(|idp| idp.enabled);
    let faults = ports.upstream.faults().into_iter().filter(|(idp, _)| in_use(idp));
    let providers = faults.map(|(idp, fault)| Reason {
        code: "identity_provider",
        detail: format!("{idp}: {fault}: {}", fault.detail()),
    });
    files.chain(providers).chain(certificate(ports)).collect()
}

/// Clients that have not heard of sign-outs for minutes. Nothing while the database can't be asked.
pub async fn unheard(ports: &Ports) -> Vec<Reason> {
    let now = ports.clock.now();
    let waiting = ports.directory.notices.waiting().await.unwrap_or_default();
    let late = waiting.into_iter().filter(|waiting| now.since(waiting.oldest) >= UNHEARD);
    let reason = |Waiting { client, count, oldest }: Waiting| Reason {
        code: "client",
        detail: format!("{client} has not heard of {count} sign-outs, the oldest of {}", oldest.to_rfc3339()),
    };
    late.map(reason).collect()
}

/// Credentials of provisioning services that end soon, or have ended with none in their place.
pub async fn ending(ports: &Ports) -> Vec<Reason> {
    let told = sync_expiry::told(ports).await;
    told.into_iter().map(|detail| Reason { code: "sync_client", detail }).collect()
}

/// Deletions by policy that wait for a person. Nothing while the database can't be asked.
pub async fn held(ports: &Ports) -> Vec<Reason> {
    let request = ports.request();
    let mut reasons = Vec::new();
    for directory in request.config.directories.values() {
        let count = departures::held(&ports.directory, directory, request.now).await.unwrap_or_default();
        if count > 0 {
            let id = &directory.id;
            let detail = format!("{id}: {count} deletions wait: see `vestibule directory removals --directory {id}`");
            reasons.push(Reason { code: "removals", detail });
        }
    }
    reasons
}

fn certificate(ports: &Ports) -> Option<Reason> {
    let end = ports.metrics.certificate_end().filter(|end| end.since(ports.clock.now()) < CERTIFICATE_AHEAD)?;
    Some(Reason { code: "certificate", detail: format!("the TLS certificate ends {}", end.to_rfc3339()) })
}
