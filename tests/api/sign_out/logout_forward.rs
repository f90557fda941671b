//! A sign-out goes on to the identity provider, and comes back from whatever it answers.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde_json::json;
use vestibule::base::Span;

use super::logout_request::{BYE, request, says_yes};
use crate::support::browser::{Browser, Page};
use crate::support::client::Tokens;
use crate::support::evil_idp::Answer;
use crate::support::server::Setup;
use crate::world::{World, is_guarded};

const STILL: &str = "still be signed in at The contoso provider";

fn with(change: impl FnOnce(&mut Setup)) -> World {
    World::with(|setup, _| change(setup))
}

/// A sign-out by hint that wants to end at the client.
fn leave(world: &World, browser: &mut Browser, tokens: &Tokens) -> Page {
    let params = [("id_token_hint", tokens.id_token.as_str()), ("post_logout_redirect_uri", BYE), ("state", "s&1")];
    browser.open(&request(world, &params))
}

/// What the provider's end-session endpoint was sent last.
#[track_caller]
fn forwarded(world: &World) -> HashMap<String, String> {
    world.idp.last("/logout").expect("the browser came to the provider").params()
}

#[track_caller]
fn stays_with_a_notice(world: &World, browser: &mut Browser, tokens: &Tokens) {
    let page = leave(world, browser, tokens);
    assert_eq!(page.status(), 200);
    is_guarded(page.response());
    let text = page.text();
    assert!(text.contains(STILL), "{text}");
    assert!(text.contains("href=\"https://rp.example.com/bye?state=s%261\""), "the way back to the client: {text}");
    assert_eq!(world.idp.count("/logout"), 0, "nobody was sent to the provider");
    assert!(!world.is_signed_in(browser));
}

#[test]
fn a_sign_out_goes_to_the_provider_and_then_to_the_client() {
    let world = World::new();
    let mut browser = world.server.browser();
    let tokens = world.sign_in(&mut browser);
    assert_eq!(leave(&world, &mut browser, &tokens).url, format!("{BYE}?state=s%261"));
    let sent = forwarded(&world);
    assert_eq!(sent["client_id"], "vestibule");
    assert_eq!(sent["post_logout_redirect_uri"], "https://id.example.com/federation/auth/logout/done");
    assert_eq!(sent["state"].len(), 43);
    assert!(sent["id_token_hint"].split('.').count() == 3, "the provider's own ID token");
    assert_ne!(sent["id_token_hint"], tokens.id_token, "not ours");
    assert!(!sent.contains_key("ui_locales") && !sent.contains_key("logout_hint"));
    assert!(!world.is_signed_in(&browser));
}

#[test]
fn after_a_yes_the_sign_out_goes_on_in_the_language_that_was_asked_for() {
    let world = World::new();
    let mut browser = world.server.browser();
    world.sign_in(&mut browser);
    let asked = browser.open(&request(&world, &[("ui_locales", "de-AT"), ("client_id", "second")]));
    assert!(asked.text().contains("lang=\"de\"") && asked.text().contains("Second service"));
    let end = says_yes(&mut browser, &asked);
    assert!(end.text().contains("Sie sind abgemeldet"), "{}", end.text());
    assert!(end.text().contains("hier und bei The contoso provider"), "{}", end.text());
    assert_eq!(forwarded(&world)["ui_locales"], "de-AT");
}

#[test]
fn an_expired_id_token_is_left_out() {
    let world = World::new();
    let mut browser = world.server.browser();
    let tokens = world.sign_in(&mut browser);
    world.advance(Span::minutes(5));
    assert_eq!(leave(&world, &mut browser, &tokens).url, format!("{BYE}?state=s%261"));
    let sent = forwarded(&world);
    assert!(!sent.contains_key("id_token_hint") && sent["client_id"] == "vestibule");
}

