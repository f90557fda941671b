//! Names change hands; people don't.

use serde_json::{Value, json};

use super::{barred_page, is_barred, leaves_out, says, told_to_admins};
use vestibule::identity::UserId;

use crate::support::client::{Client, userinfo};
use crate::support::server::block_on;
use crate::world::{ALICE, BOB, Person, World};

const MALLORY: Person = Person { sub: "mallory-at-idp", email: "alice@contoso.com", given: "Alice", family: "Adams" };

/// A provisioned directory whose people are matched by `claim` = `attribute`.
fn matched_by(claim: &str, attribute: &str) -> World {
    World::with(|setup, _| {
        let (from, to) =
            ("claim = \"sub\"\nattribute = \"externalId\"", "claim = \"CLAIM\"\nattribute = \"ATTRIBUTE\"");
        setup.provisioned().edit(
            "idps/contoso.toml",
            from,
            &to.replace("CLAIM", claim).replace("ATTRIBUTE", attribute),
        );
    })
}

#[test]
fn a164_an_email_finds_nobody_unless_the_provider_proves_it() {
    let world = matched_by("email", "userName");
    let id = world.provision("x", ALICE.email);
    for unproven in [json!(false), json!("true"), json!(1), json!(["true"]), Value::Null] {
        says(&world.idp, "email_verified", unproven);
        is_barred(&world, &mut world.server.browser());
    }
    leaves_out(&world.idp, "email_verified");
    is_barred(&world, &mut world.server.browser());
    says(&world.idp, "email_verified", json!(true));
    assert_eq!(world.sign_in(&mut world.server.browser()).sub(), id);
}

#[test]
fn a170_an_external_id_is_exact_and_a_user_name_is_folded_in_one_way() {
    let exact = World::with(|setup, _| {
        setup.provisioned();
    });
    exact.provision("Alice-At-IdP", ALICE.email);
    is_barred(&exact, &mut exact.server.browser());
    says(&exact.idp, "sub", json!("Alice-At-IdP "));
    is_barred(&exact, &mut exact.server.browser());
    says(&exact.idp, "sub", json!("Alice-At-IdP"));
    exact.sign_in(&mut exact.server.browser());

    let folded = matched_by("preferred_username", "userName");
    let id = folded.provision("1", "admin@contoso.com");
    says(&folded.idp, "preferred_username", json!("ADMIN@Contoso.com"));
    assert_eq!(folded.sign_in(&mut folded.server.browser()).sub(), id);
    for other in
        ["adm\u{131}n@contoso.com", "adm\u{456}n@contoso.com", "admin@contoso.com\u{200b}", "admin@c\u{43e}ntoso.com"]
    {
        says(&folded.idp, "preferred_username", json!(other));
        is_barred(&folded, &mut folded.server.browser());
    }
}

#[test]
fn a175_a_claimed_user_name_does_not_lock_its_owner_out() {
    let world = World::new();
    let owner = world.sign_in(&mut world.server.browser());
    for claimant in ["mallory-1", "mallory-2"] {
        world.next_is(&Person { sub: claimant, ..MALLORY });
        is_barred(&world, &mut world.server.browser());
        assert_eq!(world.user_id(claimant), None);
    }
    // Nor does somebody who is already here, by taking the name later.
    world.next_is(&BOB);
    let bob = world.sign_in(&mut world.server.browser());
    says(&world.idp, "preferred_username", json!(ALICE.email));
    is_barred(&world, &mut world.server.browser());
    world.next_is(&ALICE);
    let again = world.sign_in(&mut world.server.browser());
    assert_eq!(again.sub(), owner.sub());
    assert_eq!(again.claims["email"], ALICE.email);
    world.next_is(&BOB);
    assert_eq!(world.sign_in(&mut world.server.browser()).sub(), bob.sub());
}

#[test]
fn a171_a_session_and_a_family_stay_with_the_person_whose_name_another_has_now() {
    let world = World::new();
    let client = Client::access();
    let mut leavers = world.server.browser();
    let leaver = world.sign_in_for_long(&client, &mut leavers);
    world.next_is(&Person { email: "alice.old@contoso.com", ..ALICE });
    world.sign_in(&mut world.server.browser());
    world.next_is(&MALLORY);
    let hired = world.sign_in(&mut world.server.browser());
    assert_eq!(hired.claims["preferred_username"], ALICE.email);
    assert_ne!(hired.sub(), leaver.sub());
    let refreshed = client.refresh(&world.server, leaver.refresh());
    assert_eq!(refreshed.status, 200, "{}", refreshed.text());
    let access = refreshed.json()["access_token"].as_str().map(str::to_owned).expect("one");
    assert_eq!(userinfo(&world.server, &access).json()["sub"], leaver.sub());
    let silent = client.ask(&world.server).with("prompt", "none");
    assert_eq!(client.sign_in(&world.server, &mut leavers, &silent).sub(), leaver.sub());
    world.server.deactivate(leaver.sub());
    assert!(!world.is_signed_in(&leavers));
    world.sign_in(&mut world.server.browser()); // the new hire is not touched
}

#[test]
fn a172_the_trace_tells_why_somebody_who_came_back_is_nobody() {
    for (kind, reason) in [("provisioned", "nobody"), ("jit", "userName")] {
        let world = World::with(|setup, _| {
            setup.edit("directories/contoso.toml", "type = \"jit\"", &format!("type = \"{kind}\""));
        });
        world.provision("new-at-idp", ALICE.email);
        let (page, _) = barred_page(&world, &mut world.server.browser()); // with the old id
        let told = told_to_admins(&world, &page);
        assert!(told.contains(reason), "{kind}: {told}");
        assert_eq!(world.user_id(ALICE.sub), None, "nothing was linked or written");
        says(&world.idp, "sub", json!("new-at-idp"));
        world.sign_in(&mut world.server.browser());
    }
}

#[test]
fn a173_who_is_barred_goes_back_to_the_client_with_access_denied() {
    let world = World::with(|setup, _| {
        setup.provisioned();
    });
    let mut browser = world.server.browser();
    let ask = Client::access().ask(&world.server);
    let page = browser.open(&ask.url());
    world.is_page(&page, 403);
    let back = browser.submit(&page, &page.form_with("handle"));
    assert_eq!(ask.answer(&back).error(), "access_denied");
    assert!(!world.is_signed_in(&browser));
}

#[test]
fn a174_a_login_writes_nothing_that_is_not_a_persons_own() {
    let world = World::new();
    says(&world.idp, "active", json!(false));
    says(&world.idp, "groups", json!(["Admins"]));
    says(&world.idp, "rule_sets", json!(["TENANT_ADMIN"]));
    let id = world.sign_in(&mut world.server.browser()).sub().to_owned();
    world.server.deactivate(&id);
    says(&world.idp, "active", json!(true));
    says(&world.idp, "given_name", json!("Changed"));
    is_barred(&world, &mut world.server.browser());
    let users = &world.server.running().ports().directory.users;
    let user = block_on(users.user(&UserId(id))).expect("the database works").expect("still there");
    assert!(!user.active);
    assert_eq!(user.attributes.get("name.givenName"), Some(&json!(ALICE.given)), "{:?}", user.attributes);
    for name in ["groups", "rule_sets", "active"] {
        assert!(!user.attributes.contains_key(name), "{name}");
    }
}
