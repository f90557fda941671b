//! What the files may say though nothing acts on it in this version: said by `check`, so that nobody counts on it.

use super::finding::Finding;
use super::lints::CFG22;
use super::objects::Objects;
use super::view::View;

/// A finding for each setting that has no effect yet.
#[must_use]
pub fn check(server: Option<&View<'_>>, objects: &Objects<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(console) = server.map(|view| view.table("console")).filter(|console| console.flag("enabled")) {
        say(&console, "enabled", "there is no console yet", &mut findings);
    }
    for client in &objects.clients {
        client_file(&client.view, &mut findings);
    }
    for service in objects.services.iter().map(|service| &service.view) {
        findings.push(service.source.finding(&CFG22, &service.anchor(), "nothing is provisioned to services yet"));
    }
    findings
}

fn say(view: &View<'_>, key: &str, label: &str, findings: &mut Vec<Finding>) {
    findings.push(view.source.finding(&CFG22, &view.span(key), label));
}

fn client_file(view: &View<'_>, findings: &mut Vec<Finding>) {
    if !view.texts("rule_sets").is_empty() {
        say(view, "rule_sets", "there is no management API yet in which they would be rights", findings);
    }
}
