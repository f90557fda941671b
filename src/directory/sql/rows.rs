//! Rows to words and back.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rusqlite::{Result, Row};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::fault::senseless;
use crate::base::text::fold;
use crate::base::{Digest, Moment};
use crate::directory::{KeyAtRest, Standing};
use crate::identity::{User, UserId};
use crate::token::family::Family;

/// The longest value that stands in the index as it is, in bytes.
const PLAIN_VALUE_BYTES_MAX: usize = 256;

/// Reads the columns of `statements::user_columns`.
pub(super) fn user(row: &Row<'_>) -> Result<User> {
    Ok(User {
        id: UserId(row.get(0)?),
        directory: row.get(1)?,
        active: row.get(2)?,
        sessions_valid_from: Moment::from_ms(row.get(3)?),
        attributes: read_json(row.get_ref(4)?.as_str()?)?,
        email_verified: row.get(5)?,
        former_names: read_json(row.get_ref(6)?.as_str()?)?,
        updated_at: Moment::from_ms(row.get(7)?),
    })
}

pub(super) fn standing(row: &Row<'_>) -> Result<Standing> {
    Ok(Standing { user: user(row)?, signed_out: row.get(8)?, family_revoked: row.get(9)? })
}

/// `None` for a tombstone without a family. What stands in columns outweighs the body: a revocation
/// writes its column only.
pub(super) fn family(row: &Row<'_>) -> Result<Option<Family>> {
    let Some(body) = row.get_ref(2)?.as_str_or_null()? else { return Ok(None) };
    let mut family: Family = read_json(body)?;
    let generation: i64 = row.get(0)?;
    family.generation = u64::try_from(generation).map_err(|_| senseless("a family's generation is negative"))?;
    family.revoked_at = row.get::<_, Option<i64>>(1)?.map(Moment::from_ms);
    Ok(Some(family))
}

pub(super) fn key(row: &Row<'_>) -> Result<KeyAtRest> {
    let sealed =
        URL_SAFE_NO_PAD.decode(row.get_ref(2)?.as_str()?).map_err(|_| senseless("a signing key is no base64url"))?;
    Ok(KeyAtRest {
        kid: row.get(0)?,
        algorithm: row.get(1)?,
        sealed,
        created: Moment::from_ms(row.get(3)?),
        active_from: Moment::from_ms(row.get(4)?),
        retired_at: row.get::<_, Option<i64>>(5)?.map(Moment::from_ms),
    })
}

pub(super) fn bytes(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(super) fn read_json<T: DeserializeOwned>(text: &str) -> Result<T> {
    // serde's message may quote the text
    serde_json::from_str(text).map_err(|e| senseless(format!("a row's JSON, at column {}", e.column())))
}

pub(super) fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|e| rusqlite::Error::ToSqlConversionFailure(Box::new(e)))
}

/// A number that only grows, as SQL has it.
pub(super) fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// What the index holds for a value of an attribute, so that values are equal there exactly if they
/// count as equal. `None`: an empty value, which equals nothing.
///
/// A long value stands as its beginning and digest: longer than any short one, so never equal to it.
pub(super) fn index_value(attribute: &str, value: &str) -> Option<String> {
    let value = match attribute {
        "userName" | "emails" => fold(value),
        _ => value.to_owned(),
    };
    if value.len() <= PLAIN_VALUE_BYTES_MAX {
        return (!value.is_empty()).then_some(value);
    }
    let cut = value.floor_char_boundary(PLAIN_VALUE_BYTES_MAX);
    Some(format!("{}{}", value.get(..cut).unwrap_or_default(), Digest::of(&value).base64url()))
}

/// Everything by which a user can be found: its single-valued attributes and its primary email.
pub(super) fn index_values(user: &User) -> BTreeMap<&str, String> {
    user.attributes
        .iter()
        .filter(|(name, value)| matches!(value, Value::String(_)) || *name == "emails")
        .filter_map(|(name, _)| Some((name.as_str(), index_value(name, user.text(name)?)?)))
        .collect()
}
