//! What the queue of notices and new users cost on SQLite. Run by hand, and best as a release build:
//! `cargo test --release --test conformance_directory speed -- --ignored --nocapture`

use std::time::{Duration, Instant};

use vestibule::directory::roster::Written;
use vestibule::directory::{Notice, SqliteOptions, sqlite};
use vestibule::oidc::ClientId;

use super::home::{act, at, notice, provisioned};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn speed_of_ten_thousand_notices() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let db = sqlite(&folder.path().join("v.db"), SqliteOptions::default()).unwrap();
    let start = Instant::now();
    for _ in 0..1_000 {
        assert!(db.notices.due(at(1)).await.unwrap().is_empty());
    }
    println!("due, empty: {:?}", start.elapsed() / 1_000);
    let start = Instant::now();
    for batch in 0..100 {
        let some = (0..100).map(|n| notice(&format!("{batch}-{n}"), "rp", Some(&format!("s{batch}-{n}"))));
        db.notices.queue(some.collect()).await.unwrap();
    }
    println!("queued: {:?}", start.elapsed());
    let start = Instant::now();
    assert_eq!(db.notices.waiting().await.unwrap()[0].count, 10_000);
    println!("waiting: {:?}", start.elapsed());
    let start = Instant::now();
    assert_eq!(db.notices.due(at(1_000)).await.unwrap().len(), 1);
    println!("due, full: {:?}", start.elapsed());
    let (start, mut told) = (Instant::now(), 0);
    loop {
        let claimed: Vec<Notice> =
            db.notices.claim(&ClientId("rp".to_owned()), 128, at(1_000), at(2_000)).await.unwrap();
        if claimed.is_empty() {
            break;
        }
        told += claimed.len();
        db.notices.settle(claimed.into_iter().map(|notice| notice.id).collect(), Vec::new()).await.unwrap();
    }
    let spent = start.elapsed();
    println!("claimed and settled: {spent:?}");
    assert_eq!(told, 10_000);
    assert!(spent < Duration::from_secs(60));
}

/// How long one user takes, of so many that are written at once, and in how much processor time of this process.
async fn written(db: &vestibule::directory::Database, from: usize, count: usize) -> (Duration, Duration) {
    let (start, before) = (Instant::now(), processor_time());
    let mut writers = tokio::task::JoinSet::new();
    for task in 0..64 {
        let db = db.clone();
        writers.spawn(async move {
            for number in (from + task..from + count).step_by(64) {
                let user = provisioned(&format!("{number:032x}"));
                assert!(matches!(db.roster.create(user, act("create", 1)).await, Ok(Written::Done(_))));
            }
        });
    }
    writers.join_all().await;
    let count = u32::try_from(count).unwrap();
    (start.elapsed() / count, (processor_time() - before) / count)
}

fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    // User and system time in hundredths of a second (proc(5): fields 14 and 15, of which two stand before the name's end).
    Duration::from_millis((fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()) * 10)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn speed_of_provisioning_users() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let db = sqlite(&folder.path().join("v.db"), SqliteOptions::default()).unwrap();
    let people = |from: usize, to: usize| (from..to).map(|n| provisioned(&format!("{n:032x}"))).collect::<Vec<_>>();
    db.roster.create_all(people(0, 1_000), act("import", 1)).await.unwrap();
    println!("create with 1,000: {:?}", written(&db, 1_000_000, 10_000).await);
    let start = Instant::now();
    for from in (1_000..90_000).step_by(1_000) {
        db.roster.create_all(people(from, from + 1_000), act("import", 1)).await.unwrap();
    }
    println!("create_all: {:?} each", start.elapsed() / 89_000);
    println!("create with 100,000: {:?}", written(&db, 2_000_000, 10_000).await);
}
