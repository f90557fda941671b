//! What the audit keeps of a change: each attribute before and after.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::schema::Schema;
use crate::identity::group::MemberDelta;
use crate::identity::user::Attributes;

/// Member ids of one step that are written out; of more, the count stands there too.
const IDS_MAX: usize = 100;

/// A resource as it was or is; a group has no `active`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Side<'a> {
    pub attributes: Option<&'a Attributes>,
    pub active: Option<bool>,
}

/// How changes are written: a sensitive value stands as `{"digest": …}`, keyed, so that nobody can try out values.
pub struct Writing<'a> {
    schema: &'a Schema,
    key: hmac::Key,
}

impl<'a> Writing<'a> {
    /// `key`: a lasting secret of this installation, for this purpose.
    #[must_use]
    pub fn new(schema: &'a Schema, key: &[u8; 32]) -> Self {
        Self { schema, key: hmac::Key::new(hmac::HMAC_SHA256, key) }
    }

    /// `{attribute: {"before": …, "after": …}}` of what differs; a side that has no value has no such member.
    #[must_use]
    pub fn between(&self, before: Side<'_>, after: Side<'_>) -> Map<String, Value> {
        let mut changes = Map::new();
        let none = Attributes::new();
        let (was, is) = (before.attributes.unwrap_or(&none), after.attributes.unwrap_or(&none));
        for (name, value) in was {
            let now = is.get(name);
            if now != Some(value) {
                changes.insert(name.clone(), self.pair(name, Some(value), now));
            }
        }
        for (name, value) in is.iter().filter(|(name, _)| !was.contains_key(*name)) {
            changes.insert(name.clone(), self.pair(name, None, Some(value)));
        }
        if before.active != after.active {
            let truth = |active: Option<bool>| active.map(Value::Bool);
            changes.insert(
                "active".to_owned(),
                self.pair("active", truth(before.active).as_ref(), truth(after.active).as_ref()),
            );
        }
        changes
    }

    fn pair(&self, name: &str, before: Option<&Value>, after: Option<&Value>) -> Value {
        let sensitive = self.schema.attribute(name).is_some_and(|attribute| attribute.sensitive);
        let shown = |value: &Value| if sensitive { self.digest(value) } else { value.clone() };
        let sides = [("before", before), ("after", after)];
        sides
            .into_iter()
            .filter_map(|(side, value)| Some((side.to_owned(), shown(value?))))
            .collect::<Map<_, _>>()
            .into()
    }

    fn digest(&self, value: &Value) -> Value {
        let tag = hmac::sign(&self.key, value.to_string().as_bytes());
        json!({ "digest": URL_SAFE_NO_PAD.encode(tag) })
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
    use super::super::schema::Schemas;
    use super::*;
    use crate::base::Span;
    use crate::identity::directory::{DirectoryKind, OnDeactivate};
    use crate::identity::{Dialect, Directory, Source};

    /// Of a directory that confirms what the test needs.
    fn schema() -> Schema {
        let attributes = ["userName", "title", "employeeNumber"];
        Schemas::of(&Directory {
            id: "contoso".to_owned(),
            name: "Contoso".to_owned(),
            domains: Vec::new(),
            default_domain: None,
            source: Source::Azure,
            kind: DirectoryKind::Provisioned,
            attributes: attributes.iter().map(|&name| name.to_owned()).collect(),
            decode_ms_guid: false,
            on_deactivate: OnDeactivate::Keep,
            purge_after: Span::days(7),
            clear_sentinel: "__CLEAR__".to_owned(),
            max_removals: "5%".to_owned(),
            dialect: Dialect::preset(Source::Azure),
        })
        .user
    }

    fn attributes(pairs: &[(&str, &str)]) -> Attributes {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect()
    }

    #[test]
    fn what_differs_stands_there_with_both_sides_and_what_is_sensitive_by_digest() {
        let schema = schema();
        let writing = Writing::new(&schema, &[7; 32]);
        let was = attributes(&[("title", "Baker"), ("employeeNumber", "old"), ("same", "x")]);
        let is = attributes(&[("title", "Cook"), ("employeeNumber", "new"), ("same", "x"), ("more", "y")]);
        let changes = writing.between(
            Side { attributes: Some(&was), active: Some(true) },
            Side { attributes: Some(&is), active: Some(false) },
        );
        assert_eq!(changes["title"], json!({"before": "Baker", "after": "Cook"}));
        assert_eq!(changes["more"], json!({"after": "y"}));
        assert_eq!(changes["active"], json!({"before": true, "after": false}));
        assert!(!changes.contains_key("same"));
        let text = Value::Object(changes.clone()).to_string();
        assert!(!text.contains("old") && !text.contains("new"), "{text}");
        assert_ne!(changes["employeeNumber"]["before"]["digest"], changes["employeeNumber"]["after"]["digest"]);
        let other = Writing::new(&schema, &[8; 32])
            .between(Side { attributes: Some(&was), active: None }, Side { attributes: None, active: None });
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
