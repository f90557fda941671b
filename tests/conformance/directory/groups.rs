//! Groups: their attributes, versions, names and ends.

use serde_json::json;
use tokio::task::JoinSet;
use vestibule::directory::roster::{GroupChange, GroupRules, MEMBERS_MAX, Subject, Written};
use vestibule::identity::GroupId;
use vestibule::identity::dialect::SameGroupName;
use vestibule::identity::group::MemberDelta;

use super::crowd::{
    RULES, STRICT, act, change, deltas, enrol_all, feed, found, group, members, membership, newest, parked, stored,
    tally, texts, turn,
};
use super::home::{DIRECTORY, Home, at};

fn head(of: u64, attributes: serde_json::Value) -> GroupChange {
    let attributes = serde_json::from_value(attributes).unwrap();
    GroupChange { head: Some((of, attributes)), ..deltas(Vec::new()) }
}

pub async fn a_group_is_read_as_it_was_written(home: &Home) {
    let db = &home.db;
    enrol_all(db, &["u1", "u2"]).await;
    let changed = found(db, "g1", &["u2", "u1"]).await;
    assert_eq!((changed.added, changed.removed, changed.parked), (2, 0, 0));
    let group = changed.group;
    assert_eq!((group.version, group.head, group.members, group.parked), (1, 1, 2, 0));
    assert_eq!((group.created_at, group.updated_at), (at(1_000), at(1_000)));
    assert_eq!(group.display_name(), Some("g1"));
    assert_eq!(stored(db, "g1").await, group);
    assert_eq!(members(db, "g1").await, ["u1", "u2"]);
    let tally = tally(db).await;
    assert_eq!((tally.groups, tally.memberships, tally.parked), (1, 2, 0));
}

pub async fn a220_a_group_of_another_scope_is_not_there(home: &Home) {
    let (db, id) = (&home.db, GroupId("g1".to_owned()));
    enrol_all(db, &["u1"]).await;
    found(db, "g1", &["u1"]).await;
    assert_eq!(db.groups.group("fabrikam", &id).await.unwrap(), None);
    assert!(db.groups.members("fabrikam", &id, None, 10).await.unwrap().is_empty());
    assert!(db.groups.groups_of("fabrikam", "u1").await.unwrap().is_empty());
    assert!(db.groups.users_within("fabrikam", &id, None, 10).await.unwrap().is_empty());
    let clear = deltas(vec![MemberDelta::Clear]);
    assert_eq!(db.groups.change("fabrikam", &id, clear, act(2_000)).await.unwrap(), Written::Done(None));
    assert_eq!(db.groups.delete("fabrikam", &id, None, act(2_000)).await.unwrap(), Written::Done(false));
    assert_eq!(members(db, "g1").await, ["u1"]);
}

pub async fn a_name_is_taken_in_any_case_unless_the_dialect_allows_it(home: &Home) {
    let db = &home.db;
    found(db, "Sales", &[]).await;
    let namesake = || group("other", json!({ "displayName": "SALES" }));
    let taken = db.groups.create(namesake(), Vec::new(), RULES, act(2_000)).await.unwrap();
    let by_sales =
        |attribute| Written::<()>::Taken { attribute, by: "Sales".to_owned(), external_id: Some("x-Sales".to_owned()) };
    assert_eq!(taken.map(|_| ()), by_sales("displayName"));
    assert_eq!(db.groups.group(DIRECTORY, &GroupId("other".to_owned())).await.unwrap(), None);
    let allowing = GroupRules { same_name: SameGroupName::Allow, ..RULES };
    assert!(matches!(db.groups.create(namesake(), Vec::new(), allowing, act(2_000)).await.unwrap(), Written::Done(_)));
    found(db, "Purchase", &[]).await;
    let renamed = change(db, "Purchase", head(1, json!({ "displayName": "sales" })), 3_000).await;
    assert!(matches!(renamed, Written::Taken { attribute: "displayName", .. }), "{renamed:?}");
    // Who shares a name already may change other things, and the case of the name.
    let other = change(db, "other", head(1, json!({ "displayName": "sales", "description": "d" })), 3_000).await;
    assert!(matches!(other, Written::Done(Some(_))), "{other:?}");
    let mut theirs = namesake();
    theirs.directory = "fabrikam".to_owned();
    theirs.id = GroupId("theirs".to_owned());
    assert!(matches!(db.groups.create(theirs, Vec::new(), RULES, act(2_000)).await.unwrap(), Written::Done(_)));
}

pub async fn an_external_id_belongs_to_one_group_in_its_exact_case(home: &Home) {
    let db = &home.db;
    found(db, "g1", &[]).await;
    let with = |id: &str, external_id: &str| group(id, json!({ "displayName": id, "externalId": external_id }));
    let taken = db.groups.create(with("g2", "x-g1"), Vec::new(), RULES, act(2_000)).await.unwrap();
    assert!(matches!(taken, Written::Taken { attribute: "externalId", .. }), "{taken:?}");
    let other = db.groups.create(with("g3", "X-G1"), Vec::new(), RULES, act(2_000)).await.unwrap();
    assert!(matches!(other, Written::Done(_)), "{other:?}");
    let changed = change(db, "g3", head(1, json!({ "displayName": "g3", "externalId": "x-g1" })), 3_000).await;
    assert!(matches!(changed, Written::Taken { attribute: "externalId", .. }), "{changed:?}");
    assert_eq!(stored(db, "g3").await.external_id(), Some("X-G1"));
}

