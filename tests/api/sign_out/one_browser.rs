//! Sessions of one browser: several people over time, several tabs at once, and what of it another browser can use.

use std::collections::BTreeSet;

use serde_json::json;
use vestibule::base::Span;
use vestibule::directory::Activity;
use vestibule::identity::UserId;

use super::upstream_world::{is_heard, notify, of_sid};
use crate::support::browser::Browser;
use crate::support::client::{Ask, Client, Tokens, userinfo};
use crate::support::evil_idp::EvilIdp;
use crate::support::server::{Setup, block_on};
use crate::world::{ALICE, BOB, SESSION_COOKIE, World};

/// Both confidential clients are to be told of sign-outs, and get refresh tokens bound to the session.
fn told(setup: &mut Setup, _: &EvilIdp) {
    for client in ["access", "second"] {
        let file = format!("clients/{client}.toml");
        setup.keys(&file, &format!("backchannel_logout_uri = \"https://{client}.example.com/out\""));
        setup.table(&file, "[tokens]\nrefresh_without_offline = true");
    }
}

/// How many notices wait for each client.
fn waiting(world: &World) -> Vec<(String, u64)> {
    let notices = &world.server.running().ports().directory.notices;
    let waiting = block_on(notices.waiting()).expect("the database works");
    let mut waiting: Vec<_> = waiting.into_iter().map(|w| (w.client.0, w.count)).collect();
    waiting.sort();
    waiting
}

fn session(world: &World, browser: &Browser) -> String {
    let cookies = browser.cookies(&world.server.base);
    cookies.into_iter().find(|cookie| cookie.name == SESSION_COOKIE).expect("a session cookie").value
}

#[track_caller]
fn is_dead(world: &World, client: &Client, tokens: &Tokens) {
    assert_eq!(userinfo(&world.server, &tokens.access).status, 401);
    assert_eq!(client.refresh(&world.server, tokens.refresh()).error(), "invalid_grant");
}

/// The tokens still are that person's, and that person's alone.
#[track_caller]
fn is_of(world: &World, tokens: &Tokens, email: &str) {
    let told = userinfo(&world.server, &tokens.access);
    assert_eq!((told.status, told.json()["email"].as_str()), (200, Some(email)), "{}", told.text());
    assert_eq!(tokens.claims["email"], email);
}

#[test]
fn a054_whoever_signs_in_after_another_in_one_browser_ends_the_others_session() {
    for prompt in ["login", "select_account"] {
        let world = World::with(told);
        let (access, second) = (Client::access(), Client::second());
        let mut browser = world.server.browser();
        let alice = world.sign_in(&mut browser);
        let alices = second.sign_in(&world.server, &mut browser, &second.ask(&world.server));
        let (ask, unused) = (access.ask(&world.server), session(&world, &browser));
        let code = ask.run(&mut browser).code();
        assert_eq!(waiting(&world), []);

        world.next_is(&BOB);
        let again = access.ask(&world.server).with("prompt", prompt);
        let bob = access.sign_in(&world.server, &mut browser, &again);
        assert_eq!(world.upstream_logins()[1].get("prompt").map(String::as_str), Some(prompt));
        assert_ne!(alice.sub(), bob.sub());
        assert_ne!(alice.claims["sid"], bob.claims["sid"]);
        assert_ne!(session(&world, &browser), unused);
        is_of(&world, &bob, BOB.email);
        is_dead(&world, &access, &alice);
        is_dead(&world, &second, &alices);
        assert_eq!(access.redeem(&world.server, &ask, &code).error(), "invalid_grant", "a code of hers");
        assert_eq!(waiting(&world), [("access".to_owned(), 1), ("second".to_owned(), 1)], "her clients are told");

        let silent = second.ask(&world.server).with("prompt", "none");
        let bobs = second.sign_in(&world.server, &mut browser, &silent);
        assert_eq!((bobs.sub(), &bobs.claims["sid"]), (bob.sub(), &bob.claims["sid"]));

        world.next_is(&ALICE);
        let back = access.sign_in(&world.server, &mut browser, &again);
        assert_eq!(back.sub(), alice.sub());
        assert_ne!(back.claims["sid"], alice.claims["sid"], "her old session is not taken up again");
        is_of(&world, &back, ALICE.email);
        is_dead(&world, &access, &bob);
        is_dead(&world, &second, &bobs);
        is_dead(&world, &access, &alice);
    }
}

