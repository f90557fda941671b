//! What an import did, for programs and for people.

use std::collections::BTreeMap;

use serde_json::{Value, json};

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
    /// Resources whose id somebody else has, or who were here before with another one: they got another one.
    pub other_ids: u64,
    /// Attributes that were left out, with how often: in no schema, or not confirmed.
    pub left_out: BTreeMap<String, u64>,
    /// The first refusals: which resource of the file, counted from 1, and why.
    pub refusals: Vec<(u64, String)>,
    /// Why the file couldn't be read to its end.
    pub broken_off: Option<String>,
}

impl Report {
    /// Keeps why a resource was refused, of the first ones.
    pub fn refuse(&mut self, place: u64, why: String) {
        if self.refusals.len() < TOLD_MAX {
            self.refusals.push((place, why));
        }
    }

    const fn refused(&self) -> u64 {
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
            text += &format!("{} got another id: theirs is taken, or an older one was kept for them\n", self.other_ids);
        }
        for (name, count) in &self.left_out {
            text += &format!("left out {count} times: {name}\n");
        }
        for (place, why) in &self.refusals {
            text += &format!("resource {place}: {why}\n");
        }
        match self.refused() - self.refusals.len() as u64 {
            0 => {}
            more => text += &format!("and {more} more are refused\n"),
        }
        if let Some(why) = &self.broken_off {
            text += &format!("the file can't be read to its end: {why}\n");
        }
        text.trim_end().to_owned()
    }

    /// Whether all of the file is there now.
    #[must_use]
    pub const fn complete(&self) -> bool {
        self.refused() == 0 && self.broken_off.is_none()
    }

    #[must_use]
    pub fn to_json(&self) -> Value {
        let refusals: Vec<Value> =
            self.refusals.iter().map(|(place, why)| json!({ "resource": place, "why": why })).collect();
        json!({
            "users": self.users, "groups": self.groups, "memberships": self.memberships, "parked": self.parked,
            "other_ids": self.other_ids, "left_out": self.left_out, "refusals": refusals,
            "broken_off": self.broken_off,
        })
    }
}
