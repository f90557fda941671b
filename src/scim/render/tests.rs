use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::identity::{GroupId, Source};
use crate::scim::notes::Notes;
use crate::scim::reading::Reading;
use crate::scim::samples::{BASE, CUSTOM, directory, generous, stored};
use crate::scim::schema::Schemas;
use crate::scim::user::create;

fn ada() -> StoredUser {
    stored(&json!({
        "userName": "ada@contoso.com",
        "externalId": "e-1",
        "name.givenName": "Ada",
        "name.familyName": "Lovelace \"Countess\"\u{2028}",
        "emails": [
            { "value": "ada@contoso.com", "type": "work", "primary": true },
            { "value": "ada@home.test", "type": "home" },
        ],
        "department": "Research",
        "manager": { "value": "babbage" },
        "customAttribute1": "one",
        "domain": "contoso.com",
        format!("{CUSTOM}:badge"): "B-7",
    }))
}

fn groups() -> Vec<GroupOf> {
    vec![
        GroupOf { id: GroupId("g1".to_owned()), display: Some("Staff".to_owned()), direct: true },
        GroupOf { id: GroupId("g2".to_owned()), display: None, direct: false },
    ]
}

fn text(selection: &Selection, user: &StoredUser, groups: Option<&[GroupOf]>) -> String {
    let schemas = Schemas::of(&generous(Source::Azure));
    let mut out = Vec::new();
    write_user(&Rendering { schema: &schemas.user, base: BASE, selection }, user, groups, &mut out);
    String::from_utf8(out).expect("JSON is UTF-8")
}

fn only(names: &[&str]) -> Selection {
    Selection::Only(names.iter().map(|&name| name.to_owned()).collect())
}

fn without(names: &[&str]) -> Selection {
    Selection::Without(names.iter().map(|&name| name.to_owned()).collect())
}

/// As it is read back, without what every answer has.
fn rest(selection: &Selection) -> Value {
    let mut shown: Value = serde_json::from_str(&text(selection, &ada(), Some(&groups()))).expect("JSON");
    let fields = shown.as_object_mut().expect("an object");
    assert_eq!(fields.remove("id"), Some(json!("0123456789abcdef0123456789abcdef")), "always there");
    assert!(fields.remove("schemas").is_some_and(|schemas| schemas[0] == urn::USER));
    shown
}

#[test]
fn a_user_is_shown_whole_in_the_order_of_the_schemas() {
    insta::assert_snapshot!("user", text(&Selection::Default, &ada(), Some(&groups())));
}

#[test]
fn a_user_with_a_name_alone_has_neither_null_nor_an_empty_extension() {
    let bare = stored(&json!({ "userName": "ada", "title": null }));
    insta::assert_snapshot!("bare", text(&Selection::Default, &bare, Some(&[])));
}

#[test]
fn what_is_no_longer_confirmed_is_not_shown() {
    let schemas = Schemas::of(&directory(Source::Azure, &["userName", "department"]));
    let rendering = Rendering { schema: &schemas.user, base: BASE, selection: &Selection::Default };
    let mut shown = user(&rendering, &ada(), None);
    shown.as_object_mut().expect("an object").remove("meta");
    assert_eq!(
        shown,
        json!({
            "schemas": [urn::USER, urn::ENTERPRISE], "id": "0123456789abcdef0123456789abcdef",
            "userName": "ada@contoso.com", "active": true, urn::ENTERPRISE: { "department": "Research" },
        })
    );
}

#[test]
fn a_user_with_a_tombstone_shows_it_and_not_the_real_name_e37() {
    let mut gone = stored(&json!({ "userName": "6b29fc40ca471067b31d00dd010662daada" }));
    gone.user.active = false;
    gone.identity_name = Some("ada@contoso.com".to_owned());
    let shown = text(&Selection::Default, &gone, None);
    assert!(shown.contains("\"userName\":\"6b29fc40ca471067b31d00dd010662daada\",\"active\":false"));
    assert!(!shown.contains("contoso.com\"") && !shown.contains("ada@"));
}

#[test]
fn attributes_shows_these_and_the_id_in_any_spelling_e08() {
    assert_eq!(rest(&only(&["id"])), json!({}));
    assert_eq!(rest(&only(&["USERNAME", "nonsense", "title"])), json!({ "userName": "ada@contoso.com" }));
    assert_eq!(
        rest(&only(&["name", "emails.value", "meta.version"])),
        json!({
            "name": { "givenName": "Ada", "familyName": "Lovelace \"Countess\"\u{2028}" },
            "emails": [{ "value": "ada@contoso.com" }, { "value": "ada@home.test" }],
            "meta": { "version": "W/\"3\"" },
        })
    );
    assert_eq!(rest(&only(&["emails.primary"])), json!({ "emails": [{ "primary": true }] }), "only where there is one");
    assert_eq!(rest(&only(&["emails.display"])), json!({}));
    assert_eq!(
        rest(&only(&["name.givenName", "department", "groups.display", &format!("{CUSTOM}:badge")])),
        json!({
            "name": { "givenName": "Ada" },
            "groups": [{ "display": "Staff" }, {}],
            urn::ENTERPRISE: { "department": "Research" },
            CUSTOM: { "badge": "B-7" },
        })
    );
    assert_eq!(
        rest(&only(&[urn::WS1B_USER, &format!("{}:manager.value", urn::ENTERPRISE)])),
        json!({
            urn::WS1B_USER: { "customAttribute1": "one", "domain": "contoso.com" },
            urn::ENTERPRISE: { "manager": { "value": "babbage" } },
        })
    );
}

