//! What the parts of a request mean is a table per connection: each value of each key of `[scim]` has the effect that it
//! promises, and each source's preset is the values that are documented for it.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use vestibule::config::{SchemaKind, schema};
use vestibule::identity::{GroupId, UserId};

use crate::support::scim::{PATCH_OP, Scim, id, person};
use crate::support::server::block_on;
use crate::world::World;

const GUID: &str = "6f1e3c1a-77b0-4a5e-9d59-0a2a3d4e5f60";

/// What is seen from outside where a key has a value.
type Probe = fn(&Scim<'_>) -> String;

/// Key, probe, and what it sees: for each value of the key.
type Row = (&'static str, Probe, &'static [(&'static str, &'static str)]);

const TABLE: [Row; 11] = [
    ("put_omission", left_out_of_a_put, &[("clear", "user cleared, group cleared"), ("keep", "user kept, group kept")]),
    ("blank", blanks, &[("clear", "cleared"), ("ignore", "kept")]),
    ("string_booleans", text_for_active, &[("accept", "200 false"), ("refuse", "400 true")]),
    (
        "unknown_members",
        a_member_whom_nobody_knows,
        &[("park", "done, 1 in, 1 waits"), ("refuse", "400, 0 in, 0 wait")],
    ),
    (
        "missing",
        a_user_without_a_mail,
        &[("incomplete", "201, PUT 200, PATCH 200"), ("refuse", "400, PUT 400, PATCH 400")],
    ),
    (
        "same_group_name",
        a_second_group_of_a_name,
        &[("refuse", "POST 409, rename 409"), ("allow", "POST done, rename done")],
    ),
    (
        "returning",
        who_comes_back,
        &[
            ("revive", "a GUID: the same, a text: the same"),
            ("revive_guid", "a GUID: the same, a text: 409"),
            ("refuse", "a GUID: 409, a text: 409"),
        ],
    ),
    ("tombstones", a_recycled_name, &[("recognize", "kept aside"), ("ignore", "another name")]),
    ("lone_member", a_replace_by_one, &[("replace", "1 of 3, then 2"), ("add", "3 of 3, then 2")]),
    (
        "patch_answer.users",
        answer_of_a_user,
        &[("200", "200 whole"), ("200-without-members", "200 whole"), ("204", "204 empty")],
    ),
    (
        "patch_answer.groups",
        answer_of_a_group,
        &[("200", "200 with members"), ("200-without-members", "200 without members"), ("204", "204 empty")],
    ),
];

/// A directory of that source whose file says this much of `[scim]`.
fn world(source: &str, lines: &str) -> World {
    World::with(|setup, _| {
        let directory = "directories/contoso.toml";
        setup.provisioned().edit(directory, "source = \"generic\"", &format!("source = \"{source}\""));
        setup.table(directory, &format!("[scim]\n{lines}"));
    })
}

fn line(key: &str, value: &str) -> String {
    match key.split_once('.') {
        Some((table, key)) => format!("{table} = {{ {key} = \"{value}\" }}"),
        None => format!("{key} = \"{value}\""),
    }
}

fn shown(scim: &Scim<'_>, path: &str) -> Value {
    let answer = scim.get(path);
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn fate(value: &Value) -> &'static str {
    if value.is_null() { "cleared" } else { "kept" }
}

/// With or without a body is another key's matter.
fn outcome(status: u16) -> String {
    if (200..300).contains(&status) { "done".to_owned() } else { status.to_string() }
}

fn set(scim: &Scim<'_>, path: &str, attribute: &str, value: &Value) -> u16 {
    scim.patch(path, &json!([{ "op": "replace", "path": attribute, "value": value }])).status
}

fn left_out_of_a_put(scim: &Scim<'_>) -> String {
    let user = scim.user("alice@contoso.com", GUID);
    let path = format!("/Users/{}", id(&user));
    assert_eq!(set(scim, &path, "active", &json!(false)), 200);
    assert_eq!(scim.put(&path, &json!({ "userName": "alice@contoso.com" })).status, 200);
    let after = shown(scim, &path);
    assert_eq!((&after["externalId"], &after["active"]), (&json!(GUID), &json!(false)), "kept in any case");
    let group = scim.post(
        "/Groups",
        &json!({ "displayName": "Group", "externalId": "g", "members": [{ "value": id(&user) }],
            "urn:ietf:params:scim:schemas:extension:ws1b:2.0:Group": { "description": "Everybody" } }),
    );
    let path = format!("/Groups/{}", id(&group.json()));
    assert_eq!(scim.put(&path, &json!({ "displayName": "Group" })).status, 200);
    let group = shown(scim, &path);
    assert_eq!(group["externalId"], "g", "kept in any case");
    assert_eq!(group["members"][0]["value"], id(&user), "kept in any case");
    let description = &group["urn:ietf:params:scim:schemas:extension:ws1b:2.0:Group"]["description"];
    format!("user {}, group {}", fate(&after["displayName"]), fate(description))
}

/// By every verb, by path and without; the sentinel, and `remove`, say it plainly and hold anyway.
fn blanks(scim: &Scim<'_>) -> String {
    let mut seen = BTreeSet::new();
    for (number, blank) in [json!(null), json!(""), json!("  "), json!([])].iter().enumerate() {
        let name = format!("u{number}@contoso.com");
        let path = format!("/Users/{}", id(&scim.user(&name, &name)));
        let again = |seen: &mut BTreeSet<&'static str>, how: &str, status: u16| {
            assert_eq!(status, 200, "{how} {blank}");
            seen.insert(fate(&shown(scim, &path)["displayName"]));
            assert_eq!(set(scim, &path, "displayName", &json!("Given Family")), 200);
        };
        again(&mut seen, "by path", set(scim, &path, "displayName", blank));
        again(
            &mut seen,
            "whole",
            scim.patch(&path, &json!([{ "op": "replace", "value": { "displayName": blank } }])).status,
        );
        again(
            &mut seen,
            "add",
            scim.patch(&path, &json!([{ "op": "add", "path": "displayName", "value": blank }])).status,
        );
        let mut whole = person(&name, &name);
        whole["displayName"] = blank.clone();
        again(&mut seen, "PUT", scim.put(&path, &whole).status);
        for plain in [
            json!([{ "op": "replace", "path": "displayName", "value": "__CLEAR__" }]),
            json!([{ "op": "remove", "path": "displayName" }]),
        ] {
            assert_eq!(scim.patch(&path, &plain).status, 200);
            assert_eq!(fate(&shown(scim, &path)["displayName"]), "cleared", "{plain}");
            assert_eq!(set(scim, &path, "displayName", &json!("Given Family")), 200);
        }
        // A new user has nothing that could be kept.
        whole["userName"] = json!(format!("new.{name}"));
        whole["externalId"] = json!(format!("new.{name}"));
        let made = scim.post("/Users", &whole);
        assert_eq!((made.status, &made.json()["displayName"]), (201, &Value::Null), "{blank}");
    }
    assert_eq!(seen.len(), 1, "the same for every verb: {seen:?}");
    seen.into_iter().collect()
}

