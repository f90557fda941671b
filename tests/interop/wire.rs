//! Logins by plain HTTP: redirects, cookies and forms, without a real browser.

use std::sync::Arc;

use serde_json::Value;
use url::Url;

use super::stage::{ALICE, BOB, GUEST, NORA, PLUS, Stage, UMLAUT};
use super::support::browser::{Browser, Page};
use super::support::http::Routes;

fn stage() -> (Arc<Stage>, Browser) {
    (Stage::shared(), Browser::new(Routes::default()))
}

/// The JSON that the relying party shows.
#[track_caller]
pub fn result(page: &Page) -> Value {
    let text = page.text();
    let json = text.split_once("<pre id=\"result\">").and_then(|(_, rest)| rest.split_once("</pre>"));
    let (json, _) = json.unwrap_or_else(|| panic!("no result at {}:\n{text}", page.url));
    serde_json::from_str(json).expect("JSON")
}

/// From the relying party to the provider's sign-in page, and what stands in its field.
#[track_caller]
fn begin(browser: &mut Browser, stage: &Stage, client: &str, params: &[(&str, &str)]) -> (Page, String) {
    let page = browser.open(&stage.login(client, params));
    let form = page.form_with("login");
    let typed = form.fields.iter().find(|(name, _)| name == "login").expect("a field").1.clone();
    (page, typed)
}

#[track_caller]
fn sign_in_as(browser: &mut Browser, page: &Page, username: &str) -> Page {
    let form = page.form_with("login").fill("login", username);
    browser.submit(page, &form)
}

#[track_caller]
pub fn whole_login(browser: &mut Browser, stage: &Stage, client: &str, username: &str) -> Value {
    let (page, _) = begin(browser, stage, client, &[]);
    result(&sign_in_as(browser, &page, username))
}

#[track_caller]
pub fn assert_is(result: &Value, username: &str) {
    assert_eq!(result["error"], Value::Null, "{result}");
    for source in ["claims", "userinfo"] {
        assert_eq!(result[source]["preferred_username"], username, "{result}");
        assert_eq!(result[source]["email"], username, "{result}");
    }
    assert_eq!(result["claims"]["sub"], result["userinfo"]["sub"]);
}

/// What the provider was sent last in its authorization request, as it came over the wire.
fn last_request(browser: &mut Browser, stage: &Stage, idp: &str) -> String {
    let seen = browser.open(&format!("{}/seen", stage.issuer_of(idp))).response().json();
    let last = seen["authorizations"].as_array().and_then(|all| all.last().cloned()).expect("a request");
    last.as_str().expect("a target").to_owned()
}

/// The login hints of a request target, read as a form and read by percent-decoding alone.
fn hints_in(target: &str) -> (Vec<String>, Vec<String>) {
    let url = Url::parse("http://idp.example").expect("a base").join(target).expect("a target");
    let as_form = url.query_pairs().filter(|(n, _)| n == "login_hint").map(|(_, v)| v.into_owned()).collect();
    let raw = url.query().unwrap_or_default().split('&').filter_map(|pair| pair.strip_prefix("login_hint="));
    let percent = |text: &str| Url::parse(&format!("http://x/?{}", text.replace('+', "%2B")));
    let as_uri = raw.map(|text| {
        let url = percent(&format!("v={text}")).expect("a query");
        url.query_pairs().next().expect("one").1.into_owned()
    });
    (as_form, as_uri.collect())
}

#[test]
fn openid_client_accepts_what_we_say_of_ourselves() {
    let (stage, mut browser) = stage();
    let metadata = result(&browser.open(&format!("{}/discovery", stage.rp)));
    assert_eq!(metadata["issuer"], format!("{}/acs", stage.base));
    assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);
    for endpoint in
        ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "revocation_endpoint", "end_session_endpoint"]
    {
        assert!(metadata[endpoint].as_str().is_some_and(|at| at.starts_with(&stage.base)), "{endpoint}: {metadata}");
    }
}

#[test]
fn a_login_without_a_hint_goes_through_with_every_kind_of_client() {
    let (stage, _) = stage();
    for client in ["basic", "post", "keys", "published", "public"] {
        let mut browser = Browser::new(Routes::default());
        let (page, typed) = begin(&mut browser, &stage, client, &[]);
        assert_eq!(typed, "", "nobody was hinted at");
        let result = result(&sign_in_as(&mut browser, &page, ALICE));
        assert_is(&result, ALICE);
        assert_eq!(result["claims"]["aud"], client);
        assert_eq!(result["claims"]["name"], "Alice Adams");
        assert_eq!(result["method"], "GET");
    }
}

