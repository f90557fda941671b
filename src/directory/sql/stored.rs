//! Users with their bookkeeping: how a row is read, and how one is made, changed and removed within a transaction.

use super::engine::{Outcome, Param, Row, Sql, SqlFault, Statement, params};
use super::members::unpark;
use super::notices::note_leaving;
use super::rows::{self, index_value};
use super::statements as sql_users;
use super::statements_roster as sql;
use super::values::{IndexRow, UNIQUE, all_values, basic_values, insert_values, insertion, portions, wanted_values};
use crate::base::Moment;
use crate::directory::roster::{Act, Written};
use crate::identity::group::MemberKind;
use crate::identity::{StoredUser, UserId};

/// Reads the columns of `statements_roster::stored_columns`.
pub(super) fn user(row: &dyn Row) -> Result<StoredUser, SqlFault> {
    Ok(StoredUser {
        user: rows::user(row)?,
        version: row.count(8)?,
        seq: row.count(9)?,
        created_at: row.moment(10)?,
        inactive_since: row.opt_moment(11)?,
        identity_name: row.opt_string(12)?,
    })
}

/// A user as it is to be written, with what of it can be worked out before the transaction.
pub(super) struct Draft {
    pub stored: StoredUser,
    attributes: String,
    former_names: String,
    values: Vec<IndexRow>,
}

impl Draft {
    pub(super) fn of(stored: StoredUser) -> Result<Self, SqlFault> {
        Ok(Self {
            attributes: rows::json(&stored.user.attributes)?,
            former_names: rows::json(&stored.user.former_names)?,
            values: basic_values(&stored.user.attributes),
            stored,
        })
    }
}

/// What a directory's counts change by.
#[derive(Clone, Copy, Default)]
pub(super) struct Growth {
    pub numbers: i64,
    pub users: i64,
    pub inactive: i64,
    pub deletions: i64,
}

/// The last of the numbers that a write took, and the attributes beyond the usual ones that are indexed.
pub(super) fn count(db: &dyn Sql, directory: &str, growth: Growth) -> Result<(i64, Option<String>), SqlFault> {
    let Growth { numbers, users, inactive, deletions } = growth;
    let values = params![directory, numbers, users, inactive, deletions];
    db.first(sql::COUNT, values, |row| Ok((row.int(0)?, row.opt_string(1)?)))?.ok_or_else(uncounted)
}

fn uncounted() -> SqlFault {
    SqlFault::Failed("a directory's counter gives no number".to_owned())
}

/// Writes the audit record of a write.
pub(super) fn audit(db: &dyn Sql, (directory, seq): (&str, i64), object: &str, act: &Act) -> Result<(), SqlFault> {
    db.execute(sql::WRITE_AUDIT, &audit_values((directory, seq), object, act)).map(drop)
}

fn audit_values<'a>((directory, seq): (&'a str, i64), object: &'a str, act: &'a Act) -> [Param<'a>; 7] {
    [
        directory.into(),
        seq.into(),
        act.at.ms().into(),
        act.by.as_str().into(),
        act.what.into(),
        object.into(),
        act.changes.as_str().into(),
    ]
}

/// Where a new user came to stand.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub id: UserId,
    pub seq: u64,
    pub valid_from: Moment,
}

/// What is known beforehand of a new user.
struct Beginning {
    seq: i64,
    wanted: Option<String>,
    reserved: Option<String>,
    /// Its id is parked somewhere, or was somebody's before.
    known: bool,
}

/// Writes a new user.
pub(super) fn create(db: &dyn Sql, draft: &Draft, act: &Act) -> Result<Outcome<Written<Placed>>, SqlFault> {
    Ok(match create_some(db, &[(draft, act)])? {
        Ok(placed) => Outcome::Keep(Written::Done(placed.into_iter().next().ok_or_else(uncounted)?)),
        Err(taken) => Outcome::Undo(taken),
    })
}

