//! One attribute's value as it comes: blank, text for a boolean, a bare string for an object; and as it is stored.

use serde_json::{Map, Number, Value};

use super::error::ScimError;
use super::guid;
use super::notes::Notes;
use super::reading::Reading;
use super::schema::{Attribute, Kind, Mutability, Plurality, Sub};
use super::several::too_many;
use crate::identity::dialect::{Blank, StringBooleans};

pub use super::several::{VALUES_MAX, settle_values};

/// What a value says of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum Asserted {
    /// This, in its canonical form: text, boolean, object with canonical names, array of such objects.
    Set(Value),
    /// Nothing any more.
    Clear,
    /// As if it had not been sent: a blank where the dialect ignores those, `active: null`.
    Ignore,
}

/// A value before the dialect says what a blank means.
enum Come {
    Value(Value),
    Blank,
    /// The directory's own word for: clear this.
    Sentinel,
}

/// Reads the value of a whole attribute: of one with several values all of them, as array, single object or bare text;
/// a complex one with a single value (`manager`) as object, array of one, or bare text. `Set` holds no blank part, no
/// second primary and no value twice.
///
/// # Errors
/// 400 `invalidValue`: a shape that the attribute can't have, a text that is too long, too many values.
pub fn read(
    reading: &Reading<'_>,
    attribute: &Attribute,
    value: &Value,
    notes: &mut Notes,
) -> Result<Asserted, ScimError> {
    if attribute.kind == Kind::Boolean {
        return whole_boolean(reading, attribute, value, notes);
    }
    let come = match (attribute.plurality, attribute.kind) {
        (Plurality::Multi, _) => several(reading, attribute, value, notes)?,
        (Plurality::Single, Kind::Complex) => element(reading, attribute, lone(attribute, value)?, notes)?,
        (Plurality::Single, _) => text(reading, &whole(attribute), bare(attribute, value)?)?,
    };
    if attribute.key == "externalId" {
        return Ok(external_id(reading, come, value));
    }
    Ok(asserted(reading, come))
}

/// Reads one value of an attribute of several: an object, or a bare text for its `value`. `Clear`: nothing of
/// significance is in it. `primary: false` stays in it.
///
/// # Errors
/// As [`read`].
pub fn read_element(
    reading: &Reading<'_>,
    attribute: &Attribute,
    value: &Value,
    notes: &mut Notes,
) -> Result<Asserted, ScimError> {
    Ok(asserted(reading, element(reading, attribute, value, notes)?))
}

/// Reads the value of one part of a complex attribute.
///
/// # Errors
/// As [`read`].
pub fn read_sub(reading: &Reading<'_>, attribute: &Attribute, sub: &Sub, value: &Value) -> Result<Asserted, ScimError> {
    Ok(asserted(reading, part(reading, attribute, sub, value)?))
}

/// What a blank says, by the dialect.
#[must_use]
pub fn blank(reading: &Reading<'_>) -> Asserted {
    match reading.dialect.blank {
        Blank::Clear => Asserted::Clear,
        Blank::Ignore => Asserted::Ignore,
    }
}

/// Whether a value says nothing: null, white space, `[]`, `{}`, and arrays and objects of such.
#[must_use]
pub fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.iter().all(is_blank),
        Value::Object(fields) => fields.values().all(is_blank),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Whether an object holds more than what describes a value: its `value`, or of an address any line.
#[must_use]
pub fn is_significant(attribute: &Attribute, fields: &Map<String, Value>) -> bool {
    if attribute.sub("value").is_some() {
        return fields.contains_key("value");
    }
    fields.keys().any(|name| name != "type" && name != "primary")
}

/// The shape of a value, for a `detail`: never the value.
#[must_use]
pub fn shape(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "a boolean".to_owned(),
        Value::Number(_) => "a number".to_owned(),
        Value::String(text) => format!("a text of {} characters", text.chars().count()),
        Value::Array(items) => format!("an array of {}", items.len()),
        Value::Object(fields) => format!("an object with {} members", fields.len()),
    }
}

fn refused(name: &str, value: &Value, accepted: &str) -> ScimError {
    let shape = shape(value);
    ScimError::value(name, format!("`{name}` is {shape}; {accepted} is accepted"))
}

