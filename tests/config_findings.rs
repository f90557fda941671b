//! Every finding of the config folder, as a person sees it.
//!
//! `tests/golden/config/CODE/config` is a folder that has the finding, `expected.txt` what `check`
//! prints. `UPDATE_GOLDEN=1 cargo test --test config_findings` writes the expected texts anew.
#![expect(clippy::expect_used, reason = "a test stops where its ground is missing")]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use vestibule::config::{self, Styled, lints};

/// What the variable SET holds.
const SET: &str = "a-secret-of-the-environment-0123456789";

/// What stands for secrets in the golden folders: none of it may show anywhere.
const NEVER_SHOWN: [&str; 6] = ["horse", "battery", "staple", "hunter2", SET, "nWGxne_9WmC6"];

fn env(name: &str) -> Option<String> {
    name.starts_with("SET").then(|| SET.to_owned())
}

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/config")
}

fn cases() -> Vec<(String, PathBuf)> {
    let mut cases: Vec<(String, PathBuf)> = fs::read_dir(golden())
        .expect("the golden folder")
        .map(|entry| entry.expect("an entry").path())
        .map(|path| (path.file_name().expect("a name").to_string_lossy().into_owned(), path))
        .collect();
    cases.sort();
    cases
}

/// Copies links as links, and with modes that don't depend on how the working copy was made.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    fs::set_permissions(to, fs::Permissions::from_mode(0o755)).expect("a mode");
    for entry in fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        let meta = fs::symlink_metadata(&path).expect("metadata");
        if meta.is_symlink() {
            symlink(fs::read_link(&path).expect("a link"), &target).expect("a link");
        } else if meta.is_dir() {
            copy(&path, &target);
        } else {
            fs::write(&target, fs::read(&path).expect("a file")).expect("a file");
            fs::set_permissions(&target, fs::Permissions::from_mode(0o644)).expect("a mode");
        }
    }
}

/// What version control can't keep.
fn prepare(case: &str, folder: &Path) {
    match case {
        "CFG13" => {
            for path in ["vestibule.toml", "idps"] {
                fs::set_permissions(folder.join(path), fs::Permissions::from_mode(0o777)).expect("a mode");
            }
        }
        "CFG14" => fs::write(folder.join("vestibule.toml"), "#".repeat(1024 * 1024 + 1)).expect("a file"),
        "CFG12" => fs::write(folder.join("../outside.toml"), "name = \"outside\"\n").expect("a file"),
        _ => {}
    }
}

fn shown(case: &str, path: &Path) -> (Vec<config::Finding>, String) {
    let place = tempfile::tempdir().expect("a folder");
    let folder = place.path().join("config");
    copy(&path.join("config"), &folder);
    prepare(case, &folder);
    let loaded = config::load(&folder, &env);
    assert_eq!(loaded.snapshot.is_none(), loaded.findings.iter().any(config::Finding::is_error), "{case}");
    let text = config::render(&loaded.findings, Styled::Plain).replace(&folder.display().to_string(), "config");
    let json: String = loaded.findings.iter().map(|finding| finding.to_json().to_string()).collect();
    for secret in NEVER_SHOWN {
        assert!(!text.contains(secret), "{case} shows {secret}:\n{text}");
        assert!(!json.contains(secret), "{case} shows {secret}:\n{json}");
    }
    (loaded.findings, text)
}

#[test]
fn every_golden_folder_is_reported_as_expected() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut different = Vec::new();
    for (case, path) in cases() {
        let (findings, text) = shown(&case, &path);
        let code = case.split('-').next().unwrap_or_default();
        let has = findings.iter().any(|finding| finding.code == code);
        let unserved_only = findings.iter().all(|finding| finding.code == lints::CFG22.code);
        assert!(has || (case == "valid" && unserved_only), "{case} doesn't have its finding:\n{text}");
        let expected = path.join("expected.txt");
        if update {
            fs::write(&expected, &text).expect("a file");
        } else if fs::read_to_string(&expected).unwrap_or_default() != text {
            different.push(format!("{case}:\n{text}"));
        }
    }
    assert!(different.is_empty(), "UPDATE_GOLDEN=1 writes these anew:\n{}", different.join("\n"));
}

/// What is found in a database beside the files, and the test of it.
const FOUND_IN_THE_DATABASE: [(&str, &str); 1] = [("DIR08", "tests/api/known_issues/mapping.rs")];

#[test]
fn every_lint_has_a_golden_folder() {
    let mut have: BTreeSet<String> =
        cases().into_iter().map(|(case, _)| case.split('-').next().unwrap_or_default().to_owned()).collect();
    for (code, test) in FOUND_IN_THE_DATABASE {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(test)).expect("the test");
        assert!(text.contains(code), "{test} has nothing of {code}");
        have.insert(code.to_owned());
    }
    let lack: Vec<&str> = lints::ALL.iter().map(|lint| lint.code).filter(|code| !have.contains(*code)).collect();
    assert_eq!(lack, Vec::<&str>::new());
}

