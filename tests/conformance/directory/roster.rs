//! Users as SCIM writes them.

use serde_json::json;
use tokio::task::JoinSet;
use vestibule::directory::roster::{Deletion, Written};
use vestibule::directory::{Activity, Database, Leaving};
use vestibule::identity::{StoredUser, UserId};
use vestibule::oidc::ClientId;
use vestibule::token::family::Family;

use super::home::{
    DIRECTORY, Home, act, at, bound_family, done, enrol, family, family_id, find, provisioned, switched, taken, with,
};

async fn read(db: &Database, name: &str) -> Option<StoredUser> {
    db.roster.user(DIRECTORY, &UserId(format!("id-{name}"))).await.unwrap()
}

async fn holder(db: &Database, attribute: &str, value: &str) -> Option<String> {
    db.roster.holder(DIRECTORY, attribute, value).await.unwrap().map(|user| user.user.id.0)
}

async fn delete(db: &Database, user: &StoredUser, deletion: Deletion, secs: i64) -> Written<bool> {
    db.roster.delete(DIRECTORY, &user.user.id, Some(user.version), deletion, act("delete", secs)).await.unwrap()
}

async fn leavings(db: &Database) -> Vec<Leaving> {
    db.notices.claim_leavings(100, at(90_000), at(90_000)).await.unwrap()
}

pub async fn a_new_user_gets_its_place_version_and_times(home: &Home) {
    let sent = provisioned("ada");
    let ada = enrol(&home.db, sent.clone()).await;
    assert_eq!((ada.version, ada.seq, ada.created_at, ada.user.updated_at), (1, 1, at(1_000), at(1_000)));
    assert_eq!((&ada.user.attributes, &ada.user.id), (&sent.user.attributes, &sent.user.id));
    let other = (home.reopen)();
    assert_eq!(read(&other, "ada").await, Some(ada));
    let bea = switched(provisioned("bea"), Activity::Inactive);
    let bea = done(other.roster.create(bea, act("create", 1_001)).await);
    assert_eq!((bea.seq, bea.inactive_since), (2, Some(at(1_001))));
    assert_eq!(read(&home.db, "bea").await, Some(bea));
    assert_eq!(leavings(&home.db).await, [], "who never was in doesn't leave");
}

pub async fn a165_a_user_is_read_in_its_own_directory_only(home: &Home) {
    let ada = enrol(&home.db, provisioned("ada")).await;
    let db = &home.db;
    assert_eq!(db.roster.user("fabrikam", &ada.user.id).await.unwrap(), None);
    assert_eq!(db.roster.holder("fabrikam", "externalId", "x-ada").await.unwrap(), None);
    let foreign = db.roster.delete("fabrikam", &ada.user.id, None, Deletion::BySource, act("delete", 2_000)).await;
    assert_eq!(foreign.unwrap(), Written::Done(false));
    let mut moved = ada.clone();
    moved.user.directory = "fabrikam".to_owned();
    assert_eq!(db.roster.replace(moved, act("update", 2_000)).await.unwrap(), Written::Stale);
    assert_eq!(read(db, "ada").await, Some(ada));
    let mut namesake = provisioned("ada");
    namesake.user.directory = "fabrikam".to_owned();
    namesake.user.id = UserId("id-other".to_owned());
    assert_eq!(enrol(db, namesake).await.seq, 1, "each directory counts for itself");
}

pub async fn the_holder_of_a_name_or_external_id_is_found(home: &Home) {
    enrol(&home.db, with(provisioned("ada"), "userName", json!("ÄDA"))).await;
    assert_eq!(holder(&home.db, "userName", "a\u{308}da").await.as_deref(), Some("id-ada"));
    assert_eq!(holder(&home.db, "externalId", "x-ada").await.as_deref(), Some("id-ada"));
    assert_eq!(holder(&home.db, "externalId", "X-ADA").await, None, "exact");
    for (attribute, value) in [("userName", "ada"), ("userName", ""), ("externalId", ""), ("displayName", "ada")] {
        assert_eq!(holder(&home.db, attribute, value).await, None, "{attribute} {value}");
    }
}

