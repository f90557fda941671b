//! `directory relink`: another source takes the place of the old one, and its people shall stay who they are: same id, same
//! `sub`, same groups. Found by what both sources have, they get the new source's other name.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use super::{dump, table};
use crate::app::parts::Parts;
use crate::base::text::fold;
use crate::cli::progress::Progress;
use crate::directory::roster::{Act, Written};
use crate::identity::{Directory, StoredUser};
use crate::scim::Schemas;
use crate::scim::changes::{AuditKey, Side, Writing};
use crate::scim::confirmed::split;

/// What both sources have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum By {
    /// The externalId is taken over from the file.
    #[value(name = "userName")]
    UserName,
    /// The userName is taken over from the file.
    #[value(name = "externalId")]
    ExternalId,
}

impl By {
    const fn key(self) -> &'static str {
        match self {
            Self::UserName => "userName",
            Self::ExternalId => "externalId",
        }
    }

    const fn taken_over(self) -> &'static str {
        match self {
            Self::UserName => "externalId",
            Self::ExternalId => "userName",
        }
    }

    /// As it is compared.
    fn folded(self, value: &str) -> String {
        match self {
            Self::UserName => fold(value),
            Self::ExternalId => value.to_owned(),
        }
    }
}

/// A person of the new source.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Named {
    key: String,
    other: String,
}

/// What a relinking does, or would do.
#[derive(Debug, Default, serde::Serialize)]
pub struct Report {
    /// Whether it was written.
    pub written: bool,
    /// Linked anew: id, what they are found by, and what is taken over.
    pub relinked: Vec<(String, String)>,
    /// As they should be already.
    pub unchanged: u64,
    /// In the file more than once with different values, or sharing a value with somebody else: nothing is done.
    pub ambiguous: Vec<String>,
    /// Nobody here has this.
    pub missing: Vec<String>,
    /// Somebody else here has what should be taken over.
    pub taken: Vec<String>,
}

impl Report {
    /// Whether everybody of the file was, or can be, linked.
    #[must_use]
    pub const fn complete(&self) -> bool {
        self.ambiguous.is_empty() && self.taken.is_empty()
    }
}

/// # Errors
/// A file or database that can't be read or written.
pub async fn relink(
    parts: &Parts,
    (directory, schemas): (&Directory, &Schemas),
    by: By,
    file: &Path,
    write: super::report::Mode,
) -> anyhow::Result<Report> {
    let people = people(by, file)?;
    let mut report = Report { written: write == super::report::Mode::Write, ..Report::default() };
    let people = unambiguous(by, people, &mut report);
    let mut progress = Progress::new("people");
    for (count, named) in people.into_iter().enumerate() {
        let roster = &parts.directory.roster;
        let Some(user) = roster.holder(&directory.id, by.key(), &by.folded(&named.key)).await? else {
            report.missing.push(named.key);
            continue;
        };
        if user.user.text(by.taken_over()) == Some(named.other.as_str()) {
            report.unchanged += 1;
            continue;
        }
        let other = if by == By::ExternalId { fold(&named.other) } else { named.other.clone() };
        let holder = roster.holder(&directory.id, by.taken_over(), &other).await?;
        if holder.is_some_and(|holder| holder.user.id != user.user.id) {
            report.taken.push(named.key);
            continue;
        }
        let id = user.user.id.0.clone();
        if report.written && !one(parts, schemas, user, (by, &named)).await? {
            report.taken.push(named.key);
            continue;
        }
        report.relinked.push((id, named.key));
        progress.at(count as u64);
    }
    progress.end();
    Ok(report)
}

/// Writes one, with its audit record; false: somebody else has got the value meanwhile.
async fn one(
    parts: &Parts,
    schemas: &Schemas,
    mut user: StoredUser,
    (by, named): (By, &Named),
) -> anyhow::Result<bool> {
    let key = AuditKey::new(&parts.seal.derive("audit"));
    for _ in 0..10 {
        let mut next = user.clone();
        next.user.attributes.insert(by.taken_over().to_owned(), named.other.clone().into());
        crate::identity::user::remember_names(&user.user, &mut next.user);
        let seen = |user: &StoredUser| split(&schemas.user, user.user.attributes.clone()).seen;
        let (before, after) = (seen(&user), seen(&next));
        let side = |attributes| Side { attributes: Some(attributes), active: None };
        let changes = Writing { schema: &schemas.user, key: &key }.between(side(&before), side(&after), &[]);
        let at = parts.options.clock.now();
        let act = Act { at, by: "cli".to_owned(), what: "relink", changes };
        match parts.directory.roster.replace(next, act).await? {
            Written::Done(_) => return Ok(true),
            Written::Stale => {}
            _ => return Ok(false),
        }
        match parts.directory.roster.user(&user.user.directory, &user.user.id).await? {
            Some(again) => user = again,
            None => return Ok(false),
        }
    }
    bail!("a user changes again and again while it is to be linked")
}

