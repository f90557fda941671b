//! POST, PUT and PATCH of a user: the attributes as they should be afterwards.

use serde_json::Value;

use super::body::{Said, read_body};
use super::error::ScimError;
use super::notes::Notes;
use super::patch::{USER_OPERATIONS_MAX, carry_out};
use crate::identity::Directory;
use crate::identity::dialect::{Missing, Omission};
use crate::identity::user::Attributes;

pub use super::reading::{Draft, Reading};
use super::value::Asserted;

/// A POST. `active` is true unless the body says otherwise.
///
/// # Errors
/// 400 with the attribute and the mend.
pub fn create(reading: &Reading<'_>, body: &Value) -> Result<(Draft, Notes), ScimError> {
    let mut notes = Notes::default();
    let said = read_body(reading, body, &mut notes)?;
    let mut draft = Draft { attributes: Attributes::new(), active: true };
    apply(said, &mut draft, &mut notes);
    whole(reading, &draft)?;
    Ok((draft, notes))
}

/// A PUT over what is there. `userName` must come; `active` and `externalId` stay if they don't.
///
/// # Errors
/// 400 with the attribute and the mend.
pub fn replace(reading: &Reading<'_>, current: &Draft, body: &Value) -> Result<(Draft, Notes), ScimError> {
    let mut notes = Notes::default();
    let said = read_body(reading, body, &mut notes)?;
    let user_name = said
        .attributes
        .iter()
        .any(|(attribute, asserted)| attribute.key == "userName" && matches!(asserted, Asserted::Set(_)));
    if !user_name {
        return Err(nameless());
    }
    let mut draft = current.clone();
    if reading.dialect.put_omission == Omission::Clear {
        for attribute in reading.schema.attributes.iter().filter(|attribute| attribute.key != "externalId") {
            if !said.speaks_of(attribute) && draft.attributes.remove(&*attribute.key).is_some() {
                notes.cleared(&attribute.key);
            }
        }
    }
    apply(said, &mut draft, &mut notes);
    still_whole(reading, current, &draft)?;
    Ok((draft, notes))
}

/// Clears first, then values: a value under one name is not undone by a null under another.
fn apply(said: Said<'_, '_>, draft: &mut Draft, notes: &mut Notes) {
    for (attribute, _) in said.attributes.iter().filter(|(_, asserted)| *asserted == Asserted::Clear) {
        draft.attributes.remove(&*attribute.key);
        notes.cleared(&attribute.key);
    }
    for (attribute, asserted) in said.attributes {
        let Asserted::Set(value) = asserted else { continue };
        notes.received(&attribute.key);
        if attribute.key == "active" {
            draft.active = value == Value::Bool(true);
        } else {
            draft.attributes.insert(attribute.key.to_string(), value);
        }
    }
}

/// Whether a user may stand as a draft has it: never without a name, and where the dialect refuses that, not without
/// what services need, as far as it is confirmed.
///
/// # Errors
/// 400 `invalidValue` with the attribute.
pub fn whole(reading: &Reading<'_>, draft: &Draft) -> Result<(), ScimError> {
    if !draft.attributes.contains_key("userName") {
        return Err(nameless());
    }
    if reading.dialect.missing == Missing::Incomplete {
        return Ok(());
    }
    let missing =
        NEEDED.into_iter().find(|&key| reading.schema.attribute(key).is_some() && !draft.attributes.contains_key(key));
    missing.map_or(Ok(()), |key| {
        Err(ScimError::value(key, format!("`{key}` is missing; this directory refuses users without it")))
    })
}

fn nameless() -> ScimError {
    ScimError::value("userName", "`userName` is missing or blank; every user needs one")
}

/// What services need of a user.
const NEEDED: [&str; 4] = ["emails", "name.givenName", "name.familyName", "externalId"];

/// A PATCH: all operations in order, or none.
///
/// # Errors
/// 400 with the operation, the attribute and the mend.
pub fn patch(reading: &Reading<'_>, current: &Draft, body: &Value) -> Result<(Draft, Notes), ScimError> {
    let patched = carry_out(reading, current, body, USER_OPERATIONS_MAX)?;
    still_whole(reading, current, &patched.draft)?;
    Ok((patched.draft, patched.notes))
}

/// Who was not whole already may be changed, above all switched off: nobody lingers for the lack of a name.
fn still_whole(reading: &Reading<'_>, current: &Draft, draft: &Draft) -> Result<(), ScimError> {
    if whole(reading, current).is_ok() || !draft.attributes.contains_key("userName") {
        return whole(reading, draft);
    }
    Ok(())
}

/// The attributes that services need and this user lacks: `emails`, `name.givenName`, `name.familyName`, `externalId`,
/// and `domain` if neither its own, nor its name's or mail's, nor the directory's default says one.
#[must_use]
pub fn lacks(directory: &Directory, draft: &Draft) -> Vec<&'static str> {
    let mut lacks: Vec<&'static str> = NEEDED.into_iter().filter(|&key| !draft.attributes.contains_key(key)).collect();
    let listed = |text: Option<&str>| {
        text.and_then(|text| text.rsplit_once('@')).is_some_and(|(_, domain)| directory.has_domain(domain))
    };
    let domain = draft.attributes.contains_key("domain")
        || directory.default_domain.is_some()
        || listed(draft.attributes.get("userName").and_then(Value::as_str))
        || listed(draft.attributes.get("emails").and_then(preferred));
    if !domain {
        lacks.push("domain");
    }
    lacks
}

/// The primary value, else the first.
fn preferred(values: &Value) -> Option<&str> {
    let values = values.as_array()?;
    let primary = values.iter().find(|value| value.get("primary") == Some(&Value::Bool(true)));
    let value = primary.or_else(|| values.first())?;
    value.get("value").unwrap_or(value).as_str()
}

#[cfg(test)]
mod tests;