pub async fn what_logins_ask_sees_users_of_scim(home: &Home) {
    let ada = with(provisioned("ada"), "department", json!("R&D"));
    let ada = enrol(&home.db, ada).await;
    for (attribute, value) in
        [("userName", "ADA@contoso.com"), ("externalId", "x-ada"), ("emails", "ada@contoso.com"), ("department", "R&D")]
    {
        assert_eq!(find(&home.db, attribute, value).await, ["id-ada"], "{attribute}");
    }
    assert_eq!(home.db.users.user(&ada.user.id).await.unwrap(), Some(ada.user));
}

pub async fn a_name_or_external_id_of_another_is_taken_and_nothing_is_written(home: &Home) {
    let db = &home.db;
    let ada = enrol(db, provisioned("ada")).await;
    let same_name = with(provisioned("bea"), "userName", json!("ADA@Contoso.com"));
    let same_key = with(provisioned("bea"), "externalId", json!("x-ada"));
    let of_ada = |attribute: &str| (attribute.to_owned(), "id-ada".to_owned(), Some("x-ada".to_owned()));
    assert_eq!(taken(db.roster.create(same_name.clone(), act("create", 2)).await), of_ada("userName"));
    assert_eq!(taken(db.roster.create(same_key.clone(), act("create", 2)).await), of_ada("externalId"));
    let mut same_id = provisioned("bea");
    same_id.user.id = ada.user.id.clone();
    assert_eq!(taken(db.roster.create(same_id, act("create", 2)).await).0, "id");
    assert_eq!((read(db, "bea").await, db.sightings.tally(DIRECTORY).await.unwrap().users), (None, 1));

    let bea = enrol(db, provisioned("bea")).await;
    assert_eq!(bea.seq, 2, "what was undone took no number");
    for (thief, attribute) in [(same_name, "userName"), (same_key, "externalId")] {
        let thief = StoredUser { version: 1, ..thief };
        assert_eq!(taken(db.roster.replace(thief, act("update", 2_000)).await), of_ada(attribute));
    }
    assert_eq!(read(db, "bea").await, Some(bea));
    assert_eq!(read(db, "ada").await, Some(ada));
    assert_eq!(find(db, "userName", "bea@contoso.com").await, ["id-bea"], "and is still found");
    assert_eq!(db.audits.of_directory(DIRECTORY, None, 10).await.unwrap().len(), 2);
}

pub async fn a_replacement_is_written_over_the_version_that_was_read_only(home: &Home) {
    let db = &home.db;
    let ada = enrol(db, with(provisioned("ada"), "title", json!("Miss"))).await;
    let mut next = with(ada.clone(), "userName", json!("king@contoso.com"));
    next.user.attributes.remove("title");
    next.user.former_names = vec!["ada@contoso.com".to_owned()];
    next.identity_name = Some("kept".to_owned());
    // What the store sets is not taken from whoever writes.
    (next.seq, next.created_at) = (77, at(7));
    let written = done(db.roster.replace(next.clone(), act("update", 2_000)).await);
    assert_eq!((written.version, written.seq, written.created_at), (2, ada.seq, at(1_000)));
    assert_eq!((written.user.updated_at, written.identity_name.as_deref()), (at(2_000), Some("kept")));
    assert_eq!(written.user.attributes, next.user.attributes);
    assert_eq!(read(&(home.reopen)(), "ada").await, Some(written.clone()));
    assert_eq!(holder(db, "userName", "ada@contoso.com").await, None);
    assert_eq!(holder(db, "userName", "king@contoso.com").await.as_deref(), Some("id-ada"));

    assert_eq!(db.roster.replace(ada.clone(), act("update", 3_000)).await.unwrap(), Written::Stale);
    let nobody = StoredUser { version: 1, ..provisioned("nobody") };
    assert_eq!(db.roster.replace(nobody, act("update", 3_000)).await.unwrap(), Written::Stale);
    assert_eq!(delete(db, &ada, Deletion::BySource, 3_000).await, Written::Stale);
    assert_eq!(read(db, "ada").await, Some(written));
}

