//! `directory list`: each directory with its counts, its connection, and what deserves care.

use serde_json::{Value, json};

use crate::app::parts::Parts;
use crate::base::{Moment, Span};
use crate::directory::roster::{Sighting, SyncClient, Tally};
use crate::identity::{Directory, DirectoryKind};
use crate::jobs::departures::held;

/// An attribute that hasn't come for this long, while others have, has probably lost its mapping.
const STALE: Span = Span::days(30);
/// Refusals older than this are history.
const RECENT: Span = Span::days(7);

/// What is known of one directory.
pub struct Overview {
    pub id: String,
    name: String,
    source: &'static str,
    kind: &'static str,
    tally: Tally,
    last_call: Option<Moment>,
    live_credentials: usize,
    held: u64,
    aside: Vec<Aside>,
    refused: Vec<Sighting>,
    unknown: Vec<Sighting>,
    unconfirmed: Vec<Sighting>,
    stale: Vec<(String, Option<Moment>)>,
    cares: Vec<String>,
}

/// Values of an attribute that is confirmed no longer.
struct Aside {
    attribute: String,
    holders: u64,
    erased: Moment,
}

/// # Errors
/// When the database can't be asked.
pub async fn overview(parts: &Parts, directory: &Directory) -> anyhow::Result<Overview> {
    let now = parts.options.clock.now();
    let database = &parts.directory;
    let sightings = database.sightings.all(&directory.id).await?;
    let clients = database.sync_clients.all().await?;
    let mut aside = Vec::new();
    for set in database.upkeep.set_aside().await?.into_iter().filter(|set| set.directory == directory.id) {
        let holders = database.upkeep.holders_of(&directory.id, &set.attribute).await?;
        aside.push(Aside { attribute: set.attribute, holders, erased: set.since.plus(directory.purge_after) });
    }
    let of_kind = |kind: &str| {
        let mut some: Vec<Sighting> = sightings.iter().filter(|seen| seen.kind == kind).cloned().collect();
        some.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
        some
    };
    let live = |client: &&SyncClient| client.scope == directory.id && client.expires > now;
    let mut made = Overview {
        id: directory.id.clone(),
        name: directory.name.clone(),
        source: directory.source.as_str(),
        kind: if directory.kind == DirectoryKind::Jit { "jit" } else { "provisioned" },
        tally: database.sightings.tally(&directory.id).await?,
        last_call: of_kind("call").iter().map(|call| call.last).max(),
        live_credentials: clients.iter().filter(live).count(),
        held: held(database, directory, now).await?,
        aside,
        refused: of_kind("refused"),
        unknown: of_kind("unknown"),
        unconfirmed: of_kind("unconfirmed"),
        stale: stale(directory, &sightings, now),
        cares: Vec::new(),
    };
    made.cares = made.cares(now);
    Ok(made)
}

/// Confirmed attributes that haven't come for a month, or never, while others have; with when they came last.
fn stale(directory: &Directory, sightings: &[Sighting], now: Moment) -> Vec<(String, Option<Moment>)> {
    // A blank value shows a mapping as well as another one does.
    let came = |seen: &&Sighting| matches!(seen.kind.as_str(), "received" | "blank");
    let border = now.minus(STALE);
    let others_come = sightings.iter().filter(came).any(|seen| seen.last >= border);
    let last = |name: &str| sightings.iter().filter(came).filter(|seen| seen.name == name).map(|seen| seen.last).max();
    let confirmed = directory.attributes.iter().filter(|name| !matches!(name.as_str(), "active" | "groups"));
    let gone =
        confirmed.map(|name| (name.clone(), last(name))).filter(|(_, last)| last.is_none_or(|last| last < border));
    if others_come { gone.collect() } else { Vec::new() }
}

impl Overview {
    fn cares(&self, now: Moment) -> Vec<String> {
        let mut cares = Vec::new();
        if self.kind == "provisioned" && self.live_credentials == 0 {
            cares.push("no live credential: nothing can provision it".to_owned());
        }
        if self.held > 0 {
            cares.push(format!("{} deletions by policy wait for `directory removals`", self.held));
        }
        for Aside { attribute, holders, erased } in self.aside.iter().filter(|aside| aside.holders > 0) {
            let erased = erased.to_rfc3339();
            cares.push(format!("{attribute} is confirmed no longer: {holders} values are out of use, erased {erased}"));
        }
        for seen in self.refused.iter().filter(|seen| now.since(seen.last) < RECENT) {
            cares.push(format!("refused {} times, last {}: {}", seen.count, seen.last.to_rfc3339(), seen.name));
        }
        for (name, last) in &self.stale {
            cares.push(match last {
                Some(last) => format!("{name} has not come since {}: is it still mapped?", last.to_rfc3339()),
                None => format!("{name} is confirmed and has never come: is it mapped?"),
            });
        }
        cares
    }

    #[must_use]
    pub fn needs_care(&self) -> bool {
        !self.cares.is_empty()
    }

    #[must_use]
    pub fn to_json(&self) -> Value {
        let seen = |all: &[Sighting]| {
            let one =
                |seen: &Sighting| json!({ "name": seen.name, "count": seen.count, "last": seen.last.to_rfc3339() });
            all.iter().map(one).collect::<Vec<_>>()
        };
        let aside = self.aside.iter().map(|Aside { attribute, holders, erased }| {
            json!({ "attribute": attribute, "values": holders, "erased_at": erased.to_rfc3339() })
        });
        let stale = self.stale.iter().map(|(name, last)| json!({ "name": name, "last": last.map(Moment::to_rfc3339) }));
        json!({
            "id": self.id, "name": self.name, "source": self.source, "type": self.kind,
            "users": self.tally.users, "inactive": self.tally.inactive, "groups": self.tally.groups,
            "memberships": self.tally.memberships, "parked": self.tally.parked,
            "last_call": self.last_call.map(Moment::to_rfc3339), "live_credentials": self.live_credentials,
            "removals_held": self.held, "set_aside": aside.collect::<Vec<_>>(), "refused": seen(&self.refused),
            "unknown": seen(&self.unknown), "unconfirmed": seen(&self.unconfirmed),
            "stale": stale.collect::<Vec<_>>(), "cares": self.cares,
        })
    }

    /// A line of the table.
    #[must_use]
    pub fn row(&self) -> [String; 8] {
        let Tally { users, inactive, groups, memberships, parked } = &self.tally;
        [
            self.id.clone(),
            self.source.to_owned(),
            self.kind.to_owned(),
            format!("{users} ({inactive} off)"),
            groups.to_string(),
            format!("{memberships} ({parked} waiting)"),
            self.last_call.map_or_else(|| "never".to_owned(), Moment::to_rfc3339),
            self.live_credentials.to_string(),
        ]
    }

    /// What else there is to say, a line each.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let named = |what: &str, all: &[Sighting]| {
            let names: Vec<String> =
                all.iter().take(10).map(|seen| format!("{} ({})", seen.name, seen.count)).collect();
            (!names.is_empty()).then(|| format!("{}: {what}: {}", self.id, names.join(", ")))
        };
        let mut notes: Vec<String> = self.cares.iter().map(|care| format!("{}: {care}", self.id)).collect();
        notes.extend(named("came and is in no schema", &self.unknown));
        notes.extend(named("came and is not confirmed", &self.unconfirmed));
        notes
    }
}
