//! `explain`: the same reasons as a login has.

use serde_json::{Value, json};
use url::Url;

use crate::browser::{Browser, End};
use crate::evil_idp::Answer as Script;
use crate::provider;
use crate::stage::{Done, Server, Stage};

/// The values of these parameters are drawn anew for each request.
const DRAWN: [&str; 3] = ["state", "nonce", "code_challenge"];

fn parameters(url: &Url) -> Vec<(String, String)> {
    url.query_pairs().into_owned().filter(|(name, _)| !DRAWN.contains(&name.as_str())).collect()
}

fn names(url: &Url) -> Vec<String> {
    url.query_pairs().map(|(name, _)| name.into_owned()).collect()
}

#[track_caller]
fn explained(done: &Done) -> Url {
    let body = done.json();
    assert_eq!(done.code, Some(0), "{done:?}");
    Url::parse(body["url"].as_str().unwrap_or_else(|| panic!("no url in {body}"))).expect("a URL")
}

#[test]
fn explain_hint_prints_the_address_that_a_login_is_sent_to() {
    let idp = provider();
    let stage = Stage::at(&idp);
    stage.edit("idps/contoso.toml", "userinfo", "authorize_params = { \"x y\" = \"a&b=ü\" }\nuserinfo");
    let server = stage.serve();
    for hint in ["alice@contoso.com", "al+ice%20@contoso.com", "Ünï cødé&=#?/\u{1F600}", "bob", "-x", "  spaced  "]
    {
        for prompt in [None, Some("login"), Some("select_account")] {
            let mut asked = vec![("login_hint", hint)];
            let mut arguments = vec!["explain", "hint", "--client", "access", "--json", "--login-hint", hint];
            if let Some(prompt) = prompt {
                asked.push(("prompt", prompt));
                arguments.extend(["--prompt", prompt]);
            }
            let real = Browser::default().leave(&server, &asked);
            let told = explained(&stage.run(&arguments));
            assert_eq!(parameters(&told), parameters(&real), "{hint} {prompt:?}");
            assert_eq!(names(&told), names(&real), "{hint} {prompt:?}");
            let sent = told.query_pairs().find(|(name, _)| name == "login_hint").map(|(_, value)| value.into_owned());
            assert_eq!(sent.as_deref(), Some(hint), "{prompt:?}");
        }
    }
}

#[test]
fn explain_hint_without_a_hint_sends_none() {
    let idp = provider();
    let stage = Stage::at(&idp);
    let told = explained(&stage.run(&["explain", "hint", "--client", "access", "--json"]));
    assert!(!names(&told).contains(&"login_hint".to_owned()), "{told}");
    let none = explained(&stage.run(&["explain", "hint", "--client", "access", "--prompt", "none", "--json"]));
    assert!(none.query_pairs().any(|(name, value)| name == "prompt" && value == "none"), "{none}");
}

#[test]
fn explain_hint_gives_its_reasons_though_the_provider_is_unreachable() {
    let idp = provider();
    let stage = Stage::at(&idp);
    drop(idp);
    let arguments = ["explain", "hint", "--client", "access", "--login-hint", "alice@contoso.com"];
    let done = stage.run(&arguments);
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.out.contains("contoso") && done.out.contains("url: unknown"), "{}", done.out);
    let body = stage.run(&[&arguments[..], &["--json"]].concat()).json();
    assert!(body["url"].is_null() && body["fault"].is_string(), "{body}");
    assert!(body["explanation"].as_array().is_some_and(|lines| lines.len() > 1), "{body}");
}

#[test]
fn explain_hint_refuses_what_a_client_could_not_send() {
    let idp = provider();
    let stage = Stage::at(&idp);
    let long = "x".repeat(513);
    let wrong: [(&[&str], &str); 4] = [
        (&["--client", "nobody"], "nobody"),
        (&["--client", "access", "--login-hint", &long], "invalid_request"),
        (&["--client", "access", "--login-hint", "a\nb"], "invalid_request"),
        (&["--client", "access", "--prompt", "consent-and-none"], "prompt"),
    ];
    for (arguments, word) in wrong {
        let done = stage.run(&[&["explain", "hint"], arguments].concat());
        assert_eq!(done.code, Some(1), "{done:?}");
        assert!(done.err.contains(word) && done.out.is_empty(), "{done:?}");
        assert!(!done.err.contains(&long), "{done:?}");
    }
}

