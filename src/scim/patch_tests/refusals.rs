use super::*;
use crate::identity::dialect::{Blank, Missing, StringBooleans};
use crate::scim::error::ScimType::{InvalidFilter, InvalidPath, InvalidSyntax, InvalidValue, Mutability, NoTarget};

#[test]
fn e47_what_cannot_be_done_is_refused_by_its_operation_and_nothing_is_done() {
    let before = ada(json!({}));
    for (operation, expected) in [
        (json!({ "op": "remove" }), NoTarget),
        (json!({ "op": "remove", "path": "" }), NoTarget),
        (json!({ "op": "replace", "path": "emails[type co \"h\"].value", "value": "x" }), NoTarget),
        (json!({ "op": "replace", "path": "emails[type eq \"h\" or type eq \"i\"].value", "value": "x" }), NoTarget),
        (json!({ "op": "replace", "path": "emails[not (type eq \"work\")].value", "value": "x" }), NoTarget),
        (json!({ "op": "remove", "path": "userName" }), Mutability),
        (json!({ "op": "remove", "path": "active" }), Mutability),
        (json!({ "op": "replace", "path": "id", "value": "x" }), Mutability),
        (json!({ "op": "replace", "path": "meta.version", "value": "x" }), Mutability),
        (json!({ "op": "add", "path": "groups", "value": [{ "value": "g" }] }), Mutability),
        (json!({ "op": "add", "path": "groups[value eq \"g\"]", "value": {} }), Mutability),
        (json!({ "op": "replace", "path": "manager.displayName", "value": "x" }), Mutability),
        (json!({ "op": "replace", "path": "emails[type eq", "value": "x" }), InvalidPath),
        (json!({ "op": "replace", "path": "title title", "value": "x" }), InvalidPath),
        (json!({ "op": "replace", "path": "title[value eq \"x\"]", "value": "x" }), InvalidPath),
        (json!({ "op": "replace", "path": "name[givenName eq \"x\"]", "value": "x" }), InvalidPath),
        (json!({ "op": "replace", "path": 7, "value": "x" }), InvalidPath),
        (json!({ "op": "replace", "path": "emails[nonsense eq \"x\"].value", "value": "x" }), InvalidFilter),
        (json!({ "op": "move", "path": "title", "value": "x" }), InvalidSyntax),
        (json!({ "path": "title", "value": "x" }), InvalidSyntax),
        (json!("replace"), InvalidSyntax),
        (json!({ "op": "replace", "path": "title" }), InvalidValue),
        (json!({ "op": "replace", "value": "x" }), InvalidValue),
        (json!({ "op": "add" }), InvalidValue),
        (json!({ "op": "replace", "path": "active", "value": "maybe" }), InvalidValue),
        (json!({ "op": "replace", "path": "userName", "value": "" }), InvalidValue),
        (json!({ "op": "replace", "path": "name", "value": "Ada" }), InvalidValue),
        (json!({ "op": "replace", "path": "title", "value": { "secret": ["x"] } }), InvalidValue),
    ] {
        let first = json!({ "op": "replace", "path": "displayName", "value": "Changed" });
        let fault = refused(&before, json!([first, operation]));
        assert_eq!((fault.status, fault.scim_type), (400, Some(expected)), "{operation}: {fault}");
        assert!(!fault.detail.contains("secret") && !fault.detail.contains("maybe"), "{fault}");
    }
}

#[test]
fn a_body_that_is_no_patch_is_refused() {
    for body in [json!([]), json!({}), json!({ "Operations": {} }), json!({ "Operations": null }), json!("x")] {
        let fault = patch_user_in(&directory(), &ada(json!({})), &body).unwrap_err();
        assert_eq!(fault.scim_type, Some(InvalidSyntax), "{body}");
    }
}

#[test]
fn a_refusal_says_which_operation_it_is() {
    let noop = json!({ "op": "replace", "path": "title", "value": "x" });
    let fault = refused(&ada(json!({})), json!([noop, noop, { "op": "remove" }]));
    assert!(fault.detail.starts_with("operation 3: "), "{fault}");
}

#[test]
fn the_count_of_operations_holds_at_n_and_not_at_n_plus_1() {
    let many =
        |count: usize, path: &str| Value::Array(vec![json!({ "op": "replace", "path": path, "value": "x" }); count]);
    assert_eq!(patched(&ada(json!({})), many(200, "title")).attributes["title"], "x");
    let fault = refused(&ada(json!({})), many(201, "title"));
    assert_eq!(fault.scim_type, Some(InvalidValue));
    assert!(fault.detail.contains("201") && fault.detail.contains("200"), "{fault}");
    assert!(patch_group_in(&directory(), many(10_000, "displayName")).is_ok());
    let fault = patch_group_in(&directory(), many(10_001, "displayName")).unwrap_err();
    assert!(fault.detail.contains("10001") && fault.detail.contains("10000"), "{fault}");
}

#[test]
fn the_count_of_values_holds_at_n_and_not_at_n_plus_1() {
    let emails =
        |from: usize, to: usize| -> Vec<Value> { (from..to).map(|n| json!({ "value": format!("{n}@e.x") })).collect() };
    let full = patched(&ada(json!({})), json!([{ "op": "replace", "path": "emails", "value": emails(0, 100) }]));
    let more = |value: Value| json!([{ "op": "add", "path": "emails", "value": value }]);
    assert_eq!(patched(&full, more(json!(emails(0, 100)))), full);
    assert_eq!(refused(&full, more(json!(emails(100, 101)))).attribute.as_deref(), Some("emails"));
    let made = json!([{ "op": "add", "path": "emails[type eq \"new\"].value", "value": "n@e.x" }]);
    assert_eq!(refused(&full, made).attribute.as_deref(), Some("emails"));
}

#[test]
fn rules_of_the_dialect_hold_in_a_patch() {
    let mut own = directory();
    own.dialect.blank = Blank::Ignore;
    own.dialect.string_booleans = StringBooleans::Refuse;
    let boss = ada(json!({ "title": "Boss" }));
    let one = |operation: Value| patch_op(json!([operation]));
    for operation in [
        json!({ "op": "replace", "path": "title", "value": "" }),
        json!({ "op": "replace", "path": "name", "value": null }),
        json!({ "op": "replace", "path": "emails[type eq \"work\"].value", "value": " " }),
        json!({ "op": "replace", "value": { "emails": [] } }),
    ] {
        let (after, _) = patch_user_in(&own, &boss, &one(operation.clone())).unwrap();
        assert_eq!(after, boss, "{operation}");
    }
    let text = one(json!({ "op": "replace", "path": "active", "value": "False" }));
    assert!(patch_user_in(&own, &boss, &text).is_err());

    own.dialect.missing = Missing::Refuse;
    let without = one(json!({ "op": "remove", "path": "emails" }));
    assert_eq!(patch_user_in(&own, &boss, &without).unwrap_err().attribute.as_deref(), Some("emails"));
    let lacking = Draft { attributes: draft(json!({ "userName": "u" })).attributes, active: true };
    let off = one(json!({ "op": "replace", "path": "active", "value": false }));
    assert!(!patch_user_in(&own, &lacking, &off).unwrap().0.active, "who lacks something already can be switched off");
}
