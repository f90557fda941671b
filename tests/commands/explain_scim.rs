//! `explain scim`: what a request would do, word for word; and it writes nothing.

use serde_json::{Value, json};

use crate::stage::{Done, Stage};

const DIRECTORY: &str = r#"name = "Contoso"
domains = ["contoso.com"]
default_domain = "contoso.com"
source = "azure"
"#;

const SERVICE: &str = r#"name = "Workspace ONE Access"
driver = "scim2"
url = "https://access.example.com/scim"
directory = "contoso"
[auth]
kind = "bearer"
token = { env = "CLIENT_SECRET" }
"#;

const ID: &str = "00000000000000000000000000000001";

fn stage() -> Stage {
    let stage = Stage::new(None);
    stage.write("directories/contoso.toml", DIRECTORY);
    stage.write("services/access.toml", SERVICE);
    let dump = json!({ "Resources": [
        { "id": ID, "userName": "ada@contoso.com", "externalId": "11111111-2222-3333-4444-555555555555",
          "displayName": "Ada", "name": { "givenName": "Ada", "familyName": "L" },
          "emails": [{ "value": "ada@contoso.com", "type": "work" }] },
        { "id": "00000000000000000000000000000002", "userName": "bob@contoso.com", "externalId": "b" },
        { "id": "a1", "displayName": "Staff", "members": [{ "value": ID }], "meta": { "resourceType": "Group" } },
    ]});
    let path = stage.path("dump.json");
    std::fs::write(&path, dump.to_string()).expect("a file");
    let done = stage.run(&["directory", "import", "--directory", "contoso", &path.display().to_string()]);
    assert_eq!(done.code, Some(0), "{done:?}");
    stage
}

fn explain(stage: &Stage, path: &str, body: &Value, more: &[&str]) -> Done {
    let file = stage.path("body.json");
    std::fs::write(&file, body.to_string()).expect("a file");
    let file = file.display().to_string();
    stage.run(&[&["explain", "scim", "--directory", "contoso", "--path", path, &file], more].concat())
}

fn operations(operations: Value) -> Value {
    json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations })
}

fn everything(stage: &Stage) -> String {
    stage.run(&["directory", "export", "--directory", "contoso"]).out
}

#[test]
fn a_change_is_shown_attribute_by_attribute_with_what_is_left_out_and_nothing_is_written() {
    let stage = stage();
    let before = everything(&stage);
    let body = operations(json!([
        { "op": "Replace", "path": "displayName", "value": "Ada Lovelace" },
        { "op": "Replace", "path": "active", "value": "False" },
        { "op": "Add", "path": "nickName", "value": "A" },
        { "op": "Add", "path": "shoeSize", "value": "44" },
    ]));
    let done = explain(&stage, &format!("PATCH /Users/{ID}"), &body, &["--json"]);
    let told = done.json();
    assert_eq!((done.code, &told["status"], &told["outcome"]), (Some(0), &json!(200), &json!("changed")), "{told}");
    let changes = json!({
        "active": { "before": true, "after": false }, "displayName": { "before": "Ada", "after": "Ada Lovelace" },
    });
    assert_eq!(told["changes"], changes);
    assert_eq!((&told["unknown"], &told["unconfirmed"]), (&json!(["shoeSize"]), &json!(["nickName"])), "{told}");
    let service = told["services"][0]["told"].as_str().expect("a service");
    assert_eq!(told["services"][0]["service"], "access");
    assert!(service.contains("displayName") && service.contains("delivers nothing yet"), "{service}");

    let text = explain(&stage, &format!("PATCH /Users/{ID}"), &body, &[]).out;
    for line in [
        "changed: 200",
        "  displayName: \"Ada\" → \"Ada Lovelace\"",
        "  active: true → false",
        "left out, in no schema: shoeSize",
        "left out, not confirmed by this directory: nickName",
    ] {
        assert!(text.lines().any(|told| told == line), "{line}\n{text}");
    }
    assert_eq!(everything(&stage), before);
    let audit = stage.run(&["directory", "audit", "--directory", "contoso", "--json"]).json();
    assert!(audit.as_array().expect("records").iter().all(|record| record["what"] == "import"), "{audit}");
}

#[test]
fn a_request_that_changes_nothing_tells_no_service() {
    let stage = stage();
    let body = operations(json!([{ "op": "Add", "path": "displayName", "value": "Ada" }]));
    let told = explain(&stage, &format!("PATCH /Users/{ID}"), &body, &["--json"]).json();
    assert_eq!((&told["outcome"], &told["changes"]), (&json!("unchanged"), &json!({})), "{told}");
    assert!(told["services"][0]["told"].as_str().is_some_and(|told| told.starts_with("nothing")), "{told}");
}

#[test]
fn a_refusal_is_told_with_status_scim_type_and_the_mend_and_exit_code_1() {
    let stage = stage();
    let cases = [
        ("POST /Users", json!({ "userName": "ADA@contoso.com", "externalId": "x" }), 409, "uniqueness", "userName"),
        ("POST /Users", json!({ "externalId": "x" }), 400, "invalidValue", "userName"),
        ("POST /Users", json!({ "userName": "new@contoso.com", "externalId": "b" }), 409, "uniqueness", "externalId"),
    ];
    for (path, body, status, kind, attribute) in cases {
        let done = explain(&stage, path, &body, &["--json"]);
        let told = done.json();
        assert_eq!((done.code, &told["status"], &told["scimType"]), (Some(1), &json!(status), &json!(kind)), "{told}");
        assert_eq!(told["attribute"], json!(attribute), "{told}");
    }
    let gone = explain(&stage, "PATCH /Users/nobody", &operations(json!([])), &["--json"]);
    assert_eq!((gone.code, gone.json()["status"].clone()), (Some(1), json!(404)));
    let usage = explain(&stage, "GET /Users/x", &json!({}), &[]);
    assert!(usage.code == Some(2) && usage.err.contains("PATCH /Users/ID"), "{usage:?}");
}

#[test]
fn a_softly_deleted_person_is_shown_with_the_name_that_is_kept() {
    let stage = stage();
    let tombstone = "11111111222233334444555555555555ada@contoso.com";
    let body = operations(json!([
        { "op": "Replace", "path": "active", "value": "False" },
        { "op": "Replace", "path": "userName", "value": tombstone },
    ]));
    let told = explain(&stage, &format!("PATCH /Users/{ID}"), &body, &["--json"]).json();
    let kept = &told["changes"]["(name that is kept for the return)"];
    assert_eq!(kept["after"], "ada@contoso.com", "{told}");
}

#[test]
fn a_change_of_members_names_those_who_would_have_to_wait() {
    let stage = stage();
    let body = operations(json!([
        { "op": "Add", "path": "members", "value": [{ "value": "00000000000000000000000000000002" }, { "value": "who" }] },
        { "op": "Remove", "path": "members", "value": [{ "value": ID }] },
    ]));
    let told = explain(&stage, "PATCH /Groups/a1", &body, &["--json"]).json();
    let members = json!([
        { "add": ["00000000000000000000000000000002", "who"], "wait_for_somebody_of_that_id": ["who"] },
        { "remove": [ID] },
    ]);
    assert_eq!(told["members"], members, "{told}");
}
