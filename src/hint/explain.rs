//! A decision in words, for `vestibule explain hint`.

use super::decision::Decision;
use super::realm::Realm;
use super::reason::Reason;
use crate::oidc::Prompt;

/// The lines that tell where a login goes and why, and what of its hint goes with it. The same reasons as in traces.
#[must_use]
pub fn explain(realm: &Realm, decision: Option<&Decision>) -> Vec<String> {
    let mut lines = vec![match realm {
        Realm::Idp { idp, .. } => format!("identity provider: {} ({})", idp.id, idp.name),
        Realm::Choose { idps, .. } => {
            let ids: Vec<&str> = idps.iter().map(|idp| idp.id.0.as_str()).collect();
            format!("identity provider: a page asks for the work email or offers {}", ids.join(", "))
        }
        Realm::NotAllowed { .. } => "identity provider: none, the client gets access_denied".to_owned(),
    }];
    lines.extend(realm.reasons().iter().map(because));
    if let Some(decision) = decision {
        lines.push(format!("login_hint: {}", sent(decision.login_hint())));
        lines.push(format!("domain_hint: {}", sent(decision.domain_hint())));
        lines.push(format!("prompt: {}", sent(decision.prompt())));
        if decision.prompt() == Prompt::None.as_str() {
            lines.push(
                "  which only a session of that person answers: without one the client gets login_required".to_owned(),
            );
        }
        lines.extend(decision.reasons().iter().map(because));
    }
    lines
}

fn sent(value: Option<&str>) -> &str {
    value.unwrap_or("(not sent)")
}

fn because(reason: &Reason) -> String {
    format!("  because {}: {}", reason.id(), reason.sentence())
}
