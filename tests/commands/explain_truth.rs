//! `explain scim` against what the server then does with the very same request: outcome, status, words of the refusal and
//! every attribute afterwards.

use serde_json::{Map, Value, json};

use crate::stage::{Server, Stage};

const ADA: &str = "00000000000000000000000000000001";
const BOB: &str = "00000000000000000000000000000002";
const EVE: &str = "00000000000000000000000000000003";
const STAFF: &str = "000000000000000000000000000000a1";
const GUID: &str = "11111111-2222-3333-4444-555555555555";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn directory(source: &str, scim: &str) -> String {
    format!(
        r#"name = "Contoso"
domains = ["contoso.com"]
default_domain = "contoso.com"
source = "{source}"
attributes = ["userName", "externalId", "emails", "name.givenName", "name.familyName", "active", "displayName",
    "department", "manager", "customAttribute1"]
[scim]
{scim}
"#
    )
}

struct Play {
    stage: Stage,
    server: Server,
    token: String,
}

impl Play {
    fn new(source: &str, scim: &str) -> Self {
        let stage = Stage::new(None);
        stage.write("directories/contoso.toml", &directory(source, ""));
        let dump = json!({ "Resources": [
            { "id": ADA, "userName": "ada@contoso.com", "externalId": GUID, "displayName": "Ada",
              "name": { "givenName": "Ada", "familyName": "L" },
              "emails": [{ "value": "ada@contoso.com", "type": "work" }],
              ENTERPRISE: { "department": "Care" } },
            { "id": BOB, "userName": "bob@contoso.com", "externalId": "22222222-2222-3333-4444-555555555555" },
            { "id": EVE, "userName": "eve@contoso.com", "externalId": "33333333-2222-3333-4444-555555555555",
              "active": false },
            { "id": STAFF, "displayName": "Staff", "members": [{ "value": ADA }, { "value": "somebody" }],
              "meta": { "resourceType": "Group" } },
            { "id": "a2", "displayName": "Others", "externalId": "o", "meta": { "resourceType": "Group" } },
        ]});
        std::fs::write(stage.path("dump.json"), dump.to_string()).expect("a file");
        let path = stage.path("dump.json").display().to_string();
        let done = stage.run(&["directory", "import", "--directory", "contoso", &path]);
        assert_eq!(done.code, Some(0), "{done:?}");
        stage.write("directories/contoso.toml", &directory(source, scim));
        let made = stage.run(&["sync-client", "create", "--directory", "contoso", "--json"]).json();
        let token = made["token"].as_str().expect("a token").to_owned();
        let server = stage.serve();
        Self { stage, server, token }
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let authorization = format!("Bearer {}", self.token);
        let headers = [("Authorization", authorization.as_str()), ("Content-Type", "application/scim+json")];
        let answer = self.server.ask(method, &format!("/usergroup/scim/v2{path}"), &headers, body);
        (answer.status, serde_json::from_str(&answer.text()).unwrap_or(Value::Null))
    }

    fn parked(&self) -> i64 {
        self.stage.run(&["directory", "list", "--json"]).json()[0]["parked"].as_i64().expect("a number")
    }

