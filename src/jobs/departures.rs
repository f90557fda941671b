//! People whom the source has switched off and the directory's policy deletes: at once, or after a time. More than
//! `max_removals` in an hour wait for a person: a slip at the source must not empty a directory.

use std::collections::BTreeSet;

use futures_util::{StreamExt as _, stream};

use crate::base::{Moment, Span};
use crate::directory::roster::{Act, Deletion, Written};
use crate::directory::{Database, DirectoryFault};
use crate::flow::Ports;
use crate::identity::directory::OnDeactivate;
use crate::identity::{Directory, StoredUser};
use crate::scim::Schemas;
use crate::scim::changes::{Side, Writing};
use crate::scim::confirmed::split;

/// Over how long deletions are counted.
const WINDOW: Span = Span::hours(1);
/// How long id and `sub` wait for the same externalId.
const KEPT: Span = Span::days(30);
/// Users at a time.
const BATCH: u32 = 100;
/// Beyond this it is only said that there are more.
const COUNTED_MAX: u64 = 1_000_000;

/// What this process has said already.
#[derive(Debug, Default)]
pub struct Departures {
    /// Directories whose deletions wait, as the log knows it.
    held: BTreeSet<String>,
}

impl Departures {
    /// One round: deletes whom the policies and their guards let go.
    pub async fn tick(&mut self, ports: &Ports) {
        let request = ports.request();
        for directory in request.config.directories.values() {
            match round(ports, directory, request.now).await {
                Ok(held) => self.say(directory, held),
                Err(fault) => tracing::warn!(%fault, directory = directory.id, "nobody can be deleted by policy now"),
            }
        }
    }

    fn say(&mut self, directory: &Directory, held: u64) {
        if held == 0 {
            if self.held.remove(&directory.id) {
                tracing::info!(directory = directory.id, "no deletion by policy waits any more");
            }
        } else if self.held.insert(directory.id.clone()) {
            tracing::error!(
                directory = directory.id,
                users = held,
                "ALARM more deletions by policy than [guard] max_removals allows; these wait for `vestibule directory removals`",
            );
        }
    }
}

/// The moment before which a user must have been switched off to be deleted now; `None`: nobody is deleted.
fn due_before(directory: &Directory, now: Moment) -> Option<Moment> {
    let after = match directory.on_deactivate {
        OnDeactivate::Keep => return None,
        OnDeactivate::DeleteNow => Span::ZERO,
        OnDeactivate::DeleteAfter(span) => span,
    };
    // At that moment itself it is due.
    Some(now.minus(after).plus(Span::from_ms(1)))
}

/// How many may still go without a person's leave.
async fn left(database: &Database, directory: &Directory, now: Moment) -> Result<u64, DirectoryFault> {
    let removed = database.upkeep.removed_by_policy(&directory.id, now.minus(WINDOW)).await?;
    let tally = database.sightings.tally(&directory.id).await?;
    Ok(directory.max_removals.of(tally.users.saturating_add(removed)).saturating_sub(removed))
}

/// How many deletions of a directory wait for a person.
///
/// # Errors
/// [`DirectoryFault`].
pub async fn held(database: &Database, directory: &Directory, now: Moment) -> Result<u64, DirectoryFault> {
    let Some(before) = due_before(directory, now) else { return Ok(0) };
    let due = database.upkeep.count_inactive(&directory.id, before, COUNTED_MAX).await?;
    if due == 0 {
        return Ok(0);
    }
    let left = left(database, directory, now).await?;
    let released = database.upkeep.released(&directory.id).await?;
    Ok(if due <= left { 0 } else { due.saturating_sub(released) })
}

/// Deletes who may go, and says how many wait.
async fn round(ports: &Ports, directory: &Directory, now: Moment) -> Result<u64, DirectoryFault> {
    let upkeep = &ports.directory.upkeep;
    let Some(before) = due_before(directory, now) else { return Ok(0) };
    loop {
        // Read before the guard's count: what another server deletes in between is in the count then.
        let oldest = upkeep.inactive_between(&directory.id, Moment::from_ms(i64::MIN), before, BATCH).await?;
        let fresh = upkeep.inactive_between(&directory.id, before.minus(WINDOW), before, BATCH).await?;
        if oldest.is_empty() {
            return used_up(ports, directory).await.map(|()| 0);
        }
        let left = left(&ports.directory, directory, now).await?;
        let due = upkeep.count_inactive(&directory.id, before, left.saturating_add(1)).await?;
        let released = upkeep.released(&directory.id).await?;
        let gone = if due <= left {
            delete(ports, directory, within(oldest, left), now).await?
        } else if released > 0 {
            release(ports, directory, (within(oldest, released), released), now).await?
        } else {
            // Who has waited for an hour is one of those whom the guard held: nobody slips through as time goes by.
            delete(ports, directory, within(fresh, left), now).await?
        };
        if gone == 0 {
            return held(&ports.directory, directory, now).await;
        }
    }
}

fn within(mut users: Vec<StoredUser>, most: u64) -> Vec<StoredUser> {
    users.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    users
}

/// A leave of which nothing is left to use ends: it was given for those who waited then.
async fn used_up(ports: &Ports, directory: &Directory) -> Result<(), DirectoryFault> {
    let released = ports.directory.upkeep.released(&directory.id).await?;
    if released > 0 {
        ports.directory.upkeep.release(&directory.id, released, 0).await?;
    }
    Ok(())
}

/// Deletes released ones. They are taken off the count first: a kill in between lets nobody go beyond it.
async fn release(
    ports: &Ports,
    directory: &Directory,
    (users, released): (Vec<StoredUser>, u64),
    now: Moment,
) -> Result<u64, DirectoryFault> {
    let rest = released.saturating_sub(users.len() as u64);
    if !ports.directory.upkeep.release(&directory.id, released, rest).await? {
        // Another server, or a person, has changed it: to be looked at again at the next round.
        return Ok(0);
    }
    delete(ports, directory, users, now).await
}

/// Deletes those who are as they were read; who came back in between stays. Says how many went.
async fn delete(
    ports: &Ports,
    directory: &Directory,
    users: Vec<StoredUser>,
    now: Moment,
) -> Result<u64, DirectoryFault> {
    let schema = &Schemas::of(directory).user;
    let writing = &Writing { schema, key: &ports.audit_key };
    // All that one commit can hold at a time.
    let deleted = stream::iter(users).map(|StoredUser { user, version, .. }| async move {
        let seen = split(schema, user.attributes).seen;
        let before = Side { attributes: Some(&seen), active: Some(user.active) };
        let changes = writing.between(before, Side::default(), &[]);
        let act = Act { at: now, by: "policy".to_owned(), what: "delete", changes };
        let deletion = Deletion::ByPolicy { kept_until: now.plus(KEPT) };
        ports.directory.roster.delete(&directory.id, &user.id, Some(version), deletion, act).await
    });
    let deleted: Vec<_> = deleted.buffer_unordered(BATCH as usize).collect().await;
    let gone = deleted.iter().filter(|written| matches!(written, Ok(Written::Done(true)))).count() as u64;
    if gone > 0 {
        tracing::info!(directory = directory.id, users = gone, "deleted by policy");
    }
    deleted.into_iter().try_for_each(|written| written.map(drop)).map(|()| gone)
}
