//! What would become of a request, for programs and for people.

use serde_json::{Map, Value, json};

use crate::config::Snapshot;
use crate::scim::notes::Notes;
use crate::scim::{ScimError, ScimType};

#[derive(Default)]
pub struct Outcome {
    pub status: u16,
    /// `created`, `revived`, `changed`, `unchanged`, `deleted`.
    pub what: &'static str,
    pub notes: Notes,
    /// Attribute: before, after.
    pub changes: Map<String, Value>,
    /// The steps of a change of members.
    pub members: Vec<Value>,
    /// What the steps come to; none if there are none.
    pub memberships: Option<Memberships>,
    /// Values of attributes that are not confirmed (any more): they stay where they are.
    pub aside: Vec<String>,
    /// What services need and the user would lack.
    pub lacks: Vec<&'static str>,
}

/// How many come and go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Memberships {
    pub added: u64,
    pub removed: u64,
    /// Ids that begin to wait for somebody of that id.
    pub parked: u64,
}

/// An outcome, or the refusal that would be answered.
pub type Explained = Result<Outcome, ScimError>;

/// What each service of the directory would be told: the object stands in the feed with its change, or it doesn't.
#[must_use]
pub fn services(config: &Snapshot, directory: &str, outcome: &Outcome) -> Vec<(String, String)> {
    let mut attributes: Vec<&str> = outcome.changes.keys().map(String::as_str).collect();
    if !outcome.members.is_empty() {
        attributes.push("members");
    }
    let told = match outcome.what {
        "unchanged" => "nothing: it doesn't enter the change feed".to_owned(),
        "deleted" => "its deletion enters the change feed".to_owned(),
        _ => format!("it enters the change feed with {}", attributes.join(", ")),
    };
    let of_it = config.services.values().filter(|service| service.directory == directory);
    of_it.map(|service| (service.id.clone(), format!("{told}; this version delivers nothing yet"))).collect()
}

#[must_use]
pub fn to_json(explained: &Explained, services: &[(String, String)]) -> Value {
    let told: Vec<Value> = services.iter().map(|(id, told)| json!({ "service": id, "told": told })).collect();
    match explained {
        Err(error) => json!({
            "status": error.status, "scimType": error.scim_type.map(ScimType::as_str),
            "detail": error.detail, "attribute": error.attribute, "services": told,
        }),
        Ok(outcome) => {
            let notes = &outcome.notes;
            json!({
                "status": outcome.status, "outcome": outcome.what, "changes": outcome.changes,
                "members": outcome.members, "memberships": outcome.memberships, "received": notes.received, "cleared": notes.cleared,
                "unknown": notes.unknown, "unconfirmed": notes.unconfirmed, "read_only": notes.read_only,
                "remarks": notes.remarks, "aside": outcome.aside, "lacks": outcome.lacks, "services": told,
            })
        }
    }
}

/// For people, who see whom it is about.
#[must_use]
pub fn tell(explained: &Explained, services: &[(String, String)]) -> String {
    let outcome = match explained {
        Err(error) => {
            let kind = error.scim_type.map_or("", ScimType::as_str);
            return format!(
                "refused: {} {kind}\n  {}\nnothing would be stored, no service would be told",
                error.status, error.detail
            );
        }
        Ok(outcome) => outcome,
    };
    let mut lines = vec![format!("{}: {}", outcome.what, outcome.status)];
    for (name, change) in &outcome.changes {
        let side = |side: &str| {
            change.get(side).filter(|value| !value.is_null()).map_or_else(|| "–".to_owned(), Value::to_string)
        };
        lines.push(format!("  {name}: {} → {}", side("before"), side("after")));
    }
    lines.extend(outcome.members.iter().map(|step| format!("  members: {step}")));
    if let Some(Memberships { added, removed, parked }) = outcome.memberships {
        lines.push(format!("  members: {added} would come, {removed} would go, {parked} would begin to wait"));
    }
    let notes = &outcome.notes;
    for (what, names) in [
        ("left out, in no schema", &notes.unknown),
        ("left out, not confirmed by this directory", &notes.unconfirmed),
        ("left out, read-only", &notes.read_only),
        ("cleared", &notes.cleared),
        ("kept aside, since no longer confirmed", &outcome.aside),
    ] {
        if !names.is_empty() {
            lines.push(format!("{what}: {}", names.join(", ")));
        }
    }
    lines.extend(notes.remarks.iter().map(|remark| format!("note: {remark}")));
    if !outcome.lacks.is_empty() {
        lines.push(format!("incomplete, not for services: {} missing", outcome.lacks.join(", ")));
    }
    if services.is_empty() {
        lines.push("services: none is provisioned from this directory".to_owned());
    }
    lines.extend(services.iter().map(|(id, told)| format!("service {id}: {told}")));
    lines.join("\n")
}
