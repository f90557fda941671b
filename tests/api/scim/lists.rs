//! Lists: filters, pages by index and by cursor, order, search.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use vestibule::base::Span;

use super::world;
use crate::support::scim::{LIST_RESPONSE, Scim, id, is_error};
use crate::world::World;

fn people(scim: &Scim<'_>, count: usize) -> Vec<String> {
    (0..count).map(|n| id(&scim.user(&format!("u{n:03}@contoso.com"), &format!("e{n}"))).to_owned()).collect()
}

fn ids(page: &Value) -> Vec<String> {
    let all = page["Resources"].as_array().into_iter().flatten();
    all.map(|resource| id(resource).to_owned()).collect()
}

#[test]
fn o11_o12_o13_pages_have_true_totals_and_bounds() {
    let world = world();
    let scim = Scim::new(&world.server);
    let all = people(&scim, 7);
    for (query, start, given) in [
        ("", 1, 7),
        ("?startIndex=1&count=3", 1, 3),
        ("?startIndex=0&count=3", 1, 3),
        ("?startIndex=-5&count=3", 1, 3),
        ("?startIndex=6&count=3", 6, 2),
        ("?startIndex=100", 100, 0),
        ("?count=0", 1, 0),
        ("?count=-1", 1, 0),
        ("?count=100000", 1, 7),
    ] {
        let page = scim.get(&format!("/Users{query}")).json();
        assert_eq!(page["schemas"], json!([LIST_RESPONSE]));
        assert_eq!(page["totalResults"], 7, "{query}");
        assert_eq!(page["startIndex"], start, "{query}");
        assert_eq!(page["itemsPerPage"], given, "{query}");
        assert_eq!(ids(&page).len(), given, "{query}");
    }
    assert_eq!(ids(&scim.get("/Users").json()), all, "in the order of creation");
    is_error(&scim.get("/Users?startIndex=one"), 400, Some("invalidValue"));
}

#[test]
fn pages_by_index_skip_nobody_and_repeat_nobody_while_others_are_deleted() {
    let world = world();
    let scim = Scim::new(&world.server);
    let all = people(&scim, 20);
    let (mut seen, mut index, mut deleted) = (Vec::new(), 1, 0);
    loop {
        let page = scim.get(&format!("/Users?startIndex={index}&count=4")).json();
        let given = ids(&page);
        if given.is_empty() {
            break;
        }
        index += given.len();
        seen.extend(given);
        // Two who were given already go, and with them the places before this page.
        for gone in &all[deleted..deleted + 2] {
            assert_eq!(scim.delete(&format!("/Users/{gone}")).status, 204);
        }
        deleted += 2;
        if index as u64 > page["totalResults"].as_u64().expect("a number") {
            break;
        }
    }
    assert_eq!(seen, all);
}

#[test]
fn pages_of_the_roots_search_skip_nothing_and_repeat_nothing_while_others_are_deleted() {
    let world = world();
    let scim = Scim::new(&world.server);
    let mut all = people(&scim, 9);
    all.extend((0..6).map(|n| id(&scim.group(&format!("Group {n}"), &[])).to_owned()));
    for count in [2, 3, 4] {
        let gone: Vec<String> =
            (0..4).map(|n| id(&scim.user(&format!("gone{n}@contoso.com"), "")).to_owned()).collect();
        let (mut seen, mut index, mut deleted) = (Vec::new(), 1, gone.iter());
        loop {
            let page = scim.post("/.search", &json!({ "startIndex": index, "count": count })).json();
            assert!(ids(&page).len() <= count, "{page}");
            index += ids(&page).len();
            seen.extend(ids(&page));
            // Whoever was given already goes, and with them the places before the next page.
            for id in deleted.by_ref().take(2).filter(|id| seen.contains(id)) {
                assert_eq!(scim.delete(&format!("/Users/{id}")).status, 204);
            }
            if ids(&page).is_empty() || index as u64 > page["totalResults"].as_u64().expect("a number") {
                break;
            }
        }
        let stayed: Vec<String> = seen.iter().filter(|id| !gone.contains(id)).cloned().collect();
        assert_eq!(stayed, all, "{count} at a time");
        gone.iter().for_each(|id| drop(scim.delete(&format!("/Users/{id}"))));
    }
}

