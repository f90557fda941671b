//! What the endpoint says of itself.

use serde_json::{Value, json};

use super::world;
use crate::support::scim::{CORE_USER, LIST_RESPONSE, Scim, is_error};

#[test]
fn what_is_offered_is_told_and_what_is_told_can_be_read_one_by_one() {
    let world = world();
    let scim = Scim::new(&world.server);
    let config = scim.get("/ServiceProviderConfig");
    assert_eq!(config.status, 200);
    let config = config.json();
    assert_eq!(config["bulk"]["supported"], false);
    for feature in ["patch", "filter", "sort", "etag"] {
        assert_eq!(config[feature]["supported"], true, "{feature}");
    }
    for (list, id) in [("/ResourceTypes", "name"), ("/Schemas", "id")] {
        let all = scim.get(list).json();
        assert_eq!(all["schemas"], json!([LIST_RESPONSE]));
        let each: Vec<Value> = all["Resources"].as_array().cloned().expect("Resources");
        assert_eq!(all["totalResults"], each.len());
        assert!(each.len() >= 2, "{list}");
        for one in each {
            let path = format!("{list}/{}", one[id].as_str().expect("its name"));
            assert_eq!(scim.get(&path).json(), one, "{path}");
        }
        is_error(&scim.get(&format!("{list}/Unknown")), 404, None);
    }
}

#[test]
fn a_filter_on_what_is_offered_is_forbidden_and_paging_is_ignored() {
    let world = world();
    let scim = Scim::new(&world.server);
    for path in ["/Schemas", "/ResourceTypes", "/ServiceProviderConfig", "/Schemas/urn:x"] {
        is_error(&scim.get(&format!("{path}?filter=id eq \"User\"")), 403, None);
    }
    assert_eq!(scim.get("/Schemas?startIndex=5&count=0&sortBy=id").json(), scim.get("/Schemas").json());
}

#[test]
fn the_schema_of_users_shows_what_the_directory_confirms() {
    let world = world();
    let scim = Scim::new(&world.server);
    let schema = scim.get(&format!("/Schemas/{CORE_USER}")).json();
    let names: Vec<&str> =
        schema["attributes"].as_array().into_iter().flatten().filter_map(|it| it["name"].as_str()).collect();
    assert!(names.contains(&"userName") && names.contains(&"emails"), "{names:?}");
    assert!(!names.contains(&"title") && !names.contains(&"phoneNumbers"), "{names:?}");
}