pub async fn switching_off_by_scim_ends_what_was_issued_and_notes_a_leaving(home: &Home) {
    let db = &home.db;
    let ada = enrol(db, provisioned("ada")).await;
    db.families.begin(bound_family("f", "s")).await.unwrap();
    let off = done(db.roster.replace(switched(ada, Activity::Inactive), act("update", 5_000)).await);
    assert_eq!((off.inactive_since, off.user.sessions_valid_from), (Some(at(5_000)), at(5_000)));
    let standing = db.users.standing(&off.user.id, None, &[&family_id("f")]).await.unwrap().unwrap();
    assert!(!standing.user.active && standing.family_revoked);
    let left = Leaving { user: off.user.id.clone(), at: at(5_000), clients: vec![ClientId("rp".to_owned())] };
    assert_eq!(leavings(db).await, std::slice::from_ref(&left));
    assert_eq!(db.sightings.tally(DIRECTORY).await.unwrap().inactive, 1);

    let renamed = with(off, "displayName", json!("gone"));
    let renamed = done(db.roster.replace(renamed, act("update", 6_000)).await);
    assert_eq!(renamed.inactive_since, Some(at(5_000)), "it is off since then");
    assert_eq!(leavings(db).await, [left], "and leaves once");

    let on = done(db.roster.replace(switched(renamed, Activity::Active), act("update", 7_000)).await);
    assert_eq!((on.inactive_since, on.user.sessions_valid_from), (None, at(7_000)), "nothing from before comes back");
    assert_eq!(db.sightings.tally(DIRECTORY).await.unwrap().inactive, 0);
}

pub async fn a_deleted_user_is_gone_and_its_clients_are_told(home: &Home) {
    let db = &home.db;
    let ada = enrol(db, provisioned("ada")).await;
    let bea = enrol(db, provisioned("bea")).await;
    db.families.begin(family("f", "s")).await.unwrap();
    db.families.begin(Family { client: ClientId("other".to_owned()), ..family("g", "s") }).await.unwrap();
    assert_eq!(delete(db, &ada, Deletion::BySource, 5_000).await, Written::Done(true));
    assert_eq!(read(db, "ada").await, None);
    assert_eq!(db.users.standing(&ada.user.id, None, &[]).await.unwrap(), None);
    assert!(db.families.is_revoked(&family_id("f")).await.unwrap());
    let clients = ["other", "rp"].map(|id| ClientId(id.to_owned())).to_vec();
    assert_eq!(leavings(db).await, [Leaving { user: ada.user.id.clone(), at: at(5_000), clients }]);
    assert_eq!(delete(db, &ada, Deletion::BySource, 5_001).await, Written::Done(false));
    for (attribute, value) in [("userName", "ada@contoso.com"), ("externalId", "x-ada"), ("emails", "ada@contoso.com")]
    {
        assert_eq!(find(db, attribute, value).await, Vec::<String>::new(), "{attribute}");
    }
    assert_eq!(read(db, "bea").await, Some(bea));
    let mut heir = provisioned("ada");
    heir.user.id = UserId("id-heir".to_owned());
    let heir = enrol(db, heir).await;
    assert_eq!((heir.user.id.0.as_str(), heir.seq > 2), ("id-heir", true), "name and key are free at once");
    assert_eq!(db.sightings.tally(DIRECTORY).await.unwrap().users, 2);
}

pub async fn a_user_who_was_off_is_deleted_without_leaving_again(home: &Home) {
    let db = &home.db;
    let ada = enrol(db, provisioned("ada")).await;
    let off = done(db.roster.replace(switched(ada, Activity::Inactive), act("update", 5_000)).await);
    let told = leavings(db).await.remove(0);
    db.notices.close_leaving(&told, Vec::new()).await.unwrap();
    assert_eq!(delete(db, &off, Deletion::BySource, 6_000).await, Written::Done(true));
    assert_eq!(leavings(db).await, []);
    let tally = db.sightings.tally(DIRECTORY).await.unwrap();
    assert_eq!((tally.users, tally.inactive), (0, 0));
}

