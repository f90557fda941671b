use super::*;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

#[track_caller]
fn attribute(draft: &Draft, key: &str) -> Value {
    draft.attributes.get(key).cloned().unwrap_or_default()
}

#[test]
fn e18_e20_e21_o04_o16_a_user_is_switched_off_and_on_in_every_form() {
    let (on, off) = (ada(json!({})), ada(json!({ "active": false })));
    for (operations, from, active) in [
        (json!([{ "op": "Replace", "path": "active", "value": "False" }]), &on, false),
        (json!([{ "op": "Replace", "path": "active", "value": "True" }]), &off, true),
        (json!([{ "op": "replace", "path": "active", "value": false }]), &on, false),
        (json!([{ "op": "replace", "value": { "active": false } }]), &on, false),
        (json!([{ "op": "replace", "value": { "active": true } }]), &off, true),
        (json!([{ "OP": "ADD", "Path": "ACTIVE", "Value": "true" }]), &off, true),
        (json!([{ "op": "replace", "path": "active", "value": null }]), &off, false),
    ] {
        let after = patched(from, operations.clone());
        assert_eq!(after.active, active, "{operations}");
        assert_eq!(after.attributes, on.attributes, "{operations}");
    }
}

#[test]
fn e52_a_patch_without_schemas_is_read_and_one_without_operations_changes_nothing() {
    let on = ada(json!({}));
    let body = json!({ "operations": [{ "op": "Replace", "path": "active", "value": "False" }] });
    let (after, notes) = patch_user_in(&directory(), &on, &body).unwrap();
    assert!(!after.active && !notes.remarks.is_empty());
    assert_eq!(patched(&on, json!([])), on);
}

#[test]
fn e23_e25_e26_filtered_parts_are_replaced_or_made() {
    let after = patched(
        &ada(json!({})),
        json!([
            { "op": "Replace", "path": "emails[type eq \"work\"].value", "value": "new@e.x" },
            { "op": "Replace", "path": "name.familyName", "value": "Byron" },
        ]),
    );
    assert_eq!(attribute(&after, "emails"), json!([{ "type": "work", "primary": true, "value": "new@e.x" }]));
    assert_eq!(attribute(&after, "name.familyName"), json!("Byron"));

    let fax = ada(json!({ "phoneNumbers": [{ "type": "fax", "value": "+1 555 0199" }] }));
    for op in ["Add", "replace"] {
        let after = patched(
            &fax,
            json!([
                { "op": op, "path": "phoneNumbers[type eq \"mobile\"].value", "value": "+1 555 0100" },
            ]),
        );
        let both = json!([
            { "type": "fax", "value": "+1 555 0199" },
            { "type": "mobile", "value": "+1 555 0100" },
        ]);
        assert_eq!(attribute(&after, "phoneNumbers"), both);
    }

    let after = patched(
        &ada(json!({})),
        json!([
            { "op": "Replace", "path": "displayName", "value": "Pvlo" },
            { "op": "Replace", "path": "emails[type eq \"work\"].value", "value": "T@t.x" },
            { "op": "Replace", "path": "name.givenName", "value": "Gtfd" },
            { "op": "Replace", "path": "name.familyName", "value": "Pkqf" },
            { "op": "Replace", "path": "externalId", "value": "Eqpj" },
            { "op": "Replace", "path": format!("{ENTERPRISE}:employeeNumber"), "value": "Eqpj" },
        ]),
    );
    for (key, value) in [
        ("displayName", "Pvlo"),
        ("name.givenName", "Gtfd"),
        ("name.familyName", "Pkqf"),
        ("externalId", "Eqpj"),
        ("employeeNumber", "Eqpj"),
    ] {
        assert_eq!(attribute(&after, key), json!(value));
    }
}

