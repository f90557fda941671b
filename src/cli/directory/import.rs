//! `directory import`: users and groups of a dump. Ids are kept where they are free, so that every `sub` survives; what is
//! there already is passed over, so that an import that was broken off can be begun again.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::Context as _;
use futures_util::future::try_join_all;
use serde_json::{Value, json};

use super::arrival::{Arriving, Kind, Refused, arriving, group_of, user_of};
use super::dump;
use crate::app::parts::Parts;
use crate::cli::progress::Progress;
use crate::directory::roster::{Act, GroupRules, Listing, Place, Written};
use crate::identity::{Directory, StoredGroup, StoredUser};
use crate::scim::Schemas;
use crate::scim::filter::{Filter, Literal, Operand, Operator};
use crate::scim::notes::Notes;

/// Users that are written in one transaction.
const BATCH: usize = 500;
/// Resources that are read ahead.
const AHEAD: usize = 1_000;
/// Refusals that are told one by one.
const TOLD_MAX: usize = 20;

/// Whether it is written or only tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Write,
    DryRun,
}

/// What became of the resources of one kind.
#[derive(Clone, Copy, Debug, Default, serde::Serialize)]
pub struct Count {
    pub created: u64,
    /// There already, by id or externalId.
    pub present: u64,
    pub refused: u64,
}

/// What an import did.
#[derive(Debug, Default, serde::Serialize)]
pub struct Report {
    pub users: Count,
    pub groups: Count,
    pub memberships: u64,
    /// Members who wait for somebody of their id.
    pub parked: u64,
    /// Resources whose id somebody else has: they got another one.
    pub other_ids: u64,
    /// Attributes that were left out, with how often: in no schema, or not confirmed.
    pub left_out: BTreeMap<String, u64>,
    /// The first refusals: which resource of the file, counted from 1, and why.
    pub refusals: Vec<(u64, String)>,
}

/// An import under way.
pub struct Import<'a> {
    pub parts: &'a Parts,
    pub directory: &'a Directory,
    pub schemas: &'a Schemas,
    pub mode: Mode,
    report: Report,
    /// Users that wait to be written, with their places in the file.
    waiting: Vec<(u64, StoredUser)>,
    /// Ids of the file that stand for others here.
    others: HashMap<String, String>,
}

impl<'a> Import<'a> {
    #[must_use]
    pub fn new(parts: &'a Parts, (directory, schemas): (&'a Directory, &'a Schemas), mode: Mode) -> Self {
        let (report, waiting) = (Report::default(), Vec::with_capacity(BATCH));
        Self { parts, directory, schemas, mode, report, waiting, others: HashMap::new() }
    }

    /// Reads the file to its end.
    ///
    /// # Errors
    /// A file or database that can't be read or written. What was written before stays, and is passed over next time.
    pub async fn run(mut self, file: &Path) -> anyhow::Result<Report> {
        let (send, mut resources) = tokio::sync::mpsc::channel(AHEAD);
        let open = std::fs::File::open(file).with_context(|| file.display().to_string())?;
        let reading = tokio::task::spawn_blocking(move || {
            dump::read(open, &mut |resource: Value| send.blocking_send(resource).is_ok())
        });
        let mut progress = Progress::new("resources");
        let mut place = 0;
        while let Some(resource) = resources.recv().await {
            place += 1;
            self.take(place, &resource).await?;
            if place % BATCH as u64 == 0 {
                progress.at(place);
            }
        }
        self.flush().await?;
        progress.end();
        reading.await?.with_context(|| format!("{}, behind resource {place}", file.display()))?;
        Ok(self.report)
    }

    async fn take(&mut self, place: u64, resource: &Value) -> anyhow::Result<()> {
        let arriving = arriving(resource, &*self.parts.options.dice);
        match arriving.kind {
            Kind::User => {
                match user_of(self.directory, &self.schemas.user, (&arriving, resource), self.now()) {
                    Err(refused) => self.refuse(place, Kind::User, refused),
                    Ok((user, notes)) => {
                        self.note(&notes);
                        self.waiting.push((place, user));
                    }
                }
                if self.waiting.len() >= BATCH {
                    self.flush().await?;
                }
            }
            Kind::Group => {
                // Members that are in the file before it shall be there.
                self.flush().await?;
                self.group(place, arriving, resource).await?;
            }
        }
        Ok(())
    }

