//! Lists: what a filter finds, in which order, and how many there are.

use serde_json::{Value, json};
use vestibule::base::text::fold;
use vestibule::directory::Activity;
use vestibule::directory::roster::{ListFault, Listing, Place};
use vestibule::identity::StoredUser;
use vestibule::identity::group::MemberDelta;
use vestibule::scim::filter::{CommonOperand, Filter, Literal, Operand, Operator};
use vestibule::scim::list::Order;

use super::crowd::{CROWD, dismiss, enrol, enrol_all, found, ids, listing, somebody, texts, turn, user};
use super::home::{DIRECTORY, Home};
use super::members::draw;

pub fn attribute(key: &str) -> Operand {
    let sub = (key == "emails").then_some("value");
    Operand::Attribute { key: key.to_owned(), sub }
}

/// A comparison of an attribute, with the case rule that it has.
pub fn compare(key: &str, operator: Operator, text: &str) -> Filter {
    let value = Literal::Text { text: text.to_owned(), exact: key == "externalId" };
    Filter::Compare { operand: attribute(key), operator, value }
}

fn common(operand: CommonOperand, operator: Operator, text: &str) -> Filter {
    let value = Literal::Text { text: text.to_owned(), exact: true };
    Filter::Compare { operand: Operand::Common(operand), operator, value }
}

fn active(truth: bool) -> Filter {
    Filter::Compare { operand: attribute("active"), operator: Operator::Eq, value: Literal::Boolean(truth) }
}

fn time(operand: CommonOperand, operator: Operator, nanoseconds: i128) -> Filter {
    Filter::Compare { operand: Operand::Common(operand), operator, value: Literal::Instant(nanoseconds) }
}

async fn found_users(home: &Home, filter: Filter) -> Vec<String> {
    let page = home.db.lists.users(&Listing { filter: Some(filter.clone()), ..listing() }).await.unwrap();
    assert_eq!(page.total, page.items.len() as u64, "{filter:?}");
    assert_eq!(page.next, None);
    ids(&page).into_iter().map(str::to_owned).collect()
}

pub async fn everybody_is_listed_in_the_order_of_creation(home: &Home) {
    let db = &home.db;
    assert_eq!(db.lists.users(&listing()).await.unwrap().total, 0);
    enrol_all(db, &["c", "a", "b"]).await;
    let mut theirs = somebody("theirs");
    theirs.user.directory = "fabrikam".to_owned();
    let theirs = enrol(db, theirs).await;
    let page = db.lists.users(&listing()).await.unwrap();
    assert_eq!((ids(&page), page.total, page.next.clone()), (vec!["c", "a", "b"], 3, None));
    assert!(!page.items.contains(&theirs));
    for item in &page.items {
        assert_eq!(db.roster.user(DIRECTORY, &item.user.id).await.unwrap().as_ref(), Some(item));
    }
    let none = db.lists.users(&Listing { limit: 0, ..listing() }).await.unwrap();
    assert_eq!((none.items.len(), none.total, none.next), (0, 3, None));
    let behind = db.lists.users(&Listing { place: Place::Skip(9), ..listing() }).await.unwrap();
    assert_eq!((behind.items.len(), behind.total), (0, 3));
    let second = db.lists.users(&Listing { place: Place::Skip(1), limit: 1, ..listing() }).await.unwrap();
    assert_eq!((ids(&second), second.total), (vec!["a"], 3));
    assert!(second.next.is_some());
}

async fn three(home: &Home) {
    let db = &home.db;
    let ada = json!({
        "userName": "Ada@Contoso.com", "externalId": "X-1", "displayName": "Ada Lovelace", "title": "Countess",
        "manager": { "value": "bob" }, "employeeNumber": "0042",
        "emails": [{ "value": "ada@contoso.com", "type": "work" }, { "value": "ada@home.example", "type": "home" }],
    });
    enrol(db, user("ada", ada)).await;
    let bob = json!({ "userName": "bob@contoso.com", "displayName": "Bob",
        "emails": [{ "value": "bob@home.example", "type": "work" }] });
    let mut bob = user("bob", bob);
    bob.user.active = false;
    enrol(db, bob).await;
    enrol(db, user("cy", json!({ "userName": "cy", "externalId": "x-1", "title": "countess" }))).await;
    found(db, "g", &["ada", "cy"]).await;
}

