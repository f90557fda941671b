use super::*;
use crate::identity::dialect::LoneMember;
use crate::identity::group::MemberDelta;
use crate::scim::error::ScimType::{InvalidSyntax, InvalidValue, Mutability};
use crate::scim::patch::FILTERS_MAX;

fn ids(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|&id| id.to_owned()).collect()
}

fn add(all: &[&str]) -> MemberStep {
    MemberStep::Delta(MemberDelta::Add(ids(all)))
}

fn remove(all: &[&str]) -> MemberStep {
    MemberStep::Delta(MemberDelta::Remove(ids(all)))
}

fn replace(all: &[&str]) -> MemberStep {
    MemberStep::Delta(MemberDelta::Replace(ids(all)))
}

const CLEAR: MemberStep = MemberStep::Delta(MemberDelta::Clear);

#[test]
fn g04_g05_g09_g18_g19_g21_g25_o21_members_are_added_in_every_form() {
    for (operation, expected) in [
        (json!({ "op": "Add", "path": "members", "value": [{ "$ref": null, "value": "a" }] }), vec![add(&["a"])]),
        (
            json!({ "op": "Add", "path": "members", "value": [{ "value": "a" }, { "value": "b" }, { "value": "c" }] }),
            vec![add(&["a", "b", "c"])],
        ),
        (
            json!({ "op": "add", "path": "members", "value": [{ "value": "a" }, { "value": "00000000-dead-beef" }] }),
            vec![add(&["a", "00000000-dead-beef"])],
        ),
        (json!({ "op": "add", "path": "members", "value": "a" }), vec![add(&["a"])]),
        (json!({ "op": "add", "value": { "members": [{ "value": "a" }] } }), vec![add(&["a"])]),
        (json!({ "op": "add", "path": "members", "value": [{ "value": "a", "display": "a" }] }), vec![add(&["a"])]),
        (json!({ "op": "add", "path": "Members", "value": [{ "$ref": "https://h/Users/a" }] }), vec![add(&["a"])]),
        (json!({ "op": "add", "path": "members", "value": [] }), vec![]),
        (json!({ "op": "add", "path": "members", "value": null }), vec![]),
    ] {
        let plan = group_after(json!([operation]));
        assert_eq!(plan.members, expected, "{operation}");
        assert_eq!(plan.attributes["displayName"], "Grp g");
    }
}

#[test]
fn g06_g08_g10_a223_only_members_that_are_named_are_removed() {
    let named = |path: &str| json!({ "op": "remove", "path": path });
    for (operation, expected) in [
        (json!({ "op": "Remove", "path": "members", "value": [{ "$ref": null, "value": "a" }] }), vec![remove(&["a"])]),
        (json!({ "op": "Remove", "path": "members", "value": ["a", "b"] }), vec![remove(&["a", "b"])]),
        (json!({ "op": "Remove", "path": "members", "value": [] }), vec![]),
        (named("members[value eq \"b\"]"), vec![remove(&["b"])]),
        (named("members[value eq \"a\" or (value eq \"b\" or value eq \"a\")]"), vec![remove(&["a", "b"])]),
        (named("members[value eq \"a\" and value eq \"a\"]"), vec![remove(&["a"])]),
        (named("members[value eq \"a\" and value eq \"b\"]"), vec![]),
        (named("members[value eq \"\"]"), vec![]),
        (named("members"), vec![CLEAR]),
        (json!({ "op": "remove", "path": "members", "value": null }), vec![CLEAR]),
    ] {
        assert_eq!(group_after(json!([operation])).members, expected, "{operation}");
    }
    let steps = group_after(json!([named("members[type eq \"Group\" and value sw \"a\"]")])).members;
    let [MemberStep::RemoveMatching(filter)] = steps.as_slice() else { panic!("{steps:?}") };
    assert!(filter.matches_value(&json!({ "value": "ab", "type": "Group" })));
    assert!(!filter.matches_value(&json!({ "value": "ab", "type": "User" })));
    assert!(!filter.matches_value(&json!({ "value": "Ab", "type": "Group" })), "ids are compared exactly");
}

#[test]
fn g11_g13_g14_members_are_replaced_and_emptied() {
    let one = |operation: Value| group_after(json!([operation])).members;
    assert_eq!(
        one(
            json!({ "op": "replace", "path": "members", "value": [{ "value": "b", "display": "x" }, { "value": "c" }] })
        ),
        [replace(&["b", "c"])]
    );
    let push_now = json!({ "op": "replace", "value": { "members": [], "id": "g", "displayName": "Grp g" } });
    assert_eq!(one(push_now), [CLEAR]);
    for value in [json!(null), json!([]), json!(""), json!([{ "value": "" }])] {
        assert_eq!(one(json!({ "op": "Replace", "path": "members", "value": value })), [CLEAR], "{value}");
    }
}

