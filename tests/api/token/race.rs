//! Many at once: one wins.

use crate::support::client::{Client, Tokens, userinfo};
use crate::support::redis::RedisServer as Redis;
use crate::world::World;

/// Twenty redeemers of one code, round after round: exactly one is paid, and then loses it all to the reuse.
fn twenty_redeemers(world: &World) {
    let client = Client::access();
    for _ in 0..10 {
        let (ask, code) = world.fresh_code(&client);
        let answers: Vec<_> = std::thread::scope(|scope| {
            let callers: Vec<_> = (0..20).map(|_| scope.spawn(|| client.redeem(&world.server, &ask, &code))).collect();
            callers.into_iter().map(|caller| caller.join().expect("a caller")).collect()
        });
        let paid: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
        assert_eq!(paid.len(), 1, "exactly one");
        assert!(answers.iter().all(|answer| answer.status == 200 || answer.error() == "invalid_grant"));
        let tokens = paid[0].json();
        let access = tokens["access_token"].as_str().expect("a token");
        assert_eq!(userinfo(&world.server, access).status, 401, "nineteen reuses ended what it gave");
    }
}

#[test]
fn a030_twenty_redeemers_of_one_code_see_one_winner_in_the_embedded_store() {
    twenty_redeemers(&World::new());
}

#[test]
fn a030_twenty_redeemers_of_one_code_see_one_winner_in_redis() {
    let redis = Redis::start();
    twenty_redeemers(&World::with(|setup, _| {
        setup.edit("vestibule.toml", "embedded:", &redis.url());
    }));
}

#[test]
fn a099_twenty_refreshes_at_once_leave_one_live_branch() {
    let world = World::new();
    let client = Client::access();
    let tokens = world.sign_in_for_long(&client, &mut world.server.browser());
    let answers: Vec<_> = std::thread::scope(|scope| {
        let callers: Vec<_> =
            (0..20).map(|_| scope.spawn(|| client.refresh(&world.server, tokens.refresh()))).collect();
        callers.into_iter().map(|caller| caller.join().expect("a caller")).collect()
    });
    // Who finds the family in other hands again and again is asked to come back: no harm, and never "invalid".
    assert!(answers.iter().all(|a| matches!(a.status, 200 | 503) || a.error() == "invalid_grant"), "{answers:?}");
    let branches: Vec<Tokens> = answers
        .iter()
        .filter(|answer| answer.status == 200)
        .map(|answer| Tokens::verified(&world.server, &client, None, answer))
        .collect();
    assert!(!branches.is_empty());
    let live = branches.iter().filter(|branch| userinfo(&world.server, &branch.access).status == 200).count();
    assert_eq!(live, 1, "of {} pairs one is in force", branches.len());
}
