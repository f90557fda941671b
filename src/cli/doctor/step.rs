//! What a provisioning service does, step by step, as values: a request, what a real one would expect of the answer,
//! and what to do if it is another.
//!
//! In texts `${name}` stands for what an earlier step kept, or for a fact of the play.

use serde_json::{Value, json};

use crate::scim::urn;

/// One step of a play.
#[derive(Clone, Debug)]
pub struct Step {
    /// What the service wants.
    pub says: &'static str,
    pub method: &'static str,
    /// Below the base URL.
    pub path: &'static str,
    pub body: Option<Value>,
    /// The body is the answer that was kept under this name, with the fields of `body` laid over it.
    pub echo: Option<&'static str>,
    /// Sent at the same time once for each of these, as `${each}`; what was kept as `m${each}` is `${m}`.
    pub each: &'static [&'static str],
    /// The statuses that a real one takes.
    pub gives: &'static [u16],
    pub expects: Vec<Expect>,
    /// What is kept of the answer: a name, and a JSON pointer.
    pub keeps: Vec<(&'static str, &'static str)>,
    /// The attributes without whose confirmation it is left out.
    pub needs: &'static [&'static str],
    /// What to do if it fails.
    pub mend: &'static str,
}

/// What the body of an answer should be.
#[derive(Clone, Debug)]
pub enum Expect {
    /// At that JSON pointer stands that value; an absent array is an empty one.
    Is(&'static str, Value),
    /// Nothing stands there: absent, null, empty text or empty array.
    Nothing(&'static str),
    /// An array there has an element with these fields.
    Has(&'static str, Value),
    /// An array there has no element with these fields.
    HasNot(&'static str, Value),
    /// So many elements.
    Count(&'static str, usize),
    /// `Location` names the same address as `meta.location`.
    Location,
}

impl Step {
    #[must_use]
    pub fn new(says: &'static str, method: &'static str, path: &'static str) -> Self {
        let gives: &'static [u16] = match method {
            "POST" => &[201],
            "DELETE" => &[204],
            "PATCH" => &[200, 204],
            _ => &[200],
        };
        Self {
            says,
            method,
            path,
            body: None,
            echo: None,
            each: &[],
            gives,
            expects: Vec::new(),
            keeps: Vec::new(),
            needs: &[],
            mend: "",
        }
    }

    #[must_use]
    pub fn body(self, body: Value) -> Self {
        Self { body: Some(body), ..self }
    }

    /// A PatchOp of these operations.
    #[must_use]
    pub fn operations(self, operations: Value) -> Self {
        self.body(json!({ "schemas": [urn::PATCH_OP], "Operations": operations }))
    }

    /// What was kept whole comes back, with these fields changed.
    #[must_use]
    pub fn echo(self, name: &'static str, changed: Value) -> Self {
        Self { echo: Some(name), ..self.body(changed) }
    }

    #[must_use]
    pub fn each(self, each: &'static [&'static str]) -> Self {
        Self { each, ..self }
    }

    #[must_use]
    pub fn gives(self, gives: &'static [u16]) -> Self {
        Self { gives, ..self }
    }

    #[must_use]
    pub fn expect(mut self, expect: Expect) -> Self {
        self.expects.push(expect);
        self
    }

    #[must_use]
    pub fn is(self, pointer: &'static str, value: impl Into<Value>) -> Self {
        let value = value.into();
        self.expect(Expect::Is(pointer, value))
    }

    #[must_use]
    pub fn keep(mut self, name: &'static str, pointer: &'static str) -> Self {
        self.keeps.push((name, pointer));
        self
    }

    #[must_use]
    pub fn needs(self, needs: &'static [&'static str]) -> Self {
        Self { needs, ..self }
    }

    #[must_use]
    pub fn mend(self, mend: &'static str) -> Self {
        Self { mend, ..self }
    }
}

/// The text with each `${name}` replaced; one that nobody knows stays, and is seen.
#[must_use]
pub fn filled(text: &str, names: &std::collections::BTreeMap<String, String>) -> String {
    let mut done = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("${") {
        done.push_str(before);
        match behind.split_once('}') {
            Some((name, after)) if names.contains_key(name) => {
                done.push_str(names.get(name).map_or("", String::as_str));
                rest = after;
            }
            _ => {
                done.push_str("${");
                rest = behind;
            }
        }
    }
    done + rest
}

/// The same in every text of a value.
#[must_use]
pub fn filled_value(value: &Value, names: &std::collections::BTreeMap<String, String>) -> Value {
    match value {
        Value::String(text) => filled(text, names).into(),
        Value::Array(items) => items.iter().map(|item| filled_value(item, names)).collect(),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(key, value)| (filled(key, names), filled_value(value, names))).collect())
        }
        other => other.clone(),
    }
}