pub async fn a_filter_finds_who_matches_it_and_nobody_else(home: &Home) {
    three(home).await;
    use Operator::{Co, Eq, Ew, Ge, Gt, Le, Lt, Ne, Sw};
    let not = |filter| Filter::Not(Box::new(filter));
    let of = |filter| Filter::Of { key: "emails".to_owned(), filter: Box::new(filter) };
    let part = |sub, operator, text: &str| Filter::Compare {
        operand: Operand::Attribute { key: "emails".to_owned(), sub: Some(sub) },
        operator,
        value: Literal::Text { text: text.to_owned(), exact: false },
    };
    let second = 1_000_000_000_000_i128;
    for (filter, wanted) in [
        (compare("userName", Eq, "ADA@contoso.com"), vec!["ada"]),
        (compare("userName", Ne, "ada@contoso.com"), vec!["bob", "cy"]),
        (compare("userName", Sw, "B"), vec!["bob"]),
        (compare("userName", Co, "contoso"), vec!["ada", "bob"]),
        (compare("userName", Gt, "bob"), vec!["bob", "cy"]),
        (compare("externalId", Eq, "x-1"), vec!["cy"]),
        (compare("externalId", Ne, "x-1"), vec!["ada", "bob"]),
        (compare("externalId", Sw, "X"), vec!["ada"]),
        (compare("displayName", Eq, "bob"), vec!["bob"]),
        (compare("displayName", Ew, "LACE"), vec!["ada"]),
        (compare("title", Eq, "COUNTESS"), vec!["ada", "cy"]),
        (compare("emails", Eq, "ADA@home.example"), vec!["ada"]),
        (compare("emails", Sw, "ada"), vec!["ada"]),
        (compare("emails", Ne, "ada@contoso.com"), vec!["ada", "bob", "cy"]),
        (of(part("value", Eq, "ada@home.example")), vec!["ada"]),
        (of(Filter::And(vec![part("type", Eq, "work"), part("value", Eq, "bob@home.example")])), vec!["bob"]),
        (of(Filter::And(vec![part("type", Eq, "work"), part("value", Sw, "ada@h")])), vec![]),
        (of(not(part("value", Sw, "ada@h"))), vec!["ada", "bob"]),
        (Filter::Present(attribute("externalId")), vec!["ada", "cy"]),
        (Filter::Present(attribute("emails")), vec!["ada", "bob"]),
        (not(Filter::Present(attribute("title"))), vec!["bob"]),
        (active(false), vec!["bob"]),
        (not(active(false)), vec!["ada", "cy"]),
        (common(CommonOperand::Id, Eq, "cy"), vec!["cy"]),
        (common(CommonOperand::Id, Ne, "cy"), vec!["ada", "bob"]),
        (common(CommonOperand::Groups, Eq, "g"), vec!["ada", "cy"]),
        (not(common(CommonOperand::Groups, Eq, "g")), vec!["bob"]),
        (Filter::Present(Operand::Common(CommonOperand::Groups)), vec!["ada", "cy"]),
        (Filter::Or(vec![common(CommonOperand::Groups, Eq, "g"), compare("title", Co, "x")]), vec!["ada", "cy"]),
        (
            Filter::And(vec![not(common(CommonOperand::Groups, Eq, "h")), compare("title", Eq, "countess")]),
            vec!["ada", "cy"],
        ),
        (time(CommonOperand::Created, Eq, second), vec!["ada", "bob", "cy"]),
        (time(CommonOperand::Created, Eq, second + 1), vec![]),
        (time(CommonOperand::Created, Gt, second - 1), vec!["ada", "bob", "cy"]),
        (time(CommonOperand::Created, Gt, second), vec![]),
        (time(CommonOperand::LastModified, Ge, second + 1), vec![]),
        (time(CommonOperand::LastModified, Le, second + 1), vec!["ada", "bob", "cy"]),
        (time(CommonOperand::LastModified, Lt, second + 1), vec!["ada", "bob", "cy"]),
        (time(CommonOperand::LastModified, Lt, second), vec![]),
        (Filter::Or(vec![compare("userName", Eq, "cy"), compare("externalId", Eq, "X-1")]), vec!["ada", "cy"]),
        (Filter::And(vec![common(CommonOperand::Id, Eq, "ada"), compare("manager", Eq, "bob")]), vec![]),
        (Filter::And(Vec::new()), vec!["ada", "bob", "cy"]),
        (Filter::Never, vec![]),
        (not(Filter::Never), vec!["ada", "bob", "cy"]),
    ] {
        assert_eq!(found_users(home, filter.clone()).await, wanted, "{filter:?}");
    }
    let manager = Filter::Compare {
        operand: Operand::Attribute { key: "manager".to_owned(), sub: Some("value") },
        operator: Eq,
        value: Literal::Text { text: "BOB".to_owned(), exact: false },
    };
    assert_eq!(found_users(home, Filter::And(vec![common(CommonOperand::Id, Eq, "ada"), manager])).await, ["ada"]);
}

