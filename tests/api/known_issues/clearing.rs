//! "Null values are not propagated": whatever form a source clears a value in, it is cleared.

use serde_json::{Value, json};
use vestibule::directory::roster::Subject;
use vestibule::identity::UserId;

use super::town::{BOTH, ENTERPRISE, Person, Source, Town};

/// The claim `nick` is there before `clear` and missing after it, and so is the value.
#[track_caller]
fn clears(town: &Town, form: &str, clear: impl FnOnce(&Town, &Person)) {
    let person = town.hire(&format!("p{}", town.newest()));
    assert_eq!(town.claims(&person)["nick"], "Nick", "{form}");
    let before = town.newest();
    clear(town, &person);
    let stored = town.stored(&person).expect("it is there");
    assert_eq!(stored.user.attributes.get("nickName"), None, "{form}");
    let shown = town.call("GET", &format!("/Users/{}", person.id), None).json();
    assert_eq!(shown.get("nickName"), None, "{form}: {shown}");
    let claims = town.claims(&person);
    assert_eq!(claims.get("nick"), None, "{form}");
    assert_eq!(claims["department"], "Research", "{form} clears nothing else");
    let told = town.changes(before);
    assert!(told.iter().any(|change| change.subject == Subject::User(UserId(person.id.clone()))), "{form}");
}

fn path(person: &Person) -> String {
    format!("/Users/{}", person.id)
}

#[test]
fn null_values_are_not_propagated_no_more_in_every_form_of_patch() {
    for source in BOTH {
        let town = Town::new(source);
        let (replace, remove) = if source == Source::Azure { ("Replace", "Remove") } else { ("replace", "remove") };
        let blanks = [json!(null), json!(""), json!("  "), json!("__CLEAR__"), json!([])];
        for blank in &blanks {
            clears(&town, &format!("{source:?} path {blank}"), |town, person| {
                town.patch(&path(person), &json!([{ "op": replace, "path": "nickName", "value": blank }]));
            });
            clears(&town, &format!("{source:?} whole {blank} x"), |town, person| {
                town.patch(&path(person), &json!([{ "op": replace, "value": { "nickName": blank } }]));
            });
            clears(&town, &format!("{source:?} add {blank} y"), |town, person| {
                town.patch(&path(person), &json!([{ "op": "add", "path": "nickName", "value": blank }]));
            });
        }
        clears(&town, &format!("{source:?} remove"), |town, person| {
            town.patch(&path(person), &json!([{ "op": remove, "path": "nickName" }]));
        });
    }
}

#[test]
fn null_values_are_not_propagated_no_more_by_put() {
    for source in BOTH {
        let town = Town::new(source);
        for blank in [json!(null), json!(""), json!(" "), json!("__CLEAR__")] {
            clears(&town, &format!("{source:?} put {blank}"), |town, person| {
                let mut whole = town.body(&person.name);
                whole["nickName"] = blank.clone();
                town.done("PUT", &path(person), &whole);
            });
        }
    }
    // What is left out of a PUT: cleared for Okta, kept for Entra, which never meant it.
    let without = |town: &Town, person: &Person| {
        let mut whole = town.body(&person.name);
        whole.as_object_mut().map(|fields| fields.remove("nickName"));
        town.done("PUT", &path(person), &whole);
    };
    clears(&Town::new(Source::Okta), "left out", without);
    let town = Town::new(Source::Azure);
    let ada = town.hire("ada");
    without(&town, &ada);
    assert_eq!(town.claims(&ada)["nick"], "Nick");
}

#[test]
fn null_values_are_not_propagated_no_more_for_values_of_lists_and_extensions() {
    for source in BOTH {
        let town = Town::new(source);
        for (number, blank) in [json!([]), json!(null), json!([{ "value": "" }]), json!([{}])].into_iter().enumerate() {
            let person = town.hire(&format!("list{number}"));
            town.patch(&path(&person), &json!([{ "op": "replace", "path": "phoneNumbers", "value": blank }]));
            let stored = town.stored(&person).expect("it is there");
            assert_eq!(stored.user.attributes.get("phoneNumbers"), None, "{source:?} {blank}");
        }
        for (number, blank) in [json!(""), json!(null), json!(" "), json!("__CLEAR__")].into_iter().enumerate() {
            let person = town.hire(&format!("extension{number}"));
            let named = format!("{ENTERPRISE}:department");
            town.patch(&path(&person), &json!([{ "op": "Replace", "path": named, "value": blank }]));
            assert_eq!(town.claims(&person).get("department"), None, "{source:?} {blank}");
            let shown: Value = town.call("GET", &path(&person), None).json();
            assert_eq!(shown.get(ENTERPRISE), None, "an emptied extension goes: {shown}");
        }
    }
}

#[test]
fn null_values_are_not_propagated_no_more_for_one_value_among_several() {
    for source in BOTH {
        let town = Town::new(source);
        let mut number = 0;
        let mut cleared = |how: String, operation: Value| {
            number += 1;
            let person = town.hire(&format!("p{number}"));
            let mobile =
                json!([{ "op": "add", "path": "phoneNumbers", "value": [{ "type": "mobile", "value": "+1 777" }] }]);
            town.patch(&path(&person), &mobile);
            town.patch(&path(&person), &json!([operation]));
            let stored = town.stored(&person).expect("it is there");
            let left = stored.user.attributes.get("phoneNumbers").cloned();
            assert_eq!(left, Some(json!([{ "type": "mobile", "value": "+1 777" }])), "{source:?} {how}");
        };
        let work = "phoneNumbers[type eq \"work\"]";
        for blank in [json!(""), json!(null), json!(" "), json!("__CLEAR__")] {
            for op in ["Add", "Replace"] {
                let value = format!("{work}.value");
                cleared(format!("{op} {blank} by path"), json!({ "op": op, "path": value, "value": blank }));
                cleared(format!("{op} {blank} without path"), json!({ "op": op, "value": { (value): blank } }));
            }
            let element = json!({ "op": "replace", "path": work, "value": { "type": "work", "value": blank } });
            cleared(format!("{blank} in the element"), element);
        }
        cleared("remove by filter".to_owned(), json!({ "op": "remove", "path": work }));
        cleared("remove of its value".to_owned(), json!({ "op": "Remove", "path": format!("{work}.value") }));
    }
}
