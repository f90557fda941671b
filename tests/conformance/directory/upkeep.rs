//! What is done to many users without being asked for by a source.

use serde_json::json;
use vestibule::base::Digest;
use vestibule::directory::roster::{Deletion, Erased, SetAside, Sighting, Subject, SyncClient, SyncKind, Written};
use vestibule::directory::{Activity, Database};
use vestibule::identity::{StoredUser, UserId};

use super::crowd::found;
use super::home::{DIRECTORY, Home, act, at, done, enrol, find, provisioned, switched, with};

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

async fn confirm(db: &Database, confirmed: &[&str], secs: i64) -> (Vec<String>, Vec<String>) {
    db.upkeep.confirm(DIRECTORY, &names(confirmed), at(secs)).await.unwrap()
}

async fn read(db: &Database, name: &str) -> StoredUser {
    db.roster.user(DIRECTORY, &UserId(format!("id-{name}"))).await.unwrap().unwrap()
}

/// Three users, of whom two have a department.
async fn three(db: &Database) {
    for name in ["ada", "bea"] {
        enrol(db, with(provisioned(name), "department", json!("R&D"))).await;
    }
    enrol(db, provisioned("cleo")).await;
}

pub async fn what_is_confirmed_no_longer_is_set_aside_until_it_is_confirmed_again(home: &Home) {
    let db = &home.db;
    let nothing = (Vec::new(), Vec::new());
    assert_eq!(confirm(db, &["userName", "title", "department"], 10).await, nothing);
    assert_eq!(confirm(db, &["department", "title", "userName"], 20).await, nothing);
    assert_eq!(confirm(&(home.reopen)(), &["userName", "title"], 30).await, (names(&["department"]), Vec::new()));
    assert_eq!(confirm(db, &["userName", "title"], 40).await, nothing, "it is so already");
    let aside = SetAside { directory: DIRECTORY.to_owned(), attribute: "department".to_owned(), since: at(30) };
    assert_eq!(db.upkeep.set_aside().await.unwrap(), [aside]);
    let both = (names(&["title"]), names(&["department"]));
    assert_eq!(confirm(db, &["userName", "department", "new"], 50).await, both);
    let all = db.upkeep.set_aside().await.unwrap();
    assert_eq!(all.iter().map(|one| (one.attribute.as_str(), one.since)).collect::<Vec<_>>(), [("title", at(50))]);
}

pub async fn those_who_have_an_attribute_are_counted_and_announced(home: &Home) {
    let db = &home.db;
    three(db).await;
    assert_eq!(db.upkeep.holders_of(DIRECTORY, "department").await.unwrap(), 2);
    assert_eq!(db.upkeep.holders_of(DIRECTORY, "userName").await.unwrap(), 3);
    assert_eq!(db.upkeep.holders_of(DIRECTORY, "title").await.unwrap(), 0);
    assert_eq!(db.upkeep.holders_of("fabrikam", "userName").await.unwrap(), 0);
    let before = read(db, "ada").await;
    assert_eq!(db.upkeep.announce(DIRECTORY, "department", 0, 9, at(4_000)).await.unwrap(), None, "no list changed");
    confirm(db, &["department", "userName"], 10).await;
    confirm(db, &["userName"], 20).await;
    let first = db.upkeep.announce(DIRECTORY, "department", 0, 1, at(5_000)).await.unwrap();
    assert_eq!(first, Some(1));
    let second = db.upkeep.announce(DIRECTORY, "department", 1, 9, at(5_000)).await.unwrap();
    assert_eq!(second, Some(2));
    assert_eq!(db.upkeep.announce(DIRECTORY, "department", 2, 9, at(5_000)).await.unwrap(), None);
    let changes = db.feed.changes(DIRECTORY, 3, 9).await.unwrap();
    let ids: Vec<_> = changes.iter().map(|change| (change.seq, change.subject.clone(), change.at)).collect();
    let user = |name: &str| Subject::User(UserId(name.to_owned()));
    assert_eq!(ids, [(4, user("id-ada"), at(5_000)), (5, user("id-bea"), at(5_000))]);
    let after = read(db, "ada").await;
    assert_eq!((after.version, &after.user.attributes), (2, &before.user.attributes), "it shows otherwise now");
}

