//! `doctor scim` against a running server: green where all is well, red with what to do where it isn't.

use serde_json::Value;

use crate::stage::{Done, Server, Stage};

const ENTRA_DIRECTORY: &str = r#"name = "Contoso"
domains = ["contoso.com"]
default_domain = "contoso.com"
source = "azure"
attributes = ["userName", "externalId", "emails", "name.givenName", "name.familyName", "active", "displayName",
    "department", "manager"]
"#;

const ENTRA: &str = r#"name = "Contoso"
kind = "entra"
issuer = "https://login.microsoftonline.com/8b87af7d-8647-4dc7-8df4-5f69a2011bb5/v2.0"
client_id = "vestibule"
client_secret = { env = "IDP_SECRET" }
directory = "contoso"
domains = ["contoso.com"]
"#;

const OKTA: &str = r#"name = "Contoso"
kind = "okta"
issuer = "https://contoso.okta.com"
client_id = "vestibule"
client_secret = { env = "IDP_SECRET" }
directory = "contoso"
domains = ["contoso.com"]
"#;

pub fn entra() -> Stage {
    let stage = Stage::new(None);
    stage.write("directories/contoso.toml", ENTRA_DIRECTORY);
    stage.write("idps/contoso.toml", ENTRA);
    stage
}

pub fn okta() -> Stage {
    let stage = entra();
    stage.edit("directories/contoso.toml", "\"azure\"", "\"okta\"");
    stage.write("idps/contoso.toml", OKTA);
    stage
}

pub fn play(stage: &Stage, server: &Server, service: &str, more: &[&str]) -> Done {
    let url = format!("http://{}", server.address);
    stage.run(&[&["doctor", "scim", "--as", service, "--directory", "contoso", "--url", &url], more].concat())
}

pub fn of_outcome<'a>(report: &'a Value, outcome: &str) -> Vec<&'a Value> {
    let steps = report["steps"].as_array().expect("steps");
    steps.iter().filter(|step| step["outcome"] == outcome).collect()
}

#[track_caller]
fn is_green(stage: &Stage, service: &str) {
    let server = stage.serve();
    let done = play(stage, &server, service, &["--json"]);
    let report = done.json();
    assert_eq!(of_outcome(&report, "wrong"), Vec::<&Value>::new());
    assert_eq!(of_outcome(&report, "left_out"), Vec::<&Value>::new());
    assert!(of_outcome(&report, "ok").len() > 35, "{report:#}");
    assert_eq!(report["sign_in"][0]["outcome"], "ok", "{report:#}");
    assert_eq!((done.code, &report["ok"], done.err.as_str()), (Some(0), &Value::Bool(true), ""));
    nothing_is_left(stage);
}

/// No credential, nobody in the directory, no other scope.
#[track_caller]
pub fn nothing_is_left(stage: &Stage) {
    assert_eq!(stage.run(&["sync-client", "list", "--json"]).json(), serde_json::json!([]));
    let listed = stage.run(&["directory", "list", "--json"]).json();
    assert_eq!((&listed[0]["users"], &listed[0]["groups"]), (&0.into(), &0.into()), "{listed}");
    let audit = stage.run(&["directory", "audit", "--directory", "contoso", "--json"]).json();
    assert_eq!(audit, serde_json::json!([]), "the real directory's audit knows nothing of it");
    let database = rusqlite::Connection::open(stage.path("data/vestibule.db")).expect("a database");
    for table in
        ["users", "user_values", "user_groups", "memberships", "parked_members", "gone", "audit", "sync_clients"]
    {
        let count: i64 = database
            .query_row(&format!("SELECT COUNT(*) FROM {table} WHERE directory LIKE '%~%'"), [], |row| row.get(0))
            .expect("a count");
        assert_eq!(count, 0, "{table} has rows of the scratch scope");
    }
}

#[test]
fn doctor_as_entra_is_green_against_a_directory_of_its_preset() {
    is_green(&entra(), "entra");
}

#[test]
fn doctor_as_okta_is_green_against_a_directory_of_its_preset() {
    is_green(&okta(), "okta");
}

#[test]
fn both_plays_are_green_against_a_generic_directory() {
    for service in ["entra", "okta"] {
        let stage = entra();
        stage.edit("directories/contoso.toml", "\"azure\"", "\"generic\"");
        if service == "okta" {
            stage.write("idps/contoso.toml", OKTA);
        }
        is_green(&stage, service);
    }
}

