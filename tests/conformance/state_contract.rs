//! Every sentence of the contract, for every implementation.

use std::collections::BTreeSet;
use std::sync::Arc;

use vestibule::state::{Kind, StateStore, Taken};

use crate::fixture::{MINUTE, entry, list, name, peek, put, record, take};

/// Each function is one test on the embedded store and one on a Redis server of its own.
macro_rules! on_every_store {
    ($($test:ident)*) => {
        mod on_embedded {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $test() {
                super::$test(crate::fixture::embedded()).await;
            })*
        }
        mod on_redis {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $test() {
                let server = crate::redis_server::RedisServer::start();
                super::$test(crate::fixture::redis_at(&server.url())).await;
            })*
        }
    };
}
pub(crate) use on_every_store;

on_every_store! {
    put_writes_all_records_and_replaces_what_stood_there
    put_replaces_a_residue
    put_new_writes_once
    put_new_refuses_where_a_residue_stands
    of_many_who_put_new_one_did
    peek_leaves_the_record
    take_gives_the_record_once_and_then_the_residue_of_its_taker
    a_record_that_never_was_is_never
    a030_of_300_takers_exactly_one_gets_the_record
    a033_a_token_of_one_kind_opens_no_other_kind
    swap_replaces_what_is_expected_only
    of_many_who_swap_one_did
    swap_makes_no_record_where_none_is
    a_swapper_and_a_taker_never_both_win
    forget_removes_record_and_residue
    bytes_come_back_as_they_went
    a_closed_store_answers_with_faults
}

async fn put_writes_all_records_and_replaces_what_stood_there(store: Arc<dyn StateStore>) {
    put(&*store, Kind::Session, "a", "old").await;
    let records = vec![
        record(Kind::Session, "a", "new"),
        record(Kind::Session, "b", "b"),
        record(Kind::Code, "c", "c"),
        record(Kind::AccessToken, "d", "d"),
    ];
    store.put(records).await.unwrap();
    assert_eq!(peek(&*store, Kind::Session, "a").await.unwrap().unwrap(), b"new");
    assert_eq!(peek(&*store, Kind::Session, "b").await.unwrap().unwrap(), b"b");
    assert_eq!(peek(&*store, Kind::Code, "c").await.unwrap().unwrap(), b"c");
    assert_eq!(peek(&*store, Kind::AccessToken, "d").await.unwrap().unwrap(), b"d");
    store.put(Vec::new()).await.unwrap();
}

async fn put_replaces_a_residue(store: Arc<dyn StateStore>) {
    put(&*store, Kind::Code, "a", "first").await;
    take(&*store, Kind::Code, "a", "residue").await.unwrap();
    put(&*store, Kind::Code, "a", "second").await;
    assert_eq!(peek(&*store, Kind::Code, "a").await.unwrap().unwrap(), b"second");
    assert_eq!(take(&*store, Kind::Code, "a", "r").await.unwrap(), Taken::Once(b"second".to_vec()));
}

async fn put_new_writes_once(store: Arc<dyn StateStore>) {
    assert!(store.put_new(record(Kind::Assertion, "a", "first")).await.unwrap());
    assert!(!store.put_new(record(Kind::Assertion, "a", "second")).await.unwrap());
    assert_eq!(peek(&*store, Kind::Assertion, "a").await.unwrap().unwrap(), b"first");
}

async fn put_new_refuses_where_a_residue_stands(store: Arc<dyn StateStore>) {
    put(&*store, Kind::Code, "a", "first").await;
    take(&*store, Kind::Code, "a", "residue").await.unwrap();
    assert!(!store.put_new(record(Kind::Code, "a", "second")).await.unwrap());
    assert_eq!(take(&*store, Kind::Code, "a", "r").await.unwrap(), Taken::Already(b"residue".to_vec()));
    store.forget(name(Kind::Code, "a")).await.unwrap();
    assert!(store.put_new(record(Kind::Code, "a", "third")).await.unwrap());
}

async fn of_many_who_put_new_one_did(store: Arc<dyn StateStore>) {
    let tasks: Vec<_> = (0..100)
        .map(|n| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { (n, store.put_new(record(Kind::Assertion, "a", format!("{n}"))).await.unwrap()) })
        })
        .collect();
    let mut winners = Vec::new();
    for task in tasks {
        let (n, did) = task.await.unwrap();
        winners.extend(did.then_some(n));
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(peek(&*store, Kind::Assertion, "a").await.unwrap().unwrap(), winners[0].to_string().as_bytes());
}