/// Writes new users of one directory, in two round trips however many they are. `Err`: of the first that can't be
/// written; the others may be there or not, so that all has to be undone.
pub(super) fn create_some(
    db: &dyn Sql,
    drafts: &[(&Draft, &Act)],
) -> Result<Result<Vec<Placed>, Written<Placed>>, SqlFault> {
    let begun = begin(db, drafts)?;
    let ready = drafts.iter().zip(&begun).map(|((draft, act), begun)| Ready::of(draft, act, begun));
    let ready: Vec<Ready<'_>> = ready.collect();
    let rows: Vec<_> = ready.iter().map(Ready::row).collect();
    let portioned: Vec<Vec<_>> = ready.iter().map(Ready::insertions).collect();
    let records: Vec<_> =
        ready.iter().map(|new| audit_values((new.directory(), new.begun.seq), new.id, new.act)).collect();
    let mut statements = Vec::with_capacity(ready.len() * 3);
    for ((row, portioned), record) in rows.iter().zip(&portioned).zip(&records) {
        statements.push(Statement { sql: sql::INSERT_STORED, params: row });
        statements.extend(portioned.iter().map(|(sql, params)| Statement { sql, params }));
        statements.push(Statement { sql: sql::WRITE_AUDIT, params: record });
    }
    let mut counts = db.execute_all(&statements)?.into_iter();
    let mut placed = Vec::with_capacity(ready.len());
    for (new, portioned) in ready.iter().zip(&portioned) {
        let written: u64 = counts.by_ref().take(2 + portioned.len()).sum();
        if written < 2 + (new.draft.values.len() + new.wanted.len()) as u64 {
            let taken = taken(db, (new.directory(), new.id), &new.draft.values)?;
            return Ok(Err(taken.unwrap_or_else(|| same_id(new.id, new.external_id()))));
        }
        if new.begun.known || new.begun.reserved.is_some() {
            let was = new.external_id().filter(|_| new.begun.reserved.is_some());
            take_up(db, (new.directory(), new.id), was, new.act.at)?;
        }
        let seq = u64::try_from(new.begun.seq).map_err(|_| uncounted())?;
        placed.push(Placed { id: UserId(new.id.to_owned()), seq, valid_from: new.valid_from });
    }
    Ok(Ok(placed))
}

/// Counts new users, and asks what there is to know of each.
fn begin(db: &dyn Sql, drafts: &[(&Draft, &Act)]) -> Result<Vec<Beginning>, SqlFault> {
    let values: Vec<_> = drafts.iter().map(|(draft, act)| beginning(draft, act)).collect();
    let all: Vec<&[Param<'_>]> = values.iter().map(<[Param<'_>; 5]>::as_slice).collect();
    let mut begun = Vec::with_capacity(drafts.len());
    db.query_all(sql::COUNT_NEW_USER, &all, &mut |row| {
        begun.push(Beginning {
            seq: row.int(0)?,
            wanted: row.opt_string(1)?,
            reserved: row.opt_string(2)?,
            known: row.truth(3)?,
        });
        Ok(())
    })?;
    if begun.len() == drafts.len() { Ok(begun) } else { Err(uncounted()) }
}

/// What `COUNT_NEW_USER` wants.
fn beginning<'a>(draft: &'a Draft, act: &Act) -> [Param<'a>; 5] {
    let user = &draft.stored.user;
    [
        user.directory.as_str().into(),
        i64::from(!user.active).into(),
        user.text("externalId").into(),
        act.at.ms().into(),
        user.id.0.as_str().into(),
    ]
}

/// A new user of whom all is known that is written.
struct Ready<'a> {
    draft: &'a Draft,
    act: &'a Act,
    begun: &'a Beginning,
    id: &'a str,
    valid_from: Moment,
    wanted: Vec<IndexRow>,
}