fn text_for_active(scim: &Scim<'_>) -> String {
    let path = format!("/Users/{}", id(&scim.user("alice@contoso.com", GUID)));
    let status = set(scim, &path, "active", &json!("False"));
    format!("{status} {}", shown(scim, &path)["active"])
}

fn a_member_whom_nobody_knows(scim: &Scim<'_>) -> String {
    let user = scim.user("alice@contoso.com", GUID);
    let group = id(&scim.group("Group", &[])).to_owned();
    let members = json!([{ "value": id(&user) }, { "value": "nobody" }]);
    let status =
        scim.patch(&format!("/Groups/{group}"), &json!([{ "op": "add", "path": "members", "value": members }])).status;
    let groups = &scim.server.running().ports().directory.groups;
    let kept = block_on(groups.group("contoso", &GroupId(group))).expect("the database works").expect("a group");
    format!("{}, {} in, {} wait{}", outcome(status), kept.members, kept.parked, if kept.parked == 1 { "s" } else { "" })
}

fn a_user_without_a_mail(scim: &Scim<'_>) -> String {
    let mut body = person("alice@contoso.com", "alice");
    body.as_object_mut().map(|fields| fields.remove("emails"));
    let created = scim.post("/Users", &body).status;
    let whole = scim.user("bob@contoso.com", "bob");
    let path = format!("/Users/{}", id(&whole));
    let mut cleared = person("bob@contoso.com", "bob");
    cleared["emails"] = json!([]);
    let put = scim.put(&path, &cleared).status;
    let patched = scim.patch(&path, &json!([{ "op": "remove", "path": "emails" }])).status;
    format!("{created}, PUT {put}, PATCH {patched}")
}