pub async fn a215_texts_that_look_like_sql_are_texts(home: &Home) {
    let names = ["a' OR '1'='1", "100%", "_", "\\", "\"", "$1", "--", "'; DROP TABLE users; --", "?"];
    for (at, name) in names.iter().enumerate() {
        enrol(&home.db, user(&format!("u{at}"), json!({ "userName": name, "title": name }))).await;
    }
    for (at, name) in names.iter().enumerate() {
        for key in ["userName", "title"] {
            assert_eq!(found_users(home, compare(key, Operator::Eq, name)).await, [format!("u{at}")], "{key} {name}");
        }
        assert!(found_users(home, compare("userName", Operator::Sw, name)).await.contains(&format!("u{at}")));
    }
    for operator in [Operator::Eq, Operator::Sw, Operator::Co] {
        assert!(found_users(home, compare("userName", operator, "a\0b")).await.is_empty());
    }
    assert!(found_users(home, common(CommonOperand::Id, Operator::Eq, "u1\0")).await.is_empty());
}

pub async fn long_values_are_found_by_all_of_them_and_by_their_beginning(home: &Home) {
    let long = |end: &str| format!("{}{end}", "ü".repeat(200));
    for end in ["a", "b"] {
        enrol(&home.db, user(end, json!({ "userName": long(end) }))).await;
    }
    enrol(&home.db, user("short", json!({ "userName": "ü" }))).await;
    assert_eq!(found_users(home, compare("userName", Operator::Eq, &long("b"))).await, ["b"]);
    assert_eq!(found_users(home, compare("userName", Operator::Sw, &"Ü".repeat(200))).await, ["a", "b"]);
    assert_eq!(found_users(home, compare("userName", Operator::Sw, &long("b"))).await, ["b"]);
    assert_eq!(found_users(home, compare("userName", Operator::Sw, "ü")).await, ["a", "b", "short"]);
    assert!(found_users(home, compare("userName", Operator::Eq, &"ü".repeat(200))).await.is_empty());
}

pub async fn groups_are_found_by_name_external_id_and_members(home: &Home) {
    let db = &home.db;
    enrol_all(db, &["u1", "u2"]).await;
    found(db, "Sales", &["u1"]).await;
    found(db, "Staff", &["u1", "u2", "Sales"]).await;
    found(db, "Empty", &[]).await;
    for (filter, wanted) in [
        (compare("displayName", Operator::Eq, "SALES"), vec!["Sales"]),
        (compare("displayName", Operator::Sw, "s"), vec!["Sales", "Staff"]),
        (compare("displayName", Operator::Co, "AFF"), vec!["Staff"]),
        (compare("externalId", Operator::Eq, "x-Staff"), vec!["Staff"]),
        (compare("externalId", Operator::Eq, "x-staff"), vec![]),
        (common(CommonOperand::Members, Operator::Eq, "u1"), vec!["Sales", "Staff"]),
        (common(CommonOperand::Members, Operator::Eq, "Sales"), vec!["Staff"]),
        (Filter::Not(Box::new(Filter::Present(Operand::Common(CommonOperand::Members)))), vec!["Empty"]),
        (
            Filter::And(vec![
                common(CommonOperand::Id, Operator::Eq, "Staff"),
                common(CommonOperand::Members, Operator::Eq, "u2"),
            ]),
            vec!["Staff"],
        ),
    ] {
        let page = db.lists.groups(&Listing { filter: Some(filter.clone()), ..listing() }).await.unwrap();
        let names: Vec<&str> = page.items.iter().map(|group| group.id.0.as_str()).collect();
        assert_eq!((names, page.total), (wanted.clone(), wanted.len() as u64), "{filter:?}");
    }
    let all = db.lists.groups(&listing()).await.unwrap();
    assert_eq!((all.items.len(), all.total), (3, 3));
    assert_eq!(all.items[1].members, 3);
    turn(db, "Staff", vec![MemberDelta::Remove(texts(&["u2"]))], 2_000).await;
    assert!(
        db.lists
            .groups(&Listing { filter: Some(common(CommonOperand::Members, Operator::Eq, "u2")), ..listing() })
            .await
            .unwrap()
            .items
            .is_empty()
    );
}