#[test]
fn pages_by_cursor_skip_nobody_and_repeat_nobody_and_the_last_has_no_next() {
    let world = world();
    let scim = Scim::new(&world.server);
    let all = people(&scim, 10);
    let (mut seen, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = scim.get(&format!("/Users?cursor={cursor}&count=3")).json();
        pages += 1;
        assert!(page.get("startIndex").is_none() && page["totalResults"].is_u64(), "{page}");
        seen.extend(ids(&page));
        assert_eq!(scim.delete(&format!("/Users/{}", seen[0])).status, if pages == 1 { 204 } else { 404 });
        match page["nextCursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
        assert!(
            cursor.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~')),
            "{cursor}"
        );
    }
    assert_eq!((seen, pages), (all, 4));
}

#[test]
fn a216_a_cursor_is_good_for_its_question_its_directory_and_ten_minutes() {
    let world = World::with(|setup, _| {
        setup.provisioned().file(
            "directories/fabrikam.toml",
            "name = \"Fabrikam\"\ndomains = [\"fabrikam.com\"]\nsource = \"generic\"\ntype = \"provisioned\"\n",
        );
    });
    let scim = Scim::new(&world.server);
    people(&scim, 3);
    let page = scim.get("/Users?cursor=&count=1").json();
    let cursor = page["nextCursor"].as_str().expect("more").to_owned();
    assert_eq!(scim.get(&format!("/Users?cursor={cursor}&count=1")).status, 200);
    let forged = format!("{}A", &cursor[..cursor.len() - 1]);
    let other_directory = Scim::of(&world.server, "fabrikam");
    for (scim, query) in [
        (&scim, format!("/Users?cursor={forged}B&count=1")),
        (&scim, "/Users?cursor=made-up".to_owned()),
        (&scim, format!("/Groups?cursor={cursor}")),
        (&scim, format!("/Users?cursor={cursor}&filter=userName pr")),
        (&scim, format!("/Users?cursor={cursor}&sortBy=userName")),
        (&other_directory, format!("/Users?cursor={cursor}")),
    ] {
        is_error(&scim.get(&query), 400, Some("invalidCursor"));
    }
    is_error(&scim.get("/Users?cursor=&count=x"), 400, Some("invalidCount"));
    world.advance(Span::minutes(10));
    is_error(&scim.get(&format!("/Users?cursor={cursor}&count=1")), 400, Some("expiredCursor"));
}

#[test]
fn a215_hostile_filters_find_nothing_and_break_nothing() {
    let world = world();
    let scim = Scim::new(&world.server);
    scim.user("alice@contoso.com", "alice");
    for hostile in ["userName eq \"a\" or 1 eq 1", "1 eq 1", "'; DROP TABLE users; --", "userName eq \"a\" --"] {
        is_error(&scim.get(&format!("/Users?filter={hostile}")), 400, Some("invalidFilter"));
    }
    for nothing in ["userName co \"%25\"", "userName sw \"_\"", "userName eq \"' OR '1'='1\"", "userName co \"\\\\\""] {
        assert!(scim.found("Users", nothing).is_empty(), "{nothing}");
    }
    let with_nul = scim.get("/Users?filter=userName eq \"a%00\"");
    assert!(with_nul.status == 400 || with_nul.json()["totalResults"] == 0, "{}", with_nul.text());
    let with_nul = scim.get("/Users?filter=userName eq \"a\\u0000\"");
    assert!(with_nul.status == 400 || with_nul.json()["totalResults"] == 0, "{}", with_nul.text());
    assert_eq!(scim.found("Users", "userName eq \"alice@contoso.com\"").len(), 1);
}

#[test]
fn a217_a_filter_or_order_by_what_is_unknown_or_not_confirmed_is_invalid() {
    let world = world();
    let scim = Scim::new(&world.server);
    scim.user("alice@contoso.com", "alice");
    for attribute in ["password", "title", "madeUp", "phoneNumbers.value", "urn:x:y:z"] {
        is_error(&scim.get(&format!("/Users?filter={attribute} eq \"x\"")), 400, Some("invalidFilter"));
        let sorted = scim.get(&format!("/Users?sortBy={attribute}"));
        assert_eq!(sorted.status, 400, "{attribute}: {}", sorted.text());
    }
    assert_eq!(scim.get("/Users?filter=displayName eq \"nobody\"").json()["totalResults"], 0);
}

#[test]
fn e05_e06_e07_filters_compare_as_their_attributes_do() {
    let world = world();
    let scim = Scim::new(&world.server);
    let alice = scim.user("alice@contoso.com", "Alice-1");
    for (filter, found) in [
        ("userName eq \"ALICE@contoso.com\"", true),
        ("externalId eq \"Alice-1\"", true),
        ("externalId eq \"alice-1\"", false),
        ("externalId eq Alice-1", true),
        ("emails[type eq \"work\"].value eq \"alice@contoso.com\"", true),
        ("emails.value eq \"Alice@contoso.com\"", true),
        ("emails[type eq \"home\"].value eq \"alice@contoso.com\"", false),
        ("active eq true and displayName eq \"given family\"", true),
        ("not (userName eq \"alice@contoso.com\")", false),
        ("externalId eq \"\"", false),
    ] {
        assert_eq!(!scim.found("Users", filter).is_empty(), found, "{filter}");
    }
    let by_id = format!("id eq \"{}\"", id(&alice));
    assert_eq!(scim.found("Users", &by_id).len(), 1);
}

#[test]
fn e08_g23_references_are_checked_by_filter() {
    let world = world();
    let scim = Scim::new(&world.server);
    let (alice, bob) = (scim.user("alice@contoso.com", "a"), scim.user("bob@contoso.com", "b"));
    let group = scim.group("Group", &[id(&alice)]);
    let check = |member: &Value| format!("id eq \"{}\" and members eq \"{}\"", id(&group), id(member));
    assert_eq!(scim.found("Groups", &check(&alice)).len(), 1);
    assert!(scim.found("Groups", &check(&bob)).is_empty());
}

#[test]
fn lists_are_sorted_with_pages_that_fit_together() {
    let world = world();
    let scim = Scim::new(&world.server);
    people(&scim, 5);
    let sorted = |query: &str| -> Vec<String> {
        let page = scim.get(&format!("/Users?sortBy=userName&{query}")).json();
        page["Resources"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|it| it["userName"].as_str().map(str::to_owned))
            .collect()
    };
    let mut down = sorted("sortOrder=descending");
    assert_eq!(down.len(), 5);
    let walked: BTreeSet<String> =
        [1, 3, 5].into_iter().flat_map(|at| sorted(&format!("startIndex={at}&count=2"))).collect();
    down.reverse();
    assert_eq!(down, sorted("sortOrder=ascending"));
    assert_eq!(walked.into_iter().collect::<Vec<_>>(), down);
}

#[test]
fn a_search_asks_by_post_what_a_list_asks_by_get() {
    let world = world();
    let scim = Scim::new(&world.server);
    people(&scim, 3);
    scim.group("Group", &[]);
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
        "filter": "userName sw \"u\"", "startIndex": 2, "count": 1, "attributes": ["userName"],
    });
    let found = scim.post("/Users/.search", &body);
    assert_eq!(found.status, 200, "{}", found.text());
    assert_eq!(
        found.json(),
        scim.get("/Users?filter=userName sw \"u\"&startIndex=2&count=1&attributes=userName").json()
    );
    is_error(&scim.post("/Users/.search", &json!({ "filter": "x y z" })), 400, Some("invalidFilter"));
}

