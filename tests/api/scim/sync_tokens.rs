//! Provisioning services that come with id and secret (`client_credentials`).

use serde_json::json;
use vestibule::base::Span;
use vestibule::directory::roster::SyncKind;

use super::world;
use crate::support::client::{Client, Proof, userinfo};
use crate::support::http::Response;
use crate::support::scim::{Credential, Scim, credential, is_error};
use crate::support::server::block_on;
use crate::world::World;

const FIELDS: [(&str, &str); 1] = [("grant_type", "client_credentials")];

fn oauth(world: &World, life: Span) -> Credential {
    credential(&world.server, "contoso", SyncKind::Oauth, life)
}

fn ask(world: &World, id: &str, proof: Proof) -> Response {
    Client::new(id, proof, "").token(&world.server, &FIELDS)
}

#[track_caller]
fn token(world: &World, known: &Credential) -> String {
    let answer = ask(world, &known.id, Proof::Basic(known.secret.clone()));
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["access_token"].as_str().expect("a token").to_owned()
}

fn scim<'w>(world: &'w World, known: &Credential, token: &str) -> Scim<'w> {
    Scim { server: &world.server, token: token.to_owned(), credential: known.id.clone() }
}

#[test]
fn id_and_secret_by_header_or_body_give_a_token_for_an_hour() {
    let world = world();
    let known = oauth(&world, Span::days(30));
    for proof in [Proof::Basic(known.secret.clone()), Proof::Post(known.secret.clone())] {
        let answer = ask(&world, &known.id, proof);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let body = answer.json();
        assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(3600)));
        assert!(body.get("refresh_token").is_none() && body.get("id_token").is_none());
        let token = body["access_token"].as_str().expect("a token").to_owned();
        let scim = scim(&world, &known, &token);
        assert_eq!(scim.get("/Users").status, 200);
        world.advance(Span::minutes(60));
        is_error(&scim.get("/Users"), 401, None);
    }
}

#[test]
fn a_wrong_or_unknown_id_or_secret_is_invalid_client_and_counted() {
    let world = world();
    let known = oauth(&world, Span::days(30));
    let bearer = Scim::new(&world.server);
    for (id, secret) in [
        (known.id.as_str(), "wrong"),
        ("scim-AAAAAAAAAAAAAAAAAAAAAA", known.secret.as_str()),
        (bearer.credential.as_str(), bearer.token.as_str()),
    ] {
        let answer = ask(&world, id, Proof::Basic(secret.to_owned()));
        assert_eq!((answer.status, answer.error().as_str()), (401, "invalid_client"), "{}", answer.text());
    }
    let put_off = (0..60).any(|_| ask(&world, &known.id, Proof::Basic("wrong".to_owned())).status != 401);
    assert!(put_off, "the guesses are put off");
    let other = oauth_of_another(&world);
    assert_eq!(ask(&world, &other.id, Proof::Basic(other.secret.clone())).status, 200, "the neighbour is heard");
}

fn oauth_of_another(world: &World) -> Credential {
    let clients = &world.server.running().ports().directory.sync_clients;
    for client in block_on(clients.all()).expect("the database works") {
        if client.kind == SyncKind::Token {
            block_on(clients.revoke(&client.id)).expect("the database works");
        }
    }
    oauth(world, Span::days(30))
}

#[test]
fn other_grants_are_not_for_a_provisioning_service() {
    let world = world();
    let known = oauth(&world, Span::days(30));
    let client = Client::new(&known.id, Proof::Basic(known.secret), "");
    for (grant, error) in [("refresh_token", "unauthorized_client"), ("password", "unauthorized_client")] {
        let answer = client.token(&world.server, &[("grant_type", grant), ("refresh_token", "x")]);
        assert_eq!(answer.error(), error, "{}", answer.text());
    }
    assert_eq!(client.token(&world.server, &[]).error(), "invalid_request");
}

#[test]
fn a213_when_the_credential_is_revoked_or_over_its_tokens_die_at_once() {
    let world = world();
    let (first, second) = (oauth(&world, Span::minutes(30)), oauth(&world, Span::days(30)));
    let (short, long) = (token(&world, &first), token(&world, &second));
    let (short, long) = (scim(&world, &first, &short), scim(&world, &second, &long));
    assert_eq!((short.get("/Users").status, long.get("/Users").status), (200, 200));
    world.advance(Span::minutes(30));
    is_error(&short.get("/Users"), 401, None);
    assert_eq!(ask(&world, &first.id, Proof::Basic(first.secret.clone())).error(), "invalid_client");
    assert_eq!(long.get("/Users").status, 200);
    let clients = &world.server.running().ports().directory.sync_clients;
    assert!(block_on(clients.revoke(&second.id)).expect("the database works"));
    is_error(&long.get("/Users"), 401, None);
    assert_eq!(ask(&world, &second.id, Proof::Basic(second.secret.clone())).error(), "invalid_client");
}

#[test]
fn a214_such_a_token_is_good_for_scim_alone() {
    let world = world();
    let known = oauth(&world, Span::days(30));
    let token = token(&world, &known);
    assert_eq!(userinfo(&world.server, &token).status, 401);
    assert_eq!(Client::access().introspect(&world.server, &token).json(), json!({ "active": false }));
    assert_eq!(Client::access().revoke(&world.server, &token).status, 200);
    assert_eq!(scim(&world, &known, &token).get("/Users").status, 200, "nobody else can take it back");
    is_error(&scim(&world, &known, &known.secret).get("/Users"), 401, None);
}
