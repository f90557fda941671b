//! The queue of notices.

use std::collections::BTreeSet;

use tokio::task::JoinSet;
use vestibule::base::{Moment, Span};
use vestibule::directory::{Database, Notice, Waiting};
use vestibule::identity::UserId;
use vestibule::oidc::ClientId;

use super::home::{Home, at, bound_family, claim, create, family_id, notice, person, waiting};

const DAY: i64 = 86_400;

fn rp() -> ClientId {
    ClientId("rp".to_owned())
}

async fn due(db: &Database, now: i64) -> Vec<String> {
    db.notices.due(at(now)).await.unwrap().into_iter().map(|client| client.0).collect()
}

fn none() -> Vec<String> {
    Vec::new()
}

pub async fn a_notice_is_handed_out_as_it_was_queued(home: &Home) {
    let queued = [notice("n1", "rp", Some("s1")), notice("n2", "rp", None), notice("n3", "other", Some("s1"))];
    home.db.notices.queue(queued.to_vec()).await.unwrap();
    let mut claimed = (home.reopen)().notices.claim(&rp(), 10, at(100), at(200)).await.unwrap();
    claimed.sort_by(|a, b| a.id.cmp(&b.id));
    let first = |queued: &Notice| Notice { attempts: 1, ..queued.clone() };
    assert_eq!(claimed, [first(&queued[0]), first(&queued[1])]);
    assert_eq!(claim(&home.db, "other", at(100)).await, ["n3"]);
    assert_eq!(claim(&home.db, "nobody", at(100)).await, none());
}

pub async fn a_notice_is_due_from_its_creation_on(home: &Home) {
    home.db.notices.queue(vec![notice("n1", "rp", Some("s1"))]).await.unwrap();
    assert_eq!(due(&home.db, 99).await, none());
    assert_eq!(claim(&home.db, "rp", at(99)).await, none());
    assert_eq!(due(&home.db, 100).await, ["rp"]);
    assert_eq!(claim(&home.db, "rp", at(100)).await, ["n1"]);
}

pub async fn attempts_begin_at_none_whatever_is_queued(home: &Home) {
    home.db.notices.queue(vec![Notice { attempts: 9, ..notice("n1", "rp", Some("s1")) }]).await.unwrap();
    for attempt in 1..5 {
        let now = at(100 * i64::from(attempt));
        let claimed = home.db.notices.claim(&rp(), 1, now, now.plus(Span::secs(100))).await.unwrap();
        assert_eq!(claimed[0].attempts, attempt);
    }
}

pub async fn one_that_waits_is_not_queued_twice(home: &Home) {
    let db = &home.db;
    for round in 0..3 {
        let id = |name: &str| format!("{name}-{round}");
        let other = Notice { user: UserId("id-bea".to_owned()), ..notice(&id("bea"), "rp", Some("s1")) };
        let all = vec![
            notice(&id("s1"), "rp", Some("s1")),
            notice(&id("s1-again"), "rp", Some("s1")),
            notice(&id("s2"), "rp", Some("s2")),
            notice(&id("all"), "rp", None),
            notice(&id("other"), "other", Some("s1")),
            other,
        ];
        db.notices.queue(all).await.unwrap();
    }
    assert_eq!(waiting(db).await, 5);
    let ids: BTreeSet<String> = claim(db, "rp", at(100)).await.into_iter().collect();
    assert_eq!(ids, ["all-0", "bea-0", "s1-0", "s2-0"].map(str::to_owned).into());
    db.notices.queue(vec![notice("s1-in-hand", "rp", Some("s1"))]).await.unwrap();
    assert_eq!(waiting(db).await, 5, "one in hand waits too");
    db.notices.settle(vec!["s1-0".to_owned()], Vec::new()).await.unwrap();
    db.notices.queue(vec![notice("s1-later", "rp", Some("s1"))]).await.unwrap();
    assert_eq!(claim(db, "rp", at(100)).await, ["s1-later"], "once delivered, it waits no more");
}

pub async fn one_for_all_sessions_that_was_handed_out_is_replaced(home: &Home) {
    let db = &home.db;
    db.notices.queue(vec![notice("first", "rp", None)]).await.unwrap();
    assert_eq!(claim(db, "rp", at(100)).await, ["first"]);
    db.notices.queue(vec![notice("first", "rp", None)]).await.unwrap();
    assert_eq!(claim(db, "rp", at(100)).await, none(), "the same again is no new one");
    db.notices.queue(vec![Notice { created: at(101), ..notice("second", "rp", None) }]).await.unwrap();
    db.notices.settle(vec!["first".to_owned()], vec![("first".to_owned(), at(900))]).await.unwrap();
    let claimed = db.notices.claim(&rp(), 9, at(101), at(200)).await.unwrap();
    assert_eq!(claimed, [Notice { created: at(101), attempts: 1, ..notice("second", "rp", None) }]);
    db.notices.settle(vec!["second".to_owned()], Vec::new()).await.unwrap();
    assert_eq!(waiting(db).await, 0);
}

