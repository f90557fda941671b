//! `vestibule explain scim`: what a request of a provisioning service would do. Writes nothing.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use serde_json::{Map, Value, json};

use super::{Context, say};
use crate::app::parts::Parts;
use crate::base::Moment;
use crate::base::text::fold;
use crate::config::Snapshot;
use crate::flow::scim::refusal::Refusal;
use crate::identity::group::MemberDelta;
use crate::identity::user::Attributes;
use crate::identity::{Directory, GroupId, StoredUser, UserId};
use crate::scim::confirmed::split;
use crate::scim::group::{GroupPlan, MemberStep};
use crate::scim::lifecycle::{Arrival, arriving, settle, taken};
use crate::scim::notes::Notes;
use crate::scim::reading::{Draft, Reading};
use crate::scim::{Schemas, ScimError, group, user};

/// A request as it is asked about.
struct Asked {
    method: Method,
    /// Of the resource; none with POST.
    id: String,
    groups: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Post,
    Put,
    Patch,
    Delete,
}

impl Asked {
    /// Of `PATCH /Users/ID` and the like; what stands before `/Users` and behind `?` doesn't matter.
    fn parse(text: &str) -> anyhow::Result<Self> {
        let usage = "write a method and a path, such as \"PATCH /Users/ID\" or \"POST /Groups\"";
        let (method, path) = text.trim().split_once(' ').context(usage)?;
        let path = path.split('?').next().unwrap_or_default().trim_end_matches('/');
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        let at = segments.iter().position(|segment| matches!(*segment, "Users" | "Groups")).context(usage)?;
        let groups = segments.get(at) == Some(&"Groups");
        let id = segments.get(at + 1).copied().unwrap_or_default().to_owned();
        let method = match method.to_ascii_uppercase().as_str() {
            "POST" => Method::Post,
            "PUT" => Method::Put,
            "PATCH" => Method::Patch,
            "DELETE" => Method::Delete,
            _ => bail!("{usage}"),
        };
        if (method == Method::Post) != id.is_empty() || segments.len() > at + 2 {
            bail!("{usage}");
        }
        Ok(Self { method, id, groups })
    }
}

/// What would become of a request.
#[derive(Default)]
struct Outcome {
    status: u16,
    /// `created`, `revived`, `changed`, `unchanged`, `deleted`.
    what: &'static str,
    notes: Notes,
    /// Attribute: before, after.
    changes: Map<String, Value>,
    /// The steps of a change of members.
    members: Vec<Value>,
    /// Values of attributes that are not confirmed (any more): they stay where they are.
    aside: Vec<String>,
    /// What services need and the user would lack.
    lacks: Vec<&'static str>,
}

type Explained = Result<Outcome, ScimError>;

/// # Errors
/// What can't be read or found; a refusal of the request is no error, but exit code 1.
pub async fn explain_scim(
    context: &Context,
    parts: &Parts,
    (directory, path): (&str, &str),
    file: &Path,
) -> anyhow::Result<ExitCode> {
    let config = parts.config.snapshot();
    let directory = super::directory_of(&config, directory)?;
    let schemas = config.schemas.get(&directory.id).cloned().context("the directory is not configured")?;
    let asked = Asked::parse(path)?;
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let now = parts.options.clock.now();
    let desk = Desk { parts, directory: &directory, schemas: &schemas, now };
    let explained = match body(&asked, &text) {
        Err(error) => Err(error),
        Ok(body) if asked.groups => desk.group(&asked, &body).await?,
        Ok(body) => desk.user(&asked, &body).await?,
    };
    let told = match &explained {
        Ok(outcome) => services(&config, &directory.id, outcome),
        Err(_) => Vec::new(),
    };
    say(if context.json { to_json(&explained, &told).to_string() } else { tell(&explained, &told) });
    Ok(ExitCode::from(u8::from(explained.is_err())))
}

fn body(asked: &Asked, text: &str) -> Result<Value, ScimError> {
    if asked.method == Method::Delete && text.trim().is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(text).map_err(|fault| {
        let detail = format!("the body is no JSON: line {}, column {}", fault.line(), fault.column());
        ScimError::bad(crate::scim::ScimType::InvalidSyntax, detail)
    })
}

struct Desk<'a> {
    parts: &'a Parts,
    directory: &'a Directory,
    schemas: &'a Schemas,
    now: Moment,
}

fn scim(refusal: Refusal) -> ScimError {
    match refusal {
        Refusal::Scim(error) => error,
        _ => ScimError::status(500, "it would not be done"),
    }
}

