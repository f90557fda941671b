//! What the embedded store promises besides the contract: its expiry and its file.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use vestibule::base::{Clock as _, Span};
use vestibule::state::{self, Kind, LIST_MAX, Record, StateStore, Taken};

use crate::fixture::{MINUTE, ManualClock, SEAL, enlist, entry, listed, name, options, peek, put, record, take};

fn open(file: &Path, clock: &Arc<ManualClock>, seal: &str) -> Arc<dyn StateStore> {
    state::embedded(options(Arc::clone(clock), seal, Some(file.to_owned()))).unwrap()
}

#[tokio::test]
async fn a_record_and_a_residue_live_as_long_as_they_were_given() {
    let clock = ManualClock::new();
    let store = state::embedded(options(Arc::clone(&clock), SEAL, None)).unwrap();
    put(&*store, Kind::Code, "a", "bytes").await;
    put(&*store, Kind::Code, "b", "bytes").await;
    clock.advance(Span::from_ms(MINUTE.ms() - 1));
    assert!(peek(&*store, Kind::Code, "a").await.unwrap().is_some());
    let taken = store.take(name(Kind::Code, "b"), b"residue".to_vec(), Span::hours(1)).await.unwrap();
    assert_eq!(taken, Taken::Once(b"bytes".to_vec()));
    clock.advance(Span::from_ms(1));
    assert_eq!(peek(&*store, Kind::Code, "a").await.unwrap(), None);
    assert_eq!(take(&*store, Kind::Code, "a", "r").await.unwrap(), Taken::Never);
    assert_eq!(take(&*store, Kind::Code, "b", "r").await.unwrap(), Taken::Already(b"residue".to_vec()));
    clock.advance(Span::hours(1));
    assert_eq!(take(&*store, Kind::Code, "b", "r").await.unwrap(), Taken::Never);
    assert!(store.put_new(record(Kind::Code, "b", "again")).await.unwrap());
}

#[tokio::test]
async fn a_swap_gives_a_new_lifetime_and_an_expired_record_is_not_swapped() {
    let clock = ManualClock::new();
    let store = state::embedded(options(Arc::clone(&clock), SEAL, None)).unwrap();
    put(&*store, Kind::Session, "a", "one").await;
    clock.advance(Span::secs(40));
    assert!(store.swap(b"one".to_vec(), record(Kind::Session, "a", "two")).await.unwrap());
    clock.advance(Span::secs(40));
    assert!(peek(&*store, Kind::Session, "a").await.unwrap().is_some());
    clock.advance(Span::secs(20));
    assert!(!store.swap(b"two".to_vec(), record(Kind::Session, "a", "three")).await.unwrap());
}

#[tokio::test]
async fn an_orderly_restart_keeps_records_and_residues_and_drops_what_has_expired() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new folder").join("state");
    let clock = ManualClock::new();
    let store = open(&file, &clock, SEAL);
    put(&*store, Kind::Session, "session", "session bytes").await;
    put(&*store, Kind::Code, "used", "code bytes").await;
    take(&*store, Kind::Code, "used", "residue").await.unwrap();
    put(&*store, Kind::Code, "unused", "other bytes").await;
    let short = Record { lifetime: Span::secs(1), ..record(Kind::Handle, "short", "x") };
    store.put(vec![short]).await.unwrap();
    store.close().await.unwrap();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

    clock.advance(Span::secs(10));
    let store = open(&file, &clock, SEAL);
    assert_eq!(peek(&*store, Kind::Session, "session").await.unwrap().unwrap(), b"session bytes");
    assert_eq!(take(&*store, Kind::Code, "used", "r").await.unwrap(), Taken::Already(b"residue".to_vec()));
    assert_eq!(take(&*store, Kind::Code, "unused", "r").await.unwrap(), Taken::Once(b"other bytes".to_vec()));
    assert_eq!(peek(&*store, Kind::Handle, "short").await.unwrap(), None);
    clock.advance(Span::secs(51));
    assert_eq!(peek(&*store, Kind::Session, "session").await.unwrap(), None, "the lifetime goes on over the restart");
}

