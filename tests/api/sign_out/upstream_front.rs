//! Front-channel notices: a GET in a frame on a page of the provider's, mostly without our cookie.

use super::upstream_world::{FRONTCHANNEL, SignedIn, is_in, sign_in, sign_in_at};
use crate::support::http::{Request, Response};
use crate::world::{ALICE, BOB, SESSION_COOKIE, World};

fn encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// The notice as it comes in a frame: without any cookie.
#[track_caller]
fn framed(world: &World, query: &str) -> Response {
    let url = world.server.url(&format!("{FRONTCHANNEL}?{query}"));
    let answer = world.server.send(&Request::get(&url).header("Sec-Fetch-Dest", "iframe"));
    is_the_page(&answer);
    answer
}

/// The one page that may be framed: no names, no script, nothing to be kept.
#[track_caller]
fn is_the_page(answer: &Response) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.header("cache-control").is_some_and(|v| v.contains("no-store")), "{answer:?}");
    assert_eq!(answer.header("x-frame-options"), None);
    let csp = answer.header("content-security-policy").expect("a policy");
    assert!(csp.contains("frame-ancestors *"), "{csp}");
    assert!(csp.starts_with("default-src 'none'") && !csp.contains("script-src") && !csp.contains("unsafe"), "{csp}");
    let text = answer.text();
    assert!(text.len() < 2_000 && !text.contains("<script"), "{text}");
    for name in [ALICE.given, ALICE.email, BOB.given, "contoso"] {
        assert!(!text.to_lowercase().contains(&name.to_lowercase()), "{name} in {text}");
    }
}

fn header(world: &World, who: &SignedIn) -> String {
    let cookies = who.browser.cookies(&world.server.base);
    let session = cookies.into_iter().find(|cookie| cookie.name == SESSION_COOKIE).expect("a session");
    format!("{SESSION_COOKIE}={}", session.value)
}

/// The same page by a browser that sends its cookie.
#[track_caller]
fn visited(world: &World, who: &SignedIn, query: &str) -> Response {
    let url = world.server.url(&format!("{FRONTCHANNEL}{query}"));
    let answer = world.server.send(&Request::get(&url).header("Cookie", &header(world, who)));
    is_the_page(&answer);
    answer
}

fn forgets(answer: &Response) -> bool {
    answer.all("set-cookie").any(|cookie| cookie.starts_with(&format!("{SESSION_COOKIE}=;")))
}

#[test]
fn a131_a_named_session_ends_without_a_cookie_and_no_other() {
    let world = World::two_idps();
    let (alice, bob) = (sign_in(&world, &ALICE, "same"), sign_in_at(&world, world.other(), &BOB, "same"));
    let phone = sign_in(&world, &ALICE, "phone");
    let issuer = encode(&world.idp.issuer());
    let answer = framed(&world, &format!("iss={issuer}&sid=same"));
    assert!(!forgets(&answer));
    assert!(!is_in(&world, &alice));
    assert!(is_in(&world, &bob), "the same sid at another provider");
    assert!(is_in(&world, &phone));
}

#[test]
fn a131_without_an_issuer_the_sid_is_enough() {
    let world = World::two_idps();
    let (alice, bob) = (sign_in(&world, &ALICE, "desk"), sign_in_at(&world, world.other(), &BOB, "bobs"));
    framed(&world, "sid=bobs");
    assert!(is_in(&world, &alice) && !is_in(&world, &bob));
    framed(&world, "sid=desk&iss=");
    assert!(!is_in(&world, &alice));
}

#[test]
fn a131_what_is_unknown_is_answered_like_what_is_known_and_ends_nothing() {
    let world = World::two_idps();
    let (alice, bob) = (sign_in(&world, &ALICE, "desk"), sign_in_at(&world, world.other(), &BOB, "bobs"));
    let (one, two) = (encode(&world.idp.issuer()), encode(&world.other().issuer()));
    let mut pages: Vec<String> = [
        String::new(),
        "sid=unknown".to_owned(),
        "sid=".to_owned(),
        format!("iss={one}"),
        format!("iss={one}&sid=unknown"),
        format!("iss={one}&sid=bobs"),
        format!("iss={two}&sid=desk"),
        format!("iss={one}%2F&sid=desk"),
        "iss=https%3A%2F%2Fevil.test&sid=desk".to_owned(),
        "sid=desk&sid=bobs".to_owned(),
        format!("iss={one}&iss={one}&sid=desk"),
        format!("sid={}", ALICE.sub),
        format!("sid={}", "x".repeat(8_000)),
        format!("sub={}", ALICE.sub),
        "sid=%3Cscript%3Ealert(1)%3C%2Fscript%3E".to_owned(),
    ]
    .iter()
    .map(|query| framed(&world, query).text())
    .collect();
    assert!(is_in(&world, &alice) && is_in(&world, &bob));
    pages.push(framed(&world, &format!("iss={one}&sid=desk")).text());
    assert!(!is_in(&world, &alice) && is_in(&world, &bob));
    pages.dedup();
    assert_eq!(pages.len(), 1, "one page for all: {pages:?}");
}