pub async fn new_attributes_are_written_if_the_head_is_the_one_that_was_read(home: &Home) {
    let db = &home.db;
    enrol_all(db, &["u1"]).await;
    found(db, "g1", &[]).await;
    turn(db, "g1", vec![MemberDelta::Add(texts(&["u1"]))], 2_000).await;
    let renamed = head(1, json!({ "displayName": "new" }));
    let Written::Done(Some(changed)) = change(db, "g1", renamed.clone(), 3_000).await else { panic!("not renamed") };
    assert_eq!((changed.group.head, changed.group.version, changed.group.members), (2, 3, 1));
    assert_eq!(stored(db, "g1").await, changed.group);
    assert_eq!(change(db, "g1", renamed, 4_000).await, Written::Stale);
    assert_eq!(stored(db, "g1").await, changed.group);
}

pub async fn a221_of_two_changes_of_one_version_one_is_stale(home: &Home) {
    let db = &home.db;
    enrol_all(db, &["u1", "u2"]).await;
    found(db, "g1", &[]).await;
    let by_version = |id| GroupChange { version: Some(1), ..deltas(vec![MemberDelta::Add(texts(&[id]))]) };
    let (one, two) = tokio::join!(change(db, "g1", by_version("u1"), 2_000), change(db, "g1", by_version("u2"), 2_000));
    let stale = [&one, &two].into_iter().filter(|written| **written == Written::Stale).count();
    assert_eq!(stale, 1, "{one:?} {two:?}");
    assert_eq!(members(db, "g1").await.len(), 1);
    let id = GroupId("g1".to_owned());
    assert_eq!(db.groups.delete(DIRECTORY, &id, Some(1), act(3_000)).await.unwrap(), Written::Stale);
    assert_eq!(db.groups.delete(DIRECTORY, &id, Some(2), act(3_000)).await.unwrap(), Written::Done(true));
}

pub async fn a_change_that_changes_nothing_leaves_no_trace(home: &Home) {
    let db = &home.db;
    enrol_all(db, &["u1", "u2"]).await;
    found(db, "g1", &["u1", "nobody"]).await;
    let (before, number, records) = (stored(db, "g1").await, newest(db).await, audits(home).await);
    let same = serde_json::to_value(&before.attributes).unwrap();
    for nothing in [
        deltas(Vec::new()),
        head(1, same),
        deltas(vec![MemberDelta::Add(texts(&["u1", "nobody"]))]),
        deltas(vec![MemberDelta::Remove(texts(&["u2", "stranger", ""]))]),
        deltas(vec![MemberDelta::Replace(texts(&["nobody", "u1", "u1"]))]),
        deltas(vec![MemberDelta::Add(texts(&["u2"])), MemberDelta::Remove(texts(&["u2"]))]),
        deltas(vec![MemberDelta::Clear, MemberDelta::Add(texts(&["u1", "nobody"]))]),
    ] {
        let Written::Done(Some(changed)) = change(db, "g1", nothing.clone(), 2_000).await else {
            panic!("{nothing:?}")
        };
        assert_eq!((changed.added, changed.removed, changed.parked), (0, 0, 0), "{nothing:?}");
        assert_eq!(changed.group, before, "{nothing:?}");
        assert_eq!(stored(db, "g1").await, before, "{nothing:?}");
    }
    assert_eq!((newest(db).await, audits(home).await), (number, records));
    turn(db, "g1", vec![MemberDelta::Add(texts(&["u2"]))], 2_000).await;
    assert!(newest(db).await > number);
    assert_eq!(audits(home).await, records + 1);
}

async fn audits(home: &Home) -> usize {
    home.db.audits.of_object(DIRECTORY, "g1", 1_000).await.unwrap().len()
}

