//! What a person does on our pages in Chromium, and how the pages look: pictures of each are kept in `screenshots`
//! of the target folder.

use std::sync::Arc;

use super::chromium::{Manner, Tab, Window};
use super::stage::{ALICE, BOB, NEW, NORA, PLUS, Scheme, Stage};

fn stage() -> (Arc<Stage>, Window) {
    let stage = Stage::shared();
    let window = Window::new(&stage.base, &Manner::default());
    (stage, window)
}

#[track_caller]
fn sign_in_as(tab: &Tab<'_>, username: &str) -> String {
    tab.wait("#sign-in");
    let typed = tab.fill("input[name=login]", username);
    tab.click("#sign-in button");
    typed
}

#[track_caller]
fn signed_in_key(tab: &Tab<'_>, username: &str) -> String {
    let result = tab.result();
    assert_eq!(result["claims"]["preferred_username"], username, "{result}");
    result["key"].as_str().expect("a key").to_owned()
}

#[test]
fn a_person_chooses_by_typing_an_address() {
    let (stage, window) = stage();
    let tab = window.tab();
    tab.open(&stage.login("any", &[]));
    tab.wait("#email");
    assert_eq!(tab.focused(), "email");
    tab.shoot("choose");
    tab.fill("#email", "who@elsewhere.example");
    tab.press("Enter");
    tab.wait("#email-error");
    assert_eq!(tab.focused(), "email");
    tab.shoot("choose-unknown");
    assert_eq!(tab.fill("#email", BOB), "who@elsewhere.example");
    tab.press("Enter");
    assert_eq!(sign_in_as(&tab, BOB), BOB, "what was typed is the hint");
    signed_in_key(&tab, BOB);
}

#[test]
fn a_person_chooses_by_a_button() {
    let (stage, window) = stage();
    let tab = window.tab();
    tab.open(&stage.login("any", &[]));
    tab.click("button[name=idp][value=northwind]");
    assert_eq!(sign_in_as(&tab, NORA), "");
    signed_in_key(&tab, NORA);
}

#[test]
fn a_hint_spares_the_choice() {
    let (stage, window) = stage();
    let tab = window.tab();
    tab.open(&stage.login("any", &[("login_hint", BOB)]));
    assert_eq!(sign_in_as(&tab, BOB), BOB);
    signed_in_key(&tab, BOB);
}

#[test]
fn a_person_gives_up_choosing() {
    let (stage, window) = stage();
    let tab = window.tab();
    tab.open(&stage.login("any", &[]));
    tab.click("button[value=cancel]");
    assert_eq!(tab.result()["error"], "access_denied");
}

#[test]
fn choosing_works_in_german_and_without_scripts() {
    let stage = Stage::shared();
    let window = Window::new(&stage.base, &Manner::default().speaking("de-DE").without_script());
    let tab = window.tab();
    tab.open(&stage.login("any", &[]));
    tab.wait("html[lang=de] #email");
    tab.shoot("choose-german");
    tab.fill("#email", BOB);
    tab.click("button.primary");
    tab.wait("#sign-in");
}

#[test]
fn another_person_than_hinted_at_may_try_again() {
    let (stage, window) = stage();
    let tab = window.tab();
    tab.open(&stage.login("basic", &[("login_hint", ALICE)]));
    assert_eq!(sign_in_as(&tab, PLUS), ALICE);
    tab.wait("button[value=retry]");
    tab.shoot("mismatch");
    assert!(!window.is_signed_in(), "nobody is signed in");
    tab.click("button[value=retry]");
    assert_eq!(sign_in_as(&tab, ALICE), ALICE, "the provider asks again, with the hint");
    signed_in_key(&tab, ALICE);
}

