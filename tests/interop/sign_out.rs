//! A sign-out that reaches everybody: begun at a service, or at the identity provider.

use std::sync::Arc;

use serde_json::{Value, json};

use super::apache::{Apache, protected_page};
use super::chromium::{Manner, Tab, Window};
use super::stage::{ALICE, Stage};
use super::support::browser::Browser;
use super::support::http::Routes;

/// Services that hear of a sign-out by back channel, by front channel, and by both.
const TOLD: &str = "told";
const FRAMED: &str = "framed";
const BOTH: &str = "both";
/// A service that only asks us who is signed in, and isn't told of a sign-out.
const PROBE: &str = "basic";
/// We and the provider, as parties that know who is signed in.
const US: &str = "us";
const PROVIDER: &str = "the provider";

struct Signed {
    stage: Arc<Stage>,
    window: Window,
}

impl Signed {
    fn new() -> Self {
        Self::like(&Manner::default())
    }

    fn like(manner: &Manner) -> Self {
        let stage = Stage::shared();
        let window = Window::new(&stage.base, manner);
        Self { stage, window }
    }

    /// Signs Alice in at a service: at the provider if she isn't yet. Gives the result that the service shows.
    #[track_caller]
    fn in_at(&self, tab: &Tab<'_>, client: &str) -> Value {
        // Without offline_access: all that it gets ends with the session.
        self.in_at_with(tab, client, &[("scope", "openid profile email")])
    }

    #[track_caller]
    fn in_at_with(&self, tab: &Tab<'_>, client: &str, params: &[(&str, &str)]) -> Value {
        tab.open(&self.stage.login(client, params));
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
        let json = read_json(&format!("{}/signed-in", self.stage.rp));
        let of = |list: &str, text: fn(&Value) -> String| -> Vec<String> {
            let all = json[list].as_array().cloned().unwrap_or_default();
            all.iter().filter(|item| item["sid"] == sid && item["client"] != PROBE).map(text).collect()
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

    /// Who of all parties has a session for this browser's cookies: each service, we, the provider. Each is asked itself;
    /// nobody's page is believed about somebody else.
    #[track_caller]
    fn who_knows(&self, tab: &Tab<'_>, services: &[&'static str]) -> Vec<&'static str> {
        let mut known = Vec::new();
        for service in services {
            tab.open(&format!("{}/me/{service}", self.stage.rp));
            if tab.result() == ALICE {
                known.push(*service);
            }
        }
        tab.open(&self.stage.login(PROBE, &[("prompt", "none")]));
        let ours = tab.result();
        if ours["claims"]["preferred_username"] == ALICE {
            known.push(US);
        } else {
            assert_eq!(ours["error"], "login_required", "{ours}");
        }
        if self.at_provider(tab)["account"] == ALICE {
            known.push(PROVIDER);
        }
        known
    }

    /// What the provider itself says of this browser.
    #[track_caller]
    fn at_provider(&self, tab: &Tab<'_>) -> Value {
        tab.open(&format!("{}/who", self.stage.issuer_of("contoso")));
        serde_json::from_str(&tab.text("body")).expect("JSON")
    }