#[test]
fn e27_e28_e45_an_object_without_path_has_names_paths_urns_and_objects_as_keys() {
    let after = patched(
        &ada(json!({})),
        json!([
            { "op": "replace", "path": "emails[type eq \"work\"].value", "value": "T2@t.x" },
            { "op": "replace", "value": {
                "displayName": "Bjfe",
                "name.givenName": "Kkom",
                "name.familyName": "Unua",
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber": "Aklq",
            } },
        ]),
    );
    for (key, value) in
        [("displayName", "Bjfe"), ("name.givenName", "Kkom"), ("name.familyName", "Unua"), ("employeeNumber", "Aklq")]
    {
        assert_eq!(attribute(&after, key), json!(value));
    }

    let after = patched(
        &ada(json!({})),
        json!([
            { "op": "add", "value": { format!("{ENTERPRISE}:department"): "Retail", "title": "Clerk" } },
        ]),
    );
    assert_eq!((attribute(&after, "department"), attribute(&after, "title")), (json!("Retail"), json!("Clerk")));

    let after = patched(&ada(json!({})), json!([{ "op": "replace", "value": { "name": { "familyName": null } } }]));
    assert_eq!(attribute(&after, "name.givenName"), json!("Ada"));
    assert!(!after.attributes.contains_key("name.familyName"));

    let after = patched(
        &ada(json!({})),
        json!([{ "op": "Add", "value": {
        ENTERPRISE: { "department": "Sales", "manager": { "value": "m" } },
        "urn:example:ours:2.0:User": { "shoeSize": 42 },
        "emails[type eq \"work\"].value": "k@e.x",
        "id": "other", "meta": { "version": "x" }, "schemas": ["x"], "groups": [{ "value": "g" }], "password": "p",
        "nonsense": "x",
    } }]),
    );
    assert_eq!(attribute(&after, "department"), json!("Sales"));
    assert_eq!(attribute(&after, "manager"), json!({ "value": "m" }));
    assert_eq!(attribute(&after, "urn:example:ours:2.0:User:shoeSize"), json!("42"));
    assert_eq!(attribute(&after, "emails")[0]["value"], "k@e.x");
    assert_eq!(after.attributes.len(), ada(json!({})).attributes.len() + 3);
}

#[test]
fn e30_e31_a_manager_comes_as_text_object_reference_and_array_with_urn_and_without() {
    let urn = format!("{ENTERPRISE}:manager");
    let reference = json!({ "$ref": "http://h/scim/Users/m" });
    for (path, value) in [
        (urn.as_str(), json!("m")),
        (&urn, json!({ "value": "m" })),
        ("manager", json!([{ "$ref": "http://h/scim/Users/m", "value": "m" }])),
        ("manager", json!("m")),
        ("manager.value", json!("m")),
        (&format!("{ENTERPRISE}.manager"), json!("m")),
        ("MANAGER", reference),
    ] {
        for op in ["Add", "replace"] {
            for before in [ada(json!({})), ada(json!({ "manager": { "value": "old", "$ref": "../Users/old" } }))] {
                let after = patched(&before, json!([{ "op": op, "path": path, "value": value }]));
                let manager = attribute(&after, "manager");
                assert_eq!(manager["value"], "m", "{op} {path} {value}");
                assert_ne!(manager["$ref"], "../Users/old", "{op} {path} {value}");
            }
        }
    }
}

#[test]
fn e32_e33_a_manager_is_cleared_by_every_form() {
    let with = ada(json!({ "manager": { "value": "m" } }));
    let urn = format!("{ENTERPRISE}:manager");
    for operation in [
        json!({ "op": "Replace", "path": urn, "value": "" }),
        json!({ "op": "replace", "path": urn, "value": { "value": "" } }),
        json!({ "op": "replace", "path": "manager", "value": null }),
        json!({ "op": "replace", "path": "manager", "value": [] }),
        json!({ "op": "replace", "path": "manager.value", "value": "" }),
        json!({ "op": "Remove", "path": "manager" }),
        json!({ "op": "Remove", "path": urn, "value": [{ "value": "m" }] }),
        json!({ "op": "remove", "path": "manager[value eq \"m\"]" }),
        json!({ "op": "remove", "path": "manager.value" }),
        json!({ "op": "replace", "value": { ENTERPRISE: { "manager": null } } }),
        json!({ "op": "remove", "path": ENTERPRISE }),
    ] {
        let after = patched(&with, json!([operation]));
        assert_eq!(after, ada(json!({})), "{operation}");
    }
}

