//! Whatever is written in whatever order, what must hold holds, and who follows the feed has what is there.

use std::collections::BTreeSet;

use serde_json::json;
use vestibule::directory::roster::{Deletion, GroupChange, Place, Subject, Written};
use vestibule::directory::{Activity, Database};
use vestibule::identity::group::MemberDelta;
use vestibule::identity::{GroupId, StoredUser, UserId};

use super::crowd::{RULES, act, deltas, group, listing, user};
use super::home::{Home, at, login};
use super::members::draw;

/// Two directories and a scratch scope of one.
const SCOPES: [&str; 3] = ["contoso", "fabrikam", "contoso~doctor"];
const ROUNDS: i64 = 400;

/// Somebody who follows the feed of a scope, a few changes at a time.
#[derive(Default)]
struct Follower {
    position: u64,
    there: BTreeSet<String>,
}

fn named(subject: &Subject) -> String {
    match subject {
        Subject::User(id) => format!("user {id}"),
        Subject::Group(id) => format!("group {}", id.0),
        Subject::Membership { group, member } => format!("member {} {member}", group.0),
    }
}

impl Follower {
    /// Takes one portion; says whether there was one.
    async fn follow(&mut self, db: &Database, scope: &str, limit: u32) -> bool {
        let changes = db.feed.changes(scope, self.position, limit).await.unwrap();
        for change in &changes {
            let name = named(&change.subject);
            match (&change.gone, &change.subject) {
                (None, _) => _ = self.there.insert(name),
                (Some(_), Subject::Group(id)) => {
                    let of_it = format!("member {} ", id.0);
                    self.there.retain(|known| *known != name && !known.starts_with(&of_it));
                }
                (Some(_), _) => _ = self.there.remove(&name),
            }
        }
        self.position = changes.last().map_or(self.position, |change| change.seq);
        !changes.is_empty()
    }
}

/// All that there is in a scope.
async fn there(db: &Database, scope: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let mut asked = listing();
    (asked.directory, asked.limit, asked.place) = (scope.to_owned(), 1_000, Place::First);
    all.extend(db.lists.users(&asked).await.unwrap().items.iter().map(|user| format!("user {}", user.user.id)));
    for group in db.lists.groups(&asked).await.unwrap().items {
        all.insert(format!("group {}", group.id.0));
        let members = db.groups.members(scope, &group.id, None, 1_000).await.unwrap();
        all.extend(members.iter().map(|member| format!("member {} {}", group.id.0, member.id)));
    }
    all
}

struct Turmoil<'h> {
    db: &'h Database,
    seed: u64,
    secs: i64,
}

