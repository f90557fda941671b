//! Refresh families.

use vestibule::token::family::Family;

use super::home::{Home, at, family, family_id, turned};

pub async fn a_family_is_read_as_it_was_written(home: &Home) {
    let begun = Family {
        previous: Some(vestibule::base::Digest::of("before")),
        rotated_at: Some(at(1_234)),
        repeats: 3,
        acr: None,
        ..family("f", "s1")
    };
    assert!(home.db.families.begin(begun.clone()).await.unwrap());
    assert_eq!(home.db.families.family(&begun.id).await.unwrap(), Some(begun.clone()));
    assert_eq!((home.reopen)().families.family(&begun.id).await.unwrap(), Some(begun));
    assert_eq!(home.db.families.family(&family_id("other")).await.unwrap(), None);
}

pub async fn a_family_begins_once(home: &Home) {
    assert!(home.db.families.begin(family("f", "s1")).await.unwrap());
    assert!(!home.db.families.begin(family("f", "s2")).await.unwrap());
    assert_eq!(home.db.families.family(&family_id("f")).await.unwrap().unwrap().sid, "s1");
}

pub async fn a_family_revoked_before_it_was_born_never_begins(home: &Home) {
    home.db.families.revoke(&family_id("f"), at(1_000)).await.unwrap();
    assert!(!home.db.families.begin(family("f", "s1")).await.unwrap());
    assert_eq!(home.db.families.family(&family_id("f")).await.unwrap(), None);
    assert!(!home.db.families.turn(0, family("f", "s1")).await.unwrap());
    assert!(!home.db.families.turn(1, turned(&family("f", "s1"), "t2")).await.unwrap());
}

pub async fn a_revocation_is_remembered_also_of_what_never_was(home: &Home) {
    let revoked = async |name: &str| home.db.families.is_revoked(&family_id(name)).await.unwrap();
    home.db.families.begin(family("f", "s1")).await.unwrap();
    assert!(!revoked("f").await && !revoked("never").await);
    for name in ["f", "never"] {
        home.db.families.revoke(&family_id(name), at(1_000)).await.unwrap();
        assert!(revoked(name).await, "{name}");
        assert!((home.reopen)().families.is_revoked(&family_id(name)).await.unwrap(), "{name}");
    }
    assert!(!revoked("other").await);
}

pub async fn a_turn_replaces_the_generation_it_expects(home: &Home) {
    let first = family("f", "s1");
    home.db.families.begin(first.clone()).await.unwrap();
    let second = turned(&first, "t2");
    assert!(home.db.families.turn(1, second.clone()).await.unwrap());
    assert_eq!(home.db.families.family(&first.id).await.unwrap(), Some(second.clone()));

    assert!(!home.db.families.turn(1, turned(&first, "late")).await.unwrap(), "a generation that is gone");
    assert!(!home.db.families.turn(3, turned(&turned(&second, "a"), "b")).await.unwrap(), "one that is to come");
    assert_eq!(home.db.families.family(&first.id).await.unwrap(), Some(second.clone()));

    assert!(home.db.families.turn(2, turned(&second, "t3")).await.unwrap());
    assert_eq!(home.db.families.family(&first.id).await.unwrap().unwrap().generation, 3);
}

pub async fn a_turn_needs_a_family(home: &Home) {
    assert!(!home.db.families.turn(1, turned(&family("f", "s1"), "t2")).await.unwrap());
    assert_eq!(home.db.families.family(&family_id("f")).await.unwrap(), None);
}

pub async fn a_turn_that_does_not_grow_the_generation_is_none(home: &Home) {
    let first = family("f", "s1");
    home.db.families.begin(first.clone()).await.unwrap();
    assert!(!home.db.families.turn(1, first.clone()).await.unwrap());
    assert!(!home.db.families.turn(1, Family { generation: 0, ..first.clone() }).await.unwrap());
    assert_eq!(home.db.families.family(&first.id).await.unwrap(), Some(first));
}

pub async fn a_turn_may_be_the_last(home: &Home) {
    let first = family("f", "s1");
    home.db.families.begin(first.clone()).await.unwrap();
    let last = Family { revoked_at: Some(at(1_600)), ..turned(&first, "t2") };
    assert!(home.db.families.turn(1, last.clone()).await.unwrap());
    assert_eq!(home.db.families.family(&first.id).await.unwrap(), Some(last.clone()));
    assert!(!home.db.families.turn(2, turned(&last, "t3")).await.unwrap());
}

pub async fn a102_a_revoked_family_stays_dead(home: &Home) {
    let first = family("f", "s1");
    home.db.families.begin(first.clone()).await.unwrap();
    home.db.families.revoke(&first.id, at(2_000)).await.unwrap();
    home.db.families.revoke(&first.id, at(1_500)).await.unwrap();
    home.db.families.revoke(&first.id, at(3_000)).await.unwrap();
    for db in [&home.db, &(home.reopen)()] {
        assert!(!db.families.turn(1, turned(&first, "t2")).await.unwrap());
        assert!(!db.families.begin(first.clone()).await.unwrap());
        let dead = db.families.family(&first.id).await.unwrap().unwrap();
        assert_eq!(dead, Family { revoked_at: Some(at(2_000)), ..first.clone() }, "the first revocation counts");
    }
}
