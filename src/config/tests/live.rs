//! How a configuration in force is renewed.

use std::time::Duration;

use super::fixture::{WHOLE, folder};
use crate::config::{Live, Reloaded, StateUrl};
use crate::oidc::client::{ClientCredential, ClientSecret};

fn env(_: &str) -> Option<String> {
    Some("0123456789abcdef0123456789abcdef".to_owned())
}

fn until(mut done: impl FnMut() -> bool) {
    // Far longer than it takes: only a failure waits this long.
    let mut left = 200;
    while !done() {
        assert!(left > 0, "not taken over in ten seconds");
        left -= 1;
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

#[test]
fn a_change_is_taken_over_all_together_or_not_at_all_g11() {
    let folder = folder(&WHOLE);
    let live = Live::new(folder.path(), env).expect("a good folder");
    let first = live.snapshot();
    assert_eq!(live.reload(), Reloaded::Unchanged);

    let client = folder.path().join("clients/access.toml");
    let good = std::fs::read_to_string(&client).expect("the file");
    std::fs::write(&client, good.replace("\"Access\"", "\"Renamed\"")).expect("written");
    std::fs::write(folder.path().join("idps/okta.toml"), "name = \n").expect("written");
    assert_eq!(live.reload(), Reloaded::Refused);
    assert_eq!(live.snapshot().version, first.version);
    assert!(live.findings().iter().any(|finding| finding.code == "CFG01" && finding.line == 1));
    assert_eq!(live.reload(), Reloaded::Unchanged);

    std::fs::remove_file(folder.path().join("idps/okta.toml")).expect("removed");
    assert_eq!(live.reload(), Reloaded::TakenOver);
    assert_eq!(live.snapshot().client("access").expect("the client").name, "Renamed");
    assert!(live.findings().is_empty());
    // Who began with the old one still has it.
    assert_eq!(first.client("access").expect("the client").name, "Access");
}

#[test]
fn what_needs_a_restart_keeps_its_value() {
    let folder = folder(&WHOLE);
    let live = Live::new(folder.path(), env).expect("a good folder");
    let server = "issuer = \"https://other.example.com/acs\"\nlisten = \"127.0.0.1:9\"\n[session]\nidle = \"1h\"\n\
                  [state]\nurl = \"redis://127.0.0.1\"\n[database]\nurl = \"sqlite:other.db\"\n";
    std::fs::write(folder.path().join("vestibule.toml"), server).expect("written");
    assert_eq!(live.reload(), Reloaded::TakenOver);
    let now = live.snapshot();
    assert_eq!(now.server.issuer, "https://id.example.com/acs");
    assert_eq!(now.server.base_url.host_str(), Some("id.example.com"));
    assert_eq!(now.server.listen.port(), 8080);
    assert!(matches!(now.server.state, StateUrl::Embedded));
    assert_eq!(now.server.session.idle, crate::base::Span::hours(1));
}

#[test]
fn a_watched_folder_is_taken_over_and_a_changed_secret_file_too() {
    let folder = folder(&WHOLE);
    let client = folder.path().join("clients/access.toml");
    let text = std::fs::read_to_string(&client).expect("the file");
    let outside = tempfile::tempdir().expect("a folder");
    let secret = outside.path().join("secret");
    std::fs::write(&secret, "first-secret-0123456789\n").expect("written");
    std::fs::write(&client, text.replace("{ env = \"S\" }", &format!("{{ file = {:?} }}", secret))).expect("written");
    let live = Live::new(folder.path(), env).expect("a good folder");
    let watch = live.watch();

    std::fs::write(folder.path().join("clients/other.toml"), text.clone()).expect("written");
    until(|| live.snapshot().client("other").is_some());
    std::fs::write(&secret, "second-secret-0123456789\n").expect("written");
    until(|| {
        let snapshot = live.snapshot();
        let ClientCredential::Secrets(live) = &snapshot.client("access").expect("the client").credential else {
            return false;
        };
        matches!(live.as_slice(), [ClientSecret::Plain(secret)] if secret.matches("second-secret-0123456789"))
    });
    // As editors do: a new file renamed over the old one.
    std::fs::write(folder.path().join("clients/.new"), text.replace("\"Access\"", "\"Renamed\"")).expect("written");
    std::fs::rename(folder.path().join("clients/.new"), folder.path().join("clients/other.toml")).expect("renamed");
    until(|| live.snapshot().client("other").is_some_and(|client| client.name == "Renamed"));
    drop(watch);
}

#[test]
fn a_wrong_folder_does_not_start() {
    let folder = folder(&[("vestibule.toml", "issuer = 1\n")]);
    let findings = Live::new(folder.path(), env).expect_err("a wrong folder");
    assert_eq!(findings.first().map(|finding| finding.code), Some("CFG03"));
}
