//! `directory import`: users and groups of a dump. Ids are kept where they are free, so that every `sub` survives; what is
//! there already is passed over, so that an import that was broken off can be begun again.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use anyhow::Context as _;
use futures_util::future::try_join_all;
use serde_json::Value;

use super::arrival::{Arriving, Kind, Refused, arriving, group_of, user_of};
use super::dump;
use super::report::{Mode, Report};
use crate::app::parts::Parts;
use crate::base::text::fold;
use crate::cli::progress::Progress;
use crate::directory::Database;
use crate::directory::roster::{Act, GroupChanged, GroupRules, Listing, Place, Written};
use crate::identity::{Directory, GroupId, StoredGroup, StoredUser, User, UserId};
use crate::scim::Schemas;
use crate::scim::filter::{Filter, Literal, Operand, Operator};
use crate::scim::notes::Notes;

/// Users that are written in one transaction.
const BATCH: usize = 500;
const ANOTHER: &str = "its id belongs to a user with another userName and externalId";
/// Resources that are read ahead.
const AHEAD: usize = 1_000;

/// An import under way.
pub struct Import<'a> {
    parts: &'a Parts,
    /// Where it is written; undone in a dry run.
    database: Database,
    directory: &'a Directory,
    schemas: &'a Schemas,
    mode: Mode,
    report: Report,
    /// Users that wait to be written, with their places in the file.
    waiting: Vec<(u64, StoredUser)>,
    /// Ids of the file that stand for others here.
    others: HashMap<String, String>,
    /// In a dry run what those of the file hold who would be there by now.
    held: HashSet<(&'static str, String)>,
}

impl<'a> Import<'a> {
    #[must_use]
    pub fn new(parts: &'a Parts, (directory, schemas): (&'a Directory, &'a Schemas), mode: Mode) -> Self {
        let (report, waiting) = (Report::default(), Vec::with_capacity(BATCH));
        let database = match mode {
            Mode::Write => parts.directory.clone(),
            Mode::DryRun => parts.directory.rehearsal(),
        };
        let (others, held) = (HashMap::new(), HashSet::new());
        Self { parts, database, directory, schemas, mode, report, waiting, others, held }
    }