impl Desk<'_> {
    async fn user(&self, asked: &Asked, body: &Value) -> anyhow::Result<Explained> {
        let id = UserId(asked.id.clone());
        let roster = &self.parts.directory.roster;
        let current = match asked.method {
            Method::Post => None,
            _ => match roster.user(&self.directory.id, &id).await? {
                Some(current) => Some(current),
                None => return Ok(Err(scim(Refusal::not_found()))),
            },
        };
        let reading = Reading::new(self.directory, &self.schemas.user);
        let planned = match (&current, asked.method) {
            (None, _) => user::create(&reading, body),
            (Some(current), Method::Delete) => return Ok(Ok(self.deleted(current))),
            (Some(current), Method::Put) => user::replace(&reading, &self.draft(current), body),
            (Some(current), _) => user::patch(&reading, &self.draft(current), body),
        };
        let (draft, notes) = match planned {
            Ok(planned) => planned,
            Err(error) => return Ok(Err(error)),
        };
        let lacks = user::lacks(self.directory, &draft);
        let (current, revived) = match current {
            Some(current) => match self.collision(&current, &draft).await? {
                Some(error) => return Ok(Err(error)),
                None => (Some(current), false),
            },
            None => {
                let by_external_id = self.holder(&draft, "externalId").await?;
                let by_user_name = self.holder(&draft, "userName").await?;
                match arriving(&draft, &self.directory.dialect, by_external_id.as_ref(), by_user_name.as_ref()) {
                    Arrival::Create => (None, false),
                    Arrival::Revive(known) => (Some(*known), true),
                    Arrival::Conflict(error) => return Ok(Err(error)),
                }
            }
        };
        let Some(current) = current else {
            let changes = self.differences(None, Some((&draft.attributes, draft.active)));
            return Ok(Ok(Outcome { status: 201, what: "created", notes, changes, lacks, ..Outcome::default() }));
        };
        Ok(Ok(Outcome { notes, lacks, ..self.settled(&current, draft, revived) }))
    }

    fn draft(&self, current: &StoredUser) -> Draft {
        let seen = split(&self.schemas.user, current.user.attributes.clone()).seen;
        Draft { attributes: seen, active: current.user.active }
    }

    /// What a draft makes of a user who is there.
    fn settled(&self, current: &StoredUser, draft: Draft, revived: bool) -> Outcome {
        let parts = split(&self.schemas.user, current.user.attributes.clone());
        let mut known = current.clone();
        known.user.attributes = parts.seen;
        let next = settle(&known, draft, &self.directory.dialect, self.now);
        let mut changes = self.differences(
            Some((&known.user.attributes, known.user.active)),
            Some((&next.user.attributes, next.user.active)),
        );
        if next.identity_name != known.identity_name {
            let pair = json!({ "before": known.identity_name, "after": next.identity_name });
            changes.insert("(name that is kept for the return)".to_owned(), pair);
        }
        let (status, what) = match (revived, changes.is_empty()) {
            (true, _) => (201, "revived"),
            (false, true) => (200, "unchanged"),
            (false, false) => (200, "changed"),
        };
        Outcome { status, what, changes, aside: parts.aside.into_keys().collect(), ..Outcome::default() }
    }

    fn deleted(&self, current: &StoredUser) -> Outcome {
        let draft = self.draft(current);
        let changes = self.differences(Some((&draft.attributes, draft.active)), None);
        Outcome { status: 204, what: "deleted", changes, ..Outcome::default() }
    }

    /// Somebody else who has the name or the externalId.
    async fn collision(&self, current: &StoredUser, draft: &Draft) -> anyhow::Result<Option<ScimError>> {
        for attribute in ["userName", "externalId"] {
            let holder = self.holder(draft, attribute).await?;
            if let Some(other) = holder.filter(|holder| holder.user.id != current.user.id) {
                return Ok(Some(taken(attribute, other.user.text("externalId"))));
            }
        }
        Ok(None)
    }

    /// Who has the draft's value of an attribute.
    async fn holder(&self, draft: &Draft, attribute: &str) -> anyhow::Result<Option<StoredUser>> {
        let Some(value) = draft.attributes.get(attribute).and_then(Value::as_str) else { return Ok(None) };
        let key = if attribute == "userName" { fold(value) } else { value.to_owned() };
        Ok(self.parts.directory.roster.holder(&self.directory.id, attribute, &key).await?)
    }

    fn differences(
        &self,
        before: Option<(&Attributes, bool)>,
        after: Option<(&Attributes, bool)>,
    ) -> Map<String, Value> {
        let none = Attributes::new();
        let mut changes = differing(before.map_or(&none, |side| side.0), after.map_or(&none, |side| side.0));
        let (was, is) = (before.map(|side| side.1), after.map(|side| side.1));
        if was != is {
            changes.insert("active".to_owned(), json!({ "before": was, "after": is }));
        }
        changes
    }

    async fn group(&self, asked: &Asked, body: &Value) -> anyhow::Result<Explained> {
        let groups = &self.parts.directory.groups;
        let current = match asked.method {
            Method::Post => None,
            _ => match groups.group(&self.directory.id, &GroupId(asked.id.clone())).await? {
                Some(current) => Some(current),
                None => return Ok(Err(scim(Refusal::not_found()))),
            },
        };
        let reading = Reading::new(self.directory, &self.schemas.group);
        let planned = match (&current, asked.method) {
            (None, _) => group::create(&reading, body),
            (Some(current), Method::Delete) => {
                let changes = differing(&current.attributes, &Attributes::new());
                return Ok(Ok(Outcome { status: 204, what: "deleted", changes, ..Outcome::default() }));
            }
            (Some(current), Method::Put) => group::replace(&reading, &current.attributes, body),
            (Some(current), _) => group::patch(&reading, &current.attributes, body),
        };
        let (GroupPlan { attributes, members: steps }, notes) = match planned {
            Ok(planned) => planned,
            Err(error) => return Ok(Err(error)),
        };
        let none = Attributes::new();
        let changes = differing(current.as_ref().map_or(&none, |current| &current.attributes), &attributes);
        let mut members = Vec::new();
        for step in steps {
            members.push(self.members(step).await?);
        }
        let (status, what) = match (&current, changes.is_empty() && members.is_empty()) {
            (None, _) => (201, "created"),
            (Some(_), true) => (200, "unchanged"),
            (Some(_), false) => (200, "changed"),
        };
        Ok(Ok(Outcome { status, what, notes, changes, members, ..Outcome::default() }))
    }

    /// A step of a change of members, with those whom nobody knows.
    async fn members(&self, step: MemberStep) -> anyhow::Result<Value> {
        let (word, ids) = match step {
            MemberStep::Delta(MemberDelta::Add(ids)) => ("add", ids),
            MemberStep::Delta(MemberDelta::Remove(ids)) => return Ok(json!({ "remove": ids })),
            MemberStep::Delta(MemberDelta::Replace(ids)) => ("replace", ids),
            MemberStep::Delta(MemberDelta::Clear) => return Ok(json!({ "replace": [] })),
            MemberStep::RemoveMatching(_) => return Ok(json!({ "remove": "those that match the filter" })),
        };
        let mut unknown = Vec::new();
        for id in &ids {
            let database = &self.parts.directory;
            let known = database.roster.user(&self.directory.id, &UserId(id.clone())).await?.is_some()
                || database.groups.group(&self.directory.id, &GroupId(id.clone())).await?.is_some();
            if !known {
                unknown.push(id.clone());
            }
        }
        Ok(json!({ word: ids, "wait_for_somebody_of_that_id": unknown }))
    }
}

