use super::*;
use crate::scim::Schemas;
use crate::scim::filter::tests::directory;
use serde_json::json;

fn query(pairs: &[(&str, &str)]) -> Result<ListRequest, ScimError> {
    let pairs: Vec<(String, String)> = pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    ListRequest::of_query(&pairs, &Schemas::of(&directory()).user)
}

fn body(body: &Value) -> Result<ListRequest, ScimError> {
    ListRequest::of_body(body, &Schemas::of(&directory()).user)
}

#[test]
fn o12_o13_indexes_and_counts_are_brought_within_bounds() {
    for (index, count, expected) in [
        (None, None, (1, 100)),
        (Some("1"), Some("2"), (1, 2)),
        (Some("0"), Some("0"), (1, 0)),
        (Some("-5"), Some("-1"), (1, 0)),
        (Some("+7"), Some(" 1000 "), (7, 1_000)),
        (Some("99999999999999999999999"), Some("1001"), (u64::MAX, 1_000)),
        (Some("2"), Some("99999999999999999999999"), (2, 1_000)),
        (Some("2"), Some("-99999999999999999999999"), (2, 0)),
    ] {
        let pairs: Vec<_> =
            [("startIndex", index), ("count", count)].into_iter().filter_map(|(n, v)| v.map(|v| (n, v))).collect();
        let request = query(&pairs).unwrap();
        assert_eq!((request.begin, request.count), (Begin::Index(expected.0), expected.1), "{pairs:?}");
    }
}

#[test]
fn what_is_no_number_is_refused() {
    for value in ["x", "1.5", "--1", "1e3", "٣", ""] {
        for name in ["startIndex", "count"] {
            let fault = query(&[(name, value)]).unwrap_err();
            assert_eq!((fault.scim_type, fault.attribute.as_deref()), (Some(ScimType::InvalidValue), Some(name)));
        }
        let fault = query(&[("cursor", ""), ("count", value)]).unwrap_err();
        assert_eq!(fault.scim_type, Some(ScimType::InvalidCount), "RFC 9865 §2");
    }
}

#[test]
fn a_cursor_is_taken_as_it_came_and_not_beside_an_index() {
    assert_eq!(query(&[("cursor", "")]).unwrap().begin, Begin::Cursor(String::new()));
    assert_eq!(query(&[("cursor", "aB-_"), ("count", "7")]).unwrap().begin, Begin::Cursor("aB-_".to_owned()));
    let fault = query(&[("cursor", ""), ("startIndex", "1")]).unwrap_err();
    assert_eq!(fault.scim_type, Some(ScimType::InvalidCursor));
}

#[test]
fn e51_unknown_parameters_are_ignored() {
    let request = query(&[("aadOptscim062020", ""), ("FILTER", "userName eq \"nobody\"")]).unwrap();
    assert_eq!(request.filter_text, "userName eq \"nobody\"");
    assert!(request.filter.is_some());
    assert_eq!(query(&[("x", "y"), ("filter", " ")]).unwrap().filter, None);
    assert_eq!(query(&[("filter", "userName eq")]).unwrap_err().scim_type, Some(ScimType::InvalidFilter));
}

#[test]
fn lists_are_sorted_by_attributes_that_have_an_order() {
    let key = |key: &str, sub| Operand::Attribute { key: key.to_owned(), sub };
    for (by, order, expected) in [
        ("userName", "", (key("userName", None), Order::Ascending)),
        ("USERNAME", "Descending", (key("userName", None), Order::Descending)),
        ("name.familyName", "ascending", (key("name.familyName", None), Order::Ascending)),
        ("emails", "ascending", (key("emails", Some("value")), Order::Ascending)),
        ("manager", "ascending", (key("manager", Some("value")), Order::Ascending)),
        ("id", "ascending", (Operand::Common(CommonOperand::Id), Order::Ascending)),
        ("meta.lastModified", "DESCENDING", (Operand::Common(CommonOperand::LastModified), Order::Descending)),
    ] {
        assert_eq!(query(&[("sortBy", by), ("sortOrder", order)]).unwrap().sort, Some(expected), "{by}");
    }
    assert_eq!(query(&[("sortOrder", "descending")]).unwrap().sort, None);
    assert!(query(&[("sortBy", "userName"), ("sortOrder", "sideways")]).is_err());
}

#[test]
fn a217_lists_are_not_sorted_by_what_is_hidden_unconfirmed_or_unknown() {
    for by in ["password", "nickName", "nonsense", "name", "addresses", "schemas", "meta", "groups", "members"] {
        let fault = query(&[("sortBy", by)]).unwrap_err();
        assert_eq!((fault.status, fault.scim_type), (400, Some(ScimType::InvalidValue)), "{by}");
        assert!(!fault.detail.contains(by) || by == "schemas", "{fault}");
    }
}

#[test]
fn a_search_says_in_its_body_what_a_query_says() {
    let asked = query(&[
        ("filter", "title pr"),
        ("startIndex", "2"),
        ("count", "3"),
        ("sortBy", "title"),
        ("attributes", "title,name"),
    ]);
    let searched = body(&json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
        "filter": "title pr", "startIndex": 2, "COUNT": "3", "sortBy": "title", "sortOrder": null,
        "attributes": ["title", "name"], "unknown": { "x": 1 },
    }));
    assert_eq!(searched, asked);
    for wrong in [
        json!([]),
        json!({ "filter": {} }),
        json!({ "count": true }),
        json!({ "attributes": [1] }),
        json!({ "count": 1.5 }),
    ] {
        assert_eq!(body(&wrong).unwrap_err().status, 400, "{wrong}");
    }
}

#[test]
fn a_selection_knows_names_in_any_case_and_excludes_its_opposite() {
    let only = |names: &[&str]| Selection::Only(names.iter().map(|&name| name.to_owned()).collect());
    let user = "urn:ietf:params:scim:schemas:core:2.0:User";
    let long = format!("{user}:UserName, Emails.Value,,");
    assert_eq!(Selection::of(Some(&long), None), Ok(only(&["username", "emails.value"])));
    assert_eq!(Selection::of(Some(" , "), Some("")), Ok(Selection::Default));
    let without = Selection::of(None, Some("Members")).unwrap();
    assert_eq!(without, Selection::Without(vec!["members".to_owned()]));
    assert_eq!(Selection::of(Some("id"), Some("members")).unwrap_err().scim_type, Some(ScimType::InvalidValue));
}

#[test]
fn g03_members_and_groups_are_read_only_where_they_are_wanted() {
    for (attributes, excluded, members, groups) in [
        (None, None, true, false),
        (None, Some("members"), false, false),
        (None, Some("MEMBERS,x"), false, false),
        (None, Some("members.display"), true, false),
        (Some("id"), None, false, false),
        (Some("members.value"), None, true, false),
        (Some("groups"), None, false, true),
        (Some("urn:ietf:params:scim:schemas:core:2.0:User:groups"), None, false, true),
        (Some("membership"), None, false, false),
    ] {
        let selection = Selection::of(attributes, excluded).unwrap();
        assert_eq!((selection.wants("members"), selection.wants("groups")), (members, groups), "{selection:?}");
    }
}