    /// Asks `explain`, sends the same, compares.
    #[track_caller]
    fn same(&self, request: &str, body: &str) {
        let (method, path) = request.split_once(' ').expect("a method and a path");
        let resource = path.split('?').next().expect("a path").to_owned();
        let before = self.ask("GET", &resource, "").1;
        let parked = self.parked();
        std::fs::write(self.stage.path("body.json"), body).expect("a file");
        let file = self.stage.path("body.json").display().to_string();
        let done = self.stage.run(&["explain", "scim", "--json", "--directory", "contoso", "--path", request, &file]);
        let told = done.json();
        let (status, answer) = self.ask(method, path, body);
        assert_eq!(told["status"], json!(status), "{request} {body}\n{told}\n{answer}");
        if status >= 400 {
            assert_eq!(done.code, Some(1), "{told}");
            let kind = answer.get("scimType").cloned().unwrap_or(Value::Null);
            assert_eq!((&told["scimType"], &told["detail"]), (&kind, &answer["detail"]), "{request} {body}");
            assert_eq!(self.ask("GET", &resource, "").1, before, "a refusal changes nothing");
            return;
        }
        assert_eq!(done.code, Some(0), "{told}");
        let created = method == "POST";
        let place = if created { format!("{resource}/{}", answer["id"].as_str().expect("an id")) } else { resource };
        let after = self.ask("GET", &place, "").1;
        let was = match told["outcome"].as_str() {
            Some("created" | "revived") => Value::Null,
            _ => before.clone(),
        };
        if told["outcome"] == "revived" {
            assert_eq!(told["changes"]["active"], json!({ "before": false, "after": true }), "{told}");
            for (name, change) in told["changes"].as_object().expect("changes") {
                assert_eq!(flat(&after).get(name), change.get("after"), "{name}: {told}\n{after}");
            }
            return;
        }
        assert_eq!(told_changes(&told), changes(&flat(&was), &flat(&after)), "{request} {body}\n{told}\n{after}");
        let same = before.pointer("/meta/version") == after.pointer("/meta/version");
        assert_eq!(told["outcome"] == "unchanged", same, "{request}: {told}");
        let ids = |of: &Value| -> Vec<String> {
            let members = of["members"].as_array().cloned().unwrap_or_default();
            members.iter().filter_map(|member| member["value"].as_str().map(str::to_owned)).collect()
        };
        if let Some(count) = told["memberships"].as_object() {
            let (was, is) = (ids(&was), ids(&after));
            let added = is.iter().filter(|id| !was.contains(id)).count();
            let removed = was.iter().filter(|id| !is.contains(id)).count();
            assert_eq!((&count["added"], &count["removed"]), (&json!(added), &json!(removed)), "{request}: {told}");
            if count["parked"] != json!(0) {
                assert_eq!(json!(self.parked() - parked), count["parked"], "{request}: {told}");
            }
        }
    }
}

fn operations(operations: Value) -> String {
    json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations }).to_string()
}

/// A resource as the names of its attributes with their values.
fn flat(resource: &Value) -> Map<String, Value> {
    let mut flat = Map::new();
    for (name, value) in resource.as_object().into_iter().flatten() {
        match (name.as_str(), value) {
            ("schemas" | "id" | "meta" | "groups" | "members", _) => {}
            ("name", Value::Object(parts)) => {
                flat.extend(parts.iter().map(|(part, value)| (format!("name.{part}"), value.clone())));
            }
            (urn, Value::Object(own)) if urn.starts_with("urn:") => flat.extend(own.clone()),
            (name, value) => drop(flat.insert(name.to_owned(), value.clone())),
        }
    }
    flat
}

fn changes(was: &Map<String, Value>, is: &Map<String, Value>) -> Map<String, Value> {
    let mut changes = Map::new();
    for name in was.keys().chain(is.keys()) {
        if was.get(name) != is.get(name) {
            changes.insert(name.clone(), json!({ "before": was.get(name), "after": is.get(name) }));
        }
    }
    changes
}

/// What is told of attributes that are shown.
fn told_changes(told: &Value) -> Map<String, Value> {
    let mut changes = told["changes"].as_object().expect("changes").clone();
    changes.retain(|name, _| !name.starts_with('('));
    changes
}