pub async fn nothing_is_handed_out_again_before_its_time(home: &Home) {
    let other = (home.reopen)();
    home.db.notices.queue(vec![notice("n1", "rp", Some("s1"))]).await.unwrap();
    assert_eq!(home.db.notices.claim(&rp(), 9, at(100), at(160)).await.unwrap().len(), 1);
    for db in [&home.db, &other] {
        assert_eq!(due(db, 159).await, none());
        assert!(db.notices.claim(&rp(), 9, at(159), at(300)).await.unwrap().is_empty());
    }
    assert_eq!(due(&other, 160).await, ["rp"], "who had it in hand may have died");
    let again = other.notices.claim(&rp(), 9, at(160), at(300)).await.unwrap();
    assert_eq!((again[0].id.as_str(), again[0].attempts), ("n1", 2));
}

pub async fn those_due_longest_come_first_up_to_the_limit(home: &Home) {
    let db = &home.db;
    let order = [3, 1, 4, 0, 2];
    let queued = order.map(|n| Notice { created: at(n), ..notice(&format!("n{n}"), "rp", Some(&format!("s{n}"))) });
    db.notices.queue(queued.to_vec()).await.unwrap();
    let ids = |claimed: Vec<Notice>| claimed.into_iter().map(|notice| notice.id).collect::<Vec<_>>();
    assert_eq!(ids(db.notices.claim(&rp(), 0, at(9), at(50)).await.unwrap()), none());
    assert_eq!(ids(db.notices.claim(&rp(), 2, at(9), at(50)).await.unwrap()), ["n0", "n1"]);
    // Due longest counts, not oldest: n0 is to come last now.
    db.notices.settle(Vec::new(), vec![("n0".to_owned(), at(8)), ("n1".to_owned(), at(3))]).await.unwrap();
    assert_eq!(ids(db.notices.claim(&rp(), 3, at(9), at(50)).await.unwrap()), ["n2", "n1", "n3"]);
    assert_eq!(ids(db.notices.claim(&rp(), 9, at(9), at(50)).await.unwrap()), ["n4", "n0"]);
}

pub async fn each_client_that_has_something_due_is_named_once(home: &Home) {
    let db = &home.db;
    assert_eq!(due(db, 1_000).await, none());
    for client in ["b", "a", "c", "A", "ü"] {
        let some = (0..5).map(|n| notice(&format!("{client}{n}"), client, Some(&format!("s{n}"))));
        db.notices.queue(some.collect()).await.unwrap();
    }
    claim(db, "b", at(100)).await;
    db.notices.settle(claim(db, "c", at(100)).await, Vec::new()).await.unwrap();
    let mut named = due(db, 100).await;
    named.sort();
    assert_eq!(named, ["A", "a", "ü"]);
    assert_eq!(due(db, 101).await.len(), 4);
}

pub async fn what_is_settled_is_gone_or_comes_again_when_it_is_told(home: &Home) {
    let db = &home.db;
    db.notices.queue(["a", "b", "c"].map(|id| notice(id, "rp", Some(id))).to_vec()).await.unwrap();
    db.notices.claim(&rp(), 9, at(100), at(500)).await.unwrap();
    let gone = vec!["a".to_owned(), "unknown".to_owned()];
    db.notices.settle(gone, vec![("b".to_owned(), at(130)), ("stranger".to_owned(), at(1))]).await.unwrap();
    assert_eq!(due(db, 129).await, none());
    assert_eq!(claim(db, "rp", at(130)).await, ["b"], "sooner than its claim would have ended");
    assert_eq!(claim(db, "rp", at(500)).await, ["b", "c"], "what is not settled comes when its claim ends");
    db.notices.settle(Vec::new(), Vec::new()).await.unwrap();
    assert_eq!(waiting(db).await, 2);
}

