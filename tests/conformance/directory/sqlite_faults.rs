//! SQLite while another process holds the file, and with more work than it can do.

use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;
use tokio::task::JoinSet;
use vestibule::base::Span;
use vestibule::directory::{Activity, Database, DirectoryFault, Provisioned, SqliteOptions, sqlite};

use super::home::{at, bound_family, create, family, family_id, key, login, notice, person, trace, turned, waiting};

struct Held {
    db: Database,
    /// Another process with the file.
    other: Connection,
    _folder: TempDir,
}

impl Held {
    fn new(options: SqliteOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("v.db");
        let db = sqlite(&path, options).unwrap();
        Self { db, other: Connection::open(&path).unwrap(), _folder: folder }
    }

    fn lock(&self) {
        self.other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    }

    fn release(&self) {
        self.other.execute_batch("ROLLBACK").unwrap();
    }
}

fn waits(ms: i64) -> SqliteOptions {
    SqliteOptions { wait: Span::from_ms(ms), ..SqliteOptions::default() }
}

fn unavailable<T: std::fmt::Debug>(answer: Result<T, DirectoryFault>) {
    assert!(matches!(answer, Err(DirectoryFault::Unavailable(_))), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f11_while_the_database_is_locked_reads_answer_and_writes_are_unavailable() {
    let held = Held::new(waits(300));
    let db = &held.db;
    let ada = create(db, person("ada")).await;
    let first = family("f", "s");
    db.families.begin(first.clone()).await.unwrap();
    held.lock();

    let standing = db.users.standing(&ada.id, Some("s"), &[&first.id]).await.unwrap().unwrap();
    assert!(standing.user.active && !standing.signed_out && !standing.family_revoked);
    let known = db.users.provision(person("ada"), at(9)).await.unwrap();
    assert_eq!(known, Provisioned::Unchanged(ada.clone()), "a login that changes nothing needs no lock");

    let start = Instant::now();
    let (begin, turn, revoke, sign_out, active, provision, keys, ping) = tokio::join!(
        db.families.begin(family("g", "s")),
        db.families.turn(1, turned(&first, "t2")),
        db.families.revoke(&first.id, at(2)),
        db.sign_outs.sign_out("s", at(2), at(9), vec![notice("n", "rp", Some("s"))]),
        db.users.set_active(&ada.id, Activity::Inactive, at(2)),
        db.users.provision(person("bea"), at(2)),
        db.keys.change_keys(&[], vec![key("k", 1)], vec![]),
        db.ping(),
    );
    let waited = start.elapsed();
    unavailable(begin);
    unavailable(turn);
    unavailable(revoke);
    unavailable(sign_out);
    unavailable(active);
    unavailable(provision);
    unavailable(keys);
    unavailable(ping);
    assert!(waited >= Duration::from_millis(250) && waited < Duration::from_secs(5), "{waited:?}");
    held.release();

    db.ping().await.unwrap();
    let standing = db.users.standing(&ada.id, Some("s"), &[&first.id]).await.unwrap().unwrap();
    assert_eq!(standing.user, ada);
    assert!(!standing.signed_out && !standing.family_revoked, "nothing of the unavailable was done");
    assert_eq!(db.families.family(&family_id("g")).await.unwrap(), None);
    assert!(db.keys.keys().await.unwrap().is_empty());
    assert!(db.families.turn(1, turned(&first, "t2")).await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f11_a_lock_that_goes_in_time_is_waited_for() {
    let held = Held::new(waits(20_000));
    let ada = create(&held.db, person("ada")).await;
    held.lock();
    let db = held.db.clone();
    let mut write = Box::pin(async move { db.families.begin(family("f", "s")).await });
    // The write is handed in at its first poll, and can't be answered while the lock is held.
    assert!((&mut write).now_or_never().is_none());
    assert!(held.db.users.user(&ada.id).await.unwrap().is_some());
    assert!((&mut write).now_or_never().is_none());
    held.release();
    assert!(write.await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f11_a_read_that_is_locked_out_is_unavailable_and_answers_when_it_is_not() {
    let Held { db, other, _folder } = Held::new(waits(200));
    // The one lock that keeps readers out of a database with a log: taken before anybody reads.
    other.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT").unwrap();
    let start = Instant::now();
    unavailable(db.users.find("contoso", "userName", "ada").await);
    assert!(start.elapsed() >= Duration::from_millis(200));
    unavailable(db.ping().await);
    unavailable(db.families.begin(family("f", "s")).await);
    drop(other);
    assert!(db.users.find("contoso", "userName", "ada").await.unwrap().is_empty());
    db.ping().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_writes_than_may_wait_are_unavailable_at_once() {
    let held = Held::new(SqliteOptions { wait: Span::secs(60), waiting_max: 8 });
    held.lock();
    let start = Instant::now();
    let mut writes = JoinSet::new();
    // The thread itself holds up to a batch; the rest waits in the queue, or is refused.
    for number in 0..600 {
        let db = held.db.clone();
        writes.spawn(async move { (number, db.families.begin(family(&format!("f{number}"), "s")).await) });
    }
    let (_, first) = writes.join_next().await.unwrap().unwrap();
    assert!(matches!(&first, Err(DirectoryFault::Unavailable(why)) if why.contains("too many")), "{first:?}");
    assert!(start.elapsed() < Duration::from_secs(30));
    held.release();
    for (number, answer) in writes.join_all().await {
        let there = held.db.families.family(&family_id(&format!("f{number}"))).await.unwrap().is_some();
        assert_eq!(answer.is_ok(), there, "{number}");
    }
    held.db.ping().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_write_that_fails_does_not_sink_those_beside_it() {
    let held = Held::new(waits(20_000));
    let ada = create(&held.db, person("ada")).await;
    // A sign-out writes its tombstone first, and then fails at this family.
    held.db.families.begin(bound_family("poison", "poison")).await.unwrap();
    let trigger = "CREATE TRIGGER poison BEFORE UPDATE ON families WHEN OLD.sid = 'poison' \
                   BEGIN SELECT RAISE(FAIL, 'poisoned'); END";
    held.other.execute_batch(trigger).unwrap();
    held.lock();
    let mut writes = JoinSet::new();
    for number in 0..40 {
        let db = held.db.clone();
        writes.spawn(async move {
            match number % 5 {
                // An id that is taken: the row can't be inserted.
                0 => {
                    let jit = login("id-ada", &format!("x{number}"), json!({ "userName": format!("u{number}") }));
                    unavailable(db.users.provision(jit, at(2)).await);
                }
                1 => {
                    let jit =
                        login(&format!("i{number}"), &format!("x{number}"), json!({ "userName": "ADA@contoso.com" }));
                    assert_eq!(db.users.provision(jit, at(2)).await.unwrap(), Provisioned::Conflict("userName"));
                }
                2 => {
                    let notices = vec![notice("n", "rp", Some("poison"))];
                    unavailable(db.sign_outs.sign_out("poison", at(2), at(9), notices).await);
                }
                _ => assert!(db.families.begin(family(&format!("f{number}"), "s")).await.unwrap()),
            }
            number
        });
    }
    tokio::task::yield_now().await;
    held.release();
    for number in writes.join_all().await {
        let there = held.db.families.family(&family_id(&format!("f{number}"))).await.unwrap().is_some();
        assert_eq!(there, number % 5 > 2);
        let made = held.db.users.find("contoso", "externalId", &format!("x{number}")).await.unwrap();
        assert!(made.is_empty());
    }
    let standing = held.db.users.standing(&ada.id, Some("poison"), &[]).await.unwrap().unwrap();
    assert!(!standing.signed_out, "a write that failed half-way leaves nothing");
    assert_eq!(waiting(&held.db).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notices_that_cannot_be_queued_undo_what_they_are_about() {
    let held = Held::new(waits(20_000));
    let db = &held.db;
    let ada = create(db, person("ada")).await;
    db.users.set_active(&ada.id, Activity::Inactive, at(50)).await.unwrap();
    db.users.set_active(&ada.id, Activity::Active, at(51)).await.unwrap();
    db.families.begin(bound_family("f", "s")).await.unwrap();
    let leaving = db.notices.claim_leavings(1, at(100), at(200)).await.unwrap().remove(0);
    let trigger = "CREATE TRIGGER n BEFORE INSERT ON notices WHEN NEW.id = 'poison' \
                   BEGIN SELECT RAISE(FAIL, 'poisoned'); END; \
                   CREATE TRIGGER l BEFORE INSERT ON leavings BEGIN SELECT RAISE(FAIL, 'poisoned'); END; \
                   CREATE TRIGGER s BEFORE DELETE ON notices WHEN OLD.id = 'stuck' \
                   BEGIN SELECT RAISE(FAIL, 'poisoned'); END;";
    held.other.execute_batch(trigger).unwrap();
    let notices = || vec![notice("good", "rp", Some("s")), notice("poison", "other", Some("s"))];
    unavailable(db.notices.queue(notices()).await);
    unavailable(db.sign_outs.sign_out("s", at(100), at(900), notices()).await);
    unavailable(db.notices.close_leaving(&leaving, notices()).await);
    unavailable(db.users.set_active(&ada.id, Activity::Inactive, at(100)).await);
    assert_eq!(waiting(db).await, 0);
    let standing = db.users.standing(&ada.id, Some("s"), &[&family_id("f")]).await.unwrap().unwrap();
    assert!(standing.user.active && !standing.signed_out && !standing.family_revoked);
    assert_eq!(db.notices.claim_leavings(9, at(200), at(300)).await.unwrap(), [leaving]);

    db.notices.queue(vec![notice("good", "rp", Some("s")), notice("stuck", "rp", None)]).await.unwrap();
    unavailable(db.notices.settle(vec!["good".to_owned(), "stuck".to_owned()], Vec::new()).await);
    assert_eq!(waiting(db).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f11_while_the_database_is_locked_the_queue_is_read_and_not_written() {
    let held = Held::new(waits(200));
    let (db, rp) = (&held.db, vestibule::oidc::ClientId("rp".to_owned()));
    let ada = create(db, person("ada")).await;
    db.notices.queue(vec![notice("n", "rp", Some("s"))]).await.unwrap();
    held.lock();
    assert_eq!(db.notices.due(at(100)).await.unwrap(), std::slice::from_ref(&rp));
    assert_eq!(waiting(db).await, 1);
    assert_eq!(db.notices.claim_leavings(9, at(100), at(200)).await.unwrap(), [], "nobody left: needs no lock");
    db.notices.settle(Vec::new(), Vec::new()).await.unwrap();
    let (queue, claim, settle) = tokio::join!(
        db.notices.queue(vec![notice("m", "rp", Some("t"))]),
        db.notices.claim(&rp, 9, at(100), at(200)),
        db.notices.settle(vec!["n".to_owned()], Vec::new()),
    );
    unavailable(queue);
    unavailable(claim);
    unavailable(settle);
    held.release();
    let claimed = db.notices.claim(&rp, 9, at(100), at(200)).await.unwrap();
    assert_eq!((claimed.len(), claimed[0].attempts), (1, 1), "what was not answered was not handed out");
    db.users.set_active(&ada.id, Activity::Inactive, at(100)).await.unwrap();
    held.lock();
    unavailable(db.notices.claim_leavings(9, at(100), at(200)).await);
    held.release();
    assert_eq!(db.notices.claim_leavings(9, at(100), at(200)).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a211_traces_that_cannot_be_written_are_bounded_dropped_and_counted() {
    let held = Held::new(waits(100));
    held.lock();
    for number in 0..10_000 {
        held.db.traces.keep(trace(&format!("r{number}"), at(number)));
    }
    let dropped = held.db.traces_dropped();
    assert_eq!(dropped, 10_000 - 8_192);
    assert!(held.db.traces.trace("r0").await.unwrap().is_some());
    assert!(held.db.traces.trace("r9999").await.unwrap().is_none());
    held.release();
    held.db.close().await.unwrap();
    let written: i64 = held.other.query_row("SELECT COUNT(*) FROM traces", [], |row| row.get(0)).unwrap();
    assert_eq!(written, 8_192);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_while_locked_says_that_traces_were_not_written() {
    let held = Held::new(waits(100));
    held.lock();
    held.db.traces.keep(trace("r", at(1)));
    unavailable(held.db.close().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_vanished_is_a_fault_and_not_an_answer() {
    let held = Held::new(waits(100));
    let ada = create(&held.db, person("ada")).await;
    held.other.execute_batch("DROP TABLE sign_outs").unwrap();
    unavailable(held.db.users.standing(&ada.id, Some("s"), &[]).await);
    unavailable(held.db.sign_outs.sign_out("s", at(1), at(2), Vec::new()).await);
    unavailable(held.db.families.begin(family("f", "s")).await);
    assert_eq!(held.db.users.user(&ada.id).await.unwrap(), Some(ada));
}
