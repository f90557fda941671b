//! `serve`: start, stop, and what is still there after it.

use std::io::BufReader;
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use url::Url;

use crate::browser::{Browser, End, member, redeem, refresh};
use crate::evil_idp::{Answer as Script, EvilIdp};
use crate::http::{connect, read, request};
use crate::provider;
use crate::stage::{HOST, SERVER, Server, Stage, until};

#[test]
fn a_broken_folder_prints_its_findings_and_exits_with_1() {
    let stage = Stage::new(Some("https://idp.example.com"));
    stage.edit("idps/contoso.toml", "kind = ", "knid = ");
    let done = stage.run(&["serve"]);
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.err.contains("idps/contoso.toml:2:1") && done.err.contains("error["), "{}", done.err);
}

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("bound").to_string();
    for key in ["issuer = \"http://127.0.0.1:8080/acs\"\nlisten", "[management]\nlisten"] {
        let stage = Stage::new(Some("https://idp.example.com"));
        stage.edit("vestibule.toml", &format!("{key} = \"127.0.0.1:0\""), &format!("{key} = \"{address}\""));
        let done = stage.run(&["serve"]);
        assert_eq!(done.code, Some(1), "{done:?}");
        assert!(done.err.contains(&address) && done.err.contains("in use"), "{}", done.err);
    }
}

#[test]
fn it_answers_soon_after_the_start() {
    let stage = Stage::new(Some("https://idp.example.com"));
    // Makes the keys, which takes longer than anything else.
    stage.serve().stop();
    let began = Instant::now();
    let server = stage.serve();
    assert_eq!(server.get("/readyz").status, 200);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[test]
fn files_of_secrets_are_for_their_owner_only() {
    let stage = Stage::new(Some("https://idp.example.com"));
    stage.serve().stop();
    let mode = |path| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(stage.path("data")), 0o700);
    let mut seen = Vec::new();
    for entry in std::fs::read_dir(stage.path("data")).expect("a folder") {
        let path = entry.expect("an entry").path();
        assert_eq!(mode(path.clone()), 0o600, "{}", path.display());
        seen.push(path.extension().and_then(|e| e.to_str()).expect("a name").to_owned());
    }
    for kind in ["db", "seal", "state"] {
        assert!(seen.contains(&kind.to_owned()), "no {kind} in {seen:?}");
    }
}

/// A callback in flight, whose provider doesn't answer yet.
fn begin_slow_login(server: &Server, idp: &EvilIdp) -> (Browser, BufReader<std::net::TcpStream>, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    idp.set(|script| script.token = Script::Held(held));
    let mut browser = Browser::default();
    let door = browser.leave(server, &[]);
    let callback = browser.at_provider(server, &door);
    let mut stream = connect(server.address);
    stream.write_all(browser.request(&callback).as_bytes()).expect("sent");
    until("the provider is asked for tokens", || idp.count("/token") == 1);
    (browser, BufReader::new(stream), gate)
}

#[test]
fn the_order_to_stop_lets_a_login_finish() {
    let idp = provider();
    let stage = Stage::at(&idp);
    let mut server = stage.serve();
    let (mut browser, mut stream, gate) = begin_slow_login(&server, &idp);

    server.signal("-TERM");
    until("it is unready", || server.managed("/readyz").status == 503);
    assert!(server.managed("/readyz").text().contains("stopping"));
    gate.add_permits(1);
    let answer = read(&mut stream).expect("the login's answer");
    browser.keep(&answer);
    let back = Url::parse(answer.header("location").unwrap_or_else(|| panic!("{}", answer.everything())));
    let code = End::Client(back.expect("an address").query_pairs().into_owned().collect()).code();
    assert_eq!(server.ended(), 0, "{}", server.log());

    // The code was issued while stopping, and is worth its tokens after the restart.
    idp.set(|script| script.token = Script::Sound);
    let server = stage.serve();
    assert_eq!(redeem(&server, &code).status, 200);
    browser.login(&server, &[("prompt", "none")]).code();
}

#[test]
fn a_request_that_never_finishes_does_not_keep_it_from_stopping() {
    let idp = provider();
    let stage = Stage::at(&idp);
    let mut server = stage.serve();
    let (_browser, _stream, _gate) = begin_slow_login(&server, &idp);
    let began = Instant::now();
    server.signal("-INT");
    assert_eq!(server.ended(), 0, "{}", server.log());
    assert!(began.elapsed() < Duration::from_secs(13), "{:?}", began.elapsed());
}

