//! What groups and lists cost on SQLite as they grow. Run by hand, and best as a release build:
//! `cargo test --release --test conformance_directory crowd_speed -- --ignored --nocapture`

use std::time::{Duration, Instant};

use serde_json::json;
use vestibule::directory::roster::{Listing, Place};
use vestibule::directory::{Database, SqliteOptions, sqlite};
use vestibule::identity::group::MemberDelta;
use vestibule::scim::filter::Operator;

use super::crowd::{RULES, act, group, listing, somebody, turn};
use super::lists::compare;

const USERS: u64 = 300_000;
const ROUNDS: u32 = 200;

fn name(number: u64) -> String {
    format!("u{number:07}")
}

async fn grow(db: &Database, from: u64, to: u64) {
    for start in (from..to).step_by(20_000) {
        let some = (start..to.min(start + 20_000)).map(|number| somebody(&name(number))).collect();
        db.roster.create_all(some, act(1_000)).await.unwrap();
    }
}

/// One member in, one out.
async fn one_member(db: &Database, group: &str, seed: u64) -> Duration {
    let start = Instant::now();
    for round in 0..u64::from(ROUNDS) {
        let who = vec![name(USERS - 1 - seed - round)];
        assert_eq!(turn(db, group, vec![MemberDelta::Add(who.clone())], 2_000).await.added, 1);
        assert_eq!(turn(db, group, vec![MemberDelta::Remove(who)], 2_000).await.removed, 1);
    }
    start.elapsed() / (2 * ROUNDS)
}

async fn equality(db: &Database, below: u64) -> Duration {
    let start = Instant::now();
    for round in 0..u64::from(ROUNDS) {
        let who = format!("{}@contoso.com", name(round * 7_919 % below));
        let filter = Some(compare("userName", Operator::Eq, &who));
        assert_eq!(db.lists.users(&Listing { filter, ..listing() }).await.unwrap().total, 1);
    }
    start.elapsed() / ROUNDS
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn speed_of_groups_and_lists() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let db = sqlite(&folder.path().join("v.db"), SqliteOptions::default()).unwrap();
    grow(&db, 0, 1_000).await;
    println!("equality at 1,000 users: {:?}", equality(&db, 1_000).await);
    let start = Instant::now();
    grow(&db, 1_000, USERS).await;
    println!("{USERS} users: {:?}", start.elapsed());
    println!("equality at {USERS} users: {:?}", equality(&db, USERS).await);
    for size in [10, 100_000] {
        let new = group(&format!("g{size}"), json!({ "displayName": format!("g{size}") }));
        let start = Instant::now();
        db.groups.create(new, (0..size).map(name).collect(), RULES, act(1_000)).await.unwrap();
        println!("a group of {size}: {:?}", start.elapsed());
    }
    for round in 0..3 {
        let (small, big) = (one_member(&db, "g10", round * 500).await, one_member(&db, "g100000", round * 500).await);
        println!("one member of 10: {small:?}, of 100,000: {big:?}");
        assert!(big < 3 * small + Duration::from_millis(1));
    }
    let mut place = Place::First;
    let (mut pages, start) = (0_u64, Instant::now());
    loop {
        let before = Instant::now();
        let page = db.lists.users(&Listing { place: place.clone(), ..listing() }).await.unwrap();
        assert_eq!(page.total, USERS);
        pages += 1;
        if pages % 1_000 == 1 {
            println!("page {pages}: {:?}", before.elapsed());
        }
        let Some(next) = page.next else { break };
        place = Place::Behind(next);
    }
    assert_eq!(pages, USERS / 100);
    println!("all {pages} pages: {:?}", start.elapsed());
}
