//! Users.

use std::sync::Arc;

use super::engine::{Outcome, Sql, SqlFault, params};
use super::notices::note_leaving;
use super::rows;
use super::statements as sql;
use super::store::Store;
use crate::base::Moment;
use crate::directory::jit::plan;
use crate::directory::{Activity, DirectoryFault, JitUser, Provisioned, Standing, Users};
use crate::identity::{User, UserId};
use crate::token::family::FamilyId;
use async_trait::async_trait;

/// The attributes whose value one user of a directory has at most.
const UNIQUE: [&str; 2] = ["externalId", "userName"];

#[async_trait]
impl Users for Store {
    async fn find(&self, directory: &str, attribute: &str, value: &str) -> Result<Vec<User>, DirectoryFault> {
        // An empty value is nobody's.
        let Some(value) = rows::index_value(attribute, value) else { return Ok(Vec::new()) };
        let (directory, attribute) = (directory.to_owned(), attribute.to_owned());
        self.read(move |db| find_indexed(db, &directory, &attribute, &value)).await
    }

    async fn user(&self, id: &UserId) -> Result<Option<User>, DirectoryFault> {
        let id = id.0.clone();
        self.read(move |db| db.first(sql::USER, params![&id], rows::user)).await
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
        self.write(move |db| match activity {
            Activity::Active => Ok(db.execute(sql::ACTIVATE_USER, params![now.ms(), &id])? > 0),
            Activity::Inactive => deactivate(db, &id, now),
        })
        .await
    }
}

fn deactivate(db: &dyn Sql, id: &str, now: Moment) -> Result<bool, SqlFault> {
    let was_active = db.execute(sql::SWITCH_OFF, params![id])? > 0;
    let known = db.execute(sql::DEACTIVATE_USER, params![now.ms(), id])? > 0;
    let at = if was_active { note_leaving(db, id, now)? } else { now };
    db.execute(sql::REVOKE_FAMILIES_OF_USER, params![at.ms(), id])?;
    Ok(known)
}

fn find(db: &dyn Sql, directory: &str, attribute: &str, value: &str) -> Result<Vec<User>, SqlFault> {
    let Some(value) = rows::index_value(attribute, value) else { return Ok(Vec::new()) };
    find_indexed(db, directory, attribute, &value)
}

fn find_indexed(db: &dyn Sql, directory: &str, attribute: &str, value: &str) -> Result<Vec<User>, SqlFault> {
    db.all(sql::FIND_USERS, params![directory, attribute, value], rows::user)
}

fn planned(db: &dyn Sql, jit: &JitUser, now: Moment) -> Result<Provisioned, SqlFault> {
    Ok(plan(&find(db, &jit.directory, &jit.match_attribute, &jit.match_value)?, jit, now))
}

fn carry_out(db: &dyn Sql, plan: Provisioned) -> Result<Outcome<Provisioned>, SqlFault> {
    let user = match &plan {
        Provisioned::Created(user) => {
            insert(db, user)?;
            user
        }
        Provisioned::Updated(user) => {
            update(db, user)?;
            user
        }
        Provisioned::Unchanged(_) | Provisioned::Conflict(_) => return Ok(Outcome::Keep(plan)),
    };
    Ok(match index(db, user)? {
        Some(taken) => Outcome::Undo(Provisioned::Conflict(taken)),
        None => Outcome::Keep(plan),
    })
}

fn insert(db: &dyn Sql, user: &User) -> Result<(), SqlFault> {
    let (attributes, former_names) = (rows::json(&user.attributes)?, rows::json(&user.former_names)?);
    let row = params![
        &user.id.0,
        &user.directory,
        user.active,
        user.sessions_valid_from.ms(),
        &attributes,
        user.email_verified,
        &former_names,
        user.updated_at.ms(),
    ];
    db.execute(sql::INSERT_USER, row).map(drop)
}

fn update(db: &dyn Sql, user: &User) -> Result<(), SqlFault> {
    let (attributes, former_names) = (rows::json(&user.attributes)?, rows::json(&user.former_names)?);
    let row = params![&attributes, user.email_verified, &former_names, user.updated_at.ms(), &user.id.0,];
    db.execute(sql::UPDATE_USER, row).map(drop)
}

/// Makes the index rows of a user what its attributes say. `Some`: that attribute's value belongs to
/// another user.
fn index(db: &dyn Sql, user: &User) -> Result<Option<&'static str>, SqlFault> {
    let mut wanted = rows::index_values(user);
    let stored = db.all(sql::VALUES_OF_USER, params![&user.id.0], |row| Ok((row.string(0)?, row.string(1)?)))?;
    for (attribute, value) in stored {
        if wanted.get(attribute.as_str()) == Some(&value) {
            wanted.remove(attribute.as_str());
        } else {
            db.execute(sql::DELETE_VALUE, params![&user.directory, &attribute, &value, &user.id.0])?;
        }
    }
    for (attribute, value) in wanted {
        let id = user.id.0.as_str();
        let sole = UNIQUE.into_iter().find(|unique| *unique == attribute);
        let holder = if sole.is_some() { "" } else { id };
        let row = params![&user.directory, attribute, &value, holder, id];
        if db.execute(sql::INSERT_VALUE, row)? == 0 && sole.is_some() {
            return Ok(sole);
        }
    }
    Ok(None)
}