#[test]
fn excluded_attributes_go_and_the_id_stays_g03() {
    let all = rest(&Selection::Default);
    for (names, pointers) in [
        (vec!["id", "schemas", "nonsense"], vec![]),
        (vec!["groups", "meta"], vec!["groups", "meta"]),
        (vec!["name"], vec!["name"]),
        (vec![urn::ENTERPRISE], vec![urn::ENTERPRISE]),
    ] {
        let mut expected = all.clone();
        for pointer in pointers {
            expected.as_object_mut().expect("an object").remove(pointer);
        }
        assert_eq!(rest(&without(&names)), expected, "{names:?}");
    }
    let shown = rest(&without(&["emails.type", "emails.primary", "name.familyName", "meta.location"]));
    assert_eq!(shown["emails"], json!([{ "value": "ada@contoso.com" }, { "value": "ada@home.test" }]));
    assert_eq!(shown["name"], json!({ "givenName": "Ada" }));
    assert_eq!(shown["meta"].get("location"), None);
    assert!(shown["meta"].get("version").is_some());
}

#[test]
fn schemas_lists_the_extensions_that_are_shown_e13() {
    let shown: Value = serde_json::from_str(&text(&only(&["userName"]), &ada(), None)).expect("JSON");
    assert_eq!(shown["schemas"], json!([urn::USER]));
    let shown: Value = serde_json::from_str(&text(&Selection::Default, &ada(), None)).expect("JSON");
    assert_eq!(shown["schemas"], json!([urn::USER, urn::ENTERPRISE, urn::WS1B_USER, CUSTOM]));
}

#[test]
fn a_group_is_shown_with_its_members_if_they_are_wanted_g03() {
    let schemas = Schemas::of(&generous(Source::Azure));
    let at = Moment::from_ms(1_700_000_000_000);
    let staff = StoredGroup {
        id: GroupId("g1".to_owned()),
        directory: "contoso".to_owned(),
        attributes: Attributes::from([
            ("displayName".to_owned(), json!("Staff")),
            ("description".to_owned(), json!("All")),
        ]),
        head: 1,
        version: 2,
        seq: 1,
        created_at: at,
        updated_at: at,
        members: 2,
        parked: 0,
    };
    let members = [
        Member { id: "a".to_owned(), kind: MemberKind::User, display: Some("Ada".to_owned()) },
        Member { id: "g2".to_owned(), kind: MemberKind::Group, display: None },
    ];
    let shown = |selection: &Selection, members: Option<&[Member]>| {
        let mut out = Vec::new();
        write_group(&Rendering { schema: &schemas.group, base: BASE, selection }, &staff, members, &mut out);
        String::from_utf8(out).expect("JSON is UTF-8")
    };
    insta::assert_snapshot!("group", shown(&Selection::Default, Some(&members)));
    assert!(!shown(&Selection::Default, None).contains("members"));
    assert!(!shown(&without(&["members"]), Some(&members)).contains("members"));
    assert!(shown(&only(&["members.value"]), Some(&members)).contains(r#""members":[{"value":"a"},{"value":"g2"}]"#));
}

#[test]
fn several_resources_follow_each_other_in_one_list() {
    let schemas = Schemas::of(&generous(Source::Azure));
    let selection = only(&["userName"]);
    let rendering = Rendering { schema: &schemas.user, base: BASE, selection: &selection };
    let mut out = b"{\"Resources\":[".to_vec();
    for comma in [false, true, false] {
        if comma {
            out.push(b',');
        }
        write_user(&rendering, &ada(), None, &mut out);
    }
    out.extend_from_slice(b"]}");
    let list: Value = serde_json::from_slice(&out).expect("JSON, whether commas are written or left to us");
    assert_eq!(list["Resources"].as_array().map(Vec::len), Some(3));
}

fn some_text() -> impl Strategy<Value = Value> {
    "\\PC{1,12}".prop_filter("not blank", |text| !text.trim().is_empty()).prop_map(Value::from)
}

proptest! {
    #[test]
    fn what_is_shown_is_read_again_as_what_it_was(
        texts in prop::collection::btree_map(
            prop::sample::select(vec!["externalId", "title", "name.givenName", "name.formatted", "department",
                "customAttribute5", "domain", "urn:ietf:params:scim:schemas:extension:Contoso:2.0:User:floor"]),
            some_text(), 0..8),
        emails in prop::collection::vec((some_text(), any::<Option<bool>>(), any::<bool>()), 0..4),
    ) {
        let home = generous(Source::Okta);
        let schemas = Schemas::of(&home);
        let reading = Reading::new(&home, &schemas.user);
        let mut body = json!({ "userName": "a" });
        for (key, value) in texts {
            body[key] = value;
        }
        body["emails"] = emails.into_iter().map(|(value, primary, typed)| {
            let mut email = json!({ "value": value });
            if let Some(primary) = primary { email["primary"] = json!(primary); }
            if typed { email["type"] = json!("work"); }
            email
        }).collect();
        let (first, _) = create(&reading, &body).expect("a sound body");
        let mut user = stored(&json!({}));
        user.user.attributes = first.attributes.clone();
        let rendering = Rendering { schema: &schemas.user, base: BASE, selection: &Selection::Default };
        let shown = super::user(&rendering, &user, Some(&groups()));
        let (second, notes) = create(&reading, &shown).expect("what we show we take");
        prop_assert_eq!(second.attributes, first.attributes);
        prop_assert_eq!(notes.unknown, Notes::default().unknown);
    }
}
