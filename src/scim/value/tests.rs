use serde_json::json;

use super::*;
use crate::identity::dialect::Dialect;
use crate::identity::{Directory, Source};
use crate::scim::samples::generous;
use crate::scim::schema::Schemas;

struct Desk {
    directory: Directory,
    schemas: Schemas,
}

fn desk(change: impl Fn(&mut Directory)) -> Desk {
    let mut directory = generous(Source::Generic);
    change(&mut directory);
    Desk { schemas: Schemas::of(&directory), directory }
}

impl Desk {
    fn noted(&self, key: &str, value: &Value) -> (Result<Asserted, ScimError>, Notes) {
        let reading = Reading::new(&self.directory, &self.schemas.user);
        let mut notes = Notes::default();
        let attribute = self.schemas.user.attribute(key).expect("a known key");
        (read(&reading, attribute, value, &mut notes), notes)
    }

    fn read(&self, key: &str, value: Value) -> Asserted {
        self.noted(key, &value).0.unwrap_or_else(|refusal| panic!("{key} {value}: {refusal}"))
    }

    fn refused(&self, key: &str, value: &Value) -> ScimError {
        self.noted(key, value).0.expect_err("refused")
    }
}

fn set(value: Value) -> Asserted {
    Asserted::Set(value)
}

#[test]
fn every_blank_form_clears_and_the_sentinel_too_e41_e42_e43() {
    let desk = desk(|_| {});
    for blank in [
        json!(null),
        json!([]),
        json!({}),
        json!([{}]),
        json!([{ "value": "" }]),
        json!({ "value": " \u{a0}" }),
        json!(""),
        json!(" "),
        json!([null]),
        json!("__CLEAR__"),
        json!({ "value": "__CLEAR__" }),
        json!([{ "value": "__CLEAR__" }]),
    ] {
        for key in ["title", "emails", "manager", "addresses", "customAttribute1"] {
            if key == "addresses" && !is_blank(&blank) && !blank.is_string() {
                continue; // an address has no `value`
            }
            assert_eq!(desk.read(key, blank.clone()), Asserted::Clear, "{key} {blank}");
        }
    }
    assert_eq!(desk.read("emails", json!([{ "type": "work", "primary": true, "value": "" }])), Asserted::Clear);
    assert_eq!(desk.read("addresses", json!([{ "type": "work", "country": "__CLEAR__" }])), Asserted::Clear);
}

#[test]
fn a_dialect_may_pass_over_blanks_but_never_over_the_sentinel() {
    let desk = desk(|directory| directory.dialect.blank = Blank::Ignore);
    for blank in [json!(null), json!([]), json!(""), json!([{ "value": " " }])] {
        assert_eq!(desk.read("title", blank.clone()), Asserted::Ignore, "{blank}");
        assert_eq!(desk.read("emails", blank.clone()), Asserted::Ignore, "{blank}");
    }
    assert_eq!(desk.read("title", json!("__CLEAR__")), Asserted::Clear);
    assert_eq!(desk.read("emails", json!([{ "value": "__CLEAR__", "type": "work" }])), Asserted::Clear);
}

#[test]
fn the_sentinel_counts_as_the_whole_value_in_exact_case_and_text_is_not_trimmed() {
    let desk = desk(|_| {});
    for text in ["__clear__", " __CLEAR__", "__CLEAR__ x", "a ", " a"] {
        assert_eq!(desk.read("title", json!(text)), set(json!(text)));
    }
}

#[test]
fn only_null_and_the_sentinel_clear_an_external_id() {
    let desk = desk(|_| {});
    assert_eq!(desk.read("externalId", json!(null)), Asserted::Clear);
    assert_eq!(desk.read("externalId", json!("__CLEAR__")), Asserted::Clear);
    for blank in [json!(""), json!(" "), json!([])] {
        assert_eq!(desk.read("externalId", blank.clone()), Asserted::Ignore, "{blank}");
    }
}

#[test]
fn an_external_id_in_base64_decodes_where_the_directory_says_so() {
    let encoded = json!("vZ/lGAC9bUWiA7Egpw5fqg==");
    let decoding = desk(|directory| directory.decode_ms_guid = true);
    assert_eq!(decoding.read("externalId", encoded.clone()), set(json!("18e59fbd-bd00-456d-a203-b120a70e5faa")));
    assert_eq!(decoding.read("externalId", json!("jyoung")), set(json!("jyoung")));
    assert_eq!(desk(|_| {}).read("externalId", encoded.clone()), set(encoded));
}