#[test]
fn explain_hint_names_the_page_where_nobody_can_choose() {
    let idp = provider();
    let stage = Stage::at(&idp);
    stage.write("idps/other.toml", &crate::stage::idp_file(&idp.issuer()).replace("contoso.com", "other.example"));
    stage.edit("directories/contoso.toml", "[\"contoso.com\"]", "[\"contoso.com\", \"other.example\"]");
    let undecided = stage.run(&["explain", "hint", "--client", "access", "--json"]);
    assert_eq!(undecided.code, Some(0), "{undecided:?}");
    assert!(undecided.json()["url"].is_null(), "{undecided:?}");
    for (arguments, id) in [(["--login-hint", "x@other.example"], "other"), (["--domain", "contoso.com"], "contoso")] {
        let base = ["explain", "hint", "--client", "access", "--json"];
        let told = explained(&stage.run(&[&base[..], &arguments[..]].concat()));
        let back = told.query_pairs().find(|(name, _)| name == "redirect_uri").map(|(_, value)| value.into_owned());
        assert!(back.is_some_and(|back| back.ends_with(&format!("/{id}"))), "{told}");
    }
}

fn claims_file(stage: &Stage, claims: &Value) -> String {
    let path = stage.path("claims.json");
    std::fs::write(&path, claims.to_string()).expect("a file");
    path.display().to_string()
}

#[test]
fn explain_claims_tells_the_user_and_what_each_client_gets_and_writes_nothing() {
    let idp = provider();
    let stage = Stage::at(&idp);
    let claims = json!({"sub": "alice-at-idp", "preferred_username": "alice@contoso.com", "given_name": "Alice"});
    let file = claims_file(&stage, &claims);
    for _ in 0..2 {
        let done = stage.run(&["explain", "claims", "--idp", "contoso", &file, "--json"]);
        assert_eq!(done.code, Some(0), "{done:?}");
        let body = done.json();
        assert!(body["match"]["how"].as_str().is_some_and(|how| how.contains("would create")), "{body}");
        assert_eq!(body["claims"]["access"]["given_name"], "Alice", "{body}");
    }
    let server = stage.serve();
    Browser::default().login(&server, &[]).code();
    let done = stage.run(&["explain", "claims", "--idp", "contoso", &file]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.out.starts_with("match: alice@contoso.com (externalId = claim sub)"), "{}", done.out);
}

#[test]
fn explain_claims_tells_why_nobody_matches() {
    let idp = provider();
    let stage = Stage::at(&idp);
    stage.edit("directories/contoso.toml", "\"jit\"", "\"provisioned\"");
    let cases = [
        (json!({"sub": "nobody"}), "externalId = claim sub finds nobody"),
        (json!({"email": "a@contoso.com"}), "claim sub"),
        (json!({"sub": ["a", "b"]}), "claim sub"),
    ];
    for (claims, why) in cases {
        let file = claims_file(&stage, &claims);
        let done = stage.run(&["explain", "claims", "--idp", "contoso", &file, "--json"]);
        assert_eq!(done.code, Some(1), "{done:?}");
        let body = done.json();
        assert!(body["match"].is_null() && body["why"].as_str().is_some_and(|w| w.contains(why)), "{body}");
    }
    let file = claims_file(&stage, &json!("no object"));
    assert_eq!(stage.run(&["explain", "claims", "--idp", "contoso", &file]).code, Some(1));
    assert_eq!(stage.run(&["explain", "claims", "--idp", "nobody", &file]).code, Some(1));
}

#[test]
fn explain_claims_tells_of_two_matches_and_of_an_inactive_one() {
    let idp = provider();
    let stage = Stage::at(&idp);
    let server = stage.serve();
    for sub in ["alice-at-idp", "alice-the-second"] {
        idp.set(|script| {
            script.person.insert("sub".to_owned(), json!(sub));
            script.person.insert("preferred_username".to_owned(), json!(format!("{sub}@contoso.com")));
        });
        Browser::default().login(&server, &[]).code();
    }
    server.stop();
    let why = |claims: &Value| {
        let done = stage.run(&["explain", "claims", "--idp", "contoso", &claims_file(&stage, claims), "--json"]);
        assert_eq!(done.code, Some(1), "{done:?}");
        done.json()["why"].as_str().expect("a reason").to_owned()
    };
    let db = rusqlite::Connection::open(stage.path("data/vestibule.db")).expect("the database");
    let query = "UPDATE users SET active = 0 WHERE attributes LIKE '%alice-the-second@%'";
    assert_eq!(db.execute(query, []).expect("an update"), 1);
    assert!(
        why(&json!({"sub": "alice-the-second"})).contains("inactive"),
        "{}",
        why(&json!({"sub": "alice-the-second"}))
    );

    let by_name = "match = { claim = \"name\", attribute = \"displayName\" }\nuserinfo = ";
    stage.edit("idps/contoso.toml", "userinfo = ", by_name);
    assert_eq!(why(&json!({"sub": "x", "name": "Alice Adams"})), "displayName = claim name finds more than one user");
}

