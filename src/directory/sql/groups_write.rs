//! Groups as they are written: each write is one transaction, of which nothing remains if it is refused.

use super::engine::{Outcome, Sql, SqlFault, Statement, params};
use super::group_rows::{name_key, read, stored};
use super::members::{Effect, Net, Roll, numbers, reserve, unpark, withdraw};
use super::rows;
use super::rows::index_value;
use super::statements_groups as sql;
use crate::base::Moment;
use crate::directory::roster::{Act, GroupChange, GroupChanged, GroupRules, MEMBERS_MAX, Written};
use crate::identity::StoredGroup;
use crate::identity::dialect::SameGroupName;
use crate::identity::group::{MemberDelta, MemberKind};
use crate::identity::user::Attributes;

type Answer<T> = Result<Outcome<Written<T>>, SqlFault>;

fn undo<T>(answer: Written<T>) -> Answer<T> {
    Ok(Outcome::Undo(answer))
}

/// What stands in columns of a group's attributes.
struct Head<'a> {
    attributes: String,
    name_key: String,
    external_id: Option<String>,
    external_id_as_it_is: Option<&'a str>,
    name: Option<&'a str>,
}

impl<'a> Head<'a> {
    fn of(attributes: &'a Attributes) -> Result<Self, SqlFault> {
        let text = |name: &str| attributes.get(name).and_then(|value| value.as_str());
        let (name, external_id_as_it_is) = (text("displayName"), text("externalId"));
        Ok(Self {
            attributes: rows::json(attributes)?,
            name_key: name.and_then(name_key).unwrap_or_default(),
            external_id: external_id_as_it_is.and_then(|id| index_value("externalId", id)),
            external_id_as_it_is,
            name,
        })
    }
}

/// Another group that has the same name or externalId, of those that `before` didn't share already.
fn taken<T>(
    db: &dyn Sql,
    (directory, id): (&str, &str),
    head: &Head<'_>,
    before: Option<&Head<'_>>,
    same_name: SameGroupName,
) -> Result<Option<Written<T>>, SqlFault> {
    if let Some(external_id) = head.external_id.as_deref()
        && before.is_none_or(|before| before.external_id.as_deref() != Some(external_id))
        && let Some(other) = db.first(sql::GROUP_OF_EXTERNAL_ID, params![directory, external_id, id], stored)?
    {
        return Ok(Some(taken_by("externalId", &other)));
    }
    let renamed = before.is_none_or(|before| before.name_key != head.name_key);
    if same_name == SameGroupName::Refuse
        && renamed
        && let Some(other) = db.first(sql::GROUP_OF_NAME, params![directory, &head.name_key, id], stored)?
    {
        return Ok(Some(taken_by("displayName", &other)));
    }
    Ok(None)
}

fn taken_by<T>(attribute: &'static str, other: &StoredGroup) -> Written<T> {
    Written::Taken { attribute, by: other.id.0.clone(), external_id: other.external_id().map(str::to_owned) }
}

pub(super) fn create(
    db: &dyn Sql,
    group: &StoredGroup,
    members: &[String],
    rules: GroupRules,
    act: &Act,
) -> Answer<GroupChanged> {
    let (directory, id) = (group.directory.as_str(), group.id.0.as_str());
    let head = Head::of(&group.attributes)?;
    if let Some(taken) = taken(db, (directory, id), &head, None, rules.same_name)? {
        return undo(taken);
    }
    let net = Net::of(&[MemberDelta::Add(members.to_vec())]);
    if let Some(refused) = refused(&net) {
        return undo(refused);
    }
    db.concerns(numbers(&net, 0))?;
    let number = reserve(db, directory, 1 + numbers(&net, 0))? + 1;
    let new =
        params![id, directory, number, &head.attributes, &head.name_key, head.external_id.as_deref(), act.at.ms(),];
    if db.execute(sql::INSERT_GROUP, new)? == 0 {
        // Only an import names ids of its own.
        return undo(Written::Taken { attribute: "id", by: id.to_owned(), external_id: None });
    }
    db.execute(sql::GROUP_IS_BACK, params![directory, id])?;
    let roll = Roll { db, directory, group: id, at: act.at, unknown: rules.unknown };
    let effect = match roll.carry_out(&net, number)? {
        Ok(effect) => effect,
        Err(nobody) => return undo(Written::UnknownMember(nobody)),
    };
    if !effect.is_nothing() {
        db.execute(sql::COUNT_MEMBERS, params![effect.members(), effect.waiting(), id])?;
    }
    db.execute(sql::TALLY, params![1, effect.members(), effect.waiting(), 0, directory])?;
    write_audit(db, (directory, id), number, act)?;
    unpark(db, directory, id, MemberKind::Group, act.at)?;
    let group = read(db, directory, id)?.ok_or_else(|| rows::senseless("a new group isn't there"))?;
    Ok(Outcome::Keep(Written::Done(changed(group, &effect))))
}

/// What needs no look at the group.
fn refused<T>(net: &Net) -> Option<Written<T>> {
    if let Some(nobody) = net.impossible() {
        return Some(Written::UnknownMember(nobody.clone()));
    }
    (net.added() > MEMBERS_MAX).then_some(Written::TooManyMembers)
}