impl<'a> Ready<'a> {
    fn of(draft: &'a Draft, act: &'a Act, begun: &'a Beginning) -> Self {
        let user = &draft.stored.user;
        // What was issued to whoever had the id before is not this one's.
        let valid_from = if begun.known || begun.reserved.is_some() {
            user.sessions_valid_from.max(act.at)
        } else {
            user.sessions_valid_from
        };
        let wanted = wanted_values(&user.attributes, begun.wanted.as_deref());
        Self { draft, act, begun, id: begun.reserved.as_deref().unwrap_or(&user.id.0), valid_from, wanted }
    }

    fn directory(&self) -> &'a str {
        &self.draft.stored.user.directory
    }

    fn external_id(&self) -> Option<&'a str> {
        self.draft.stored.user.text("externalId")
    }

    /// What `INSERT_STORED` wants.
    fn row(&self) -> [Param<'_>; 11] {
        let StoredUser { user, identity_name, inactive_since, .. } = &self.draft.stored;
        let inactive_since = (!user.active).then(|| inactive_since.unwrap_or(self.act.at));
        [
            self.id.into(),
            self.directory().into(),
            user.active.into(),
            self.valid_from.ms().into(),
            (&self.draft.attributes).into(),
            user.email_verified.into(),
            (&self.draft.former_names).into(),
            self.act.at.ms().into(),
            self.begun.seq.into(),
            inactive_since.map(Moment::ms).into(),
            identity_name.as_ref().into(),
        ]
    }

    fn insertions(&self) -> Vec<(&'static str, Vec<Param<'_>>)> {
        let own = (self.directory(), self.id);
        portions(&self.draft.values).chain(portions(&self.wanted)).map(|some| insertion(own, some)).collect()
    }
}

/// There is a user of this id: only an import names ids of its own.
fn same_id<T>(id: &str, external_id: Option<&str>) -> Written<T> {
    Written::Taken { attribute: "id", by: id.to_owned(), external_id: external_id.map(str::to_owned) }
}

/// Who else holds one of these values of which there may be one.
fn taken<T>(db: &dyn Sql, (directory, id): (&str, &str), rows: &[IndexRow]) -> Result<Option<Written<T>>, SqlFault> {
    for attribute in UNIQUE {
        let Some((_, value)) = rows.iter().find(|(name, _)| name == attribute) else { continue };
        let holder = db.first(sql::HOLDS, params![directory, attribute, value], |row| row.string(0))?;
        if let Some(by) = holder.filter(|holder| holder != id) {
            let other = db.first(sql::STORED_BY_ID, params![&by], user)?;
            let external_id = other.and_then(|other| other.user.text("externalId").map(str::to_owned));
            return Ok(Some(Written::Taken { attribute, by, external_id }));
        }
    }
    Ok(None)
}

/// Takes up what was kept for a user's id: it is no longer gone, no longer reserved, and groups that waited for it have
/// it as a member.
fn take_up(
    db: &dyn Sql,
    (directory, id): (&str, &str),
    reserved_for: Option<&str>,
    at: Moment,
) -> Result<(), SqlFault> {
    db.execute(sql::USER_IS_BACK, params![directory, id])?;
    match reserved_for {
        Some(external_id) => db.execute(sql::TAKE_RESERVED, params![directory, external_id])?,
        // Whoever names an id of before, as an import does, has it: nobody waits for it any more.
        None => db.execute(sql::RESERVED_NO_LONGER, params![directory, id])?,
    };
    unpark(db, directory, id, MemberKind::User, at)
}