    /// Nobody has a session for this browser: not for its cookies of now, not for those of `before`, and the tokens of
    /// `result` open nothing.
    #[track_caller]
    fn assert_out_everywhere(&self, services: &[&'static str], before: &Value, result: &Value) {
        assert!(
            !self.window.is_signed_in() || self.window.our_cookies() == ours_of(before),
            "no cookie of a new session"
        );
        let tab = self.window.tab();
        assert_eq!(self.who_knows(&tab, services), Vec::<&str>::new(), "by the cookies of now");
        self.window.restore(before);
        assert_eq!(self.who_knows(&tab, services), Vec::<&str>::new(), "by cookies that somebody kept");
        assert_eq!(self.tokens(&tab, result), dead());
    }

    /// What our introspection and userinfo say of the access token of a result.
    #[track_caller]
    fn tokens(&self, tab: &Tab<'_>, result: &Value) -> Value {
        tab.open(&format!("{}/alive/{}", self.stage.rp, key(result)));
        tab.result()
    }
}

fn dead() -> Value {
    json!({ "active": false, "userinfo": 401 })
}

fn key(result: &Value) -> &str {
    result["key"].as_str().expect("a key")
}

fn ours_of(cookies: &Value) -> Vec<Value> {
    let all = cookies.as_array().cloned().unwrap_or_default();
    all.into_iter().filter(|cookie| cookie["name"].as_str().is_some_and(|name| name.contains("vestibule-"))).collect()
}

fn read_json(url: &str) -> Value {
    Browser::new(Routes::default()).open(url).response().json()
}

fn sid(result: &Value) -> String {
    result["claims"]["sid"].as_str().expect("a sid").to_owned()
}

#[test]
fn a_sign_out_at_one_service_reaches_the_others_us_and_the_provider() {
    let signed = Signed::new();
    let tab = signed.window.tab();
    let services = [TOLD, FRAMED, BOTH];
    let first = signed.in_at(&tab, TOLD);
    // A service may have its answer posted: it makes no difference to how the session ends.
    let posted = signed.in_at_with(&tab, BOTH, &[("response_mode", "form_post"), ("scope", "openid profile")]);
    let offline = signed.in_at_with(&tab, FRAMED, &[("scope", "openid profile offline_access")]);
    assert_eq!([sid(&posted), sid(&offline)], [sid(&first), sid(&first)], "one session");
    let elsewhere = Signed::new();
    let kept = sid(&elsewhere.in_at(&elsewhere.window.tab(), TOLD));
    assert_eq!(signed.who_knows(&tab, &services), [TOLD, FRAMED, BOTH, US, PROVIDER]);
    let before = signed.window.cookies();
    tab.open(&format!("{}/sign-out/{}", signed.stage.rp, key(&first)));
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
    signed.assert_out_everywhere(&services, &before, &first);
    assert_eq!(signed.tokens(&tab, &posted), dead());
    assert_eq!(
        signed.tokens(&tab, &offline),
        json!({ "active": true, "userinfo": 200 }),
        "offline_access stays, as it says"
    );
    // Her other browser is another session: it goes on everywhere.
    assert_eq!(elsewhere.alive(&kept).0, [TOLD]);
    assert_eq!(elsewhere.who_knows(&elsewhere.window.tab(), &[TOLD]), [TOLD, US, PROVIDER]);
}

#[test]
fn a_sign_out_begun_at_the_provider_reaches_us_and_every_service() {
    let signed = Signed::new();
    let tab = signed.window.tab();
    let services = [TOLD, BOTH];
    let first = signed.in_at(&tab, TOLD);
    assert_eq!(sid(&signed.in_at(&tab, BOTH)), sid(&first));
    assert_eq!(signed.who_knows(&tab, &services), [TOLD, BOTH, US, PROVIDER]);
    let before = signed.window.cookies();
    tab.open(&format!("{}/session/end", signed.stage.issuer_of("contoso")));
    tab.click("#sign-out");
    tab.wait("#signed-out");
    let heard = signed.wait_until_out(&sid(&first));
    assert_eq!(heard, ["both back", "told back"], "each is told once, by the provider's word to us");
    // Our cookie is still there and opens nothing.
    assert!(signed.window.is_signed_in());
    signed.assert_out_everywhere(&services, &before, &first);
}

/// The provider's page has us in a frame on another site, and ours has the services in frames.
#[track_caller]
fn signed_out_in_frames(manner: &Manner) -> Vec<Value> {
    let signed = Signed::like(manner);
    let tab = signed.window.tab();
    let first = signed.in_at(&tab, FRAMED);
    signed.in_at(&tab, BOTH);
    assert_eq!(signed.who_knows(&tab, &[FRAMED, BOTH]), [FRAMED, BOTH, US, PROVIDER]);
    let upstream = signed.at_provider(&tab)["sid"].as_str().expect("a sid").to_owned();
    let issuer = signed.stage.issuer_of("contoso");
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("iss", issuer.as_str()), ("sid", &upstream)])
        .finish();
    let framed = format!("{}/federation/auth/logout/frontchannel?{query}", signed.stage.base);
    let framed: String = form_urlencoded::byte_serialize(framed.as_bytes()).collect();
    tab.open(&format!("{issuer}/frame?{framed}"));
    let heard = signed.wait_until_out(&sid(&first));
    assert_eq!(heard.iter().filter(|heard| heard.starts_with("framed")).count(), 1, "{heard:?}");
    // The provider ends its own session itself: here it only told us.
    assert_eq!(signed.who_knows(&tab, &[FRAMED, BOTH]), [PROVIDER]);
    let all = read_json(&format!("{}/signed-in", signed.stage.rp));
    let all = all["heard"].as_array().cloned().unwrap_or_default();
    all.into_iter().filter(|item| item["by"] == "front" && item["sid"] == sid(&first)).collect()
}

#[test]
fn a_frame_on_the_providers_page_ends_the_session_here_and_at_every_service() {
    let told = signed_out_in_frames(&Manner::default().with_third_party_cookies());
    assert!(!told.is_empty() && told.iter().all(|item| item["cookie"] == true), "with the services' cookies: {told:?}");
}

#[test]
fn a_frame_ends_it_where_the_browser_blocks_third_party_cookies() {
    let told = signed_out_in_frames(&Manner::default());
    assert!(!told.is_empty() && told.iter().all(|item| item["cookie"] == false), "by `sid` alone: {told:?}");
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
    let before = signed.window.cookies();
    // Her other browser, with a session of its own at Apache.
    let elsewhere = Signed::new();
    let other = elsewhere.window.tab();
    elsewhere.in_at(&other, TOLD);
    other.open(&protected_page(at));
    other.wait("#who");
    tab.open(&format!("{}/sign-out/{}", signed.stage.rp, key(&result)));
    tab.wait("#sign-out");
    tab.click("#sign-out");
    tab.result();
    signed.wait_until_out(&sid(&result));
    let lets_in = |tab: &Tab<'_>| {
        tab.open(&protected_page(at));
        let now = tab.wait("#who, #sign-in");
        !now.url.starts_with(&signed.stage.issuer_of("contoso"))
    };
    for _ in 0..500 {
        if !lets_in(&tab) {
            signed.window.restore(&before);
            assert!(!lets_in(&tab), "a cookie that somebody kept opens nothing:\n{}", apache.log());
            assert!(lets_in(&other), "her other browser stays signed in:\n{}", apache.log());
            return;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(20));
    }
    panic!("Apache still lets her in:\n{}", apache.log());
}