/// Those who can be told apart, each once; the others are reported.
fn unambiguous(by: By, people: Vec<Named>, report: &mut Report) -> Vec<Named> {
    let opposite = if by == By::UserName { By::ExternalId } else { By::UserName };
    let mut keys: HashMap<String, Option<usize>> = HashMap::new();
    let mut others: HashMap<String, usize> = HashMap::new();
    let mut once: Vec<Named> = Vec::with_capacity(people.len());
    for named in people {
        let known = keys.get(&by.folded(&named.key)).copied();
        match known {
            None => {
                keys.insert(by.folded(&named.key), Some(once.len()));
                *others.entry(opposite.folded(&named.other)).or_default() += 1;
                once.push(named);
            }
            Some(Some(at)) if once.get(at).is_some_and(|first| first.other == named.other) => {}
            Some(_) => drop(keys.insert(by.folded(&named.key), None)),
        }
    }
    let sound = |named: &Named| {
        keys.get(&by.folded(&named.key)).is_some_and(Option::is_some)
            && others.get(&opposite.folded(&named.other)) == Some(&1)
    };
    let (sound, ambiguous): (Vec<Named>, Vec<Named>) = once.into_iter().partition(sound);
    report.ambiguous = ambiguous.into_iter().map(|named| named.key).collect();
    sound
}

/// The people of a file: a SCIM dump, or CSV with a line of names above.
fn people(by: By, file: &Path) -> anyhow::Result<Vec<Named>> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let pairs = match text.trim_start().chars().next() {
        Some('{' | '[') => of_dump(&text).with_context(|| file.display().to_string())?,
        _ => table::people(&text).with_context(|| file.display().to_string())?,
    };
    let named = |(user_name, external_id): (String, String)| match by {
        By::UserName => Named { key: user_name, other: external_id },
        By::ExternalId => Named { key: external_id, other: user_name },
    };
    Ok(pairs.into_iter().map(named).collect())
}

/// userName and externalId of each user of a dump that has both.
fn of_dump(text: &str) -> Result<Vec<(String, String)>, serde_json::Error> {
    let mut pairs = Vec::new();
    dump::read(text.as_bytes(), &mut |resource| {
        let field = |name: &str| resource.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
        if let (Some(user_name), Some(external_id)) = (field("userName"), field("externalId")) {
            pairs.push((user_name.to_owned(), external_id.to_owned()));
        }
        true
    })?;
    Ok(pairs)
}

/// For people, who see whom it is about.
#[must_use]
pub fn tell(report: &Report, by: By) -> String {
    let verb = if report.written { "linked anew" } else { "would be linked anew" };
    let mut text = format!(
        "{} {verb}, {} as they should be, {} ambiguous, {} missing here, {} whose {} somebody else has\n",
        report.relinked.len(),
        report.unchanged,
        report.ambiguous.len(),
        report.missing.len(),
        report.taken.len(),
        by.taken_over(),
    );
    for (id, key) in &report.relinked {
        text += &format!("  {verb}  {id}  {key}\n");
    }
    for (what, keys) in [("ambiguous", &report.ambiguous), ("missing", &report.missing), ("taken", &report.taken)] {
        for key in keys {
            text += &format!("  {what}  {key}\n");
        }
    }
    if !report.written && !report.relinked.is_empty() {
        text += "Nothing was written. --yes writes it.\n";
    }
    text.trim_end().to_owned()
}

#[must_use]
pub fn to_json(report: &Report, by: By) -> Value {
    let relinked: Vec<Value> = report.relinked.iter().map(|(id, key)| json!({ "id": id, by.key(): key })).collect();
    json!({
        "written": report.written, "by": by.key(), "takes_over": by.taken_over(), "relinked": relinked,
        "unchanged": report.unchanged, "ambiguous": report.ambiguous, "missing": report.missing, "taken": report.taken,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_told_in_two_ways_or_shares_a_value_is_ambiguous() {
        let people = [("a", "1"), ("A", "1"), ("b", "2"), ("B", "3"), ("c", "4"), ("d", "4"), ("e", "5")];
        let named = people.map(|(key, other)| Named { key: key.to_owned(), other: other.to_owned() });
        let mut report = Report::default();
        let sound = unambiguous(By::UserName, named.to_vec(), &mut report);
        assert_eq!(sound.iter().map(|named| named.key.as_str()).collect::<Vec<_>>(), ["a", "e"]);
        assert_eq!(report.ambiguous, ["b", "c", "d"]);
    }
}