pub async fn an_id_kept_by_policy_comes_back_with_its_external_id(home: &Home) {
    let db = &home.db;
    let kept_until = at(9_000);
    let ada = enrol(db, provisioned("ada")).await;
    assert_eq!(delete(db, &ada, Deletion::ByPolicy { kept_until }, 5_000).await, Written::Done(true));
    assert_eq!(db.upkeep.removed_by_policy(DIRECTORY, at(5_000)).await.unwrap(), 1);
    assert_eq!(db.upkeep.removed_by_policy(DIRECTORY, at(5_001)).await.unwrap(), 0);
    let fresh = |name: &str, key: &str| {
        let mut user = with(provisioned(name), "externalId", json!(key));
        user.user.id = UserId(format!("fresh-{name}"));
        user
    };
    let other = done(db.roster.create(fresh("other", "X-ADA"), act("create", 6_000)).await);
    assert_eq!(other.user.id.0, "fresh-other");
    let back = done(db.roster.create(fresh("back", "x-ada"), act("create", 6_000)).await);
    assert_eq!(back.user.id.0, "id-ada");
    assert_eq!(back.user.sessions_valid_from, at(6_000), "nothing of before holds for it");
    assert_eq!(read(db, "ada").await, Some(back.clone()));
    assert_eq!(db.audits.of_object(DIRECTORY, "id-ada", 1).await.unwrap()[0].what, "create");

    assert_eq!(delete(db, &back, Deletion::BySource, 7_000).await, Written::Done(true));
    let anew = done(db.roster.create(fresh("anew", "x-ada"), act("create", 7_001)).await);
    assert_eq!(anew.user.id.0, "fresh-anew", "the source's own deletion keeps nothing");
    assert_eq!(delete(db, &anew, Deletion::ByPolicy { kept_until }, 8_000).await, Written::Done(true));
    let late = done(db.roster.create(fresh("late", "x-ada"), act("create", 9_000)).await);
    assert_eq!(late.user.id.0, "fresh-late", "it waits until then");
}

pub async fn an_import_is_written_as_a_whole_or_not_at_all(home: &Home) {
    let db = &home.db;
    let people = |from: usize, to: usize| (from..to).map(|n| provisioned(&format!("p{n}"))).collect::<Vec<_>>();
    assert_eq!(done(db.roster.create_all(people(0, 300), act("import", 1_000)).await).len(), 300);
    let last = read(db, "p299").await.unwrap();
    assert_eq!((last.seq, last.version, last.created_at), (300, 1, at(1_000)));
    assert_eq!(find(db, "userName", "P7@contoso.com").await, ["id-p7"]);
    let mut clash = people(300, 320);
    clash.push(with(provisioned("late"), "userName", json!("p5@contoso.com")));
    let by = taken(db.roster.create_all(clash, act("import", 1_000)).await);
    assert_eq!(by, ("userName".to_owned(), "id-p5".to_owned(), Some("x-p5".to_owned())));
    assert_eq!(read(db, "p300").await, None);
    assert_eq!(db.sightings.tally(DIRECTORY).await.unwrap().users, 300);
    assert_eq!(done(db.roster.create_all(Vec::new(), act("import", 1_000)).await), []);
}

pub async fn many_emails_and_equal_ones_are_no_conflict(home: &Home) {
    let addresses = |from: usize| (from..from + 40).map(|n| json!({ "value": format!("m{n}@x") })).collect::<Vec<_>>();
    let ada = enrol(&home.db, with(provisioned("ada"), "emails", json!(addresses(0)))).await;
    enrol(&home.db, with(provisioned("bea"), "emails", json!([{ "value": "M0@x" }, { "value": "m0@X" }]))).await;
    assert_eq!(find(&home.db, "emails", "m0@x").await.len(), 2);
    let next = with(ada, "emails", json!(addresses(20)));
    done(home.db.roster.replace(next, act("update", 2_000)).await);
    assert_eq!(find(&home.db, "emails", "m0@x").await, ["id-bea"]);
    assert_eq!(find(&home.db, "emails", "m20@x").await, ["id-ada"]);
}