fn a_second_group_of_a_name(scim: &Scim<'_>) -> String {
    scim.group("Staff", &[]);
    let second = scim.post("/Groups", &json!({ "displayName": "STAFF" })).status;
    let other = format!("/Groups/{}", id(&scim.group("Others", &[])));
    let rename = set(scim, &other, "displayName", &json!("staff"));
    format!("POST {}, rename {}", outcome(second), outcome(rename))
}

fn who_comes_back(scim: &Scim<'_>) -> String {
    let mut seen = Vec::new();
    for (what, external_id) in [("a GUID", GUID), ("a text", "alice")] {
        let name = format!("{external_id}@contoso.com");
        let before = scim.user(&name, external_id);
        assert_eq!(set(scim, &format!("/Users/{}", id(&before)), "active", &json!(false)), 200);
        let again = scim.post("/Users", &person(&name, external_id));
        let became = match again.status {
            201 if id(&again.json()) == id(&before) => "the same".to_owned(),
            201 => "another".to_owned(),
            other => other.to_string(),
        };
        seen.push(format!("{what}: {became}"));
    }
    seen.join(", ")
}

fn a_recycled_name(scim: &Scim<'_>) -> String {
    let user = scim.user("alice@contoso.com", GUID);
    let recycled = format!("{}alice@contoso.com", GUID.replace('-', ""));
    let operations = json!([
        { "op": "replace", "path": "active", "value": false },
        { "op": "replace", "path": "userName", "value": recycled },
    ]);
    let answer = scim.patch(&format!("/Users/{}", id(&user)), &operations);
    assert_eq!((answer.status, &answer.json()["userName"]), (200, &json!(recycled)), "shown as it was sent");
    assert_eq!(
        scim.post("/Users", &person("alice@contoso.com", "somebody-else")).status,
        201,
        "free for somebody else"
    );
    let roster = &scim.server.running().ports().directory.roster;
    let stored = block_on(roster.user("contoso", &UserId(id(&user).to_owned()))).expect("the database works");
    match stored.expect("it is kept").identity_name.as_deref() {
        Some("alice@contoso.com") => "kept aside".to_owned(),
        Some(other) => format!("odd: {other}"),
        None => "another name".to_owned(),
    }
}

fn a_replace_by_one(scim: &Scim<'_>) -> String {
    let ids: Vec<String> =
        (0..3).map(|n| id(&scim.user(&format!("u{n}@contoso.com"), &format!("e{n}"))).to_owned()).collect();
    let group = id(&scim.group("Group", &[&ids[0], &ids[1]])).to_owned();
    let path = format!("/Groups/{group}");
    let by = |ids: &[String]| {
        let values: Vec<Value> = ids.iter().map(|id| json!({ "value": id })).collect();
        let answer = scim.patch(&path, &json!([{ "op": "replace", "path": "members", "value": values }]));
        assert!(matches!(answer.status, 200 | 204), "{}", answer.text());
        scim.members(&group).len()
    };
    let one = by(&ids[2..]);
    format!("{one} of 3, then {}", by(&ids[..2]))
}

fn answer_of_a_user(scim: &Scim<'_>) -> String {
    let path = format!("/Users/{}", id(&scim.user("alice@contoso.com", GUID)));
    let answer = scim.patch(&path, &json!([{ "op": "replace", "path": "displayName", "value": "A" }]));
    assert!(answer.header("etag").is_some());
    let whole = answer.text().contains("\"displayName\":\"A\"");
    format!("{} {}", answer.status, if whole { "whole" } else { "empty" })
}

fn answer_of_a_group(scim: &Scim<'_>) -> String {
    let user = scim.user("alice@contoso.com", GUID);
    let path = format!("/Groups/{}", id(&scim.group("Group", &[])));
    let add = json!({ "schemas": [PATCH_OP],
        "Operations": [{ "op": "add", "path": "members", "value": [{ "value": id(&user) }] }] });
    let answer = scim.send(&scim.with_body("PATCH", &path, &add));
    let what = match (answer.body.is_empty(), answer.text().contains(id(&user))) {
        (true, _) => "empty",
        (false, true) => "with members",
        (false, false) => "without members",
    };
    format!("{} {what}", answer.status)
}

#[test]
fn each_value_of_each_key_of_scim_has_its_effect() {
    for (key, probe, values) in TABLE {
        for (value, expected) in values {
            // Where a source presets another value, the file has the last word.
            let source = match (key, *value) {
                ("put_omission", "keep") | ("returning", "revive_guid") | ("patch_answer.groups", "204") => "okta",
                ("tombstones", "recognize") | ("same_group_name", "refuse") => "okta",
                _ => "azure",
            };
            let world = world(source, &line(key, value));
            assert_eq!(probe(&Scim::new(&world.server)), *expected, "{key} = {value}");
        }
    }
}