pub async fn absent_values_are_last_ascending_and_first_descending(home: &Home) {
    let db = &home.db;
    for (id, attributes) in [
        (
            "1",
            json!({ "userName": "n1", "title": "B", "displayName": "b", "emails": [{ "value": "z" }, { "value": "a", "primary": true }] }),
        ),
        (
            "2",
            json!({ "userName": "n4", "title": "a", "displayName": "A", "emails": [{ "value": "b" }, { "value": "a" }] }),
        ),
        ("3", json!({ "userName": "n3" })),
        ("4", json!({ "userName": "N2", "title": "b", "displayName": "B", "emails": [{ "value": "c" }] })),
    ] {
        enrol(db, user(id, attributes)).await;
    }
    for (sort, wanted) in [
        (attribute("userName"), ["1", "4", "3", "2"]),
        (attribute("displayName"), ["2", "1", "4", "3"]),
        (attribute("title"), ["2", "1", "4", "3"]),
        (attribute("emails"), ["1", "2", "4", "3"]),
        (Operand::Common(CommonOperand::Id), ["1", "2", "3", "4"]),
        (Operand::Common(CommonOperand::Created), ["1", "2", "3", "4"]),
    ] {
        let filters = [None, Some(Filter::Not(Box::new(Filter::Never))), Some(compare("title", Operator::Ne, "q"))];
        for filter in filters {
            for order in [Order::Ascending, Order::Descending] {
                let listing = Listing { sort: Some((sort.clone(), order)), filter: filter.clone(), ..listing() };
                let page = db.lists.users(&listing).await.unwrap();
                let mut wanted = wanted;
                if order == Order::Descending {
                    wanted.reverse();
                }
                assert_eq!((ids(&page), page.total), (wanted.to_vec(), 4), "{listing:?}");
                let skipped = Listing { place: Place::Skip(2), limit: 1, ..listing };
                let page = db.lists.users(&skipped).await.unwrap();
                assert_eq!((ids(&page), page.total), (vec![wanted[2]], 4), "{skipped:?}");
            }
        }
    }
}

/// What a filter says of a user, worked out in the plainest way.
fn holds(filter: &Filter, user: &StoredUser, groups: &[&str]) -> bool {
    let all_of = |key: &str| -> Vec<String> {
        match user.user.attributes.get(key) {
            Some(Value::Array(items)) => items.iter().map(|item| item["value"].as_str().unwrap().to_owned()).collect(),
            Some(value) => vec![value.as_str().unwrap().to_owned()],
            None => Vec::new(),
        }
    };
    match filter {
        Filter::And(all) => all.iter().all(|one| holds(one, user, groups)),
        Filter::Or(all) => all.iter().any(|one| holds(one, user, groups)),
        Filter::Not(inner) => !holds(inner, user, groups),
        Filter::Present(Operand::Attribute { key, .. }) => !all_of(key).is_empty(),
        Filter::Compare { operand: Operand::Attribute { .. }, value: Literal::Boolean(truth), .. } => {
            user.user.active == *truth
        }
        Filter::Compare { operand: Operand::Attribute { key, .. }, operator, value: Literal::Text { text, exact } } => {
            let prepare = |text: &str| if *exact { text.to_owned() } else { fold(text) };
            let (values, wanted) = (all_of(key), prepare(text));
            let one = |value: &String| match operator {
                Operator::Eq => prepare(value) == wanted,
                Operator::Ne => prepare(value) != wanted,
                Operator::Sw => prepare(value).starts_with(&wanted),
                _ => prepare(value).contains(&wanted),
            };
            values.iter().any(one) || (values.is_empty() && *operator == Operator::Ne)
        }
        Filter::Compare { operand: Operand::Common(CommonOperand::Id), value: Literal::Text { text, .. }, .. } => {
            user.user.id.0 == *text
        }
        Filter::Compare { value: Literal::Text { text, .. }, .. } => groups.contains(&text.as_str()),
        _ => false,
    }
}

