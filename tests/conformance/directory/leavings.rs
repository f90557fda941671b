//! People who were switched off, whose clients are still to be told.

use tokio::task::JoinSet;
use vestibule::base::{Moment, Span};
use vestibule::directory::{Activity, Database, Leaving};
use vestibule::identity::UserId;
use vestibule::oidc::ClientId;
use vestibule::token::family::Family;

use super::home::{Home, at, bound_family, claim, create, family, family_id, notice, person, waiting};

const DAY: i64 = 86_400;

async fn switch(db: &Database, name: &str, activity: Activity, now: i64) {
    assert!(db.users.set_active(&UserId(format!("id-{name}")), activity, at(now)).await.unwrap());
}

/// Those to hand out at `now`, claimed for ten seconds.
async fn leavings(db: &Database, now: i64) -> Vec<Leaving> {
    db.notices.claim_leavings(100, at(now), at(now + 10)).await.unwrap()
}

fn leaving(name: &str, at: Moment, clients: &[&str]) -> Leaving {
    let clients = clients.iter().map(|client| ClientId((*client).to_owned())).collect();
    Leaving { user: UserId(format!("id-{name}")), at, clients }
}

fn family_at(name: &str, client: &str) -> Family {
    Family { client: ClientId(client.to_owned()), ..family(name, "s1") }
}

pub async fn who_is_switched_off_leaves_the_clients_whose_families_ended_with_it(home: &Home) {
    let db = &home.db;
    create(db, person("ada")).await;
    create(db, person("bea")).await;
    for (name, client) in [("f1", "rp"), ("f2", "rp"), ("f3", "another"), ("ended before", "earlier")] {
        assert!(db.families.begin(family_at(name, client)).await.unwrap());
    }
    let bound = Family { client: ClientId("bound".to_owned()), ..bound_family("f4", "s2") };
    let of_bea = Family { user: UserId("id-bea".to_owned()), ..family_at("f5", "of bea") };
    assert!(db.families.begin(bound).await.unwrap() && db.families.begin(of_bea).await.unwrap());
    db.families.revoke(&family_id("ended before"), at(4_000)).await.unwrap();

    assert_eq!(leavings(db, 9_000).await, []);
    switch(db, "ada", Activity::Inactive, 5_000).await;
    let other = (home.reopen)();
    assert_eq!(leavings(&other, 5_000).await, [leaving("ada", at(5_000), &["another", "bound", "rp"])]);
}

pub async fn who_has_no_family_leaves_all_the_same(home: &Home) {
    create(&home.db, person("ada")).await;
    switch(&home.db, "ada", Activity::Inactive, 5_000).await;
    assert_eq!(leavings(&home.db, 5_000).await, [leaving("ada", at(5_000), &[])]);
}

pub async fn only_who_was_active_leaves(home: &Home) {
    let db = &home.db;
    create(db, person("ada")).await;
    switch(db, "ada", Activity::Active, 4_000).await;
    switch(db, "ada", Activity::Inactive, 5_000).await;
    switch(db, "ada", Activity::Inactive, 6_000).await;
    assert!(!db.users.set_active(&UserId("id-nobody".to_owned()), Activity::Inactive, at(6_000)).await.unwrap());
    let all = leavings(db, 9_000).await;
    assert_eq!(all, [leaving("ada", at(5_000), &[])]);
    db.notices.close_leaving(&all[0], Vec::new()).await.unwrap();
    switch(db, "ada", Activity::Inactive, 7_000).await;
    assert_eq!(leavings(db, 10_000).await, []);
    switch(db, "ada", Activity::Active, 8_000).await;
    assert_eq!(leavings(db, 10_000).await, []);
    switch(db, "ada", Activity::Inactive, 9_000).await;
    assert_eq!(leavings(db, 10_000).await, [leaving("ada", at(9_000), &[])]);
}

pub async fn leavings_come_oldest_first_up_to_the_limit_and_not_again_before_their_time(home: &Home) {
    let (db, other) = (&home.db, (home.reopen)());
    for (name, now) in [("ada", 30), ("bea", 10), ("cleo", 20)] {
        create(db, person(name)).await;
        switch(db, name, Activity::Inactive, now).await;
    }
    assert_eq!(db.notices.claim_leavings(0, at(40), at(50)).await.unwrap(), []);
    let first = db.notices.claim_leavings(2, at(40), at(50)).await.unwrap();
    assert_eq!(first, [leaving("bea", at(10), &[]), leaving("cleo", at(20), &[])]);
    assert_eq!(other.notices.claim_leavings(2, at(49), at(60)).await.unwrap(), [leaving("ada", at(30), &[])]);
    assert_eq!(other.notices.claim_leavings(9, at(49), at(60)).await.unwrap(), []);
    assert_eq!(other.notices.claim_leavings(9, at(50), at(60)).await.unwrap(), first, "who had them may have died");
    assert_eq!(db.notices.claim_leavings(9, at(60), at(70)).await.unwrap().len(), 3);
}