fn changed(group: StoredGroup, effect: &Effect) -> GroupChanged {
    GroupChanged { group, added: effect.added, removed: effect.removed, parked: effect.parked }
}

pub(super) fn change(
    db: &dyn Sql,
    (directory, id): (&str, &str),
    change: &GroupChange,
    act: &Act,
) -> Answer<Option<GroupChanged>> {
    let Some(group) = read(db, directory, id)? else { return undo(Written::Done(None)) };
    if change.version.is_some_and(|version| version != group.version) {
        return undo(Written::Stale);
    }
    let mut head = None;
    if let Some((read_head, attributes)) = &change.head {
        if *read_head != group.head {
            return undo(Written::Stale);
        }
        if *attributes != group.attributes {
            let (new, old) = (Head::of(attributes)?, Head::of(&group.attributes)?);
            if let Some(taken) = taken(db, (directory, id), &new, Some(&old), change.rules.same_name)? {
                return undo(taken);
            }
            head = Some((new, attributes));
        }
    }
    let net = Net::of(&change.members);
    if let Some(refused) = refused(&net) {
        return undo(refused);
    }
    if head.is_none() && net.is_nothing() {
        return undo(Written::Done(Some(changed(group, &Effect::default()))));
    }
    db.concerns(numbers(&net, group.members))?;
    let number = reserve(db, directory, 1 + numbers(&net, group.members))? + 1;
    let roll = Roll { db, directory, group: id, at: act.at, unknown: change.rules.unknown };
    let effect = match roll.carry_out(&net, number)? {
        Ok(effect) => effect,
        Err(nobody) => return undo(Written::UnknownMember(nobody)),
    };
    if head.is_none() && effect.is_nothing() {
        return undo(Written::Done(Some(changed(group, &effect))));
    }
    finish(db, group, head, (&effect, number), act)
}

/// Writes what stands in the group's own row, and what is counted and kept of the change.
fn finish(
    db: &dyn Sql,
    mut group: StoredGroup,
    head: Option<(Head<'_>, &Attributes)>,
    (effect, number): (&Effect, i64),
    act: &Act,
) -> Answer<Option<GroupChanged>> {
    group.version += 1;
    group.updated_at = group.updated_at.max(act.at);
    group.members = group.members.saturating_add(effect.added).saturating_sub(effect.removed);
    group.parked = group.parked.saturating_add(effect.parked).saturating_sub(effect.forgotten);
    if group.members.saturating_add(group.parked) > MEMBERS_MAX && effect.added.saturating_add(effect.parked) > 0 {
        return undo(Written::TooManyMembers);
    }
    if let Some((head, attributes)) = head {
        let columns = params![&head.attributes, &head.name_key, head.external_id.as_deref(), &group.id.0];
        db.execute(sql::WRITE_HEAD, columns)?;
        group.attributes.clone_from(attributes);
        group.head += 1;
    }
    let (members, waiting) = (effect.members(), effect.waiting());
    let audit = params![&group.directory, number, act.at.ms(), &act.by, act.what, &group.id.0, &act.changes];
    db.execute_all(&[
        Statement { sql: sql::TOUCH_GROUP, params: params![members, waiting, number, act.at.ms(), &group.id.0] },
        Statement { sql: sql::TALLY, params: params![0, members, waiting, 0, &group.directory] },
        Statement { sql: sql::WRITE_AUDIT, params: audit },
    ])?;
    Ok(Outcome::Keep(Written::Done(Some(changed(group, effect)))))
}

pub(super) fn delete(db: &dyn Sql, (directory, id): (&str, &str), version: Option<u64>, act: &Act) -> Answer<bool> {
    let Some(group) = read(db, directory, id)? else { return undo(Written::Done(false)) };
    if version.is_some_and(|version| version != group.version) {
        return undo(Written::Stale);
    }
    db.concerns(group.members.saturating_add(group.parked))?;
    withdraw(db, directory, id, act.at)?;
    let number = reserve(db, directory, 1)? + 1;
    let members = rows::count(db.execute(sql::EMPTY_GROUP, params![id])?);
    let waiting = rows::count(db.execute(sql::EMPTY_PARKED, params![id])?);
    let head = Head::of(&group.attributes)?;
    let gone = params![directory, id, number, act.at.ms(), head.external_id_as_it_is, head.name];
    db.execute_all(&[
        // The group's own row covers its memberships.
        Statement { sql: sql::FORGET_GONE_MEMBERS, params: params![directory, id] },
        Statement { sql: sql::DELETE_GROUP, params: params![id] },
        Statement { sql: sql::GROUP_IS_GONE, params: gone },
        Statement { sql: sql::TALLY, params: params![-1, -members, -waiting, 1, directory] },
    ])?;
    write_audit(db, (directory, id), number, act)?;
    Ok(Outcome::Keep(Written::Done(true)))
}

fn write_audit(db: &dyn Sql, (directory, id): (&str, &str), number: i64, act: &Act) -> Result<(), SqlFault> {
    let at: Moment = act.at;
    let record = params![directory, number, at.ms(), &act.by, act.what, id, &act.changes];
    db.execute(sql::WRITE_AUDIT, record)?;
    Ok(())
}
