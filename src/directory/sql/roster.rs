//! Users as SCIM writes them.

use std::sync::Arc;

use async_trait::async_trait;

use super::engine::{Outcome, Sql, SqlFault, params};
use super::job::Kind;
use super::members::withdraw;
use super::statements_roster as sql;
use super::store::Store;
use super::stored::{self, Draft, Growth, Placed, audit, count, having, remove_values, revoke_all, see_off};
use super::values::{UNIQUE, all_values, is_found_by};
use crate::directory::DirectoryFault;
use crate::directory::roster::{Act, Deletion, Roster, Written};
use crate::identity::{StoredUser, UserId};

/// New users that are sent to the database together.
const CREATED_AT_ONCE: usize = 250;

#[async_trait]
impl Roster for Store {
    async fn user(&self, directory: &str, id: &UserId) -> Result<Option<StoredUser>, DirectoryFault> {
        let (directory, id) = (directory.to_owned(), id.0.clone());
        self.read(move |db| db.first(sql::STORED_USER, params![&id, &directory], stored::user)).await
    }

    async fn holder(
        &self,
        directory: &str,
        attribute: &str,
        value: &str,
    ) -> Result<Option<StoredUser>, DirectoryFault> {
        if !UNIQUE.contains(&attribute) {
            return Ok(None);
        }
        let (directory, attribute, value) = (directory.to_owned(), attribute.to_owned(), value.to_owned());
        let holders = self
            .read(move |db| {
                let is_meant = |stored: &StoredUser| is_found_by(&stored.user, &attribute, &value);
                having(db, &directory, (&attribute, &value), is_meant)
            })
            .await?;
        Ok(holders.into_iter().next())
    }

    async fn create(&self, user: StoredUser, act: Act) -> Result<Written<StoredUser>, DirectoryFault> {
        let at = act.at;
        let draft = Arc::new(Draft::of(user)?);
        let kind = Kind {
            alone: |db, (draft, act): &(Arc<Draft>, Act)| stored::create(db, draft, act),
            together: create_together,
        };
        let written = self.write_jointly((Arc::clone(&draft), act), kind).await?;
        Ok(written.map(|placed| settled(draft, placed, at)))
    }

    async fn create_all(&self, users: Vec<StoredUser>, act: Act) -> Result<Written<Vec<UserId>>, DirectoryFault> {
        let drafts = users.into_iter().map(Draft::of).collect::<Result<Vec<Draft>, SqlFault>>()?;
        self.write_or_undo(move |db| create_all(db, &drafts, &act)).await
    }

    async fn replace(&self, user: StoredUser, act: Act) -> Result<Written<StoredUser>, DirectoryFault> {
        let draft = Draft::of(user)?;
        self.write_or_undo(move |db| replace(db, &draft, &act)).await
    }

    async fn delete(
        &self,
        directory: &str,
        id: &UserId,
        version: Option<u64>,
        deletion: Deletion,
        act: Act,
    ) -> Result<Written<bool>, DirectoryFault> {
        let (directory, id) = (directory.to_owned(), id.clone());
        self.write(move |db| {
            let Some(user) = db.first(sql::STORED_USER, params![&id.0, &directory], stored::user)? else {
                return Ok(Written::Done(false));
            };
            if version.is_some_and(|version| version != user.version) {
                return Ok(Written::Stale);
            }
            delete(db, &user, deletion, &act)?;
            Ok(Written::Done(true))
        })
        .await
    }
}

/// A new user as it stands now.
fn settled(draft: Arc<Draft>, placed: Placed, at: crate::base::Moment) -> StoredUser {
    let mut new = Arc::try_unwrap(draft).map_or_else(|shared| shared.stored.clone(), |own| own.stored);
    new.user.id = placed.id;
    new.user.sessions_valid_from = placed.valid_from;
    new.user.updated_at = at;
    new.inactive_since = (!new.user.active).then(|| new.inactive_since.unwrap_or(at));
    StoredUser { version: 1, seq: placed.seq, created_at: at, ..new }
}

/// `None`: one of them can't be written.
fn create_together(db: &dyn Sql, items: &[&(Arc<Draft>, Act)]) -> Result<Option<Vec<Written<Placed>>>, SqlFault> {
    let drafts: Vec<(&Draft, &Act)> = items.iter().map(|(draft, act)| (&**draft, act)).collect();
    let made = stored::create_some(db, &drafts)?.ok();
    Ok(made.map(|placed| placed.into_iter().map(Written::Done).collect()))
}

fn create_all(db: &dyn Sql, drafts: &[Draft], act: &Act) -> Result<Outcome<Written<Vec<UserId>>>, SqlFault> {
    let mut ids = Vec::with_capacity(drafts.len());
    db.concerns(drafts.len() as u64)?;
    for some in drafts.chunks(CREATED_AT_ONCE) {
        let some: Vec<_> = some.iter().map(|draft| (draft, act)).collect();
        match stored::create_some(db, &some)? {
            Ok(placed) => ids.extend(placed.into_iter().map(|placed| placed.id)),
            Err(other) => return Ok(Outcome::Undo(other.map(|_| Vec::new()))),
        }
    }
    Ok(Outcome::Keep(Written::Done(ids)))
}

fn replace(db: &dyn Sql, draft: &Draft, act: &Act) -> Result<Outcome<Written<StoredUser>>, SqlFault> {
    let user = &draft.stored.user;
    let before = db.first(sql::STORED_USER, params![&user.id.0, &user.directory], stored::user)?;
    match before.filter(|before| before.version == draft.stored.version) {
        Some(before) => stored::replace(db, &before, draft, act),
        None => Ok(Outcome::Keep(Written::Stale)),
    }
}

fn delete(db: &dyn Sql, stored: &StoredUser, deletion: Deletion, act: &Act) -> Result<(), SqlFault> {
    let user = &stored.user;
    let (directory, id) = (user.directory.as_str(), user.id.0.as_str());
    withdraw(db, directory, id, act.at)?;
    let growth = Growth { numbers: 1, users: -1, inactive: -i64::from(!user.active), deletions: 1 };
    let (seq, wanted) = count(db, directory, growth)?;
    let end = if user.active { see_off } else { revoke_all };
    end(db, id, act.at)?;
    remove_values(db, (directory, id), all_values(&user.attributes, wanted.as_deref()).iter())?;
    db.execute(sql::DELETE_USER, params![id])?;
    let external_id = user.text("externalId");
    db.execute(sql::USER_GONE, params![directory, id, seq, act.at.ms(), external_id, user.user_name()])?;
    if let Deletion::ByPolicy { kept_until } = deletion {
        db.execute(sql::NOTE_POLICY_REMOVAL, params![directory, act.at.ms(), id])?;
        if let Some(external_id) = external_id {
            db.execute(sql::RESERVE, params![directory, external_id, id, kept_until.ms()])?;
        }
    }
    audit(db, (directory, seq), id, act)
}
