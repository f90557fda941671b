//! Users.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, Result, params};

use super::notices::note_leaving;
use super::rows;
use super::statements as sql;
use super::store::Sqlite;
use super::writer::Outcome;
use crate::base::Moment;
use crate::directory::jit::plan;
use crate::directory::{Activity, DirectoryFault, JitUser, Provisioned, Standing, Users};
use crate::identity::{User, UserId};
use crate::token::family::FamilyId;

/// The attributes whose value one user of a directory has at most.
const UNIQUE: [&str; 2] = ["externalId", "userName"];

#[async_trait]
impl Users for Sqlite {
    async fn find(&self, directory: &str, attribute: &str, value: &str) -> Result<Vec<User>, DirectoryFault> {
        self.read(|db| find(db, directory, attribute, value)).await
    }

    async fn user(&self, id: &UserId) -> Result<Option<User>, DirectoryFault> {
        self.read(|db| db.prepare_cached(sql::USER)?.query_row([&id.0], rows::user).optional()).await
    }

    async fn standing(
        &self,
        id: &UserId,
        sid: Option<&str>,
        families: &[&FamilyId],
    ) -> Result<Option<Standing>, DirectoryFault> {
        let mut families = families.iter().map(|id| id.0.base64url());
        let (first, second) = (families.next(), families.next());
        self.read(|db| {
            db.prepare_cached(sql::STANDING)?.query_row(params![sid, first, second, id.0], rows::standing).optional()
        })
        .await
    }

    async fn provision(&self, user: JitUser, now: Moment) -> Result<Provisioned, DirectoryFault> {
        // Most logins change nothing, and so need no writer.
        let first = self.read(|db| planned(db, &user, now)).await?;
        if matches!(first, Provisioned::Unchanged(_) | Provisioned::Conflict(_)) {
            return Ok(first);
        }
        self.write_or_undo(move |db| carry_out(db, planned(db, &user, now)?)).await
    }

    async fn set_active(&self, id: &UserId, activity: Activity, now: Moment) -> Result<bool, DirectoryFault> {
        let id = id.0.clone();
        self.write(move |db| match activity {
            Activity::Active => Ok(db.prepare_cached(sql::ACTIVATE_USER)?.execute(params![now.ms(), id])? > 0),
            Activity::Inactive => deactivate(db, &id, now),
        })
        .await
    }
}

fn deactivate(db: &Connection, id: &str, now: Moment) -> Result<bool> {
    let was_active = db.prepare_cached(sql::SWITCH_OFF)?.execute([id])? > 0;
    let known = db.prepare_cached(sql::DEACTIVATE_USER)?.execute(params![now.ms(), id])? > 0;
    let at = if was_active { note_leaving(db, id, now)? } else { now };
    db.prepare_cached(sql::REVOKE_FAMILIES_OF_USER)?.execute(params![at.ms(), id])?;
    Ok(known)
}

fn find(db: &Connection, directory: &str, attribute: &str, value: &str) -> Result<Vec<User>> {
    let Some(value) = rows::index_value(attribute, value) else { return Ok(Vec::new()) };
    db.prepare_cached(sql::FIND_USERS)?.query_map([directory, attribute, &value], rows::user)?.collect()
}

fn planned(db: &Connection, jit: &JitUser, now: Moment) -> Result<Provisioned> {
    Ok(plan(&find(db, &jit.directory, &jit.match_attribute, &jit.match_value)?, jit, now))
}

fn carry_out(db: &Connection, plan: Provisioned) -> Result<Outcome<Provisioned>> {
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

fn insert(db: &Connection, user: &User) -> Result<()> {
    db.prepare_cached(sql::INSERT_USER)?.execute(params![
        user.id.0,
        user.directory,
        user.active,
        user.sessions_valid_from.ms(),
        rows::json(&user.attributes)?,
        user.email_verified,
        rows::json(&user.former_names)?,
        user.updated_at.ms(),
    ])?;
    Ok(())
}

fn update(db: &Connection, user: &User) -> Result<()> {
    db.prepare_cached(sql::UPDATE_USER)?.execute(params![
        rows::json(&user.attributes)?,
        user.email_verified,
        rows::json(&user.former_names)?,
        user.updated_at.ms(),
        user.id.0,
    ])?;
    Ok(())
}

/// Makes the index rows of a user what its attributes say. `Some`: that attribute's value belongs to
/// another user.
fn index(db: &Connection, user: &User) -> Result<Option<&'static str>> {
    let mut wanted = rows::index_values(user);
    let mut stored = db.prepare_cached(sql::VALUES_OF_USER)?;
    let stored = stored.query_map([&user.id.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    for (attribute, value) in stored.collect::<Result<Vec<(String, String)>>>()? {
        if wanted.get(attribute.as_str()) == Some(&value) {
            wanted.remove(attribute.as_str());
        } else {
            db.prepare_cached(sql::DELETE_VALUE)?.execute([&user.directory, &attribute, &value, &user.id.0])?;
        }
    }
    for (attribute, value) in wanted {
        let id = user.id.0.as_str();
        let sole = UNIQUE.into_iter().find(|unique| *unique == attribute);
        let holder = if sole.is_some() { "" } else { id };
        let row = [user.directory.as_str(), attribute, &value, holder, id];
        if db.prepare_cached(sql::INSERT_VALUE)?.execute(row)? == 0 && sole.is_some() {
            return Ok(sole);
        }
    }
    Ok(None)
}