    fn now(&self) -> crate::base::Moment {
        self.parts.options.clock.now()
    }

    fn act(&self) -> Act {
        Act { at: self.now(), by: "cli".to_owned(), what: "import", changes: "{}".to_owned() }
    }

    fn note(&mut self, notes: &Notes) {
        for name in notes.unknown.iter().chain(&notes.unconfirmed) {
            *self.report.left_out.entry(name.clone()).or_default() += 1;
        }
    }

    fn refuse(&mut self, place: u64, kind: Kind, Refused(why): Refused) {
        match kind {
            Kind::User => self.report.users.refused += 1,
            Kind::Group => self.report.groups.refused += 1,
        }
        if self.report.refusals.len() < TOLD_MAX {
            self.report.refusals.push((place, why));
        }
    }

    /// Writes the users that wait, those at least who aren't there already: together, or if that isn't possible one by
    /// one.
    async fn flush(&mut self) -> anyhow::Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        let known = try_join_all(waiting.iter().map(|(_, user)| self.known(user))).await?;
        let mut fresh = Vec::with_capacity(waiting.len());
        for ((place, mut user), known) in waiting.into_iter().zip(known) {
            match known {
                Known::Here(id) => {
                    self.report.users.present += 1;
                    if id != user.user.id.0 {
                        self.others.insert(user.user.id.0, id);
                    }
                }
                Known::Elsewhere => {
                    self.report.other_ids += 1;
                    let other = self.parts.options.dice.hex_id();
                    let of_file = std::mem::replace(&mut user.user.id.0, other.clone());
                    self.others.insert(of_file, other);
                    fresh.push((place, user));
                }
                Known::Not => fresh.push((place, user)),
            }
        }
        if self.mode == Mode::DryRun || fresh.is_empty() {
            self.report.users.created += fresh.len() as u64;
            return Ok(());
        }
        let all = fresh.iter().map(|(_, user)| user.clone()).collect();
        if let Written::Done(count) = self.parts.directory.roster.create_all(all, self.act()).await? {
            self.report.users.created += count;
            return Ok(());
        }
        for (place, user) in fresh {
            let kept = user.user.id.0.clone();
            match self.parts.directory.roster.create(user, self.act()).await? {
                Written::Done(made) => {
                    self.report.users.created += 1;
                    if made.user.id.0 != kept {
                        self.others.insert(kept, made.user.id.0);
                    }
                }
                Written::Taken { attribute, .. } => {
                    self.refuse(place, Kind::User, Refused(format!("somebody else has its {attribute}")));
                }
                _ => self.refuse(place, Kind::User, Refused("it changed while it was written".to_owned())),
            }
        }
        Ok(())
    }

    async fn known(&self, arriving: &StoredUser) -> anyhow::Result<Known> {
        let found = self.parts.directory.users.user(&arriving.user.id).await?;
        if found.as_ref().is_some_and(|found| found.directory == self.directory.id) {
            return Ok(Known::Here(arriving.user.id.0.clone()));
        }
        if let Some(external_id) = arriving.user.text("externalId") {
            let holder = self.parts.directory.roster.holder(&self.directory.id, "externalId", external_id).await?;
            if let Some(holder) = holder {
                return Ok(Known::Here(holder.user.id.0));
            }
        }
        Ok(if found.is_some() { Known::Elsewhere } else { Known::Not })
    }

    async fn group(&mut self, place: u64, arriving: Arriving, resource: &Value) -> anyhow::Result<()> {
        let made = group_of(self.directory, &self.schemas.group, (&arriving, resource), self.now());
        let (group, mut members, notes) = match made {
            Ok(made) => made,
            Err(refused) => {
                self.refuse(place, Kind::Group, refused);
                return Ok(());
            }
        };
        self.note(&notes);
        if let Some(id) = self.known_group(&group).await? {
            self.report.groups.present += 1;
            if id != group.id.0 {
                self.others.insert(group.id.0, id);
            }
            return Ok(());
        }
        for member in &mut members {
            if let Some(other) = self.others.get(member) {
                member.clone_from(other);
            }
        }
        if self.mode == Mode::DryRun {
            self.report.groups.created += 1;
            self.report.memberships += members.len() as u64;
            return Ok(());
        }
        let dialect = &self.directory.dialect;
        let rules = GroupRules { same_name: dialect.same_group_name, unknown: dialect.unknown_members };
        match self.parts.directory.groups.create(group, members, rules, self.act()).await? {
            Written::Done(changed) => {
                self.report.groups.created += 1;
                self.report.memberships += changed.added;
                self.report.parked += changed.parked;
            }
            Written::Taken { attribute, .. } => {
                self.refuse(place, Kind::Group, Refused(format!("another group has its {attribute}")));
            }
            Written::UnknownMember(_) => {
                self.refuse(place, Kind::Group, Refused("a member of it is unknown here".to_owned()));
            }
            Written::TooManyMembers => self.refuse(place, Kind::Group, Refused("it has too many members".to_owned())),
            Written::Stale => self.refuse(place, Kind::Group, Refused("it changed while it was written".to_owned())),
        }
        Ok(())
    }

    /// The id of the group that this is, if it is there.
    async fn known_group(&self, group: &StoredGroup) -> anyhow::Result<Option<String>> {
        if self.parts.directory.groups.group(&self.directory.id, &group.id).await?.is_some() {
            return Ok(Some(group.id.0.clone()));
        }
        let Some(external_id) = group.external_id() else { return Ok(None) };
        let filter = Filter::Compare {
            operand: Operand::Attribute { key: "externalId".to_owned(), sub: None },
            operator: Operator::Eq,
            value: Literal::Text { text: external_id.to_owned(), exact: true },
        };
        let listing = Listing {
            directory: self.directory.id.clone(),
            filter: Some(filter),
            sort: None,
            place: Place::First,
            limit: 1,
        };
        let page = self.parts.directory.lists.groups(&listing).await?;
        Ok(page.items.first().map(|found| found.id.0.clone()))
    }
}

