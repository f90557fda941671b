//! The same logins in Chromium, which keeps cookies, follows policies and runs scripts as people's browsers do.

use std::sync::Arc;

use super::chromium::{Manner, Tab, Window};
use super::stage::{ALICE, BOB, GUEST, PLUS, Stage, UMLAUT};

fn stage() -> (Arc<Stage>, Window) {
    stage_for(&Manner::default())
}

fn stage_for(manner: &Manner) -> (Arc<Stage>, Window) {
    let stage = Stage::shared();
    let window = Window::new(&stage.base, manner);
    (stage, window)
}

/// At the provider's sign-in page: signs in; what stood in its field.
#[track_caller]
fn sign_in_as(tab: &Tab<'_>, username: &str) -> String {
    tab.wait("#sign-in");
    let typed = tab.fill("input[name=login]", username);
    tab.click("#sign-in button");
    typed
}

#[track_caller]
fn assert_signed_in(tab: &Tab<'_>, username: &str) -> serde_json::Value {
    let result = tab.result();
    assert_eq!(result["claims"]["preferred_username"], username, "{result}");
    assert_eq!(result["userinfo"]["preferred_username"], username, "{result}");
    result
}

#[test]
fn a_login_without_a_hint() {
    let (stage, window) = stage();
    let tab = window.tab();
    tab.open(&stage.login("basic", &[]));
    assert_eq!(sign_in_as(&tab, ALICE), "");
    assert_signed_in(&tab, ALICE);
}

#[test]
fn a_hint_stands_in_the_providers_field() {
    let stage = Stage::shared();
    for username in [PLUS, UMLAUT, GUEST] {
        let window = Window::new(&stage.base, &Manner::default());
        let tab = window.tab();
        tab.open(&stage.login("basic", &[("login_hint", username)]));
        assert_eq!(sign_in_as(&tab, username), username);
        assert_signed_in(&tab, username);
    }
}

#[test]
fn our_cookies_are_httponly_and_lax() {
    let (stage, window) = stage();
    let tab = window.tab();
    tab.open(&stage.login("basic", &[]));
    tab.wait("#sign-in");
    let under_way = window.our_cookies();
    assert_eq!(under_way.len(), 1, "{under_way:?}");
    assert!(under_way[0]["name"].as_str().is_some_and(|name| name.starts_with("vestibule-login-")), "{under_way:?}");
    sign_in_as(&tab, ALICE);
    assert_signed_in(&tab, ALICE);
    let after = window.our_cookies();
    assert!(after.iter().any(|cookie| cookie["name"] == "vestibule-session"), "{after:?}");
    for cookie in under_way.iter().chain(&after) {
        assert_eq!(cookie["httpOnly"], true, "{cookie}");
        assert_eq!(cookie["sameSite"], "Lax", "{cookie}");
        assert_eq!(cookie["secure"], false, "plain http: {cookie}");
        assert_eq!(cookie["path"], "/", "{cookie}");
        assert_eq!(cookie["domain"], "127.0.0.1", "of our host alone: {cookie}");
    }
}

#[test]
fn an_answer_is_posted_to_the_client_by_itself() {
    let (stage, window) = stage();
    let tab = window.tab();
    tab.open(&stage.login("basic", &[("response_mode", "form_post")]));
    sign_in_as(&tab, ALICE);
    assert_eq!(assert_signed_in(&tab, ALICE)["method"], "POST");
}

#[test]
fn an_answer_is_posted_to_the_client_by_the_button_where_scripts_do_not_run() {
    let (stage, window) = stage_for(&Manner::default().without_script());
    let tab = window.tab();
    tab.open(&stage.login("basic", &[("response_mode", "form_post")]));
    sign_in_as(&tab, ALICE);
    let at = tab.wait("button.primary");
    assert!(at.url.starts_with(&stage.base), "{}", at.url);
    tab.shoot("form-post");
    tab.click("button.primary");
    assert_eq!(assert_signed_in(&tab, ALICE)["method"], "POST");
}

