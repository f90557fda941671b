//! Many at once, through two handles on one database, as two processes would.

use serde_json::json;
use tokio::task::JoinSet;
use vestibule::directory::{Database, Provisioned};
use vestibule::token::family::Family;

use super::home::{DIRECTORY, Home, at, bound_family, create, family, family_id, find, login, person, turned};

fn handles(home: &Home) -> [Database; 2] {
    [home.db.clone(), (home.reopen)()]
}

pub async fn g02_of_a_hundred_turns_of_one_generation_one_wins(home: &Home) {
    let handles = handles(home);
    let mut current = family("f", "s1");
    home.db.families.begin(current.clone()).await.unwrap();
    for round in 0..5 {
        let mut turns = JoinSet::new();
        for number in 0..100 {
            let (db, next) = (handles[number % 2].clone(), turned(&current, &format!("{round} {number}")));
            turns.spawn(async move { (db.families.turn(next.generation - 1, next.clone()).await.unwrap(), next) });
        }
        let winners: Vec<Family> =
            turns.join_all().await.into_iter().filter(|turn| turn.0).map(|turn| turn.1).collect();
        assert_eq!(winners.len(), 1);
        assert_eq!(home.db.families.family(&current.id).await.unwrap().as_ref(), winners.first());
        current = winners[0].clone();
    }
}

pub async fn turns_of_different_families_all_win(home: &Home) {
    let handles = handles(home);
    let mut turns = JoinSet::new();
    for number in 0..100 {
        let db = handles[number % 2].clone();
        turns.spawn(async move {
            let mut current = family(&format!("f{number}"), "s1");
            assert!(db.families.begin(current.clone()).await.unwrap());
            for token in ["a", "b", "c"] {
                let next = turned(&current, token);
                assert!(db.families.turn(current.generation, next.clone()).await.unwrap());
                current = next;
            }
            assert_eq!(db.families.family(&current.id).await.unwrap(), Some(current));
        });
    }
    turns.join_all().await;
}

pub async fn a_revocation_outlasts_every_turn_that_races_it(home: &Home) {
    let handles = handles(home);
    for round in 0..20 {
        let first = family(&format!("f{round}"), "s1");
        home.db.families.begin(first.clone()).await.unwrap();
        let next = turned(&first, "t2");
        let (turned_by, revoked_by) = (&handles[round % 2], &handles[(round + 1) % 2]);
        let (turn, revocation) =
            tokio::join!(turned_by.families.turn(1, next), revoked_by.families.revoke(&first.id, at(2_000)));
        revocation.unwrap();
        let end = home.db.families.family(&first.id).await.unwrap().unwrap();
        assert_eq!(end.revoked_at, Some(at(2_000)));
        assert_eq!(end.generation, if turn.unwrap() { 2 } else { 1 });
    }
}

pub async fn a_family_that_races_its_revocation_or_sign_out_is_not_left_alive(home: &Home) {
    let handles = handles(home);
    for round in 0..20 {
        let (name, sid) = (format!("f{round}"), format!("s{round}"));
        let (begun_by, ended_by) = (&handles[round % 2], &handles[(round + 1) % 2]);
        let begin = begun_by.families.begin(bound_family(&name, &sid));
        if round % 4 < 2 {
            let id = family_id(&name);
            let (begun, ended) = tokio::join!(begin, ended_by.families.revoke(&id, at(2_000)));
            begun.unwrap();
            ended.unwrap();
        } else {
            let (begun, ended) =
                tokio::join!(begin, ended_by.sign_outs.sign_out(&sid, at(2_000), at(9_000), Vec::new()));
            begun.unwrap();
            ended.unwrap();
        }
        let left = home.db.families.family(&family_id(&name)).await.unwrap();
        assert!(left.is_none_or(|family| family.revoked_at.is_some()));
        assert!(!home.db.families.turn(1, turned(&bound_family(&name, &sid), "t2")).await.unwrap());
    }
}

pub async fn first_logins_of_one_person_at_once_make_one_user(home: &Home) {
    let handles = handles(home);
    for round in 0..10 {
        let mut logins = JoinSet::new();
        for number in 0..8 {
            let db = handles[number % 2].clone();
            let mut jit = login(&format!("id-{round}-{number}"), "", json!({ "displayName": "new" }));
            // An attribute that the database alone doesn't keep unique.
            jit.match_attribute = "employeeNumber".to_owned();
            jit.match_value = format!("e{round}");
            logins.spawn(async move { db.users.provision(jit, at(1_000)).await.unwrap() });
        }
        let mut created = Vec::new();
        let mut seen = Vec::new();
        for answer in logins.join_all().await {
            match answer {
                Provisioned::Created(user) => created.push(user.id.0),
                Provisioned::Unchanged(user) => seen.push(user.id.0),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(created.len(), 1);
        assert!(seen.iter().all(|id| *id == created[0]));
        assert_eq!(find(&home.db, "employeeNumber", &format!("e{round}")).await, created);
    }
}

pub async fn new_people_who_claim_one_user_name_at_once_are_one_user_and_conflicts(home: &Home) {
    let handles = handles(home);
    let mut logins = JoinSet::new();
    for number in 0..20 {
        let db = handles[number % 2].clone();
        let name = if number % 3 == 0 { "Ada" } else { "ADA" };
        let jit = login(&format!("id-{number}"), &format!("x-{number}"), json!({ "userName": name }));
        logins.spawn(async move { db.users.provision(jit, at(1_000)).await.unwrap() });
    }
    let answers = logins.join_all().await;
    let created = answers.iter().filter(|answer| matches!(answer, Provisioned::Created(_))).count();
    let refused = answers.iter().filter(|answer| **answer == Provisioned::Conflict("userName")).count();
    assert_eq!((created, refused), (1, 19));
    assert_eq!(home.db.users.find(DIRECTORY, "userName", "ada").await.unwrap().len(), 1);
}

pub async fn g03_readers_see_every_write_that_was_answered(home: &Home) {
    let [writer, reader] = handles(home);
    let ada = create(&writer, person("ada")).await;
    for round in 0..100 {
        let sid = format!("s{round}");
        writer.sign_outs.sign_out(&sid, at(1), at(9_000), Vec::new()).await.unwrap();
        assert!(reader.users.standing(&ada.id, Some(&sid), &[]).await.unwrap().unwrap().signed_out);
        assert!(writer.users.standing(&ada.id, Some(&sid), &[]).await.unwrap().unwrap().signed_out);
    }
}