#[test]
fn e35_e36_roles_come_as_text_with_json_and_replace_drops_those_not_named() {
    let text = "{\"id\":\"06b0\",\"value\":\"25\",\"displayName\":\"Role1234\"}";
    let after = patched(&ada(json!({})), json!([{ "op": "Add", "path": "roles", "value": [{ "value": text }] }]));
    assert_eq!(attribute(&after, "roles"), json!([{ "value": text }]));

    let two = ada(json!({ "roles": [{ "value": "Old" }, { "value": "User" }] }));
    let role =
        json!({ "primary": false, "type": "WindowsAzureActiveDirectoryRole", "display": "User", "value": "User" });
    let after = patched(&two, json!([{ "op": "replace", "path": "roles", "value": [role] }]));
    assert_eq!(attribute(&after, "roles"), json!([role]));

    let after = patched(
        &ada(json!({})),
        json!([
            { "op": "Add", "path": "roles[primary eq \"True\"].display", "value": "Admin" },
            { "op": "Add", "path": "roles[primary eq \"True\"].value", "value": "25" },
        ]),
    );
    assert_eq!(attribute(&after, "roles"), json!([{ "primary": true, "value": "25", "display": "Admin" }]));
}

#[test]
fn e37_a_tombstone_keeps_name_and_state_as_they_came() {
    let name = "6b29fc40ca471067b31d00dd010662dau@example.com";
    let after = patched(
        &ada(json!({})),
        json!([
            { "op": "Replace", "path": "userName", "value": name },
            { "op": "Replace", "path": "active", "value": "False" },
        ]),
    );
    assert_eq!((attribute(&after, "userName"), after.active), (json!(name), false));
}

#[test]
fn e41_e42_e43_blank_null_and_the_sentinel_clear() {
    let boss = ada(json!({ "title": "Boss" }));
    for value in [json!(" "), json!(""), json!(null), json!([]), json!("__CLEAR__")] {
        for op in ["Replace", "add"] {
            assert_eq!(
                patched(&boss, json!([{ "op": op, "path": "title", "value": value }])),
                ada(json!({})),
                "{value}"
            );
        }
        let pathless = json!([{ "op": "replace", "value": { "title": value } }]);
        assert_eq!(patched(&boss, pathless), ada(json!({})), "{value}");
        let emails = json!([{ "op": "replace", "path": "emails[type eq \"work\"].value", "value": value }]);
        assert!(!patched(&boss, emails).attributes.contains_key("emails"), "{value}");
    }
    assert_eq!(patched(&boss, json!([{ "op": "remove", "path": "title" }])), ada(json!({})));
    let after = patched(
        &boss,
        json!([{ "op": "remove", "path": "name" }, { "op": "replace", "path": "title", "value": "B " }]),
    );
    assert!(!after.attributes.keys().any(|key| key.starts_with("name.")));
    assert_eq!(attribute(&after, "title"), json!("B "));
}

#[test]
fn e46_a_new_primary_value_resets_the_others() {
    let home = json!({ "type": "home", "value": "h@e.x", "primary": true });
    let work = |primary: bool| json!({ "type": "work", "value": "u@example.com", "primary": primary });
    let after = patched(&ada(json!({})), json!([{ "op": "add", "path": "emails", "value": [home] }]));
    assert_eq!(attribute(&after, "emails"), json!([work(false), home]));
    let back = patched(&after, json!([{ "op": "Replace", "path": "emails[type eq work].primary", "value": "True" }]));
    assert_eq!(attribute(&back, "emails")[0], work(true));
    assert_eq!(attribute(&back, "emails")[1]["primary"], json!(false));
    let made = patched(
        &ada(json!({})),
        json!([
            { "op": "add", "path": "emails[type eq \"home\" and primary eq true].value", "value": "h@e.x" },
        ]),
    );
    assert_eq!(attribute(&made, "emails"), json!([work(false), home]));
}

#[test]
fn e48_operations_on_one_attribute_run_in_order() {
    let after = patched(
        &ada(json!({})),
        json!([
            { "op": "remove", "path": "displayName" },
            { "op": "add", "path": "displayName", "value": "I" },
            { "op": "replace", "path": "displayName", "value": "Final" },
        ]),
    );
    assert_eq!(attribute(&after, "displayName"), json!("Final"));
}

