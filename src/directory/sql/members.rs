//! Members of groups, as rows: what becomes of them costs what changes, not what the group is.

use std::collections::BTreeSet;

use super::engine::{Param, Sql, SqlFault, Statement, params};
use super::rows;
use super::statements_groups as sql;
use crate::base::Moment;
use crate::directory::roster::MEMBER_ID_BYTES_MAX;
use crate::identity::dialect::UnknownMembers;
use crate::identity::group::{MemberDelta, MemberKind};

/// What several changes come to, carried out in their order. Nobody is both added and removed.
#[derive(Debug, Default)]
pub(super) struct Net {
    /// Nobody stays but those who are added.
    others_go: bool,
    remove: BTreeSet<String>,
    add: BTreeSet<String>,
}

impl Net {
    pub(super) fn of(deltas: &[MemberDelta]) -> Self {
        let mut net = Self::default();
        for delta in deltas {
            match delta {
                MemberDelta::Add(ids) => ids.iter().for_each(|id| net.add(id)),
                MemberDelta::Remove(ids) => ids.iter().for_each(|id| net.remove(id)),
                MemberDelta::Replace(ids) => {
                    net = Self { others_go: true, ..Self::default() };
                    net.add.extend(ids.iter().cloned());
                }
                MemberDelta::Clear => net = Self { others_go: true, ..Self::default() },
            }
        }
        net.remove.retain(|id| can_be_somebodys(id));
        net
    }

    fn add(&mut self, id: &str) {
        self.remove.remove(id);
        if !self.add.contains(id) {
            self.add.insert(id.to_owned());
        }
    }

    fn remove(&mut self, id: &str) {
        self.add.remove(id);
        if !self.others_go {
            self.remove.insert(id.to_owned());
        }
    }

    pub(super) fn is_nothing(&self) -> bool {
        !self.others_go && self.remove.is_empty() && self.add.is_empty()
    }

    /// How many are to be in the group by this.
    pub(super) fn added(&self) -> u64 {
        length(&self.add)
    }

    /// An id that no user or group can have.
    pub(super) fn impossible(&self) -> Option<&String> {
        self.add.iter().find(|id| !can_be_somebodys(id))
    }
}

fn can_be_somebodys(id: &str) -> bool {
    !id.is_empty() && id.len() <= MEMBER_ID_BYTES_MAX && !id.contains('\0')
}

fn length(ids: &BTreeSet<String>) -> u64 {
    u64::try_from(ids.len()).unwrap_or(u64::MAX)
}

/// What became of a group's members.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Effect {
    pub added: u64,
    pub removed: u64,
    pub parked: u64,
    /// Parked ids that were removed.
    pub forgotten: u64,
}

impl Effect {
    pub(super) const fn is_nothing(&self) -> bool {
        self.added == 0 && self.removed == 0 && self.parked == 0 && self.forgotten == 0
    }

    pub(super) fn members(&self) -> i64 {
        rows::count(self.added) - rows::count(self.removed)
    }

    pub(super) fn waiting(&self) -> i64 {
        rows::count(self.parked) - rows::count(self.forgotten)
    }
}

/// A group whose members are changed.
pub(super) struct Roll<'a> {
    pub db: &'a dyn Sql,
    pub directory: &'a str,
    pub group: &'a str,
    pub at: Moment,
    pub unknown: UnknownMembers,
}

impl Roll<'_> {
    /// Carries out a change. Each membership gets a number of its own: those behind `number`, at most
    /// [`numbers`]. `Err` within: a member whom nobody knows.
    pub(super) fn carry_out(&self, net: &Net, number: i64) -> Result<Result<Effect, String>, SqlFault> {
        let mut effect = Effect::default();
        if net.others_go {
            let stay = rows::json(&net.add)?;
            let gone = (&sql::NOTE_OTHERS_GONE, &sql::REMOVE_OTHERS, &sql::FORGET_OTHERS_PARKED);
            self.remove(&stay, gone, number, &mut effect)?;
        } else if !net.remove.is_empty() {
            let ids = rows::json(&net.remove)?;
            let gone = (&sql::NOTE_GONE, &sql::REMOVE, &sql::FORGET_PARKED);
            self.remove(&ids, gone, number, &mut effect)?;
        }
        if !net.add.is_empty() {
            let number = number.saturating_add(rows::count(effect.removed));
            if let Some(nobody) = self.add(net, number, &mut effect)? {
                return Ok(Err(nobody));
            }
        }
        Ok(Ok(effect))
    }

    fn remove(
        &self,
        ids: &str,
        (note, remove, forget): (&sql::Both, &sql::Both, &sql::Both),
        number: i64,
        effect: &mut Effect,
    ) -> Result<(), SqlFault> {
        let flavour = self.db.flavour();
        let noted = self.db.execute(note.of(flavour), params![ids, number, self.at.ms(), self.group])?;
        if noted > 0 {
            effect.removed = self.db.execute(remove.of(flavour), params![ids, self.group])?;
        }
        effect.forgotten = self.db.execute(forget.of(flavour), params![ids, self.group])?;
        Ok(())
    }

    fn add(&self, net: &Net, number: i64, effect: &mut Effect) -> Result<Option<String>, SqlFault> {
        let (db, flavour, ids) = (self.db, self.db.flavour(), rows::json(&net.add)?);
        // Who is a member is not gone.
        let back = params![&ids, self.directory, self.group];
        let came_back = || Statement { sql: sql::CAME_BACK.of(flavour), params: back };
        let users = params![&ids, self.group, number, self.directory];
        let users = Statement { sql: sql::ADD_USERS.of(flavour), params: users };
        effect.added = db.execute_all(&[users, came_back()])?.first().copied().unwrap_or(0);
        // Mostly all are users who were no members, and that is all there is to ask.
        if effect.added < net.added() {
            let number = number.saturating_add(rows::count(net.added()));
            let groups = params![&ids, self.group, number, self.directory];
            let groups = Statement { sql: sql::ADD_GROUPS.of(flavour), params: groups };
            effect.added += db.execute_all(&[groups, came_back()])?.first().copied().unwrap_or(0);
        }
        if effect.added < net.added() {
            match self.unknown {
                UnknownMembers::Park => {
                    let park = params![&ids, self.group, self.directory];
                    effect.parked = db.execute(sql::PARK.of(flavour), park)?;
                }
                UnknownMembers::Refuse => {
                    let read = |row: &dyn super::engine::Row| row.string(0);
                    let nobody = db.first(sql::UNKNOWN.of(flavour), params![&ids, self.directory], read)?;
                    if nobody.is_some() {
                        return Ok(nobody);
                    }
                }
            }
        }
        Ok(None)
    }
}

