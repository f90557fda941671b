//! The confirmed list is the truth: what is taken from it is out of use at once, everywhere.

use serde_json::json;

use crate::support::scim::{Scim, id, is_error, person};
use crate::world::World;

const WITH: &str = "attributes = [\"userName\", \"externalId\", \"emails\", \"name.givenName\", \"name.familyName\", \
                    \"active\", \"displayName\", \"title\"]";
const WITHOUT: &str = "attributes = [\"userName\", \"externalId\", \"emails\", \"name.givenName\", \"name.familyName\", \
                       \"active\", \"displayName\"]";

#[test]
fn an_attribute_taken_from_the_list_is_neither_returned_nor_found_nor_stored_and_comes_back_with_it() {
    let world = World::with(|setup, _| {
        setup.provisioned().keys("directories/contoso.toml", WITH);
    });
    let scim = Scim::new(&world.server);
    let mut body = person("alice@contoso.com", "alice");
    body["title"] = json!("Baker");
    let path = format!("/Users/{}", id(&scim.post("/Users", &body).json()));
    let find = "/Users?filter=title eq \"baker\"";
    assert_eq!(scim.get(find).json()["totalResults"], 1);

    world.server.reconfigure("directories/contoso.toml", WITH, WITHOUT, || scim.get(find).status == 400);
    is_error(&scim.get(find), 400, Some("invalidFilter"));
    let shown = scim.get(&path).json();
    assert!(shown.get("title").is_none(), "{shown}");
    // Okta sends back what it read, and what it knows.
    let mut whole = shown;
    whole["title"] = json!("Cook");
    whole["displayName"] = json!("Changed");
    let put = scim.put(&path, &whole);
    assert_eq!(put.status, 200, "{}", put.text());
    assert!(put.json().get("title").is_none());
    assert_eq!(scim.patch(&path, &json!([{ "op": "replace", "path": "title", "value": "Cook" }])).status, 200);

    world.server.reconfigure("directories/contoso.toml", WITHOUT, WITH, || scim.get(find).status == 200);
    let back = scim.get(&path).json();
    assert_eq!((&back["title"], &back["displayName"]), (&json!("Baker"), &json!("Changed")), "kept aside as it was");
}

#[test]
fn a_login_neither_finds_nor_shows_what_is_not_confirmed() {
    let mail = "\"emails\", ";
    let world = World::with(|setup, _| {
        setup.provisioned().keys("directories/contoso.toml", WITH);
    });
    let scim = Scim::new(&world.server);
    scim.user("alice@contoso.com", "alice-at-idp");
    let tokens = world.sign_in(&mut world.server.browser());
    assert_eq!(tokens.claims["email"], "alice@contoso.com");
    let users = &world.server.running().ports().directory.users;
    let found = || {
        let found = users.find("contoso", "emails", "alice@contoso.com");
        crate::support::server::block_on(found).expect("the database works").len()
    };
    assert_eq!(found(), 1);
    world.server.reconfigure("directories/contoso.toml", mail, "", || found() == 0);
    let tokens = world.sign_in(&mut world.server.browser());
    assert!(tokens.claims.get("email").is_none(), "{:?}", tokens.claims);
}
