//! prompt, max_age and id_token_hint: C015–C019, C021.

use vestibule::base::Span;

use crate::support::client::{Client, Tokens};
use crate::world::{World, person};

fn auth_time(tokens: &Tokens) -> i64 {
    tokens.claims["auth_time"].as_i64().expect("auth_time is a number")
}

#[test]
fn c015_prompt_login_signs_in_again_and_auth_time_is_later() {
    let world = World::new();
    let mut browser = world.browser();
    let first = world.sign_in(&mut browser);
    world.server.advance(Span::secs(5));
    let ask = world.ask().with("prompt", "login");
    let again = Client::access().sign_in(&world.server, &mut browser, &ask);
    assert_eq!(world.sent_upstream(), 2);
    let asked = world.idp.last("/authorize").expect("sent there").params();
    assert_eq!(asked.get("prompt").map(String::as_str), Some("login"));
    assert!(auth_time(&again) >= auth_time(&first) + 5, "{} and {}", auth_time(&first), auth_time(&again));
    assert_eq!(first.sub(), again.sub());
}

#[test]
fn c016_prompt_none_without_a_session_is_answered_without_a_page() {
    let world = World::new();
    let mut browser = world.browser();
    assert_eq!(world.ask().with("prompt", "none").run(&mut browser).error(), "login_required");
    assert_eq!(world.sent_upstream(), 0);
    assert!(browser.cookies(&world.server.base).is_empty());
}

#[test]
fn c017_prompt_none_after_a_login_is_answered_silently() {
    let world = World::new();
    let mut browser = world.browser();
    let first = world.sign_in(&mut browser);
    world.server.advance(Span::secs(30));
    let ask = world.ask().with("prompt", "none");
    let silent = Client::access().sign_in(&world.server, &mut browser, &ask);
    assert_eq!((first.sub(), auth_time(&first)), (silent.sub(), auth_time(&silent)));
    assert_eq!(first.claims["sid"], silent.claims["sid"]);
    assert_eq!(world.sent_upstream(), 1);
}

#[test]
fn c018_max_age_1_after_waiting_means_a_new_sign_in() {
    let world = World::new();
    let mut browser = world.browser();
    let first = world.sign_in(&mut browser);
    world.server.advance(Span::secs(3));
    let ask = world.ask().with("max_age", "1");
    let again = Client::access().sign_in(&world.server, &mut browser, &ask);
    assert_eq!(world.sent_upstream(), 2);
    assert!(auth_time(&again) >= auth_time(&first) + 3);
}

#[test]
fn c019_a_large_max_age_is_satisfied_by_the_session() {
    let world = World::new();
    let client = Client::access();
    let mut browser = world.browser();
    let first = client.sign_in(&world.server, &mut browser, &world.ask().with("max_age", "15000"));
    world.server.advance(Span::minutes(10));
    let again = client.sign_in(&world.server, &mut browser, &world.ask().with("max_age", "10000"));
    assert_eq!(auth_time(&first), auth_time(&again));
    assert_eq!(world.sent_upstream(), 1);
}

#[test]
fn c021_an_earlier_id_token_as_hint_succeeds_silently() {
    let world = World::new();
    let mut browser = world.browser();
    let first = world.sign_in(&mut browser);
    world.server.advance(Span::hours(1));
    let ask = world.ask().with("prompt", "none").with("id_token_hint", &first.id_token);
    let silent = Client::access().sign_in(&world.server, &mut browser, &ask);
    assert_eq!(first.sub(), silent.sub());
    assert_eq!(world.sent_upstream(), 1);
}

#[test]
fn c021_an_id_token_of_somebody_else_is_not_answered_from_this_session() {
    let world = World::new();
    let alice = world.sign_in(&mut world.browser());
    world.idp.set(|script| script.person = person("bob"));
    let mut browser = world.browser();
    let bob = world.sign_in(&mut browser);
    assert_ne!(alice.sub(), bob.sub());
    let ask = world.ask().with("id_token_hint", &alice.id_token);
    assert_eq!(ask.clone().with("prompt", "none").run(&mut browser).error(), "login_required");
    // Asked for alice, bob signs in again: not what was asked for.
    assert_eq!(ask.run(&mut browser).error(), "login_required");
    let silent = Client::access().sign_in(&world.server, &mut browser, &world.ask().with("prompt", "none"));
    assert_eq!(silent.sub(), bob.sub(), "his session is untouched");
}