#[test]
fn a224_active_is_true_or_false_also_as_text_and_nothing_else_e17_e18() {
    let desk = desk(|_| {});
    for (value, flag) in [
        (json!(true), true),
        (json!("True"), true),
        (json!("true"), true),
        (json!(false), false),
        (json!("False"), false),
        (json!("FALSE"), false),
    ] {
        assert_eq!(desk.read("active", value), set(json!(flag)));
    }
    assert_eq!(desk.read("active", json!(null)), Asserted::Ignore, "null counts as absent");
    for other in [json!("no"), json!("yes"), json!(0), json!(1), json!(""), json!(" true"), json!([]), json!({})] {
        let refusal = desk.refused("active", &other);
        assert_eq!((refusal.status, refusal.attribute.as_deref()), (400, Some("active")), "{other}");
    }
}

#[test]
fn text_for_a_boolean_is_refused_where_the_dialect_says_so() {
    let desk = desk(|directory| directory.dialect.string_booleans = StringBooleans::Refuse);
    assert!(desk.refused("active", &json!("False")).detail.contains("not as text"));
    assert!(desk.refused("roles", &json!([{ "value": "a", "primary": "True" }])).detail.contains("roles.primary"));
    assert_eq!(desk.read("active", json!(false)), set(json!(false)));
}

#[test]
fn a_text_for_primary_is_a_boolean_and_noted_e11() {
    let desk = desk(|_| {});
    let roles = json!([{ "primary": "True", "display": "D", "value": "V", "type": "T" }]);
    let (asserted, notes) = desk.noted("roles", &roles);
    assert_eq!(asserted, Ok(set(json!([{ "primary": true, "display": "D", "value": "V", "type": "T" }]))));
    assert_eq!(notes.remarks, ["a boolean came as text"]);
}

#[test]
fn a_manager_comes_as_text_object_address_or_array_of_one_e12_e16_e31_e32_e33() {
    let desk = desk(|_| {});
    let ada = set(json!({ "value": "ada" }));
    for value in [
        json!("ada"),
        json!({ "value": "ada" }),
        json!({ "Value": "ada", "displayName": "Ada" }),
        json!([{ "$ref": "http://h/scim/Users/ada", "value": "ada" }]),
        json!({ "$ref": "http://h/scim/Users/ada" }),
        json!(["ada"]),
    ] {
        assert_eq!(desk.read("manager", value.clone()), ada, "{value}");
    }
    assert_eq!(desk.read("manager", json!("")), Asserted::Clear);
    assert_eq!(desk.read("manager", json!({ "value": "" })), Asserted::Clear);
    assert!(desk.refused("manager", &json!(["a", "b"])).detail.contains("an array of 2"));
}

#[test]
fn roles_keep_a_json_document_inside_a_text_as_it_is_e35() {
    let desk = desk(|_| {});
    let document = r#"{"id":"06b0","value":"25","displayName":"Role1234"}"#;
    let expected = set(json!([{ "value": document }]));
    assert_eq!(desk.read("roles", json!([{ "value": document }])), expected);
    assert_eq!(desk.read("roles", json!(document)), expected);
}

#[test]
fn values_come_as_array_object_or_bare_text_with_names_in_any_case_e16() {
    let desk = desk(|_| {});
    let expected = set(json!([{ "value": "a@b.c", "type": "work", "primary": true }]));
    for value in [
        json!([{ "Primary": true, "TYPE": "work", "value": "a@b.c" }]),
        json!({ "value": "a@b.c", "type": "work", "primary": "true" }),
    ] {
        assert_eq!(desk.read("emails", value.clone()), expected, "{value}");
    }
    assert_eq!(desk.read("emails", json!("a@b.c")), set(json!([{ "value": "a@b.c" }])));
    assert_eq!(desk.read("addresses", json!("Broadway 1")), set(json!([{ "formatted": "Broadway 1" }])));
    let (asserted, notes) = desk.noted("emails", &json!([{ "value": "a@b.c", "colour": "red" }]));
    assert_eq!(asserted, Ok(set(json!([{ "value": "a@b.c" }]))));
    assert_eq!(notes.unknown, ["emails.colour"]);
}

#[test]
fn a_value_stands_once_and_one_is_primary() {
    let desk = desk(|_| {});
    let emails = json!([
        { "type": "work", "value": "a@b.c" },
        { "type": "Work", "value": "A@B.C", "primary": true },
        { "type": "home", "value": "a@b.c", "primary": true },
    ]);
    assert_eq!(
        desk.read("emails", emails),
        set(json!([
            { "type": "work", "value": "a@b.c", "primary": true },
            { "type": "home", "value": "a@b.c", "primary": false },
        ]))
    );
    let photos = json!([{ "value": "https://a/X" }, { "value": "https://a/x" }]);
    assert_eq!(desk.read("photos", photos.clone()), set(photos), "references have an exact case");
    let mut values = vec![json!({ "value": "a", "primary": true }), json!({ "value": "b", "primary": true })];
    let attribute = desk.schemas.user.attribute("emails").expect("emails");
    settle_values(attribute, &mut values, Some(1)).expect("few");
    assert_eq!(values, [json!({ "value": "a", "primary": false }), json!({ "value": "b", "primary": true })]);
}