/// What differs, before and after.
fn differing(before: &Attributes, after: &Attributes) -> Map<String, Value> {
    let mut changes = Map::new();
    for name in before.keys().chain(after.keys()) {
        let (was, is) = (before.get(name), after.get(name));
        if was != is {
            changes.insert(name.clone(), json!({ "before": was, "after": is }));
        }
    }
    changes
}

/// What each service of the directory would be told: the object stands in the feed with its change, or it doesn't.
fn services(config: &Snapshot, directory: &str, outcome: &Outcome) -> Vec<(String, String)> {
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

fn to_json(explained: &Explained, services: &[(String, String)]) -> Value {
    let told: Vec<Value> = services.iter().map(|(id, told)| json!({ "service": id, "told": told })).collect();
    match explained {
        Err(error) => json!({
            "status": error.status, "scimType": error.scim_type.map(crate::scim::ScimType::as_str),
            "detail": error.detail, "attribute": error.attribute, "services": told,
        }),
        Ok(outcome) => {
            let notes = &outcome.notes;
            json!({
                "status": outcome.status, "outcome": outcome.what, "changes": outcome.changes,
                "members": outcome.members, "received": notes.received, "cleared": notes.cleared,
                "unknown": notes.unknown, "unconfirmed": notes.unconfirmed, "read_only": notes.read_only,
                "remarks": notes.remarks, "aside": outcome.aside, "lacks": outcome.lacks, "services": told,
            })
        }
    }
}

fn tell(explained: &Explained, services: &[(String, String)]) -> String {
    let outcome = match explained {
        Err(error) => {
            let kind = error.scim_type.map_or("", crate::scim::ScimType::as_str);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_a_method_and_a_path() {
        let asked = |text: &str| Asked::parse(text).map(|asked| (asked.method, asked.id, asked.groups)).ok();
        assert_eq!(asked("PATCH /Users/7"), Some((Method::Patch, "7".to_owned(), false)));
        assert_eq!(asked("patch /usergroup/scim/v2/Groups/7/?x=y"), Some((Method::Patch, "7".to_owned(), true)));
        assert_eq!(asked("POST /Users"), Some((Method::Post, String::new(), false)));
        for wrong in ["", "PATCH", "GET /Users/7", "PATCH /Users", "POST /Users/7", "PUT /Me", "PUT /Users/7/8"] {
            assert_eq!(asked(wrong), None, "{wrong}");
        }
    }
}
