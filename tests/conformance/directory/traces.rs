//! Traces, and what is forgotten.

use vestibule::audit::{Fact, Outcome};
use vestibule::base::Span;
use vestibule::token::family::Family;

use super::home::{Home, at, create, family, family_id, person, trace};

const DAY: i64 = 86_400;

pub async fn a_trace_is_read_as_it_was_kept(home: &Home) {
    let mut kept = trace("ref-1", at(100));
    kept.step(at(101), "hint", vec![("forwarded", Fact::word("as received")), ("seen", Fact::Count(-3))]);
    kept.step(at(102), "match", vec![("claims", Fact::Names(vec!["oid".to_owned()])), ("said", Fact::foreign("<b>"))]);
    kept.outcome = Outcome::Refused;
    home.db.traces.keep(kept.clone());
    assert_eq!(home.db.traces.trace("ref-1").await.unwrap(), Some(kept.clone()), "before it is written");
    home.db.close().await.unwrap();
    let later = (home.reopen)();
    assert_eq!(later.traces.trace("ref-1").await.unwrap(), Some(kept), "and after");
    for unknown in ["ref-2", "REF-1", "ref-1 ", "", "%"] {
        assert_eq!(later.traces.trace(unknown).await.unwrap(), None, "{unknown}");
    }
}

pub async fn a_later_trace_of_one_reference_replaces_the_earlier(home: &Home) {
    home.db.traces.keep(trace("r", at(100)));
    let mut later = trace("r", at(100));
    later.outcome = Outcome::SignedIn;
    home.db.traces.keep(later.clone());
    assert_eq!(home.db.traces.trace("r").await.unwrap(), Some(later.clone()));
    home.db.close().await.unwrap();
    let second = (home.reopen)();
    assert_eq!(second.traces.trace("r").await.unwrap(), Some(later.clone()));
    let mut third = later;
    third.outcome = Outcome::Failed;
    second.traces.keep(third.clone());
    second.close().await.unwrap();
    assert_eq!((home.reopen)().traces.trace("r").await.unwrap(), Some(third));
}

pub async fn a_trace_is_seen_by_another_process_within_seconds(home: &Home) {
    let other = (home.reopen)();
    home.db.traces.keep(trace("r", at(100)));
    let seen = async {
        while other.traces.trace("r").await.unwrap().is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), seen).await.expect("the trace is written");
}

pub async fn traces_older_than_the_age_are_forgotten(home: &Home) {
    for number in 0..1_300 {
        home.db.traces.keep(trace(&format!("old-{number}"), at(number)));
    }
    home.db.traces.keep(trace("young", at(30 * DAY)));
    home.db.close().await.unwrap();
    let db = (home.reopen)();
    assert_eq!(db.traces.purge(at(31 * DAY), Span::days(30)).await.unwrap(), 1_300, "more than one chunk");
    assert_eq!(db.traces.trace("old-0").await.unwrap(), None);
    assert_eq!(db.traces.trace("old-1299").await.unwrap(), None);
    assert!(db.traces.trace("young").await.unwrap().is_some());
    assert_eq!(db.traces.purge(at(31 * DAY), Span::days(30)).await.unwrap(), 0);
}

pub async fn sign_outs_are_forgotten_after_their_time(home: &Home) {
    let ada = create(&home.db, person("ada")).await;
    home.db.sign_outs.sign_out("short", at(1), at(100), Vec::new()).await.unwrap();
    home.db.sign_outs.sign_out("long", at(1), at(200), Vec::new()).await.unwrap();
    assert_eq!(home.db.traces.purge(at(100), Span::days(30)).await.unwrap(), 0, "until its time, not before");
    assert_eq!(home.db.traces.purge(at(150), Span::days(30)).await.unwrap(), 1);
    assert!(!home.db.users.standing(&ada.id, Some("short"), &[]).await.unwrap().unwrap().signed_out);
    assert!(home.db.users.standing(&ada.id, Some("long"), &[]).await.unwrap().unwrap().signed_out);
}

pub async fn families_long_dead_are_forgotten_and_the_living_stay(home: &Home) {
    for (name, ends) in [("ended", 10 * DAY), ("alive", 500 * DAY), ("revoked", 500 * DAY), ("just revoked", 500 * DAY)]
    {
        home.db.families.begin(Family { ends: at(ends), ..family(name, "s") }).await.unwrap();
    }
    home.db.families.revoke(&family_id("revoked"), at(10 * DAY)).await.unwrap();
    home.db.families.revoke(&family_id("unborn"), at(10 * DAY)).await.unwrap();
    home.db.families.revoke(&family_id("just revoked"), at(39 * DAY)).await.unwrap();
    assert_eq!(home.db.traces.purge(at(40 * DAY), Span::days(30)).await.unwrap(), 0);
    assert_eq!(home.db.traces.purge(at(41 * DAY), Span::days(30)).await.unwrap(), 3);
    for gone in ["ended", "revoked", "unborn"] {
        assert_eq!(home.db.families.family(&family_id(gone)).await.unwrap(), None, "{gone}");
    }
    assert!(home.db.families.family(&family_id("alive")).await.unwrap().is_some());
    assert!(home.db.families.family(&family_id("just revoked")).await.unwrap().is_some());
}

pub async fn a_revocation_outlives_a_short_age(home: &Home) {
    home.db.families.revoke(&family_id("f"), at(10 * DAY)).await.unwrap();
    assert_eq!(home.db.traces.purge(at(17 * DAY), Span::ZERO).await.unwrap(), 0);
    assert!(!home.db.families.begin(family("f", "s")).await.unwrap());
    assert_eq!(home.db.traces.purge(at(17 * DAY + 1), Span::ZERO).await.unwrap(), 1);
}
