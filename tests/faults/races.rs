//! One thing by many at once: A030, A099, G01, G02.

use vestibule::base::Digest;
use vestibule::token::refresh_token::RefreshToken;

use super::nodes::{at_once, beside, on_redis};
use crate::support::client::{Client, Tokens, userinfo};
use crate::support::http::Response;
use crate::support::redis::RedisServer;
use crate::support::server::{Server, block_on};
use crate::world::{World, assert_refused};

/// Twenty redeemers of one code, spread over these servers.
fn redeemers(world: &World, servers: &[&Server]) {
    for _ in 0..3 {
        let client = Client::access();
        let (ask, code) = world.code();
        let answers = at_once(20, |nth| client.redeem(servers[nth % servers.len()], &ask, &code));
        let (won, lost): (Vec<&Response>, Vec<&Response>) = answers.iter().partition(|answer| answer.status == 200);
        assert!(won.len() <= 1, "g01: {} times paid", won.len());
        lost.iter().for_each(|answer| assert_refused(answer, "invalid_grant"));
        // Used twice, it is stolen: what it paid is worth nothing anywhere. The winner may have been told so at once.
        for answer in &won {
            let json = answer.json();
            for server in servers {
                assert_eq!(userinfo(server, json["access_token"].as_str().expect("a token")).status, 401);
                let refresh = json["refresh_token"].as_str().expect("a token");
                assert_refused(&client.refresh(server, refresh), "invalid_grant");
            }
        }
        for server in servers {
            assert_refused(&client.redeem(server, &ask, &code), "invalid_grant");
        }
    }
}

#[test]
fn a030_of_twenty_redeemers_of_one_code_one_wins_and_its_tokens_are_dead() {
    let world = World::new();
    redeemers(&world, &[&world.server]);
}

#[test]
fn a030_of_twenty_redeemers_at_redis_one_wins_and_its_tokens_are_dead() {
    let redis = RedisServer::start();
    let world = on_redis(&redis);
    redeemers(&world, &[&world.server]);
}

#[test]
fn a030_of_twenty_redeemers_at_two_servers_one_wins_and_its_tokens_are_dead() {
    let redis = RedisServer::start();
    let world = on_redis(&redis);
    let other = beside(&world, &redis);
    redeemers(&world, &[&world.server, &other]);
}

/// A hundred refreshes with one token, spread over these servers: one live branch is left.
fn refreshers(world: &World, servers: &[&Server]) {
    let client = Client::access();
    let first = world.offline();
    let answers = at_once(100, |nth| client.refresh(servers[nth % servers.len()], first.refresh()));
    let mut pairs = Vec::new();
    for answer in &answers {
        match answer.status {
            200 => pairs.push(Tokens::verified(&world.server, &client, None, answer)),
            503 => assert_eq!(answer.error(), "temporarily_unavailable", "{}", answer.text()),
            _ => assert_refused(answer, "invalid_grant"),
        }
    }
    assert!((1..=21).contains(&pairs.len()), "one turn and twenty repeats at most: {}", pairs.len());
    let families = &world.server.running().ports().directory.families;
    let family = RefreshToken::parse(first.refresh()).expect("ours").family();
    let kept = block_on(families.family(&family)).expect("the database works").expect("it lives");
    let (live, void): (Vec<&Tokens>, Vec<&Tokens>) =
        pairs.iter().partition(|pair| Digest::of(pair.refresh()) == kept.current);
    assert_eq!(live.len(), 1, "g02: one branch is live");
    void.iter().for_each(|pair| world.assert_dead(&pair.access));
    let told: Vec<u16> = servers.iter().map(|server| userinfo(server, &live[0].access).status).collect();
    assert!(told.iter().all(|status| *status == told[0]), "every server says the same: {told:?}");
    let answer = client.refresh(&world.server, live[0].refresh());
    let next = Tokens::verified(&world.server, &client, None, &answer);
    world.assert_alive(&next.access);
    if let Some(void) = void.first() {
        assert_refused(&client.refresh(servers[servers.len() - 1], void.refresh()), "invalid_grant");
        world.assert_dead(&next.access);
    }
}

#[test]
fn g02_a_hundred_refreshes_at_once_over_redis_leave_one_live_branch() {
    let redis = RedisServer::start();
    let world = on_redis(&redis);
    refreshers(&world, &[&world.server]);
}

#[test]
fn g02_a_hundred_refreshes_at_two_servers_leave_one_live_branch() {
    let redis = RedisServer::start();
    let world = on_redis(&redis);
    let other = beside(&world, &redis);
    refreshers(&world, &[&world.server, &other]);
}