async fn peek_leaves_the_record(store: Arc<dyn StateStore>) {
    assert_eq!(peek(&*store, Kind::Session, "a").await.unwrap(), None);
    put(&*store, Kind::Session, "a", "bytes").await;
    for _ in 0..3 {
        assert_eq!(peek(&*store, Kind::Session, "a").await.unwrap().unwrap(), b"bytes");
    }
    take(&*store, Kind::Session, "a", "residue").await.unwrap();
    assert_eq!(peek(&*store, Kind::Session, "a").await.unwrap(), None, "a taken one is not there any more");
}

async fn take_gives_the_record_once_and_then_the_residue_of_its_taker(store: Arc<dyn StateStore>) {
    for kind in Kind::ALL {
        put(&*store, kind, "a", "bytes").await;
        assert_eq!(take(&*store, kind, "a", "first").await.unwrap(), Taken::Once(b"bytes".to_vec()));
        assert_eq!(take(&*store, kind, "a", "second").await.unwrap(), Taken::Already(b"first".to_vec()));
        assert_eq!(take(&*store, kind, "a", "third").await.unwrap(), Taken::Already(b"first".to_vec()));
    }
}

async fn a_record_that_never_was_is_never(store: Arc<dyn StateStore>) {
    for kind in Kind::ALL {
        assert_eq!(take(&*store, kind, "a", "residue").await.unwrap(), Taken::Never);
        assert_eq!(take(&*store, kind, "a", "residue").await.unwrap(), Taken::Never, "and leaves no residue");
        assert!(store.put_new(record(kind, "a", "bytes")).await.unwrap());
    }
}

async fn a030_of_300_takers_exactly_one_gets_the_record(store: Arc<dyn StateStore>) {
    for round in 0..5 {
        let token = format!("{round}");
        put(&*store, Kind::Code, &token, "bytes").await;
        let start = Arc::new(tokio::sync::Barrier::new(300));
        let tasks: Vec<_> = (0..300)
            .map(|n| {
                let (store, start, token) = (Arc::clone(&store), Arc::clone(&start), token.clone());
                tokio::spawn(async move {
                    start.wait().await;
                    (n, take(&*store, Kind::Code, &token, &format!("residue {n}")).await.unwrap())
                })
            })
            .collect();
        let mut winners = Vec::new();
        let mut residues = BTreeSet::new();
        for task in tasks {
            match task.await.unwrap() {
                (n, Taken::Once(bytes)) => {
                    assert_eq!(bytes, b"bytes");
                    winners.push(n);
                }
                (_, Taken::Already(residue)) => {
                    residues.insert(residue);
                }
                (_, Taken::Never) => panic!("a taken record is never Never while its residue lives"),
            }
        }
        assert_eq!(winners.len(), 1);
        assert_eq!(residues, BTreeSet::from([format!("residue {}", winners[0]).into_bytes()]));
    }
}

async fn a033_a_token_of_one_kind_opens_no_other_kind(store: Arc<dyn StateStore>) {
    for kind in Kind::ALL {
        put(&*store, kind, "same token", kind.as_str()).await;
    }
    for kind in Kind::ALL {
        let once = Taken::Once(kind.as_str().as_bytes().to_vec());
        assert_eq!(take(&*store, kind, "same token", kind.as_str()).await.unwrap(), once);
    }
    for kind in Kind::ALL {
        put(&*store, kind, "one kind only", "bytes").await;
        for other in Kind::ALL.into_iter().filter(|other| *other != kind) {
            assert_eq!(peek(&*store, other, "one kind only").await.unwrap(), None);
            assert_eq!(take(&*store, other, "one kind only", "r").await.unwrap(), Taken::Never);
            assert!(!store.swap(b"bytes".to_vec(), record(other, "one kind only", "x")).await.unwrap());
            store.forget(name(other, "one kind only")).await.unwrap();
        }
        assert_eq!(peek(&*store, kind, "one kind only").await.unwrap().unwrap(), b"bytes");
        store.forget(name(kind, "one kind only")).await.unwrap();
    }
}

async fn swap_replaces_what_is_expected_only(store: Arc<dyn StateStore>) {
    for kind in Kind::ALL {
        put(&*store, kind, "a", "one").await;
        assert!(!store.swap(b"onf".to_vec(), record(kind, "a", "two")).await.unwrap());
        assert!(!store.swap(b"".to_vec(), record(kind, "a", "two")).await.unwrap());
        assert_eq!(peek(&*store, kind, "a").await.unwrap().unwrap(), b"one");
        assert!(store.swap(b"one".to_vec(), record(kind, "a", "two")).await.unwrap());
        assert_eq!(peek(&*store, kind, "a").await.unwrap().unwrap(), b"two");
        assert!(!store.swap(b"one".to_vec(), record(kind, "a", "three")).await.unwrap());
        assert!(store.swap(b"two".to_vec(), record(kind, "a", "one")).await.unwrap());
    }
}