pub async fn only_what_is_set_aside_is_erased_and_then_forgotten(home: &Home) {
    let db = &home.db;
    three(db).await;
    let before = read(db, "ada").await;
    let erase = async |after, limit| {
        let Erased { users, go_on } = db.upkeep.erase(DIRECTORY, "department", after, limit).await.unwrap();
        (users, go_on)
    };
    assert_eq!(erase(0, 9).await, (0, None));
    confirm(db, &["department", "userName"], 10).await;
    assert_eq!(erase(0, 9).await, (0, None), "it is confirmed");
    assert_eq!(read(db, "ada").await, before);
    confirm(db, &["userName"], 20).await;
    assert_eq!(erase(0, 1).await, (1, Some(1)));
    assert_eq!(db.upkeep.holders_of(DIRECTORY, "department").await.unwrap(), 1);
    assert_eq!(db.upkeep.set_aside().await.unwrap().len(), 1);
    // A server that went by an older list has written one behind: it is not forgotten.
    let late = with(read(db, "ada").await, "department", json!("late"));
    done(db.roster.replace(late, act("update", 25)).await);
    assert_eq!(erase(1, 9).await, (1, Some(2)));
    assert_eq!(erase(2, 9).await, (1, Some(1)), "from the first one again");
    assert_eq!(db.upkeep.set_aside().await.unwrap().len(), 1);
    assert_eq!(erase(1, 9).await, (0, None));
    assert_eq!(db.upkeep.set_aside().await.unwrap(), []);
    let after = read(db, "ada").await;
    assert!(!after.user.attributes.contains_key("department"));
    assert_eq!(after.user.text("userName"), before.user.text("userName"));
    assert_eq!(db.roster.replace(before, act("update", 30)).await.unwrap(), Written::Stale, "lest it come back");
}

pub async fn what_users_no_longer_have_groups_keep(home: &Home) {
    let db = &home.db;
    three(db).await;
    let group = found(db, "g1", &[]).await.group;
    confirm(db, &["userName", "displayName", "externalId"], 10).await;
    confirm(db, &["userName"], 20).await;
    for attribute in ["displayName", "externalId"] {
        assert_eq!(db.upkeep.holders_of(DIRECTORY, attribute).await.unwrap(), 3, "only users");
        let mut after = 0;
        while let Some(next) = db.upkeep.erase(DIRECTORY, attribute, after, 2).await.unwrap().go_on {
            after = next;
        }
        assert_eq!(db.upkeep.holders_of(DIRECTORY, attribute).await.unwrap(), 0);
        assert!(find(db, attribute, "ada").await.is_empty());
    }
    assert_eq!(db.groups.group(DIRECTORY, &group.id).await.unwrap(), Some(group));
    // The erased externalId is free for another.
    enrol(db, with(provisioned("dora"), "externalId", json!("x-ada"))).await;
}

pub async fn those_off_longest_come_first(home: &Home) {
    let db = &home.db;
    for (name, secs) in [("ada", 3_000), ("bea", 2_000), ("cleo", 4_000)] {
        let user = enrol(db, provisioned(name)).await;
        done(db.roster.replace(switched(user, Activity::Inactive), act("update", secs)).await);
    }
    enrol(db, provisioned("dora")).await;
    let before = async |secs, limit| -> Vec<String> {
        let some = db.upkeep.inactive_between(DIRECTORY, at(0), at(secs), limit).await.unwrap();
        some.into_iter().map(|user| user.user.id.0).collect()
    };
    assert_eq!(before(9_000, 9).await, ["id-bea", "id-ada", "id-cleo"]);
    assert_eq!(before(9_000, 1).await, ["id-bea"]);
    assert_eq!(before(3_000, 9).await, ["id-bea"]);
    assert_eq!(db.upkeep.inactive_between("fabrikam", at(0), at(9_000), 9).await.unwrap(), []);
}

pub async fn a_release_is_given_by_one_who_knows_what_it_was(home: &Home) {
    let (db, other) = (&home.db.upkeep, (home.reopen)().upkeep);
    assert_eq!(db.released(DIRECTORY).await.unwrap(), 0);
    assert!(!db.release(DIRECTORY, 5, 6).await.unwrap());
    assert!(db.release(DIRECTORY, 0, 10).await.unwrap());
    assert!(!other.release(DIRECTORY, 0, 20).await.unwrap());
    assert!(other.release(DIRECTORY, 10, 20).await.unwrap());
    assert_eq!(db.released(DIRECTORY).await.unwrap(), 20);
    assert_eq!(enrol(&home.db, provisioned("ada")).await.seq, 1, "it is no change");
    assert_eq!(db.released(DIRECTORY).await.unwrap(), 20);
}

