use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::identity::dialect::Blank;
use crate::identity::{Directory, Source};
use crate::scim::samples::{any_json, generous};
use crate::scim::schema::Schemas;
use crate::scim::urn;

fn with<T>(directory: &Directory, f: impl Fn(&Reading<'_>) -> T) -> T {
    let schemas = Schemas::of(directory);
    f(&Reading::new(directory, &schemas.group))
}

fn created(body: &Value) -> (GroupPlan, Notes) {
    with(&generous(Source::Azure), |reading| create(reading, body))
        .unwrap_or_else(|refusal| panic!("{body}: {refusal}"))
}

fn replaced(directory: &Directory, current: &Value, body: &Value) -> GroupPlan {
    let current: Attributes = serde_json::from_value(current.clone()).expect("an object");
    with(directory, |reading| replace(reading, &current, body)).unwrap_or_else(|refusal| panic!("{body}: {refusal}")).0
}

fn ids(all: &[&str]) -> Vec<String> {
    all.iter().map(|&id| id.to_owned()).collect()
}

#[test]
fn a_group_comes_with_microsofts_urn_and_without_members_g01_o21() {
    let body = json!({
        "schemas": [urn::GROUP, urn::ADSCIM_GROUP], "externalId": "g-1", "displayName": "Staff",
        "meta": { "resourceType": "Group" }, "id": "mine",
        urn::WS1B_GROUP: { "description": "All", "domain": "contoso.com" }, "colour": "red",
    });
    let (plan, notes) = created(&body);
    assert_eq!(
        json!(plan.attributes),
        json!({ "externalId": "g-1", "displayName": "Staff", "description": "All", "domain": "contoso.com" })
    );
    assert_eq!((plan.members, notes.unknown), (vec![], vec!["colour".to_owned()]));
    assert_eq!(created(&json!({ "displayName": "Staff", "members": [] })).0.members, []);
}

#[test]
fn a_group_comes_with_members_in_every_form_g04_g19() {
    let body =
        json!({ "displayName": "Staff", "Members": [{ "$ref": null, "value": "a" }, "b", { "$ref": "/Users/c" }] });
    assert_eq!(created(&body).0.members, [MemberStep::Delta(MemberDelta::Add(ids(&["a", "b", "c"])))]);
}

#[test]
fn a_put_replaces_the_members_it_has_and_leaves_them_if_it_has_none_o08_o09() {
    let current = json!({ "displayName": "Staff", "externalId": "g-1", "description": "All" });
    for source in [Source::Azure, Source::Okta, Source::Generic] {
        let home = generous(source);
        let members = |body: Value| replaced(&home, &current, &body).members;
        assert_eq!(members(json!({ "displayName": "Staff" })), []);
        assert_eq!(
            members(json!({ "displayName": "Staff", "members": [{ "value": "a" }] })),
            [MemberStep::Delta(MemberDelta::Replace(ids(&["a"])))]
        );
        for none in [json!([]), json!(null)] {
            let body = json!({ "displayName": "Staff", "members": none });
            assert_eq!(members(body), [MemberStep::Delta(MemberDelta::Clear)]);
        }
    }
    let mut quiet = generous(Source::Okta);
    quiet.dialect.blank = Blank::Ignore;
    assert_eq!(replaced(&quiet, &current, &json!({ "displayName": "Staff", "members": [] })).members, []);
    let body = json!({ "displayName": "Staff", "members": "__CLEAR__" });
    assert_eq!(replaced(&quiet, &current, &body).members, [MemberStep::Delta(MemberDelta::Clear)]);
}

#[test]
fn a_put_keeps_the_external_id_and_what_else_the_dialect_says() {
    let current = json!({ "displayName": "Staff", "externalId": "g-1", "description": "All" });
    let body = json!({ "displayName": "All staff" });
    assert_eq!(
        json!(replaced(&generous(Source::Okta), &current, &body).attributes),
        json!({ "displayName": "All staff", "externalId": "g-1" })
    );
    assert_eq!(
        json!(replaced(&generous(Source::Azure), &current, &body).attributes),
        json!({ "displayName": "All staff", "externalId": "g-1", "description": "All" })
    );
}

#[test]
fn no_group_is_without_a_name() {
    let home = generous(Source::Azure);
    for body in [json!({}), json!({ "displayName": "" }), json!({ "displayName": null, "members": ["a"] })] {
        let current = Attributes::from([("displayName".to_owned(), json!("Staff"))]);
        for refusal in [
            with(&home, |reading| create(reading, &body)).expect_err("nameless"),
            with(&home, |reading| replace(reading, &current, &body)).expect_err("nameless"),
        ] {
            assert_eq!(refusal.attribute.as_deref(), Some("displayName"), "{body}");
        }
    }
}

proptest! {
    #[test]
    fn any_body_makes_a_sound_group_or_a_refusal(body in any_json()) {
        let home = generous(Source::Okta);
        let current = Attributes::from([("displayName".to_owned(), json!("Staff"))]);
        let mut body = body;
        for _ in 0..2 {
            let plans = [
                with(&home, |reading| create(reading, &body)),
                with(&home, |reading| replace(reading, &current, &body)),
            ];
            for plan in plans {
                match plan {
                    Ok((plan, _)) => prop_assert!(plan.attributes.values().all(Value::is_string)
                        && plan.attributes.contains_key("displayName")),
                    Err(refusal) => prop_assert_eq!(refusal.status, 400),
                }
            }
            if let Some(fields) = body.as_object_mut() {
                fields.insert("displayName".to_owned(), json!("All staff"));
            }
        }
    }
}