pub async fn a_deleted_group_takes_its_memberships_along_and_leaves_one_trace(home: &Home) {
    let db = &home.db;
    enrol_all(db, &["u1", "u2"]).await;
    found(db, "inner", &["u1", "u2", "nobody"]).await;
    found(db, "outer", &["inner", "u1"]).await;
    turn(db, "inner", vec![MemberDelta::Remove(texts(&["u2"]))], 1_500).await;
    let (version, before) = (stored(db, "outer").await.version, newest(db).await);
    let id = GroupId("inner".to_owned());
    assert_eq!(db.groups.delete(DIRECTORY, &id, None, act(2_000)).await.unwrap(), Written::Done(true));
    assert_eq!(db.groups.delete(DIRECTORY, &id, None, act(2_000)).await.unwrap(), Written::Done(false));
    assert_eq!(db.groups.group(DIRECTORY, &id).await.unwrap(), None);
    assert!(members(db, "inner").await.is_empty() && parked(db, "inner").await.is_empty());
    assert_eq!(members(db, "outer").await, ["u1"]);
    let outer = stored(db, "outer").await;
    assert_eq!((outer.members, outer.version), (1, version + 1));
    let tally = tally(db).await;
    assert_eq!((tally.groups, tally.memberships, tally.parked, tally.users), (1, 1, 0, 2));
    let told = feed(db, before).await;
    let inner: Vec<_> = told.iter().filter(|change| change.subject == Subject::Group(id.clone())).collect();
    assert_eq!(inner.len(), 1);
    let gone = inner[0].gone.clone().unwrap();
    assert_eq!((gone.external_id.as_deref(), gone.name.as_deref()), (Some("x-inner"), Some("inner")));
    assert!(told.iter().any(|change| change.subject == membership("outer", "inner") && change.gone.is_some()));
    let all = feed(db, 0).await;
    let of_inner = |change: &&_| matches!(&(*change as &vestibule::directory::roster::Change).subject, Subject::Membership { group, .. } if *group == id);
    assert_eq!(all.iter().filter(of_inner).count(), 0, "the group's own trace covers its memberships");
}

pub async fn members_whom_nobody_knows_are_refused_where_the_dialect_says_so(home: &Home) {
    let db = &home.db;
    enrol_all(db, &["u1"]).await;
    found(db, "g1", &[]).await;
    let (before, number) = (stored(db, "g1").await, newest(db).await);
    let strict = GroupChange { rules: STRICT, ..deltas(vec![MemberDelta::Add(texts(&["u1", "nobody"]))]) };
    assert_eq!(change(db, "g1", strict, 2_000).await, Written::UnknownMember("nobody".to_owned()));
    assert_eq!((stored(db, "g1").await, newest(db).await), (before, number));
    let new = group("g2", json!({ "displayName": "g2" }));
    let refused = db.groups.create(new, texts(&["nobody"]), STRICT, act(2_000)).await.unwrap();
    assert_eq!(refused, Written::UnknownMember("nobody".to_owned()));
    assert_eq!(db.groups.group(DIRECTORY, &GroupId("g2".to_owned())).await.unwrap(), None);
    for impossible in ["", "a\0b", &"x".repeat(257)] {
        let added = change(db, "g1", deltas(vec![MemberDelta::Add(texts(&["u1", impossible]))]), 2_000).await;
        assert_eq!(added, Written::UnknownMember(impossible.to_owned()));
    }
    assert!(members(db, "g1").await.is_empty());
}

pub async fn a_group_has_half_a_million_members_at_most(home: &Home) {
    let db = &home.db;
    enrol_all(db, &["u1", "u2"]).await;
    let many: Vec<String> = (1..MEMBERS_MAX).map(|n| format!("p{n}")).collect();
    let new = group("g1", json!({ "displayName": "g1" }));
    let mut too_many = many.clone();
    too_many.extend(texts(&["a", "b"]));
    let refused = db.groups.create(new.clone(), too_many, RULES, act(1_000)).await.unwrap();
    assert_eq!(refused, Written::TooManyMembers);
    assert!(matches!(db.groups.create(new, many, RULES, act(1_000)).await.unwrap(), Written::Done(_)));
    assert_eq!(turn(db, "g1", vec![MemberDelta::Add(texts(&["u1"]))], 2_000).await.added, 1);
    let before = stored(db, "g1").await;
    assert_eq!(before.members + before.parked, MEMBERS_MAX);
    let one_more = change(db, "g1", deltas(vec![MemberDelta::Add(texts(&["u2"]))]), 2_000).await;
    assert_eq!(one_more, Written::TooManyMembers);
    assert_eq!(stored(db, "g1").await, before);
    let swap = vec![MemberDelta::Remove(texts(&["u1"])), MemberDelta::Add(texts(&["u2"]))];
    assert_eq!(turn(db, "g1", swap, 2_000).await.removed, 1);
}

pub async fn a222_parallel_adds_and_a_rename_all_last(home: &Home) {
    let handles = [home.db.clone(), (home.reopen)()];
    let names: Vec<String> = (10..30).map(|n| format!("u{n}")).collect();
    for name in &names {
        enrol_all(&home.db, &[name]).await;
    }
    found(&home.db, "g1", &[]).await;
    let mut all = JoinSet::new();
    for (number, name) in names.iter().enumerate() {
        let (db, name) = (handles[number % 2].clone(), name.clone());
        all.spawn(async move { turn(&db, "g1", vec![MemberDelta::Add(vec![name])], 2_000).await.added });
    }
    let db = home.db.clone();
    all.spawn(async move {
        let renamed = change(&db, "g1", head(1, json!({ "displayName": "renamed" })), 2_000).await;
        assert!(matches!(renamed, Written::Done(Some(_))), "{renamed:?}");
        0
    });
    assert_eq!(all.join_all().await.into_iter().sum::<u64>(), 20);
    assert_eq!(members(&home.db, "g1").await, names);
    let group = stored(&home.db, "g1").await;
    assert_eq!((group.version, group.head, group.members), (22, 2, 20));
    assert_eq!(group.display_name(), Some("renamed"));
}