#[test]
fn a_step_about_an_unconfirmed_attribute_is_left_out_and_said_so() {
    let stage = entra();
    stage.edit("directories/contoso.toml", ",\n    \"department\", \"manager\"", "");
    let server = stage.serve();
    let done = play(&stage, &server, "entra", &["--json"]);
    let report = done.json();
    let left_out = of_outcome(&report, "left_out");
    assert_eq!((done.code, left_out.len()), (Some(0), 7), "{report:#}");
    assert!(left_out.iter().all(|step| step["why"].as_str().is_some_and(|why| why.contains("not confirmed"))));
}

/// The only verdict over signing in, which must be a bad one.
#[track_caller]
fn sick_of(stage: &Stage, service: &str) -> (String, String) {
    let server = stage.serve();
    let done = play(stage, &server, service, &["--json"]);
    let report = done.json();
    assert_eq!((done.code, &report["ok"]), (Some(1), &Value::Bool(false)), "{report:#}");
    let verdict = &report["sign_in"][0];
    assert_eq!(verdict["outcome"], "wrong", "{report:#}");
    nothing_is_left(stage);
    let text = |name: &str| verdict[name].as_str().unwrap_or_default().to_owned();
    (text("says"), text("mend"))
}

#[test]
fn doctor_does_not_begin_where_the_match_attribute_is_not_confirmed_and_says_what_to_do() {
    let stage = entra();
    let server = stage.serve();
    stage.edit("idps/contoso.toml", "directory =", "match = { attribute = \"employeeNumber\" }\ndirectory =");
    let done = play(&stage, &server, "entra", &[]);
    assert_eq!((done.code, done.out.as_str()), (Some(1), ""), "{done:?}");
    assert!(done.err.contains("employeeNumber") && done.err.contains("add the attribute to `attributes`"), "{done:?}");
}

#[test]
fn doctor_is_red_where_the_default_mapping_does_not_fill_the_match_attribute() {
    let stage = entra();
    stage.edit("directories/contoso.toml", "\"manager\"", "\"manager\", \"employeeNumber\"");
    stage.edit("idps/contoso.toml", "directory =", "match = { attribute = \"employeeNumber\" }\ndirectory =");
    let (says, mend) = sick_of(&stage, "entra");
    assert!(says.contains("does not fill \"employeeNumber\""), "{says}");
    assert!(mend.contains("add a mapping to employeeNumber"), "{mend}");
}

#[test]
fn doctor_is_red_where_claim_and_attribute_hold_different_things() {
    let stage = okta();
    stage.edit("idps/contoso.toml", "directory =", "match = { attribute = \"userName\" }\ndirectory =");
    let (says, mend) = sick_of(&stage, "okta");
    assert!(says.contains("hold different things"), "{says}");
    assert!(mend.contains("Okta's id of the user into externalId"), "{mend}");
}

#[test]
fn doctor_is_red_where_external_id_is_not_confirmed() {
    let stage = entra();
    stage.edit("directories/contoso.toml", "\"externalId\", ", "");
    let by_name = "match = { claim = \"preferred_username\", attribute = \"userName\" }\ndirectory =";
    stage.edit("idps/contoso.toml", "directory =", by_name);
    let server = stage.serve();
    let done = play(&stage, &server, "entra", &["--json"]);
    let report = done.json();
    let mends: Vec<&str> = of_outcome(&report, "wrong").iter().filter_map(|step| step["mend"].as_str()).collect();
    assert_eq!(done.code, Some(1), "{report:#}");
    assert!(mends.iter().any(|mend| mend.contains("externalId must be among the confirmed")), "{report:#}");
    nothing_is_left(&stage);
}

#[test]
fn doctor_says_that_a_directory_is_another_products() {
    let stage = okta();
    let server = stage.serve();
    let done = play(&stage, &server, "entra", &[]);
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.out.contains("write source = \"azure\""), "{done:?}");
    nothing_is_left(&stage);
}

#[test]
fn without_a_server_the_first_step_says_that_there_is_none_and_nothing_is_left() {
    let stage = entra();
    let mut server = stage.serve();
    server.signal("-TERM");
    server.ended();
    let done = play(&stage, &server, "entra", &[]);
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.out.contains("✗ test connection") && done.out.contains("no answer"), "{done:?}");
    assert_eq!(done.out.matches('✗').count(), 1, "{done:?}");
    nothing_is_left(&stage);
}
