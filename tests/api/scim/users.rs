//! Users: made, changed, deleted, coming back.

use serde_json::{Value, json};

use super::{world, world_of};
use crate::support::scim::{Scim, id, is_error, person};

const GUID: &str = "6f1e3c1a-77b0-4a5e-9d59-0a2a3d4e5f60";

#[test]
fn a_new_user_is_answered_whole_with_its_location() {
    let world = world();
    let scim = Scim::new(&world.server);
    let answer = scim.post("/Users", &person("Alice@contoso.com", "alice"));
    assert_eq!(answer.status, 201, "{}", answer.text());
    let user = answer.json();
    let location = format!("https://id.example.com/usergroup/scim/v2/Users/{}", id(&user));
    assert_eq!(answer.header("location"), Some(location.as_str()));
    assert_eq!(user["meta"]["location"], location.as_str());
    assert_eq!((&user["userName"], &user["active"]), (&json!("Alice@contoso.com"), &json!(true)));
    assert_eq!(id(&user).len(), 32, "128 bits");
    assert!(id(&user).bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_eq!(scim.get(&format!("/Users/{}", id(&user))).json(), user);
}

#[test]
fn o03_a219_a_password_is_stored_nowhere() {
    let world = world();
    let scim = Scim::new(&world.server);
    let mut body = person("alice@contoso.com", "alice");
    body["password"] = json!("CanaryWord");
    let created = scim.post("/Users", &body);
    assert_eq!(created.status, 201);
    assert!(!created.text().contains("CanaryWord"));
    let path = format!("/Users/{}", id(&created.json()));
    assert!(!scim.get(&format!("{path}?attributes=password")).text().contains("CanaryWord"));
    is_error(&scim.get("/Users?filter=password eq \"CanaryWord\""), 400, Some("invalidFilter"));
    let folder = world.server.folder().join("data");
    for file in std::fs::read_dir(folder).expect("the folder").flatten() {
        let bytes = std::fs::read(file.path()).unwrap_or_default();
        assert!(!bytes.windows(10).any(|window| window == b"CanaryWord"), "{:?}", file.path());
    }
}

#[test]
fn a218_what_is_ours_in_a_body_is_ignored() {
    let world = world();
    let scim = Scim::new(&world.server);
    let mut body = person("alice@contoso.com", "alice");
    let ours = json!({ "id": "mine", "meta": { "version": "W/\"9\"", "resourceType": "Group" },
        "groups": [{ "value": "Admins" }], "sessions_valid_from": 0, "directory": "fabrikam", "rule_sets": ["TENANT_ADMIN"] });
    body.as_object_mut().expect("an object").extend(ours.as_object().cloned().expect("an object"));
    let user = scim.post("/Users", &body).json();
    assert_ne!(id(&user), "mine");
    assert_eq!(user["meta"]["version"], "W/\"1\"");
    assert_eq!(user["meta"]["resourceType"], "User");
    for name in ["groups", "sessions_valid_from", "directory", "rule_sets"] {
        assert!(user.get(name).is_none(), "{name}: {user}");
    }
}

#[test]
fn a226_a_name_that_somebody_has_is_refused_and_nobody_is_adopted() {
    let world = world();
    let scim = Scim::new(&world.server);
    let alice = scim.user("alice@contoso.com", "alice");
    let mut by_mail = person("other@contoso.com", "other");
    by_mail["emails"] = json!([{ "value": "alice@contoso.com" }]);
    for (attribute, body) in
        [("userName", person("ALICE@contoso.com", "other")), ("externalId", person("other@contoso.com", "alice"))]
    {
        let detail = is_error(&scim.post("/Users", &body), 409, Some("uniqueness"));
        assert!(detail.contains(attribute) && detail.contains("alice"), "{detail}");
    }
    let other = scim.post("/Users", &by_mail);
    assert_eq!(other.status, 201, "an address is no name: {}", other.text());
    assert_ne!(id(&other.json()), id(&alice));
    let rename = json!([{ "op": "replace", "path": "userName", "value": "Alice@Contoso.com" }]);
    let path = format!("/Users/{}", id(&other.json()));
    is_error(&scim.patch(&path, &rename), 409, Some("uniqueness"));
    assert_eq!(scim.get(&format!("/Users/{}", id(&alice))).json(), alice, "untouched");
    assert_eq!(scim.get(&path).json(), other.json(), "untouched");
}

#[test]
fn of_many_creates_of_one_name_at_once_one_is_done() {
    let world = world();
    let scim = Scim::new(&world.server);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let scim = &scim;
        let create = |n: u32| scim.post("/Users", &person("alice@contoso.com", &format!("e{n}"))).status;
        let begun: Vec<_> = (0..8).map(|n| scope.spawn(move || create(n))).collect();
        begun.into_iter().map(|it| it.join().expect("an answer")).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 201 | 409)), "{statuses:?}");
    assert_eq!(scim.get("/Users").json()["totalResults"], 1);
}

#[test]
fn a225_a_user_is_never_nameless() {
    let world = world();
    let scim = Scim::new(&world.server);
    let user = scim.user("alice@contoso.com", "alice");
    let path = format!("/Users/{}", id(&user));
    is_error(&scim.post("/Users", &json!({ "externalId": "x" })), 400, Some("invalidValue"));
    is_error(&scim.put(&path, &json!({ "externalId": "alice" })), 400, Some("invalidValue"));
    let kept = scim.patch(&path, &json!([{ "op": "replace", "value": { "displayName": "Other" } }]));
    assert_eq!(kept.json()["userName"], "alice@contoso.com");
    for operation in
        [json!({ "op": "remove", "path": "userName" }), json!({ "op": "replace", "path": "userName", "value": "" })]
    {
        let answer = scim.patch(&path, &json!([operation]));
        assert_eq!(answer.status, 400, "{}", answer.text());
    }
}