#[test]
fn a_lone_member_in_a_replace_is_added_where_the_dialect_says_so() {
    let one = json!([{ "op": "replace", "path": "members", "value": [{ "value": "a" }] }]);
    assert_eq!(group_after(one.clone()).members, [replace(&["a"])]);
    let mut own = directory();
    own.dialect.lone_member = LoneMember::Add;
    assert_eq!(patch_group_in(&own, one).unwrap().0.members, [add(&["a"])]);
    let two = json!([{ "op": "replace", "path": "members", "value": ["a", "b"] }]);
    assert_eq!(patch_group_in(&own, two).unwrap().0.members, [replace(&["a", "b"])]);
}

#[test]
fn blank_members_change_nothing_where_the_dialect_ignores_blanks() {
    let mut own = directory();
    own.dialect.blank = crate::identity::dialect::Blank::Ignore;
    for value in [json!(null), json!([]), json!("")] {
        let operations = json!([{ "op": "replace", "path": "members", "value": value }]);
        assert_eq!(patch_group_in(&own, operations).unwrap().0.members, [], "{value}");
    }
}

#[test]
fn g15_g16_g20_names_and_external_ids_change_without_members() {
    for (operation, key, value) in [
        (json!({ "op": "replace", "value": { "id": "g", "displayName": "Renamed" } }), "displayName", "Renamed"),
        (json!({ "op": "Replace", "path": "displayName", "value": "New" }), "displayName", "New"),
        (json!({ "op": "replace", "value": { "externalId": "ne" } }), "externalId", "ne"),
    ] {
        let plan = group_after(json!([operation]));
        assert_eq!(plan.members, [], "{operation}");
        assert_eq!(plan.attributes[key], value);
    }
}

#[test]
fn g26_the_order_of_the_request_is_kept_and_many_operations_are_few_steps() {
    let steps = group_after(json!([
        { "op": "add", "path": "members", "value": [{ "value": "a" }] },
        { "op": "add", "path": "members", "value": [{ "value": "b" }] },
        { "op": "remove", "path": "members[value eq \"a\"]" },
        { "op": "remove", "path": "members", "value": ["b"] },
        { "op": "add", "path": "members", "value": "c" },
    ]))
    .members;
    assert_eq!(steps, [add(&["a", "b"]), remove(&["a", "b"]), add(&["c"])]);
}

#[test]
fn a_group_keeps_its_name_and_a_member_is_never_changed() {
    for (operation, expected) in [
        (json!({ "op": "remove", "path": "displayName" }), Mutability),
        (json!({ "op": "replace", "path": "displayName", "value": "" }), InvalidValue),
        (json!({ "op": "replace", "path": "members[value eq \"a\"].value", "value": "b" }), Mutability),
        (json!({ "op": "replace", "path": "members[value eq \"a\"].display", "value": "b" }), Mutability),
        (json!({ "op": "replace", "path": "members[value eq \"a\"]", "value": { "value": "b" } }), Mutability),
        (json!({ "op": "replace", "path": "members.value", "value": "b" }), Mutability),
        (json!({ "op": "replace", "path": "id", "value": "b" }), Mutability),
        (json!({ "op": "add", "path": "members" }), InvalidValue),
        (json!({ "op": "add", "path": "members", "value": [7] }), InvalidValue),
        (json!({ "op": "swap", "path": "members" }), InvalidSyntax),
    ] {
        let fault = patch_group_in(&directory(), json!([operation])).unwrap_err();
        assert_eq!((fault.status, fault.scim_type), (400, Some(expected)), "{operation}: {fault}");
    }
}

#[test]
fn half_a_million_members_are_taken_and_not_one_more() {
    let full = |count: usize| {
        let all: Vec<Value> = (0..count).map(|n| n.to_string().into()).collect();
        patch_group_in(&directory(), json!([{ "op": "replace", "path": "members", "value": all }]))
    };
    assert!(full(500_000).is_ok());
    assert!(full(500_001).unwrap_err().detail.contains("500001"));
}

#[test]
fn g26_members_are_filtered_by_more_than_ids_before_any_are_added_and_by_few_filters() {
    let by_name = json!({ "op": "remove", "path": "members[display eq \"Ada\"]" });
    let add = json!({ "op": "add", "path": "members", "value": [{ "value": "a" }] });
    let by_id = json!({ "op": "remove", "path": "members[value eq \"a\"]" });
    assert_eq!(group_after(json!([by_name, add, by_id])).members.len(), 3);
    for operations in [json!([add, by_name]), json!([{ "op": "replace", "path": "members", "value": ["a"] }, by_name])]
    {
        let refusal = patch_group_in(&directory(), operations).unwrap_err();
        assert_eq!((refusal.scim_type, refusal.attribute.as_deref()), (Some(InvalidValue), Some("members")));
        assert!(refusal.detail.contains("operation 2"), "{}", refusal.detail);
    }
    assert_eq!(group_after(json!(vec![by_name.clone(); FILTERS_MAX])).members.len(), FILTERS_MAX);
    assert!(
        patch_group_in(&directory(), json!(vec![by_name; FILTERS_MAX + 1])).unwrap_err().detail.contains("at most 16")
    );
}