impl Turmoil<'_> {
    fn one_of(&mut self, count: u64) -> u64 {
        draw(&mut self.seed) % count
    }

    /// One of few ids: each scope has its own, and asks for the others' too.
    fn id(&mut self, scope: &str) -> String {
        let of = if self.one_of(8) == 0 { SCOPES[self.one_of(3) as usize] } else { scope };
        let kind = if self.one_of(5) == 0 { "g" } else { "u" };
        format!("{of}-{kind}{}", self.one_of(12))
    }

    fn draft(&mut self, scope: &str, id: &str) -> StoredUser {
        let (name, external, number) = (self.one_of(15), self.one_of(15), self.one_of(4));
        let mut draft = user(
            id,
            json!({
                "userName": format!("Näme{name}@contoso.com"), "externalId": format!("X{external}"),
                "displayName": format!("D{name}").repeat(1 + 120 * usize::from(name == 3)), "title": "t",
                "emails": [{ "value": format!("e{name}@contoso.com") }, { "value": format!("E{external}@contoso.com") }],
                "employeeNumber": format!("N{number}"),
            }),
        );
        for gone in ["externalId", "emails", "employeeNumber", "displayName"] {
            if self.one_of(6) == 0 {
                draft.user.attributes.remove(gone);
            }
        }
        draft.user.directory = scope.to_owned();
        draft.user.active = self.one_of(4) > 0;
        draft
    }

    async fn step(&mut self) {
        self.secs += 1;
        let scope = SCOPES[self.one_of(3) as usize];
        match self.one_of(20) {
            0..7 => self.user(scope).await,
            7..9 => self.leave(scope).await,
            9..16 => self.group(scope).await,
            16 => {
                let activity = if self.one_of(2) == 0 { Activity::Active } else { Activity::Inactive };
                let id = UserId(self.id(scope));
                self.db.users.set_active(&id, activity, at(self.secs)).await.unwrap();
            }
            17 => {
                let (fresh, external) = (format!("{scope}-jit{}", self.secs), format!("X{}", self.one_of(15)));
                let name = format!("NÄME{}@contoso.com", self.one_of(15));
                let mut jit = login(&fresh, &external, json!({ "userName": name, "displayName": "by login" }));
                jit.directory = scope.to_owned();
                self.db.users.provision(jit, at(self.secs)).await.unwrap();
            }
            _ => self.upkeep(scope).await,
        }
    }

    async fn user(&mut self, scope: &str) {
        let id = format!("{scope}-u{}", self.one_of(12));
        let draft = self.draft(scope, &id);
        match self.db.roster.user(scope, &UserId(id.clone())).await.unwrap() {
            Some(known) => {
                let next = StoredUser { version: known.version, ..draft };
                let _refused = self.db.roster.replace(next, act(self.secs)).await.unwrap();
            }
            None => {
                let _refused = self.db.roster.create(draft, act(self.secs)).await.unwrap();
            }
        }
    }

    async fn leave(&mut self, scope: &str) {
        let id = UserId(self.id(scope));
        let deletion = match self.one_of(2) {
            0 => Deletion::BySource,
            _ => Deletion::ByPolicy { kept_until: at(self.secs + 50) },
        };
        let mut leave = act(self.secs);
        leave.what = "delete";
        assert!(matches!(self.db.roster.delete(scope, &id, None, deletion, leave).await, Ok(Written::Done(_))));
    }

    async fn group(&mut self, scope: &str) {
        let id = GroupId(format!("{scope}-g{}", self.one_of(5)));
        let mut some = || (0..self.one_of(6)).map(|_| self.id(scope)).collect::<Vec<_>>();
        let (one, two) = (some(), some());
        let Some(known) = self.db.groups.group(scope, &id).await.unwrap() else {
            let mut new = group(&id.0, json!({ "displayName": id.0, "externalId": format!("X{}", self.one_of(9)) }));
            new.directory = scope.to_owned();
            let _refused = self.db.groups.create(new, one, RULES, act(self.secs)).await.unwrap();
            return;
        };
        let change = match self.one_of(8) {
            0 => {
                let mut leave = act(self.secs);
                leave.what = "delete";
                self.db.groups.delete(scope, &id, None, leave).await.unwrap();
                return;
            }
            1 => deltas(vec![MemberDelta::Replace(one)]),
            2 => deltas(vec![MemberDelta::Clear]),
            3 => GroupChange {
                head: Some((
                    known.head,
                    group("", json!({ "displayName": format!("{} {}", id.0, self.secs) })).attributes,
                )),
                ..deltas(Vec::new())
            },
            _ => deltas(vec![MemberDelta::Add(one), MemberDelta::Remove(two)]),
        };
        let _refused = self.db.groups.change(scope, &id, change, act(self.secs)).await.unwrap();
    }

    async fn upkeep(&mut self, scope: &str) {
        let upkeep = &self.db.upkeep;
        let all = ["userName", "externalId", "displayName", "emails", "employeeNumber", "title"];
        match self.one_of(4) {
            0 => _ = upkeep.build_index(scope, "employeeNumber", 3).await.unwrap(),
            1 => {
                let confirmed: Vec<String> =
                    all.iter().filter(|_| self.one_of(4) > 0).map(|name| (*name).to_owned()).collect();
                upkeep.confirm(scope, &confirmed, at(self.secs)).await.unwrap();
            }
            2 => {
                for listed in upkeep.attribute_lists().await.unwrap() {
                    if let Some(after) = listed.announce_after {
                        let now = at(self.secs);
                        upkeep.announce(&listed.directory, &listed.attribute, after, 3, now).await.unwrap();
                    }
                }
            }
            _ => {
                // A userName is never erased: directories confirm it in any case.
                let attribute = all[1 + self.one_of(5) as usize];
                upkeep.erase(scope, attribute, 0, 3).await.unwrap();
            }
        }
    }
}

pub async fn random_writes_leave_everything_sound_and_the_feed_complete(home: &Home) {
    let db = &home.db;
    let mut turmoil = Turmoil { db, seed: 2_026, secs: 10_000 };
    let mut followers = SCOPES.map(|scope| (scope, Follower::default()));
    for round in 1..=ROUNDS {
        turmoil.step().await;
        let limit = 1 + turmoil.one_of(5) as u32;
        let (scope, follower) = &mut followers[turmoil.one_of(3) as usize];
        follower.follow(db, scope, limit).await;
        if round % 50 == 0 {
            home.is_sound();
        }
    }
    for (scope, follower) in &mut followers {
        while follower.follow(db, scope, 3).await {}
        let there = there(db, scope).await;
        assert!(there.len() > 10, "{scope}: {there:?}");
        assert_eq!(follower.there, there, "{scope}");
        assert!(
            there.iter().all(|name| name.split(' ').skip(1).all(|id| id.starts_with(&format!("{scope}-")))),
            "{scope}"
        );
    }
    let before = there(db, "contoso").await;
    while !db.upkeep.clear_scope("contoso~doctor", 5).await.unwrap() {}
    assert_eq!(there(db, "contoso~doctor").await, BTreeSet::new());
    assert_eq!(there(db, "contoso").await, before);
}
