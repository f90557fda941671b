//! Members: who comes, who goes, who is waited for.

use std::collections::BTreeSet;

use vestibule::directory::roster::GroupChange;
use vestibule::identity::GroupId;
use vestibule::identity::group::{MemberDelta, MemberKind};

use super::crowd::{
    change, deltas, dismiss, enrol, enrol_all, feed, found, members, membership, newest, parked, somebody, stored,
    tally, texts, turn, user,
};
use super::home::{DIRECTORY, Home};

use MemberDelta::{Add, Clear, Remove, Replace};

pub async fn changes_of_one_request_are_carried_out_in_their_order(home: &Home) {
    let db = &home.db;
    enrol_all(db, &["a", "b", "c", "d"]).await;
    found(db, "g", &["a", "b"]).await;
    let steps = [
        (vec![Add(texts(&["c"])), Remove(texts(&["a"]))], vec!["b", "c"], (1, 1)),
        (vec![Remove(texts(&["d"])), Add(texts(&["d"]))], vec!["b", "c", "d"], (1, 0)),
        (vec![Replace(texts(&["a", "b"])), Add(texts(&["c"]))], vec!["a", "b", "c"], (1, 1)),
        (vec![Clear, Add(texts(&["d"]))], vec!["d"], (1, 3)),
        (vec![Add(texts(&["a"])), Clear], vec![], (0, 1)),
    ];
    for (step, (deltas, left, (added, removed))) in steps.into_iter().enumerate() {
        let changed = turn(db, "g", deltas, 2_000).await;
        assert_eq!((changed.added, changed.removed), (added, removed), "step {step}");
        assert_eq!(members(db, "g").await, left, "step {step}");
        assert_eq!(changed.group.members, left.len() as u64, "step {step}");
        assert_eq!(stored(db, "g").await, changed.group, "step {step}");
        assert_eq!(tally(db).await.memberships, left.len() as u64, "step {step}");
    }
}

pub async fn members_are_shown_in_the_order_of_their_ids_with_kind_and_name(home: &Home) {
    let db = &home.db;
    enrol_all(db, &["u1"]).await;
    enrol(db, user("u2", serde_json::json!({ "userName": "u2@contoso.com" }))).await;
    found(db, "team", &[]).await;
    found(db, "g", &["u2", "team", "u1"]).await;
    let id = GroupId("g".to_owned());
    let all = db.groups.members(DIRECTORY, &id, None, 10).await.unwrap();
    let shown: Vec<_> = all.iter().map(|one| (one.id.as_str(), one.kind, one.display.as_deref())).collect();
    assert_eq!(
        shown,
        [
            ("team", MemberKind::Group, Some("team")),
            ("u1", MemberKind::User, Some("u1")),
            ("u2", MemberKind::User, None),
        ]
    );
    let page = db.groups.members(DIRECTORY, &id, Some("team"), 1).await.unwrap();
    assert_eq!(page.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["u1"]);
    assert!(db.groups.members(DIRECTORY, &id, Some("u2"), 10).await.unwrap().is_empty());
}

pub async fn an_unknown_member_waits_until_a_user_of_that_id_appears(home: &Home) {
    let db = &home.db;
    let changed = found(db, "g", &["late", "never"]).await;
    assert_eq!((changed.added, changed.parked), (0, 2));
    found(db, "h", &["late"]).await;
    assert_eq!(parked(db, "g").await, ["late", "never"]);
    assert!(members(db, "g").await.is_empty());
    assert_eq!((tally(db).await.memberships, tally(db).await.parked), (0, 3));
    let number = newest(db).await;
    let mut theirs = somebody("late");
    theirs.user.directory = "fabrikam".to_owned();
    theirs.user.id.0 = "theirs".to_owned();
    enrol(db, theirs).await;
    assert_eq!(parked(db, "g").await, ["late", "never"]);
    enrol_all(db, &["late"]).await;
    for group in ["g", "h"] {
        assert_eq!(members(db, group).await, ["late"], "{group}");
    }
    assert_eq!(parked(db, "g").await, ["never"]);
    let group = stored(db, "g").await;
    assert_eq!((group.members, group.parked), (1, 1));
    assert!(group.version > changed.group.version);
    assert_eq!((tally(db).await.memberships, tally(db).await.parked), (2, 1));
    let told = feed(db, number).await;
    assert!(told.iter().any(|change| change.subject == membership("h", "late") && change.gone.is_none()));
}

