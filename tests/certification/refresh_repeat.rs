//! The refresh tolerance: ten seconds for a lost answer, and what ends it. A099, A101.

use vestibule::base::{Digest, Span};
use vestibule::token::refresh_token::RefreshToken;

use crate::support::client::{Client, Proof, Tokens};
use crate::support::http::Response;
use crate::support::server::block_on;
use crate::world::{OFFLINE, World, assert_refused};

/// A pair that a refresh issued.
#[track_caller]
fn pair(world: &World, client: &Client, answer: &Response) -> Tokens {
    assert_eq!(answer.status, 200, "{}", answer.text());
    Tokens::verified(&world.server, client, None, answer)
}

#[track_caller]
fn turn(world: &World, token: &str) -> Tokens {
    let client = Client::access();
    pair(world, &client, &client.refresh(&world.server, token))
}

#[track_caller]
fn refused(world: &World, token: &str) {
    assert_refused(&Client::access().refresh(&world.server, token), "invalid_grant");
}

#[test]
fn a101_a_lost_answer_may_be_asked_for_again_and_the_unused_pair_is_void() {
    let world = World::new();
    let first = world.offline();
    let lost = turn(&world, first.refresh());
    world.server.advance(Span::secs(9));
    let kept = turn(&world, first.refresh());
    assert_ne!(lost.refresh(), kept.refresh());
    world.assert_dead(&lost.access);
    world.assert_alive(&kept.access);
    // The branch goes on.
    let next = turn(&world, kept.refresh());
    world.assert_alive(&next.access);
}

#[test]
fn a101_presenting_the_voided_token_is_reuse_and_ends_the_family() {
    let world = World::new();
    let first = world.offline();
    let lost = turn(&world, first.refresh());
    let kept = turn(&world, first.refresh());
    refused(&world, lost.refresh());
    world.assert_dead(&kept.access);
    refused(&world, kept.refresh());
    refused(&world, first.refresh());
}

#[test]
fn a101_the_window_is_ten_seconds_and_not_a_millisecond_more() {
    let world = World::new();
    let (one, other) = (world.offline(), world.offline());
    let lost = turn(&world, one.refresh());
    let successor = turn(&world, other.refresh());
    world.server.advance(Span::secs(10));
    let kept = turn(&world, one.refresh());
    assert_ne!(kept.refresh(), lost.refresh());
    world.server.advance(Span::from_ms(1));
    refused(&world, other.refresh());
    refused(&world, successor.refresh());
    world.assert_dead(&successor.access);
    world.assert_alive(&kept.access);
}

#[test]
fn a101_a_repeat_does_not_stretch_the_window() {
    let world = World::new();
    let first = world.offline();
    turn(&world, first.refresh());
    world.server.advance(Span::secs(8));
    let kept = turn(&world, first.refresh());
    world.server.advance(Span::secs(3));
    refused(&world, first.refresh());
    world.assert_dead(&kept.access);
}

#[test]
fn a101_once_the_new_refresh_token_was_presented_the_old_one_is_reuse() {
    let world = World::new();
    let first = world.offline();
    let second = turn(&world, first.refresh());
    let third = turn(&world, second.refresh());
    refused(&world, first.refresh());
    refused(&world, third.refresh());
    world.assert_dead(&third.access);
}

#[test]
fn a101_once_the_new_access_token_was_used_the_old_refresh_token_is_reuse() {
    let world = World::new();
    let first = world.offline();
    let second = turn(&world, first.refresh());
    world.assert_alive(&second.access);
    refused(&world, first.refresh());
    world.assert_dead(&second.access);
    refused(&world, second.refresh());
}

#[test]
fn a101_using_the_older_access_token_does_not_end_the_tolerance() {
    let world = World::new();
    let first = world.offline();
    turn(&world, first.refresh());
    world.assert_alive(&first.access);
    turn(&world, first.refresh());
}