    /// Reads the file to its end.
    ///
    /// # Errors
    /// A file that can't be opened, a database that can't be read or written. What was written before stays, and is
    /// passed over next time.
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
        self.report.refusals.sort_unstable();
        self.report.broken_off = reading.await?.err().map(|fault| format!("behind resource {place}: {fault}"));
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
        self.report.refuse(place, why);
    }

    /// Writes the users that wait, those at least who aren't there already: together, or if that isn't possible one by
    /// one.
    async fn flush(&mut self) -> anyhow::Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        let known = try_join_all(waiting.iter().map(|(_, user)| self.known(user))).await?;
        let mut fresh = Vec::with_capacity(waiting.len());
        for ((place, user), known) in waiting.into_iter().zip(known) {
            let missing = self.missing(place, user, known);
            fresh.extend(missing.filter(|(place, user)| self.mode == Mode::Write || self.comes_first(*place, user)));
        }
        if fresh.is_empty() {
            return Ok(());
        }
        let all = fresh.iter().map(|(_, user)| user.clone()).collect();
        if let Written::Done(ids) = self.database.roster.create_all(all, self.act()).await? {
            for ((_, user), id) in fresh.into_iter().zip(ids) {
                self.made(user.user.id.0, id.0);
            }
            return Ok(());
        }
        for (place, user) in fresh {
            // One before it may have been the same.
            let known = self.known(&user).await?;
            let Some((place, user)) = self.missing(place, user, known) else { continue };
            let of_file = user.user.id.0.clone();
            match self.database.roster.create(user, self.act()).await? {
                Written::Done(made) => self.made(of_file, made.user.id.0),
                Written::Taken { attribute, .. } => {
                    self.refuse(place, Kind::User, Refused(format!("somebody else has its {attribute}")));
                }
                _ => self.refuse(place, Kind::User, Refused("it changed while it was written".to_owned())),
            }
        }
        Ok(())
    }

    /// The user with the id to be written; `None`: there already, or refused.
    fn missing(&mut self, place: u64, mut user: StoredUser, known: Known) -> Option<(u64, StoredUser)> {
        match known {
            Known::Here(id) => {
                self.report.users.present += 1;
                if id != user.user.id.0 {
                    self.others.insert(user.user.id.0, id);
                }
                return None;
            }
            Known::Another => {
                self.refuse(place, Kind::User, Refused(ANOTHER.to_owned()));
                return None;
            }
            Known::Elsewhere => {
                self.report.other_ids += 1;
                let other = self.parts.options.dice.hex_id();
                let of_file = std::mem::replace(&mut user.user.id.0, other.clone());
                self.others.insert(of_file, other);
            }
            Known::Not => {}
        }
        Some((place, user))
    }

    /// Whether nobody before it in the file is the same or holds the same: in a dry run nobody of them is ever there.
    fn comes_first(&mut self, place: u64, user: &StoredUser) -> bool {
        let name = user.user.text("userName").map(|name| ("userName", fold(name)));
        let external_id = user.user.text("externalId").map(|id| ("externalId", id.to_owned()));
        let id = ("id", user.user.id.0.clone());
        let holds = |one: &Option<(&'static str, String)>| one.as_ref().is_some_and(|one| self.held.contains(one));
        match (self.held.contains(&id), holds(&name), holds(&external_id)) {
            (false, false, false) => {
                self.held.extend([Some(id), name, external_id].into_iter().flatten());
                return true;
            }
            (_, _, true) => self.report.users.present += 1,
            (true, same_name, _) if same_name || external_id.is_none() => self.report.users.present += 1,
            (true, ..) => self.refuse(place, Kind::User, Refused(ANOTHER.to_owned())),
            (false, ..) => self.refuse(place, Kind::User, Refused("somebody else has its userName".to_owned())),
        }
        false
    }

    /// One was made; an id that was kept for its externalId takes the place of the file's.
    fn made(&mut self, of_file: String, id: String) {
        self.report.users.created += 1;
        if id != of_file {
            self.report.other_ids += 1;
            self.others.insert(of_file, id);
        }
    }

    async fn known(&self, arriving: &StoredUser) -> anyhow::Result<Known> {
        let id = &arriving.user.id;
        let found = self.database.users.user(id).await?;
        if let Some(found) = found.as_ref().filter(|found| found.directory == self.directory.id) {
            let told = |user: &User, name: &str| user.text(name).map(fold);
            let differs = |name: &str| {
                let (is, was) = (told(&arriving.user, name), told(found, name));
                is.is_some() && was.is_some() && is != was
            };
            let another = differs("userName") && differs("externalId");
            return Ok(if another { Known::Another } else { Known::Here(id.0.clone()) });
        }
        if let Some(external_id) = arriving.user.text("externalId") {
            let holder = self.database.roster.holder(&self.directory.id, "externalId", external_id).await?;
            if let Some(holder) = holder {
                return Ok(Known::Here(holder.user.id.0));
            }
        }
        let group = self.database.groups.group(&self.directory.id, &GroupId(id.0.clone())).await?;
        Ok(if found.is_some() || group.is_some() { Known::Elsewhere } else { Known::Not })
    }

    async fn group(&mut self, place: u64, arriving: Arriving, resource: &Value) -> anyhow::Result<()> {
        let made = group_of(self.directory, &self.schemas.group, (&arriving, resource), self.now());
        let (mut group, mut members, notes) = match made {
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
        if self.database.users.user(&UserId(group.id.0.clone())).await?.is_some() {
            self.another_id(&mut group);
        }
        for member in &mut members {
            if let Some(other) = self.others.get(member) {
                member.clone_from(other);
            }
        }
        // In a dry run they may be among those whom the run would have made.
        let named = if self.mode == Mode::DryRun { std::mem::take(&mut members).len() as u64 } else { 0 };
        let before = self.report.groups.created;
        if let Written::Taken { attribute: "id", .. } = self.write_group(place, &group, &members).await? {
            self.another_id(&mut group);
            self.write_group(place, &group, &members).await?;
        }
        self.report.memberships += if self.report.groups.created > before { named } else { 0 };
        Ok(())
    }

    /// Somebody else has the group's.
    fn another_id(&mut self, group: &mut StoredGroup) {
        self.report.other_ids += 1;
        let other = self.parts.options.dice.hex_id();
        let of_file = std::mem::replace(&mut group.id.0, other.clone());
        self.others.insert(of_file, other);
    }

    /// Counts what became of it, but if another has its id.
    async fn write_group(
        &mut self,
        place: u64,
        group: &StoredGroup,
        members: &[String],
    ) -> anyhow::Result<Written<GroupChanged>> {
        let dialect = &self.directory.dialect;
        let rules = GroupRules { same_name: dialect.same_group_name, unknown: dialect.unknown_members };
        let written = self.database.groups.create(group.clone(), members.to_vec(), rules, self.act()).await?;
        let why = match &written {
            Written::Done(changed) => {
                self.report.groups.created += 1;
                self.report.memberships += changed.added;
                self.report.parked += changed.parked;
                return Ok(written);
            }
            Written::Taken { attribute: "id", .. } => return Ok(written),
            Written::Taken { attribute, .. } => format!("another group has its {attribute}"),
            Written::UnknownMember(_) => "a member of it is unknown here".to_owned(),
            Written::TooManyMembers => "it has too many members".to_owned(),
            Written::Stale => "it changed while it was written".to_owned(),
        };
        self.refuse(place, Kind::Group, Refused(why));
        Ok(written)
    }

    /// The id of the group that this is, if it is there.
    async fn known_group(&self, group: &StoredGroup) -> anyhow::Result<Option<String>> {
        if self.database.groups.group(&self.directory.id, &group.id).await?.is_some() {
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
        let page = self.database.lists.groups(&listing).await?;
        Ok(page.items.first().map(|found| found.id.0.clone()))
    }
}

/// Whether a user of the file is there.
enum Known {
    /// With this id.
    Here(String),
    /// Its id belongs to a user of another directory, or to a group.
    Elsewhere,
    /// Its id belongs to somebody else here.
    Another,
    Not,
}
