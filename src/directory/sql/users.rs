//! Users as logins see and make them.

use std::sync::Arc;

use async_trait::async_trait;

use super::engine::{Flavour, Outcome, Sql, SqlFault, params};
use super::rows;
use super::statements as sql;
use super::statements_made as made;
use super::statements_roster as roster;
use super::store::Store;
use super::stored::{self, Draft, having, revoke_all};
use super::values::{ALWAYS, is_found_by};
use crate::base::Moment;
use crate::directory::jit::{changes, plan};
use crate::directory::roster::{Act, Written};
use crate::directory::{Activity, DirectoryFault, JitUser, Provisioned, Standing, Users};
use crate::identity::{StoredUser, User, UserId};
use crate::token::family::FamilyId;

#[async_trait]
impl Users for Store {
    async fn find(&self, directory: &str, attribute: &str, value: &str) -> Result<Vec<User>, DirectoryFault> {
        let (directory, attribute, value) = (directory.to_owned(), attribute.to_owned(), value.to_owned());
        let found = self.read(move |db| find(db, &directory, &attribute, &value)).await?;
        let called = |StoredUser { user, identity_name, .. }| rows::as_called(user, identity_name.as_deref());
        Ok(found.into_iter().map(called).collect())
    }

    async fn user(&self, id: &UserId) -> Result<Option<User>, DirectoryFault> {
        let id = id.0.clone();
        self.read(move |db| db.first(sql::USER, params![&id], rows::known_user)).await
    }

    async fn standing(
        &self,
        id: &UserId,
        sid: Option<&str>,
        families: &[&FamilyId],
    ) -> Result<Option<Standing>, DirectoryFault> {
        let mut families = families.iter().map(|id| id.0.base64url());
        let (first, second) = (families.next(), families.next());
        let (id, sid) = (id.0.clone(), sid.map(str::to_owned));
        self.read(move |db| {
            let asked = params![sid.as_deref(), first.as_deref(), second.as_deref(), &id];
            db.first(sql::STANDING, asked, rows::standing)
        })
        .await
    }

    async fn provision(&self, user: JitUser, now: Moment) -> Result<Provisioned, DirectoryFault> {
        // Most logins change nothing, and so need no writer.
        let user = Arc::new(user);
        let asked = Arc::clone(&user);
        let first = self.read(move |db| planned(db, &asked, now)).await?;
        if matches!(first, Provisioned::Unchanged(_) | Provisioned::Conflict(_)) {
            return Ok(first);
        }
        self.write_or_undo(move |db| carry_out(db, planned(db, &user, now)?)).await
    }

    async fn set_active(&self, id: &UserId, activity: Activity, now: Moment) -> Result<bool, DirectoryFault> {
        let id = id.0.clone();
        self.write(move |db| set_active(db, &id, activity, now)).await
    }
}

fn set_active(db: &dyn Sql, id: &str, activity: Activity, now: Moment) -> Result<bool, SqlFault> {
    let Some(before) = db.first(roster::STORED_BY_ID, params![id], stored::user)? else { return Ok(false) };
    match (before.user.active, activity) {
        (true, Activity::Active) => {}
        (false, Activity::Inactive) => {
            db.execute(sql::END_SESSIONS, params![now.ms(), id])?;
            revoke_all(db, id, now)?;
        }
        (was, _) => {
            let mut next = before.clone();
            next.user.active = !was;
            let [old, new] = [was, !was];
            let act = Act {
                at: now,
                by: "cli".to_owned(),
                what: if was { "deactivate" } else { "activate" },
                changes: format!(r#"{{"active":{{"before":{old},"after":{new}}}}}"#),
            };
            stored::replace(db, &before, &Draft::of(next)?, &act)?;
        }
    }
    Ok(true)
}

fn find(db: &dyn Sql, directory: &str, attribute: &str, value: &str) -> Result<Vec<StoredUser>, SqlFault> {
    let is_meant = |stored: &StoredUser| is_found_by(&stored.user, attribute, value);
    let indexed = ALWAYS.contains(&attribute)
        || db.first(roster::INDEX_STATE, params![directory, attribute], |row| row.int(0))? == Some(1);
    Ok(match value {
        "" => Vec::new(),
        _ if indexed => having(db, directory, (attribute, value), is_meant)?,
        // A path can't name it.
        _ if attribute.contains(['"', '\\']) => Vec::new(),
        _ => db.all(by_attribute(db).find, params![directory, &address(db, attribute), value], stored::user)?,
    })
}

/// The statements that ask for an attribute.
pub(super) fn by_attribute(db: &dyn Sql) -> &'static made::ByAttribute {
    match db.flavour() {
        Flavour::Sqlite => &made::ON_SQLITE,
        Flavour::Postgres => &made::ON_POSTGRES,
    }
}

