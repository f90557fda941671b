//! Leaving, being renamed, coming back: what a draft makes of a user that is there.

use super::error::ScimError;
use super::guid;
use super::user::Draft;
use crate::base::Moment;
use crate::base::text::fold;
use crate::identity::dialect::{Returning, Tombstones};
use crate::identity::user::{Attributes, remember_names};
use crate::identity::{Dialect, StoredUser};

/// What becomes of a POST.
#[derive(Clone, Debug, PartialEq)]
pub enum Arrival {
    Create,
    /// The person of before comes back: same id, same memberships; to be settled and written with the version it has.
    Revive(Box<StoredUser>),
    /// 409 `uniqueness`.
    Conflict(ScimError),
}

/// The user as it should be after a draft: switched off or on, tombstone recognised (Entra
/// prefixes the name with the object id as 32 hexadecimal digits), former names remembered, `inactive_since` kept true.
/// `version`, `seq` and `updated_at` are left to the store.
#[must_use]
pub fn settle(current: &StoredUser, draft: Draft, dialect: &Dialect, now: Moment) -> StoredUser {
    let mut next = current.clone();
    next.user.active = draft.active;
    next.user.attributes = draft.attributes;
    next.inactive_since = if draft.active { None } else { current.inactive_since.or(Some(now)) };
    next.identity_name = identity_name(current, &next, dialect);
    if next.user.email().map(fold) != current.user.email().map(fold) {
        next.user.email_verified = false;
    }
    // A tombstone is nobody's name: what the person is called stays as it was.
    if next.identity_name.is_none() && current.identity_name.is_none() {
        remember_names(&current.user, &mut next.user);
    } else if next.identity_name.is_none() {
        remember_after_tombstone(current, &mut next);
    }
    if dialect.tombstones == Tombstones::Recognize {
        forget_tombstones(&mut next);
    }
    next
}

/// A tombstone that came before the user was switched off was a name for a while; nobody ever called the person so.
fn forget_tombstones(user: &mut StoredUser) {
    let Some(name) = user.user.user_name().map(fold) else { return };
    let attributes = &user.user.attributes;
    user.user.former_names.retain(|former| !is_tombstone(former, &name, attributes));
}

/// The real name, while a tombstone stands in its place: also of a user who is switched on again before the name is
/// given back.
fn identity_name(current: &StoredUser, next: &StoredUser, dialect: &Dialect) -> Option<String> {
    if dialect.tombstones == Tombstones::Ignore {
        return None;
    }
    let name = next.user.user_name()?;
    if let Some(real) = &current.identity_name
        && current.user.user_name() == Some(name)
    {
        return Some(real.clone());
    }
    if next.user.active {
        return None;
    }
    let is_of = |real: &str| {
        is_tombstone(name, real, &next.user.attributes) || is_tombstone(name, real, &current.user.attributes)
    };
    let real = current.identity_name.as_deref().or_else(|| current.user.user_name())?;
    if is_of(real) {
        return Some(real.to_owned());
    }
    // Renamed first and switched off behind it: until then it was an ordinary name. What came before is a former one, or
    // still a mail address.
    let rest = name.get(32..)?;
    current.user.identifiers().iter().any(|known| is_of(known)).then(|| rest.to_owned())
}

/// Whether `name` is 32 hexadecimal digits and then the name of before; the digits are those of the externalId, if that
/// is a GUID.
fn is_tombstone(name: &str, before: &str, attributes: &Attributes) -> bool {
    let (Some(digits), Some(rest)) = (name.get(..32), name.get(32..)) else { return false };
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) || fold(rest) != fold(before) {
        return false;
    }
    let external_id = attributes.get("externalId").and_then(serde_json::Value::as_str);
    external_id.and_then(guid::digits).is_none_or(|guid| guid.eq_ignore_ascii_case(digits))
}

/// The tombstone goes: what is compared with the new names is the real one, and not the mail of the time between.
fn remember_after_tombstone(current: &StoredUser, next: &mut StoredUser) {
    let mut before = current.user.clone();
    before.attributes.clear();
    if let Some(real) = &current.identity_name {
        before.attributes.insert("userName".to_owned(), real.clone().into());
    }
    remember_names(&before, &mut next.user);
}

/// What becomes of a POST whose externalId or userName is perhaps held by somebody.
#[must_use]
pub fn arriving(
    draft: &Draft,
    dialect: &Dialect,
    by_external_id: Option<&StoredUser>,
    by_user_name: Option<&StoredUser>,
) -> Arrival {
    let Some(same) = by_external_id else {
        return by_user_name.map_or(Arrival::Create, |holder| conflict("userName", holder));
    };
    let revives = !same.user.active
        && match dialect.returning {
            Returning::Revive => true,
            Returning::ReviveGuid => draft.attributes.get("externalId").is_some_and(is_guid),
            Returning::Refuse => false,
        };
    match by_user_name {
        _ if !revives => conflict("externalId", same),
        Some(holder) if holder.user.id != same.user.id => conflict("userName", holder),
        _ => Arrival::Revive(Box::new(same.clone())),
    }
}

fn is_guid(value: &serde_json::Value) -> bool {
    value.as_str().and_then(guid::digits).is_some()
}

fn conflict(attribute: &'static str, holder: &StoredUser) -> Arrival {
    let external_id = holder.user.text("externalId");
    Arrival::Conflict(taken(attribute, external_id))
}

/// The refusal when somebody holds the value of `userName`, `externalId` or `displayName`. The externalId of the holder
/// is no secret to its source, and the way to find it there.
#[must_use]
pub fn taken(attribute: &str, external_id: Option<&str>) -> ScimError {
    let holder = external_id.map_or_else(
        || "one without externalId".to_owned(),
        |external_id| format!("the one with externalId `{}`", external_id.chars().take(100).collect::<String>()),
    );
    ScimError::taken(
        attribute,
        format!("`{attribute}` is held by another: {holder}; send another value or mend that one"),
    )
}

#[cfg(test)]
mod tests;
