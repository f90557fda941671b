//! Rows to words and back.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::engine::{Row, SqlFault};
use crate::base::Digest;
use crate::base::text::fold;
use crate::directory::{KeyAtRest, Standing};
use crate::identity::{User, UserId};
use crate::token::family::Family;

/// The longest value that stands in the index as it is, in bytes.
const PLAIN_VALUE_BYTES_MAX: usize = 256;

/// Reads the columns of `statements::user_columns`.
pub(super) fn user(row: &dyn Row) -> Result<User, SqlFault> {
    Ok(User {
        id: UserId(row.string(0)?),
        directory: row.string(1)?,
        active: row.truth(2)?,
        sessions_valid_from: row.moment(3)?,
        attributes: read_json(row.text(4)?)?,
        email_verified: row.truth(5)?,
        former_names: read_json(row.text(6)?)?,
        updated_at: row.moment(7)?,
    })
}

/// Reads the columns of `statements::user_columns` and one more, the identity name.
pub(super) fn known_user(row: &dyn Row) -> Result<User, SqlFault> {
    Ok(as_called(user(row)?, row.opt_text(8)?))
}

pub(super) fn standing(row: &dyn Row) -> Result<Standing, SqlFault> {
    Ok(Standing { user: known_user(row)?, signed_out: row.truth(9)?, family_revoked: row.truth(10)? })
}

/// A user as logins see one: a tombstone in place of the userName is nobody's name. The real one, which may be another's
/// by now, is among the former ones.
pub(super) fn as_called(mut user: User, identity_name: Option<&str>) -> User {
    if let Some(real) = identity_name {
        user.attributes.remove("userName");
        user.former_names.push(fold(real));
    }
    user
}

/// `None` for a tombstone without a family. What stands in columns outweighs the body: a revocation
/// writes its column only.
pub(super) fn family(row: &dyn Row) -> Result<Option<Family>, SqlFault> {
    let Some(body) = row.opt_text(2)? else { return Ok(None) };
    let mut family: Family = read_json(body)?;
    family.generation = row.count(0)?;
    family.revoked_at = row.opt_moment(1)?;
    Ok(Some(family))
}

pub(super) fn key(row: &dyn Row) -> Result<KeyAtRest, SqlFault> {
    let sealed = URL_SAFE_NO_PAD.decode(row.text(2)?).map_err(|_| senseless("a signing key is no base64url"))?;
    Ok(KeyAtRest {
        kid: row.string(0)?,
        algorithm: row.string(1)?,
        sealed,
        created: row.moment(3)?,
        active_from: row.moment(4)?,
        retired_at: row.opt_moment(5)?,
    })
}

/// What is stored makes no sense.
pub(super) fn senseless(what: impl Into<String>) -> SqlFault {
    SqlFault::Damage(what.into())
}

pub(super) fn bytes(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(super) fn read_json<T: DeserializeOwned>(text: &str) -> Result<T, SqlFault> {
    // serde's message may quote the text
    serde_json::from_str(text).map_err(|e| senseless(format!("a row's JSON, at column {}", e.column())))
}

pub(super) fn json(value: &impl Serialize) -> Result<String, SqlFault> {
    serde_json::to_string(value).map_err(|e| SqlFault::Failed(e.to_string()))
}

/// A number that only grows, as SQL has it.
pub(super) fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// What the index holds for a value of an attribute: folded, so that whoever compares without case finds it, but for
/// `externalId`. `None`: an empty value, which equals nothing.
///
/// A long value stands as its beginning and digest: longer than any short one, so never equal to it.
pub(super) fn index_value(attribute: &str, value: &str) -> Option<String> {
    let value = match attribute {
        "externalId" => value.to_owned(),
        _ => fold(value),
    };
    if value.len() <= PLAIN_VALUE_BYTES_MAX {
        return (!value.is_empty()).then_some(value);
    }
    let cut = value.floor_char_boundary(PLAIN_VALUE_BYTES_MAX);
    Some(format!("{}{}", value.get(..cut).unwrap_or_default(), Digest::of(&value).base64url()))
}
