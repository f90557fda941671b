//! What Okta's provisioning does with a user and a group: an app made by the wizard (PUT of the whole user) and one of the
//! catalogue (PATCH).

use serde_json::json;

use super::step::{Expect, Step, twice};
use crate::scim::urn::{GROUP, LIST_RESPONSE, USER};

const MANY: &[&str] = &["1", "2", "3", "4", "5", "6", "7", "8"];
const NO_RETRY: &str = "Okta doesn't try a 400 again: the whole push is lost until somebody repeats it.";

/// Until the person is there as the default mapping makes it.
#[must_use]
pub fn arrival() -> Vec<Step> {
    vec![
        Step::new("test the connection", "GET", "/Users?startIndex=1&count=2")
            .expect(Expect::Has("/schemas", json!(LIST_RESPONSE)))
            .is("/startIndex", 1)
            .mend("Okta wants a list with integers here: base URL and token must be ours."),
        Step::new("look the person up", "GET", "/Users?filter=userName eq \"${upn}\"&startIndex=1&count=100")
            .is("/totalResults", 0),
        Step::new("create the person", "POST", "/Users")
            .body(json!({
                "schemas": [USER], "userName": "${upn}", "externalId": "${object}", "active": true,
                "name": { "givenName": "Vera", "familyName": "Doctor" }, "displayName": "Vera Doctor",
                "emails": [{ "primary": true, "value": "${upn}", "type": "work" }], "locale": "en-US",
                "groups": [], "password": "${password}"
            }))
            .is("/userName", "${upn}")
            .is("/externalId", "${object}")
            .is("/active", true)
            .expect(Expect::Nothing("/password"))
            .expect(Expect::Location)
            .keep("user", "/id")
            .mend("externalId must be among the confirmed `attributes`: Okta's user id goes there, and sign-ins match by it."),
        twice(),
    ]
}

/// Everything after that, to the end.
#[must_use]
pub fn life() -> Vec<Step> {
    [put_life(), patch_life(), push(), push_life(), end()].concat()
}

fn put_life() -> Vec<Step> {
    vec![
        Step::new("read the person", "GET", "/Users/${user}").keep("whole", "").keep("version", "/meta/version"),
        Step::new("send it back as it is", "PUT", "/Users/${user}").echo("whole", json!({})),
        Step::new("nothing has changed", "GET", "/Users/${user}")
            .is("/meta/version", "${version}")
            .mend("A push that changes nothing must not count as a change."),
        Step::new("update the profile (PUT)", "PUT", "/Users/${user}")
            .echo("whole", json!({ "name": { "givenName": "Vera", "familyName": "Doktor" } }))
            .is("/name/familyName", "Doktor"),
        Step::new("a PUT without externalId", "PUT", "/Users/${user}").echo("whole", json!({ "externalId": null })),
        Step::new("keeps it", "GET", "/Users/${user}")
            .is("/externalId", "${object}")
            .mend("Okta's PUT may leave externalId out; without it nobody could sign in any more."),
        Step::new("clear a value by empty text", "PUT", "/Users/${user}")
            .needs(&["displayName"])
            .echo("whole", json!({ "displayName": "" })),
        Step::new("read it back", "GET", "/Users/${user}")
            .needs(&["displayName"])
            .expect(Expect::Nothing("/displayName")),
        Step::new("set it again", "PUT", "/Users/${user}").needs(&["displayName"]).echo("whole", json!({})),
        Step::new("take it out of the profile", "PUT", "/Users/${user}")
            .needs(&["displayName"])
            .echo("whole", json!({ "displayName": null })),
        Step::new("read it back", "GET", "/Users/${user}")
            .needs(&["displayName"])
            .expect(Expect::Nothing("/displayName"))
            .mend(
                "Okta's PUT is the whole profile: under [scim] write put_omission = \"clear\", which is okta's preset.",
            ),
        Step::new("deactivate (PUT)", "PUT", "/Users/${user}")
            .echo("whole", json!({ "active": false }))
            .is("/active", false),
        Step::new("activate again (PUT)", "PUT", "/Users/${user}")
            .echo("whole", json!({ "active": true }))
            .is("/active", true),
    ]
}

fn patch_life() -> Vec<Step> {
    vec![
        Step::new("update the profile (PATCH)", "PATCH", "/Users/${user}").operations(json!([
            { "op": "replace", "value": { "displayName": "Vera D.", "name": { "familyName": "Dokter" } } }
        ])),
        Step::new("read it back", "GET", "/Users/${user}")
            .is("/name/familyName", "Dokter")
            .is("/name/givenName", "Vera"),
        Step::new("deactivate (PATCH)", "PATCH", "/Users/${user}")
            .operations(json!([{ "op": "replace", "value": { "active": false } }])),
        Step::new("read it back", "GET", "/Users/${user}").is("/active", false),
        Step::new("reactivate (PATCH)", "PATCH", "/Users/${user}")
            .operations(json!([{ "op": "replace", "value": { "active": true } }])),
        Step::new("deactivate once more", "PATCH", "/Users/${user}")
            .operations(json!([{ "op": "replace", "value": { "active": false } }])),
        Step::new("the account returns and is created again", "POST", "/Users")
            .body(json!({
                "schemas": [USER], "userName": "${upn}", "externalId": "${object}", "active": true,
                "name": { "givenName": "Vera", "familyName": "Doctor" }, "displayName": "Vera Doctor",
                "emails": [{ "primary": true, "value": "${upn}", "type": "work" }], "password": "${password}"
            }))
            .is("/id", "${user}")
            .is("/active", true)
            .mend(
                "A refusal here locks the person out for good: the user who was switched off must come back. \
                   Under [scim] write returning = \"revive\", which is okta's preset.",
            ),
    ]
}

