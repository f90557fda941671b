//! What Entra ID's provisioning service does with a user and a group, in both of its dialects of PATCH: the default, and
//! that of `aadOptscim062020`. One tenant sends both, since provisioning on demand ignores the flag.

use serde_json::json;

use super::step::{Expect, Step, twice};
use crate::scim::urn::{ADSCIM_GROUP, ENTERPRISE, GROUP, USER};

/// The pointer of the enterprise extension's manager.
const MANAGER: &str = "/urn:ietf:params:scim:schemas:extension:enterprise:2.0:User/manager/value";
const MANY: &[&str] = &["1", "2", "3", "4", "5", "6", "7", "8"];
const DEAD_LINK: &str = "Entra retries a failed object after 6, 12 and 24 hours and then daily: until this is right, the \
                         change doesn't arrive.";

/// Until the person is there as the default mapping makes it.
#[must_use]
pub fn arrival() -> Vec<Step> {
    vec![
        Step::new("test connection", "GET", "/Users?filter=userName eq \"${probe}\"")
            .is("/totalResults", 0)
            .mend("Without an empty list here Entra refuses the connection: tenant URL and secret token must be ours."),
        Step::new("look the person up", "GET", "/Users?filter=userName eq \"${upn}\"").is("/totalResults", 0),
        Step::new("create the person", "POST", "/Users")
            .body(json!({
                "schemas": [USER, ENTERPRISE], "externalId": "${object}", "userName": "${upn}", "active": true,
                "displayName": "Vera Doctor", "meta": { "resourceType": "User" }, "roles": [],
                "emails": [{ "primary": true, "type": "work", "value": "${upn}" }],
                "name": { "formatted": "Vera Doctor", "givenName": "Vera", "familyName": "Doctor" }
            }))
            .is("/userName", "${upn}")
            .is("/externalId", "${object}")
            .is("/active", true)
            .expect(Expect::Location)
            .keep("user", "/id")
            .mend("externalId must be among the confirmed `attributes`: Entra's objectId goes there, and sign-ins match by it."),
        Step::new("find the person in another letter case", "GET", "/Users?filter=userName eq \"${UPN}\"")
            .is("/totalResults", 1)
            .is("/Resources/0/id", "${user}"),
        Step::new("find the person by object id", "GET", "/Users?filter=externalId eq \"${object}\"")
            .is("/Resources/0/id", "${user}"),
        twice(),
    ]
}

/// Everything after that, to the end.
#[must_use]
pub fn life() -> Vec<Step> {
    [updates(), references(), clearing(), group(), leaving(), returning(), group_end(), end()].concat()
}

fn updates() -> Vec<Step> {
    vec![
        Step::new("update, default dialect", "PATCH", "/Users/${user}")
            .operations(json!([
                { "op": "Replace", "path": "displayName", "value": "Vera D." },
                { "op": "Add", "path": "name.familyName", "value": "Dokter" },
                { "op": "Replace", "path": "emails[type eq \"work\"].value", "value": "vera.${upn}" }
            ]))
            .mend(DEAD_LINK),
        Step::new("read it back", "GET", "/Users/${user}")
            .is("/name/familyName", "Dokter")
            .is("/emails/0/value", "vera.${upn}"),
        Step::new("update, aadOptscim062020", "PATCH", "/Users/${user}")
            .operations(json!([
                { "op": "replace", "value": { "name.givenName": "Veronika", "displayName": "Veronika D." } },
                { "op": "add", "value": { "name.familyName": "Doktor" } }
            ]))
            .mend(DEAD_LINK),
        Step::new("read it back", "GET", "/Users/${user}")
            .is("/name/givenName", "Veronika")
            .is("/name/familyName", "Doktor")
            .is("/userName", "${upn}"),
        Step::new("an extension's attribute by its path", "PATCH", "/Users/${user}")
            .needs(&["department"])
            .operations(json!([{ "op": "Add", "path": format!("{ENTERPRISE}:department"), "value": "Care" }])),
        Step::new("read it back", "GET", "/Users/${user}")
            .needs(&["department"])
            .is("/urn:ietf:params:scim:schemas:extension:enterprise:2.0:User/department", "Care"),
        Step::new("an attribute that nobody here knows", "PATCH", "/Users/${user}")
            .operations(json!([{ "op": "Add", "path": "faxOfTheDoctor", "value": "none" }]))
            .mend("An unknown attribute is left out and counted; it must not sink the request."),
    ]
}

