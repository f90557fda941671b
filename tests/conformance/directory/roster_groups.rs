//! Users as members of groups.

use std::collections::BTreeMap;

use serde_json::json;
use vestibule::base::Moment;
use vestibule::directory::Database;
use vestibule::directory::roster::{Change, Deletion, GroupRules, Subject};
use vestibule::identity::dialect::{SameGroupName, UnknownMembers};
use vestibule::identity::{GroupId, StoredGroup, UserId};

use super::home::{DIRECTORY, Home, act, at, done, enrol, provisioned, with};

const RULES: GroupRules = GroupRules { same_name: SameGroupName::Refuse, unknown: UnknownMembers::Park };

async fn group(db: &Database, name: &str, members: &[&str]) -> StoredGroup {
    let group = StoredGroup {
        id: GroupId(format!("g-{name}")),
        directory: DIRECTORY.to_owned(),
        attributes: BTreeMap::from([("displayName".to_owned(), json!(name))]),
        head: 0,
        version: 0,
        seq: 0,
        created_at: Moment::from_ms(0),
        updated_at: Moment::from_ms(0),
        members: 0,
        parked: 0,
    };
    let members = members.iter().map(|member| (*member).to_owned()).collect();
    done(db.groups.create(group, members, RULES, act("create", 1_000)).await).group
}

async fn now(db: &Database, group: &StoredGroup) -> StoredGroup {
    db.groups.group(DIRECTORY, &group.id).await.unwrap().unwrap()
}

async fn members(db: &Database, group: &StoredGroup) -> Vec<String> {
    let members = db.groups.members(DIRECTORY, &group.id, None, 100).await.unwrap();
    members.into_iter().map(|member| member.id).collect()
}

/// The memberships in the feed behind a number: in which group, and whether they are gone.
async fn memberships(db: &Database, after: u64) -> Vec<(String, bool)> {
    let membership = |change: Change| match change.subject {
        Subject::Membership { group, .. } => Some((group.0, change.gone.is_some())),
        _ => None,
    };
    db.feed.changes(DIRECTORY, after, 1_000).await.unwrap().into_iter().filter_map(membership).collect()
}

pub async fn a_parked_member_becomes_one_when_the_user_appears(home: &Home) {
    let db = &home.db;
    let (staff, heads) = (group(db, "staff", &["id-ada", "id-bea"]).await, group(db, "heads", &["id-ada"]).await);
    assert_eq!((staff.members, staff.parked), (0, 2));
    let newest = db.feed.newest(DIRECTORY).await.unwrap();
    enrol(db, provisioned("ada")).await;
    for (group, parked) in [(&staff, 1), (&heads, 0)] {
        let after = now(db, group).await;
        assert_eq!((after.members, after.parked, after.version), (1, parked, group.version + 1));
        assert_eq!(members(db, group).await, ["id-ada"]);
    }
    let mut told = memberships(db, newest).await;
    told.sort();
    assert_eq!(told, [("g-heads".to_owned(), false), ("g-staff".to_owned(), false)]);
    let tally = db.sightings.tally(DIRECTORY).await.unwrap();
    assert_eq!((tally.memberships, tally.parked), (2, 1));
    let mut elsewhere = provisioned("bea");
    elsewhere.user.directory = "fabrikam".to_owned();
    enrol(db, elsewhere).await;
    assert_eq!(now(db, &staff).await.parked, 1, "of another directory");
}

pub async fn a_deleted_user_leaves_its_groups(home: &Home) {
    let db = &home.db;
    let ada = enrol(db, provisioned("ada")).await;
    enrol(db, provisioned("bea")).await;
    let staff = group(db, "staff", &["id-ada", "id-bea"]).await;
    let newest = db.feed.newest(DIRECTORY).await.unwrap();
    done(db.roster.delete(DIRECTORY, &ada.user.id, None, Deletion::BySource, act("delete", 5_000)).await);
    let after = now(db, &staff).await;
    assert_eq!((after.members, after.version, after.updated_at), (1, staff.version + 1, at(5_000)));
    assert_eq!(members(db, &staff).await, ["id-bea"]);
    assert_eq!(db.sightings.tally(DIRECTORY).await.unwrap().memberships, 1);
    let told = db.feed.changes(DIRECTORY, newest, 100).await.unwrap();
    let place = |subject: &Subject| told.iter().position(|change| change.subject == *subject && change.gone.is_some());
    let membership = Subject::Membership { group: staff.id.clone(), member: "id-ada".to_owned() };
    let (first, second) = (place(&membership).unwrap(), place(&Subject::User(ada.user.id)).unwrap());
    assert!(first < second, "a membership goes before its user");
    // Each has a number of its own, so that a page may end anywhere.
    let mut one_by_one = Vec::new();
    while let [change] = &db
        .feed
        .changes(DIRECTORY, one_by_one.last().map_or(newest, |change: &Change| change.seq), 1)
        .await
        .unwrap()[..]
    {
        one_by_one.push(change.clone());
    }
    assert_eq!(one_by_one, told);
}

pub async fn an_id_that_comes_back_is_member_where_it_is_awaited(home: &Home) {
    let db = &home.db;
    let ada = enrol(db, provisioned("ada")).await;
    let deletion = Deletion::ByPolicy { kept_until: at(9_000) };
    done(db.roster.delete(DIRECTORY, &ada.user.id, None, deletion, act("delete", 5_000)).await);
    let staff = group(db, "staff", &["id-ada"]).await;
    let mut back = with(provisioned("back"), "externalId", json!("x-ada"));
    back.user.id = UserId("fresh".to_owned());
    assert_eq!(enrol(db, back).await.user.id.0, "id-ada");
    assert_eq!(members(db, &staff).await, ["id-ada"]);
}