#[tokio::test]
async fn a_member_is_listed_as_long_as_it_was_given_and_as_it_was_extended() {
    let clock = ManualClock::new();
    let store = state::embedded(options(Arc::clone(&clock), SEAL, None)).unwrap();
    enlist(&*store, vec![entry("a", "x", MINUTE), entry("a", "y", Span::hours(1))]).await;
    clock.advance(Span::from_ms(MINUTE.ms() - 1));
    assert_eq!(listed(&*store, "a").await, ["x", "y"]);
    enlist(&*store, vec![entry("a", "y", MINUTE)]).await;
    clock.advance(Span::from_ms(1));
    assert_eq!(listed(&*store, "a").await, ["y"]);
    enlist(&*store, vec![entry("a", "x", Span::hours(2))]).await;
    clock.advance(Span::hours(1));
    assert_eq!(listed(&*store, "a").await, ["x"]);
    clock.advance(Span::hours(1));
    assert!(listed(&*store, "a").await.is_empty());
}

#[tokio::test]
async fn an_orderly_restart_keeps_lists_and_drops_members_whose_time_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state");
    let clock = ManualClock::new();
    let store = open(&file, &clock, SEAL);
    let full = (0..LIST_MAX + 5).map(|n| entry("full", &n.to_string(), Span::minutes(10 + i64::try_from(n).unwrap())));
    enlist(&*store, full.collect()).await;
    let before = listed(&*store, "full").await;
    assert_eq!(before.len(), LIST_MAX);
    let entries = vec![entry("a", "x", Span::hours(3)), entry("a", "short", MINUTE), entry("a", "y", Span::hours(1))];
    store.put_listed(vec![record(Kind::Session, "a", "bytes")], entries).await.unwrap();
    enlist(&*store, vec![entry("short", "short", MINUTE)]).await;
    store.close().await.unwrap();

    clock.advance(MINUTE);
    let store = open(&file, &clock, SEAL);
    assert_eq!(listed(&*store, "full").await, before);
    assert_eq!(listed(&*store, "a").await, ["y", "x"]);
    assert!(listed(&*store, "short").await.is_empty());
    clock.advance(Span::hours(1));
    enlist(&*store, vec![entry("a", "x", MINUTE)]).await;
    assert_eq!(listed(&*store, "a").await, ["x"], "the lifetime goes on over the restart");
    clock.advance(Span::hours(1));
    assert_eq!(listed(&*store, "a").await, ["x"], "and isn't shortened after it");
}

/// What a server of version 1 left: its file is read, and has no lists.
#[tokio::test]
async fn a_file_of_version_1_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state");
    let clock = ManualClock::new();
    let now = clock.now().ms();
    let mut plain = vec![1, 7];
    plain.extend_from_slice(b"session");
    plain.extend_from_slice(name(Kind::Session, "a").digest.as_bytes());
    plain.push(1);
    plain.extend_from_slice(&(now + 60_000).to_le_bytes());
    plain.extend_from_slice(&5_u32.to_le_bytes());
    plain.extend_from_slice(b"bytes");
    let settings = options(Arc::clone(&clock), SEAL, None);
    let sealed = settings.seal.seal(settings.dice.as_ref(), "state v1", &plain);
    fs::write(&file, [&[1], &sealed[..]].concat()).unwrap();
    let store = open(&file, &clock, SEAL);
    assert_eq!(peek(&*store, Kind::Session, "a").await.unwrap().unwrap(), b"bytes");
    clock.advance(MINUTE);
    assert_eq!(peek(&*store, Kind::Session, "a").await.unwrap(), None);
}

