//! Restores, fail-overs and demotions: what a server can't vouch for is worth nothing (G01).

use std::fs;
use std::net::SocketAddr;

use vestibule::base::Span;
use vestibule::state::{Kind, Taken};

use crate::fault_proxy::{FaultProxy, Way};
use crate::fixture::{MINUTE, enlist, entry, in_time, list, listed, name, peek, put, record, redis_at, take, until};
use crate::redis_server::RedisServer;

fn replicate(replica: &RedisServer, from: SocketAddr) {
    replica.ask(&["REPLICAOF", &from.ip().to_string(), &from.port().to_string()]);
}

fn promote(replica: &RedisServer) {
    replica.ask(&["REPLICAOF", "NO", "ONE"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f04_a_restored_snapshot_gives_no_code_a_second_time_and_keeps_sessions() {
    let mut server = RedisServer::start();
    let store = redis_at(&server.url());
    put(&*store, Kind::Code, "used", "bytes").await;
    put(&*store, Kind::Code, "unused", "bytes").await;
    put(&*store, Kind::Handle, "handle", "bytes").await;
    put(&*store, Kind::Session, "session", "session bytes").await;
    put(&*store, Kind::Code, "used before", "bytes").await;
    take(&*store, Kind::Code, "used before", "residue").await.unwrap();
    store.put_new(record(Kind::Assertion, "jti", "")).await.unwrap();
    server.ask(&["SAVE"]);
    assert!(matches!(take(&*store, Kind::Code, "used", "r").await.unwrap(), Taken::Once(_)));
    server.restart();

    assert_eq!(take(&*store, Kind::Code, "used", "r").await.unwrap(), Taken::Never);
    assert_eq!(take(&*store, Kind::Code, "unused", "r").await.unwrap(), Taken::Never, "nobody knows that it is unused");
    assert_eq!(peek(&*store, Kind::Handle, "handle").await.unwrap(), None);
    assert_eq!(peek(&*store, Kind::Session, "session").await.unwrap().unwrap(), b"session bytes");
    let again = take(&*store, Kind::Code, "used before", "r").await.unwrap();
    assert_eq!(again, Taken::Already(b"residue".to_vec()), "a reuse is still known as one");
    assert!(!store.put_new(record(Kind::Assertion, "jti", "")).await.unwrap(), "a used assertion stays used");
    put(&*store, Kind::Code, "new", "bytes").await;
    assert_eq!(take(&*store, Kind::Code, "new", "r").await.unwrap(), Taken::Once(b"bytes".to_vec()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f04_the_new_epoch_is_known_on_every_connection_before_its_first_answer() {
    let mut server = RedisServer::start();
    let stores: Vec<_> = (0..4).map(|_| redis_at(&server.url())).collect();
    put(&*stores[0], Kind::Code, "code", "bytes").await;
    for store in &stores {
        store.ping().await.unwrap();
    }
    server.ask(&["SAVE"]);
    server.restart();
    stores[3].ping().await.unwrap();
    for store in &stores {
        assert_eq!(peek(&**store, Kind::Code, "code").await.unwrap(), None);
        assert!(!store.swap(b"bytes".to_vec(), record(Kind::Code, "code", "x")).await.unwrap());
    }
    assert_eq!(take(&*stores[1], Kind::Code, "code", "r").await.unwrap(), Taken::Never);
    let fresh = redis_at(&server.url());
    assert_eq!(take(&*fresh, Kind::Code, "code", "r").await.unwrap(), Taken::Never);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f03_a_failover_that_lost_the_taking_of_a_code_gives_it_to_nobody() {
    let mut master = RedisServer::start();
    let replica = RedisServer::start_with(&["--repl-timeout", "60"]);
    let replication = FaultProxy::start(master.address()).await;
    let front = FaultProxy::start(master.address()).await;
    let store = redis_at(&format!("redis://{}", front.address()));
    replicate(&replica, replication.address());
    until("the replica is in step", || async { replica.info("master_link_status") == "up" }).await;

    put(&*store, Kind::Code, "code", "bytes").await;
    put(&*store, Kind::Session, "session", "bytes").await;
    enlist(&*store, vec![entry("list", "member", MINUTE)]).await;
    until("all are replicated", || async { replica.ask(&["DBSIZE"]) == redis::Value::Int(3) }).await;
    replication.hold(Way::Back);
    assert!(matches!(take(&*store, Kind::Code, "code", "r").await.unwrap(), Taken::Once(_)));

    master.kill();
    replication.refuse();
    promote(&replica);
    front.retarget(replica.address());
    let again = in_time(take(&*store, Kind::Code, "code", "r")).await;
    let again = match again {
        Ok(taken) => taken,
        Err(_) => in_time(take(&*store, Kind::Code, "code", "r")).await.unwrap(),
    };
    assert_eq!(again, Taken::Never);
    assert_eq!(peek(&*store, Kind::Session, "session").await.unwrap().unwrap(), b"bytes");
    assert_eq!(listed(&*store, "list").await, ["member"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f05_a_demoted_master_is_a_fault_and_no_write_is_reported_as_done() {
    let server = RedisServer::start();
    let nobody = FaultProxy::start(server.address()).await;
    nobody.refuse();
    let store = redis_at(&server.url());
    put(&*store, Kind::Code, "code", "bytes").await;
    put(&*store, Kind::Session, "session", "bytes").await;
    enlist(&*store, vec![entry("list", "member", MINUTE)]).await;
    replicate(&server, nobody.address());

    assert!(in_time(take(&*store, Kind::Code, "absent", "r")).await.is_err(), "only a master may say never");
    assert!(in_time(take(&*store, Kind::Session, "absent", "r")).await.is_err());
    assert!(in_time(take(&*store, Kind::Code, "code", "r")).await.is_err());
    assert!(in_time(store.put(vec![record(Kind::Code, "new", "bytes")])).await.is_err());
    assert!(in_time(store.put_new(record(Kind::Code, "new", "bytes"))).await.is_err());
    assert!(in_time(store.swap(b"bytes".to_vec(), record(Kind::Session, "session", "x"))).await.is_err());
    assert!(in_time(store.forget(name(Kind::Session, "session"))).await.is_err());
    assert!(in_time(store.ping()).await.is_err());
    assert!(in_time(peek(&*store, Kind::Session, "session")).await.is_err());
    assert!(in_time(store.put_listed(Vec::new(), vec![entry("list", "new", MINUTE)])).await.is_err());
    assert!(in_time(store.list(list("list"))).await.is_err());
    assert!(in_time(store.peek_all(vec![name(Kind::Session, "session")])).await.is_err());

    promote(&server);
    assert_eq!(in_time(peek(&*store, Kind::Session, "session")).await.unwrap().unwrap(), b"bytes");
    assert_eq!(take(&*store, Kind::Code, "code", "r").await.unwrap(), Taken::Never);
    assert_eq!(listed(&*store, "list").await, ["member"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f05_reading_alone_notices_a_demoted_master_too() {
    let server = RedisServer::start();
    let nobody = FaultProxy::start(server.address()).await;
    nobody.refuse();
    let store = redis_at(&server.url());
    put(&*store, Kind::Session, "session", "bytes").await;
    replicate(&server, nobody.address());
    until("peek faults", || async { peek(&*store, Kind::Session, "session").await.is_err() }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f05_listing_alone_notices_a_demoted_master_too() {
    let server = RedisServer::start();
    let nobody = FaultProxy::start(server.address()).await;
    nobody.refuse();
    let stores = [redis_at(&server.url()), redis_at(&server.url())];
    enlist(&*stores[0], vec![entry("list", "member", MINUTE)]).await;
    stores[1].ping().await.unwrap();
    replicate(&server, nobody.address());
    until("list faults", || async { stores[0].list(list("list")).await.is_err() }).await;
    let names = || vec![name(Kind::Session, "a"), name(Kind::Session, "b")];
    until("peek_all faults", || async { stores[1].peek_all(names()).await.is_err() }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f04_lists_survive_a_restart_with_the_data_and_fenced_records_are_peeked_by_nobody() {
    let mut server = RedisServer::start();
    let store = redis_at(&server.url());
    let records = vec![record(Kind::Session, "a", "bytes"), record(Kind::PushedRequest, "a", "bytes")];
    store
        .put_listed(records, vec![entry("list", "kept", MINUTE), entry("list", "kept too", Span::hours(1))])
        .await
        .unwrap();
    let names = || vec![name(Kind::PushedRequest, "a"), name(Kind::Session, "a")];
    assert_eq!(store.peek_all(names()).await.unwrap(), [Some(b"bytes".to_vec()), Some(b"bytes".to_vec())]);
    server.ask(&["SAVE"]);
    enlist(&*store, vec![entry("list", "lost", MINUTE)]).await;
    server.restart();
    assert_eq!(listed(&*store, "list").await, ["kept", "kept too"]);
    assert_eq!(store.peek_all(names()).await.unwrap(), [None, Some(b"bytes".to_vec())]);
}

/// The same process, the same connection, and yet other data: its own old ones, from a replica that
/// had lagged behind.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f05_a_master_that_took_old_data_over_gives_no_code_a_second_time() {
    let server = RedisServer::start();
    let lagging = RedisServer::start_with(&["--repl-timeout", "60"]);
    let replication = FaultProxy::start(server.address()).await;
    let store = redis_at(&server.url());
    replicate(&lagging, replication.address());
    until("the replica is in step", || async { lagging.info("master_link_status") == "up" }).await;
    put(&*store, Kind::Code, "code", "bytes").await;
    until("it is replicated", || async { lagging.ask(&["DBSIZE"]) == redis::Value::Int(1) }).await;
    let run = server.info("run_id");
    replication.hold(Way::Back);
    assert!(matches!(take(&*store, Kind::Code, "code", "r").await.unwrap(), Taken::Once(_)));

    replication.refuse();
    promote(&lagging);
    replicate(&server, lagging.address());
    until("the old data are back", || async { server.info("master_link_status") == "up" }).await;
    promote(&server);
    assert_eq!(server.info("run_id"), run, "the process went on");
    assert_eq!(take(&*store, Kind::Code, "code", "r").await.unwrap(), Taken::Never);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f04_an_old_snapshot_under_a_server_that_runs_on_is_another_history() {
    let mut server = RedisServer::start();
    let store = redis_at(&server.url());
    put(&*store, Kind::Code, "code", "bytes").await;
    server.ask(&["SAVE"]);
    let snapshot = fs::read(server.dump()).unwrap();
    assert!(matches!(take(&*store, Kind::Code, "code", "r").await.unwrap(), Taken::Once(_)));
    server.ask(&["SAVE"]);
    server.kill();
    fs::write(server.dump(), snapshot).unwrap();
    server.restart();
    assert_eq!(take(&*store, Kind::Code, "code", "r").await.unwrap(), Taken::Never);
}