#[test]
fn a_second_order_ends_it_at_once() {
    let idp = provider();
    let stage = Stage::at(&idp);
    let mut server = stage.serve();
    let (_browser, _stream, _gate) = begin_slow_login(&server, &idp);
    let began = Instant::now();
    server.signal("-INT");
    server.logged("stopping");
    server.signal("-INT");
    assert_eq!(server.ended(), 1, "{}", server.log());
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[test]
fn idle_connections_do_not_hold_up_the_stop() {
    let stage = Stage::new(Some("https://idp.example.com"));
    let mut server = stage.serve();
    let idle: Vec<_> = (0..5)
        .map(|_| {
            let mut stream = BufReader::new(connect(server.address));
            let kept = request("GET", "/healthz", HOST, &[], "").replace("Connection: close\r\n", "");
            stream.get_mut().write_all(kept.as_bytes()).expect("sent");
            assert_eq!(read(&mut stream).expect("an answer").status, 200);
            stream
        })
        .collect();
    let began = Instant::now();
    server.signal("-TERM");
    assert_eq!(server.ended(), 0, "{}", server.log());
    assert!(began.elapsed() < Duration::from_secs(4), "{:?} with {} idle", began.elapsed(), idle.len());
}

#[test]
fn an_orderly_restart_keeps_sessions_and_knows_used_codes() {
    let idp = provider();
    let stage = Stage::at(&idp);
    let server = stage.serve();
    let mut browser = Browser::default();
    let code = browser.login(&server, &[]).code();
    let issued = redeem(&server, &code);
    let refresh_token = member(&issued, "refresh_token");
    server.stop();

    let server = stage.serve();
    let mut stranger = Browser::default();
    assert_eq!(stranger.login(&server, &[("prompt", "none")]).error(), "login_required");
    browser.login(&server, &[("prompt", "none")]).code();
    let again = redeem(&server, &code);
    assert_eq!((again.status, member(&again, "error").as_str()), (400, "invalid_grant"));
    let refreshed = refresh(&server, &refresh_token);
    assert_eq!(refreshed.status, 400, "what the code's first use issued is revoked: {}", refreshed.text());
}

#[test]
fn a_kill_loses_sessions_but_revives_nothing() {
    let idp = provider();
    let stage = Stage::at(&idp);
    let server = stage.serve();
    let mut early = Browser::default();
    early.login(&server, &[]).code();
    server.stop();

    let mut server = stage.serve();
    early.login(&server, &[("prompt", "none")]).code();
    let mut browser = Browser::default();
    let code = browser.login(&server, &[]).code();
    let refresh_token = member(&redeem(&server, &code), "refresh_token");
    server.signal("-KILL");
    server.ended();

    let server = stage.serve();
    for mut lost in [early, browser] {
        assert_eq!(lost.login(&server, &[("prompt", "none")]).error(), "login_required");
    }
    assert_eq!(member(&redeem(&server, &code), "error"), "invalid_grant");
    // Families are in the database: they last.
    assert_eq!(refresh(&server, &refresh_token).status, 200);
}

#[test]
fn a257_without_its_seal_it_does_not_start() {
    let stage = Stage::new(Some("https://idp.example.com"));
    stage.serve().stop();
    let seal = stage.path("data/vestibule.seal");
    let secret = std::fs::read_to_string(&seal).expect("a seal");
    std::fs::remove_file(&seal).expect("removed");
    let missing = stage.run(&["serve"]);
    assert_eq!(missing.code, Some(1), "{missing:?}");
    for word in ["vestibule.seal is missing", "put the file back", "[keys] seal"] {
        assert!(missing.err.contains(word), "no `{word}` in {}", missing.err);
    }
    assert!(!seal.exists(), "no new seal in silence");

    for (wrong, word) in [("another-secret-0123456789abcdef0123456789", "does not open"), ("short", "vestibule.seal")] {
        std::fs::write(&seal, wrong).expect("written");
        let done = stage.run(&["serve"]);
        assert_eq!(done.code, Some(1), "{done:?}");
        assert!(done.err.contains(word) && !done.err.contains(wrong), "{}", done.err);
    }
    std::fs::write(&seal, &secret).expect("written");
    stage.serve().stop();
    // The same by configuration, as the message says.
    std::fs::remove_file(&seal).expect("removed");
    stage.write("vestibule.toml", &format!("{SERVER}[keys]\nseal = {{ env = \"SEAL\" }}\n"));
    let mut command = stage.command(&["serve"]);
    command.env("SEAL", secret.trim());
    Server::start(command).stop();
}
