//! Two directories of one server know nothing of each other.

use serde_json::json;
use vestibule::identity::GroupId;

use crate::support::scim::{CORE_GROUP, PATCH_OP, Scim, id, is_error, person};
use crate::support::server::{block_on, wait_until};
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
    let groups = &world.server.running().ports().directory.groups;
    let group = GroupId(id(&group.json()).to_owned());
    let kept = block_on(groups.group("contoso", &group)).expect("the database works").expect("it is there");
    assert_eq!((kept.members, kept.parked), (0, 1), "it waits");
    // The same names on both sides are no conflict.
    assert_ne!(id(&ours.user("alice@fabrikam.com", "alice")), foreign);
}

#[test]
fn a212_what_is_held_waited_for_or_written_down_on_one_side_is_nothing_to_the_other() {
    let world = two();
    let (ours, theirs) = (Scim::new(&world.server), Scim::of(&world.server, "fabrikam"));
    let group = |scim: &Scim<'_>| {
        let answer =
            scim.post("/Groups", &json!({ "schemas": [CORE_GROUP], "displayName": "Staff", "externalId": "g" }));
        assert_eq!(answer.status, 201, "{}", answer.text());
        id(&answer.json()).to_owned()
    };
    let (own, foreign) = (group(&ours), group(&theirs));
    assert_ne!(own, foreign);
    // Whose id waits in a group of ours is not let in by appearing over there.
    let alice = ours.user("alice@contoso.com", "alice");
    let add = json!([{ "op": "add", "path": "members", "value": [{ "value": id(&alice) }] }]);
    assert_eq!(theirs.patch(&format!("/Groups/{foreign}"), &add).status, 200, "it waits, as anybody unknown");
    assert!(theirs.members(&foreign).is_empty());
    assert_eq!(ours.delete(&format!("/Users/{}", id(&alice))).status, 204);
    assert!(theirs.members(&foreign).is_empty());
    // A name that is taken here doesn't tell who has it there.
    theirs.user("bob@contoso.com", "of fabrikam");
    ours.user("bob@contoso.com", "of contoso");
    for (scim, own, foreign) in [(&ours, "of contoso", "of fabrikam"), (&theirs, "of fabrikam", "of contoso")] {
        let create = scim.post("/Users", &person("bob@contoso.com", "third"));
        let carl = scim.user("carl@contoso.com", "carl");
        let rename = json!([{ "op": "replace", "path": "userName", "value": "bob@contoso.com" }]);
        for refused in [create, scim.patch(&format!("/Users/{}", id(&carl)), &rename)] {
            let detail = is_error(&refused, 409, Some("uniqueness"));
            assert!(detail.contains(own) && !detail.contains(foreign), "{detail}");
        }
    }
    let audits = &world.server.running().ports().directory.audits;
    assert!(block_on(audits.of_object("fabrikam", id(&alice), 10)).expect("the database works").is_empty());
    assert_eq!(block_on(audits.of_object("contoso", id(&alice), 10)).expect("the database works").len(), 2);
}

#[test]
fn a212_an_id_that_is_kept_for_somebody_here_is_nobodys_there() {
    let world = World::with(|setup, _| {
        let policy = "[lifecycle]\non_deactivate = \"delete_now\"\n\n[guard]\nmax_removals = 10";
        setup.provisioned().table("directories/contoso.toml", policy).file(
            "directories/fabrikam.toml",
            "name = \"Fabrikam\"\ndomains = [\"fabrikam.com\"]\nsource = \"generic\"\ntype = \"provisioned\"\n",
        );
    });
    let (ours, theirs) = (Scim::new(&world.server), Scim::of(&world.server, "fabrikam"));
    let alice = ours.user("alice@contoso.com", "alice");
    let path = format!("/Users/{}", id(&alice));
    ours.patch(&path, &json!([{ "op": "replace", "path": "active", "value": false }]));
    wait_until("the policy deletes her", || ours.get(&path).status == 404);
    assert_ne!(id(&theirs.user("alice@fabrikam.com", "alice")), id(&alice), "the same externalId, another person");
    let waiting = |scim: &Scim<'_>| id(&scim.group("Waiting", &[id(&alice)])).to_owned();
    let (own, foreign) = (waiting(&ours), waiting(&theirs));
    assert_eq!(id(&ours.user("alice@contoso.com", "alice")), id(&alice), "she is back");
    assert_eq!(ours.members(&own), [id(&alice)]);
    let groups = &world.server.running().ports().directory.groups;
    for (directory, group, expected) in [("contoso", own, (1, 0)), ("fabrikam", foreign, (0, 1))] {
        let kept =
            block_on(groups.group(directory, &GroupId(group))).expect("the database works").expect("it is there");
        assert_eq!((kept.members, kept.parked), expected, "{directory}");
    }
}
