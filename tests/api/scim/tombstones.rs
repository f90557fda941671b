//! Entra's recycle bin: a name of 32 hexadecimal digits and the name of before, and what only looks like one.

use serde_json::{Value, json};
use vestibule::identity::{StoredUser, UserId};

use super::world_of;
use crate::support::scim::{Scim, id};
use crate::support::server::block_on;

const GUID: &str = "6f1e3c1a-77b0-4a5e-9d59-0a2a3d4e5f60";
const DIGITS: &str = "6f1e3c1a77b04a5e9d590a2a3d4e5f60";

fn stored(scim: &Scim<'_>, user: &Value) -> StoredUser {
    let roster = &scim.server.running().ports().directory.roster;
    let found = block_on(roster.user("contoso", &UserId(id(user).to_owned())));
    found.expect("the database works").expect("it is there")
}

fn set(scim: &Scim<'_>, user: &Value, active: bool, name: &str) -> Value {
    let operations = json!([
        { "op": "Replace", "path": "active", "value": if active { "True" } else { "False" } },
        { "op": "Replace", "path": "userName", "value": name },
    ]);
    let answer = scim.patch(&format!("/Users/{}", id(user)), &operations);
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

#[test]
fn only_the_external_ids_own_digits_before_the_name_of_before_are_a_tombstone() {
    let other = "0".repeat(32);
    for (external_id, active, name, is) in [
        (GUID, false, format!("{DIGITS}alice@contoso.com"), true),
        (GUID, false, format!("{}ALICE@contoso.com", DIGITS.to_uppercase()), true),
        (GUID, false, format!("{other}alice@contoso.com"), false),
        ("no guid", false, format!("{other}alice@contoso.com"), true),
        (GUID, false, format!("{DIGITS}bob@contoso.com"), false),
        (GUID, false, format!("x{}alice@contoso.com", &DIGITS[1..]), false),
        (GUID, false, DIGITS.to_owned(), false),
        (GUID, true, format!("{DIGITS}alice@contoso.com"), false),
    ] {
        let world = world_of("azure");
        let scim = Scim::new(&world.server);
        let user = scim.user("alice@contoso.com", external_id);
        assert_eq!(set(&scim, &user, active, &name)["userName"], name.as_str(), "as it was sent");
        let kept = stored(&scim, &user).identity_name;
        assert_eq!(kept.as_deref(), is.then_some("alice@contoso.com"), "{external_id} {active} {name}");
    }
}

#[test]
fn a_restore_in_one_step_or_two_leaves_nothing_of_the_tombstone_among_the_names() {
    let tombstone = format!("{DIGITS}alice@contoso.com");
    let world = world_of("azure");
    let scim = Scim::new(&world.server);
    let user = scim.user("alice@contoso.com", GUID);
    for first in ["alice@contoso.com", tombstone.as_str()] {
        set(&scim, &user, false, &tombstone);
        set(&scim, &user, true, first);
        let back = set(&scim, &user, true, "alice@contoso.com");
        assert_eq!((&back["userName"], &back["active"]), (&json!("alice@contoso.com"), &json!(true)));
        let stored = stored(&scim, &user);
        assert_eq!((stored.identity_name, stored.user.former_names), (None, Vec::<String>::new()), "{first}");
    }
}