pub async fn an_index_that_is_wanted_is_built_and_kept(home: &Home) {
    let db = &home.db;
    for always in ["userName", "externalId", "displayName", "emails"] {
        assert!(db.upkeep.want_index(DIRECTORY, always).await.unwrap(), "{always}");
    }
    let number = |name: &str, number: &str| with(provisioned(name), "employeeNumber", json!(number));
    for name in ["ada", "bea", "cleo", "dora"] {
        enrol(db, number(name, "A7")).await;
    }
    assert!(!db.upkeep.want_index(DIRECTORY, "employeeNumber").await.unwrap());
    assert!(!db.upkeep.build_index(DIRECTORY, "employeeNumber", 2).await.unwrap());
    // What is written meanwhile is indexed at once, on either side of where the work has come.
    let ada = done(db.roster.replace(StoredUser { version: 1, ..number("ada", "B8") }, act("update", 2)).await);
    done(db.roster.replace(StoredUser { version: 1, ..number("dora", "B8") }, act("update", 2)).await);
    enrol(db, number("eve", "a7")).await;
    assert_eq!(find(db, "employeeNumber", "B8").await.len(), 2);
    assert!(!db.upkeep.build_index(DIRECTORY, "employeeNumber", 2).await.unwrap());
    assert!(!db.upkeep.want_index(DIRECTORY, "employeeNumber").await.unwrap());
    assert!(db.upkeep.build_index(DIRECTORY, "employeeNumber", 2).await.unwrap());
    assert!(db.upkeep.want_index(DIRECTORY, "employeeNumber").await.unwrap());
    let mut held = find(db, "employeeNumber", "B8").await;
    held.sort();
    assert_eq!(held, ["id-ada", "id-dora"]);
    assert_eq!(find(db, "employeeNumber", "a7").await, ["id-eve"], "exactly");
    let gone = db.roster.delete(DIRECTORY, &ada.user.id, None, Deletion::BySource, act("delete", 3)).await;
    assert!(done(gone));
    assert_eq!(find(db, "employeeNumber", "B8").await, ["id-dora"]);
    assert!(find(db, "employeeNumber", "").await.is_empty());
}

pub async fn a_credential_leads_to_its_scratch_scope_until_nothing_is_left_of_it(home: &Home) {
    let db = &home.db;
    let scope = "contoso~doctor";
    enrol(db, provisioned("ada")).await;
    let credential = SyncClient {
        id: "scim-doctor".to_owned(),
        directory: DIRECTORY.to_owned(),
        scope: scope.to_owned(),
        name: "doctor".to_owned(),
        kind: SyncKind::Token,
        secret: Digest::of("a token"),
        created: at(1_000),
        expires: at(2_000),
        last_used: None,
    };
    assert!(db.sync_clients.create(credential, 2).await.unwrap());
    for name in ["s0", "s1", "s2"] {
        let mut user = provisioned(name);
        user.user.directory = scope.to_owned();
        enrol(db, user).await;
    }
    let left_behind = async || db.upkeep.scopes_left_behind().await.unwrap();
    assert_eq!(left_behind().await, [""; 0]);
    assert!(!db.upkeep.clear_scope(scope, 1).await.unwrap());
    assert!(db.sync_clients.by_id("scim-doctor").await.unwrap().is_some(), "whoever is killed now finds the way again");
    assert!(db.sync_clients.revoke("scim-doctor").await.unwrap());
    assert_eq!(left_behind().await, [scope], "and where there is no credential it is found all the same");
    while !db.upkeep.clear_scope(scope, 1).await.unwrap() {}
    assert_eq!(left_behind().await, [""; 0]);
    let late = Sighting {
        directory: scope.to_owned(),
        kind: "call".to_owned(),
        name: "GET Users".to_owned(),
        count: 1,
        last: at(3_000),
    };
    db.sightings.add(vec![late]).await.unwrap();
    assert_eq!(left_behind().await, [scope]);
}