#[test]
fn a131_without_a_sid_only_this_browsers_own_session_of_that_issuer_ends() {
    let world = World::two_idps();
    let (alice, bob) = (sign_in(&world, &ALICE, "desk"), sign_in_at(&world, world.other(), &BOB, "bobs"));
    let phone = sign_in(&world, &ALICE, "phone");
    let (one, two) = (encode(&world.idp.issuer()), encode(&world.other().issuer()));
    assert!(!forgets(&visited(&world, &alice, &format!("?iss={two}"))));
    assert!(!forgets(&visited(&world, &alice, "?iss=https%3A%2F%2Fevil.test")));
    assert!(is_in(&world, &alice) && is_in(&world, &bob) && is_in(&world, &phone));
    assert!(forgets(&visited(&world, &alice, &format!("?iss={one}"))));
    assert!(!is_in(&world, &alice) && is_in(&world, &bob) && is_in(&world, &phone));
    assert!(forgets(&visited(&world, &bob, "")));
    assert!(!is_in(&world, &bob) && is_in(&world, &phone));
}

#[test]
fn a131_the_cookie_goes_only_with_the_session_that_it_opens() {
    let world = World::new();
    let (alice, phone) = (sign_in(&world, &ALICE, "desk"), sign_in(&world, &ALICE, "phone"));
    assert!(!forgets(&visited(&world, &alice, "?sid=phone")));
    assert!(!is_in(&world, &phone) && is_in(&world, &alice));
    assert!(!forgets(&visited(&world, &alice, "?sid=unknown")));
    assert!(is_in(&world, &alice));
    assert!(forgets(&visited(&world, &alice, "?sid=desk")));
    assert!(!is_in(&world, &alice));
}

#[test]
fn a122_a_link_to_the_address_for_frames_signs_nobody_out() {
    let world = World::new();
    let alice = sign_in(&world, &ALICE, "desk");
    let issuer = encode(&world.idp.issuer());
    let followed = |query: &str, dest: &str| {
        let url = world.server.url(&format!("{FRONTCHANNEL}{query}"));
        let request = Request::get(&url).header("Cookie", &header(&world, &alice)).header("Sec-Fetch-Dest", dest);
        world.server.send(&request)
    };
    for query in [String::new(), format!("?iss={issuer}"), "?sid=".to_owned(), "?sid=unknown".to_owned()] {
        let answer = followed(&query, "document");
        is_the_page(&answer);
        assert!(!forgets(&answer) && is_in(&world, &alice), "{query}");
    }
    assert!(forgets(&followed(&format!("?iss={issuer}"), "iframe")));
    assert!(!is_in(&world, &alice));
}

#[test]
fn a131_a_notice_may_be_posted_and_come_twice() {
    let world = World::new();
    let alice = sign_in(&world, &ALICE, "desk");
    let url = world.server.url(FRONTCHANNEL);
    let fields = [("iss", world.idp.issuer()), ("sid", "desk".to_owned())];
    for _ in 0..2 {
        let answer = world.server.send(&Request::form(&url, &fields).header("Origin", &world.idp.issuer()));
        is_the_page(&answer);
        assert!(!is_in(&world, &alice));
    }
}

#[test]
fn a_frame_of_each_client_that_asks_for_one_is_on_the_page() {
    let world = World::with(|setup, _| {
        setup.keys("clients/access.toml", "frontchannel_logout_uri = \"https://rp.example.com/out?x=1\"");
        setup.keys("clients/second.toml", "frontchannel_logout_uri = \"https://second.example.com/out\"");
    });
    let alice = sign_in(&world, &ALICE, "desk");
    let sid = alice.tokens.claims["sid"].as_str().expect("a sid").to_owned();
    let answer = framed(&world, "sid=desk");
    let text = answer.text().replace("&#38;", "&").replace("&amp;", "&");
    let expected = format!("https://rp.example.com/out?x=1&iss={}&sid={sid}", encode(&world.server.issuer));
    assert!(text.contains(&format!("src=\"{expected}\"")), "{expected} in {text}");
    assert_eq!(text.matches("<iframe").count(), 1, "clients of this session only: {text}");
    let csp = answer.header("content-security-policy").expect("a policy");
    assert!(csp.contains("frame-src https://rp.example.com"), "{csp}");
    assert!(!is_in(&world, &alice));
    assert!(!framed(&world, "sid=desk").text().contains("<iframe"), "there is nothing more to tell");
}