#[test]
fn each_source_presets_the_values_that_are_documented() {
    let docs = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/configuration.md")).expect("a page");
    let (_, table) = docs.split_once("`source` presets `[scim]`:").expect("the table");
    let rows: Vec<Vec<&str>> = table
        .lines()
        .skip_while(|line| !line.starts_with("| `"))
        .take_while(|line| line.starts_with("| `"))
        .map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches(['`', '"'])).collect())
        .collect();
    assert_eq!(rows.len(), TABLE.len());
    for (column, sources) in [(1, &["azure"][..]), (2, &["okta"]), (3, &["ping", "generic"])] {
        for source in sources {
            for row in &rows {
                let (_, probe, values) = TABLE
                    .into_iter()
                    .find(|(key, ..)| *key == row[0])
                    .unwrap_or_else(|| panic!("no probe of {}", row[0]));
                let (_, expected) = values.iter().find(|(value, _)| *value == row[column]).expect("a value of the key");
                let world = world(source, "");
                assert_eq!(probe(&Scim::new(&world.server)), *expected, "{source}: {}", row[0]);
            }
        }
    }
}

#[test]
fn no_key_and_no_value_of_scim_is_without_a_probe() {
    let schema = schema(SchemaKind::Directory);
    let scim = &schema["properties"]["scim"]["properties"];
    let mut known = BTreeSet::new();
    for (key, of) in scim.as_object().expect("keys") {
        let inner = of["properties"].as_object();
        let keys: Vec<(String, &Value)> = match inner {
            Some(inner) => inner.iter().map(|(name, of)| (format!("{key}.{name}"), of)).collect(),
            None => vec![(key.clone(), of)],
        };
        for (key, of) in keys {
            for value in of["enum"].as_array().unwrap_or_else(|| panic!("{key}: {of}")) {
                known.insert((key.clone(), value.as_str().expect("a text").to_owned()));
            }
        }
    }
    let probed: BTreeSet<(String, String)> = TABLE
        .iter()
        .flat_map(|(key, _, values)| values.iter().map(|(value, _)| ((*key).to_owned(), (*value).to_owned())))
        .collect();
    assert_eq!(probed, known);
}

#[test]
fn a_directory_that_refuses_who_lacks_something_lets_such_a_one_of_before_be_switched_off() {
    let world = world("generic", "missing = \"incomplete\"");
    let scim = Scim::new(&world.server);
    let bare = |name: &str| json!({ "userName": name, "externalId": name });
    let (ada, bob) = (scim.post("/Users", &bare("ada")).json(), scim.post("/Users", &bare("bob")).json());
    let strict = || scim.post("/Users", &bare("carl")).status == 400;
    world.server.reconfigure("directories/contoso.toml", "\"incomplete\"", "\"refuse\"", strict);
    let by_patch = format!("/Users/{}", id(&ada));
    assert_eq!(set(&scim, &by_patch, "active", &json!(false)), 200, "nobody lingers for the lack of a mail");
    let mut off = bare("bob");
    off["active"] = json!(false);
    let by_put = format!("/Users/{}", id(&bob));
    assert_eq!(scim.put(&by_put, &off).status, 200);
    assert_eq!((&shown(&scim, &by_patch)["active"], &shown(&scim, &by_put)["active"]), (&json!(false), &json!(false)));
    assert_eq!(scim.delete(&by_patch).status, 204);
}

#[test]
fn one_user_name_in_two_spellings_is_one_name_on_every_connection() {
    for source in ["azure", "okta", "ping", "generic"] {
        let world = world(source, "");
        let scim = Scim::new(&world.server);
        let user = scim.user("Alice@Contoso.com", GUID);
        let path = format!("/Users/{}", id(&user));
        assert_eq!(scim.post("/Users", &person("aLICE@cONTOSO.COM", "other")).status, 409, "{source}");
        assert_eq!(scim.found("Users", "userName eq \"ALICE@CONTOSO.COM\"").len(), 1, "{source}");
        assert_eq!(set(&scim, &path, "userName", &json!("alice@contoso.com")), 200, "{source}");
        assert_eq!(shown(&scim, &path)["userName"], "alice@contoso.com", "{source}: as it was sent");
    }
}
