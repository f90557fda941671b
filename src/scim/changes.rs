//! What the audit keeps of a change: each attribute before and after.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::schema::Schema;
use super::writer::Writer;
use crate::identity::group::MemberDelta;
use crate::identity::user::Attributes;

/// Member ids of one step that are written out; of more, the count stands there too.
const IDS_MAX: usize = 100;
/// Few changes are longer than a whole user.
const CHANGES_BYTES: usize = 1_024;

/// A resource as it was or is; a group has no `active`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Side<'a> {
    pub attributes: Option<&'a Attributes>,
    pub active: Option<bool>,
}

/// Under which sensitive values stand in the audit.
pub struct AuditKey(hmac::Key);

impl AuditKey {
    /// `secret`: lasting, of this installation, for this purpose.
    #[must_use]
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    fn digest(&self, value: &Value) -> String {
        let tag = hmac::sign(&self.0, value.to_string().as_bytes());
        URL_SAFE_NO_PAD.encode(tag)
    }
}

/// How changes are written: a sensitive value stands as `{"digest": …}`, keyed, so that nobody can try out values.
#[derive(Clone, Copy)]
pub struct Writing<'a> {
    pub schema: &'a Schema,
    pub key: &'a AuditKey,
}

impl Writing<'_> {
    /// `{attribute: {"before": …, "after": …}}` of what differs, as JSON; a side that has no value has no such member. The
    /// changes of members, if there are any, stand under `members`.
    #[must_use]
    pub fn between(&self, before: Side<'_>, after: Side<'_>, steps: &[MemberDelta]) -> String {
        let mut out = Vec::with_capacity(CHANGES_BYTES);
        let mut json = Writer::new(&mut out);
        json.open(b'{');
        let none = Attributes::new();
        let (was, is) = (before.attributes.unwrap_or(&none), after.attributes.unwrap_or(&none));
        for (name, value) in was {
            let now = is.get(name);
            if now != Some(value) {
                self.pair(&mut json, name, (Some(value), now));
            }
        }
        for (name, value) in is.iter().filter(|(name, _)| !was.contains_key(*name)) {
            self.pair(&mut json, name, (None, Some(value)));
        }
        if before.active != after.active {
            let truth = |active: Option<bool>| active.map(Value::Bool);
            self.pair(&mut json, "active", (truth(before.active).as_ref(), truth(after.active).as_ref()));
        }
        if !steps.is_empty() {
            json.name("members");
            json.value(&members(steps));
        }
        json.close(b'}');
        // What was written are texts.
        String::from_utf8(out).unwrap_or_default()
    }

    fn pair(&self, json: &mut Writer<'_>, name: &str, (before, after): (Option<&Value>, Option<&Value>)) {
        let sensitive = self.schema.attribute(name).is_some_and(|attribute| attribute.sensitive);
        json.foreign_name(name);
        json.open(b'{');
        for (side, value) in [("before", before), ("after", after)] {
            let Some(value) = value else { continue };
            json.name(side);
            if sensitive {
                json.open(b'{');
                json.name("digest");
                json.pieces(&[&self.key.digest(value)]);
                json.close(b'}');
            } else {
                json.value(value);
            }
        }
        json.close(b'}');
    }
}

/// What is kept of a change of members: the steps in their order, with the first of their ids.
#[must_use]
pub fn members(steps: &[MemberDelta]) -> Value {
    let step = |what: &str, ids: &[String]| {
        let mut step = Map::new();
        step.insert(what.to_owned(), ids.iter().take(IDS_MAX).cloned().collect());
        if ids.len() > IDS_MAX {
            step.insert("count".to_owned(), ids.len().into());
        }
        Value::Object(step)
    };
    steps
        .iter()
        .map(|delta| match delta {
            MemberDelta::Add(ids) => step("add", ids),
            MemberDelta::Remove(ids) => step("remove", ids),
            MemberDelta::Replace(ids) => step("replace", ids),
            MemberDelta::Clear => step("replace", &[]),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::samples::directory;
    use super::super::schema::Schemas;
    use super::*;
    use crate::identity::Source;

    fn schema() -> Schema {
        Schemas::of(&directory(Source::Azure, &["userName", "title", "employeeNumber"])).user
    }

    fn attributes(pairs: &[(&str, &str)]) -> Attributes {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect()
    }

    #[test]
    fn what_differs_stands_there_with_both_sides_and_what_is_sensitive_by_digest() {
        let schema = schema();
        let key = AuditKey::new(&[7; 32]);
        let writing = Writing { schema: &schema, key: &key };
        let was = attributes(&[("title", "Baker"), ("employeeNumber", "old"), ("same", "x")]);
        let is = attributes(&[("title", "Cook"), ("employeeNumber", "new"), ("same", "x"), ("more", "y")]);
        let text = writing.between(
            Side { attributes: Some(&was), active: Some(true) },
            Side { attributes: Some(&is), active: Some(false) },
            &[MemberDelta::Clear],
        );
        let changes: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(changes["title"], json!({"before": "Baker", "after": "Cook"}));
        assert_eq!(changes["more"], json!({"after": "y"}));
        assert_eq!(changes["active"], json!({"before": true, "after": false}));
        assert!(changes.get("same").is_none());
        assert_eq!(changes["members"], json!([{"replace": []}]));
        assert!(!text.contains("old") && !text.contains("new"), "{text}");
        assert_ne!(changes["employeeNumber"]["before"]["digest"], changes["employeeNumber"]["after"]["digest"]);
        let (side, other) = (Side { attributes: Some(&was), active: None }, AuditKey::new(&[8; 32]));
        let other = Writing { schema: &schema, key: &other }.between(side, Side::default(), &[]);
        let other: Value = serde_json::from_str(&other).unwrap();
        assert_ne!(other["employeeNumber"]["before"], changes["employeeNumber"]["before"], "keyed");
    }

    #[test]
    fn a_huge_step_is_counted_and_begun() {
        let ids: Vec<String> = (0..1_000).map(|n| n.to_string()).collect();
        let kept = members(&[MemberDelta::Add(ids), MemberDelta::Clear]);
        assert_eq!(kept[0]["count"], 1_000);
        assert_eq!(kept[0]["add"].as_array().map(Vec::len), Some(IDS_MAX));
        assert_eq!(kept[1], json!({"replace": []}));
    }
}
