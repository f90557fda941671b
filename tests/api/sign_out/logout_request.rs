//! Who may end which session, and where that leads.

use serde_json::json;
use vestibule::base::Span;

use crate::support::assertion::{Signer, encode};
use crate::support::browser::{Browser, Page};
use crate::support::client::{Client, peek, userinfo};
use crate::support::http::Request;
use crate::support::server::block_on;
use crate::world::{BOB, SESSION_COOKIE, World, is_guarded};

pub const BYE: &str = "https://rp.example.com/bye";

/// A sign-out here ends here.
pub fn local() -> World {
    World::with(|setup, _| {
        setup.keys("idps/contoso.toml", "logout = \"local\"");
    })
}

pub fn request(world: &World, params: &[(&str, &str)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
    world.server.url(&format!("/acs/openid/logout?{query}"))
}

/// Presses "sign out" on the page that asks.
#[track_caller]
pub fn says_yes(browser: &mut Browser, page: &Page) -> Page {
    is_guarded(page.response());
    browser.submit(page, &page.form_with("handle").press("action", "sign-out"))
}

#[test]
fn a122_an_image_or_a_link_of_another_site_signs_nobody_out() {
    let world = local();
    let mut browser = world.server.browser();
    world.sign_in(&mut browser);
    for params in [&[][..], &[("client_id", "access")], &[("post_logout_redirect_uri", BYE)], &[("id_token_hint", "")]]
    {
        let page = browser.open(&request(&world, params));
        assert_eq!(page.status(), 200);
        page.form_with("handle");
        assert!(world.is_signed_in(&browser), "{params:?}");
    }
    let posted =
        browser.post_from("https://evil.test/", &world.server.url("/acs/openid/logout"), &[("client_id", "access")]);
    posted.form_with("handle");
    assert!(world.is_signed_in(&browser), "a POST without cookies comes back by GET, and then the person is asked");
    says_yes(&mut browser, &posted);
    assert!(!world.is_signed_in(&browser));
}

#[test]
fn a123_hints_that_prove_nothing_lead_nowhere_even_after_a_yes() {
    let forged = |token: &str, kind: &str| match kind {
        "foreign" => {
            let header = jsonwebtoken::decode_header(token).expect("a JWT");
            Signer::generate("k").sign(&json!({"alg": "RS256", "kid": header.kid, "typ": "JWT"}), &peek(token))
        }
        "unsigned" => format!("{}.{}.", encode(&json!({"alg": "none"})), encode(&peek(token))),
        "cut" => token[..token.len() - 4].to_owned(),
        other => other.to_owned(),
    };
    for name in ["foreign", "unsigned", "cut", "no token"] {
        let world = local();
        let mut browser = world.server.browser();
        let tokens = world.sign_in(&mut browser);
        let hint = forged(&tokens.id_token, name);
        let params = [
            ("id_token_hint", hint.as_str()),
            ("client_id", "access"),
            ("post_logout_redirect_uri", BYE),
            ("state", "s"),
        ];
        let page = browser.open(&request(&world, &params));
        assert!(world.is_signed_in(&browser), "{name}");
        let end = says_yes(&mut browser, &page);
        assert_eq!(end.status(), 200, "{name}: {}", end.url);
        assert!(!end.text().contains(BYE), "{name}");
        assert!(!world.is_signed_in(&browser), "{name}");
        let again = browser.open(&request(&world, &params));
        assert_eq!(again.status(), 200, "{name}: with nobody signed in it leads nowhere either");
    }
}

#[test]
fn a123_a_hint_of_another_person_or_session_signs_nobody_out() {
    let world = local();
    let mut elsewhere = world.server.browser();
    let old = world.sign_in(&mut elsewhere);
    world.next_is(&BOB);
    let bob = world.sign_in(&mut world.server.browser());
    world.next_is(&crate::world::ALICE);
    let mut browser = world.server.browser();
    world.sign_in(&mut browser);
    for hint in [&old.id_token, &bob.id_token] {
        let page = browser.open(&request(&world, &[("id_token_hint", hint), ("post_logout_redirect_uri", BYE)]));
        assert!(world.is_signed_in(&browser));
        let end = says_yes(&mut browser.tab(), &page);
        assert_eq!(end.status(), 200);
        assert!(world.is_signed_in(&elsewhere), "her other browser is another session");
        world.sign_in(&mut browser);
    }
}

#[test]
fn a123_a_client_id_that_is_not_the_hints_leads_nowhere() {
    let world = local();
    let mut browser = world.server.browser();
    let tokens = world.sign_in(&mut browser);
    let page = browser.open(&request(
        &world,
        &[("id_token_hint", &tokens.id_token), ("client_id", "second"), ("post_logout_redirect_uri", BYE)],
    ));
    assert!(world.is_signed_in(&browser));
    assert_eq!(says_yes(&mut browser, &page).status(), 200);
}

#[test]
fn a124_an_id_token_that_expired_long_ago_still_says_who_asks() {
    let world = local();
    let mut browser = world.server.browser();
    let tokens = world.sign_in(&mut browser);
    let leave = request(
        &world,
        &[
            ("id_token_hint", &tokens.id_token),
            ("post_logout_redirect_uri", BYE),
            ("state", "s"),
            ("client_id", "access"),
        ],
    );
    world.advance(Span::hours(5));
    assert!(world.is_signed_in(&browser), "its ten minutes are over, the session's are not");
    assert_eq!(browser.open(&leave).url, format!("{BYE}?state=s"));
    assert!(!world.is_signed_in(&browser));
    world.advance(Span::days(365));
    let page = browser.open(&leave);
    assert!(page.answer.as_ref().is_none_or(|answer| answer.status == 200), "no error after a year");
}

#[test]
fn a125_only_a_registered_address_is_gone_to() {
    let addresses = [
        "https://rp.example.com/bye?foo=bar",
        "//evil.example.com",
        "/\\evil.example.com",
        "https://second.example.com/bye",
        "javascript:alert(1)",
        "https://rp.example.com/BYE",
        "https://rp.example.com/cb",
    ];
    let world = World::with(|setup, _| {
        setup.keys("idps/contoso.toml", "logout = \"local\"");
        setup.keys("clients/second.toml", "post_logout_redirect_uris = [\"https://second.example.com/bye\"]");
    });
    for address in addresses {
        let mut browser = world.server.browser();
        let tokens = world.sign_in(&mut browser);
        let params = [("id_token_hint", tokens.id_token.as_str()), ("post_logout_redirect_uri", address)];
        let page = browser.open(&request(&world, &params));
        assert_eq!(page.status(), 200, "{address}");
        assert!(!page.text().contains(address) || address.ends_with("/cb"), "{address}");
        assert!(!world.is_signed_in(&browser), "the hint is good, so it ends: {address}");
    }
}

#[test]
fn a126_state_comes_back_as_it_was_and_is_shown_nowhere() {
    let world = local();
    let mut browser = world.server.browser();
    let tokens = world.sign_in(&mut browser);
    let state = "a\r\nSet-Cookie: x=y\"<script>&=%20+ä";
    let asked = browser.open(&request(&world, &[("client_id", "access"), ("state", state)]));
    assert!(!asked.text().contains("Set-Cookie"));
    let params = [("id_token_hint", tokens.id_token.as_str()), ("post_logout_redirect_uri", BYE), ("state", state)];
    let page = browser.open(&request(&world, &params));
    assert_eq!(page.query()["state"], state);
    assert!(!page.url.contains(['\r', '\n', '<', '"']), "{}", page.url);
    let long = "s".repeat(2049);
    assert_eq!(browser.open(&request(&world, &[("state", &long)])).status(), 400);
    assert_eq!(browser.open(&format!("{}&state=2", request(&world, &[("state", "1")]))).status(), 400);
}

#[test]
fn a127_a_session_that_comes_back_with_an_old_store_is_dead() {
    let world = local();
    let mut browser = world.server.browser();
    let tokens = world.sign_in(&mut browser);
    let cookie = browser.cookies(&world.server.base).into_iter().find(|c| c.name == SESSION_COOKIE).expect("a session");
    let name = vestibule::state::Name::of(vestibule::state::Kind::Session, &cookie.value);
    let state = &world.server.running().ports().state;
    let bytes = crate::support::server::block_on(state.peek(name)).expect("works").expect("it is there");
    browser.open(&request(&world, &[("id_token_hint", &tokens.id_token)]));
    let record = vestibule::state::Record { name, bytes, lifetime: Span::hours(1) };
    crate::support::server::block_on(state.put(vec![record])).expect("works");
    browser.plant(&world.server.base, SESSION_COOKIE, &cookie.value);
    assert!(!world.is_signed_in(&browser));
}

#[test]
fn a127_what_was_issued_just_before_a_sessions_last_moment_stays_dead_after_it() {
    let world = World::with(|setup, _| {
        setup.keys("idps/contoso.toml", "logout = \"local\"");
        setup.table("vestibule.toml", "[session]\nidle = \"1h\"\nabsolute = \"1h\"");
    });
    let mut browser = world.server.browser();
    world.sign_in(&mut browser);
    world.advance(Span::minutes(55));
    let late = world.sign_in(&mut browser);
    assert_eq!(world.upstream_logins().len(), 1, "in the same session");
    world.advance(Span::minutes(1));
    browser.open(&request(&world, &[("id_token_hint", &late.id_token)]));
    assert_eq!(userinfo(&world.server, &late.access).status, 401);
    world.advance(Span::minutes(6));
    block_on(vestibule::jobs::purge::tick(world.server.running().ports()));
    assert_eq!(userinfo(&world.server, &late.access).status, 401, "its ten minutes are not over");
}

#[test]
fn a141_nothing_of_a_sign_out_is_kept_and_back_shows_nobody() {
    let world = local();
    let mut browser = world.server.browser();
    let tokens = world.sign_in(&mut browser);
    let asked = browser.open(&request(&world, &[]));
    is_guarded(asked.response());
    let end = browser.open(&request(&world, &[("id_token_hint", &tokens.id_token)]));
    is_guarded(end.response());
    for path in ["/", "/acs/openid/logout"] {
        let page = browser.open(&world.server.url(path));
        is_guarded(page.response());
        assert!(page.text().contains("signed out") && !page.text().contains("Alice"), "{path}");
    }
    let stale = says_yes(&mut browser, &asked);
    assert_eq!(stale.status(), 200, "the page that asked, by Back: it is done already");
}

#[test]
fn two_tabs_that_sign_out_at_once_both_come_to_an_end() {
    let world = local();
    let mut one = world.server.browser();
    let tokens = world.sign_in(&mut one);
    let mut two = one.tab();
    let leave = request(&world, &[("id_token_hint", &tokens.id_token), ("post_logout_redirect_uri", BYE)]);
    let asked = [("client_id", "access"), ("post_logout_redirect_uri", BYE)];
    let (first, second) = (one.open(&request(&world, &asked)), two.open(&request(&world, &asked)));
    let urls = std::thread::scope(|scope| {
        let a = scope.spawn(|| says_yes(&mut one, &first).url);
        let b = scope.spawn(|| says_yes(&mut two, &second).url);
        [a.join().expect("answered"), b.join().expect("answered")]
    });
    assert_eq!(urls, [BYE, BYE]);
    assert_eq!(one.open(&leave).url, BYE, "a third one, by its hint");
    assert!(!world.is_signed_in(&one));
}

#[test]
fn a_confirmation_is_good_for_the_session_that_it_was_asked_in() {
    let world = local();
    let mut browser = world.server.browser();
    world.sign_in(&mut browser);
    let asked = browser.open(&request(&world, &[]));
    let mut other = world.server.browser();
    world.sign_in(&mut other);
    assert_eq!(says_yes(&mut other, &asked).status(), 403);
    assert!(world.is_signed_in(&other), "another browser's handle ends nothing");
    world.advance(Span::secs(601));
    assert_eq!(says_yes(&mut browser, &asked).status(), 403, "asked more than ten minutes ago");
    assert!(world.is_signed_in(&browser));
}

#[test]
fn staying_stays() {
    let world = local();
    let mut browser = world.server.browser();
    world.sign_in(&mut browser);
    let page = browser.open(&request(&world, &[("client_id", "access"), ("post_logout_redirect_uri", BYE)]));
    let stayed = browser.submit(&page, &page.form_with("handle").press("action", "stay"));
    assert!(stayed.text().contains("signed in"));
    assert!(world.is_signed_in(&browser));
}

#[test]
fn a_cookie_whose_session_is_gone_is_forgotten_and_its_client_gone_back_to() {
    let world = local();
    let mut browser = world.server.browser();
    let tokens = world.sign_in(&mut browser);
    browser.plant(&world.server.base, SESSION_COOKIE, &"A".repeat(43));
    let params = [("id_token_hint", tokens.id_token.as_str()), ("post_logout_redirect_uri", BYE)];
    assert_eq!(browser.open(&request(&world, &params)).url, BYE);
    assert!(browser.cookies(&world.server.base).iter().all(|cookie| cookie.name != SESSION_COOKIE));
}

#[test]
fn somebody_who_may_not_use_the_session_any_more_may_still_end_it() {
    let world = World::with(|setup, _| {
        setup.keys("idps/contoso.toml", "logout = \"local\"");
        setup.keys("clients/second.toml", "frontchannel_logout_uri = \"https://second.example.com/out\"");
    });
    let mut browser = world.server.browser();
    let tokens = world.sign_in(&mut browser);
    let second = Client::second();
    second.sign_in(&world.server, &mut browser, &second.ask(&world.server));
    world.server.deactivate(tokens.sub());
    let page = browser.open(&request(&world, &[("id_token_hint", &tokens.id_token)]));
    assert!(page.text().contains("https://second.example.com/out?iss="), "its clients are told");
}

#[test]
fn a_post_from_the_clients_page_keeps_all_it_brought() {
    let world = local();
    let mut browser = world.server.browser();
    let tokens = world.sign_in(&mut browser);
    let fields = [("id_token_hint", tokens.id_token.as_str()), ("post_logout_redirect_uri", BYE), ("state", "s p")];
    let page = browser.post_from("https://rp.example.com/", &world.server.url("/acs/openid/logout"), &fields);
    assert_eq!(page.query()["state"], "s p");
    assert!(!world.is_signed_in(&browser));
    let put = world.server.send(&Request::new("PUT", &world.server.url("/acs/openid/logout")));
    assert_eq!(put.status, 405);
}