impl Expect {
    /// What is wrong about an answer, if something is. Names places, never values.
    #[must_use]
    pub fn fault(&self, body: &Value, location: Option<&str>) -> Option<String> {
        let at = |pointer: &str| body.pointer(pointer).filter(|value| !is_nothing(value));
        let elements = |pointer: &str| at(pointer).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let has = |pointer: &str, part: &Value| elements(pointer).iter().any(|element| covers(element, part));
        match self {
            Self::Is(pointer, wanted) => (at(pointer) != Some(wanted))
                .then(|| format!("{pointer} should be {wanted} and is {}", shown(at(pointer)))),
            Self::Nothing(pointer) => {
                at(pointer).map(|value| format!("{pointer} should be absent and is {}", shown(Some(value))))
            }
            Self::Has(pointer, part) => (!has(pointer, part)).then(|| format!("{pointer} should have {part}")),
            Self::HasNot(pointer, part) => has(pointer, part).then(|| format!("{pointer} should not have {part}")),
            Self::Count(pointer, count) => {
                let found = elements(pointer).len();
                (found != *count).then(|| format!("{pointer} should have {count} elements and has {found}"))
            }
            Self::Location => {
                let stated = body.pointer("/meta/location").and_then(Value::as_str);
                (stated.is_none() || stated != location)
                    .then(|| "Location should be there, and be meta.location".to_owned())
            }
        }
    }

    #[must_use]
    pub fn filled(&self, names: &std::collections::BTreeMap<String, String>) -> Self {
        match self {
            Self::Is(pointer, value) => Self::Is(pointer, filled_value(value, names)),
            Self::Has(pointer, value) => Self::Has(pointer, filled_value(value, names)),
            Self::HasNot(pointer, value) => Self::HasNot(pointer, filled_value(value, names)),
            other => other.clone(),
        }
    }
}

/// The play's own data, so that it may be shown.
fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "absent".to_owned(), |value| value.to_string().chars().take(200).collect())
}

/// Null, empty text and an empty array say the same as absence (RFC 7643 §2.5).
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// Whether `whole` has all that `part` has.
fn covers(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(key, value)| whole.get(key).is_some_and(|found| covers(found, value)))
        }
        _ => whole == part,
    }
}

/// The person of a play, created a second time.
#[must_use]
pub fn twice() -> Step {
    Step::new("create the person twice", "POST", "/Users")
        .gives(&[409])
        .body(json!({ "schemas": [urn::USER], "externalId": "${object}", "userName": "${upn}", "active": true }))
        .is("/scimType", "uniqueness")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_filled_in_and_unknown_ones_stay() {
        let names = [("user".to_owned(), "7".to_owned())].into();
        assert_eq!(filled("/Users/${user}/${user}?${nobody}${", &names), "/Users/7/7?${nobody}${");
        assert_eq!(filled_value(&json!({"a": ["${user}", 1]}), &names), json!({"a": ["7", 1]}));
    }

    #[test]
    fn each_expectation_finds_what_it_is_there_for() {
        let body = json!({"a": "x", "none": "", "list": [{"value": "1", "more": 2}], "meta": {"location": "here"}});
        let fault = |expect: Expect| expect.fault(&body, Some("here")).is_some();
        assert!(!fault(Expect::Is("/a", json!("x"))) && fault(Expect::Is("/a", json!("y"))));
        assert!(!fault(Expect::Nothing("/none")) && !fault(Expect::Nothing("/b")) && fault(Expect::Nothing("/a")));
        assert!(
            !fault(Expect::Has("/list", json!({"value": "1"}))) && fault(Expect::Has("/list", json!({"value": "2"})))
        );
        assert!(fault(Expect::HasNot("/list", json!({"value": "1"}))) && !fault(Expect::HasNot("/b", json!({}))));
        assert!(
            !fault(Expect::Count("/list", 1)) && fault(Expect::Count("/list", 2)) && !fault(Expect::Count("/b", 0))
        );
        assert!(!fault(Expect::Location) && Expect::Location.fault(&body, None).is_some());
    }
}