fn random_filter(seed: &mut u64, depth: u32) -> Filter {
    let some = |seed: &mut u64| (0..draw(seed) % 3 + 1).map(|_| random_filter(seed, depth + 1)).collect();
    if depth < 3 {
        match draw(seed) % 8 {
            0 | 1 => return Filter::And(some(seed)),
            2 | 3 => return Filter::Or(some(seed)),
            4 => return Filter::Not(Box::new(random_filter(seed, depth + 1))),
            _ => {}
        }
    }
    let key = ["userName", "externalId", "displayName", "emails", "title"][draw(seed) as usize % 5];
    let text = ["a", "B", "ab", "A1", "b2", "zz"][draw(seed) as usize % 6];
    let operator = [Operator::Eq, Operator::Ne, Operator::Sw, Operator::Co][draw(seed) as usize % 4];
    match draw(seed) % 8 {
        0 => active(draw(seed).is_multiple_of(2)),
        1 => Filter::Present(attribute(key)),
        2 => common(CommonOperand::Id, Operator::Eq, &format!("u{:02}", draw(seed) % 50)),
        3 => common(CommonOperand::Groups, Operator::Eq, ["g", "h"][draw(seed) as usize % 2]),
        _ => compare(key, operator, text),
    }
}

pub async fn random_filters_find_what_a_plain_evaluator_finds(home: &Home) {
    let (db, mut seed) = (&home.db, 11);
    let mut users = Vec::new();
    for at in 0..40 {
        let word = |seed: &mut u64| ["a", "B", "ab", "Ab1", "A1", "b2x"][draw(seed) as usize % 6].to_owned();
        let mut attributes = json!({ "userName": format!("{}{at}", word(&mut seed)) });
        for key in ["displayName", "title"] {
            if !draw(&mut seed).is_multiple_of(3) {
                attributes[key] = word(&mut seed).into();
            }
        }
        if draw(&mut seed).is_multiple_of(2) {
            attributes["externalId"] = format!("{}{at}", word(&mut seed)).into();
        }
        let emails: Vec<Value> = (0..draw(&mut seed) % 3).map(|_| json!({ "value": word(&mut seed) })).collect();
        if !emails.is_empty() {
            attributes["emails"] = emails.into();
        }
        let mut new = user(&format!("u{at:02}"), attributes);
        new.user.active = !draw(&mut seed).is_multiple_of(4);
        users.push(enrol(db, new).await);
    }
    let of_g: Vec<&str> = users.iter().step_by(3).map(|user| user.user.id.0.as_str()).collect();
    let of_h: Vec<&str> = users.iter().step_by(4).map(|user| user.user.id.0.as_str()).collect();
    found(db, "g", &of_g).await;
    found(db, "h", &of_h).await;
    for round in 0..400 {
        let filter = random_filter(&mut seed, 0);
        let mut wanted = Vec::new();
        for user in &users {
            let id = user.user.id.0.as_str();
            let mut groups = Vec::new();
            groups.extend(of_g.contains(&id).then_some("g"));
            groups.extend(of_h.contains(&id).then_some("h"));
            if holds(&filter, user, &groups) {
                wanted.push(id.to_owned());
            }
        }
        assert_eq!(found_users(home, filter.clone()).await, wanted, "{round} {filter:?}");
    }
}

pub async fn what_is_switched_off_or_deleted_counts_as_that_at_once(home: &Home) {
    let db = &home.db;
    enrol_all(db, &["a", "b"]).await;
    db.users
        .set_active(&vestibule::identity::UserId("a".to_owned()), Activity::Inactive, super::home::at(2_000))
        .await
        .unwrap();
    assert_eq!(found_users(home, active(false)).await, ["a"]);
    dismiss(db, "a", 3_000).await;
    assert!(found_users(home, active(false)).await.is_empty());
    assert!(found_users(home, compare("userName", Operator::Eq, "a@contoso.com")).await.is_empty());
    assert_eq!(db.lists.users(&listing()).await.unwrap().total, 1);
}

pub async fn a_list_that_would_look_at_too_many_is_refused(home: &Home) {
    let db = &home.db;
    // As many by the contract would take a minute.
    (home.script)(CROWD);
    let by_title = Listing { filter: Some(compare("title", Operator::Eq, "x")), ..listing() };
    assert_eq!(db.lists.users(&by_title).await.unwrap().total, 0);
    enrol_all(db, &["one more"]).await;
    assert!(matches!(db.lists.users(&by_title).await, Err(ListFault::TooMany)));
    let sorted = Listing { sort: Some((attribute("title"), Order::Ascending)), ..listing() };
    assert!(matches!(db.lists.users(&sorted).await, Err(ListFault::TooMany)));
    let found = Filter::And(vec![compare("userName", Operator::Eq, "u7"), compare("title", Operator::Ne, "x")]);
    let one = Listing { filter: Some(found), ..listing() };
    assert_eq!(db.lists.users(&one).await.unwrap().total, 1);
}
