//! Clients are told of a sign-out though a server dies, and once though there are two.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::nodes::{beside_with, on_redis_with};
use super::restart::Process;
use crate::support::client::query;
use crate::support::evil_client::{EvilClient, Says, Told};
use crate::support::redis::RedisServer;
use crate::support::server::{block_on, wait_until};

const ADDRESS: &str = "/logout";

fn told_at(clients: &EvilClient) -> String {
    format!("backchannel_logout_uri = \"{}\"", clients.url(ADDRESS))
}

fn sids(told: &[Told]) -> BTreeSet<String> {
    told.iter().map(|told| told.claim("sid")).collect()
}

#[test]
fn a133_killed_between_sign_out_and_notices_they_still_arrive() {
    let clients = EvilClient::start();
    clients.says(ADDRESS, [Says::Hang]);
    let mut process = Process::with(|setup| {
        setup.keys("clients/access.toml", &told_at(&clients));
    });
    let mut ended = BTreeSet::new();
    for _ in 0..3 {
        let mut browser = process.browser();
        let code = query(&browser.open(&process.ask.url()).url)["code"].clone();
        let answer = process.redeem(&code).json();
        let id_token = answer["id_token"].as_str().expect("an ID token");
        ended.insert(crate::support::client::peek(id_token)["sid"].as_str().expect("a sid").to_owned());
        browser.open(&format!("{}/acs/openid/logout?id_token_hint={id_token}", process.base));
    }
    // The first is on its way, and hangs; the others wait.
    clients.wait_for(ADDRESS, 1);
    process.kill_and_start();
    clients.says(ADDRESS, [Says::Status(200)]);
    let killed = Instant::now();
    while sids(&clients.told(ADDRESS)[1..]) != ended {
        assert!(killed.elapsed() < Duration::from_secs(20), "{} of 3 arrived", clients.told(ADDRESS).len() - 1);
        std::thread::park_timeout(Duration::from_millis(50));
    }
    assert_eq!(clients.told(ADDRESS).len(), 4, "each once more");
}

#[test]
fn two_servers_on_one_database_deliver_each_notice_once() {
    let (redis, clients) = (RedisServer::start(), EvilClient::start());
    clients.says(ADDRESS, [Says::Late(Duration::from_millis(5), 200)]);
    let one = on_redis_with(&redis, |setup| {
        setup.keys("clients/access.toml", &told_at(&clients));
    });
    let other = beside_with(&one, &redis, |setup| {
        setup.keys("clients/access.toml", &told_at(&clients));
    });
    let notice = |nth: usize| vestibule::directory::Notice {
        id: format!("notice-{nth}"),
        client: vestibule::oidc::ClientId("access".to_owned()),
        user: vestibule::identity::UserId("somebody".to_owned()),
        sid: Some(format!("session-{nth}")),
        created: one.server.now(),
        attempts: 0,
    };
    let [here, there] = [&one.server, &other].map(|server| server.running().ports());
    block_on(here.directory.notices.queue((0..1_000).map(notice).collect())).expect("the database works");
    here.notices_wait.notify_one();
    there.notices_wait.notify_one();
    let heard = |server: &crate::support::server::Server| {
        server.metric("vestibule_logout_notices_total{client=\"access\",outcome=\"heard\"}")
    };
    wait_until("all are heard", || heard(&one.server) + heard(&other) >= 1_000.0);
    wait_until("nothing waits", || block_on(here.directory.notices.waiting()).is_ok_and(|waiting| waiting.is_empty()));
    let told = clients.told(ADDRESS);
    assert_eq!((told.len(), sids(&told).len()), (1_000, 1_000));
    assert!(heard(&one.server) > 0.0 && heard(&other) > 0.0, "both took their share");
}

#[test]
fn a133_while_nothing_can_be_written_the_queue_is_tried_each_second_and_then_delivered() {
    let clients = EvilClient::start();
    let process = Process::with(|setup| {
        setup.keys("clients/access.toml", &told_at(&clients));
    });
    let mut browser = process.browser();
    let code = query(&browser.open(&process.ask.url()).url)["code"].clone();
    let answer = process.redeem(&code).json();
    let id_token = answer["id_token"].as_str().expect("an ID token").to_owned();
    // Sign-outs can be written down, and no notice can be taken in hand: a disk as it fills up.
    let database = rusqlite::Connection::open(process.database()).expect("the database");
    let full = "CREATE TRIGGER full BEFORE UPDATE ON notices BEGIN SELECT RAISE(ABORT, 'full'); END";
    database.execute_batch(full).expect("a trigger");
    let begun = Instant::now();
    browser.open(&format!("{}/acs/openid/logout?id_token_hint={id_token}", process.base));
    wait_until("it has tried four times", || process.logged("the queue can't be read or written") >= 4);
    assert!(begun.elapsed() > Duration::from_secs(2), "four tries within {:?}", begun.elapsed());
    assert!(clients.is_untouched());
    database.execute_batch("DROP TRIGGER full").expect("no trigger");
    clients.wait_for(ADDRESS, 1);
}

#[test]
fn f01_a_deactivation_while_redis_is_down_holds_at_once_and_clients_hear_of_it_later() {
    let (mut redis, clients) = (RedisServer::start(), EvilClient::start());
    let world = on_redis_with(&redis, |setup| {
        setup.keys("clients/access.toml", &told_at(&clients));
    });
    let mut browser = world.browser();
    let alice = world.sign_in(&mut browser);
    redis.ask(&["SAVE"]);
    redis.kill();
    world.server.deactivate(alice.sub());
    // More than a look at the queue: it is leased meanwhile, and handed out again.
    let ports = world.server.running().ports();
    block_on(vestibule::jobs::leavings::tick(ports));
    assert!(clients.is_untouched());
    redis.restart();
    wait_until("Redis is back", || block_on(ports.state.ping()).is_ok());
    world.server.advance(vestibule::base::Span::secs(21));
    let told = clients.wait_for(ADDRESS, 1);
    assert_eq!(told[0].claim("sid"), alice.claims["sid"].as_str().expect("a sid"));
    assert!(!world.is_signed_in(&browser));
}