#[test]
fn a_hint_arrives_at_the_provider_byte_for_byte() {
    let (stage, _) = stage();
    for username in [ALICE, PLUS, UMLAUT, GUEST] {
        let mut browser = Browser::new(Routes::default());
        let (page, typed) = begin(&mut browser, &stage, "basic", &[("login_hint", username)]);
        assert_eq!(typed, username);
        let result = result(&sign_in_as(&mut browser, &page, username));
        assert_is(&result, username);
    }
    let decomposed = "ju\u{308}rgen %2B%00&x=1;#?/\\\"'<b>\u{1F511}";
    for hint in [PLUS, UMLAUT, GUEST, decomposed, "+49 170 1234567", "CONTOSO\\alice", " padded ", "alice"] {
        let mut browser = Browser::new(Routes::default());
        let target = browser.until(&stage.login("basic", &[("login_hint", hint)]), |url| url.contains("/auth?"));
        let (as_form, as_uri) = hints_in(&target);
        assert_eq!(as_form, [hint], "as a form: {target}");
        if !hint.contains(' ') {
            assert_eq!(as_uri, [hint], "by percent-decoding alone: {target}");
        }
    }
}

#[test]
fn nothing_but_the_hint_tells_the_two_requests_apart() {
    let (stage, mut browser) = stage();
    let names = |target: &str| {
        let url = Url::parse(target).expect("a URL");
        let mut names: Vec<String> = url.query_pairs().map(|(name, _)| name.into_owned()).collect();
        names.sort();
        names
    };
    let plain = browser.until(&stage.login("basic", &[]), |url| url.contains("/auth?"));
    let hinted = browser.until(&stage.login("basic", &[("login_hint", ALICE)]), |url| url.contains("/auth?"));
    let mut expected = names(&plain);
    expected.push("login_hint".to_owned());
    expected.sort();
    assert_eq!(names(&hinted), expected);
}

#[test]
fn a_refresh_brings_new_tokens_and_a_revocation_ends_them() {
    let (stage, _) = stage();
    for client in ["basic", "post", "keys", "published"] {
        let mut browser = Browser::new(Routes::default());
        let first = whole_login(&mut browser, &stage, client, ALICE);
        assert_eq!(first["refreshable"], true, "{first}");
        let key = first["key"].as_str().expect("a key");
        let fresh = result(&browser.open(&format!("{}/refresh/{key}", stage.rp)));
        assert_is(&fresh, ALICE);
        assert_eq!(fresh["renewed"], serde_json::json!(["access_token", "refresh_token", "id_token"]), "{fresh}");
        assert_eq!(fresh["claims"]["sub"], first["claims"]["sub"]);
        let after = result(&browser.open(&format!("{}/revoke/{key}", stage.rp)));
        assert_eq!(after["refresh"], "invalid_grant", "{after}");
        assert_ne!(after["userinfo"], "accepted", "{after}");
    }
}

#[test]
fn a_client_may_have_the_answer_posted() {
    let (stage, mut browser) = stage();
    let (page, _) = begin(&mut browser, &stage, "basic", &[("response_mode", "form_post")]);
    let ours = sign_in_as(&mut browser, &page, ALICE);
    assert!(ours.url.starts_with(&stage.base), "the page that posts is ours: {}", ours.url);
    let result = result(&browser.submit(&ours, &ours.form_with("code")));
    assert_is(&result, ALICE);
    assert_eq!(result["method"], "POST");
}

#[test]
fn a_client_may_push_its_request_or_sign_it_or_both() {
    let (stage, _) = stage();
    let (push, sign) = (("push", "1"), ("sign", "1"));
    for (client, how) in [
        ("basic", vec![push]),
        ("post", vec![push]),
        ("keys", vec![push]),
        ("public", vec![push]),
        ("keys", vec![sign]),
        ("keys", vec![push, sign]),
    ] {
        let mut browser = Browser::new(Routes::default());
        let params: Vec<_> = how.iter().copied().chain([("login_hint", PLUS), ("max_age", "600")]).collect();
        let ours = browser.until(&stage.login(client, &params), |url| url.starts_with(&stage.base));
        let names: Vec<String> =
            Url::parse(&ours).expect("a URL").query_pairs().map(|(name, _)| name.into_owned()).collect();
        let by = if how.contains(&push) { "request_uri" } else { "request" };
        assert!(names.len() == 2 && names.contains(&by.to_owned()), "{client}: {names:?}");
        let page = browser.open(&ours);
        let form = page.form_with("login");
        assert!(form.fields.contains(&("login".to_owned(), PLUS.to_owned())), "{client}: the hint came along");
        let result = result(&browser.submit(&page, &form));
        assert_is(&result, PLUS);
        assert_eq!(result["claims"]["aud"], client);
    }
}

