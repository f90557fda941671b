//! Two directories of one server know nothing of each other.

use serde_json::json;

use crate::support::scim::{CORE_GROUP, PATCH_OP, Scim, id, is_error};
use crate::world::World;

fn two() -> World {
    World::with(|setup, _| {
        setup.provisioned().file(
            "directories/fabrikam.toml",
            "name = \"Fabrikam\"\ndomains = [\"fabrikam.com\"]\nsource = \"generic\"\ntype = \"provisioned\"\n",
        );
    })
}

#[test]
fn a212_a220_an_unknown_a_deleted_and_a_foreign_id_are_the_same_404() {
    let world = two();
    let (ours, theirs) = (Scim::new(&world.server), Scim::of(&world.server, "fabrikam"));
    let deleted = id(&ours.user("gone@contoso.com", "gone")).to_owned();
    assert_eq!(ours.delete(&format!("/Users/{deleted}")).status, 204);
    let foreign = id(&theirs.user("alice@fabrikam.com", "alice")).to_owned();
    let foreign_group = id(&theirs.group("Group", &[&foreign])).to_owned();
    let patch = json!({ "schemas": [PATCH_OP], "Operations": [{ "op": "replace", "path": "active", "value": false }] });
    let unknown = "0123456789abcdef0123456789abcdef";
    for method in ["GET", "PUT", "PATCH", "DELETE"] {
        let bodies = |of: &str, ids: &[&str]| -> Vec<String> {
            let ask = |id: &&str| {
                let body =
                    if method == "PATCH" { patch.clone() } else { json!({ "userName": "a", "displayName": "a" }) };
                let answer = ours.send(&ours.with_body(method, &format!("/{of}/{id}"), &body));
                is_error(&answer, 404, None);
                answer.text()
            };
            ids.iter().map(ask).collect()
        };
        let users = bodies("Users", &[unknown, &deleted, &foreign, &foreign_group]);
        let groups = bodies("Groups", &[unknown, &foreign_group, &foreign]);
        assert!(users.iter().chain(&groups).all(|body| *body == users[0]), "{method}: {users:?} {groups:?}");
    }
    assert_eq!(theirs.get(&format!("/Users/{foreign}")).json()["active"], true, "untouched");
    assert_eq!(theirs.members(&foreign_group), [foreign]);
}

#[test]
fn a212_filters_lists_and_members_show_nothing_of_another_directory() {
    let world = two();
    let (ours, theirs) = (Scim::new(&world.server), Scim::of(&world.server, "fabrikam"));
    let foreign = id(&theirs.user("alice@fabrikam.com", "alice")).to_owned();
    theirs.group("Theirs", &[]);
    for filter in [
        "userName eq \"alice@fabrikam.com\"".to_owned(),
        "externalId eq \"alice\"".to_owned(),
        format!("id eq \"{foreign}\""),
        "userName pr".to_owned(),
    ] {
        assert!(ours.found("Users", &filter).is_empty(), "{filter}");
    }
    assert_eq!(ours.get("/Users").json()["totalResults"], 0);
    assert_eq!(ours.get("/Groups").json()["totalResults"], 0);
    let group = ours
        .post("/Groups", &json!({ "schemas": [CORE_GROUP], "displayName": "Ours", "members": [{ "value": foreign }] }));
    assert_eq!(group.status, 201, "{}", group.text());
    assert!(ours.members(id(&group.json())).is_empty(), "a foreign member is as unknown as any");
    // The same names on both sides are no conflict.
    assert_ne!(id(&ours.user("alice@fabrikam.com", "alice")), foreign);
}