fn references() -> Vec<Step> {
    vec![
        Step::new("create the manager", "POST", "/Users")
            .body(json!({ "schemas": [USER], "externalId": "${object2}", "userName": "boss.${upn}", "active": true }))
            .keep("boss", "/id"),
        Step::new(
            "is the manager set?",
            "GET",
            "/Users?filter=id eq \"${user}\" and manager eq \"${boss}\"&attributes=id",
        )
        .needs(&["manager"])
        .is("/totalResults", 0),
        Step::new("set the manager", "PATCH", "/Users/${user}")
            .needs(&["manager"])
            .operations(json!([{ "op": "Add", "path": "manager", "value": "${boss}" }])),
        Step::new(
            "is the manager set?",
            "GET",
            "/Users?filter=manager eq \"${boss}\" and id eq \"${user}\"&attributes=id",
        )
        .needs(&["manager"])
        .is("/totalResults", 1)
        .is("/Resources/0/id", "${user}"),
        Step::new("clear the manager", "PATCH", "/Users/${user}")
            .needs(&["manager"])
            .operations(json!([{ "op": "Replace", "path": "manager", "value": { "value": "" } }])),
        Step::new("read it back", "GET", "/Users/${user}").needs(&["manager"]).expect(Expect::Nothing(MANAGER)),
    ]
}

fn clearing() -> Vec<Step> {
    vec![
        Step::new("clear a value by the expression's sentinel", "PATCH", "/Users/${user}")
            .needs(&["displayName"])
            .operations(json!([{ "op": "Replace", "path": "displayName", "value": "${sentinel}" }])),
        Step::new("read it back", "GET", "/Users/${user}")
            .needs(&["displayName"])
            .expect(Expect::Nothing("/displayName"))
            .mend("The value to send is `[lifecycle] clear_sentinel`, exactly and alone."),
        Step::new("clear a value by a single space", "PATCH", "/Users/${user}")
            .operations(json!([{ "op": "Replace", "path": "name.givenName", "value": " " }])),
        Step::new("read it back", "GET", "/Users/${user}").expect(Expect::Nothing("/name/givenName")),
        Step::new("set both again", "PATCH", "/Users/${user}").operations(json!([
            { "op": "Add", "path": "displayName", "value": "Vera Doctor" },
            { "op": "Add", "path": "name.givenName", "value": "Vera" }
        ])),
    ]
}

fn group() -> Vec<Step> {
    vec![
        Step::new(
            "look the group up",
            "GET",
            "/Groups?excludedAttributes=members&filter=displayName eq \"${group_name}\"",
        )
        .is("/totalResults", 0),
        Step::new("create the group", "POST", "/Groups")
            .body(json!({
                "schemas": [GROUP, ADSCIM_GROUP], "externalId": "${object3}", "displayName": "${group_name}",
                "meta": { "resourceType": "Group" }
            }))
            .is("/displayName", "${group_name}")
            .keep("group", "/id"),
        Step::new("read the group without members", "GET", "/Groups/${group}?excludedAttributes=members")
            .is("/displayName", "${group_name}")
            .expect(Expect::Nothing("/members")),
        Step::new("add the person", "PATCH", "/Groups/${group}").operations(json!([
            { "op": "Add", "path": "members", "value": [{ "$ref": null, "value": "${user}" }] }
        ])),
        Step::new(
            "is the person a member?",
            "GET",
            "/Groups?filter=id eq \"${group}\" and members eq \"${user}\"&attributes=id",
        )
        .is("/totalResults", 1),
        Step::new("create eight more people at once", "POST", "/Users").each(MANY).keep("m${each}", "/id").body(
            json!({
                "schemas": [USER], "externalId": "${run}-${each}", "userName": "m${each}.${upn}", "active": true
            }),
        ),
        Step::new("add them all at the same time", "PATCH", "/Groups/${group}").each(MANY).operations(json!([
            { "op": "Add", "path": "members", "value": [{ "$ref": null, "value": "${m}" }] }
        ])),
        Step::new("nobody is lost", "GET", "/Groups/${group}")
            .expect(Expect::Count("/members", 9))
            .mend("Members added at the same time got lost: every membership must be a row of its own."),
    ]
}