#[test]
fn another_person_than_hinted_at_may_give_up() {
    let (stage, window) = stage();
    let tab = window.tab();
    tab.open(&stage.login("basic", &[("login_hint", ALICE)]));
    sign_in_as(&tab, PLUS);
    tab.click("button[value=cancel]");
    assert_eq!(tab.result()["error"], "access_denied");
    assert!(!window.is_signed_in(), "nobody is signed in");
}

#[test]
fn a_sign_out_without_an_id_token_is_confirmed() {
    let (stage, window) = stage();
    let tab = window.tab();
    tab.open(&stage.login("basic", &[]));
    sign_in_as(&tab, ALICE);
    let key = signed_in_key(&tab, ALICE);
    tab.open(&format!("{}/sign-out/{key}?bare", stage.rp));
    tab.wait("button[value=sign-out]");
    tab.shoot("sign-out-confirm");
    assert!(window.is_signed_in(), "still");
    tab.click("button[value=stay]");
    tab.wait("nav.picks");
    assert!(window.is_signed_in(), "stayed");
    tab.open(&format!("{}/sign-out/{key}?bare", stage.rp));
    tab.click("button[value=sign-out]");
    tab.click("#sign-out");
    tab.wait("main.card .emblem");
    tab.shoot("signed-out");
    assert!(!window.is_signed_in());
    tab.open(&stage.login("basic", &[("prompt", "none")]));
    assert_eq!(tab.result()["error"], "login_required");
}

#[test]
fn a_sign_out_with_the_id_token_leads_back() {
    let (stage, window) = stage();
    let tab = window.tab();
    tab.open(&stage.login("basic", &[]));
    sign_in_as(&tab, ALICE);
    let key = signed_in_key(&tab, ALICE);
    tab.open(&format!("{}/sign-out/{key}", stage.rp));
    tab.click("#sign-out");
    assert_eq!(tab.result(), serde_json::json!({ "bye": true, "state": "back & forth" }));
    assert!(!window.is_signed_in());
}

#[test]
fn a_sign_in_begun_at_the_provider_ends_on_the_page_of_links() {
    let (stage, window) = stage();
    let tab = window.tab();
    let issuer: String = form_urlencoded::byte_serialize(stage.issuer_of("contoso").as_bytes()).collect();
    tab.open(&format!("{}/federation/auth/initiate?iss={issuer}&login_hint=alice%40contoso.com", stage.base));
    assert_eq!(sign_in_as(&tab, ALICE), ALICE);
    tab.wait("nav.picks");
    tab.shoot("links");
    tab.click("nav.picks a");
    signed_in_key(&tab, ALICE);
}

#[test]
fn back_and_reload_at_the_providers_answer_sign_nobody_in_twice() {
    let stage = Stage::shared();
    // Without scripts the page that posts the answer stays: it is at our redirect URI, with code and state.
    let window = Window::new(&stage.base, &Manner::default().without_script());
    let tab = window.tab();
    tab.open(&stage.login("basic", &[("response_mode", "form_post")]));
    sign_in_as(&tab, ALICE);
    tab.wait("form.late button");
    let again = tab.reload();
    assert_eq!(again.status, 400, "{again:?}");
    tab.wait("main.card .reference");
    tab.shoot("used");
    assert!(!tab.text("main").to_lowercase().contains("cookie"), "it is not the cookies: {}", tab.text("main"));
    tab.wait("main.card a.primary");
    // The person is signed in all the same: starting anew goes through.
    tab.open(&stage.login("basic", &[]));
    signed_in_key(&tab, ALICE);
}

#[test]
fn back_from_the_provider_leads_to_a_choice_that_works() {
    let (stage, window) = stage();
    let tab = window.tab();
    tab.open(&stage.login("any", &[]));
    tab.click("button[name=idp][value=contoso]");
    tab.wait("#sign-in");
    tab.back();
    tab.click("button[name=idp][value=fabrikam]");
    sign_in_as(&tab, BOB);
    signed_in_key(&tab, BOB);
}

