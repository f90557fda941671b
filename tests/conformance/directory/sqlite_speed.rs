//! What the queue of notices costs on SQLite. Run by hand, and best as a release build:
//! `cargo test --release --test conformance_directory speed -- --ignored --nocapture`

use std::time::{Duration, Instant};

use vestibule::directory::{Notice, SqliteOptions, sqlite};
use vestibule::oidc::ClientId;

use super::home::{at, notice};

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
