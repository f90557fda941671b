//! The audit of writes, and what was seen on connections.

use serde_json::json;
use vestibule::directory::roster::{Act, AuditRecord, Deletion, Sighting, Tally};
use vestibule::identity::StoredUser;

use super::home::{DIRECTORY, Home, act, at, done, enrol, provisioned, with};

pub async fn every_write_leaves_its_record(home: &Home) {
    let db = &home.db;
    let ada = enrol(db, provisioned("ada")).await;
    enrol(db, provisioned("bea")).await;
    let act_3 = Act { by: "policy".to_owned(), changes: "{\"title\":{}}".to_owned(), ..act("update", 3_000) };
    let ada: StoredUser = done(db.roster.replace(with(ada, "title", json!("Dr")), act_3).await);
    done(db.roster.delete(DIRECTORY, &ada.user.id, None, Deletion::BySource, act("delete", 4_000)).await);
    let all = db.audits.of_directory(DIRECTORY, None, 10).await.unwrap();
    let short: Vec<_> = all.iter().map(|r| (r.seq, r.what.as_str(), r.object.as_str(), r.at)).collect();
    let [first, second] = [at(1_000), at(3_000)];
    assert_eq!(
        short,
        [
            (4, "delete", "id-ada", at(4_000)),
            (3, "update", "id-ada", second),
            (2, "create", "id-bea", first),
            (1, "create", "id-ada", first)
        ]
    );
    let update = AuditRecord {
        seq: 3,
        directory: DIRECTORY.to_owned(),
        at: second,
        by: "policy".to_owned(),
        what: "update".to_owned(),
        object: "id-ada".to_owned(),
        changes: "{\"title\":{}}".to_owned(),
    };
    assert_eq!(all[1], update);
    assert_eq!(db.audits.of_object(DIRECTORY, "id-ada", 2).await.unwrap(), all[..2]);
    assert_eq!(db.audits.of_directory(DIRECTORY, Some(3), 1).await.unwrap(), all[2..3]);
    assert_eq!(db.audits.of_directory("fabrikam", None, 9).await.unwrap(), []);
    assert_eq!(db.audits.of_object("fabrikam", "id-ada", 9).await.unwrap(), []);
}

fn sighting(kind: &str, name: &str, count: u64, secs: i64) -> Sighting {
    Sighting { directory: DIRECTORY.to_owned(), kind: kind.to_owned(), name: name.to_owned(), count, last: at(secs) }
}

pub async fn sightings_add_up_and_the_newest_moment_stays(home: &Home) {
    let db = &home.db.sightings;
    db.add(vec![sighting("unknown", "nickname", 2, 50), sighting("call", "PATCH", 1, 10)]).await.unwrap();
    db.add(vec![sighting("unknown", "nickname", 3, 40)]).await.unwrap();
    (home.reopen)().sightings.add(vec![sighting("call", "PATCH", 1, 90)]).await.unwrap();
    db.add(Vec::new()).await.unwrap();
    assert_eq!(
        db.all(DIRECTORY).await.unwrap(),
        [sighting("call", "PATCH", 2, 90), sighting("unknown", "nickname", 5, 50)]
    );
    assert_eq!(db.all("fabrikam").await.unwrap(), []);
}

pub async fn a_directory_without_users_counts_nothing(home: &Home) {
    assert_eq!(home.db.sightings.tally(DIRECTORY).await.unwrap(), Tally::default());
    enrol(&home.db, provisioned("ada")).await;
    assert_eq!(home.db.sightings.tally(DIRECTORY).await.unwrap(), Tally { users: 1, ..Tally::default() });
    assert_eq!(home.db.sightings.tally("fabrikam").await.unwrap(), Tally::default());
}
