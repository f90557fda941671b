//! Two directories know nothing of each other's people.

use serde_json::json;

use super::{provision, says};
use crate::support::browser::{Browser, Page};
use crate::support::client::{Ask, Client, Tokens};
use crate::world::{ALICE, World};

/// `contoso` serves the directory `contoso`, `fabrikam` one of its own.
fn two_directories(kind: &str) -> World {
    let world = World::two_idps_with(|setup, _, _| {
        let own = setup.files["directories/contoso.toml"]
            .replace("\"contoso.com\", \"contoso.co.uk\"", "\"fabrikam.com\"")
            .replace("contoso.com", "fabrikam.com")
            .replace("type = \"jit\"", &format!("type = \"{kind}\""));
        setup.file("directories/fabrikam.toml", &own);
        setup.edit("idps/fabrikam.toml", "directory = \"contoso\"", "directory = \"fabrikam\"");
        setup.edit("idps/fabrikam.toml", "contoso.co.uk", "fabrikam.com");
    });
    world.other().set(|script| script.person = ALICE.claims());
    world
}

/// Signs in at the provider of that id, chosen by its button.
fn at(world: &World, browser: &mut Browser, idp: &str) -> (Ask, Page) {
    let ask = Client::access().ask(&world.server);
    let choose = browser.open(&ask.url());
    let form = choose.form_with("idp").press("idp", idp);
    let page = browser.submit(&choose, &form);
    (ask, page)
}

#[track_caller]
fn tokens(world: &World, idp: &str) -> Tokens {
    let (ask, page) = at(world, &mut world.server.browser(), idp);
    let client = Client::access();
    let response = client.redeem(&world.server, &ask, &ask.answer(&page).code());
    Tokens::verified(&world.server, &client, Some(&ask), &response)
}

#[test]
fn a165_somebody_of_another_directory_is_not_found() {
    let world = two_directories("provisioned");
    let attributes = [("userName", json!(ALICE.email)), ("externalId", json!(ALICE.sub))];
    provision(&world, "contoso", &attributes);
    let mut browser = world.server.browser();
    let (_, page) = at(&world, &mut browser, "fabrikam");
    world.is_page(&page, 403);
    assert!(!world.is_signed_in(&browser));
    let own = provision(&world, "fabrikam", &attributes);
    assert_eq!(tokens(&world, "fabrikam").sub(), own);
}

#[test]
fn a167_an_external_id_that_is_an_internal_one_is_somebody_else() {
    let world = World::new();
    let victim = world.sign_in(&mut world.server.browser());
    says(&world.idp, "sub", json!(victim.sub()));
    says(&world.idp, "preferred_username", json!("mallory@contoso.com"));
    says(&world.idp, "email", json!("mallory@contoso.com"));
    let mallory = world.sign_in(&mut world.server.browser());
    assert_ne!(mallory.sub(), victim.sub());
    assert!(victim.sub().len() >= 22, "random, of 128 bits: {}", victim.sub());
}

#[test]
fn a056_a_session_ends_when_its_provider_moves_to_another_directory() {
    let world = two_directories("jit");
    let mut browser = world.server.browser();
    let (ask, page) = at(&world, &mut browser, "fabrikam");
    ask.answer(&page).code();
    assert!(world.is_signed_in(&browser));
    let moved = || !world.is_signed_in(&browser);
    world.server.reconfigure(
        "idps/fabrikam.toml",
        "directory = \"fabrikam\"\ndomains = [\"fabrikam.com\"]",
        "directory = \"contoso\"",
        moved,
    );
}