fn push() -> Vec<Step> {
    vec![
        Step::new("look the group up", "GET", "/Groups?filter=displayName eq \"${group_name}\"&startIndex=1&count=100")
            .is("/totalResults", 0),
        Step::new("push the group", "POST", "/Groups")
            .body(json!({ "schemas": [GROUP], "displayName": "${group_name}", "members": [] }))
            .keep("group", "/id"),
        Step::new("create eight more people at once", "POST", "/Users").each(MANY).keep("m${each}", "/id").body(
            json!({
                "schemas": [USER], "externalId": "${run}-${each}", "userName": "m${each}.${upn}", "active": true,
                "password": "${password}"
            }),
        ),
        Step::new("add members, with the name as always", "PATCH", "/Groups/${group}")
            .operations(json!([
                { "op": "replace", "value": { "id": "${group}", "displayName": "${group_name}" } },
                { "op": "add", "path": "members", "value": [{ "value": "${user}", "display": "${upn}" }] }
            ]))
            .mend(NO_RETRY),
        Step::new("add many at the same time", "PATCH", "/Groups/${group}").each(MANY).operations(json!([
            { "op": "add", "path": "members", "value": [{ "value": "${m}", "display": "m${each}" }] }
        ])),
        Step::new("nobody is lost", "GET", "/Groups/${group}").expect(Expect::Count("/members", 9)),
        Step::new("remove one and add one in one request", "PATCH", "/Groups/${group}").operations(json!([
            { "op": "remove", "path": "members[value eq \"${m1}\"]" },
            { "op": "add", "path": "members", "value": [{ "value": "${m1}", "display": "m1" }] },
            { "op": "remove", "path": "members[value eq \"${m2}\"]" }
        ])),
        Step::new("read it back", "GET", "/Groups/${group}")
            .expect(Expect::Count("/members", 8))
            .expect(Expect::Has("/members", json!({ "value": "${m1}" })))
            .expect(Expect::HasNot("/members", json!({ "value": "${m2}" }))),
    ]
}

fn push_life() -> Vec<Step> {
    vec![
        Step::new("a member whom nobody knows", "PATCH", "/Groups/${group}")
            .operations(
                json!([{ "op": "add", "path": "members", "value": [{ "value": "${nobody}" }, { "value": "${m2}" }] }]),
            )
            .mend("Okta doesn't repeat what was refused: under [scim] write unknown_members = \"park\", which is the preset."),
        Step::new("the others are in", "GET", "/Groups/${group}")
            .expect(Expect::Has("/members", json!({ "value": "${m2}" }))),
        Step::new("full push", "PATCH", "/Groups/${group}").operations(json!([
            { "op": "replace", "path": "members", "value": [{ "value": "${user}" }, { "value": "${m3}" }] }
        ])),
        Step::new("exactly these", "GET", "/Groups/${group}").expect(Expect::Count("/members", 2)),
        Step::new("Push Now of an empty group", "PATCH", "/Groups/${group}").operations(json!([
            { "op": "replace", "value": { "members": [], "id": "${group}", "displayName": "${group_name}" } }
        ])),
        Step::new("it is empty", "GET", "/Groups/${group}").expect(Expect::Count("/members", 0)),
        Step::new("update the group (PUT)", "PUT", "/Groups/${group}").gives(&[200, 204]).body(json!({
            "schemas": [GROUP], "id": "${group}", "displayName": "${group_name} 2",
            "members": [{ "value": "${user}", "display": "${upn}" }]
        })),
        Step::new("read it back", "GET", "/Groups/${group}")
            .is("/displayName", "${group_name} 2")
            .expect(Expect::Count("/members", 1)),
    ]
}

fn end() -> Vec<Step> {
    vec![
        Step::new("unlink the group and delete it", "DELETE", "/Groups/${group}"),
        Step::new("delete it again", "DELETE", "/Groups/${group}").gives(&[404]),
        Step::new("unassign the person", "PATCH", "/Users/${user}")
            .operations(json!([{ "op": "replace", "value": { "active": false } }])),
        Step::new("the person stays, switched off", "GET", "/Users/${user}").is("/active", false),
        Step::new("an id that nobody has", "GET", "/Users/${nobody}").gives(&[404]).is("/status", "404"),
    ]
}