#[test]
fn a135_okta_is_asked_only_while_its_id_token_is_fresh() {
    let okta = || {
        with(|setup| {
            setup.edit("idps/contoso.toml", "kind = \"oidc\"", "kind = \"okta\"");
        })
    };
    let world = okta();
    let mut browser = world.server.browser();
    let tokens = world.sign_in(&mut browser);
    assert_eq!(leave(&world, &mut browser, &tokens).url, format!("{BYE}?state=s%261"));
    assert!(forwarded(&world).contains_key("id_token_hint"));

    let world = okta();
    let mut browser = world.server.browser();
    let tokens = world.sign_in(&mut browser);
    world.advance(Span::minutes(5));
    stays_with_a_notice(&world, &mut browser, &tokens);
}

#[test]
fn entra_is_sent_its_own_login_hint_or_none() {
    for hint in [Some("O.opaque-h1nt"), None] {
        let world = with(|setup| {
            setup.edit("idps/contoso.toml", "kind = \"oidc\"", "kind = \"entra\"");
            setup.edit("idps/contoso.toml", "claim = \"sub\"", "claim = \"oid\"");
        });
        world.idp.set(|script| {
            script.person.insert("oid".to_owned(), json!("00000000-0000-4000-8000-000000000001"));
            if let Some(hint) = hint {
                script.person.insert("login_hint".to_owned(), json!(hint));
            }
        });
        let mut browser = world.server.browser();
        let tokens = world.sign_in(&mut browser);
        world.advance(Span::hours(3));
        assert_eq!(leave(&world, &mut browser, &tokens).url, format!("{BYE}?state=s%261"));
        let sent = forwarded(&world);
        assert_eq!(sent.get("logout_hint").map(String::as_str), hint);
        assert!(!sent.contains_key("id_token_hint"));
    }
}

#[test]
fn a135_endpoints_that_nobody_may_be_sent_to_end_it_here_with_a_notice() {
    for endpoint in [
        json!("http://login.example.com/out"),
        json!("javascript:alert(1)"),
        json!("/relative"),
        json!("https://u:p@login.example.com/out"),
        json!(""),
    ] {
        let world = World::new();
        let set = endpoint.clone();
        world.idp.set(|script| {
            script.metadata = Some(std::sync::Arc::new(move |document| {
                document.insert("end_session_endpoint".to_owned(), set.clone());
            }));
        });
        let mut browser = world.server.browser();
        let tokens = world.sign_in(&mut browser);
        stays_with_a_notice(&world, &mut browser, &tokens);
    }
}

#[test]
fn c044_a_provider_without_a_sign_out_of_its_own_keeps_nobody_from_the_client() {
    let world = World::new();
    world.idp.set(|script| {
        script.metadata = Some(std::sync::Arc::new(|document| {
            document.remove("end_session_endpoint");
        }));
    });
    let mut browser = world.server.browser();
    let tokens = world.sign_in(&mut browser);
    assert_eq!(leave(&world, &mut browser, &tokens).url, format!("{BYE}?state=s%261"));
    assert!(!world.is_signed_in(&browser));
    // Without a client to go back to, the page says what it can't have done.
    let tokens = world.sign_in(&mut browser);
    let page = browser.open(&request(&world, &[("id_token_hint", tokens.id_token.as_str())]));
    assert!(page.text().contains(STILL), "{}", page.text());
}

#[test]
fn a_query_of_the_endpoint_survives() {
    let world = World::new();
    let endpoint = format!("{}/logout?p=B2C_1&state=theirs", world.idp.issuer());
    world.idp.set(|script| {
        script.metadata = Some(std::sync::Arc::new(move |document| {
            document.insert("end_session_endpoint".to_owned(), json!(endpoint));
        }));
    });
    let mut browser = world.server.browser();
    let tokens = world.sign_in(&mut browser);
    assert_eq!(leave(&world, &mut browser, &tokens).url, format!("{BYE}?state=s%261"));
    assert!(world.idp.last("/logout").expect("it was asked").query.starts_with("p=B2C_1&client_id="));
}

