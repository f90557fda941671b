//! Groups within groups.

use vestibule::directory::roster::{Subject, Written};
use vestibule::identity::GroupId;
use vestibule::identity::group::MemberDelta;

use super::crowd::{act, enrol_all, feed, found, membership, newest, stored, texts, turn};
use super::home::{DIRECTORY, Home};

async fn groups_of(home: &Home, member: &str) -> Vec<(String, bool)> {
    let all = home.db.groups.groups_of(DIRECTORY, member).await.unwrap();
    all.into_iter().map(|group| (group.id.0, group.direct)).collect()
}

async fn users_within(home: &Home, group: &str, after: Option<&str>, limit: u32) -> Vec<String> {
    let id = GroupId(group.to_owned());
    let all = home.db.groups.users_within(DIRECTORY, &id, after, limit).await.unwrap();
    all.into_iter().map(|user| user.0).collect()
}

fn as_list(wanted: &[(&str, bool)]) -> Vec<(String, bool)> {
    wanted.iter().map(|(id, direct)| ((*id).to_owned(), *direct)).collect()
}

pub async fn groups_are_found_directly_and_by_way_of_others(home: &Home) {
    let db = &home.db;
    enrol_all(db, &["u1", "u2"]).await;
    found(db, "a", &["u1"]).await;
    found(db, "b", &["a", "u2"]).await;
    found(db, "c", &["b", "u1"]).await;
    found(db, "alone", &[]).await;
    assert_eq!(groups_of(home, "u1").await, as_list(&[("a", true), ("b", false), ("c", true)]));
    assert_eq!(groups_of(home, "u2").await, as_list(&[("b", true), ("c", false)]));
    assert_eq!(groups_of(home, "a").await, as_list(&[("b", true), ("c", false)]));
    assert!(groups_of(home, "nobody").await.is_empty());
    assert_eq!(users_within(home, "c", None, 10).await, ["u1", "u2"]);
    assert_eq!(users_within(home, "a", None, 10).await, ["u1"]);
    assert!(users_within(home, "alone", None, 10).await.is_empty());
    let names = db.groups.groups_of(DIRECTORY, "u2").await.unwrap();
    assert_eq!(names[1].display.as_deref(), Some("c"));
}

pub async fn cycles_end(home: &Home) {
    let db = &home.db;
    enrol_all(db, &["u1", "u2"]).await;
    found(db, "a", &["u1"]).await;
    found(db, "b", &["a", "u2"]).await;
    turn(db, "a", vec![MemberDelta::Add(texts(&["b", "a"]))], 2_000).await;
    assert_eq!(groups_of(home, "u1").await, as_list(&[("a", true), ("b", false)]));
    assert_eq!(groups_of(home, "a").await, as_list(&[("b", true)]));
    for group in ["a", "b"] {
        assert_eq!(users_within(home, group, None, 10).await, ["u1", "u2"]);
    }
}

pub async fn a_group_that_is_deleted_leaves_every_cycle(home: &Home) {
    let db = &home.db;
    enrol_all(db, &["u1", "u2", "u3"]).await;
    found(db, "a", &["u1"]).await;
    found(db, "b", &["a", "u2"]).await;
    found(db, "c", &["b", "u3"]).await;
    turn(db, "a", vec![MemberDelta::Add(texts(&["a", "b", "c"]))], 2_000).await;
    let before = newest(db).await;
    let gone = db.groups.delete(DIRECTORY, &GroupId("a".to_owned()), None, act(3_000)).await.unwrap();
    assert_eq!(gone, Written::Done(true));
    assert_eq!(users_within(home, "c", None, 10).await, ["u2", "u3"]);
    assert_eq!(users_within(home, "b", None, 10).await, ["u2"]);
    assert!(users_within(home, "a", None, 10).await.is_empty());
    assert!(groups_of(home, "u1").await.is_empty());
    assert_eq!(groups_of(home, "u2").await, as_list(&[("b", true), ("c", false)]));
    assert_eq!((stored(db, "b").await.members, stored(db, "c").await.members), (1, 2));
    let told = feed(db, before).await;
    let ends = told.iter().filter(|change| change.gone.is_some()).map(|change| &change.subject);
    let wanted = [membership("b", "a"), Subject::Group(GroupId("a".to_owned()))];
    assert_eq!(ends.collect::<Vec<_>>(), wanted.iter().collect::<Vec<_>>(), "its own memberships go with it");
    // One of that id again is none of what it was.
    found(db, "a", &[]).await;
    assert!(groups_of(home, "u1").await.is_empty());
}

pub async fn users_of_many_groups_come_once_each_page_by_page(home: &Home) {
    let db = &home.db;
    let names: Vec<String> = (10..40).map(|n| format!("u{n}")).collect();
    for name in &names {
        enrol_all(db, &[name]).await;
    }
    let some = |step: usize| names.iter().step_by(step).map(String::as_str).collect::<Vec<_>>();
    found(db, "a", &some(1)).await;
    found(db, "b", &some(2)).await;
    found(db, "c", &some(3)).await;
    found(db, "top", &["a", "b", "c"]).await;
    let mut seen: Vec<String> = Vec::new();
    loop {
        let page = users_within(home, "top", seen.last().map(String::as_str), 7).await;
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 7);
        seen.extend(page);
    }
    assert_eq!(seen, names);
}
