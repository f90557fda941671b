//! `vestibule explain scim`: what a request of a provisioning service would do. The server's own errand does it, over a
//! database that undoes what is written; so it is told as it would be.

mod asked;
mod witness;
mod outcome;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use serde_json::{Map, Value, json};

use self::asked::Method;
use self::outcome::{Explained, Memberships, Outcome, services, tell, to_json};
use self::witness::{Seen, Witness};
use super::{Context, complain, say};
use crate::app::parts::{Parts, rehearsal};
use crate::flow::scim::desk::{Answer, Desk, Terms};
use crate::flow::scim::pass::{Pass, rehearsing};
use crate::flow::scim::refusal::Refusal;
use crate::flow::scim::users::Change;
use crate::identity::group::MemberDelta;
use crate::identity::user::Attributes;
use crate::identity::{GroupId, StoredUser, UserId};
use crate::scim::confirmed::split;
use crate::scim::notes::Notes;
use crate::scim::reading::{Draft, Reading};
use crate::scim::schema::ResourceType;
use crate::scim::{ScimError, group, json, user};
use crate::web::scim::too_large;

pub use self::asked::Asked;

/// # Errors
/// What can't be read or found; a refusal of the request is no error, but exit code 1.
pub async fn explain_scim(
    context: &Context,
    parts: &Parts,
    directory: &str,
    asked: &Asked,
    file: Option<&Path>,
) -> anyhow::Result<ExitCode> {
    let config = parts.config.snapshot();
    super::directory_of(&config, directory)?;
    let bytes = match (file, asked.method) {
        (_, Method::Delete) => Vec::new(),
        (Some(file), _) => std::fs::read(file).with_context(|| file.display().to_string())?,
        (None, _) => {
            complain("error: FILE with the body is missing");
            return Ok(ExitCode::from(2));
        }
    };
    let explained = match body(asked, &bytes) {
        Ok(body) => rehearsed(parts, directory, asked, &body).await?,
        Err(error) => Err(error),
    };
    let told = match &explained {
        Ok(outcome) => services(&config, directory, outcome),
        Err(_) => Vec::new(),
    };
    say(if context.json { to_json(&explained, &told).to_string() } else { tell(&explained, &told) });
    Ok(ExitCode::from(u8::from(explained.is_err())))
}

/// As the server reads it; where JSON breaks off is told beside it.
fn body(asked: &Asked, bytes: &[u8]) -> Result<Value, ScimError> {
    if asked.method == Method::Delete {
        return Ok(Value::Null);
    }
    if bytes.len() > asked.body_max {
        return Err(too_large(asked.body_max));
    }
    json::read(bytes, asked.about).inspect_err(|_| {
        let sound =
            serde_json::from_slice::<serde::de::IgnoredAny>(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes));
        if let Err(fault) = sound {
            complain(format!("the body is no JSON from line {}, column {} on", fault.line(), fault.column()));
        }
    })
}

async fn rehearsed(parts: &Parts, directory: &str, asked: &Asked, body: &Value) -> anyhow::Result<Explained> {
    let mut ports = rehearsal(parts)?;
    let witness = Arc::new(Witness::new(Arc::clone(&ports.directory.roster), Arc::clone(&ports.directory.groups)));
    ports.directory.roster = witness.clone();
    ports.directory.groups = witness.clone();
    let request = ports.request();
    let pass = rehearsing(&ports, &request, directory).context("the directory is not configured")?;
    let terms = Terms { selection: asked.selection.clone(), ..Terms::default() };
    let desk = Desk { ports: &ports, request: &request, pass: &pass, terms: &terms };
    let answer = match done(&desk, asked, body).await {
        Ok(answer) => answer,
        Err(Refusal::Scim(error)) => return Ok(Err(error)),
        Err(_) => bail!("the database is unavailable"),
    };
    // Nothing was written: the database still shows what was before.
    let before = Before { parts, pass: &pass, asked, body };
    let mut outcome = match asked.about {
        ResourceType::User => before.user(witness.seen()).await?,
        ResourceType::Group => before.group(witness.seen()).await?,
    };
    outcome.status = answer.status;
    if outcome.what == "unchanged" && answer.status == 201 {
        outcome.what = "revived";
    }
    Ok(Ok(outcome))
}

async fn done(desk: &Desk<'_>, asked: &Asked, body: &Value) -> Result<Answer, Refusal> {
    let id = asked.id.as_str();
    match (asked.about, asked.method) {
        (ResourceType::User, Method::Post) => desk.create_user(body).await,
        (ResourceType::User, Method::Put) => desk.change_user(id, Change::Replace(body)).await,
        (ResourceType::User, Method::Patch) => desk.change_user(id, Change::Patch(body)).await,
        (ResourceType::User, Method::Delete) => desk.delete_user(id).await,
        (ResourceType::Group, Method::Post) => desk.create_group(body).await,
        (ResourceType::Group, Method::Put) => desk.change_group(id, Change::Replace(body)).await,
        (ResourceType::Group, Method::Patch) => desk.change_group(id, Change::Patch(body)).await,
        (ResourceType::Group, Method::Delete) => desk.delete_group(id).await,
    }
}

/// What was there, to be compared with what was written.
struct Before<'a> {
    parts: &'a Parts,
    pass: &'a Pass,
    asked: &'a Asked,
    body: &'a Value,
}