/// Writes the next state of a user over `before`, as which it was read in this transaction. Gives it as it is now.
pub(super) fn replace(
    db: &dyn Sql,
    before: &StoredUser,
    draft: &Draft,
    act: &Act,
) -> Result<Outcome<Written<StoredUser>>, SqlFault> {
    let (old, new) = (&before.user, &draft.stored.user);
    let (directory, id) = (old.directory.as_str(), old.id.0.as_str());
    let growth = Growth { numbers: 1, inactive: i64::from(old.active) - i64::from(new.active), ..Growth::default() };
    let (seq, wanted) = count(db, directory, growth)?;
    let mut valid_from = old.sessions_valid_from.max(new.sessions_valid_from);
    if old.active && !new.active {
        see_off(db, id, act.at)?;
        valid_from = valid_from.max(act.at);
    }
    if !old.active && new.active {
        // A login that was under way when the switch fell may have written something afterwards.
        valid_from = valid_from.max(act.at);
    }
    let inactive_since = (!new.active).then(|| before.inactive_since.unwrap_or(act.at));
    let update = params![
        new.active,
        valid_from.ms(),
        &draft.attributes,
        new.email_verified,
        &draft.former_names,
        act.at.ms(),
        inactive_since.map(Moment::ms),
        draft.stored.identity_name.as_ref(),
        seq,
        id,
    ];
    let record = audit_values((directory, seq), id, act);
    db.execute_all(&[
        Statement { sql: sql::UPDATE_STORED, params: update },
        Statement { sql: sql::WRITE_AUDIT, params: &record },
    ])?;
    let was = all_values(&old.attributes, wanted.as_deref());
    let mut is = draft.values.clone();
    is.extend(wanted_values(&new.attributes, wanted.as_deref()));
    if let Some(taken) = reindex(db, (directory, id), &was, &is)? {
        return Ok(Outcome::Undo(taken));
    }
    let mut next = draft.stored.clone();
    next.user.id = old.id.clone();
    next.user.sessions_valid_from = valid_from;
    next.user.updated_at = act.at;
    Ok(Outcome::Keep(Written::Done(StoredUser {
        version: before.version.saturating_add(1),
        seq: before.seq,
        created_at: before.created_at,
        inactive_since,
        ..next
    })))
}

/// Makes the index rows of a user what they should be; somebody else may hold one of them.
fn reindex<T>(
    db: &dyn Sql,
    (directory, id): (&str, &str),
    was: &[IndexRow],
    is: &[IndexRow],
) -> Result<Option<Written<T>>, SqlFault> {
    remove_values(db, (directory, id), was.iter().filter(|row| !is.contains(row)))?;
    let new: Vec<IndexRow> = is.iter().filter(|row| !was.contains(row)).cloned().collect();
    let inserted = insert_values(db, (directory, id), &new)?;
    if inserted == new.len() as u64 { Ok(None) } else { taken(db, (directory, id), &new) }
}

/// Removes index rows of a user.
pub(super) fn remove_values<'a>(
    db: &dyn Sql,
    (directory, id): (&str, &str),
    rows: impl Iterator<Item = &'a IndexRow>,
) -> Result<(), SqlFault> {
    for (attribute, value) in rows {
        let holder = if UNIQUE.contains(&attribute.as_str()) { "" } else { id };
        db.execute(sql::DELETE_VALUE, params![directory, attribute, value, holder, id])?;
    }
    Ok(())
}

/// Ends all that was issued to a user who was active, and notes that they leave.
pub(super) fn see_off(db: &dyn Sql, id: &str, now: Moment) -> Result<(), SqlFault> {
    let at = note_leaving(db, id, now)?;
    revoke_all(db, id, at)
}

/// Ends all that was issued to a user.
pub(super) fn revoke_all(db: &dyn Sql, id: &str, at: Moment) -> Result<(), SqlFault> {
    db.execute(sql_users::REVOKE_FAMILIES_OF_USER, params![at.ms(), id]).map(drop)
}

/// Who has a value of an attribute, however often; `keep` says of whom it counts.
pub(super) fn having(
    db: &dyn Sql,
    directory: &str,
    (attribute, value): (&str, &str),
    keep: impl Fn(&StoredUser) -> bool,
) -> Result<Vec<StoredUser>, SqlFault> {
    let Some(value) = index_value(attribute, value) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    db.query(sql::STORED_BY_VALUE, params![directory, attribute, &value], &mut |row| {
        // Nobody needs to know how many more than two there are.
        if found.len() < 2 {
            found.extend(Some(user(row)?).filter(|user| keep(user)));
        }
        Ok(())
    })?;
    Ok(found)
}