#[test]
fn a_providers_posted_answer_finds_its_cookies() {
    let (stage, window) = stage();
    let tab = window.tab();
    tab.open(&stage.login("fabrikam", &[("login_hint", BOB)]));
    assert_eq!(sign_in_as(&tab, BOB), BOB);
    assert_signed_in(&tab, BOB);
    let callback = format!("{}/federation/auth/response/oauth2/fabrikam", stage.base);
    let at_callback: Vec<String> = tab.navigations().into_iter().filter(|n| n.contains(&callback)).collect();
    assert_eq!(at_callback.len(), 2, "{at_callback:?}");
    assert_eq!(at_callback[0], format!("POST {callback}"));
    assert!(at_callback[1].starts_with(&format!("GET {callback}?handle=")), "{at_callback:?}");
}

#[test]
fn both_answers_may_be_posted() {
    let (stage, window) = stage();
    let tab = window.tab();
    tab.open(&stage.login("fabrikam", &[("response_mode", "form_post")]));
    sign_in_as(&tab, BOB);
    assert_eq!(assert_signed_in(&tab, BOB)["method"], "POST");
}

#[test]
fn a_posted_request_from_another_site_finds_the_session() {
    let (stage, window) = stage();
    let tab = window.tab();
    tab.open(&stage.login("basic", &[("via", "post")]));
    tab.click("#go button");
    sign_in_as(&tab, ALICE);
    let first = assert_signed_in(&tab, ALICE);
    tab.open(&stage.login("post", &[("via", "post")]));
    tab.click("#go button");
    let second = assert_signed_in(&tab, ALICE);
    assert_eq!(first["claims"]["sub"], second["claims"]["sub"]);
    assert_eq!(first["claims"]["auth_time"], second["claims"]["auth_time"], "nobody signed in again");
    let posts = tab.navigations().into_iter().filter(|n| *n == format!("POST {}/acs/authorize", stage.base)).count();
    assert_eq!(posts, 2);
}

#[test]
fn a_second_client_is_signed_in_without_the_provider() {
    let (stage, window) = stage();
    let tab = window.tab();
    tab.open(&stage.login("basic", &[]));
    sign_in_as(&tab, ALICE);
    let first = assert_signed_in(&tab, ALICE);
    let other = window.tab();
    other.open(&stage.login("keys", &[("login_hint", ALICE)]));
    let second = assert_signed_in(&other, ALICE);
    assert_eq!(first["claims"]["sid"], second["claims"]["sid"]);
    let upstream = stage.issuer_of("contoso");
    assert!(other.navigations().iter().all(|n| !n.contains(&upstream)), "{:?}", other.navigations());
}

#[test]
fn two_tabs_sign_in_at_once() {
    let (stage, window) = stage();
    let (left, right) = (window.tab(), window.tab());
    left.open(&stage.login("basic", &[]));
    right.open(&stage.login("fabrikam", &[]));
    left.wait("#sign-in");
    right.wait("#sign-in");
    assert_eq!(window.our_cookies().len(), 2, "a cookie for each login");
    sign_in_as(&right, BOB);
    assert_signed_in(&right, BOB);
    sign_in_as(&left, ALICE);
    assert_signed_in(&left, ALICE);
}

#[test]
fn a_silent_request_in_a_fresh_browser_is_answered_at_once() {
    let (stage, window) = stage();
    let tab = window.tab();
    tab.open(&stage.login("basic", &[("prompt", "none")]));
    assert_eq!(tab.result()["error"], "login_required");
}

#[test]
fn a_browser_that_keeps_no_cookies_is_told_so() {
    let stage = Stage::shared();
    let window = Window::new(&stage.base, &Manner::default().blocking_cookies_of(&stage.base));
    let tab = window.tab();
    tab.open(&stage.login("basic", &[]));
    sign_in_as(&tab, ALICE);
    let at = tab.wait("main.card .reference");
    assert!(at.url.starts_with(&stage.base), "{}", at.url);
    assert!(tab.text("main").to_lowercase().contains("cookie"), "{}", tab.text("main"));
    assert_eq!(window.our_cookies().len(), 0);
    tab.shoot("cookies-blocked");
}
