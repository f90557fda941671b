use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::identity::dialect::Blank;
use crate::identity::{Directory, Source};
use crate::scim::samples::{CUSTOM, any_json, directory, generous};
use crate::scim::schema::Schemas;
use crate::scim::urn;

fn with<T>(directory: &Directory, f: impl Fn(&Reading<'_>) -> T) -> T {
    let schemas = Schemas::of(directory);
    f(&Reading::new(directory, &schemas.user))
}

fn created(directory: &Directory, body: &Value) -> (Draft, Notes) {
    with(directory, |reading| create(reading, body)).unwrap_or_else(|refusal| panic!("{body}: {refusal}"))
}

fn replaced(directory: &Directory, current: &Draft, body: &Value) -> Draft {
    with(directory, |reading| replace(reading, current, body)).unwrap_or_else(|refusal| panic!("{body}: {refusal}")).0
}

fn draft(attributes: Value) -> Draft {
    Draft { attributes: serde_json::from_value(attributes).expect("an object"), active: true }
}

/// As Okta and Entra have it.
fn ada() -> Value {
    json!({
        "schemas": [urn::USER],
        "userName": "ada@contoso.com",
        "externalId": "e-1",
        "name": { "givenName": "Ada", "familyName": "Lovelace" },
        "emails": [{ "type": "work", "primary": true, "value": "ada@contoso.com" }],
        "title": "Boss",
        "active": true,
    })
}

#[test]
fn the_sample_of_the_documentation_with_nulls_and_a_mistyped_urn_stores_no_null_e10() {
    let body = json!({
        "schemas": [urn::USER, "urn:ietf:params:scim:schemas:extension:enterprise:2.0User"],
        "externalId": "jy", "userName": "jy@testuser.com", "active": true, "addresses": null,
        "displayName": "Joy Young", "emails": [{ "type": "work", "value": "jy@Contoso.com", "primary": true }],
        "meta": { "resourceType": "User" }, "name": { "familyName": "Young", "givenName": "Joy" },
        "phoneNumbers": null, "preferredLanguage": null, "title": null, "department": null, "manager": null,
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0User": { "costCenter": "7" },
    });
    let (draft, notes) = created(&generous(Source::Azure), &body);
    let keys: Vec<&str> = draft.attributes.keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        ["costCenter", "displayName", "emails", "externalId", "name.familyName", "name.givenName", "userName"]
    );
    assert_eq!(notes.unknown, [""; 0]);
    assert!(notes.cleared.contains(&"title".to_owned()));
}

#[test]
fn names_in_any_case_and_bare_names_of_extensions_find_their_place_e13_e16() {
    let body = json!({
        "UserName": "cs@e.x",
        urn::ENTERPRISE: { "Department": "bob", "Manager": { "Value": "SuzzyQ" } },
        urn::WS1B_USER: { "domain": "e.x", "userPrincipalName": "x@e.x" },
        CUSTOM: { "Badge": "B-7" },
        format!("{CUSTOM}:floor"): 3,
        "costCenter": "C",
        "name.givenName": "Ada",
        "manager.value": "SuzzyQ",
    });
    let (draft, notes) = created(&generous(Source::Azure), &body);
    assert_eq!(
        json!(draft.attributes),
        json!({
            "userName": "cs@e.x", "department": "bob", "manager": { "value": "SuzzyQ" }, "domain": "e.x",
            "userPrincipalName": "x@e.x", format!("{CUSTOM}:badge"): "B-7", format!("{CUSTOM}:floor"): "3",
            "costCenter": "C", "name.givenName": "Ada",
        })
    );
    assert_eq!((notes.unknown.len(), notes.unconfirmed.len()), (0, 0));
}

#[test]
fn a218_a219_what_is_read_only_unknown_or_secret_leaves_no_trace_e15_o03() {
    let body = json!({
        "userName": "a", "id": "mine", "meta": { "version": "9" }, "groups": [{ "value": "admins" }],
        "password": "1mz050nq", "sessions_valid_from": 0, "directory": "other", "titel": "x",
        "emails": [{ "value": "a@b.c", "password": "1mz050nq" }],
    });
    let (draft, notes) = created(&generous(Source::Okta), &body);
    assert_eq!(json!(draft.attributes), json!({ "userName": "a", "emails": [{ "value": "a@b.c" }] }));
    assert_eq!(notes.read_only, ["groups"]);
    assert_eq!(notes.unknown, ["directory", "emails.password", "sessions_valid_from", "titel"]);
    assert!(!format!("{draft:?} {notes:?}").contains("1mz050nq"));
    let (_, quiet) = created(&generous(Source::Okta), &json!({ "userName": "a", "groups": [] }));
    assert_eq!(quiet.read_only, [""; 0], "an empty list asks for nothing");
}