impl Before<'_> {
    async fn user(&self, seen: Seen) -> anyhow::Result<Outcome> {
        let schema = &self.pass.schemas().user;
        let id = seen.user.as_ref().map_or_else(|| UserId(self.asked.id.clone()), |user| user.user.id.clone());
        let current = self.parts.directory.roster.user(self.pass.scope(), &id).await?;
        let known = current.as_ref().map(|current| split(schema, current.user.attributes.clone()));
        let was = known.as_ref().map(|known| &known.seen);
        let draft = |user: &StoredUser| Draft {
            attributes: split(schema, user.user.attributes.clone()).seen,
            active: user.user.active,
        };
        let after = seen.user.as_ref().or(current.as_ref().filter(|_| seen.what.is_none())).map(draft);
        let none = Attributes::new();
        let mut changes = differing(was.unwrap_or(&none), after.as_ref().map_or(&none, |after| &after.attributes));
        let (was_active, is_active) =
            (current.as_ref().map(|user| user.user.active), after.as_ref().map(|after| after.active));
        if was_active != is_active {
            changes.insert("active".to_owned(), json!({ "before": was_active, "after": is_active }));
        }
        if let (Some(before), Some(after)) = (&current, &seen.user)
            && before.identity_name != after.identity_name
        {
            let pair = json!({ "before": before.identity_name, "after": after.identity_name });
            changes.insert("(name that is kept for the return)".to_owned(), pair);
        }
        let of_sender = self.asked.method == Method::Post;
        let reading = Reading::new(self.pass.directory(), schema);
        let planned_on = current.as_ref().filter(|_| !of_sender).map(draft).unwrap_or_else(nobody);
        let notes = match self.asked.method {
            Method::Post => user::create(&reading, self.body),
            Method::Put => user::replace(&reading, &planned_on, self.body),
            Method::Patch => user::patch(&reading, &planned_on, self.body),
            Method::Delete => Ok((planned_on, Notes::default())),
        };
        Ok(Outcome {
            what: word(seen.what),
            notes: notes.map(|(_, notes)| notes).unwrap_or_default(),
            changes,
            aside: known.filter(|_| after.is_some()).map(|known| known.aside.into_keys().collect()).unwrap_or_default(),
            lacks: after.map(|after| user::lacks(self.pass.directory(), &after)).unwrap_or_default(),
            ..Outcome::default()
        })
    }

    async fn group(&self, seen: Seen) -> anyhow::Result<Outcome> {
        let changed = seen.group.as_ref();
        let id = changed.map_or_else(|| GroupId(self.asked.id.clone()), |changed| changed.group.id.clone());
        let current = self.parts.directory.groups.group(self.pass.scope(), &id).await?;
        let none = Attributes::new();
        let was = current.as_ref().map_or(&none, |current| &current.attributes);
        let is = match (changed, seen.what) {
            (Some(changed), _) => &changed.group.attributes,
            (None, None) => was,
            (None, Some(_)) => &none,
        };
        let reading = Reading::new(self.pass.directory(), &self.pass.schemas().group);
        let notes = match self.asked.method {
            Method::Post => group::create(&reading, self.body),
            Method::Put => group::replace(&reading, was, self.body),
            Method::Patch => group::patch(&reading, was, self.body),
            Method::Delete => Ok(Default::default()),
        };
        let same = current.as_ref().map(|current| current.version) == changed.map(|changed| changed.group.version);
        let mut members = Vec::new();
        for delta in &seen.members {
            members.push(self.members(delta).await?);
        }
        let memberships = changed.filter(|_| !members.is_empty()).map(|changed| Memberships {
            added: changed.added,
            removed: changed.removed,
            parked: changed.parked,
        });
        Ok(Outcome {
            what: if same { "unchanged" } else { word(seen.what) },
            notes: notes.map(|(_, notes)| notes).unwrap_or_default(),
            changes: differing(was, is),
            members,
            memberships,
            ..Outcome::default()
        })
    }

    /// A step of a change of members, with those whom nobody knows.
    async fn members(&self, delta: &MemberDelta) -> anyhow::Result<Value> {
        let (word, ids) = match delta {
            MemberDelta::Add(ids) => ("add", ids),
            MemberDelta::Remove(ids) => return Ok(json!({ "remove": ids })),
            MemberDelta::Replace(ids) => ("replace", ids),
            MemberDelta::Clear => return Ok(json!({ "replace": [] })),
        };
        let mut unknown = Vec::new();
        for id in ids {
            let (database, scope) = (&self.parts.directory, self.pass.scope());
            let known = database.roster.user(scope, &UserId(id.clone())).await?.is_some()
                || database.groups.group(scope, &GroupId(id.clone())).await?.is_some();
            if !known {
                unknown.push(id.clone());
            }
        }
        Ok(json!({ word: ids, "wait_for_somebody_of_that_id": unknown }))
    }
}

const fn nobody() -> Draft {
    Draft { attributes: Attributes::new(), active: true }
}

/// What was done, in the words of the audit, as people say it.
fn word(what: Option<&'static str>) -> &'static str {
    match what {
        Some("create") => "created",
        Some("revive") => "revived",
        Some("delete") => "deleted",
        Some(_) => "changed",
        None => "unchanged",
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
