//! A body as it comes: JSON within its bounds.

use std::cell::Cell;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::error::{ScimError, ScimType};
use super::schema::ResourceType;

/// Objects and arrays within each other.
pub const DEPTH_MAX: usize = 16;
/// Members of one object.
pub const KEYS_MAX: usize = 512;

/// Reads a body about a resource. In one about groups, elements that only say whom they mean (`value`, beside `$ref`,
/// `display` and `type`) become that text while they are read, so that a hundred thousand members stay small.
///
/// # Errors
/// 400 `invalidSyntax`: no JSON object, deeper than [`DEPTH_MAX`], more than [`KEYS_MAX`] members in an object, or a NUL
/// in a text.
pub fn read(bytes: &[u8], about: ResourceType) -> Result<Value, ScimError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let refuse = |detail: &str| Err(ScimError::bad(ScimType::InvalidSyntax, detail));
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return refuse("the body is empty; a JSON object would be accepted");
    }
    let fault = Cell::new("the body is no readable JSON");
    let root = Node { depth: 0, about, operations: false, fault: &fault };
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    match root.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value)) {
        Ok(value) if value.is_object() => Ok(value),
        Ok(_) => refuse("the body is no JSON object"),
        Err(_) => refuse(fault.get()),
    }
}

#[derive(Clone, Copy)]
struct Node<'f> {
    depth: usize,
    about: ResourceType,
    /// Whether it is the value of `Operations`.
    operations: bool,
    /// What is told if the reading stops.
    fault: &'f Cell<&'static str>,
}

impl Node<'_> {
    fn stop<E: serde::de::Error>(&self, why: &'static str) -> E {
        self.fault.set(why);
        E::custom(why)
    }

    fn inner<E: serde::de::Error>(&self) -> Result<Self, E> {
        if self.depth >= DEPTH_MAX {
            return Err(self.stop("the body is nested deeper than 16 levels"));
        }
        Ok(Self { depth: self.depth + 1, operations: false, ..*self })
    }

    fn text<E: serde::de::Error>(&self, text: String) -> Result<String, E> {
        if text.contains('\0') {
            return Err(self.stop("a text holds the character NUL"));
        }
        Ok(text)
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Value, E> {
        Ok(Value::Bool(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Value, E> {
        Number::from_f64(number).map(Value::Number).ok_or_else(|| E::custom("no number"))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Value, E> {
        self.visit_string(text.to_owned())
    }

    fn visit_string<E: serde::de::Error>(self, text: String) -> Result<Value, E> {
        self.text(text).map(Value::String)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let short = self.about == ResourceType::Group && !self.operations;
        let mut all = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            all.push(if short { shortened(item) } else { item });
        }
        Ok(Value::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut all = Map::new();
        let mut count = 0_usize;
        while let Some(name) = members.next_key::<String>()? {
            count += 1;
            if count > KEYS_MAX {
                return Err(self.stop("an object of the body has more than 512 members"));
            }
            let name = self.text::<A::Error>(name)?;
            let operations = self.depth == 0 && name.eq_ignore_ascii_case("operations");
            let value = members.next_value_seed(Node { operations, ..inner })?;
            all.insert(name, value);
        }
        Ok(Value::Object(all))
    }
}

/// The text of an element that says no more than whom it means.
fn shortened(item: Value) -> Value {
    let Value::Object(mut fields) = item else { return item };
    let says_more =
        |name: &String| !["value", "$ref", "display", "type"].iter().any(|known| name.eq_ignore_ascii_case(known));
    let is_plain = fields.get("value").and_then(Value::as_str).is_some_and(|value| !value.trim().is_empty());
    if !is_plain || fields.keys().any(says_more) {
        return Value::Object(fields);
    }
    fields.remove("value").unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn detail(body: &str) -> String {
        let error = read(body.as_bytes(), ResourceType::User).expect_err("refused");
        assert_eq!((error.status, error.scim_type), (400, Some(ScimType::InvalidSyntax)), "{body}");
        error.detail
    }

    #[test]
    fn what_is_no_json_object_is_invalid_syntax() {
        for body in ["", " \n", "{", "[]", "null", "\"a\"", "{\"a\":1}}", "{\"a\":01}", "{'a':1}", "\u{1}"] {
            detail(body);
        }
        assert_eq!(read(b"\xef\xbb\xbf{}", ResourceType::User), Ok(json!({})));
        assert!(detail("{\"a\":\"x\\u0000y\"}").contains("NUL"));
        assert!(detail("{\"a\\u0000\":1}").contains("NUL"));
    }

    #[test]
    fn depth_and_members_are_counted_to_their_bounds() {
        let nested = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels - 1), "]".repeat(levels - 1));
        assert!(read(nested(DEPTH_MAX).as_bytes(), ResourceType::User).is_ok());
        assert!(detail(&nested(DEPTH_MAX + 1)).contains("16"));
        let wide = |members: usize| {
            let members: Vec<String> = (0..members).map(|n| format!("\"a{n}\":1")).collect();
            format!("{{{}}}", members.join(","))
        };
        assert!(read(wide(KEYS_MAX).as_bytes(), ResourceType::User).is_ok());
        assert!(detail(&wide(KEYS_MAX + 1)).contains("512"));
        let repeated = format!("{{{}\"a\":1}}", "\"a\":1,".repeat(KEYS_MAX));
        assert!(detail(&repeated).contains("512"), "one name over and over counts too");
    }

    #[test]
    fn members_of_groups_become_their_ids_and_nothing_else_does() {
        let body = json!({
            "members": [{"value": "a", "$ref": null, "display": "A"}, {"value": "b", "type": "User"}, "c",
                        {"$ref": "https://id.example.com/Users/d"}, {"value": ""}, {"value": "e", "more": 1}],
            "Operations": [{"value": "x"}, {"op": "add", "path": "members", "value": [{"value": "f"}]}],
        });
        let read_as = |about| read(body.to_string().as_bytes(), about).expect("well formed");
        let group = read_as(ResourceType::Group);
        assert_eq!(
            group["members"],
            json!(["a", "b", "c", {"$ref": "https://id.example.com/Users/d"}, {"value": ""}, {"value": "e", "more": 1}])
        );
        assert_eq!(group["Operations"][0], json!({"value": "x"}));
        assert_eq!(group["Operations"][1]["value"], json!(["f"]));
        assert_eq!(read_as(ResourceType::User), body);
    }
}
