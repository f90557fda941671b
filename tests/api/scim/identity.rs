//! What a person is known by, `externalId`, may change and come in Microsoft's base64; the person stays.

use serde_json::{Value, json};

use crate::support::client::{Client, userinfo};
use crate::support::scim::{Scim, id, person};
use crate::support::server::block_on;
use crate::world::{ALICE, BOB, World};

fn signs_in(world: &World) -> bool {
    let page = world.server.browser().open(&Client::access().ask(&world.server).url());
    page.answer.is_none() && page.query().contains_key("code")
}

/// What the audit has of the last change of somebody.
fn last_change(world: &World, user: &str) -> Value {
    let audits = &world.server.running().ports().directory.audits;
    let records = block_on(audits.of_object("contoso", user, 1)).expect("the database works");
    serde_json::from_str(&records[0].changes).expect("JSON")
}

#[test]
fn an_external_id_may_change_by_patch_and_put_and_the_person_stays_and_it_is_audited() {
    let world = super::world();
    let scim = Scim::new(&world.server);
    let user = scim.user(ALICE.email, "before");
    let group = scim.group("Group", &[id(&user)]);
    let path = format!("/Users/{}", id(&user));
    assert!(!signs_in(&world), "her provider calls her otherwise");
    let to = |value: &str| json!([{ "op": "replace", "path": "externalId", "value": value }]);
    let changed = scim.patch(&path, &to(ALICE.sub));
    assert_eq!((changed.status, id(&changed.json())), (200, id(&user)), "{}", changed.text());
    assert_eq!(last_change(&world, id(&user)), json!({ "externalId": { "before": "before", "after": ALICE.sub } }));
    assert_eq!(world.sign_in(&mut world.server.browser()).sub(), id(&user));
    assert_eq!(scim.members(id(&group)), [id(&user)]);

    let put = scim.put(&path, &person(ALICE.email, "after"));
    assert_eq!((put.status, id(&put.json())), (200, id(&user)));
    assert_eq!(last_change(&world, id(&user)), json!({ "externalId": { "before": ALICE.sub, "after": "after" } }));
    assert!(!signs_in(&world), "at once");
    assert!(scim.found("Users", &format!("externalId eq \"{}\"", ALICE.sub)).is_empty());
    assert_eq!(scim.found("Users", "externalId eq \"after\"").len(), 1);
    // Case counts, what is somebody else's is refused, and only null takes it away.
    let bob = scim.user(BOB.email, "AFTER");
    assert_eq!(scim.patch(&format!("/Users/{}", id(&bob)), &to("after")).status, 409);
    assert_eq!(scim.patch(&path, &to("")).json()["externalId"], "after", "an empty one says nothing");
    let cleared = scim.patch(&path, &json!([{ "op": "replace", "path": "externalId", "value": null }]));
    assert_eq!(cleared.json().get("externalId"), None);
    assert_eq!(last_change(&world, id(&user)), json!({ "externalId": { "before": "after" } }));
}

#[test]
fn a_guid_in_microsofts_base64_is_decoded_where_the_directory_says_so_and_nowhere_else() {
    const BASE64: &str = "vZ/lGAC9bUWiA7Egpw5fqg==";
    const GUID: &str = "18e59fbd-bd00-456d-a203-b120a70e5faa";
    for (flag, kept) in [(true, GUID), (false, BASE64)] {
        let world = World::with(|setup, _| {
            setup.provisioned().keys("directories/contoso.toml", &format!("decode_ms_guid = {flag}"));
        });
        world.idp.set(|script| {
            script.person.insert("sub".to_owned(), json!(GUID));
        });
        let scim = Scim::new(&world.server);
        let user = scim.user(ALICE.email, BASE64);
        let path = format!("/Users/{}", id(&user));
        assert_eq!(user["externalId"], kept);
        assert_eq!(signs_in(&world), flag, "the provider names the GUID as it is written");
        assert_eq!(scim.found("Users", &format!("externalId eq \"{kept}\"")).len(), 1);
        assert_eq!(scim.post("/Users", &person("other@contoso.com", BASE64)).status, 409, "the same person");
        // By PATCH and PUT too.
        scim.patch(&path, &json!([{ "op": "replace", "path": "externalId", "value": "other" }]));
        let patched = scim.patch(&path, &json!([{ "op": "replace", "path": "externalId", "value": BASE64 }]));
        assert_eq!(patched.json()["externalId"], kept);
        let put = scim.put(&path, &person(ALICE.email, BASE64));
        assert_eq!((put.status, &put.json()["externalId"]), (200, &json!(kept)));
        assert_eq!(scim.user(BOB.email, "no guid at all")["externalId"], "no guid at all");
    }
}

