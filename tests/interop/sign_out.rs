//! A sign-out that reaches everybody: begun at a service, or at the identity provider.

use std::sync::Arc;

use serde_json::Value;

use super::apache::{Apache, protected_page};
use super::chromium::{Manner, Tab, Window};
use super::stage::{ALICE, Stage};
use super::support::browser::Browser;
use super::support::http::Routes;

/// Services that hear of a sign-out by back channel, by front channel, and by both.
const TOLD: &str = "told";
const FRAMED: &str = "framed";
const BOTH: &str = "both";

struct Signed {
    stage: Arc<Stage>,
    window: Window,
}

impl Signed {
    fn new() -> Self {
        let stage = Stage::shared();
        let window = Window::new(&stage.base, &Manner::default());
        Self { stage, window }
    }

    /// Signs Alice in at a service: at the provider if she isn't yet. Gives the result that the service shows.
    #[track_caller]
    fn in_at(&self, tab: &Tab<'_>, client: &str) -> Value {
        tab.open(&self.stage.login(client, &[]));
        let at = tab.wait("#sign-in, #result");
        if at.url.starts_with(&self.stage.issuer_of("contoso")) {
            tab.fill("input[name=login]", ALICE);
            tab.click("#sign-in button");
        }
        let result = tab.result();
        assert_eq!(result["claims"]["preferred_username"], ALICE, "{result}");
        result
    }

    /// The services at which the session of that `sid` is still alive, and by which way the others heard.
    fn alive(&self, sid: &str) -> (Vec<String>, Vec<String>) {
        let url = format!("{}/signed-in", self.stage.rp);
        let json = Browser::new(Routes::default()).open(&url).response().json();
        let of = |list: &str, text: fn(&Value) -> String| -> Vec<String> {
            let all = json[list].as_array().cloned().unwrap_or_default();
            all.iter().filter(|item| item["sid"] == sid).map(text).collect()
        };
        (
            of("live", |item| item["client"].as_str().unwrap_or_default().to_owned()),
            of("heard", |item| format!("{} {}", item["client"], item["by"]).replace('"', "")),
        )
    }

    #[track_caller]
    fn wait_until_out(&self, sid: &str) -> Vec<String> {
        for _ in 0..1_000 {
            let (live, mut heard) = self.alive(sid);
            if live.is_empty() {
                heard.sort();
                return heard;
            }
            std::thread::park_timeout(std::time::Duration::from_millis(20));
        }
        panic!("still signed in: {:?}", self.alive(sid));
    }

    /// Whether the provider asks for a sign-in, as it does for somebody that it doesn't know.
    #[track_caller]
    fn provider_asks(&self, tab: &Tab<'_>) {
        tab.open(&self.stage.login(TOLD, &[]));
        let at = tab.wait("#sign-in, #result");
        assert!(at.url.starts_with(&self.stage.issuer_of("contoso")), "signed in without a word: {}", at.url);
    }
}

fn sid(result: &Value) -> String {
    result["claims"]["sid"].as_str().expect("a sid").to_owned()
}

#[test]
fn a_sign_out_at_one_service_reaches_the_others_us_and_the_provider() {
    let signed = Signed::new();
    let tab = signed.window.tab();
    let first = signed.in_at(&tab, TOLD);
    for client in [FRAMED, BOTH] {
        assert_eq!(sid(&signed.in_at(&tab, client)), sid(&first), "one session");
    }
    assert_eq!(signed.alive(&sid(&first)).0.len(), 3);
    let key = first["key"].as_str().expect("a key");
    tab.open(&format!("{}/sign-out/{key}", signed.stage.rp));
    // The provider asks, since a sign-out there is the person's.
    let at = tab.wait("#sign-out");
    assert!(at.url.starts_with(&signed.stage.issuer_of("contoso")), "{}", at.url);
    tab.click("#sign-out");
    let bye = tab.result();
    assert_eq!((&bye["bye"], &bye["state"]), (&Value::Bool(true), &Value::from("back & forth")), "{bye}");
    let heard = signed.wait_until_out(&sid(&first));
    for expected in ["told back", "framed front", "both back", "both front"] {
        assert!(heard.iter().any(|heard| heard == expected), "{expected}: {heard:?}");
    }
    assert!(!signed.window.is_signed_in(), "our cookie is gone");
    signed.provider_asks(&tab);
}

#[test]
fn a_sign_out_begun_at_the_provider_reaches_us_and_every_service() {
    let signed = Signed::new();
    let tab = signed.window.tab();
    let first = signed.in_at(&tab, TOLD);
    assert_eq!(sid(&signed.in_at(&tab, BOTH)), sid(&first));
    tab.open(&format!("{}/session/end", signed.stage.issuer_of("contoso")));
    tab.click("#sign-out");
    tab.wait("#signed-out");
    let heard = signed.wait_until_out(&sid(&first));
    assert_eq!(heard, ["both back", "told back"], "each is told once, by the provider's word to us");
    // The cookie is still there and opens nothing.
    tab.open(&signed.stage.login(TOLD, &[("prompt", "none")]));
    assert_eq!(tab.result()["error"], "login_required");
    signed.provider_asks(&tab);
}

#[test]
fn a_sign_out_that_no_service_asked_for_is_asked_about_and_says_who_was_told() {
    let signed = Signed::new();
    let tab = signed.window.tab();
    let first = signed.in_at(&tab, TOLD);
    signed.in_at(&tab, FRAMED);
    tab.open(&format!("{}/acs/openid/logout", signed.stage.base));
    tab.wait("button[value=sign-out]");
    tab.shoot("sign-out-confirm");
    tab.click("button[value=sign-out]");
    tab.wait("#sign-out");
    tab.click("#sign-out");
    let at = tab.wait("main.card");
    assert!(at.url.starts_with(&signed.stage.base), "{}", at.url);
    let text = tab.text("main");
    for service in [TOLD, FRAMED] {
        assert!(text.contains(&format!("The {service} service")), "{text}");
    }
    tab.shoot("signed-out");
    signed.wait_until_out(&sid(&first));
}

#[test]
fn apache_with_mod_auth_openidc_hears_of_a_sign_out() {
    let signed = Signed::new();
    let at = signed.stage.apache;
    let apache = Apache::start(at, &format!("{}/acs", signed.stage.base));
    let tab = signed.window.tab();
    tab.open(&protected_page(at));
    tab.wait("#sign-in");
    tab.fill("input[name=login]", ALICE);
    tab.click("#sign-in button");
    tab.wait("#who");
    assert_eq!(tab.text("#who"), ALICE, "{}", apache.log());
    // The same session at another service, which then signs out.
    let result = signed.in_at(&tab, TOLD);
    tab.open(&protected_page(at));
    tab.wait("#who");
    let key = result["key"].as_str().expect("a key");
    tab.open(&format!("{}/sign-out/{key}", signed.stage.rp));
    tab.wait("#sign-out");
    tab.click("#sign-out");
    tab.result();
    signed.wait_until_out(&sid(&result));
    for _ in 0..500 {
        tab.open(&protected_page(at));
        let now = tab.wait("#who, #sign-in");
        if now.url.starts_with(&signed.stage.issuer_of("contoso")) {
            return;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(20));
    }
    panic!("Apache still lets her in:\n{}", apache.log());
}