#[test]
fn the_same_person_again_goes_on_with_the_session_and_nobody_is_told() {
    let world = World::with(told);
    let client = Client::access();
    let mut browser = world.server.browser();
    let first = world.sign_in(&mut browser);
    let old = session(&world, &browser);
    world.advance(Span::minutes(2));
    let again = client.sign_in(&world.server, &mut browser, &client.ask(&world.server).with("prompt", "login"));
    assert_eq!(again.claims["sid"], first.claims["sid"]);
    assert_ne!(session(&world, &browser), old, "under a new cookie");
    is_of(&world, &first, ALICE.email);
    assert_eq!(waiting(&world), []);
    let thief = world.server.browser();
    thief.plant(&world.server.base, SESSION_COOKIE, &old);
    assert!(!world.is_signed_in(&thief), "the old one opens nothing");
}

#[test]
fn a_sid_is_one_in_all_id_tokens_of_a_session_and_another_in_every_other() {
    let world = World::with(told);
    let (access, second) = (Client::access(), Client::second());
    let mut sids = BTreeSet::new();
    for _ in 0..3 {
        let mut browser = world.server.browser();
        let first = world.sign_in(&mut browser);
        let beside = second.sign_in(&world.server, &mut browser, &second.ask(&world.server));
        let offline = world.sign_in_for_long(&access, &mut browser);
        let sid = first.claims["sid"].as_str().expect("a sid").to_owned();
        for tokens in [&first, &offline] {
            let next = access.refresh(&world.server, tokens.refresh());
            let next = Tokens::verified(&world.server, &access, None, &next);
            assert_eq!(next.claims["sid"], sid.as_str(), "refreshed");
        }
        for tokens in [&beside, &offline] {
            assert_eq!(tokens.claims["sid"], sid.as_str());
        }
        assert!(!session(&world, &browser).contains(&sid) && sids.insert(sid), "no two sessions, and no cookie");
    }
}

#[test]
fn a053_a_cookie_value_that_was_there_before_is_never_kept() {
    let world = World::new();
    let planted = "Z".repeat(43);
    let mut browser = world.server.browser();
    browser.plant(&world.server.base, SESSION_COOKIE, &planted);
    world.sign_in(&mut browser);
    assert_ne!(session(&world, &browser), planted);
    let attacker = world.server.browser();
    attacker.plant(&world.server.base, SESSION_COOKIE, &planted);
    assert!(!world.is_signed_in(&attacker));
    assert!(world.is_signed_in(&browser));
}

#[test]
fn a053_an_attackers_session_planted_before_the_login_ends_with_it() {
    let world = World::new();
    let mut attacker = world.server.browser();
    let bob = {
        world.next_is(&BOB);
        world.sign_in(&mut attacker)
    };
    let mut victim = world.server.browser();
    victim.plant(&world.server.base, SESSION_COOKIE, &session(&world, &attacker));
    world.next_is(&ALICE);
    let client = Client::access();
    let alice = client.sign_in(&world.server, &mut victim, &client.ask(&world.server).with("prompt", "login"));
    assert_ne!(alice.claims["sid"], bob.claims["sid"]);
    assert!(!world.is_signed_in(&attacker), "it is no way to her session");
    assert_eq!(userinfo(&world.server, &bob.access).status, 401);
    is_of(&world, &alice, ALICE.email);
}

#[test]
fn a140_a_session_from_before_a_deactivation_stays_dead_when_the_person_comes_back() {
    let world = World::new();
    let mut browser = world.server.browser();
    let alice = world.sign_in(&mut browser);
    world.advance(Span::secs(1));
    world.server.deactivate(alice.sub());
    let users = &world.server.running().ports().directory.users;
    let id = UserId(alice.sub().to_owned());
    assert!(block_on(users.set_active(&id, Activity::Active, world.now())).expect("the database works"));
    assert!(!world.is_signed_in(&browser));
    assert_eq!(userinfo(&world.server, &alice.access).status, 401);
    world.advance(Span::secs(1));
    let back = world.sign_in(&mut browser);
    assert_eq!(back.sub(), alice.sub());
    assert_ne!(back.claims["sid"], alice.claims["sid"]);
}

/// Lets both tabs do their last step at the same time; gives the code of each.
fn at_once(first: (&mut Browser, &Ask, &str), second: (&mut Browser, &Ask, &str)) -> [String; 2] {
    let barrier = std::sync::Barrier::new(2);
    let finish = |(tab, ask, url): (&mut Browser, &Ask, &str)| {
        barrier.wait();
        ask.answer(&tab.open(url)).code()
    };
    std::thread::scope(|scope| {
        let (one, two) = (scope.spawn(|| finish(first)), scope.spawn(|| finish(second)));
        [one, two].map(|tab| tab.join().expect("a code"))
    })
}