pub async fn a_leaving_is_closed_with_its_notices(home: &Home) {
    let db = &home.db;
    create(db, person("ada")).await;
    switch(db, "ada", Activity::Inactive, 50).await;
    let one = leavings(db, 100).await.remove(0);
    db.notices.close_leaving(&one, vec![notice("n1", "rp", None), notice("n2", "other", None)]).await.unwrap();
    assert_eq!(leavings(db, 1_000).await, []);
    assert_eq!(claim(db, "rp", at(100)).await, ["n1"]);
    db.notices.settle(claim(db, "other", at(100)).await, Vec::new()).await.unwrap();
    (home.reopen)().notices.close_leaving(&one, vec![notice("n3", "other", None)]).await.unwrap();
    assert_eq!(claim(db, "other", at(100)).await, Vec::<String>::new(), "what was closed before queues nothing");
}

pub async fn a_later_leaving_of_the_same_user_stays(home: &Home) {
    let db = &home.db;
    create(db, person("ada")).await;
    db.families.begin(family_at("f1", "rp")).await.unwrap();
    switch(db, "ada", Activity::Inactive, 50).await;
    let first = leavings(db, 50).await.remove(0);
    switch(db, "ada", Activity::Active, 51).await;
    db.families.begin(family_at("f2", "later")).await.unwrap();
    switch(db, "ada", Activity::Inactive, 52).await;
    db.notices.close_leaving(&first, Vec::new()).await.unwrap();
    assert_eq!(leavings(db, 1_000).await, [leaving("ada", at(52), &["later"])]);
}

pub async fn f20_two_leavings_at_one_moment_or_by_a_clock_set_back_are_two(home: &Home) {
    let db = &home.db;
    create(db, person("ada")).await;
    let mut first = Vec::new();
    for (number, now) in [50, 50, 20].into_iter().enumerate() {
        db.families.begin(family_at(&format!("f{number}"), &format!("rp{number}"))).await.unwrap();
        switch(db, "ada", Activity::Inactive, now).await;
        switch(db, "ada", Activity::Active, now).await;
        first.extend(db.notices.claim_leavings(9, at(now), at(1_000)).await.unwrap());
    }
    let later = |ms| at(50).plus(Span::from_ms(ms));
    let each =
        [leaving("ada", at(50), &["rp0"]), leaving("ada", later(1), &["rp1"]), leaving("ada", later(2), &["rp2"])];
    assert_eq!(first, each);
    db.notices.close_leaving(&first[0], Vec::new()).await.unwrap();
    assert_eq!(leavings(db, 1_000).await, each[1..]);
}

pub async fn leavings_that_nobody_takes_are_forgotten_after_two_days(home: &Home) {
    let db = &home.db;
    for (name, now) in [("ada", 100), ("bea", 101)] {
        create(db, person(name)).await;
        switch(db, name, Activity::Inactive, now).await;
    }
    assert_eq!(db.traces.purge(at(100 + 2 * DAY), Span::days(30)).await.unwrap(), 0);
    assert_eq!(db.traces.purge(Moment::from_ms((100 + 2 * DAY) * 1_000 + 1), Span::days(30)).await.unwrap(), 1);
    assert_eq!(leavings(db, 3 * DAY).await, [leaving("bea", at(101), &[])]);
}

pub async fn a_user_switched_off_by_many_at_once_leaves_once(home: &Home) {
    let handles = [home.db.clone(), (home.reopen)()];
    create(&home.db, person("ada")).await;
    let mut switches = JoinSet::new();
    for number in 0..20 {
        let db = handles[number % 2].clone();
        switches.spawn(async move { switch(&db, "ada", Activity::Inactive, 5_000 + number as i64).await });
    }
    switches.join_all().await;
    let mut claims = JoinSet::new();
    for number in 0..20 {
        let db = handles[number % 2].clone();
        claims.spawn(async move { leavings(&db, 6_000).await });
    }
    let claimed: Vec<Leaving> = claims.join_all().await.into_iter().flatten().collect();
    assert_eq!(claimed.len(), 1);
    let mut closes = JoinSet::new();
    for number in 0..20 {
        let (db, one) = (handles[number % 2].clone(), claimed[0].clone());
        let mine = notice(&format!("n{number}"), &format!("rp{number}"), None);
        closes.spawn(async move { db.notices.close_leaving(&one, vec![mine]).await.unwrap() });
    }
    closes.join_all().await;
    assert_eq!(waiting(&home.db).await, 1, "one closed it");
}