#[test]
fn the_source_may_still_ask_by_the_form_in_which_it_sends() {
    let world = World::with(|setup, _| {
        setup.provisioned().keys("directories/contoso.toml", "decode_ms_guid = true");
    });
    let scim = Scim::new(&world.server);
    let user = scim.user(ALICE.email, "vZ/lGAC9bUWiA7Egpw5fqg==");
    let found = scim.found("Users", "externalId eq \"vZ%2FlGAC9bUWiA7Egpw5fqg==\"");
    assert_eq!(found, [user], "or it would create her again, and be refused, at every cycle");
}

#[test]
fn sensitive_values_stand_in_the_audit_by_digest_and_never_in_clear() {
    let confirmed = r#"attributes = ["userName", "externalId", "emails", "name.givenName", "name.familyName", "active", "displayName", "employeeNumber", "phoneNumbers"]"#;
    let world = World::with(|setup, _| {
        setup.provisioned().keys("directories/contoso.toml", confirmed);
    });
    let scim = Scim::new(&world.server);
    let mut body = person(ALICE.email, ALICE.sub);
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    body[enterprise] = json!({ "employeeNumber": "CanaryWord1" });
    body["phoneNumbers"] = json!([{ "value": "CanaryWord2", "type": "work" }]);
    let user = scim.post("/Users", &body).json();
    let path = format!("/Users/{}", id(&user));
    let number = format!("{enterprise}:employeeNumber");
    scim.patch(&path, &json!([{ "op": "replace", "path": number, "value": "CanaryWord3" }]));
    let change = last_change(&world, id(&user));
    let (before, after) = (&change["employeeNumber"]["before"]["digest"], &change["employeeNumber"]["after"]["digest"]);
    assert!(before.is_string() && after.is_string() && before != after, "{change}");
    scim.delete(&path);
    let audits = &world.server.running().ports().directory.audits;
    let records = block_on(audits.of_object("contoso", id(&user), 10)).expect("the database works");
    assert_eq!(records.len(), 3);
    assert!(records.iter().all(|record| !record.changes.contains("CanaryWord")), "{records:?}");
}

#[test]
fn an_address_that_the_source_changes_is_no_longer_one_that_the_provider_verified() {
    let world = World::new();
    let scim = Scim::new(&world.server);
    let tokens = world.sign_in(&mut world.server.browser());
    assert_eq!(userinfo(&world.server, &tokens.access).json()["email_verified"], true);
    let path = format!("/Users/{}", tokens.sub());
    let mail = |value: &str| json!([{ "op": "replace", "path": "emails", "value": [{ "value": value }] }]);
    assert_eq!(scim.patch(&path, &mail("ALICE@contoso.com")).status, 200);
    assert_eq!(userinfo(&world.server, &tokens.access).json()["email_verified"], true, "the same address");
    assert_eq!(scim.patch(&path, &mail("boss@contoso.com")).status, 200);
    let told = userinfo(&world.server, &tokens.access).json();
    assert_eq!((&told["email"], &told["email_verified"]), (&json!("boss@contoso.com"), &json!(false)));
}
