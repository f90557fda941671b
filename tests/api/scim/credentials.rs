//! What opens SCIM, and what doesn't.

use serde_json::json;
use vestibule::base::Span;
use vestibule::directory::roster::SyncKind;

use super::world;
use crate::support::client::{Client, userinfo};
use crate::support::http::Request;
use crate::support::scim::{Scim, credential, is_error};
use crate::support::server::block_on;
use crate::world::World;

#[track_caller]
fn is_barred(scim: &Scim<'_>, authorization: Option<&str>) {
    let mut request = Request::get(&scim.url("/Users"));
    if let Some(value) = authorization {
        request = request.header("Authorization", value);
    }
    let answer = scim.send(&request);
    is_error(&answer, 401, None);
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{authorization:?}");
}

#[test]
fn a213_no_empty_and_unknown_credentials_get_one_and_the_same_401() {
    let world = world();
    let scim = Scim::new(&world.server);
    let made_up = format!("Bearer vsc_{}", "A".repeat(43));
    let others = ["", "Bearer", "Bearer ", "Bearer null", "Bearer undefined", "HZN", "Basic YTpi", made_up.as_str()];
    for other in others {
        is_barred(&scim, Some(other));
    }
    is_barred(&scim, None);
    let twice = scim.request("GET", "/Users").header("Authorization", &format!("Bearer {}", scim.token));
    is_error(&scim.send(&twice), 401, None);
    assert_eq!(scim.get("/Users").status, 200);
    let one_less = &scim.token[..scim.token.len() - 1];
    is_barred(&scim, Some(&format!("Bearer {one_less}")));
}

#[test]
fn a213_without_any_credential_configured_nobody_comes_in() {
    let world = world();
    let answer = world
        .server
        .send(&Request::get(&world.server.url("/usergroup/scim/v2/Users")).header("Authorization", "Bearer "));
    is_error(&answer, 401, None);
}

#[test]
fn a213_an_expired_and_a_revoked_credential_are_over_at_once() {
    let world = world();
    let short = credential(&world.server, "contoso", SyncKind::Token, Span::minutes(1));
    let scim = Scim::new(&world.server);
    let other = scim.with_token(&short.secret);
    assert_eq!(other.get("/Users").status, 200);
    world.advance(Span::minutes(1));
    is_error(&other.get("/Users"), 401, None);
    assert_eq!(scim.get("/Users").status, 200, "the second of the two lives on");
    let clients = &world.server.running().ports().directory.sync_clients;
    assert!(block_on(clients.revoke(&scim.credential)).expect("the database works"));
    is_error(&scim.get("/Users"), 401, None);
}

#[test]
fn the_schemes_bearer_and_hzn_are_taken_in_any_case_and_a_bare_token_too() {
    let world = world();
    let scim = Scim::new(&world.server);
    for header in ["Bearer TOKEN", "bearer TOKEN", "BEARER  TOKEN", "HZN TOKEN", "hzn TOKEN", "TOKEN"] {
        let header = header.replace("TOKEN", &scim.token);
        let answer = scim.send(&Request::get(&scim.url("/Users")).header("Authorization", &header));
        assert_eq!(answer.status, 200, "{}", header.replace(&scim.token, "TOKEN"));
    }
}

#[test]
fn a_token_in_the_query_opens_nothing() {
    let world = world();
    let scim = Scim::new(&world.server);
    for name in ["access_token", "token", "authorization"] {
        let url = format!("{}?{name}={}", scim.url("/Users"), scim.token);
        is_error(&scim.send(&Request::get(&url)), 401, None);
    }
}

#[test]
fn a214_a_scim_token_opens_nothing_but_scim() {
    let world = World::with(|setup, _| {
        setup.provisioned();
    });
    let scim = Scim::new(&world.server);
    assert_eq!(userinfo(&world.server, &scim.token).status, 401);
    let told = Client::access().introspect(&world.server, &scim.token).json();
    assert_eq!(told, json!({ "active": false }));
}

#[test]
fn a214_tokens_of_people_and_of_clients_open_no_scim() {
    let world = World::new();
    let scim = Scim::new(&world.server);
    let tokens = world.sign_in_for_long(&Client::access(), &mut world.server.browser());
    for token in [&tokens.access, &tokens.id_token, tokens.refresh()] {
        is_barred(&scim, Some(&format!("Bearer {token}")));
    }
    is_barred(&scim, Some("Bearer access-secret"));
}

#[test]
fn a_credential_of_a_directory_that_is_taken_from_the_files_is_over() {
    let world = World::with(|setup, _| {
        setup.file(
            "directories/fabrikam.toml",
            "name = \"Fabrikam\"\ndomains = [\"fabrikam.com\"]\nsource = \"generic\"\ntype = \"provisioned\"\n",
        );
    });
    let scim = Scim::of(&world.server, "fabrikam");
    assert_eq!(scim.get("/Users").status, 200);
    std::fs::remove_file(world.server.folder().join("directories/fabrikam.toml")).expect("it is there");
    crate::support::server::wait_until("the folder is read again", || scim.get("/Users").status == 401);
}

#[test]
fn the_last_use_of_a_credential_is_noted_within_seconds() {
    let world = world();
    let scim = Scim::new(&world.server);
    assert_eq!(scim.get("/Users").status, 200);
    let clients = &world.server.running().ports().directory.sync_clients;
    let used = || block_on(clients.by_id(&scim.credential)).expect("the database works").and_then(|it| it.last_used);
    crate::support::server::wait_until("its last use is noted", || used() == Some(world.now()));
}

#[test]
fn two_credentials_of_a_directory_live_at_once_and_a_third_only_when_one_is_over() {
    let world = world();
    let first = credential(&world.server, "contoso", SyncKind::Token, Span::minutes(5));
    let second = credential(&world.server, "contoso", SyncKind::Oauth, Span::days(30));
    let clients = &world.server.running().ports().directory.sync_clients;
    let third = || {
        let mut client = block_on(clients.by_id(&second.id)).expect("the database works").expect("it is there");
        client.id = "scim-third".to_owned();
        client.secret = vestibule::base::Digest::of("third");
        client.created = world.now();
        block_on(clients.create(client, 2)).expect("the database works")
    };
    assert!(!third(), "two are there");
    let scim = Scim { server: &world.server, token: first.secret.clone(), credential: first.id.clone() };
    assert_eq!(scim.get("/Users").status, 200);
    world.advance(Span::minutes(5));
    assert!(third(), "the first is over");
}
