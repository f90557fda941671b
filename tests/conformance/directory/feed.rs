//! The change feed.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use serde_json::json;
use vestibule::directory::roster::{Change, Deletion, Gone, Subject};
use vestibule::directory::{Activity, Database};
use vestibule::identity::UserId;

use super::home::{DIRECTORY, Home, act, at, done, enrol, provisioned, switched, with};

async fn changes(db: &Database, after: u64) -> Vec<Change> {
    db.feed.changes(DIRECTORY, after, 1_000).await.unwrap()
}

fn user(name: &str) -> Subject {
    Subject::User(UserId(format!("id-{name}")))
}

fn subjects(changes: &[Change]) -> Vec<Subject> {
    changes.iter().map(|change| change.subject.clone()).collect()
}

async fn retitle(db: &Database, name: &str, title: &str, secs: i64) {
    let now = db.roster.user(DIRECTORY, &UserId(format!("id-{name}"))).await.unwrap().unwrap();
    done(db.roster.replace(with(now, "title", json!(title)), act("update", secs)).await);
}

async fn delete(db: &Database, name: &str, secs: i64) {
    let id = UserId(format!("id-{name}"));
    assert!(done(db.roster.delete(DIRECTORY, &id, None, Deletion::BySource, act("delete", secs)).await));
}

pub async fn of_each_object_the_feed_has_the_last_change_in_their_order(home: &Home) {
    let db = &home.db;
    assert_eq!((changes(db, 0).await, db.feed.newest(DIRECTORY).await.unwrap()), (Vec::new(), 0));
    for name in ["ada", "bea", "cleo"] {
        enrol(db, provisioned(name)).await;
    }
    retitle(db, "ada", "first", 2_000).await;
    retitle(db, "ada", "second", 3_000).await;
    let all = changes(&(home.reopen)(), 0).await;
    assert_eq!(subjects(&all), [user("bea"), user("cleo"), user("ada")]);
    assert_eq!(all.iter().map(|change| change.seq).collect::<Vec<_>>(), [2, 3, 5]);
    assert_eq!((all[2].at, &all[2].gone), (at(3_000), &None));
    assert_eq!(db.feed.newest(DIRECTORY).await.unwrap(), 5);
    assert_eq!(subjects(&changes(db, 3).await), [user("ada")]);
    assert_eq!(changes(db, 5).await, []);
    assert_eq!(subjects(&db.feed.changes(DIRECTORY, 0, 2).await.unwrap()), [user("bea"), user("cleo")]);
    assert_eq!(db.feed.changes(DIRECTORY, 0, 0).await.unwrap(), []);
    assert_eq!(db.feed.changes("fabrikam", 0, 9).await.unwrap(), [], "of its own directory only");
}

pub async fn what_is_gone_says_all_that_a_deletion_elsewhere_needs(home: &Home) {
    let db = &home.db;
    enrol(db, provisioned("ada")).await;
    enrol(db, provisioned("bea")).await;
    delete(db, "ada", 4_000).await;
    let all = changes(db, 1).await;
    assert_eq!(subjects(&all), [user("bea"), user("ada")]);
    let left = Gone { external_id: Some("x-ada".to_owned()), name: Some("ada@contoso.com".to_owned()) };
    assert_eq!((all[1].gone.as_ref(), all[1].at, all[1].seq), (Some(&left), at(4_000), 3));
    // An import may bring an id back.
    enrol(db, provisioned("ada")).await;
    let all = changes(db, 0).await;
    assert_eq!(subjects(&all), [user("bea"), user("ada")]);
    assert_eq!((all[1].seq, &all[1].gone), (4, &None));
}

pub async fn a_switch_and_a_login_are_changes(home: &Home) {
    let db = &home.db;
    let ada = enrol(db, provisioned("ada")).await;
    done(db.roster.replace(switched(ada.clone(), Activity::Inactive), act("update", 2_000)).await);
    assert_eq!(changes(db, 0).await[0].seq, 2);
    db.users.set_active(&ada.user.id, Activity::Active, at(3_000)).await.unwrap();
    assert_eq!(changes(db, 0).await[0].seq, 3);
    super::home::update(db, super::home::login("id", "x-ada", json!({ "title": "Dr" }))).await;
    assert_eq!(changes(db, 0).await[0].seq, 4);
    super::home::create(db, super::home::person("bea")).await;
    assert_eq!(subjects(&changes(db, 4).await), [user("bea")]);
}

