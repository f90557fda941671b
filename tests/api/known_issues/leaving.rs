//! "A deleted Azure user lingers": whoever is unassigned, disabled or deleted at the source is out at once.

use serde_json::json;
use vestibule::directory::roster::Subject;
use vestibule::identity::UserId;

use super::town::{BOTH, Person, Source, Town};
use crate::sign_out::stage::ACCESS;
use crate::support::client::{Client, userinfo};

/// Everything that was issued before, and everything new, is refused from the moment that `leave` was answered.
#[track_caller]
fn out_at_once(source: Source, leave: impl Fn(&Town, &Person)) -> (Town, Person) {
    let town = Town::new(source);
    let server = &town.stage.world.server;
    let (ada, bob) = (town.hire("ada"), town.hire("bob"));
    let mut browser = town.browser();
    let tokens = town.sign_in(&ada, &mut browser);
    let client = Client::access();
    let ask = client.ask(server);
    let code = ask.run(&mut browser.tab()).code();
    let others = town.sign_in(&bob, &mut town.browser());
    assert_eq!(tokens.sub(), ada.id, "the sub is the user's id");
    assert_eq!(client.introspect(server, &tokens.access).json()["active"], true);
    let before = town.newest();

    leave(&town, &ada);
    assert_eq!(userinfo(server, &tokens.access).status, 401);
    assert_eq!(client.introspect(server, &tokens.access).json()["active"], false);
    assert_eq!(client.refresh(server, tokens.refresh()).error(), "invalid_grant");
    assert_eq!(client.redeem(server, &ask, &code).error(), "invalid_grant");
    assert_eq!(client.ask(server).with("prompt", "none").run(&mut browser).error(), "login_required");
    town.is_barred(&ada);
    assert_eq!(town.stage.clients.wait_for(ACCESS, 1)[0].claim("sub"), ada.id, "the client is told");
    assert_eq!(userinfo(server, &others.access).status, 200, "nobody else is touched");
    let about_ada = |subject: &Subject| *subject == Subject::User(UserId(ada.id.clone()));
    assert!(town.changes(before).iter().any(|change| about_ada(&change.subject)), "services will hear of it");
    (town, ada)
}

#[test]
fn a_deleted_azure_user_lingers_no_more_however_the_source_says_it() {
    for source in BOTH {
        let (town, ada) = out_at_once(source, |town, ada| town.switch_off(ada));
        assert!(town.stored(&ada).is_some_and(|stored| !stored.user.active && stored.inactive_since.is_some()));
        let (town, ada) = out_at_once(source, |town, ada| {
            assert_eq!(town.call("DELETE", &format!("/Users/{}", ada.id), None).status, 204);
        });
        assert!(town.stored(&ada).is_none());
        assert_eq!(town.call("GET", &format!("/Users/{}", ada.id), None).status, 404);
    }
    out_at_once(Source::Azure, |town, ada| {
        town.patch(&format!("/Users/{}", ada.id), &json!([{ "op": "replace", "path": "active", "value": false }]));
    });
    out_at_once(Source::Okta, |town, ada| {
        let mut whole = town.call("GET", &format!("/Users/{}", ada.id), None).json();
        whole["active"] = json!(false);
        town.done("PUT", &format!("/Users/{}", ada.id), &whole);
    });
}

#[test]
fn a_deleted_azure_user_lingers_no_more_and_leaves_the_name_to_a_new_hire_who_can_sign_in() {
    let town = Town::new(Source::Azure);
    let ada = town.hire("ada");
    let tombstone = format!("{}ada@contoso.com", ada.external_id.replace('-', ""));
    town.patch(
        &format!("/Users/{}", ada.id),
        &json!([
            { "op": "Replace", "path": "active", "value": "False" },
            { "op": "Replace", "path": "userName", "value": tombstone },
        ]),
    );
    let shown = town.call("GET", &format!("/Users/{}", ada.id), None).json();
    assert_eq!(shown["userName"], tombstone.as_str(), "as it was sent");
    let stored = town.stored(&ada).expect("it is kept");
    assert_eq!(stored.identity_name.as_deref(), Some("ada@contoso.com"));

    let mut body = town.body("ada");
    body["externalId"] = json!(town.external_id("the other ada"));
    let hire = town.hire_as("ada", &body);
    assert_ne!(hire.id, ada.id);
    assert_eq!(town.claims(&hire)["sub"], hire.id.as_str());
    town.is_barred(&ada);
    // Entra restores the first one while the name is taken: refused, and both stay who they are.
    let back = json!({ "Operations": [
        { "op": "Replace", "path": "active", "value": "True" },
        { "op": "Replace", "path": "userName", "value": "ada@contoso.com" },
    ] });
    let refused = town.call("PATCH", &format!("/Users/{}", ada.id), Some(&back));
    assert_eq!((refused.status, refused.json()["scimType"].as_str()), (409, Some("uniqueness")), "{}", refused.text());
    assert_eq!(town.claims(&hire)["sub"], hire.id.as_str());
}

#[test]
fn a_deleted_azure_user_lingers_no_more_and_comes_back_as_the_same_person() {
    for source in BOTH {
        let town = Town::new(source);
        let (ada, bob) = (town.hire("ada"), town.hire("bob"));
        let group = town.group("Staff", &[&ada, &bob]);
        let before = town.sign_in(&ada, &mut town.browser());
        town.switch_off(&ada);
        town.is_barred(&ada);
        let mut members = town.members(&group);
        members.sort();
        let mut both = vec![ada.id.clone(), bob.id.clone()];
        both.sort();
        assert_eq!(members, both, "memberships are kept");

        town.switch_on(&ada);
        assert_eq!(userinfo(&town.stage.world.server, &before.access).status, 401, "what was issued before stays dead");
        let claims = town.claims(&ada);
        assert_eq!(claims["sub"], ada.id.as_str());
        assert_eq!(town.members(&group).len(), 2, "{source:?}");
        assert!(town.stored(&ada).is_some_and(|stored| stored.user.active && stored.inactive_since.is_none()));
    }
}

#[test]
fn a_deleted_azure_user_lingers_no_more_and_okta_may_create_the_same_person_again() {
    let town = Town::new(Source::Okta);
    let ada = town.hire("ada");
    let group = town.group("Staff", &[&ada]);
    town.switch_off(&ada);
    let again = town.hire("ada");
    assert_eq!(again.id, ada.id, "the same externalId is the same person");
    assert_eq!(town.members(&group), std::slice::from_ref(&ada.id));
    assert_eq!(town.claims(&again)["sub"], ada.id.as_str());
}
