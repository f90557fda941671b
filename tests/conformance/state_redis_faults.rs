//! Redis killed, frozen, slow, full, cut off: a fault in time, never a wrong answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use vestibule::state::{Kind, StateFault, StateStore, Taken};

use crate::fault_proxy::{FaultProxy, Way};
use crate::fixture::{MINUTE, entry, in_time, list, listed, name, peek, put, record, redis_at, take, until};
use crate::redis_server::RedisServer;

async fn every_method_faults(store: &dyn StateStore) {
    let code = |token| record(Kind::Code, token, "bytes");
    let kept = tokio::join!(
        in_time(store.ping()),
        in_time(store.put(vec![code("x")])),
        in_time(store.put_new(code("y"))),
        in_time(peek(store, Kind::Session, "session")),
        in_time(take(store, Kind::Code, "code", "r")),
        in_time(store.swap(b"bytes".to_vec(), code("code"))),
        in_time(store.forget(name(Kind::Code, "code"))),
    );
    let (ping, written, new, found, taken, swapped, forgotten) = kept;
    let of_lists = tokio::join!(
        in_time(store.put_listed(Vec::new(), vec![entry("list", "member", MINUTE)])),
        in_time(store.list(list("list"))),
        in_time(store.peek_all(vec![name(Kind::Session, "session")])),
    );
    let faults = [
        ping.is_err(),
        written.is_err(),
        new.is_err(),
        found.is_err(),
        taken.is_err(),
        swapped.is_err(),
        forgotten.is_err(),
        of_lists.0.is_err(),
        of_lists.1.is_err(),
        of_lists.2.is_err(),
    ];
    assert_eq!(faults, [true; 10]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f01_a_killed_server_is_a_fault_and_its_return_is_noticed_at_the_first_call() {
    let mut server = RedisServer::start();
    let store = redis_at(&server.url());
    let callers: Vec<_> = (0..20)
        .map(|caller| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                for n in 0.. {
                    let token = format!("{caller} {n}");
                    if in_time(store.put(vec![record(Kind::Session, &token, &token)])).await.is_err() {
                        return n;
                    }
                    match in_time(peek(&*store, Kind::Session, &token)).await {
                        Ok(found) => assert_eq!(found, Some(token.into_bytes())),
                        Err(_) => return n,
                    }
                }
                0
            })
        })
        .collect();
    until("the callers are at work", || async { store.round_trips() > 200 }).await;
    server.kill();
    for caller in callers {
        assert!(caller.await.unwrap() > 0);
    }
    every_method_faults(&*store).await;
    for _ in 0..20 {
        assert!(in_time(store.ping()).await.is_err());
    }
    server.restart();
    let begun = Instant::now();
    assert_eq!(take(&*store, Kind::Code, "code", "r").await.unwrap(), Taken::Never);
    assert!(begun.elapsed() < Duration::from_secs(2));
    put(&*store, Kind::Code, "code", "bytes").await;
    assert_eq!(take(&*store, Kind::Code, "code", "r").await.unwrap(), Taken::Once(b"bytes".to_vec()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f01_a_server_that_came_back_between_two_calls_costs_no_fault() {
    let mut server = RedisServer::start();
    let store = redis_at(&server.url());
    for n in 0..5 {
        put(&*store, Kind::Session, "a", "bytes").await;
        server.restart();
        let new = in_time(store.put_new(record(Kind::Session, "a", "new"))).await;
        assert!(new.unwrap_or_else(|fault| panic!("restart {n}: {fault}")), "its memory was lost");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f02_a_frozen_server_is_a_fault_in_time_and_no_late_answer_goes_to_another_call() {
    let server = RedisServer::start();
    let store = redis_at(&server.url());
    for n in 0..200 {
        put(&*store, Kind::Session, &format!("{n}"), format!("bytes of {n}")).await;
    }
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let callers: Vec<_> = (0..50)
        .map(|caller| {
            let (store, stop) = (Arc::clone(&store), Arc::clone(&stop));
            tokio::spawn(async move {
                let (mut right, mut faults) = (0, 0);
                for n in (0..200).cycle().skip(caller * 4) {
                    if stop.load(std::sync::atomic::Ordering::SeqCst) {
                        break;
                    }
                    match in_time(peek(&*store, Kind::Session, &format!("{n}"))).await {
                        Ok(found) => {
                            assert_eq!(found, Some(format!("bytes of {n}").into_bytes()));
                            right += 1;
                        }
                        Err(StateFault(_)) => faults += 1,
                    }
                }
                (right, faults)
            })
        })
        .collect();
    for _ in 0..2 {
        let before = store.round_trips();
        until("the callers are at work", || async { store.round_trips() > before + 500 }).await;
        server.freeze();
        // Answered, and by a fault: nothing else can come while it is frozen.
        every_method_faults(&*store).await;
        server.thaw();
        in_time(store.ping()).await.unwrap();
    }
    stop.store(true, std::sync::atomic::Ordering::SeqCst);
    for caller in callers {
        let (right, faults) = caller.await.unwrap();
        assert!(right > 0 && faults > 0, "{right} right answers, {faults} faults");
    }
}

// One thread, one connection: what is held back holds them all.
#[tokio::test]
async fn f02_a_caller_that_goes_away_leaves_its_answer_to_nobody() {
    let server = RedisServer::start();
    let proxy = FaultProxy::start(server.address()).await;
    let store = redis_at(&format!("redis://{}", proxy.address()));
    for n in 0..300 {
        put(&*store, Kind::Session, &format!("{n}"), format!("bytes of {n}")).await;
    }
    proxy.hold(Way::Back);
    let before = store.round_trips();
    let callers: Vec<_> = (0..300)
        .map(|n| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { (n, peek(&*store, Kind::Session, &format!("{n}")).await) })
        })
        .collect();
    until("all are asked", || async { store.round_trips() == before + 300 }).await;
    for caller in callers.iter().step_by(3) {
        caller.abort();
    }
    proxy.release();
    let mut answered = 0;
    for caller in callers {
        if let Ok((n, found)) = caller.await {
            assert_eq!(found.unwrap(), Some(format!("bytes of {n}").into_bytes()));
            answered += 1;
        }
    }
    assert_eq!(answered, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f07_a_slow_server_is_waited_for_up_to_the_deadline() {
    let server = RedisServer::start();
    let proxy = FaultProxy::start(server.address()).await;
    let store = redis_at(&format!("redis://{}", proxy.address()));
    store.ping().await.unwrap();
    proxy.delay(Duration::from_millis(300));
    let begun = Instant::now();
    put(&*store, Kind::Session, "a", "bytes").await;
    assert!(begun.elapsed() >= Duration::from_millis(600), "there and back");
    proxy.delay(Duration::from_millis(1_500));
    assert!(in_time(store.ping()).await.is_err());
    proxy.delay(Duration::ZERO);
    until("it is quick again", || async { store.ping().await.is_ok() }).await;
    assert_eq!(peek(&*store, Kind::Session, "a").await.unwrap().unwrap(), b"bytes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f07_no_more_than_a_bounded_number_of_calls_waits() {
    let server = RedisServer::start();
    let proxy = FaultProxy::start(server.address()).await;
    let store = redis_at(&format!("redis://{}", proxy.address()));
    store.ping().await.unwrap();
    proxy.hold(Way::Back);
    let begun = Instant::now();
    let calls: Vec<_> = (0..3_000)
        .map(|n| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                assert!(in_time(peek(&*store, Kind::Session, &format!("{n}"))).await.is_err());
                begun.elapsed()
            })
        })
        .collect();
    let mut at_once = 0;
    for call in calls {
        at_once += usize::from(call.await.unwrap() < Duration::from_millis(1_500));
    }
    assert!(at_once >= 3_000 - 1_024, "{at_once} calls were refused at once");
    assert!(at_once < 3_000, "some calls may wait");
    proxy.release();
    in_time(store.ping()).await.unwrap();
    put(&*store, Kind::Session, "a", "bytes").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f08_a_full_server_refuses_new_records_and_still_gives_those_it_has() {
    let server = RedisServer::start();
    let store = redis_at(&server.url());
    put(&*store, Kind::Code, "code", "bytes").await;
    put(&*store, Kind::Session, "session", "bytes").await;
    server.ask(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    server.ask(&["CONFIG", "SET", "maxmemory", "100"]);
    assert!(store.put(vec![record(Kind::Code, "x", "x")]).await.is_err());
    assert!(store.put_new(record(Kind::Code, "x", "x")).await.is_err());
    assert!(store.swap(b"bytes".to_vec(), record(Kind::Session, "session", "x")).await.is_err());
    assert_eq!(peek(&*store, Kind::Session, "session").await.unwrap().unwrap(), b"bytes");
    assert_eq!(take(&*store, Kind::Code, "code", "r").await.unwrap(), Taken::Once(b"bytes".to_vec()));
    assert_eq!(take(&*store, Kind::Code, "code", "r").await.unwrap(), Taken::Never, "no room was left for the residue");
    store.forget(name(Kind::Session, "session")).await.unwrap();
    server.ask(&["CONFIG", "SET", "maxmemory", "0"]);
    put(&*store, Kind::Code, "x", "x").await;
    assert_eq!(peek(&*store, Kind::Code, "x").await.unwrap().unwrap(), b"x");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f09_what_was_flushed_never_was() {
    let server = RedisServer::start();
    let store = redis_at(&server.url());
    put(&*store, Kind::Code, "unused", "bytes").await;
    put(&*store, Kind::Code, "used", "bytes").await;
    put(&*store, Kind::Session, "session", "bytes").await;
    take(&*store, Kind::Code, "used", "r").await.unwrap();
    server.ask(&["FLUSHALL"]);
    assert_eq!(take(&*store, Kind::Code, "unused", "r").await.unwrap(), Taken::Never);
    assert_eq!(take(&*store, Kind::Code, "used", "r").await.unwrap(), Taken::Never);
    assert_eq!(peek(&*store, Kind::Session, "session").await.unwrap(), None);
    assert!(!store.swap(b"bytes".to_vec(), record(Kind::Session, "session", "x")).await.unwrap());
}

/// Every way and every number of bytes after which the connection may break during a take, beginning
/// with the connection's own greeting.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f10_a_connection_cut_anywhere_in_a_take_gives_a_record_at_most_once() {
    let server = RedisServer::start();
    let proxy = FaultProxy::start(server.address()).await;
    let store = redis_at(&format!("redis://{}", proxy.address()));
    let (mut cuts, mut faults, mut repeats) = (0, 0, 0);
    for way in [Way::There, Way::Back] {
        for bytes in 0..350 {
            let token = format!("{way:?} {bytes}");
            put(&*store, Kind::Code, &token, &token).await;
            proxy.cut_after(way, bytes);
            let first = in_time(take(&*store, Kind::Code, &token, "residue")).await;
            cuts += usize::from(!proxy.disarm());
            let second = in_time(take(&*store, Kind::Code, &token, "residue")).await.unwrap();
            let once = Taken::Once(token.into_bytes());
            match first {
                Ok(first) => {
                    assert_eq!(first, once);
                    assert_eq!(second, Taken::Already(b"residue".to_vec()));
                }
                // Whether it was done wasn't known; now it is.
                Err(_) if second == once => faults += 1,
                Err(_) => {
                    assert_eq!(second, Taken::Already(b"residue".to_vec()));
                    repeats += 1;
                }
            }
        }
    }
    assert!(cuts > 200 && faults > 50 && repeats > 50, "{cuts} cuts: {faults} before and {repeats} after it was done");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f10_a_connection_cut_in_a_pipeline_never_reports_what_is_not_there() {
    let server = RedisServer::start();
    let proxy = FaultProxy::start(server.address()).await;
    let store = redis_at(&format!("redis://{}", proxy.address()));
    store.ping().await.unwrap();
    let mut cuts = 0;
    for way in [Way::There, Way::Back] {
        for bytes in (0..1_500).step_by(13) {
            let tokens: Vec<_> = (0..4).map(|n| format!("{way:?} {bytes} {n}")).collect();
            proxy.cut_after(way, bytes);
            let records = tokens.iter().map(|token| record(Kind::Session, token, token)).collect();
            let entries = tokens.iter().map(|token| entry("list", token, MINUTE)).collect();
            let written = in_time(store.put_listed(records, entries)).await;
            cuts += usize::from(!proxy.disarm());
            written.unwrap_or_else(|fault| panic!("writing twice is harmless, so it is tried again: {fault}"));
            let members = listed(&*store, "list").await;
            for token in tokens {
                assert_eq!(members.iter().filter(|member| **member == token).count(), 1);
                assert_eq!(peek(&*store, Kind::Session, &token).await.unwrap(), Some(token.into_bytes()));
            }
        }
    }
    assert!(cuts > 100, "{cuts} cuts");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f10_a_connection_cut_in_a_put_new_or_swap_never_says_yes_twice() {
    let server = RedisServer::start();
    let proxy = FaultProxy::start(server.address()).await;
    let store = redis_at(&format!("redis://{}", proxy.address()));
    store.ping().await.unwrap();
    for way in [Way::There, Way::Back] {
        for bytes in (0..400).step_by(3) {
            let token = format!("{way:?} {bytes}");
            let mut yes = 0;
            proxy.cut_after(way, bytes);
            for _ in 0..2 {
                yes +=
                    usize::from(matches!(in_time(store.put_new(record(Kind::Assertion, &token, "a"))).await, Ok(true)));
            }
            proxy.disarm();
            assert!(yes <= 1, "put_new said yes {yes} times");
            assert!(!store.put_new(record(Kind::Assertion, &token, "b")).await.unwrap(), "now it surely is there");
            put(&*store, Kind::Session, &token, "a").await;
            proxy.cut_after(way, bytes);
            let mut yes = 0;
            for _ in 0..2 {
                let swapped = in_time(store.swap(b"a".to_vec(), record(Kind::Session, &token, "b"))).await;
                yes += usize::from(matches!(swapped, Ok(true)));
            }
            proxy.disarm();
            assert!(yes <= 1, "swap said yes {yes} times");
            assert!(!store.swap(b"a".to_vec(), record(Kind::Session, &token, "c")).await.unwrap());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f10_an_unreachable_server_is_a_fault_and_comes_back() {
    let server = RedisServer::start();
    let proxy = FaultProxy::start(server.address()).await;
    let store = redis_at(&format!("redis://{}", proxy.address()));
    put(&*store, Kind::Session, "a", "bytes").await;
    proxy.refuse();
    every_method_faults(&*store).await;
    proxy.accept_again();
    assert_eq!(in_time(peek(&*store, Kind::Session, "a")).await.unwrap().unwrap(), b"bytes");
}
