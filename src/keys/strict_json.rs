//! JSON from strangers: no member twice, no deep nesting.
//!
//! Two readers that take different ones of two equal members see two different tokens (RFC 8259 §4);
//! serde_json silently takes the last.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// The deepest nesting of objects and lists that is read.
pub const DEPTH_MAX: usize = 32;

/// Reads one whole document.
///
/// # Errors
/// Says what is wrong: syntax, a member that stands twice on any level, nesting beyond [`DEPTH_MAX`].
/// Nothing of the document is quoted.
pub fn parse(bytes: &[u8]) -> Result<Value, String> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { depth: DEPTH_MAX }.deserialize(&mut reader).map_err(|e| e.to_string())?;
    reader.end().map_err(|e| e.to_string())?;
    Ok(value)
}

/// Reads one object.
///
/// # Errors
/// As [`parse`], and if the document is no object.
pub fn parse_object(bytes: &[u8]) -> Result<Map<String, Value>, String> {
    match parse(bytes)? {
        Value::Object(members) => Ok(members),
        _ => Err("is no JSON object".to_owned()),
    }
}

#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn inner<E: Error>(self) -> Result<Self, E> {
        self.depth.checked_sub(1).map(|depth| Self { depth }).ok_or_else(|| E::custom("is nested too deeply"))
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without doubled members")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("has a number out of range"))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut map = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = members.next_value_seed(inner)?;
            if map.insert(name, value).is_some() {
                return Err(A::Error::custom("has a member twice"));
            }
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a076_doubled_members_and_deep_nesting_are_refused() {
        let read = |text: &str| parse_object(text.as_bytes()).ok();
        assert_eq!(
            read(r#"{"a":[1,-2,1.5,null,true,"ä"]}"#).map(Value::Object),
            Some(serde_json::json!({"a":[1,-2,1.5,null,true,"ä"]}))
        );
        assert_eq!(read(r#"{"sub":"a","sub":"b"}"#), None);
        assert_eq!(read(r#"{"a":{"b":1,"b":1}}"#), None, "on any level");
        assert_eq!(read(r#"{"sub":"a","\u0073ub":"b"}"#), None, "however it is spelt");
        assert_eq!(read("[]"), None);
        assert_eq!(read(r#"{"a":1} {"#), None);
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(&nested(DEPTH_MAX - 1)).is_some());
        assert_eq!(read(&nested(DEPTH_MAX)), None);
        assert_eq!(read(&nested(100_000)), None);
    }

    #[test]
    fn a_document_is_read_as_serde_json_reads_it() {
        let text = r#"{"a":[1,-2,1.5,"ä",null,true,{}],"b":{"c":18446744073709551615}}"#;
        let plain: Value = serde_json::from_str(text).expect("JSON");
        assert_eq!(parse(text.as_bytes()), Ok(plain));
        assert!(parse_object(b"[]").is_err());
        assert!(parse(b"{} {}").is_err());
    }

    #[test]
    fn a072_numbers_beyond_all_bounds_are_refused_without_a_panic() {
        assert!(parse(br#"{"exp":1e400}"#).is_err());
        assert!(parse(br#"{"exp":1e308}"#).is_ok());
    }
}