pub async fn what_waits_is_counted_by_client(home: &Home) {
    let db = &home.db;
    assert_eq!(db.notices.waiting().await.unwrap(), []);
    let late = Notice { created: at(300), ..notice("late", "rp", Some("s1")) };
    db.notices.queue(vec![late, notice("early", "rp", Some("s2")), notice("n", "other", None)]).await.unwrap();
    let of = |client: &str, count, oldest| Waiting { client: ClientId(client.to_owned()), count, oldest: at(oldest) };
    assert_eq!(db.notices.waiting().await.unwrap(), [of("other", 1, 100), of("rp", 2, 100)]);
    db.notices.settle(claim(db, "other", at(100)).await, Vec::new()).await.unwrap();
    db.notices.settle(claim(db, "rp", at(100)).await, Vec::new()).await.unwrap();
    assert_eq!(db.notices.waiting().await.unwrap(), [of("rp", 1, 300)]);
    claim(db, "rp", at(300)).await;
    assert_eq!(db.notices.waiting().await.unwrap(), [of("rp", 1, 300)], "what is in hand waits still");
}

pub async fn a_sign_out_queues_its_notices_with_it(home: &Home) {
    let db = &home.db;
    let ada = create(db, person("ada")).await;
    db.families.begin(bound_family("bound", "s1")).await.unwrap();
    let notices = vec![notice("n1", "rp", Some("s1")), notice("n2", "other", Some("s1"))];
    db.sign_outs.sign_out("s1", at(100), at(900), notices).await.unwrap();
    let standing = db.users.standing(&ada.id, Some("s1"), &[&family_id("bound")]).await.unwrap().unwrap();
    assert!(standing.signed_out && standing.family_revoked);
    let repeated = vec![notice("n3", "rp", Some("s1")), notice("n4", "other", Some("s1"))];
    db.sign_outs.sign_out("s1", at(100), at(900), repeated).await.unwrap();
    assert_eq!(claim(db, "rp", at(100)).await, ["n1"]);
    assert_eq!(claim(db, "other", at(100)).await, ["n2"]);
}

pub async fn notices_that_nobody_takes_are_forgotten_after_two_days(home: &Home) {
    let db = &home.db;
    let many = (0..1_200).map(|n| notice(&format!("n{n}"), "gone", Some(&format!("s{n}"))));
    db.notices.queue(many.collect()).await.unwrap();
    db.notices.queue(vec![Notice { created: at(101), ..notice("young", "rp", None) }]).await.unwrap();
    claim(db, "gone", at(100)).await;
    assert_eq!(db.traces.purge(at(100 + 2 * DAY), Span::days(30)).await.unwrap(), 0);
    assert_eq!(db.traces.purge(Moment::from_ms((100 + 2 * DAY) * 1_000 + 1), Span::ZERO).await.unwrap(), 1_200);
    assert_eq!(due(db, 100 + 2 * DAY).await, ["rp"]);
    assert_eq!(waiting(db).await, 1);
}

pub async fn no_two_processes_are_handed_the_same_notice(home: &Home) {
    let handles = [home.db.clone(), (home.reopen)()];
    for batch in 0..6 {
        let some = (batch * 100..(batch + 1) * 100).map(|n| notice(&format!("n{n}"), "rp", Some(&format!("s{n}"))));
        home.db.notices.queue(some.collect()).await.unwrap();
    }
    let mut claims = JoinSet::new();
    for number in 0..20 {
        let db = handles[number % 2].clone();
        claims.spawn(async move { db.notices.claim(&rp(), 37, at(100), at(200)).await.unwrap() });
    }
    let claimed: Vec<Notice> = claims.join_all().await.into_iter().flatten().collect();
    assert!(claimed.iter().all(|notice| notice.attempts == 1));
    let ids: BTreeSet<String> = claimed.iter().map(|notice| notice.id.clone()).collect();
    assert_eq!((claimed.len(), ids.len()), (600, 600), "each once, and none is left out");
}

pub async fn one_thing_to_tell_that_many_queue_at_once_waits_once(home: &Home) {
    let handles = [home.db.clone(), (home.reopen)()];
    let mut queued = JoinSet::new();
    for number in 0..40 {
        let (db, id) = (handles[number % 2].clone(), format!("n{number}"));
        queued.spawn(async move {
            let both = vec![notice(&id, "rp", Some("s1")), notice(&format!("all-{id}"), "rp", None)];
            match number % 3 {
                0 => db.notices.queue(both).await.unwrap(),
                _ => db.sign_outs.sign_out("s1", at(100), at(900), both).await.unwrap(),
            }
        });
    }
    queued.join_all().await;
    assert_eq!(waiting(&home.db).await, 2);
}