#[test]
fn add_appends_what_is_not_there_and_replace_takes_the_place_of_all() {
    let work = json!({ "type": "work", "primary": true, "value": "u@example.com" });
    let before = ada(json!({}));
    for value in [json!([work]), json!({ "type": "WORK", "value": "U@example.com" }), json!([])] {
        let after = patched(&before, json!([{ "op": "add", "path": "emails", "value": value }]));
        assert_eq!(attribute(&after, "emails").as_array().map(Vec::len), Some(1), "{value}");
    }
    let same = patched(&before, json!([{ "op": "add", "path": "emails", "value": [work] }]));
    assert_eq!(same, before);
    let after = patched(&before, json!([{ "op": "replace", "path": "emails", "value": [{ "value": "x@e.x" }] }]));
    assert_eq!(attribute(&after, "emails"), json!([{ "value": "x@e.x" }]));
    let after = patched(
        &before,
        json!([
            { "op": "replace", "path": "emails[type eq \"work\"]", "value": { "value": "x@e.x" } },
        ]),
    );
    assert_eq!(attribute(&after, "emails"), json!([{ "type": "work", "value": "x@e.x" }]));
    let after = patched(
        &before,
        json!([
            { "op": "add", "path": "emails[type eq \"work\"]", "value": { "display": "Ada" } },
        ]),
    );
    assert_eq!(attribute(&after, "emails")[0]["value"], "u@example.com");
    for op in ["add", "replace"] {
        let part = json!({ "primary": false, "display": "Ada", "value_": "x" });
        let after = patched(&before, json!([{ "op": op, "path": "emails[type eq \"work\"]", "value": part }]));
        let whole = json!([{ "type": "work", "primary": false, "value": "u@example.com", "display": "Ada" }]);
        assert_eq!(attribute(&after, "emails"), whole, "{op}");
    }
    let managed = ada(json!({ "manager": { "value": "m" } }));
    let named = json!([{ "op": "replace", "path": "manager", "value": { "displayName": "M" } }]);
    assert_eq!(patched(&managed, named), managed);
}

#[test]
fn remove_takes_what_matches_and_nothing_else() {
    let two = ada(json!({ "roles": [{ "value": "A", "type": "x" }, { "value": "B" }] }));
    for (operation, left) in [
        (json!({ "op": "remove", "path": "roles[value eq \"a\"]" }), json!([{ "value": "B" }])),
        (json!({ "op": "remove", "path": "roles[value eq \"C\"]" }), attribute(&two, "roles")),
        (json!({ "op": "remove", "path": "roles[value eq \"A\"].value" }), json!([{ "value": "B" }])),
        (json!({ "op": "remove", "path": "roles[value eq \"A\"].type" }), json!([{ "value": "A" }, { "value": "B" }])),
        (json!({ "op": "Remove", "path": "roles", "value": [{ "value": "A" }] }), json!([{ "value": "B" }])),
        (json!({ "op": "Remove", "path": "roles", "value": [{ "value": "C" }] }), attribute(&two, "roles")),
        (json!({ "op": "Remove", "path": "roles" }), Value::Null),
        (json!({ "op": "Remove", "path": "roles.value" }), Value::Null),
    ] {
        assert_eq!(attribute(&patched(&two, json!([operation])), "roles"), left, "{operation}");
    }
}

#[test]
fn a218_e15_what_is_unknown_or_not_confirmed_is_dropped_and_noted_by_name() {
    let before = ada(json!({}));
    let body = patch_op(json!([
        { "op": "replace", "path": "nonsense", "value": "secret" },
        { "op": "add", "path": "nonsense[type eq \"secret\"].value", "value": "secret" },
        { "op": "add", "path": "emails[value eq \"secret\"].other", "value": "secret" },
        { "op": "replace", "path": "nickName", "value": "secret" },
        { "op": "remove", "path": "urn:example:other:1.0:User:thing" },
        { "op": "add", "path": "schemas", "value": ["x"] },
        { "op": "replace", "value": { "id": "x", "broken[": "secret", "emails.nonsense": "secret" } },
    ]));
    let (after, notes) = patch_user_in(&directory(), &before, &body).unwrap();
    assert_eq!(after, before);
    assert_eq!(notes.unknown, ["nonsense", "nonsense.value", "emails.other", "broken", "emails.nonsense"]);
    assert_eq!(notes.unconfirmed, ["nickName", "urn:example:other:1.0:User:thing"]);
    assert!(!format!("{notes:?}").contains("secret"));
}