#[test]
fn a224_active_is_true_or_false_and_nothing_else() {
    let world = world();
    let scim = Scim::new(&world.server);
    let path = format!("/Users/{}", id(&scim.user("alice@contoso.com", "alice")));
    let set = |value: Value| scim.patch(&path, &json!([{ "op": "Replace", "path": "active", "value": value }]));
    for (value, expected) in
        [(json!("False"), false), (json!(true), true), (json!("false"), false), (json!("True"), true)]
    {
        let answer = set(value.clone());
        assert_eq!((answer.status, &answer.json()["active"]), (200, &json!(expected)), "{value}");
    }
    for value in [json!("no"), json!(0), json!("yes"), json!([]), json!({})] {
        let answer = set(value.clone());
        assert!(answer.status == 400 || answer.json()["active"] == true, "{value}: {}", answer.text());
        assert_eq!(scim.get(&path).json()["active"], true, "{value}");
    }
}

#[test]
fn a220_a229_a_deleted_user_is_gone_and_comes_back_as_another() {
    let world = world();
    let scim = Scim::new(&world.server);
    let user = scim.user("alice@contoso.com", "alice");
    let path = format!("/Users/{}", id(&user));
    assert_eq!(scim.delete(&path).status, 204);
    is_error(&scim.delete(&path), 404, None);
    is_error(&scim.get(&path), 404, None);
    is_error(&scim.patch(&path, &json!([{ "op": "replace", "path": "active", "value": true }])), 404, None);
    assert_eq!(scim.get("/Users").json()["totalResults"], 0);
    let again = scim.user("alice@contoso.com", "alice");
    assert_ne!(id(&again), id(&user));
}

#[test]
fn who_comes_back_by_a_post_of_a_known_external_id_is_the_same_person() {
    for (source, external_id, revived) in
        [("okta", "00u1", true), ("generic", "any text", true), ("azure", GUID, true), ("azure", "mailnickname", false)]
    {
        let world = world_of(source);
        let scim = Scim::new(&world.server);
        let user = scim.user("alice@contoso.com", external_id);
        let group = scim.group("Group", &[id(&user)]);
        let path = format!("/Users/{}", id(&user));
        is_error(&scim.post("/Users", &person("alice@contoso.com", external_id)), 409, Some("uniqueness"));
        scim.patch(&path, &json!([{ "op": "replace", "path": "active", "value": false }]));
        let again = scim.post("/Users", &person("alice.new@contoso.com", external_id));
        if !revived {
            is_error(&again, 409, Some("uniqueness"));
            continue;
        }
        assert_eq!(again.status, 201, "{source}: {}", again.text());
        let again = again.json();
        assert_eq!(id(&again), id(&user), "{source}");
        assert_eq!((&again["active"], &again["userName"]), (&json!(true), &json!("alice.new@contoso.com")));
        assert_eq!(scim.members(id(&group)), [id(&user)], "memberships are kept");
    }
}

#[test]
fn a_patch_is_whole_or_not_at_all() {
    let world = world();
    let scim = Scim::new(&world.server);
    let user = scim.user("alice@contoso.com", "alice");
    let path = format!("/Users/{}", id(&user));
    let answer = scim.patch(
        &path,
        &json!([
            { "op": "replace", "path": "displayName", "value": "Changed" },
            { "op": "replace", "path": "active", "value": "perhaps" },
        ]),
    );
    is_error(&answer, 400, Some("invalidValue"));
    assert_eq!(scim.get(&path).json(), user);
    let nothing = scim.patch(&path, &json!([]));
    assert_eq!(nothing.json(), user, "no operations, no change");
}

#[test]
fn attributes_choose_what_every_answer_shows() {
    let world = world();
    let scim = Scim::new(&world.server);
    let created = scim.post("/Users?attributes=userName", &person("alice@contoso.com", "alice"));
    assert_eq!(created.status, 201);
    let created = created.json();
    assert!(created.get("userName").is_some() && created.get("displayName").is_none(), "{created}");
    let path = format!("/Users/{}", id(&created));
    let without = scim.get(&format!("{path}?excludedAttributes=emails,id")).json();
    assert!(without.get("emails").is_none() && without.get("id").is_some(), "{without}");
    let both = scim.get(&format!("{path}?attributes=userName&excludedAttributes=emails"));
    assert_eq!(both.status, 400, "{}", both.text());
}

#[test]
fn the_groups_of_a_user_are_shown_only_if_they_are_asked_for() {
    let world = world();
    let scim = Scim::new(&world.server);
    let alice = scim.user("alice@contoso.com", "alice");
    let group = scim.group("Group", &[id(&alice)]);
    let path = format!("/Users/{}", id(&alice));
    assert!(scim.get(&path).json().get("groups").is_none());
    let asked = scim.get(&format!("{path}?attributes=userName,groups")).json();
    assert_eq!(asked["groups"][0]["value"], id(&group), "{asked}");
}

#[test]
fn a_change_of_a_user_is_answered_as_its_source_expects() {
    for (source, status) in [("azure", 200), ("okta", 200), ("ping", 200), ("generic", 200)] {
        let world = world_of(source);
        let scim = Scim::new(&world.server);
        let path = format!("/Users/{}", id(&scim.user("alice@contoso.com", "alice")));
        let answer = scim.patch(&path, &json!([{ "op": "replace", "path": "displayName", "value": "A" }]));
        assert_eq!((answer.status, &answer.json()["displayName"]), (status, &json!("A")), "{source}");
    }
}