#[test]
fn the_reference_of_findings_is_not_stale() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/config-findings.md");
    let reference = config::reference();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(&path, &reference).expect("a file");
    }
    assert_eq!(fs::read_to_string(&path).unwrap_or_default(), reference, "UPDATE_GOLDEN=1 writes it anew");
}

#[test]
fn the_example_folder_has_no_findings() {
    let place = tempfile::tempdir().expect("a folder");
    let folder = place.path().join("config");
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("config"), &folder);
    let known = |name: &str| ["ENTRA_CLIENT_SECRET", "ACCESS_CLIENT_SECRET"].contains(&name).then(|| SET.to_owned());
    let loaded = config::load(&folder, &known);
    assert!(loaded.findings.is_empty(), "{}", config::render(&loaded.findings, Styled::Plain));
    let snapshot = loaded.snapshot.expect("a snapshot");
    assert_eq!(snapshot.clients.len(), 1);
    assert_eq!(snapshot.idps.len(), 1);
}

/// The names of all keys of a schema, those of tables inside it too.
fn keys(schema: &serde_json::Value, names: &mut BTreeSet<String>) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let is_table = property.get("properties").is_some() && property["additionalProperties"] == false;
        names.insert(if is_table { format!("{name}]`") } else { format!("| `{name}` |") });
        if is_table {
            keys(property, names);
        }
    }
}

#[test]
fn the_admins_guide_names_every_key_in_its_place() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/configuration.md");
    let guide = fs::read_to_string(path).expect("the guide");
    for kind in config::SchemaKind::ALL {
        let schema = config::schema(kind);
        let heading = format!("\n## {}\n", schema["title"].as_str().expect("a title"));
        let section = guide.split_once(&heading).expect("a section for each file").1;
        let section = section.split("\n## ").next().unwrap_or_default();
        let mut names = BTreeSet::new();
        keys(&schema, &mut names);
        let lack: Vec<&String> = names.iter().filter(|name| !section.contains(name.as_str())).collect();
        assert!(lack.is_empty(), "{}: {lack:?}", kind.as_str());
    }
}

/// Whether the golden folder `case` has a finding of `code`, and whether that keeps it from being used.
fn refuses(case: &str, code: &str) -> Option<bool> {
    let (findings, _) = shown(case, &golden().join(case));
    findings.iter().find(|finding| finding.code == code).map(config::Finding::is_error)
}

#[test]
fn a040_one_redirect_address_for_providers_of_several_owners_is_found() {
    assert_eq!(refuses("IDP13", "IDP13"), Some(false));
}

#[test]
fn a159_a_parameter_that_is_set_for_each_login_is_refused_in_a_file() {
    assert_eq!(refuses("IDP10", "IDP10"), Some(true));
}

#[test]
fn a189_a_line_break_in_a_value_is_refused() {
    assert_eq!(refuses("CFG15", "CFG15"), Some(true));
}

#[test]
fn a248_a_link_out_of_the_folder_is_refused_and_a_file_that_all_may_write_is_found() {
    assert_eq!(refuses("CFG12", "CFG12"), Some(true));
    assert_eq!(refuses("CFG13", "CFG13"), Some(false));
}

#[test]
fn a261_redis_off_this_machine_without_tls_is_found() {
    assert_eq!(refuses("SRV02", "SRV02"), Some(false));
}

#[test]
fn c041_a_redirect_uri_with_a_fragment_is_refused() {
    let (findings, text) = shown("CLI02", &golden().join("CLI02"));
    assert!(findings.iter().any(|finding| finding.code == "CLI02" && finding.label.contains("fragment")), "{text}");
}

/// What `check` says of each redirect URI of the folder CLI02.
fn redirect_uris_refused_for(reason: &str) -> bool {
    let (findings, _) = shown("CLI02", &golden().join("CLI02"));
    findings.iter().any(|finding| finding.code == "CLI02" && finding.is_error() && finding.label.contains(reason))
}

#[test]
fn a003_a_wildcard_in_a_redirect_uri_is_refused() {
    assert!(redirect_uris_refused_for("has a wildcard"));
}

#[test]
fn a005_redirect_uris_of_other_schemes_with_user_info_or_in_plain_http_are_refused() {
    for reason in ["scheme `javascript`", "scheme `data`", "user name or password", "plain http", "fragment"] {
        assert!(redirect_uris_refused_for(reason), "{reason}");
    }
}