#[test]
fn what_is_not_confirmed_is_dropped_and_named() {
    let few = directory(Source::Azure, &["userName", "name.givenName"]);
    let body = json!({
        "userName": "a", "title": "Boss", "nickName": null, "name": { "givenName": "Ada", "familyName": "L" },
        urn::ENTERPRISE: { "department": "R", "division": "" }, CUSTOM: { "badge": "7" },
    });
    let (draft, notes) = created(&few, &body);
    assert_eq!(json!(draft.attributes), json!({ "userName": "a", "name.givenName": "Ada" }));
    let department = format!("{}:department", urn::ENTERPRISE);
    assert_eq!(notes.unconfirmed, ["name.familyName", "title", &format!("{CUSTOM}:badge"), &department]);
}

#[test]
fn a225_no_user_is_without_a_name() {
    let okta = generous(Source::Okta);
    for body in [json!({}), json!({ "userName": null }), json!({ "userName": " " }), json!({ "userName": "__CLEAR__" })]
    {
        for refusal in [
            with(&okta, |reading| create(reading, &body)).expect_err("nameless"),
            with(&okta, |reading| replace(reading, &draft(json!({ "userName": "a" })), &body)).expect_err("nameless"),
        ] {
            assert_eq!(refusal.attribute.as_deref(), Some("userName"), "{body}");
            assert_eq!(refusal.body()["scimType"], "invalidValue");
        }
    }
}

#[test]
fn a_user_who_lacks_what_services_need_is_stored_or_refused_by_the_dialect_e11() {
    let mut strict = generous(Source::Azure);
    let body = json!({ "userName": "a@contoso.com", "emails": [{ "value": "a@contoso.com" }] });
    let (draft, _) = created(&strict, &body);
    assert_eq!(lacks(&strict, &draft), ["name.givenName", "name.familyName", "externalId"]);
    strict.dialect.missing = Missing::Refuse;
    let refusal = with(&strict, |reading| create(reading, &body)).expect_err("incomplete");
    assert_eq!(refusal.attribute.as_deref(), Some("name.givenName"));
    assert!(with(&strict, |reading| create(reading, &ada())).is_ok());
}

#[test]
fn a_domain_is_lacking_only_if_nothing_says_one() {
    let mut home = generous(Source::Azure);
    let lacks_domain = |home: &Directory, attributes: Value| lacks(home, &draft(attributes)).contains(&"domain");
    assert!(lacks_domain(&home, json!({ "userName": "ada" })));
    assert!(lacks_domain(&home, json!({ "userName": "ada@other.test" })));
    assert!(!lacks_domain(&home, json!({ "userName": "ada@CONTOSO.com" })));
    assert!(!lacks_domain(&home, json!({ "userName": "ada", "domain": "own.test" })));
    assert!(!lacks_domain(&home, json!({ "userName": "ada", "emails": [{ "value": "ada@contoso.com" }] })));
    home.default_domain = Some("contoso.com".to_owned());
    assert!(!lacks_domain(&home, json!({ "userName": "ada" })));
}

#[test]
fn a_put_of_okta_clears_what_it_omits_and_one_of_entra_keeps_it_o06() {
    let current =
        draft(json!({ "userName": "a", "externalId": "e", "title": "Boss", "nickName": "A", "department": "R" }));
    let body = json!({ "userName": "b", "title": "Chief" });
    let after = replaced(&generous(Source::Okta), &current, &body);
    assert_eq!(json!(after.attributes), json!({ "userName": "b", "externalId": "e", "title": "Chief" }));
    let after = replaced(&generous(Source::Azure), &current, &body);
    assert_eq!(
        json!(after.attributes),
        json!({
            "userName": "b", "externalId": "e", "title": "Chief", "nickName": "A", "department": "R",
        })
    );
}

#[test]
fn a_put_without_active_leaves_a_disabled_user_disabled_o07() {
    for source in [Source::Okta, Source::Azure, Source::Generic] {
        let current = Draft { active: false, ..draft(json!({ "userName": "a" })) };
        for body in [json!({ "userName": "a" }), json!({ "userName": "a", "active": null })] {
            assert!(!replaced(&generous(source), &current, &body).active, "{body}");
        }
        assert!(replaced(&generous(source), &current, &json!({ "userName": "a", "active": "True" })).active);
    }
}

