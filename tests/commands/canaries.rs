//! Secrets, codes, tokens, hints and cookies stay inside: canaries of each kind, looked for in everything
//! that comes out.

use std::process::Command;

use crate::browser::{Browser, End, STATE, VERIFIER, member, redeem, refresh};
use crate::evil_idp::Answer as Script;
use crate::provider;
use crate::stage::{CLIENT_SECRET, IDP_SECRET, Server, Stage};

/// A comparable hint, and one that isn't.
const HINT: &str = "alice@contoso.com";
const ODD_HINT: &str = "canary-hint-of-nobody-in-particular";

/// What must not come out, by what it is.
#[derive(Default)]
struct Canaries(Vec<(String, String)>);

impl Canaries {
    fn add(&mut self, what: &str, secret: impl Into<String>) {
        let secret = secret.into();
        assert!(secret.len() > 5, "{what} is too short to be looked for");
        self.0.push((what.to_owned(), secret));
    }

    fn browser(&mut self, browser: &Browser) {
        for (name, value) in &browser.cookies {
            self.add(name, value.rsplit('.').next().expect("a value"));
        }
        for visited in &browser.visited {
            for (name, value) in url::Url::parse(visited).expect("an address").query_pairs() {
                if ["code", "state", "nonce", "code_challenge"].contains(&&*name) {
                    self.add(&name, value);
                }
            }
        }
    }

    #[track_caller]
    fn absent_from(&self, place: &str, text: &[u8]) {
        for (what, secret) in &self.0 {
            let found = text.windows(secret.len()).any(|part| part == secret.as_bytes());
            assert!(!found, "{what} `{secret}` is in {place}");
        }
    }
}

/// Logins of all kinds; what must not come out of them, and the pages they ended at.
fn live_a_little(server: &Server, idp: &crate::evil_idp::EvilIdp) -> (Canaries, Vec<String>) {
    let mut canaries = Canaries::default();
    let mut pages = Vec::new();
    for hint in [HINT, ODD_HINT] {
        let mut browser = Browser::default();
        let code = browser.login(server, &[("login_hint", hint), ("nonce", "canary-nonce-of-the-client")]).code();
        let issued = redeem(server, &code);
        canaries.add("code", code);
        for token in ["access_token", "refresh_token", "id_token"] {
            canaries.add(token, member(&issued, token));
        }
        let refreshed = refresh(server, &member(&issued, "refresh_token"));
        canaries.add("the second refresh token", member(&refreshed, "refresh_token"));
        canaries.browser(&browser);
        // Reuse raises an alarm in the log.
        refresh(server, &member(&issued, "refresh_token"));
        redeem(server, &canaries.0.iter().find(|(what, _)| what == "code").expect("a code").1.clone());
    }
    let mut elsewhere = Browser::default();
    let mismatch = elsewhere.login(server, &[("login_hint", "canary.somebody.else@contoso.com")]);
    canaries.add("hint", "canary.somebody.else");
    pages.push(mismatch.page().everything());
    canaries.browser(&elsewhere);

    let words = r#"{"error":"invalid_grant","error_description":"no"}"#;
    idp.set(|script| script.token = Script::Fixed(400, "application/json", words.to_owned()));
    let mut failed = Browser::default();
    let End::Client(_) = failed.login(server, &[("login_hint", ODD_HINT)]) else { panic!("the client learns of it") };
    canaries.browser(&failed);
    idp.set(|script| script.token = Script::Sound);
    // The same callback again, with the cookies and without.
    let callback = failed.visited.iter().find(|at| at.contains("response/oauth2")).expect("a callback").clone();
    for mut browser in [failed.clone(), Browser::default()] {
        pages.push(browser.go(server, &callback).page().everything());
    }
    let mut nobody = Browser::default();
    let wrong = Browser::authorize_target(&[("login_hint", ODD_HINT)]).replace("client_id=access", "client_id=nobody");
    pages.push(nobody.go(server, crate::browser::ours(&wrong).as_str()).page().everything());
    canaries.add("odd hint", ODD_HINT);
    canaries.add("verifier", VERIFIER);
    canaries.add("state", STATE);
    canaries.add("nonce", "canary-nonce-of-the-client");
    canaries.add("client secret", CLIENT_SECRET);
    canaries.add("upstream secret", IDP_SECRET);
    canaries.add("upstream refresh token", "rt-of-the-provider");
    canaries.add("upstream access token", "at-alice-at-idp");
    (canaries, pages)
}