/// The most numbers that a change of a group with so many members uses up.
pub(super) fn numbers(net: &Net, members: u64) -> u64 {
    let removed = if net.others_go { members } else { length(&net.remove) };
    removed.saturating_add(net.added().saturating_mul(2))
}

/// Takes so many numbers of the directory's counter; gives the one before the first.
pub(super) fn reserve(db: &dyn Sql, directory: &str, numbers: u64) -> Result<i64, SqlFault> {
    let numbers = rows::count(numbers);
    let last = db.first(sql::RESERVE, params![directory, numbers], |row| row.int(0))?;
    Ok(last.ok_or_else(|| rows::senseless("a counter gave no number"))?.saturating_sub(numbers))
}

/// Makes a member of a user or group that has appeared wherever its id is parked. Nothing is written if it is parked
/// nowhere, which costs one point read.
pub(super) fn unpark(db: &dyn Sql, directory: &str, id: &str, kind: MemberKind, at: Moment) -> Result<(), SqlFault> {
    let groups = db.all(sql::WAITING_FOR, params![id, directory], |row| row.string(0))?;
    if groups.is_empty() {
        return Ok(());
    }
    let (number, n) = touch(db, directory, &groups, (1, -1), at)?;
    let kind = match kind {
        MemberKind::User => 0,
        MemberKind::Group => 1,
    };
    let written = db.execute_all(&[
        Statement { sql: sql::TAKE_IN, params: params![kind, number, id, directory] },
        Statement { sql: sql::TOOK_IN, params: params![directory, id] },
        Statement { sql: sql::NO_LONGER_PARKED, params: params![id, directory] },
        Statement { sql: sql::TALLY, params: params![0, n, -n, 0, directory] },
    ]);
    written.map(drop)
}

/// Takes a user or group that goes out of all groups that hold it.
pub(super) fn withdraw(db: &dyn Sql, directory: &str, id: &str, at: Moment) -> Result<(), SqlFault> {
    let groups = db.all(sql::HOLDERS, params![id, directory], |row| row.string(0))?;
    if groups.is_empty() {
        return Ok(());
    }
    let (number, n) = touch(db, directory, &groups, (-1, 0), at)?;
    let written = db.execute_all(&[
        Statement { sql: sql::NOTE_LEFT, params: params![number, at.ms(), id, directory] },
        Statement { sql: sql::LEAVE, params: params![id, directory] },
        Statement { sql: sql::TALLY, params: params![0, -n, 0, 0, directory] },
    ]);
    written.map(drop)
}

/// Counts in each of these groups so many members and parked ids more. Gives the number behind which there is one for
/// each membership, and how many groups they are.
fn touch(
    db: &dyn Sql,
    directory: &str,
    groups: &[String],
    (members, parked): (i64, i64),
    at: Moment,
) -> Result<(i64, i64), SqlFault> {
    let n = rows::count(u64::try_from(groups.len()).unwrap_or(u64::MAX));
    let number = reserve(db, directory, n.unsigned_abs().saturating_mul(2))?;
    let values: Vec<[Param<'_>; 5]> = groups
        .iter()
        .zip(number.saturating_add(1)..)
        .map(|(group, number)| [members.into(), parked.into(), number.into(), at.ms().into(), group.into()])
        .collect();
    let each: Vec<Statement<'_>> = values.iter().map(|params| Statement { sql: sql::TOUCH_GROUP, params }).collect();
    db.execute_all(&each)?;
    Ok((number.saturating_add(n), n))
}