fn users(play: &Play) {
    let ada = format!("/Users/{ADA}");
    let patch = |play: &Play, given: Value| play.same(&format!("PATCH {ada}"), &operations(given));
    patch(play, json!([{ "op": "Replace", "path": "displayName", "value": "Ada Lovelace" }]));
    patch(play, json!([{ "op": "Replace", "path": "displayName", "value": "Ada Lovelace" }]));
    patch(play, json!([{ "op": "Add", "path": "emails[type eq \"home\"].value", "value": "a@home.example" }]));
    patch(
        play,
        json!([{ "op": "replace", "value": { "name.givenName": "A", format!("{ENTERPRISE}:department"): "B" } }]),
    );
    patch(play, json!([{ "op": "Add", "path": "manager", "value": BOB }]));
    patch(play, json!([{ "op": "Replace", "path": "manager", "value": { "value": "" } }]));
    patch(play, json!([{ "op": "Replace", "path": "displayName", "value": "__CLEAR__" }]));
    patch(
        play,
        json!([{ "op": "Add", "path": "nickName", "value": "A" }, { "op": "Add", "path": "shoe", "value": 4 }]),
    );
    patch(play, json!([{ "op": "Replace", "path": "active", "value": "maybe" }]));
    patch(play, json!([{ "op": "Replace", "path": "userName", "value": "" }]));
    patch(play, json!([{ "op": "Replace", "path": "userName", "value": "BOB@contoso.com" }]));
    patch(play, json!([{ "op": "Replace", "path": "externalId", "value": "33333333-2222-3333-4444-555555555555" }]));
    patch(play, json!([{ "op": "Replace", "path": "id", "value": "7" }]));
    patch(play, json!([{ "op": "remove" }]));
    patch(play, json!([{ "op": "Replace", "path": "emails[", "value": "x" }]));
    patch(play, json!([]));
    play.same(
        &format!("PATCH {ada}?attributes=userName"),
        &operations(json!([{ "op": "Add", "path": "department", "value": "Z" }])),
    );
    patch(
        play,
        json!([
            { "op": "Replace", "path": "active", "value": "False" },
            { "op": "Replace", "path": "userName", "value": format!("{}ada@contoso.com", GUID.replace('-', "")) },
        ]),
    );
    play.same("POST /Users", &json!({ "userName": "ada@contoso.com", "externalId": "n-1" }).to_string());
    patch(
        play,
        json!([{ "op": "Replace", "path": "userName", "value": "ada@contoso.com" }, { "op": "Replace", "path": "active", "value": true }]),
    );
    patch(
        play,
        json!([{ "op": "Replace", "path": "userName", "value": "ada2@contoso.com" }, { "op": "Replace", "path": "active", "value": true }]),
    );
    play.same(
        &format!("PUT {ada}"),
        &json!({ "userName": "ada3@contoso.com", "name": { "familyName": "Q" } }).to_string(),
    );
    play.same(&format!("PUT {ada}"), &json!({ "displayName": "without a name" }).to_string());
    play.same("PUT /Users/nobody", &json!({ "userName": "n@contoso.com" }).to_string());
    play.same("POST /Users", &json!({ "externalId": "x" }).to_string());
    play.same(
        "POST /Users",
        &json!({ "userName": "eve@contoso.com", "externalId": "33333333-2222-3333-4444-555555555555", "active": true })
            .to_string(),
    );
    play.same("POST /Users", &json!({ "userName": "new@contoso.com", "externalId": GUID }).to_string());
    play.same(
        "POST /Users",
        &json!({ "userName": "new@contoso.com", "externalId": "n-2", "emails": ["new@contoso.com"],
        "name": { "givenName": "N", "familyName": "E" }, ENTERPRISE: { "manager": ADA } })
        .to_string(),
    );
    for broken in [
        "",
        "{",
        "[]",
        "{\"userName\": \"a\u{0}\"}",
        "{\"userName\": 7}",
        "nothing",
        "\u{feff}{\"userName\":\"bom@contoso.com\"}",
    ] {
        play.same("POST /Users", broken);
    }
    play.same("POST /Users", &format!("{{\"userName\": \"{}\"}}", "x".repeat(1_025)));
    play.same("POST /Users", &format!("{{\"userName\": \"{}\"}}", "x".repeat(256 * 1_024)));
    play.same("POST /Users", &format!("{{\"userName\": {}1{}}}", "[".repeat(17), "]".repeat(17)));
}