/// A session that has served nobody yet.
fn by_the_page_of_links(world: &World) -> Browser {
    let mut browser = world.server.browser();
    let path = format!("/federation/auth/initiate?iss={}", encode(&world.idp.issuer()));
    browser.open(&world.server.url(&path));
    browser
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tabs {
    /// Both are answered from the session that is there.
    Answered,
    /// Both come back from sign-ins that a session was there before.
    SignedInAgain,
    /// Both come back from sign-ins in a fresh browser: they may be two sessions then, of which the browser keeps one.
    SignedIn,
}

#[test]
fn a051_clients_that_are_served_at_once_are_all_reached_by_a_sign_out() {
    let world = World::with(told);
    world.idp.set(|script| script.person.insert("sid".to_owned(), json!("desk")).map_or((), drop));
    let (access, second) = (Client::access(), Client::second());
    let kinds = [Tabs::Answered, Tabs::SignedInAgain, Tabs::SignedIn];
    for (tabs, round) in kinds.into_iter().cycle().zip(1..=12) {
        let browser = if tabs == Tabs::SignedIn { world.server.browser() } else { by_the_page_of_links(&world) };
        let (mut one, mut two) = (browser.tab(), browser.tab());
        let (mut ask, mut ask_two) = (access.ask(&world.server), second.ask(&world.server));
        if tabs == Tabs::SignedInAgain {
            (ask, ask_two) = (ask.with("prompt", "login"), ask_two.with("prompt", "login"));
        }
        let (url, url_two) = match tabs {
            Tabs::Answered => (ask.url(), ask_two.url()),
            _ => (world.at_the_callback(&mut one, &ask), world.at_the_callback(&mut two, &ask_two)),
        };
        let [code, code_two] = at_once((&mut one, &ask, &url), (&mut two, &ask_two, &url_two));
        let tokens = Tokens::verified(&world.server, &access, Some(&ask), &access.redeem(&world.server, &ask, &code));
        let answer = second.redeem(&world.server, &ask_two, &code_two);
        let tokens_two = Tokens::verified(&world.server, &second, Some(&ask_two), &answer);
        if tabs == Tabs::Answered {
            assert_eq!(tokens.claims["sid"], tokens_two.claims["sid"], "one session");
        }
        is_heard(&notify(&world.server, &world.idp.logout_token(of_sid("desk"))));
        assert_eq!(waiting(&world), [("access".to_owned(), round), ("second".to_owned(), round)], "{tabs:?}");
        is_dead(&world, &access, &tokens);
        is_dead(&world, &second, &tokens_two);
        assert!(!world.is_signed_in(&browser), "{tabs:?}");
    }
}

fn encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[test]
fn a022_a_page_about_another_account_is_of_no_use_to_another_browser() {
    let world = World::new();
    world.next_is(&BOB);
    let ask = Client::access().ask(&world.server).hint(ALICE.email);
    let mut browser = world.server.browser();
    let page = browser.open(&ask.url());
    assert_eq!(page.status(), 403, "{}", page.text());
    let form = page.form_with("handle");
    let mut thief = world.server.browser();
    let mut neighbour = world.server.browser();
    world.sign_in(&mut neighbour);
    let before = world.upstream_logins().len();
    for action in ["retry", "cancel"] {
        for other in [&mut thief, &mut neighbour] {
            world.is_page(&other.submit(&page, &form.clone().press("action", action)), 400);
        }
    }
    assert_eq!(world.upstream_logins().len(), before);
    assert!(!world.is_signed_in(&thief) && world.is_signed_in(&neighbour));
    let cancelled = browser.submit(&page, &form.press("action", "cancel"));
    assert_eq!(ask.answer(&cancelled).error(), "access_denied", "to its own browser it still belongs");
}

#[test]
fn a188_a_sign_out_that_one_browser_was_asked_about_signs_no_other_out() {
    let world = World::new();
    let (mut alices, mut bobs) = (world.server.browser(), world.server.browser());
    world.sign_in(&mut alices);
    world.next_is(&BOB);
    world.sign_in(&mut bobs);
    let asked = alices.open(&world.server.url("/acs/openid/logout"));
    let form = asked.form_with("handle").press("action", "sign-out");
    bobs.submit(&asked, &form);
    assert!(world.is_signed_in(&bobs) && world.is_signed_in(&alices));
    world.server.browser().submit(&asked, &form);
    assert!(world.is_signed_in(&bobs) && world.is_signed_in(&alices));
}