#[test]
fn back_from_the_service_passes_by_the_choice_with_the_session() {
    let (stage, window) = stage();
    let tab = window.tab();
    tab.open(&stage.login("any", &[]));
    tab.click("button[name=idp][value=contoso]");
    sign_in_as(&tab, ALICE);
    signed_in_key(&tab, ALICE);
    let at = tab.back();
    assert!(at.url.starts_with(&stage.issuer_of("contoso")), "{at:?}");
    // Our page of choice, which no browser keeps: the request runs again, and the session answers it.
    let at = tab.back();
    assert!(at.url.starts_with(&format!("{}/cb/any?code=", stage.rp)), "{at:?}");
}

#[test]
fn a_person_whom_nobody_has_provisioned_is_told_and_led_back() {
    let (stage, window) = stage();
    let tab = window.tab();
    tab.open(&stage.login("guarded", &[("login_hint", NEW)]));
    assert_eq!(sign_in_as(&tab, NEW), NEW);
    tab.wait("button[value=cancel]");
    tab.shoot("not-provisioned");
    assert!(!window.is_signed_in());
    tab.click("button[value=cancel]");
    assert_eq!(tab.result()["error"], "access_denied");
}

#[test]
fn a_provider_that_does_not_answer_is_no_dead_end() {
    let (stage, window) = stage();
    let tab = window.tab();
    let away = stage.issuer_as_configured("away");
    let issuer: String = form_urlencoded::byte_serialize(away.as_bytes()).collect();
    let at = tab.open(&format!("{}/federation/auth/initiate?iss={issuer}", stage.base));
    assert_eq!(at.status, 503, "{at:?}");
    tab.wait("main.card .reference");
    tab.shoot("provider-away");
}

#[test]
fn error_pages_can_be_read() {
    let (stage, window) = stage();
    let tab = window.tab();
    for (name, path, status) in [
        ("link-invalid", "/acs/authorize?client_id=nobody&redirect_uri=https://x.example/cb", 400),
        ("not-found", "/nowhere", 404),
        ("other-browser", "/federation/auth/response/oauth2/contoso?code=1&state=2", 400),
        ("initiate-invalid", "/federation/auth/initiate?iss=https://x.example", 400),
    ] {
        let at = tab.open(&format!("{}{path}", stage.base));
        assert_eq!(at.status, status, "{name}: {at:?}");
        tab.wait("main.card .reference");
        tab.shoot(name);
    }
}

#[test]
fn https_cookies_have_the_host_prefix_and_survive_posted_answers() {
    let stage = Stage::start(Scheme::Https);
    let window = Window::new(&stage.base, &Manner::default());
    let tab = window.tab();
    tab.open(&stage.login("fabrikam", &[("login_hint", BOB), ("response_mode", "form_post")]));
    tab.wait("#sign-in");
    let under_way = window.our_cookies();
    sign_in_as(&tab, BOB);
    signed_in_key(&tab, BOB);
    let after = window.our_cookies();
    assert_eq!(under_way.len(), 1, "{under_way:?}");
    assert!(under_way[0]["name"].as_str().is_some_and(|name| name.starts_with("__Host-vestibule-login-")));
    assert!(after.iter().any(|cookie| cookie["name"] == "__Host-vestibule-session"), "{after:?}");
    for cookie in under_way.iter().chain(&after) {
        assert_eq!((&cookie["secure"], &cookie["httpOnly"]), (&true.into(), &true.into()), "{cookie}");
        assert_eq!(cookie["sameSite"], "Lax", "{cookie}");
    }
    tab.open(&stage.login("any", &[("via", "post")]));
    tab.click("#go button");
    signed_in_key(&tab, BOB);
}

#[test]
fn a_complaint_of_the_browser_fails_a_test() {
    let stage = Stage::shared();
    let window = Window::new(&stage.rp, &Manner::default());
    window.tab().open(&format!("{}/broken", stage.rp));
    let dropped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(window)));
    assert!(dropped.is_err());
}