pub async fn a_consumer_moves_on_from_where_it_stands(home: &Home) {
    let (db, other) = (&home.db.feed, (home.reopen)().feed);
    assert_eq!(db.position(DIRECTORY, "access").await.unwrap(), 0);
    assert!(!db.advance(DIRECTORY, "access", 3, 4).await.unwrap(), "it stands at 0");
    assert!(db.advance(DIRECTORY, "access", 0, 3).await.unwrap());
    assert!(!other.advance(DIRECTORY, "access", 0, 9).await.unwrap(), "it stands at 3");
    assert!(other.advance(DIRECTORY, "access", 3, 7).await.unwrap());
    assert!(!other.advance(DIRECTORY, "access", 7, 6).await.unwrap(), "never back");
    assert_eq!(db.position(DIRECTORY, "access").await.unwrap(), 7);
    assert_eq!(db.position(DIRECTORY, "uem").await.unwrap(), 0);
    assert_eq!(db.position("fabrikam", "access").await.unwrap(), 0);
    db.leave(DIRECTORY, "access").await.unwrap();
    assert_eq!(other.position(DIRECTORY, "access").await.unwrap(), 0);
}

pub async fn what_is_gone_is_kept_until_it_is_old_and_every_consumer_has_passed(home: &Home) {
    let db = &home.db;
    for (name, secs) in [("ada", 2_000), ("bea", 3_000), ("cleo", 4_000)] {
        enrol(db, provisioned(name)).await;
        delete(db, name, secs).await;
    }
    assert!(db.feed.advance(DIRECTORY, "access", 0, 2).await.unwrap());
    assert!(db.feed.advance(DIRECTORY, "uem", 0, 6).await.unwrap());
    assert_eq!(db.feed.forget("fabrikam", at(9_000)).await.unwrap(), 0);
    assert_eq!(db.feed.forget(DIRECTORY, at(4_000)).await.unwrap(), 1);
    assert_eq!(subjects(&changes(db, 0).await), [user("bea"), user("cleo")]);
    db.feed.leave(DIRECTORY, "access").await.unwrap();
    assert_eq!(db.feed.forget(DIRECTORY, at(4_000)).await.unwrap(), 1);
    assert_eq!(subjects(&changes(db, 0).await), [user("cleo")]);
}

/// What somebody does to one of a few users.
#[derive(Clone, Copy, Debug)]
enum Step {
    Write(u8),
    Delete(u8),
    /// A consumer reads on, by pages of so many.
    Read(u32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..6_u8).prop_map(Step::Write),
        2 => (0..6_u8).prop_map(Step::Delete),
        2 => (1..4_u32).prop_map(Step::Read),
    ];
    proptest::collection::vec(step, 1..40)
}

/// Reads on to the end, each page from the last number of the one before.
async fn read_on(db: &Database, seen: &mut BTreeMap<Subject, Option<String>>, from: u64, page: u32) -> u64 {
    let mut position = from;
    loop {
        let some = db.feed.changes(DIRECTORY, position, page).await.unwrap();
        let Some(last) = some.last() else { return position };
        assert!(some.is_sorted_by(|one, next| position < one.seq && one.seq < next.seq), "{some:?}");
        position = last.seq;
        for change in &some {
            let Subject::User(id) = &change.subject else { panic!("{change:?}") };
            let now = db.roster.user(DIRECTORY, id).await.unwrap();
            assert_eq!(now.is_none(), change.gone.is_some());
            seen.insert(change.subject.clone(), now.and_then(|user| user.user.text("title").map(str::to_owned)));
        }
    }
}

pub async fn whoever_reads_on_from_where_he_stopped_misses_nothing(home: &Home) {
    let mut runner = proptest::test_runner::TestRunner::new_with_rng(
        ProptestConfig::default(),
        proptest::test_runner::TestRng::from_seed(proptest::test_runner::RngAlgorithm::ChaCha, &[5; 32]),
    );
    let db = &home.db;
    let (mut seen, mut position, mut title) = (BTreeMap::new(), 0, 0);
    for _ in 0..25 {
        let steps = steps().new_tree(&mut runner).unwrap().current();
        for step in steps {
            title += 1;
            match step {
                Step::Read(page) => position = read_on(db, &mut seen, position, page).await,
                Step::Write(who) | Step::Delete(who) => {
                    let name = format!("p{who}");
                    let there = db.roster.user(DIRECTORY, &UserId(format!("id-{name}"))).await.unwrap().is_some();
                    match (step, there) {
                        (Step::Delete(_), true) => delete(db, &name, 2_000).await,
                        (Step::Delete(_), false) => {}
                        (_, true) => retitle(db, &name, &title.to_string(), 2_000).await,
                        (_, false) => {
                            enrol(db, with(provisioned(&name), "title", json!(title.to_string()))).await;
                        }
                    }
                }
            }
        }
    }
    read_on(db, &mut seen, position, 2).await;
    // What the consumer holds now is what there is.
    for who in 0..6 {
        let name = format!("p{who}");
        let now = db.roster.user(DIRECTORY, &UserId(format!("id-{name}"))).await.unwrap();
        let title = now.and_then(|user| user.user.text("title").map(str::to_owned));
        assert_eq!(seen.get(&user(&name)), Some(&title), "{name}");
    }
    let all = changes(db, 0).await;
    let mut once = subjects(&all);
    once.sort();
    once.dedup();
    assert_eq!(once.len(), all.len(), "each object stands there once");
}
