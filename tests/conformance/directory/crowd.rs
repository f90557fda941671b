//! Users and groups of the provisioned directory, as the tests of groups and lists need them.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use vestibule::directory::Database;
use vestibule::directory::roster::{
    Act, Change, Deletion, GroupChange, GroupChanged, GroupRules, Listing, Page, Place, Subject, Tally, Written,
};
use vestibule::identity::dialect::{SameGroupName, UnknownMembers};
use vestibule::identity::group::MemberDelta;
use vestibule::identity::{GroupId, StoredGroup, StoredUser, User, UserId};

use super::home::{DIRECTORY, at};

pub const RULES: GroupRules = GroupRules { same_name: SameGroupName::Refuse, unknown: UnknownMembers::Park };
pub const STRICT: GroupRules = GroupRules { same_name: SameGroupName::Refuse, unknown: UnknownMembers::Refuse };

/// As many users as a list looks at, `u1` the first of them.
pub const CROWD: &str = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 200000) \
     INSERT INTO users (id, directory, active, sessions_valid_from, attributes, email_verified, former_names, \
     updated_at, version, seq, created_at, changed) SELECT 'u' || n, 'contoso', 1, 0, '{\"userName\":\"u' || n || '\"}', 0, \
     '[]', 0, 1, n, 0, n FROM n; \
     INSERT INTO user_values (directory, attribute, value, holder, user_id) \
     SELECT 'contoso', 'userName', id, '', id FROM users; \
     INSERT INTO tallies (directory, seq, users, inactive, groups, memberships, parked, deletions, released) \
     VALUES ('contoso', 200000, 200000, 0, 0, 0, 0, 0, 0)";

pub fn act(secs: i64) -> Act {
    Act { at: at(secs), by: "test".to_owned(), what: "update", changes: "{}".to_owned() }
}

/// A user with these attributes.
pub fn user(id: &str, attributes: Value) -> StoredUser {
    let attributes: BTreeMap<String, Value> = serde_json::from_value(attributes).unwrap();
    StoredUser {
        user: User {
            id: UserId(id.to_owned()),
            directory: DIRECTORY.to_owned(),
            active: true,
            sessions_valid_from: at(0),
            attributes,
            email_verified: false,
            former_names: Vec::new(),
            updated_at: at(1_000),
        },
        version: 1,
        seq: 0,
        created_at: at(1_000),
        inactive_since: None,
        identity_name: None,
    }
}

/// A user whose names are made of its id.
pub fn somebody(id: &str) -> StoredUser {
    user(id, json!({ "userName": format!("{id}@contoso.com"), "externalId": format!("x-{id}"), "displayName": id }))
}

pub async fn enrol(db: &Database, user: StoredUser) -> StoredUser {
    let at = user.created_at;
    let act = Act { at, ..act(0) };
    match db.roster.create(user, act).await.unwrap() {
        Written::Done(user) => user,
        other => panic!("{other:?}"),
    }
}

pub async fn enrol_all(db: &Database, ids: &[&str]) {
    for id in ids {
        enrol(db, somebody(id)).await;
    }
}

pub async fn dismiss(db: &Database, id: &str, secs: i64) {
    let id = UserId(id.to_owned());
    let gone = db.roster.delete(DIRECTORY, &id, None, Deletion::BySource, act(secs)).await.unwrap();
    assert_eq!(gone, Written::Done(true));
}

pub fn group(id: &str, attributes: Value) -> StoredGroup {
    StoredGroup {
        id: GroupId(id.to_owned()),
        directory: DIRECTORY.to_owned(),
        attributes: serde_json::from_value(attributes).unwrap(),
        head: 0,
        version: 0,
        seq: 0,
        created_at: at(0),
        updated_at: at(0),
        members: 0,
        parked: 0,
    }
}

pub fn texts(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

/// A group named as its id, with members.
pub async fn found(db: &Database, id: &str, members: &[&str]) -> GroupChanged {
    let new = group(id, json!({ "displayName": id, "externalId": format!("x-{id}") }));
    match db.groups.create(new, texts(members), RULES, act(1_000)).await.unwrap() {
        Written::Done(changed) => changed,
        other => panic!("{other:?}"),
    }
}

pub fn deltas(members: Vec<MemberDelta>) -> GroupChange {
    GroupChange { version: None, head: None, rules: RULES, members }
}

pub async fn change(db: &Database, id: &str, change: GroupChange, secs: i64) -> Written<Option<GroupChanged>> {
    db.groups.change(DIRECTORY, &GroupId(id.to_owned()), change, act(secs)).await.unwrap()
}

/// Changes members of a group that is there.
pub async fn turn(db: &Database, id: &str, members: Vec<MemberDelta>, secs: i64) -> GroupChanged {
    match change(db, id, deltas(members), secs).await {
        Written::Done(Some(changed)) => changed,
        other => panic!("{other:?}"),
    }
}

pub async fn stored(db: &Database, id: &str) -> StoredGroup {
    db.groups.group(DIRECTORY, &GroupId(id.to_owned())).await.unwrap().unwrap()
}

pub async fn members(db: &Database, id: &str) -> Vec<String> {
    let all = db.groups.members(DIRECTORY, &GroupId(id.to_owned()), None, 1_000_000).await.unwrap();
    all.into_iter().map(|member| member.id).collect()
}

pub async fn parked(db: &Database, id: &str) -> Vec<String> {
    db.groups.parked(DIRECTORY, &GroupId(id.to_owned()), None, 1_000_000).await.unwrap()
}

pub async fn tally(db: &Database) -> Tally {
    db.sightings.tally(DIRECTORY).await.unwrap()
}

pub async fn feed(db: &Database, after: u64) -> Vec<Change> {
    db.feed.changes(DIRECTORY, after, 1_000_000).await.unwrap()
}

pub async fn newest(db: &Database) -> u64 {
    db.feed.newest(DIRECTORY).await.unwrap()
}

pub fn membership(group: &str, member: &str) -> Subject {
    Subject::Membership { group: GroupId(group.to_owned()), member: member.to_owned() }
}

/// The first page of everything.
pub fn listing() -> Listing {
    Listing { directory: DIRECTORY.to_owned(), filter: None, sort: None, place: Place::First, limit: 100 }
}

pub fn ids(page: &Page<StoredUser>) -> Vec<&str> {
    page.items.iter().map(|user| user.user.id.0.as_str()).collect()
}