fn groups(play: &Play) {
    let staff = format!("PATCH /Groups/{STAFF}");
    let patch = |play: &Play, given: Value| play.same(&staff, &operations(given));
    patch(play, json!([{ "op": "Add", "path": "members", "value": [{ "value": BOB }, { "value": ADA }] }]));
    patch(play, json!([{ "op": "Add", "path": "members", "value": [{ "value": BOB }] }]));
    patch(play, json!([{ "op": "Add", "path": "members", "value": [{ "value": "who" }] }]));
    patch(play, json!([{ "op": "Add", "path": "members", "value": [{ "value": "a2" }] }]));
    patch(play, json!([{ "op": "Remove", "path": "members", "value": [{ "value": "not-in-it" }] }]));
    patch(play, json!([{ "op": "remove", "path": format!("members[value eq \"{BOB}\"]") }]));
    patch(play, json!([{ "op": "remove", "path": "members[value eq \"nobody\"]" }]));
    patch(play, json!([{ "op": "Replace", "path": "displayName", "value": "Others" }]));
    patch(play, json!([{ "op": "Replace", "path": "displayName", "value": "Staff" }]));
    patch(play, json!([{ "op": "Replace", "path": "displayName", "value": "" }]));
    patch(play, json!([{ "op": "replace", "path": "members", "value": [{ "value": EVE }] }]));
    play.same(
        &format!("{staff}?excludedAttributes=members"),
        &operations(json!([{ "op": "Add", "path": "externalId", "value": "s" }])),
    );
    play.same(
        &format!("PUT /Groups/{STAFF}"),
        &json!({ "displayName": "Staff 2", "members": [{ "value": ADA }, { "value": BOB }] }).to_string(),
    );
    play.same("PUT /Groups/a2", &json!({ "displayName": "Others", "externalId": "s" }).to_string());
    play.same("POST /Groups", &json!({ "displayName": "staff 2" }).to_string());
    play.same("POST /Groups", &json!({ "members": [] }).to_string());
    play.same(
        "POST /Groups",
        &json!({ "displayName": "New", "members": [{ "value": ADA }, "later", { "value": "" }] }).to_string(),
    );
    play.same("POST /Groups", &json!({ "displayName": "Newer", "members": [{ "value": ADA }, "later"] }).to_string());
    patch(play, json!([{ "op": "Remove", "path": "members" }]));
}

fn deletions(play: &Play) {
    for path in [format!("/Users/{BOB}"), format!("/Groups/{STAFF}")] {
        let told = play.stage.run(&[
            "explain",
            "scim",
            "--json",
            "--directory",
            "contoso",
            "--path",
            &format!("DELETE {path}"),
        ]);
        assert_eq!((told.code, told.json()["status"].clone()), (Some(0), json!(204)), "{told:?}");
        assert_eq!(told.json()["outcome"], "deleted");
        assert_eq!(play.ask("GET", &path, "").0, 200, "it is still there");
        assert_eq!(play.ask("DELETE", &path, "").0, 204);
        play.same(&format!("DELETE {path}"), "");
    }
}

fn all_of_it(source: &str, scim: &str) {
    let play = Play::new(source, scim);
    users(&play);
    groups(&play);
    deletions(&play);
}

#[test]
fn explain_tells_what_the_server_then_does_with_entras_rules() {
    all_of_it("azure", "");
}

#[test]
fn explain_tells_what_the_server_then_does_with_oktas_rules() {
    all_of_it("okta", "");
}

#[test]
fn explain_tells_what_the_server_then_does_with_strict_rules() {
    all_of_it(
        "generic",
        "unknown_members = \"refuse\"\nreturning = \"refuse\"\ntombstones = \"ignore\"\n\
         patch_answer = { users = \"204\", groups = \"200\" }",
    );
}

#[test]
fn explain_tells_what_a_directory_that_insists_on_values_refuses() {
    users(&Play::new("okta", "missing = \"refuse\""));
}