fn asserted(reading: &Reading<'_>, come: Come) -> Asserted {
    match come {
        Come::Value(value) => Asserted::Set(value),
        Come::Sentinel => Asserted::Clear,
        Come::Blank => blank(reading),
    }
}

/// Logins find people by it: only null and the sentinel clear it, an empty text does not.
fn external_id(reading: &Reading<'_>, come: Come, value: &Value) -> Asserted {
    match come {
        Come::Value(Value::String(text)) if reading.decode_guid => {
            Asserted::Set(guid::decode(&text).unwrap_or(text).into())
        }
        Come::Blank if !value.is_null() => Asserted::Ignore,
        come => asserted(reading, come),
    }
}

/// A text that is read: the whole of an attribute or a part.
struct Spot<'a> {
    attribute: &'a Attribute,
    sub: Option<&'a Sub>,
    max: usize,
}

const fn whole(attribute: &Attribute) -> Spot<'_> {
    Spot { attribute, sub: None, max: attribute.max }
}

impl Spot<'_> {
    fn name(&self) -> String {
        match self.sub {
            Some(sub) => format!("{}.{}", self.attribute.key, sub.name),
            None => self.attribute.key.to_string(),
        }
    }
}

fn text(reading: &Reading<'_>, spot: &Spot<'_>, value: &Value) -> Result<Come, ScimError> {
    let text = match value {
        value if is_blank(value) => return Ok(Come::Blank),
        Value::String(text) if text == reading.sentinel => return Ok(Come::Sentinel),
        Value::String(text) => text.clone(),
        Value::Number(number) if is_exact(number) => number.to_string(),
        Value::Number(_) => return Err(refused(&spot.name(), value, "its digits as a text")),
        other => return Err(refused(&spot.name(), other, "a text")),
    };
    // A character has at least one byte: most texts need not be counted.
    if text.len() > spot.max && text.chars().count() > spot.max {
        return Err(refused(&spot.name(), value, &format!("a text of at most {} characters", spot.max)));
    }
    if text.contains('\0') {
        return Err(refused(&spot.name(), value, "a text without the character U+0000"));
    }
    Ok(Come::Value(Value::String(text)))
}

/// Whether a number is still the one that was sent: of more digits than fit some were lost when it was read.
fn is_exact(number: &Number) -> bool {
    /// From 2^53 on not every whole number is a double.
    const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;
    !number.is_f64() || number.as_f64().is_some_and(|float| float.abs() < WHOLE_MAX)
}

/// `None`: neither true nor false.
fn boolean(reading: &Reading<'_>, value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) if reading.dialect.string_booleans == StringBooleans::Accept => {
            if text.eq_ignore_ascii_case("true") {
                Some(true)
            } else {
                text.eq_ignore_ascii_case("false").then_some(false)
            }
        }
        _ => None,
    }
}

const fn accepted_booleans(reading: &Reading<'_>) -> &'static str {
    match reading.dialect.string_booleans {
        StringBooleans::Accept => "true or false, also as text,",
        StringBooleans::Refuse => "true or false, not as text,",
    }
}

/// `active`: whatever is neither true nor false is refused, and null says nothing.
fn whole_boolean(
    reading: &Reading<'_>,
    attribute: &Attribute,
    value: &Value,
    notes: &mut Notes,
) -> Result<Asserted, ScimError> {
    if value.is_null() {
        return Ok(Asserted::Ignore);
    }
    let flag = boolean(reading, value).ok_or_else(|| refused(&attribute.key, value, accepted_booleans(reading)))?;
    if value.is_string() {
        notes.remark("a boolean came as text");
    }
    Ok(Asserted::Set(Value::Bool(flag)))
}

/// For a text also an array of one, and an object with `value`: both are seen.
fn bare<'v>(attribute: &Attribute, value: &'v Value) -> Result<&'v Value, ScimError> {
    let value = lone(attribute, value)?;
    Ok(value.get("value").unwrap_or(value))
}