#[test]
fn a_search_at_the_root_finds_users_and_groups() {
    let world = world();
    let scim = Scim::new(&world.server);
    let mut all = people(&scim, 3);
    all.push(id(&scim.group("Group", &[])).to_owned());
    let found = scim.post("/.search", &json!({})).json();
    assert_eq!((&found["totalResults"], ids(&found)), (&json!(4), all.clone()));
    let page = scim.post("/.search", &json!({ "startIndex": 3, "count": 2 })).json();
    assert_eq!((&page["totalResults"], ids(&page)), (&json!(4), all[2..].to_vec()));
    let groups = scim.post("/.search", &json!({ "filter": "meta.resourceType eq \"Group\"" })).json();
    assert_eq!(ids(&groups), all[3..]);
    let users = scim.post("/.search", &json!({ "filter": "userName eq \"u000@contoso.com\"" })).json();
    assert_eq!(ids(&users), all[..1], "groups have no userName");
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = scim.post("/.search", &json!({ "cursor": cursor, "count": 2 })).json();
        assert_eq!(page["totalResults"], 4, "{page}");
        seen.extend(ids(&page));
        match page["nextCursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    assert_eq!(seen, all);
    is_error(&scim.post("/.search", &json!({ "filter": "madeUp eq 1" })), 400, Some("invalidFilter"));
}

#[test]
fn where_a_page_of_one_question_begins_says_nothing_of_another_question() {
    let world = world();
    let scim = Scim::new(&world.server);
    let all = people(&scim, 6);
    for n in [1, 3, 5] {
        let operation = json!([{ "op": "replace", "path": "displayName", "value": "Other" }]);
        assert_eq!(scim.patch(&format!("/Users/{}", all[n]), &operation).status, 200);
    }
    let other = "filter=displayName eq \"Other\"&";
    let page = |filter: &str, start: u32| ids(&scim.get(&format!("/Users?{filter}startIndex={start}&count=2")).json());
    assert_eq!(page(other, 1), [all[1].as_str(), &all[3]]);
    assert_eq!(page("", 3), all[2..4], "not behind what the filtered list gave");
    assert_eq!(page(other, 3), [all[5].as_str()]);
}