async fn of_many_who_swap_one_did(store: Arc<dyn StateStore>) {
    put(&*store, Kind::Session, "a", "start").await;
    let tasks: Vec<_> = (0..100)
        .map(|n| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let new = record(Kind::Session, "a", format!("{n}"));
                (n, store.swap(b"start".to_vec(), new).await.unwrap())
            })
        })
        .collect();
    let mut winners = Vec::new();
    for task in tasks {
        let (n, did) = task.await.unwrap();
        winners.extend(did.then_some(n));
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(peek(&*store, Kind::Session, "a").await.unwrap().unwrap(), winners[0].to_string().as_bytes());
}

async fn swap_makes_no_record_where_none_is(store: Arc<dyn StateStore>) {
    assert!(!store.swap(b"".to_vec(), record(Kind::Session, "a", "new")).await.unwrap());
    assert_eq!(peek(&*store, Kind::Session, "a").await.unwrap(), None);
    put(&*store, Kind::Session, "a", "bytes").await;
    store.take(name(Kind::Session, "a"), b"bytes".to_vec(), MINUTE).await.unwrap();
    let swapped = store.swap(b"bytes".to_vec(), record(Kind::Session, "a", "new")).await.unwrap();
    assert!(!swapped, "a residue is no record, whatever its bytes");
    assert_eq!(take(&*store, Kind::Session, "a", "r").await.unwrap(), Taken::Already(b"bytes".to_vec()));
}

async fn a_swapper_and_a_taker_never_both_win(store: Arc<dyn StateStore>) {
    for round in 0..50 {
        let token = format!("{round}");
        put(&*store, Kind::PausedLogin, &token, "old").await;
        let swapper = {
            let (store, token) = (Arc::clone(&store), token.clone());
            tokio::spawn(
                async move { store.swap(b"old".to_vec(), record(Kind::PausedLogin, &token, "new")).await.unwrap() },
            )
        };
        let taken = take(&*store, Kind::PausedLogin, &token, "r").await.unwrap();
        let expected: &[u8] = if swapper.await.unwrap() { b"new" } else { b"old" };
        assert_eq!(taken, Taken::Once(expected.to_vec()), "what is taken is what stood there last");
    }
}

async fn forget_removes_record_and_residue(store: Arc<dyn StateStore>) {
    store.forget(name(Kind::Code, "none")).await.unwrap();
    put(&*store, Kind::Code, "a", "bytes").await;
    store.forget(name(Kind::Code, "a")).await.unwrap();
    assert_eq!(take(&*store, Kind::Code, "a", "r").await.unwrap(), Taken::Never);
    put(&*store, Kind::Code, "a", "bytes").await;
    take(&*store, Kind::Code, "a", "r").await.unwrap();
    store.forget(name(Kind::Code, "a")).await.unwrap();
    assert_eq!(take(&*store, Kind::Code, "a", "r").await.unwrap(), Taken::Never);
}

async fn bytes_come_back_as_they_went(store: Arc<dyn StateStore>) {
    store.ping().await.unwrap();
    let every_byte: Vec<u8> = (0..=255).collect();
    for (n, bytes) in [Vec::new(), b"\r\n$-1\r\n\0".to_vec(), every_byte, vec![7; 256 * 1024]].into_iter().enumerate() {
        let token = format!("{n}");
        put(&*store, Kind::Handle, &token, &bytes).await;
        assert_eq!(peek(&*store, Kind::Handle, &token).await.unwrap(), Some(bytes.clone()));
        let taken = store.take(name(Kind::Handle, &token), bytes.clone(), MINUTE).await.unwrap();
        assert_eq!(taken, Taken::Once(bytes.clone()));
        assert_eq!(take(&*store, Kind::Handle, &token, "r").await.unwrap(), Taken::Already(bytes));
    }
}

async fn a_closed_store_answers_with_faults(store: Arc<dyn StateStore>) {
    put(&*store, Kind::Code, "a", "bytes").await;
    store.close().await.unwrap();
    store.close().await.unwrap();
    assert!(store.ping().await.is_err());
    assert!(peek(&*store, Kind::Code, "a").await.is_err());
    assert!(take(&*store, Kind::Code, "a", "r").await.is_err());
    assert!(store.put(vec![record(Kind::Code, "b", "b")]).await.is_err());
    assert!(store.put_new(record(Kind::Code, "c", "c")).await.is_err());
    assert!(store.swap(b"bytes".to_vec(), record(Kind::Code, "a", "x")).await.is_err());
    assert!(store.forget(name(Kind::Code, "a")).await.is_err());
    assert!(store.put_listed(Vec::new(), vec![entry("list", "a", MINUTE)]).await.is_err());
    assert!(store.list(list("list")).await.is_err());
    assert!(store.peek_all(vec![name(Kind::Code, "a")]).await.is_err());
}
