use proptest::prelude::*;
use serde_json::Map;

use super::*;

/// The attributes that random operations are about, as a resource of SCIM has them.
const PATHS: [&str; 5] = ["title", "displayName", "name.givenName", "name.familyName", "department"];
const KINDS: [&str; 3] = ["work", "home", "other"];

#[derive(Clone, Debug)]
enum Step {
    Set(&'static str, &'static str, String),
    Remove(&'static str),
    Pathless(&'static str, Vec<(&'static str, String)>),
    Typed(&'static str, &'static str, String),
    RemoveTyped(&'static str),
    AllEmails(Vec<(&'static str, String)>),
}

fn op() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec!["add", "Add", "replace", "Replace"])
}

fn step() -> impl Strategy<Value = Step> {
    let path = || proptest::sample::select(PATHS.to_vec());
    let kind = || proptest::sample::select(KINDS.to_vec());
    let text = || "[a-c ]{0,2}";
    prop_oneof![
        (op(), path(), text()).prop_map(|(op, path, text)| Step::Set(op, path, text)),
        path().prop_map(Step::Remove),
        (op(), proptest::collection::btree_map(path(), text(), 0..4))
            .prop_map(|(op, fields)| Step::Pathless(op, fields.into_iter().collect())),
        (op(), kind(), text()).prop_map(|(op, kind, text)| Step::Typed(op, kind, text)),
        kind().prop_map(Step::RemoveTyped),
        proptest::collection::btree_map(kind(), "[a-c]", 0..3)
            .prop_map(|emails| Step::AllEmails(emails.into_iter().collect())),
    ]
}

fn email(kind: &str, text: &str) -> Value {
    json!({ "type": kind, "value": text })
}

fn written(step: &Step) -> Value {
    match step {
        Step::Set(op, path, text) => json!({ "op": op, "path": path, "value": text }),
        Step::Remove(path) => json!({ "op": "remove", "path": path }),
        Step::Pathless(op, fields) => {
            let fields: Map<String, Value> =
                fields.iter().map(|(path, text)| ((*path).to_owned(), text.as_str().into())).collect();
            json!({ "op": op, "value": fields })
        }
        Step::Typed(op, kind, text) => {
            json!({ "op": op, "path": format!("emails[type eq \"{kind}\"].value"), "value": text })
        }
        Step::RemoveTyped(kind) => json!({ "op": "Remove", "path": format!("emails[type eq \"{kind}\"]") }),
        Step::AllEmails(emails) => {
            let all: Vec<Value> = emails.iter().map(|(kind, text)| email(kind, text)).collect();
            json!({ "op": "replace", "path": "emails", "value": all })
        }
    }
}

/// What the steps make of plain JSON: a map of texts, and a list of typed values.
fn plainly(texts: &mut Map<String, Value>, emails: &mut Vec<(String, String)>, step: &Step) {
    let mut put = |path: &str, text: &str| {
        if text.trim().is_empty() {
            texts.remove(path);
        } else {
            texts.insert(path.to_owned(), text.into());
        }
    };
    match step {
        Step::Set(_, path, text) => put(path, text),
        Step::Remove(path) => put(path, ""),
        Step::Pathless(_, fields) => fields.iter().for_each(|(path, text)| put(path, text)),
        Step::Typed(_, kind, text) => {
            let at = emails.iter().position(|(known, _)| known == kind);
            match (at, text.trim().is_empty()) {
                // emptied now, and left out at the end unless it is filled again
                (Some(at), true) => emails[at].1.clear(),
                (Some(at), false) => emails[at].1.clone_from(text),
                (None, true) => {}
                (None, false) => emails.push(((*kind).to_owned(), text.clone())),
            }
        }
        Step::RemoveTyped(kind) => emails.retain(|(known, _)| known != kind),
        Step::AllEmails(all) => {
            *emails = all.iter().map(|(kind, text)| ((*kind).to_owned(), text.clone())).collect();
        }
    }
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        let name = proptest::sample::select(vec![
            "value",
            "type",
            "primary",
            "$ref",
            "emails",
            "name",
            "name.givenName",
            "manager",
            "active",
            "members",
            "userName",
            "addresses",
            "roles[primary eq \"True\"].value",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
            "x[",
        ]);
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(name.prop_map(str::to_owned), inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn any_operation() -> impl Strategy<Value = Value> {
    let path = prop_oneof![
        Just(Value::Null),
        ".{0,12}".prop_map(Value::from),
        proptest::sample::select(vec![
            "emails",
            "emails.value",
            "emails[type eq \"work\"]",
            "emails[type eq \"work\"].value",
            "emails[value pr].primary",
            "manager",
            "manager.value",
            "name",
            "roles[primary eq \"True\"].value",
            "addresses[type eq \"work\"].country",
            "members",
            "members[value eq \"a\"]",
            "members[type pr]",
            "active",
            "userName",
            "nonsense",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        ])
        .prop_map(Value::from),
    ];
    let op = proptest::sample::select(vec!["add", "Replace", "remove", "x"]);
    (op, path, json_value()).prop_map(|(op, path, value)| json!({ "op": op, "path": path, "value": value }))
}

/// What a stored user may hold, whatever came.
fn sound(draft: &Draft) -> bool {
    let schemas = Schemas::of(&directory());
    draft.attributes.iter().all(|(key, value)| {
        let known = schemas.user.attribute(key).is_some() && key != "active";
        let shaped = match value {
            Value::Array(all) => {
                let primary = |one: &&Value| one.get("primary") == Some(&Value::Bool(true));
                !all.is_empty()
                    && all.len() <= 100
                    && all.iter().all(Value::is_object)
                    && all.iter().filter(primary).count() <= 1
            }
            Value::Object(fields) => fields.contains_key("value"),
            Value::String(text) => !text.trim().is_empty(),
            _ => false,
        };
        known && shaped
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn operations_make_what_they_make_of_plain_json(steps in proptest::collection::vec(step(), 0..12)) {
        let before = draft(json!({ "userName": "u", "title": "a", "emails": [email("work", "a")] }));
        let mut texts = Map::from_iter([("userName".to_owned(), json!("u")), ("title".to_owned(), json!("a"))]);
        let mut emails = vec![("work".to_owned(), "a".to_owned())];
        for step in &steps {
            plainly(&mut texts, &mut emails, step);
        }
        emails.retain(|(_, text)| !text.is_empty());
        if !emails.is_empty() {
            let all: Vec<Value> = emails.iter().map(|(kind, text)| email(kind, text)).collect();
            texts.insert("emails".to_owned(), all.into());
        }
        let operations: Vec<Value> = steps.iter().map(written).collect();
        let expected = Draft { attributes: texts.into_iter().collect(), active: true };
        prop_assert_eq!(patched(&before, json!(operations)), expected, "{}", json!(operations));
    }

    #[test]
    fn whatever_operations_come_a_user_stays_sound(operations in proptest::collection::vec(any_operation(), 0..5)) {
        let before = ada(json!({ "manager": { "value": "m" }, "roles": [{ "value": "A" }, { "value": "B" }] }));
        if let Ok((after, _)) = patch_user_in(&directory(), &before, &patch_op(json!(operations))) {
            prop_assert!(sound(&after), "{:?}", after);
        }
        let _ = patch_group_in(&directory(), json!(operations));
    }

    #[test]
    fn a_patch_that_is_sent_again_changes_nothing_more(steps in proptest::collection::vec(step(), 1..2)) {
        let before = draft(json!({ "userName": "u", "title": "a", "emails": [email("work", "a")] }));
        let operations: Vec<Value> = steps.iter().map(written).collect();
        let once = patched(&before, json!(operations));
        prop_assert_eq!(&patched(&once, json!(operations)), &once);
    }
}