fn leaving() -> Vec<Step> {
    vec![
        Step::new("disable, default dialect", "PATCH", "/Users/${user}")
            .operations(json!([{ "op": "Replace", "path": "active", "value": "False" }]))
            .mend(
                "`active` comes as text; without it nobody is ever switched off: under [scim] write string_booleans = \
                   \"accept\", which is the preset.",
            ),
        Step::new("read it back", "GET", "/Users/${user}").is("/active", false),
        Step::new("enable again, aadOptscim062020", "PATCH", "/Users/${user}")
            .operations(json!([{ "op": "replace", "path": "active", "value": true }])),
        Step::new("read it back", "GET", "/Users/${user}").is("/active", true),
        Step::new("delete softly: disable and rename", "PATCH", "/Users/${user}").operations(json!([
            { "op": "Replace", "path": "active", "value": "False" },
            { "op": "Replace", "path": "userName", "value": "${hex}${upn}" }
        ])),
        Step::new("read it back", "GET", "/Users/${user}").is("/active", false).is("/userName", "${hex}${upn}"),
        Step::new("somebody new takes the name", "POST", "/Users")
            .body(json!({ "schemas": [USER], "externalId": "${object4}", "userName": "${upn}", "active": true }))
            .keep("heir", "/id")
            .mend("The name of a softly deleted person must be free at once."),
    ]
}

fn returning() -> Vec<Step> {
    let restore = || {
        json!([
            { "op": "Replace", "path": "userName", "value": "${upn}" },
            { "op": "Replace", "path": "active", "value": "True" }
        ])
    };
    vec![
        Step::new("restore while the name is taken", "PATCH", "/Users/${user}")
            .gives(&[409])
            .operations(restore())
            .is("/scimType", "uniqueness"),
        Step::new("the new person goes for good", "DELETE", "/Users/${heir}"),
        Step::new("restore", "PATCH", "/Users/${user}").operations(restore()).mend(DEAD_LINK),
        Step::new("the same person is back", "GET", "/Users/${user}").is("/active", true).is("/userName", "${upn}"),
        Step::new("and still in the group", "GET", "/Groups/${group}")
            .expect(Expect::Count("/members", 9))
            .expect(Expect::Has("/members", json!({ "value": "${user}" })))
            .mend("Entra doesn't send memberships again when somebody comes back."),
    ]
}

fn group_end() -> Vec<Step> {
    vec![
        Step::new("remove a member, default dialect", "PATCH", "/Groups/${group}")
            .operations(json!([{ "op": "Remove", "path": "members", "value": [{ "$ref": null, "value": "${m1}" }] }])),
        Step::new("only that one is out", "GET", "/Groups/${group}")
            .expect(Expect::Count("/members", 8))
            .expect(Expect::HasNot("/members", json!({ "value": "${m1}" }))),
        Step::new("remove a member, aadOptscim062020", "PATCH", "/Groups/${group}")
            .operations(json!([{ "op": "remove", "path": "members[value eq \"${m2}\"]" }])),
        Step::new("only that one is out", "GET", "/Groups/${group}")
            .expect(Expect::Count("/members", 7))
            .expect(Expect::HasNot("/members", json!({ "value": "${m2}" }))),
        Step::new("remove somebody who isn't in it", "PATCH", "/Groups/${group}")
            .operations(json!([{ "op": "Remove", "path": "members", "value": [{ "value": "${m2}" }] }])),
        Step::new("rename the group", "PATCH", "/Groups/${group}")
            .operations(json!([{ "op": "Replace", "path": "displayName", "value": "${group_name} 2" }])),
        Step::new("the members stay", "GET", "/Groups/${group}")
            .is("/displayName", "${group_name} 2")
            .expect(Expect::Count("/members", 7)),
    ]
}

fn end() -> Vec<Step> {
    vec![
        Step::new("delete the group", "DELETE", "/Groups/${group}"),
        Step::new("delete it again", "DELETE", "/Groups/${group}").gives(&[404]),
        Step::new("the person stays", "GET", "/Users/${user}").is("/active", true),
        Step::new("delete the person for good", "DELETE", "/Users/${user}"),
        Step::new("delete again", "DELETE", "/Users/${user}").gives(&[404]),
        Step::new("the person is gone", "GET", "/Users/${user}").gives(&[404]),
        Step::new("and isn't found", "GET", "/Users?filter=userName eq \"${upn}\"").is("/totalResults", 0),
    ]
}