/// An array of one is what is in it, an array of none is null.
fn lone<'v>(attribute: &Attribute, value: &'v Value) -> Result<&'v Value, ScimError> {
    match value.as_array().map(Vec::as_slice) {
        None => Ok(value),
        Some([]) => Ok(&Value::Null),
        Some([one]) => Ok(one),
        Some(_) => Err(refused(&attribute.key, value, "one value")),
    }
}

fn several(reading: &Reading<'_>, attribute: &Attribute, value: &Value, notes: &mut Notes) -> Result<Come, ScimError> {
    let items = match value {
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    if items.len() > 2 * VALUES_MAX {
        return Err(too_many(attribute, items.len()));
    }
    let mut values = Vec::with_capacity(items.len());
    let mut sentinel = false;
    for item in items {
        match element(reading, attribute, item, notes)? {
            Come::Value(value) => values.push(value),
            Come::Sentinel => sentinel = true,
            Come::Blank => {}
        }
    }
    settle_values(attribute, &mut values, None)?;
    Ok(match (values.is_empty(), sentinel) {
        (false, _) => Come::Value(Value::Array(values)),
        (true, true) => Come::Sentinel,
        (true, false) => Come::Blank,
    })
}

fn element(reading: &Reading<'_>, attribute: &Attribute, value: &Value, notes: &mut Notes) -> Result<Come, ScimError> {
    let mut fields = Map::new();
    let mut sentinel = false;
    let mut put = |sub: &Sub, come: Come| match come {
        Come::Value(value) => {
            fields.insert(sub.name.to_owned(), value);
        }
        Come::Sentinel => sentinel = true,
        Come::Blank => {}
    };
    match value {
        Value::Object(given) => {
            for (name, value) in given {
                match attribute.sub(name) {
                    Some(sub) if sub.mutability == Mutability::ReadOnly => {}
                    Some(sub) => {
                        if sub.kind == Kind::Boolean && value.is_string() {
                            notes.remark("a boolean came as text");
                        }
                        put(sub, part(reading, attribute, sub, value)?);
                    }
                    None => notes.unknown(&format!("{}.{name}", attribute.key)),
                }
            }
        }
        Value::String(_) | Value::Number(_) => {
            // `value`, or of an address `formatted`
            if let Some(sub) = attribute.subs.first() {
                notes.remark("a bare text came for an object");
                put(sub, part(reading, attribute, sub, value)?);
            }
        }
        Value::Null => {}
        Value::Array(items) if items.is_empty() => {}
        other => return Err(refused(&attribute.key, other, "an object with its parts")),
    }
    if !fields.contains_key("value")
        && attribute.sub("$ref").is_some()
        && let (Some(sub), Some(id)) = (attribute.sub("value"), referenced(value))
        && let Come::Value(id) = part(reading, attribute, sub, &id.into())?
    {
        fields.insert(sub.name.to_owned(), id);
    }
    Ok(match (is_significant(attribute, &fields), sentinel) {
        (true, _) => Come::Value(Value::Object(fields)),
        (false, true) => Come::Sentinel,
        (false, false) => Come::Blank,
    })
}

fn part(reading: &Reading<'_>, attribute: &Attribute, sub: &Sub, value: &Value) -> Result<Come, ScimError> {
    let spot = Spot { attribute, sub: Some(sub), max: sub.max };
    if sub.kind != Kind::Boolean {
        return text(reading, &spot, value);
    }
    match boolean(reading, value) {
        Some(flag) => Ok(Come::Value(Value::Bool(flag))),
        None if is_blank(value) => Ok(Come::Blank),
        None if value.as_str() == Some(reading.sentinel) => Ok(Come::Sentinel),
        None => Err(refused(&spot.name(), value, accepted_booleans(reading))),
    }
}

/// The id at the end of `$ref`, if an object has that and nothing better.
#[must_use]
pub fn referenced(value: &Value) -> Option<&str> {
    let fields = value.as_object()?;
    let (_, address) = fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("$ref"))?;
    let id = address.as_str()?.trim_end_matches('/').rsplit('/').next()?;
    (!id.is_empty() && id.len() <= 256 && !id.contains('\0')).then_some(id)
}

#[cfg(test)]
mod tests;