#[test]
fn a_put_clears_by_null_whatever_omission_means() {
    let current = draft(json!({
        "userName": "a", "externalId": "e", "title": "Boss", "name.givenName": "Ada", "name.familyName": "L",
        "department": "R", "costCenter": "C",
    }));
    let body = json!({
        "userName": "a", "externalId": null, "title": "", "name": { "familyName": null }, urn::ENTERPRISE: null,
    });
    let after = replaced(&generous(Source::Azure), &current, &body);
    assert_eq!(json!(after.attributes), json!({ "userName": "a", "name.givenName": "Ada" }));
    let after = replaced(&generous(Source::Azure), &current, &json!({ "userName": "a", "name": null }));
    assert!(!after.attributes.contains_key("name.givenName"));
}

#[test]
fn where_blanks_are_passed_over_they_clear_nothing() {
    let mut quiet = generous(Source::Azure);
    quiet.dialect.blank = Blank::Ignore;
    let current = draft(json!({ "userName": "a", "title": "Boss", "department": "R" }));
    let body = json!({ "userName": "a", "title": null, urn::ENTERPRISE: {} });
    assert_eq!(replaced(&quiet, &current, &body), current);
    let body = json!({ "userName": "a", "title": "__CLEAR__" });
    assert!(!replaced(&quiet, &current, &body).attributes.contains_key("title"));
}

#[test]
fn a_value_under_one_name_is_not_undone_by_a_null_under_another() {
    let full = format!("{}:department", urn::ENTERPRISE);
    for body in [
        json!({ "userName": "a", "department": null, &*full: "R" }),
        json!({ "userName": "a", "department": "R", &*full: null }),
        json!({ "userName": "a", "department": "R", urn::ENTERPRISE: { "department": "" } }),
    ] {
        assert_eq!(created(&generous(Source::Azure), &body).0.attributes["department"], "R", "{body}");
    }
}

#[test]
fn a_body_that_is_no_object_or_out_of_bounds_is_invalid_syntax() {
    let home = generous(Source::Generic);
    let mut deep = json!("x");
    for _ in 0..16 {
        deep = json!([deep]);
    }
    let wide: serde_json::Map<String, Value> = (0..513).map(|n| (format!("n{n}"), json!(1))).collect();
    for body in [json!([]), json!("x"), json!(null), json!({ "userName": "a", "x": deep }), Value::Object(wide)] {
        let refusal = with(&home, |reading| create(reading, &body)).expect_err("broken");
        assert_eq!(refusal.body()["scimType"], "invalidSyntax");
    }
    let name =
        with(&home, |reading| create(reading, &json!({ "userName": "a", "name": "Ada" }))).expect_err("no object");
    assert_eq!(name.attribute.as_deref(), Some("name"));
}

/// What must hold of every draft.
fn sound(draft: &Draft) {
    fn without_null(value: &Value) -> bool {
        match value {
            Value::Null => false,
            Value::Array(items) => !items.is_empty() && items.iter().all(without_null),
            Value::Object(fields) => !fields.is_empty() && fields.values().all(without_null),
            Value::String(text) => !text.trim().is_empty() && text != "__CLEAR__",
            _ => true,
        }
    }
    assert!(draft.attributes.contains_key("userName") && !draft.attributes.contains_key("active"));
    assert!(draft.attributes.values().all(without_null), "{draft:?}");
}

proptest! {
    #[test]
    fn any_body_makes_a_sound_user_or_a_refusal(body in any_json()) {
        for source in [Source::Azure, Source::Okta] {
            let home = generous(source);
            let current = draft(json!({ "userName": "a", "title": "Boss" }));
            let mut body = body.clone();
            for _ in 0..2 {
                if let Ok((draft, _)) = with(&home, |reading| create(reading, &body)) {
                    sound(&draft);
                }
                match with(&home, |reading| replace(reading, &current, &body)) {
                    Ok((draft, _)) => sound(&draft),
                    Err(refusal) => prop_assert_eq!(refusal.status, 400),
                }
                if let Some(fields) = body.as_object_mut() {
                    fields.insert("userName".to_owned(), json!("b"));
                }
            }
        }
    }

    #[test]
    fn what_was_read_is_read_again_the_same(body in any_json()) {
        let home = generous(Source::Okta);
        let mut body = body;
        if let Some(fields) = body.as_object_mut() {
            fields.insert("userName".to_owned(), json!("b"));
        }
        if let Ok((draft, _)) = with(&home, |reading| create(reading, &body)) {
            let again = Value::Object(draft.attributes.clone().into_iter().collect());
            let (mut second, _) = created(&home, &again);
            second.active = draft.active;
            prop_assert_eq!(second, draft);
        }
    }
}