#[test]
fn a101_a_repeated_answer_that_was_lost_too_may_be_asked_for_again() {
    let world = World::new();
    let first = world.offline();
    let mut lost = vec![turn(&world, first.refresh())];
    for _ in 0..20 {
        world.server.advance(Span::from_ms(200));
        lost.push(turn(&world, first.refresh()));
    }
    // The twenty-first repeat is refused, but it is no theft: who has the last pair goes on.
    refused(&world, first.refresh());
    let last = lost.pop().expect("the last pair");
    for pair in &lost {
        world.assert_dead(&pair.access);
    }
    let next = turn(&world, last.refresh());
    world.assert_alive(&next.access);
}

#[test]
fn a101_public_clients_have_no_tolerance() {
    let file = "name = \"Native\"\npublic = true\nredirect_uris = [\"https://spa.example.com/cb\"]\n\
                grant_types = [\"authorization_code\", \"refresh_token\"]\n\
                scopes = [\"openid\", \"profile\", \"email\", \"offline_access\"]\n";
    let world = World::with(|setup| {
        setup.file("clients/native.toml", file);
    });
    let client = Client::new("native", Proof::Public, "https://spa.example.com/cb");
    let first = world.offline_of(&client);
    let second = pair(&world, &client, &client.refresh(&world.server, first.refresh()));
    assert_refused(&client.refresh(&world.server, first.refresh()), "invalid_grant");
    assert_refused(&client.refresh(&world.server, second.refresh()), "invalid_grant");
    world.assert_dead(&second.access);
}

#[test]
fn a101_signed_access_tokens_are_void_after_a_repeat_too() {
    let world = World::with(|setup| {
        setup.keys("clients/access.toml", "access_token = \"jwt\"");
    });
    let first = world.offline();
    let lost = turn(&world, first.refresh());
    assert_eq!(lost.access.split('.').count(), 3);
    let kept = turn(&world, first.refresh());
    world.assert_dead(&lost.access);
    world.assert_alive(&kept.access);
}

#[test]
fn a101_a_refused_repeat_turns_nothing() {
    let world = World::new();
    let first = world.offline();
    let second = turn(&world, first.refresh());
    let client = Client::access();
    let widened = [("grant_type", "refresh_token"), ("refresh_token", first.refresh()), ("scope", "openid user")];
    assert_refused(&client.token(&world.server, &widened), "invalid_scope");
    // The pair that was issued before is still good.
    world.assert_alive(&second.access);
    turn(&world, second.refresh());
}

#[test]
fn a099_one_token_in_a_hundred_requests_at_once_leaves_one_live_branch() {
    let world = World::new();
    let client = Client::access();
    let first = client.sign_in(&world.server, &mut world.browser(), &world.ask().with("scope", OFFLINE));
    let answers: Vec<Response> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..100).map(|_| scope.spawn(|| client.refresh(&world.server, first.refresh()))).collect();
        all.into_iter().map(|one| one.join().expect("answered")).collect()
    });
    let mut pairs = Vec::new();
    for answer in &answers {
        match answer.status {
            200 => pairs.push(Tokens::verified(&world.server, &client, None, answer)),
            503 => {
                assert_eq!(answer.error(), "temporarily_unavailable");
                assert!(answer.header("retry-after").is_some_and(|after| after.parse::<u32>().is_ok()));
            }
            _ => assert_refused(answer, "invalid_grant"),
        }
    }
    assert!((1..=21).contains(&pairs.len()), "one turn and twenty repeats at most: {}", pairs.len());
    let family = RefreshToken::parse(first.refresh()).expect("ours").family();
    let families = &world.server.running().ports().directory.families;
    let kept = block_on(families.family(&family)).expect("the database works").expect("the family lives");
    let (live, void): (Vec<&Tokens>, Vec<&Tokens>) =
        pairs.iter().partition(|pair| Digest::of(pair.refresh()) == kept.current);
    assert_eq!(live.len(), 1, "one branch is live");
    for pair in &void {
        world.assert_dead(&pair.access);
    }
    let next = turn(&world, live[0].refresh());
    world.assert_alive(&next.access);
    if let Some(void) = void.first() {
        refused(&world, void.refresh());
        refused(&world, next.refresh());
    }
}