/// Whether a user of the file is there.
enum Known {
    /// With this id.
    Here(String),
    /// Its id belongs to a user of another directory.
    Elsewhere,
    Not,
}

impl Report {
    #[must_use]
    pub const fn refused(&self) -> u64 {
        self.users.refused + self.groups.refused
    }

    /// For people.
    #[must_use]
    pub fn tell(&self, mode: Mode) -> String {
        let made = if mode == Mode::DryRun { "would be made" } else { "made" };
        let line = |what: &str, count: &Count| {
            format!("{what:<8} {} {made}, {} there already, {} refused\n", count.created, count.present, count.refused)
        };
        let mut text = line("users", &self.users) + &line("groups", &self.groups);
        text += &format!("members  {} in groups, {} wait for somebody of their id\n", self.memberships, self.parked);
        if self.other_ids > 0 {
            text += &format!("{} got another id, since somebody of another directory has theirs\n", self.other_ids);
        }
        for (name, count) in &self.left_out {
            text += &format!("left out {count} times: {name}\n");
        }
        for (place, why) in &self.refusals {
            text += &format!("resource {place}: {why}\n");
        }
        text.trim_end().to_owned()
    }

    #[must_use]
    pub fn to_json(&self) -> Value {
        let refusals: Vec<Value> =
            self.refusals.iter().map(|(place, why)| json!({ "resource": place, "why": why })).collect();
        json!({
            "users": self.users, "groups": self.groups, "memberships": self.memberships, "parked": self.parked,
            "other_ids": self.other_ids, "left_out": self.left_out, "refusals": refusals,
        })
    }
}