pub async fn an_unknown_member_waits_until_a_group_of_that_id_appears(home: &Home) {
    let db = &home.db;
    let before = found(db, "outer", &["inner"]).await.group;
    found(db, "inner", &["outer"]).await;
    assert_eq!(members(db, "outer").await, ["inner"]);
    assert_eq!(members(db, "inner").await, ["outer"]);
    let outer = stored(db, "outer").await;
    assert_eq!((outer.members, outer.parked, outer.version), (1, 0, before.version + 1));
    assert_eq!((tally(db).await.memberships, tally(db).await.parked), (2, 0));
}

pub async fn a_parked_id_can_be_removed(home: &Home) {
    let db = &home.db;
    found(db, "g", &["p1", "p2", "p3"]).await;
    let changed = turn(db, "g", vec![Remove(texts(&["p1"]))], 2_000).await;
    assert_eq!((changed.removed, changed.group.parked, changed.group.version), (0, 2, 2));
    let changed = turn(db, "g", vec![Replace(texts(&["p3", "p4"]))], 2_000).await;
    assert_eq!((changed.parked, changed.group.parked), (1, 2));
    assert_eq!(parked(db, "g").await, ["p3", "p4"]);
    turn(db, "g", vec![Clear], 2_000).await;
    assert!(parked(db, "g").await.is_empty());
    assert_eq!(tally(db).await.parked, 0);
    enrol_all(db, &["p1", "p3"]).await;
    assert!(members(db, "g").await.is_empty());
}

pub async fn who_leaves_is_told_and_who_comes_back_is_there_again(home: &Home) {
    let db = &home.db;
    enrol_all(db, &["a", "b"]).await;
    found(db, "g", &["a", "b"]).await;
    let number = newest(db).await;
    turn(db, "g", vec![Remove(texts(&["a"]))], 2_000).await;
    let told = feed(db, number).await;
    let of_a: Vec<_> = told.iter().filter(|change| change.subject == membership("g", "a")).collect();
    assert_eq!(of_a.len(), 1);
    assert!(of_a[0].gone.is_some() && of_a[0].seq > number);
    assert!(told.iter().all(|change| change.subject != membership("g", "b")));
    let number = newest(db).await;
    turn(db, "g", vec![Add(texts(&["a"]))], 3_000).await;
    let all = feed(db, 0).await;
    let of_a: Vec<_> = all.iter().filter(|change| change.subject == membership("g", "a")).collect();
    assert_eq!(of_a.len(), 1);
    assert!(of_a[0].gone.is_none() && of_a[0].seq > number);
}

