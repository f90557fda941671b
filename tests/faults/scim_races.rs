//! Provisioning services and logins at once, at two servers with one database and one Redis: G03, A222.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use super::nodes::{beside_with, on_redis_with};
use crate::support::client::{Client, userinfo};
use crate::support::invariants;
use crate::support::redis::RedisServer;
use crate::support::scim::{Scim, id};
use crate::support::server::{Server, Setup};
use crate::world::{OFFLINE, World, assert_page, assert_refused};

fn two() -> (World, Server, RedisServer) {
    let provisioned = |setup: &mut Setup| {
        setup.provisioned();
    };
    let redis = RedisServer::start();
    let one = on_redis_with(&redis, provisioned);
    let other = beside_with(&one, &redis, provisioned);
    (one, other, redis)
}

/// The same service at the other server.
fn at<'s>(scim: &Scim<'_>, server: &'s Server) -> Scim<'s> {
    Scim { server, token: scim.token.clone(), credential: scim.credential.clone() }
}

#[track_caller]
fn is_sound(world: &World) {
    let path = world.server.folder().join("data/vestibule.db");
    let db = rusqlite::Connection::open(path).expect("the database");
    invariants::hold(&invariants::of_sqlite(&db));
}

fn switch(scim: &Scim<'_>, user: &str, active: Value) {
    let operations = json!([{ "op": "Replace", "path": "active", "value": active }]);
    assert_eq!(scim.patch(&format!("/Users/{user}"), &operations).status, 200);
}

#[test]
fn g03_who_is_switched_off_by_scim_at_one_server_is_out_at_the_other_from_the_answer_on_and_nothing_comes_back() {
    let (one, other, _redis) = two();
    let (here, client) = (Scim::new(&one.server), Client::access());
    let there = at(&here, &other);
    let user = here.user("alice@contoso.co.uk", "alice-at-idp");
    for (round, off) in [json!(false), json!("False")].into_iter().enumerate() {
        let mut browser = one.browser();
        let ask = one.ask().with("scope", OFFLINE);
        let tokens = client.sign_in(&one.server, &mut browser, &ask);
        let (code_ask, code) = one.code();
        let mut late = one.browser();
        let callback = one.at_callback(&mut late, &one.ask());
        let (switched_at, asked_at) = if round == 0 { (&there, &one.server) } else { (&here, &other) };
        switch(switched_at, id(&user), off);
        let refused = |server: &Server| {
            assert_eq!(userinfo(server, &tokens.access).status, 401);
            assert_eq!(client.introspect(server, &tokens.access).json(), json!({ "active": false }));
            assert_refused(&client.refresh(server, tokens.refresh()), "invalid_grant");
            assert_refused(&client.redeem(server, &code_ask, &code), "invalid_grant");
        };
        refused(asked_at);
        assert_page(&late.open(&callback), 403);
        assert!(!one.is_signed_in(&browser));
        one.server.clock.advance(vestibule::base::Span::secs(1));
        switch(switched_at, id(&user), json!(true));
        refused(&one.server);
        refused(&other);
        assert!(!one.is_signed_in(&browser), "what was issued before stays void");
    }
    is_sound(&one);
}

#[test]
fn a222_many_writers_at_two_servers_leave_every_count_index_and_place_in_the_feed_right() {
    let (one, other, _redis) = two();
    let here = Scim::new(&one.server);
    let there = at(&here, &other);
    let groups: Vec<String> = (0..3).map(|n| id(&here.group(&format!("Group {n}"), &[])).to_owned()).collect();
    let done = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for writer in 0..6_usize {
            let (scim, groups, done) = (if writer % 2 == 0 { &here } else { &there }, &groups, &done);
            scope.spawn(move || {
                for round in 0..25_usize {
                    let number = (writer * 7 + round * 3) % 11;
                    for status in turn(scim, groups, (writer + round, number)) {
                        assert!((200..300).contains(&status) || [404, 409, 412].contains(&status), "{status}");
                        done.fetch_add(u64::from(status < 300), Ordering::SeqCst);
                    }
                }
            });
        }
    });
    assert!(done.into_inner() > 200);
    is_sound(&one);
    let listed = here.get("/Users?count=0").json();
    assert_eq!(listed["totalResults"], there.get("/Users?filter=userName pr").json()["totalResults"]);
}

/// One writer's turn: everybody wants the same few names.
fn turn(scim: &Scim<'_>, groups: &[String], (kind, number): (usize, usize)) -> Vec<u16> {
    let name = format!("p{number}@contoso.co.uk");
    let made = scim.post("/Users", &crate::support::scim::person(&name, &format!("x{number}")));
    let mut statuses = vec![made.status];
    let found = scim.found("Users", &format!("userName eq \"{name}\""));
    let Some(user) = found.first().map(|user| id(user).to_owned()) else { return statuses };
    let (path, group) = (format!("/Users/{user}"), format!("/Groups/{}", groups[kind % groups.len()]));
    let members = |op: &str, who: &[&str]| {
        let value: Vec<Value> = who.iter().map(|id| json!({ "value": id })).collect();
        json!([{ "op": op, "path": "members", "value": value }])
    };
    statuses.push(scim.patch(&group, &members("add", &[&user, &groups[number % groups.len()], "nobody"])).status);
    statuses.push(match kind % 6 {
        0 => scim.delete(&path).status,
        1 => scim.patch(&path, &json!([{ "op": "replace", "path": "active", "value": false }])).status,
        2 => scim.patch(&path, &json!([{ "op": "replace", "path": "userName", "value": format!("q{name}") }])).status,
        3 => scim.patch(&group, &members("remove", &[&user])).status,
        4 => scim.patch(&group, &members("replace", &[&user])).status,
        _ => scim.put(&path, &crate::support::scim::person(&name, &format!("y{number}"))).status,
    });
    statuses
}