#[test]
fn a_number_is_a_text_and_other_shapes_are_refused_by_shape_alone() {
    let desk = desk(|_| {});
    assert_eq!(desk.read("employeeNumber", json!(4711)), set(json!("4711")));
    assert_eq!(desk.read("employeeNumber", json!(u64::MAX)), set(json!("18446744073709551615")));
    for inexact in ["12345678901234567890123", "9007199254740993.0", "-1e300"] {
        let number = serde_json::from_str(inexact).unwrap();
        let refusal = desk.refused("employeeNumber", &number);
        assert!(refusal.detail.contains("its digits as a text"), "{inexact}: {}", refusal.detail);
    }
    assert_eq!(desk.read("title", json!([{ "value": "Boss" }])), set(json!("Boss")));
    for value in [json!(true), json!(["secret", "b"]), json!({ "secret": "secret" }), json!("x\0secret")] {
        let refusal = desk.refused("title", &value);
        assert_eq!((refusal.status, refusal.attribute.as_deref()), (400, Some("title")), "{value}");
        assert!(!refusal.detail.contains("secret"), "{}", refusal.detail);
    }
    assert!(desk.refused("emails", &json!([["a@b.c"]])).detail.contains("an array of 1"));
    assert!(desk.refused("emails", &json!(true)).detail.contains("a boolean"));
}

#[test]
fn texts_and_lists_end_at_their_limits() {
    let desk = desk(|_| {});
    for (key, most) in [("title", 1_024), ("profileUrl", 4_096)] {
        let text = json!("ä".repeat(most));
        assert_eq!(desk.read(key, text.clone()), set(text));
        let refusal = desk.refused(key, &json!("ä".repeat(most + 1)));
        assert!(refusal.detail.contains(&format!("a text of {} characters", most + 1)), "{}", refusal.detail);
    }
    let certificate = |length: usize| json!([{ "value": "A".repeat(length) }]);
    assert!(desk.noted("x509Certificates", &certificate(128 * 1_024)).0.is_ok());
    assert!(desk.noted("x509Certificates", &certificate(128 * 1_024 + 1)).0.is_err());
    let emails = |count: usize| Value::Array((0..count).map(|n| json!({ "value": format!("{n}@b.c") })).collect());
    assert!(desk.noted("emails", &emails(VALUES_MAX)).0.is_ok());
    for count in [VALUES_MAX + 1, 2 * VALUES_MAX + 1] {
        assert!(desk.refused("emails", &emails(count)).detail.contains(&format!("has {count} values")));
    }
}

#[test]
fn one_value_and_one_part_are_read_by_the_same_rules() {
    let desk = desk(|_| {});
    let reading = Reading::new(&desk.directory, &desk.schemas.user);
    let emails = desk.schemas.user.attribute("emails").expect("emails");
    let mut notes = Notes::default();
    let mut element = |value: Value| read_element(&reading, emails, &value, &mut notes);
    assert_eq!(element(json!("a@b.c")), Ok(set(json!({ "value": "a@b.c" }))));
    assert_eq!(
        element(json!({ "value": "a", "primary": "False" })),
        Ok(set(json!({ "value": "a", "primary": false })))
    );
    assert_eq!(element(json!({ "type": "work" })), Ok(Asserted::Clear));
    let sub = |name: &str, value: Value| read_sub(&reading, emails, emails.sub(name).expect("a part"), &value);
    assert_eq!(sub("PRIMARY", json!("True")), Ok(set(json!(true))));
    assert_eq!(sub("value", json!(" ")), Ok(Asserted::Clear));
    assert_eq!(sub("value", json!("__CLEAR__")), Ok(Asserted::Clear));
    assert_eq!(sub("type", json!(7)), Ok(set(json!("7"))));
    assert!(sub("primary", json!("maybe")).is_err());
}

#[test]
fn the_presets_read_blanks_and_texts_alike() {
    for source in [Source::Azure, Source::Okta, Source::Ping, Source::Generic] {
        let dialect = Dialect::preset(source);
        assert_eq!((dialect.blank, dialect.string_booleans), (Blank::Clear, StringBooleans::Accept));
    }
}