pub async fn the_feed_can_be_read_one_by_one_over_a_big_change(home: &Home) {
    let db = &home.db;
    let names: Vec<String> = (100..200).map(|n| format!("u{n}")).collect();
    for name in &names {
        enrol_all(db, &[name]).await;
    }
    let mut after = newest(db).await;
    found(db, "g", &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    turn(db, "g", vec![Replace(names[50..].to_vec())], 2_000).await;
    let mut seen = BTreeSet::new();
    loop {
        let next = db.feed.changes(DIRECTORY, after, 1).await.unwrap();
        assert!(next.len() <= 1, "each membership has a number of its own");
        let Some(change) = next.into_iter().next() else { break };
        after = change.seq;
        assert!(seen.insert((change.subject, change.gone.is_some())));
    }
    for (at, name) in names.iter().enumerate() {
        assert!(seen.contains(&(membership("g", name), at < 50)), "{name}");
    }
}

pub async fn a_deleted_user_is_no_member_any_more(home: &Home) {
    let db = &home.db;
    enrol_all(db, &["a", "b"]).await;
    let before = found(db, "g", &["a", "b"]).await.group;
    dismiss(db, "a", 2_000).await;
    assert_eq!(members(db, "g").await, ["b"]);
    let group = stored(db, "g").await;
    assert_eq!(group.members, 1);
    assert!(group.version > before.version);
    assert_eq!(tally(db).await.memberships, 1);
}

pub async fn members_of_another_scope_are_unknown(home: &Home) {
    let db = &home.db;
    let mut theirs = somebody("theirs");
    theirs.user.directory = "fabrikam".to_owned();
    enrol(db, theirs).await;
    let changed = found(db, "g", &["theirs"]).await;
    assert_eq!((changed.added, changed.parked), (0, 1));
}

/// The next number of a fixed sequence that looks like chance.
pub fn draw(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

/// A group as it should be.
#[derive(Clone, Default, PartialEq, Debug)]
struct Model {
    members: BTreeSet<String>,
    parked: BTreeSet<String>,
}

impl Model {
    fn carry_out(&mut self, delta: &MemberDelta, known: &BTreeSet<String>) {
        let add = |model: &mut Self, ids: &[String]| {
            for id in ids {
                match known.contains(id) {
                    true => model.members.insert(id.clone()),
                    false => model.parked.insert(id.clone()),
                };
            }
        };
        match delta {
            Add(ids) => add(self, ids),
            Remove(ids) => ids.iter().for_each(|id| _ = self.members.remove(id) | self.parked.remove(id)),
            Replace(ids) => {
                *self = Self::default();
                add(self, ids);
            }
            Clear => *self = Self::default(),
        }
    }
}

pub async fn random_changes_leave_what_a_plain_model_leaves(home: &Home) {
    let (db, mut seed) = (&home.db, 7);
    let mut known: BTreeSet<String> = (0..12).map(|n| format!("u{n}")).collect();
    for id in &known {
        enrol_all(db, &[id]).await;
    }
    found(db, "g", &[]).await;
    let mut model = Model::default();
    for round in 0..150 {
        if round % 10 == 9 {
            let late = format!("u{}", 12 + round / 10);
            enrol_all(db, &[&late]).await;
            if model.parked.remove(&late) {
                model.members.insert(late.clone());
            }
            known.insert(late);
        }
        let (before, version) = (model.clone(), stored(db, "g").await.version);
        let mut wanted = Vec::new();
        for _ in 0..=draw(&mut seed) % 3 {
            let ids = (0..draw(&mut seed) % 6).map(|_| format!("u{}", draw(&mut seed) % 26)).collect();
            wanted.push(match draw(&mut seed) % 8 {
                0..4 => Add(ids),
                4..6 => Remove(ids),
                6 => Replace(ids),
                _ => Clear,
            });
        }
        wanted.iter().for_each(|delta| model.carry_out(delta, &known));
        let changed = turn(db, "g", wanted.clone(), 2_000 + round).await;
        let added = model.members.difference(&before.members).count() as u64;
        let removed = before.members.difference(&model.members).count() as u64;
        assert_eq!((changed.added, changed.removed), (added, removed), "{round} {wanted:?}");
        let moved = u64::from(before != model);
        assert_eq!(changed.group.version, version + moved, "{round} {wanted:?}");
        assert_eq!(changed.group.members, model.members.len() as u64, "{round} {wanted:?}");
        assert_eq!(changed.group.parked, model.parked.len() as u64, "{round} {wanted:?}");
        assert_eq!(members(db, "g").await, model.members.iter().cloned().collect::<Vec<_>>(), "{round} {wanted:?}");
        assert_eq!(parked(db, "g").await, model.parked.iter().cloned().collect::<Vec<_>>(), "{round} {wanted:?}");
        let tally = tally(db).await;
        assert_eq!((tally.memberships, tally.parked), (changed.group.members, changed.group.parked));
    }
}

pub async fn a_whole_company_joins_and_leaves_at_once(home: &Home) {
    let db = &home.db;
    let names: Vec<String> = (0..2_000).map(|n| format!("u{n:05}")).collect();
    let all = names.iter().map(|name| somebody(name)).collect();
    db.roster.create_all(all, super::crowd::act(1_000)).await.unwrap();
    found(db, "g", &[]).await;
    assert_eq!(turn(db, "g", vec![Add(names.clone())], 2_000).await.added, 2_000);
    assert_eq!(members(db, "g").await, names);
    let half = GroupChange { version: Some(2), ..deltas(vec![Replace(names[..1_000].to_vec())]) };
    change(db, "g", half, 3_000).await;
    assert_eq!(members(db, "g").await, names[..1_000]);
    assert_eq!(turn(db, "g", vec![Clear], 4_000).await.removed, 1_000);
    assert!(members(db, "g").await.is_empty());
}