#[tokio::test]
async fn f16_a_kill_after_a_restart_brings_no_used_code_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state");
    let clock = ManualClock::new();
    let store = open(&file, &clock, SEAL);
    put(&*store, Kind::Code, "code", "bytes").await;
    store.close().await.unwrap();
    assert!(file.exists());

    let store = open(&file, &clock, SEAL);
    assert!(!file.exists(), "the file is gone before anything in it is used");
    assert!(matches!(take(&*store, Kind::Code, "code", "r").await.unwrap(), Taken::Once(_)));
    drop(store); // as a kill: without an orderly end

    let store = open(&file, &clock, SEAL);
    assert_eq!(take(&*store, Kind::Code, "code", "r").await.unwrap(), Taken::Never);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_changes_after_the_close_that_the_file_would_not_know() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state");
    let clock = ManualClock::new();
    let store = open(&file, &clock, SEAL);
    let takers: Vec<_> = (0..400)
        .map(|n| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let token = format!("{n}");
                let written = store.put(vec![record(Kind::Code, &token, "bytes")]).await.is_ok();
                tokio::task::yield_now().await;
                written && matches!(take(&*store, Kind::Code, &token, "r").await, Ok(Taken::Once(_)))
            })
        })
        .collect();
    tokio::task::yield_now().await;
    store.close().await.unwrap();
    let store = open(&file, &clock, SEAL);
    for (n, taker) in takers.into_iter().enumerate() {
        let before = taker.await.unwrap();
        let after = matches!(take(&*store, Kind::Code, &format!("{n}"), "r").await.unwrap(), Taken::Once(_));
        assert!(!(before && after), "code {n} was given twice");
    }
}

#[tokio::test]
async fn a_missing_broken_or_foreign_file_is_an_empty_store() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state");
    let clock = ManualClock::new();
    let store = open(&file, &clock, SEAL);
    put(&*store, Kind::Session, "a", "bytes").await;
    store.close().await.unwrap();
    let whole = fs::read(&file).unwrap();
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    let other = "another seal secret, which is long enough too";
    let cases: [(&str, Vec<u8>, &str); 5] = [
        ("empty", Vec::new(), SEAL),
        ("cut", whole[..whole.len() - 1].to_vec(), SEAL),
        ("flipped", flipped, SEAL),
        ("foreign", whole.clone(), other),
        ("of a later version", [&[3], &whole[1..]].concat(), SEAL),
    ];
    for (what, bytes, seal) in cases {
        fs::write(&file, bytes).unwrap();
        let store = open(&file, &clock, seal);
        assert_eq!(peek(&*store, Kind::Session, "a").await.unwrap(), None, "{what}");
        assert!(!file.exists(), "{what}");
        put(&*store, Kind::Session, "b", "works").await;
        assert!(peek(&*store, Kind::Session, "b").await.unwrap().is_some(), "{what}");
    }
    fs::write(&file, &whole).unwrap();
    assert!(peek(&*open(&file, &clock, SEAL), Kind::Session, "a").await.unwrap().is_some(), "the whole file is read");
}

#[tokio::test]
async fn a_file_that_can_not_be_written_is_a_fault_of_the_close() {
    let folder = tempfile::tempdir().unwrap();
    let in_the_way = folder.path().join("no folder");
    fs::write(&in_the_way, "a file").unwrap();
    let store = open(&in_the_way.join("state"), &ManualClock::new(), SEAL);
    put(&*store, Kind::Session, "a", "bytes").await;
    assert!(store.close().await.is_err());
}

#[tokio::test]
async fn a256_the_file_holds_no_token_no_digest_and_no_plain_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state");
    let store = open(&file, &ManualClock::new(), SEAL);
    let (token, bytes, residue) =
        ("a-token-that-nobody-may-see", "bytes-that-nobody-may-see", "residue-that-nobody-may-see");
    put(&*store, Kind::Session, token, bytes).await;
    put(&*store, Kind::Code, token, bytes).await;
    take(&*store, Kind::Code, token, residue).await.unwrap();
    enlist(&*store, vec![entry(token, bytes, MINUTE)]).await;
    store.close().await.unwrap();
    let dump = fs::read(&file).unwrap();
    let digest = name(Kind::Code, token).digest;
    let base64url = digest.base64url();
    for secret in
        [token.as_bytes(), bytes.as_bytes(), residue.as_bytes(), digest.as_bytes(), base64url.as_bytes(), b"session"]
    {
        assert!(!dump.windows(secret.len()).any(|window| window == secret));
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no other file is left behind");
}