pub async fn an_announcement_is_gone_on_with_by_another_where_the_first_ended(home: &Home) {
    let (db, other) = (&home.db, (home.reopen)());
    for name in ["ada", "bea", "cleo", "dora", "eve"] {
        enrol(db, with(provisioned(name), "department", json!("R&D"))).await;
    }
    confirm(db, &["userName", "department"], 10).await;
    confirm(db, &["userName"], 20).await;
    let noted = async |db: &Database| {
        let all = db.upkeep.attribute_lists().await.unwrap();
        all.into_iter().find(|listed| listed.attribute == "department").unwrap().announce_after
    };
    let before = db.feed.newest(DIRECTORY).await.unwrap();
    let announce =
        async |db: &Database, after| db.upkeep.announce(DIRECTORY, "department", after, 2, at(30)).await.unwrap();
    assert_eq!(announce(db, 0).await, Some(2));
    assert_eq!(noted(&other).await, Some(2), "so much outlives a kill");
    assert_eq!(announce(&other, 0).await, None, "who comes late does nothing twice");
    assert_eq!(announce(&other, 2).await, Some(4));
    // Confirmed again meanwhile: everybody is announced anew, and the old walk ends.
    assert_eq!(confirm(db, &["userName", "department"], 40).await.1, names(&["department"]));
    assert_eq!((announce(&other, 4).await, noted(db).await), (None, Some(0)));
    for after in [0, 2, 4, 5] {
        announce(db, after).await;
    }
    assert_eq!(noted(db).await, None);
    let told = db.feed.changes(DIRECTORY, before, 99).await.unwrap();
    assert_eq!(told.len(), 5, "each is there once, with its last change");
}

pub async fn a_scratch_scope_is_cleared_and_nothing_else(home: &Home) {
    let db = &home.db;
    three(db).await;
    let scope = "contoso~doctor";
    let people: Vec<StoredUser> = (0..7)
        .map(|n| {
            let mut user = provisioned(&format!("s{n}"));
            user.user.directory = scope.to_owned();
            user
        })
        .collect();
    assert_eq!(done(db.roster.create_all(people, act("create", 1_000)).await).len(), 7);
    for id in ["id-s0", "id-s1"] {
        let deletion = Deletion::ByPolicy { kept_until: at(9_000) };
        let id = UserId(id.to_owned());
        assert!(done(db.roster.delete(scope, &id, None, deletion, act("delete", 2_000)).await));
    }
    assert!(db.users.set_active(&UserId("id-s2".to_owned()), Activity::Inactive, at(2_000)).await.unwrap());
    db.users.set_active(&UserId("id-cleo".to_owned()), Activity::Inactive, at(2_000)).await.unwrap();
    assert!(!db.upkeep.want_index(scope, "title").await.unwrap());
    db.upkeep.confirm(scope, &names(&["title"]), at(1)).await.unwrap();
    assert!(db.feed.advance(scope, "access", 0, 1).await.unwrap());
    let before = db.feed.changes(DIRECTORY, 0, 99).await.unwrap();

    let mut rounds = 0;
    while !db.upkeep.clear_scope(scope, 2).await.unwrap() {
        rounds += 1;
        assert!(rounds < 20);
    }
    assert!(rounds > 2, "some rows at a time");
    assert_eq!(db.feed.changes(scope, 0, 99).await.unwrap(), []);
    assert_eq!((db.feed.newest(scope).await.unwrap(), db.feed.position(scope, "access").await.unwrap()), (0, 0));
    assert_eq!(db.sightings.tally(scope).await.unwrap(), Default::default());
    assert_eq!(db.audits.of_directory(scope, None, 9).await.unwrap(), []);
    assert_eq!(db.upkeep.removed_by_policy(scope, at(0)).await.unwrap(), 0);
    assert_eq!(db.users.find(scope, "userName", "s3@contoso.com").await.unwrap(), []);
    assert_eq!(db.feed.changes(DIRECTORY, 0, 99).await.unwrap(), before);
    assert_eq!(db.sightings.tally(DIRECTORY).await.unwrap().users, 3);
    let leaving = db.notices.claim_leavings(9, at(9_000), at(9_001)).await.unwrap();
    assert!(leaving.iter().any(|leaving| leaving.user.0 == "id-cleo"));
    assert!(!leaving.iter().any(|leaving| leaving.user.0 == "id-s2"), "of those who are no more nobody tells");
    assert_eq!(db.upkeep.scopes_left_behind().await.unwrap(), [""; 0]);
    let mut again = provisioned("s0");
    again.user.directory = scope.to_owned();
    again.user.id = UserId("fresh".to_owned());
    assert_eq!(enrol(db, again).await.user.id.0, "fresh", "no id is kept");
}
