//! Lists page by page, while others write.

use std::collections::BTreeSet;

use serde_json::json;
use vestibule::directory::Database;
use vestibule::directory::roster::{Listing, Page, Place};
use vestibule::identity::StoredUser;
use vestibule::scim::filter::{CommonOperand, Filter, Operand, Operator};
use vestibule::scim::list::Order;

use super::crowd::{dismiss, enrol, listing, user};
use super::home::Home;
use super::lists::{attribute, compare};

async fn crowd(db: &Database, numbers: std::ops::Range<u32>) {
    for n in numbers {
        // Names go round, so that orders differ; some have no title and no displayName.
        let name = format!("n{:03}", n * 37 % 100);
        let mut attributes = json!({ "userName": format!("{name}-{n}") });
        if n % 3 > 0 {
            attributes["title"] = name.clone().into();
            attributes["displayName"] = format!("d{}", n % 7).into();
        }
        enrol(db, user(&format!("u{n:03}"), attributes)).await;
    }
}

/// Every way in which a list can be walked.
fn ways() -> Vec<Listing> {
    let mut ways = Vec::new();
    let filters = [None, Some(compare("userName", Operator::Sw, "n")), Some(compare("title", Operator::Ne, "none"))];
    let sorts = [
        None,
        Some(attribute("userName")),
        Some(attribute("displayName")),
        Some(attribute("title")),
        Some(Operand::Common(CommonOperand::Id)),
        Some(Operand::Common(CommonOperand::LastModified)),
    ];
    for filter in &filters {
        for sort in &sorts {
            for order in [Order::Ascending, Order::Descending] {
                let sort = sort.clone().map(|sort| (sort, order));
                ways.push(Listing { filter: filter.clone(), sort, limit: 7, ..listing() });
            }
        }
    }
    ways
}

async fn page(db: &Database, way: &Listing, before: Option<&Page<StoredUser>>) -> Page<StoredUser> {
    let place = before.map_or(Place::First, |page| Place::Behind(page.next.clone().unwrap()));
    db.lists.users(&Listing { place, ..way.clone() }).await.unwrap()
}

fn take(page: &Page<StoredUser>, seen: &mut Vec<String>) {
    seen.extend(page.items.iter().map(|user| user.user.id.0.clone()));
}

pub async fn a_walk_gives_everybody_once_in_order_with_the_same_total(home: &Home) {
    let db = &home.db;
    crowd(db, 0..60).await;
    for way in ways() {
        let whole = db.lists.users(&Listing { limit: 1_000, ..way.clone() }).await.unwrap();
        assert_eq!((whole.items.len(), whole.total), (60, 60), "{way:?}");
        let (mut seen, mut last) = (Vec::new(), page(db, &way, None).await);
        loop {
            assert_eq!(last.total, 60, "{way:?}");
            take(&last, &mut seen);
            if last.next.is_none() {
                break;
            }
            assert_eq!(last.items.len(), 7);
            assert_eq!(last.next.as_ref().unwrap().given, seen.len() as u64);
            last = page(db, &way, Some(&last)).await;
        }
        let mut wanted = Vec::new();
        take(&whole, &mut wanted);
        assert_eq!(seen, wanted, "{way:?}");
    }
}

pub async fn a_walk_neither_skips_nor_repeats_while_others_come_and_go(home: &Home) {
    let db = &home.db;
    let mut number = 0;
    for way in ways() {
        crowd(db, number..number + 40).await;
        let whole = db.lists.users(&Listing { limit: 1_000, ..way.clone() }).await.unwrap();
        let mut there: BTreeSet<String> = whole.items.iter().map(|user| user.user.id.0.clone()).collect();
        let (mut seen, mut last, mut step) = (Vec::new(), page(db, &way, None).await, 0);
        loop {
            take(&last, &mut seen);
            if last.next.is_none() {
                break;
            }
            // One who was given goes, one who wasn't goes, one comes.
            let given = seen.iter().find(|id| there.contains(*id)).cloned();
            let ahead = there.iter().find(|id| !seen.contains(id)).cloned();
            for id in [given, ahead].into_iter().flatten() {
                dismiss(db, &id, 3_000).await;
                there.remove(&id);
            }
            crowd(db, number + 40 + step..number + 41 + step).await;
            step += 1;
            last = page(db, &way, Some(&last)).await;
            let left: u64 = last.total;
            assert!(left >= (seen.len() + last.items.len()) as u64, "{way:?}");
            if last.next.is_none() {
                assert_eq!(
                    left,
                    (seen.len() + last.items.len()) as u64,
                    "the total of the end is what was given: {way:?}"
                );
            }
        }
        let once: BTreeSet<String> = seen.iter().cloned().collect();
        assert_eq!(once.len(), seen.len(), "{way:?}");
        assert!(there.is_subset(&once), "{way:?}");
        number += 50;
        for user in db.lists.users(&Listing { limit: 1_000, ..listing() }).await.unwrap().items {
            dismiss(db, &user.user.id.0, 4_000).await;
        }
    }
}

pub async fn behind_the_last_there_is_nothing(home: &Home) {
    let db = &home.db;
    crowd(db, 0..8).await;
    let way = Listing { limit: 7, ..listing() };
    let first = page(db, &way, None).await;
    dismiss(db, "u007", 2_000).await;
    let rest = page(db, &way, Some(&first)).await;
    assert_eq!((rest.items.len(), rest.total, rest.next), (0, 7, None));
    let only_total = Listing { limit: 0, filter: Some(Filter::Present(attribute("title"))), ..listing() };
    assert_eq!(db.lists.users(&only_total).await.unwrap().total, 4);
}