pub async fn a_login_that_changes_a_user_of_scim_makes_a_version_of_it(home: &Home) {
    let db = &home.db;
    let ada = enrol(db, provisioned("ada")).await;
    super::home::update(db, super::home::login("id", "x-ada", json!({ "title": "Countess" }))).await;
    let after = read(db, "ada").await.unwrap();
    assert_eq!((after.version, after.seq, after.user.updated_at), (2, ada.seq, at(2_000)));
    let record = db.audits.of_object(DIRECTORY, "id-ada", 1).await.unwrap().remove(0);
    assert_eq!((record.by.as_str(), record.what.as_str()), ("login", "update"));
    assert!(record.changes.contains("\"title\"") && !record.changes.contains("Countess"), "{}", record.changes);
    assert_eq!(db.roster.replace(ada, act("update", 3_000)).await.unwrap(), Written::Stale);
    assert!(db.users.set_active(&after.user.id, Activity::Inactive, at(4_000)).await.unwrap());
    let off = read(db, "ada").await.unwrap();
    assert_eq!((off.version, off.inactive_since), (3, Some(at(4_000))));
    assert_eq!(db.sightings.tally(DIRECTORY).await.unwrap().inactive, 1);
    assert!(db.users.set_active(&off.user.id, Activity::Inactive, at(5_000)).await.unwrap());
    assert_eq!(read(db, "ada").await.unwrap().version, 3, "who is off already isn't switched");
}

pub async fn of_many_writers_of_one_version_one_wins(home: &Home) {
    let handles = [home.db.clone(), (home.reopen)()];
    let ada = enrol(&home.db, provisioned("ada")).await;
    let mut writers = JoinSet::new();
    for number in 0..20 {
        let (db, next) = (handles[number % 2].clone(), with(ada.clone(), "title", json!(number.to_string())));
        writers.spawn(async move { db.roster.replace(next, act("update", 2_000)).await.unwrap() });
    }
    let answers = writers.join_all().await;
    let won: Vec<_> =
        answers.iter().filter_map(|a| if let Written::Done(user) = a { Some(user) } else { None }).collect();
    assert_eq!(won.len(), 1);
    assert_eq!(answers.iter().filter(|a| **a == Written::Stale).count(), 19);
    assert_eq!(read(&home.db, "ada").await.as_ref(), Some(won[0]));
}

pub async fn of_many_who_claim_one_name_at_once_one_gets_it(home: &Home) {
    let handles = [home.db.clone(), (home.reopen)()];
    let mut writers = JoinSet::new();
    for number in 0..20 {
        let db = handles[number % 2].clone();
        let user = with(provisioned(&format!("p{number}")), "userName", json!("Same@contoso.com"));
        writers.spawn(async move { db.roster.create(user, act("create", 2_000)).await.unwrap() });
    }
    let answers = writers.join_all().await;
    let won: Vec<_> =
        answers.iter().filter_map(|a| if let Written::Done(user) = a { Some(user) } else { None }).collect();
    assert_eq!(won.len(), 1);
    let by = &won[0].user.id.0;
    assert_eq!(answers.iter().filter(|a| matches!(a, Written::Taken { by: holder, .. } if holder == by)).count(), 19);
    assert_eq!(home.db.sightings.tally(DIRECTORY).await.unwrap().users, 1);
}

pub async fn a_deletion_and_a_replacement_at_once_leave_one_of_the_two(home: &Home) {
    let other = (home.reopen)();
    for number in 0..10 {
        let name = format!("p{number}");
        let user = enrol(&home.db, provisioned(&name)).await;
        let next = with(user.clone(), "title", json!("new"));
        let (replaced, deleted) = tokio::join!(
            other.roster.replace(next, act("update", 2_000)),
            delete(&home.db, &user, Deletion::BySource, 2_000),
        );
        let there = read(&home.db, &name).await;
        match (replaced.unwrap(), deleted) {
            (Written::Done(new), Written::Stale) => assert_eq!(there, Some(new)),
            (Written::Stale, Written::Done(true)) => assert_eq!(there, None),
            other => panic!("{other:?}"),
        }
    }
}
