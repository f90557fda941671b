//! The SCIM service under foreign eyes: executable cases of what Entra ID and Okta send, the whole of PyPI's
//! scim2-tester, and the vendor's OpenAPI document. Their versions are those of `tests/scim_peers/requirements.txt`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use vestibule::base::{Digest, Span};
use vestibule::directory::roster::{SyncClient, SyncKind};

#[path = "support"]
#[allow(dead_code, reason = "each test binary uses a part of it")]
mod support {
    pub mod browser;
    pub mod clock;
    pub mod html;
    pub mod http;
    pub mod server;
}

use support::clock::ManualClock;
use support::server::{Server, Setup, block_on};

/// Everything that SCIM and the vendor know, confirmed.
const ATTRIBUTES: &str = r#"attributes = ["userName", "externalId", "emails", "name.givenName", "name.familyName",
  "name.middleName", "name.formatted", "name.honorificPrefix", "name.honorificSuffix", "active", "displayName", "nickName",
  "title", "profileUrl", "userType", "preferredLanguage", "locale", "timezone", "phoneNumbers", "addresses", "photos", "ims",
  "roles", "entitlements", "department", "employeeNumber", "costCenter", "division", "organization", "manager",
  "adSourceAnchor", "customAttribute1", "customAttribute2", "customAttribute3", "customAttribute4", "customAttribute5",
  "distinguishedName", "domain", "userPrincipalName"]
"#;

/// A server on plain loopback HTTP with one directory for each source.
struct Stage {
    _server: Server,
    base: String,
}

impl Stage {
    fn new() -> Self {
        let mut setup = Setup::new("https://nobody.example.com");
        let address: SocketAddr = setup.on_loopback();
        let whole = format!("{ATTRIBUTES}\n[scim]\npatch_answer = {{ groups = \"200\" }}\n");
        for (directory, source, more) in [
            ("azure", "azure", ATTRIBUTES),
            ("okta", "okta", ATTRIBUTES),
            ("okta-whole", "okta", &whole),
            ("ping", "ping", ATTRIBUTES),
            ("generic", "generic", ATTRIBUTES),
        ] {
            let text = format!(
                "name = \"{directory}\"\ndomains = [\"{directory}.example.com\"]\ndefault_domain = \"{directory}.example.com\"\nsource = \"{source}\"\n{more}"
            );
            setup.file(&format!("directories/{directory}.toml"), &text);
        }
        let server = setup.start(Arc::new(ManualClock::at_this_moment()));
        Self { _server: server, base: format!("http://{address}/usergroup/scim/v2") }
    }

    /// A credential of a directory.
    fn token(&self, directory: &str) -> String {
        let ports = self._server.running().ports();
        let (token, now) = (format!("vsc_{}", ports.dice.token()), ports.clock.now());
        let client = SyncClient {
            id: ports.dice.id(),
            directory: directory.to_owned(),
            scope: directory.to_owned(),
            name: "the tests".to_owned(),
            kind: SyncKind::Token,
            secret: Digest::of(&token),
            created: now,
            expires: now.plus(Span::days(1)),
            last_used: None,
        };
        assert!(block_on(ports.directory.sync_clients.create(client, 2)).expect("the database works"));
        token
    }
}

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scim_peers")
}

/// Runs one of the scripts with the Python that `./test` set up; gives the last line that it printed.
#[track_caller]
fn run(script: &str, arguments: &[&str]) -> String {
    let (said, good) = run_to_its_end(script, arguments);
    assert!(good, "{script} {arguments:?}\n{said}");
    said.lines().last().unwrap_or_default().to_owned()
}

/// All that a script printed, and whether it was content.
fn run_to_its_end(script: &str, arguments: &[&str]) -> (String, bool) {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join(".test-tools/python/bin/python");
    assert!(python.exists(), "`./test` sets up {}", python.display());
    let output = Command::new(python).arg(here().join(script)).args(arguments).output().expect("Python starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (said, output.status.success())
}

/// `vendor/identity-service.json` in a folder beside the repository.
fn vendors_document() -> Option<PathBuf> {
    let beside = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).parent()?).ok()?;
    beside.flatten().map(|folder| folder.path().join("vendor/identity-service.json")).find(|file| file.is_file())
}

#[test]
fn every_inbound_quirk_passes_on_the_generic_preset() {
    let stage = Stage::new();
    let said = run("run_quirks.py", &["--base", &stage.base, "--token", &stage.token("generic")]);
    assert_eq!(said, "80 passed, 0 failed");
}

#[test]
fn every_inbound_quirk_passes_on_the_preset_of_its_source() {
    let stage = Stage::new();
    let (entra, okta) = (format!("entra={}", stage.token("azure")), format!("okta={}", stage.token("okta")));
    let both = ["--base", &stage.base, "--token-for", &entra, "--token-for", &okta];
    for client in ["entra", "okta"] {
        let said = run("run_quirks.py", &[&both[..], &["--client", client]].concat());
        assert!(said.ends_with(" passed, 0 failed") && !said.starts_with("0 "), "{client}: {said}");
    }
}

#[test]
fn scim2_tester_finds_nothing_wrong_on_any_preset() {
    let stage = Stage::new();
    for directory in ["generic", "azure", "okta-whole", "ping"] {
        let said = run("tester.py", &[&stage.base, &stage.token(directory)]);
        let passed: u32 = said.split(' ').next().and_then(|count| count.parse().ok()).unwrap_or(0);
        assert!(passed > 100 && said.ends_with(" passed, 0 failed, 0 skipped"), "{directory}: {said}");
    }
}

/// What Okta's preset answers to a PATCH of a group, `"200-without-members"`, is no answer that the RFC knows.
#[test]
fn scim2_tester_misses_on_oktas_preset_the_members_in_the_answer_to_a_patch_and_nothing_else() {
    let stage = Stage::new();
    let (said, _) = run_to_its_end("tester.py", &[&stage.base, &stage.token("okta")]);
    let faults: Vec<&str> = said.lines().filter(|line| !line.starts_with(['P', 'R'])).collect();
    let missed = "PATCH modify() returned unexpected value for 'members'.";
    let [added, replaced, count] = &faults[..] else { panic!("{said}") };
    assert_eq!(*added, format!("ERROR Group check_add_attribute: {missed}"));
    assert_eq!(*replaced, format!("ERROR Group check_replace_attribute: {missed}"));
    assert!(count.ends_with(" passed, 2 failed, 0 skipped"), "{said}");
}

#[test]
fn every_scim_operation_of_the_vendors_document_answers_as_it_says() {
    let Some(document) = vendors_document() else {
        println!("the vendor's OpenAPI document is not beside this folder: nothing was compared with it");
        return;
    };
    let stage = Stage::new();
    let document = document.to_string_lossy();
    run("vendor.py", &[&document, &stage.base, &stage.token("generic")]);
}