/// How an attribute of a document is named in these.
pub(super) fn address(db: &dyn Sql, attribute: &str) -> String {
    match db.flavour() {
        Flavour::Sqlite => format!("$.\"{attribute}\""),
        Flavour::Postgres => attribute.to_owned(),
    }
}

fn planned(db: &dyn Sql, jit: &JitUser, now: Moment) -> Result<Provisioned, SqlFault> {
    let found = find(db, &jit.directory, &jit.match_attribute, &jit.match_value)?;
    let found: Vec<User> = found.into_iter().map(|stored| stored.user).collect();
    Ok(plan(&found, jit, now))
}

fn carry_out(db: &dyn Sql, plan: Provisioned) -> Result<Outcome<Provisioned>, SqlFault> {
    match plan {
        Provisioned::Created(user) => create(db, user),
        Provisioned::Updated(user) => update(db, user),
        done @ (Provisioned::Unchanged(_) | Provisioned::Conflict(_)) => Ok(Outcome::Keep(done)),
    }
}

fn by_login(what: &'static str, at: Moment, changes: String) -> Act {
    Act { at, by: "login".to_owned(), what, changes }
}

fn create(db: &dyn Sql, user: User) -> Result<Outcome<Provisioned>, SqlFault> {
    let act = by_login("create", user.updated_at, changes(None, &user));
    let (created_at, inactive_since) = (user.updated_at, None);
    let draft = Draft::of(StoredUser { user, version: 1, seq: 0, created_at, inactive_since, identity_name: None })?;
    Ok(match stored::create(db, &draft, &act)? {
        Outcome::Keep(Written::Done(placed)) => {
            let mut user = draft.stored.user;
            user.id = placed.id;
            user.sessions_valid_from = placed.valid_from;
            Outcome::Keep(Provisioned::Created(user))
        }
        // It was drawn a moment ago.
        Outcome::Undo(Written::Taken { attribute: "id", .. }) => {
            return Err(SqlFault::Failed("a fresh id is somebody's already".to_owned()));
        }
        Outcome::Keep(other) | Outcome::Undo(other) => Outcome::Undo(conflict(&other)),
    })
}

fn update(db: &dyn Sql, user: User) -> Result<Outcome<Provisioned>, SqlFault> {
    let before = db.first(roster::STORED_BY_ID, params![&user.id.0], stored::user)?;
    let before = before.ok_or_else(|| rows::senseless("a user vanished while it was written"))?;
    let act = by_login("update", user.updated_at, changes(Some(&before.user), &user));
    let draft = Draft::of(StoredUser { user, ..before.clone() })?;
    Ok(match stored::replace(db, &before, &draft, &act)? {
        Outcome::Keep(Written::Done(stored)) => Outcome::Keep(Provisioned::Updated(stored.user)),
        Outcome::Keep(other) | Outcome::Undo(other) => Outcome::Undo(conflict(&other)),
    })
}

fn conflict<T>(written: &Written<T>) -> Provisioned {
    match written {
        Written::Taken { attribute, .. } => Provisioned::Conflict(attribute),
        _ => Provisioned::Conflict("id"),
    }
}