#[test]
fn discovery_that_hangs_delays_nobody_by_more_than_two_seconds() {
    let world = World::new();
    let mut browser = world.server.browser();
    let tokens = world.sign_in(&mut browser);
    world.idp.set(|script| script.discovery = Answer::Hang);
    // The remembered document is too old to be used: it has to be asked for.
    world.advance(Span::hours(25));
    let params = [("id_token_hint", tokens.id_token.as_str()), ("post_logout_redirect_uri", BYE)];
    let began = Instant::now();
    let page = browser.open(&request(&world, &params));
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    assert!(page.text().contains(STILL), "{}", page.text());
}

#[test]
fn whatever_the_provider_answers_nobody_is_stranded() {
    let world = World::new();
    let done = world.server.url("/federation/auth/logout/done");
    let mut browser = world.server.browser();
    // Nobody knows this state.
    for url in [
        done.clone(),
        format!("{done}?state=unknown"),
        format!("{done}?state={}", "A".repeat(43)),
        format!("{done}?state=a&state=b"),
        format!("{done}?error=server_error&error_description=%3Cscript%3E"),
        format!("{done}?handle=nothing"),
    ] {
        let page = browser.open(&url);
        is_guarded(page.response());
        assert!(!page.text().contains("<script>"), "{url}");
        assert_eq!(browser.post_from(&world.idp.issuer(), &url, &[("state", "x")]).answer.map(|a| a.status), Some(200));
    }
}

#[test]
fn a_state_sends_somebody_on_once_and_a_page_says_the_same_again() {
    let world = World::new();
    let mut browser = world.server.browser();
    let tokens = world.sign_in(&mut browser);
    leave(&world, &mut browser, &tokens);
    let done = world.server.url(&format!("/federation/auth/logout/done?state={}", forwarded(&world)["state"]));
    for _ in 0..2 {
        let page = browser.open(&done);
        assert_eq!(page.status(), 200, "{}", page.url);
        assert!(page.text().contains("href=\"https://rp.example.com/bye?state=s%261\""), "{}", page.text());
    }
    world.advance(Span::secs(601));
    let page = browser.open(&done);
    assert!(page.text().contains("signed out") && !page.text().contains("bye"), "{}", page.text());
}

#[test]
fn a_provider_may_post_and_may_report_an_error() {
    let world = World::new();
    world.idp.set(|script| script.logout = Answer::Fixed(200, "text/html", "asks whether".to_owned()));
    let away = || {
        let mut browser = world.server.browser();
        let tokens = world.sign_in(&mut browser);
        leave(&world, &mut browser, &tokens);
        (browser, forwarded(&world)["state"].clone())
    };
    let done = world.server.url("/federation/auth/logout/done");
    let (mut browser, state) = away();
    let page = browser.post_from(&world.idp.issuer(), &done, &[("state", &state)]);
    assert_eq!(page.url, format!("{BYE}?state=s%261"));
    let (mut browser, state) = away();
    let page = browser.open(&format!("{done}?state={state}&error=access_denied"));
    assert_eq!(page.status(), 200);
    assert!(page.text().contains(STILL) && page.text().contains("bye?state=s%261"), "{}", page.text());
}

#[test]
fn somebody_signed_in_is_not_told_that_they_are_signed_out() {
    let world = World::new();
    let mut browser = world.server.browser();
    world.sign_in(&mut browser);
    let page = browser.open(&world.server.url("/federation/auth/logout/done?state=made-up"));
    assert!(page.text().contains("signed in") && !page.text().contains("signed out"), "{}", page.text());
    assert!(world.is_signed_in(&browser));
}

#[test]
fn the_files_of_now_decide_whether_it_is_forwarded() {
    let world = World::new();
    let mut browser = world.server.browser();
    let tokens = world.sign_in(&mut browser);
    let forwards = || {
        let config = world.server.running().ports().config.snapshot();
        config.idps.values().any(|idp| idp.forward_logout)
    };
    let local = "kind = \"oidc\"\nlogout = \"local\"";
    world.server.reconfigure("idps/contoso.toml", "kind = \"oidc\"", local, || !forwards());
    assert_eq!(leave(&world, &mut browser, &tokens).url, format!("{BYE}?state=s%261"));
    assert_eq!(world.idp.count("/logout"), 0);
}