fn references(log: &str) -> Vec<String> {
    let mut all: Vec<String> = log
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|line| line["fields"]["reference"].as_str().map(str::to_owned))
        .collect();
    all.sort();
    all.dedup();
    all
}

#[test]
fn g13_a037_a161_no_secret_leaves_by_log_trace_metrics_page_or_database() {
    let idp = provider();
    let stage = Stage::at(&idp);
    let mut command: Command = stage.command(&["serve"]);
    command.env("VESTIBULE_LOG", "trace");
    let server = Server::start(command);
    let (mut canaries, pages) = live_a_little(&server, &idp);
    let metrics = server.metrics();
    canaries.absent_from("the readiness reasons", server.managed("/readyz").text().as_bytes());
    let seal = std::fs::read_to_string(stage.path("data/vestibule.seal")).expect("a seal");
    canaries.add("seal", seal.trim());
    let copied = std::fs::read(stage.path("data/vestibule.db-wal")).unwrap_or_default();
    let log = server.log();
    server.stop();

    // A page may hold what its own form needs, never what others must not learn.
    let of_people = Canaries(canaries.0.iter().filter(|(what, _)| !what.contains("state")).cloned().collect());
    for page in &pages {
        // Its cookies are the browser's own.
        let shown: String = page.lines().filter(|line| !line.starts_with("set-cookie")).collect();
        of_people.absent_from("a page", shown.as_bytes());
    }
    canaries.absent_from("the write-ahead log", &copied);
    for name in ["vestibule.db", "vestibule.state"] {
        canaries.absent_from(name, &std::fs::read(stage.path("data").join(name)).expect("a file"));
    }
    // The person's address is in the directory; a hint of hers stays out of everything else.
    canaries.add("hint", HINT);
    let told = references(&log);
    assert!(told.len() >= 5, "{told:?}");
    for reference in &told {
        for form in [&["explain", "login", reference][..], &["explain", "login", reference, "--json"]] {
            let done = stage.run(form);
            assert_eq!(done.code, Some(0), "{done:?}");
            canaries.absent_from("a trace", done.out.as_bytes());
        }
    }
    canaries.absent_from("the metrics", metrics.as_bytes());
    assert!(log.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "JSON on a pipe");
    canaries.absent_from("the log", log.as_bytes());
}

#[test]
fn a146_nothing_of_a_hint_can_disturb_the_log() {
    let idp = provider();
    let stage = Stage::at(&idp);
    let mut command: Command = stage.command(&["serve"]);
    command.env("VESTIBULE_LOG", "trace");
    let server = Server::start(command);
    // A colour by ANSI is refused for its escape; bidi and what breaks JSON are text like other text, and forwarded.
    let refused = Browser::default().login(&server, &[("login_hint", "\u{1b}[31mred-hint")]);
    let End::Client(params) = refused else { panic!("the client learns of it") };
    assert_eq!(params["error"], "invalid_request");
    for hint in ["\u{202e}moc.osotnoc-bidi-hint", "\"}, {\"broken-json-hint", "%s{{7*7}}-format-hint"] {
        Browser::default().login(&server, &[("login_hint", hint)]).code();
    }
    let log = server.log();
    server.stop();
    for part in ["red-hint", "bidi-hint", "broken-json-hint", "format-hint", "\u{1b}[31m", "\u{202e}"] {
        assert!(!log.contains(part), "{part:?} is in the log");
    }
    let unreadable = log.lines().filter(|line| serde_json::from_str::<serde_json::Value>(line).is_err()).count();
    assert_eq!(unreadable, 0, "each line is one JSON object");
}