#[test]
fn a_provider_may_answer_by_a_form_post_from_its_site() {
    let (stage, mut browser) = stage();
    let (page, typed) = begin(&mut browser, &stage, "fabrikam", &[("login_hint", BOB)]);
    assert_eq!(typed, BOB);
    let posts = sign_in_as(&mut browser, &page, BOB);
    assert!(posts.url.starts_with(&stage.issuer_of("fabrikam")), "{}", posts.url);
    let form = posts.form_with("code");
    assert!(form.action.starts_with(&stage.base), "{}", form.action);
    assert_is(&result(&browser.submit(&posts, &form)), BOB);
    let last = last_request(&mut browser, &stage, "fabrikam");
    assert!(last.contains("response_mode=form_post"), "{last}");
}

#[test]
fn a_provider_verifies_our_key_by_our_published_one() {
    let (stage, mut browser) = stage();
    let result = whole_login(&mut browser, &stage, "northwind", NORA);
    assert_is(&result, NORA);
    let seen = browser.open(&format!("{}/seen", stage.issuer_of("northwind"))).response().json();
    let calls = seen["tokenCalls"].as_array().expect("a list");
    assert!(!calls.is_empty() && calls.iter().all(|by| by == "body"), "an assertion stands in the body: {calls:?}");
}

#[test]
fn a_sign_out_with_the_id_token_ends_the_session_and_leads_back() {
    let (stage, mut browser) = stage();
    let first = whole_login(&mut browser, &stage, "basic", ALICE);
    let silent = browser.open(&stage.login("post", &[("prompt", "none")]));
    assert_is(&result(&silent), ALICE);
    let key = first["key"].as_str().expect("a key");
    let asks = browser.open(&format!("{}/sign-out/{key}", stage.rp));
    assert!(asks.url.starts_with(&stage.issuer_of("contoso")), "the provider signs her out too: {}", asks.url);
    let form = asks.form_with("logout").press("logout", "yes");
    let bye = result(&browser.submit(&asks, &form));
    assert_eq!(bye, serde_json::json!({ "bye": true, "state": "back & forth" }));
    let refused = result(&browser.open(&stage.login("post", &[("prompt", "none")])));
    assert_eq!(refused["error"], "login_required", "{refused}");
}

#[test]
fn a_silent_request_of_a_stranger_is_answered_with_login_required() {
    let (stage, mut browser) = stage();
    let refused = result(&browser.open(&stage.login("basic", &[("prompt", "none"), ("login_hint", ALICE)])));
    assert_eq!(refused["error"], "login_required", "{refused}");
    assert!(browser.seen.iter().all(|url| !url.starts_with(&stage.issuer_of("contoso"))), "nobody is asked upstream");
}

#[test]
fn a_client_can_ask_for_a_fresh_sign_in() {
    let (stage, mut browser) = stage();
    let first = whole_login(&mut browser, &stage, "basic", ALICE);
    for asked in [("prompt", "login"), ("max_age", "0")] {
        let (page, _) = begin(&mut browser, &stage, "basic", &[asked]);
        let again = result(&sign_in_as(&mut browser, &page, ALICE));
        assert_is(&again, ALICE);
        assert_eq!(again["claims"]["sub"], first["claims"]["sub"]);
        assert!(again["claims"]["auth_time"].as_i64() >= first["claims"]["auth_time"].as_i64(), "{again}");
    }
}

#[test]
fn a_refusal_of_the_provider_reaches_the_client() {
    let (stage, mut browser) = stage();
    let (page, _) = begin(&mut browser, &stage, "basic", &[]);
    let refused = result(&sign_in_as(&mut browser, &page, "mallory@contoso.com"));
    assert_eq!(refused["error"], "access_denied", "{refused}");
}

#[test]
fn no_hint_and_no_secret_is_in_the_log() {
    let (stage, mut browser) = stage();
    let (page, _) = begin(&mut browser, &stage, "basic", &[("login_hint", GUEST)]);
    assert_is(&result(&sign_in_as(&mut browser, &page, GUEST)), GUEST);
    let log = stage.log();
    assert!(log.contains("serving"), "the log is read");
    for hidden in [GUEST, "dana_fabrikam", "%23EXT%23", "contoso-secret-0123456789", "basic secret+&% 0123456789"] {
        assert!(!log.contains(hidden), "`{hidden}` is in the log:\n{log}");
    }
}
