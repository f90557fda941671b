//! Reads a SCIM dump piece by piece: a ListResponse, an array of resources, or one resource after another (JSON lines).
//! Never more than one resource is in memory, however long the file.

use std::fmt;
use std::io::{BufReader, Read};

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Hands every resource to `take`, in their order; ends at the first for which it is false.
///
/// # Errors
/// What can't be read, with line and column.
pub fn read(from: impl Read, take: &mut dyn FnMut(Value) -> bool) -> Result<(), serde_json::Error> {
    let mut json = serde_json::Deserializer::from_reader(BufReader::with_capacity(1 << 18, from));
    // `end` is sound between two values: it passes over white space only.
    while json.end().is_err() {
        let top = Top { take: &mut *take };
        if !top.deserialize(&mut json)? {
            return Ok(());
        }
    }
    Ok(())
}

type Take<'t> = &'t mut dyn FnMut(Value) -> bool;

/// A value at the top; says whether to read on.
struct Top<'t> {
    take: Take<'t>,
}

impl<'de> DeserializeSeed<'de> for Top<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Top<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a SCIM ListResponse, an array of resources, or resources")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let mut fields = Map::new();
        let (mut listed, mut more) = (false, true);
        while let Some(key) = map.next_key::<String>()? {
            if key.eq_ignore_ascii_case("Resources") {
                listed = true;
                more = map.next_value_seed(Resources { take: &mut *self.take })? && more;
            } else {
                fields.insert(key, map.next_value()?);
            }
        }
        if listed || fields.contains_key("totalResults") {
            return Ok(more);
        }
        Ok((self.take)(Value::Object(fields)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<bool, A::Error> {
        Resources { take: self.take }.visit_seq(seq)
    }
}

/// The elements of `Resources`.
struct Resources<'t> {
    take: Take<'t>,
}

impl<'de> DeserializeSeed<'de> for Resources<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Resources<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of resources")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<bool, A::Error> {
        let mut more = true;
        while let Some(resource) = seq.next_element::<Value>()? {
            if !resource.is_object() {
                return Err(A::Error::custom("a resource is a JSON object"));
            }
            more = more && (self.take)(resource);
        }
        Ok(more)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &str) -> Result<Vec<String>, String> {
        let mut found = Vec::new();
        let mut take = |value: Value| {
            found.push(value["id"].as_str().unwrap_or("-").to_owned());
            true
        };
        read(text.as_bytes(), &mut take).map_err(|fault| fault.to_string())?;
        Ok(found)
    }

    #[test]
    fn a_list_an_array_and_lines_give_the_same_resources() {
        let wanted = Ok(vec!["a".to_owned(), "b".to_owned()]);
        for text in [
            r#"{"schemas":["x"],"totalResults":2,"Resources":[{"id":"a"},{"id":"b"}],"startIndex":1}"#,
            r#"[{"id":"a"},{"id":"b"}]"#,
            "{\"id\":\"a\"}\n{\"id\":\"b\"}\n",
            "{\"Resources\":[{\"id\":\"a\"}]}\n\n{\"Resources\":[{\"id\":\"b\"}]}",
        ] {
            assert_eq!(ids(text), wanted, "{text}");
        }
        assert_eq!(ids(r#"{"totalResults":0}"#), Ok(Vec::new()));
        assert_eq!(ids(" \n"), Ok(Vec::new()));
    }

    #[test]
    fn what_is_no_dump_is_refused_with_its_place() {
        for text in ["7", "{\"Resources\":{}}", "[7]", "{\"id\":", "[{\"id\":\"a\"},]", "\"x\""] {
            assert!(ids(text).is_err(), "{text}");
        }
        assert!(ids("{\"id\":\"a\"}\n{\"id\" 7}").unwrap_err().contains("line 2"));
    }

    #[test]
    fn reading_ends_when_nobody_takes_any_more() {
        let mut count = 0;
        let mut take = |_| {
            count += 1;
            false
        };
        read(r#"{"id":"a"} {"id":"b"}"#.as_bytes(), &mut take).unwrap();
        assert_eq!(count, 1);
    }
}
