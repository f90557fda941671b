//! `doctor scim` where something is wrong: red, with what to do; and its scratch scope is gone in every case.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Stdio;

use serde_json::Value;

use crate::doctor::{entra, nothing_is_left, of_outcome, okta, play};
use crate::stage::{Server, Stage, until};

/// Everything that is said, and that it is said as wrong.
#[track_caller]
fn red(stage: &Stage, server: &Server, service: &str) -> (Value, String) {
    let done = play(stage, server, service, &["--json"]);
    let report = done.json();
    assert_eq!((done.code, &report["ok"]), (Some(1), &Value::Bool(false)), "{report:#}");
    nothing_is_left(stage);
    let wrong = of_outcome(&report, "wrong");
    let told = format!("{wrong:?} {} {}", report["settings"], report["sign_in"]);
    (report, told)
}

fn with_rule(stage: Stage, rule: &str) -> (Stage, Server) {
    let path = stage.config().join("directories/contoso.toml");
    let text = std::fs::read_to_string(path).expect("a file");
    stage.write("directories/contoso.toml", &format!("{text}\n[scim]\n{rule}\n"));
    let server = stage.serve();
    (stage, server)
}

#[test]
fn okta_is_red_where_what_is_absent_from_a_put_is_kept() {
    let (stage, server) = with_rule(okta(), "put_omission = \"keep\"");
    let (_, told) = red(&stage, &server, "okta");
    assert!(told.contains("put_omission"), "{told}");
}

#[test]
fn okta_is_red_where_nobody_may_return() {
    let (stage, server) = with_rule(okta(), "returning = \"refuse\"");
    let (_, told) = red(&stage, &server, "okta");
    assert!(told.contains("created again") && told.contains("returning"), "{told}");
}

#[test]
fn entra_is_red_where_tombstones_are_taken_for_names() {
    let (stage, server) = with_rule(entra(), "tombstones = \"ignore\"");
    let (_, told) = red(&stage, &server, "entra");
    assert!(told.contains("tombstones = \\\"recognize\\\""), "{told}");
}

#[test]
fn both_are_red_where_booleans_as_text_or_unknown_members_are_refused() {
    let (stage, server) = with_rule(entra(), "string_booleans = \"refuse\"");
    let (_, told) = red(&stage, &server, "entra");
    assert!(told.contains("string_booleans"), "{told}");
    drop(server);
    let (stage, server) = with_rule(okta(), "unknown_members = \"refuse\"");
    let (_, told) = red(&stage, &server, "okta");
    assert!(told.contains("unknown_members"), "{told}");
}

#[test]
fn two_live_credentials_are_no_obstacle() {
    let stage = entra();
    for _ in 0..2 {
        assert_eq!(crate::sync_client::create(&stage, &[]).code, Some(0));
    }
    let server = stage.serve();
    let done = play(&stage, &server, "entra", &[]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(stage.run(&["sync-client", "list", "--json"]).json().as_array().map(Vec::len), Some(2));
}

/// Answers every request with this text, whatever it is.
fn answering(answer: &'static str) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut bytes = [0; 4_096];
            let _ = stream.read(&mut bytes);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    address
}

#[test]
fn a_filter_in_front_that_answers_a_page_is_told_from_the_server() {
    let stage = entra();
    let _server = stage.serve();
    let page = "HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\nContent-Length: 13\r\nConnection: close\r\n\r\n<html></html>";
    let there =
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\nConnection: close\r\n\r\n<html></html>";
    for answer in [page, there] {
        let url = format!("http://{}", answering(answer));
        let done = stage.run(&["doctor", "scim", "--as", "entra", "--directory", "contoso", "--url", &url]);
        assert_eq!(done.code, Some(1), "{done:?}");
        assert!(done.out.contains("in the server's place") && done.out.contains("bot filter"), "{done:?}");
        assert_eq!(done.out.matches('✗').count(), 1, "the rest would say the same: {done:?}");
        nothing_is_left(&stage);
    }
}

#[test]
fn a_wrong_address_and_one_without_tls_say_what_to_do() {
    let stage = entra();
    let server = stage.serve();
    let nobody = {
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        free.local_addr().expect("an address")
    };
    for url in [format!("http://{nobody}"), format!("https://{}", server.address)] {
        let done = stage.run(&["doctor", "scim", "--as", "okta", "--directory", "contoso", "--url", &url]);
        assert_eq!(done.code, Some(1), "{done:?}");
        assert!(done.out.contains("vestibule serve") && done.out.contains("ca_files"), "{done:?}");
        nothing_is_left(&stage);
    }
    let odd = stage.run(&["doctor", "scim", "--as", "okta", "--directory", "contoso", "--url", "host:7"]);
    assert_eq!(odd.code, Some(1), "{odd:?}");
    nothing_is_left(&stage);
}

#[test]
fn an_interrupted_play_leaves_nothing() {
    let stage = entra();
    let server = stage.serve();
    let url = format!("http://{}", server.address);
    for signal in ["-INT", "-TERM"] {
        let mut command = stage.command(&["doctor", "scim", "--as", "entra", "--directory", "contoso", "--url", &url]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the binary runs");
        let database = rusqlite::Connection::open(stage.path("data/vestibule.db")).expect("a database");
        let count = || -> i64 {
            let sql = "SELECT COUNT(*) FROM users WHERE directory LIKE '%~%'";
            database.query_row(sql, [], |row| row.get(0)).expect("a count")
        };
        until("somebody is there", || count() > 0 || child.try_wait().expect("a child").is_some());
        assert!(child.try_wait().expect("a child").is_none(), "it was over before it could be interrupted");
        let status = std::process::Command::new("kill").args([signal, &child.id().to_string()]).status();
        assert!(status.expect("kill").success());
        let output = child.wait_with_output().expect("an end");
        let told = String::from_utf8(output.stderr).expect("UTF-8");
        assert!(told.contains("interrupted"), "{told}");
        assert_eq!(output.status.code(), Some(1), "{told}");
        nothing_is_left(&stage);
    }
}