fn step<'a>(trace: &'a Value, what: &str) -> &'a Value {
    let steps = trace["steps"].as_array().expect("steps");
    steps.iter().find(|step| step["what"] == what).unwrap_or_else(|| panic!("no step {what} in {trace}"))
}

/// The reference of the login that has just ended, as the log tells it.
fn last_reference(server: &Server) -> String {
    let ended: Value = serde_json::from_str(&server.logged("\"message\":\"login\"")).expect("JSON");
    ended["fields"]["reference"].as_str().expect("a reference").to_owned()
}

#[test]
fn explain_login_tells_a_good_login_whole() {
    let idp = provider();
    let stage = Stage::at(&idp);
    let server = stage.serve();
    Browser::default().login(&server, &[("login_hint", "alice@contoso.com")]).code();
    let reference = last_reference(&server);
    server.stop();
    let trace = stage.run(&["explain", "login", &reference, "--json"]).json();
    assert_eq!(trace["outcome"], "signed_in", "{trace}");
    let hint = step(&trace, "hint").to_string();
    for part in ["reasons", "17 characters, domain contoso.com", "sent"] {
        assert!(hint.contains(part), "no {part} in {hint}");
    }
    let request = step(&trace, "upstream_request").to_string();
    for part in ["login_hint", "code_challenge", "nonce", "state", "redirect_uri"] {
        assert!(request.contains(part), "no {part} in {request}");
    }
    let whole = trace.to_string();
    for part in ["preferred_username", "externalId", "after"] {
        assert!(whole.contains(part), "no {part} in {whole}");
    }
    let text = stage.run(&["explain", "login", &reference]).out;
    assert!(text.contains("ended signed in") && text.contains(" ms  hint\n"), "{text}");
}

#[test]
fn explain_login_tells_a_bad_login_by_the_reference_on_its_page() {
    let idp = provider();
    let stage = Stage::at(&idp);
    let server = stage.serve();
    let end = Browser::default().login(&server, &[("login_hint", "somebody.else@contoso.com")]);
    let page = end.page().text();
    let reference = last_reference(&server);
    server.stop();
    assert!(page.contains(&reference), "the page does not show {reference}: {page}");
    let trace = stage.run(&["explain", "login", &reference, "--json"]).json();
    assert_eq!(trace["outcome"], "refused", "{trace}");
    assert!(trace.to_string().contains("mismatch"), "{trace}");
}

#[test]
fn explain_login_keeps_the_providers_own_words() {
    let idp = provider();
    let stage = Stage::at(&idp);
    let server = stage.serve();
    let words = json!({"error": "invalid_client", "error_description": "AADSTS7000215: the secret has expired"});
    idp.set(|script| script.token = Script::Fixed(401, "application/json", words.to_string()));
    let End::Client(_) = Browser::default().login(&server, &[]) else { panic!("the client learns of it") };
    let reference = last_reference(&server);
    server.stop();
    let trace = stage.run(&["explain", "login", &reference, "--json"]).json();
    assert_eq!(trace["outcome"], "failed", "{trace}");
    assert!(trace.to_string().contains("AADSTS7000215"), "{trace}");
}

#[test]
fn an_unknown_reference_is_exit_code_1() {
    let idp = provider();
    let stage = Stage::at(&idp);
    // A reference may begin with a hyphen.
    for reference in ["no-such-reference", "-no-such-reference"] {
        let done = stage.run(&["explain", "login", reference]);
        assert_eq!(done.code, Some(1), "{done:?}");
        assert!(done.err.contains(reference) && done.out.is_empty(), "{done:?}");
    }
}
