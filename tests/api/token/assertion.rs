//! private_key_jwt: an assertion for us, by the client's own key, for a few minutes, once; whether the key stands in
//! the client's file or is published by the client.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use vestibule::base::Span;

use crate::support::assertion::{Signer, claims, encode};
use crate::support::client::{Client, Proof};
use crate::support::http::{Request, Response};
use crate::support::keyring::Keyring;
use crate::support::server::ISSUER;
use crate::world::World;

const URI: &str = "https://keyed.example.com/cb";

/// Where the client's key is.
#[derive(Clone, Copy, Debug)]
enum Place {
    File,
    Published,
}

/// A world for each place.
fn worlds() -> impl Iterator<Item = (World, Client, Arc<Signer>)> {
    [Place::File, Place::Published].into_iter().map(keyed)
}

fn keyed(place: Place) -> (World, Client, Arc<Signer>) {
    let signer = Arc::new(Signer::generate("key-1"));
    let other = Signer::generate("key-1");
    let world = World::with(|setup, idp| {
        let file = |keys: &str, uri: &str| format!("name = \"Keyed\"\n{keys}\nredirect_uris = [\"{uri}\"]\n");
        let keys = match place {
            Place::File => signer.as_toml(),
            Place::Published => {
                // Beside the provider's own keys, which are no keys of the client's choice and do no harm.
                let jwk = signer.jwk();
                let add = move |set: &mut Map<String, Value>| {
                    set.get_mut("keys").and_then(Value::as_array_mut).expect("a list").push(jwk.clone());
                };
                idp.set(|script| script.jwks_body = Some(Arc::new(add)));
                format!("jwks_uri = \"{}/jwks\"", idp.issuer())
            }
        };
        setup.file("clients/keyed.toml", &file(&keys, URI));
        setup.file("clients/neighbour.toml", &file(&other.as_toml(), "https://neighbour.example.com/cb"));
    });
    let client = Client::new("keyed", Proof::Assertion(Arc::clone(&signer)), URI);
    (world, client, signer)
}

fn present(world: &World, assertion: &str) -> Response {
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", "no-code"),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", assertion),
    ];
    world.server.send(&Request::form(&world.server.url("/acs/token"), &fields))
}

#[track_caller]
fn refused(world: &World, assertion: &str) {
    let answer = present(world, assertion);
    assert_eq!((answer.status, answer.error().as_str()), (401, "invalid_client"), "{}", answer.text());
}

/// A good assertion with one claim changed; `null` takes it away.
fn changed(world: &World, signer: &Signer, name: &str, value: Value) -> String {
    let mut claims = claims("keyed", ISSUER, world.now());
    let members = claims.as_object_mut().expect("an object");
    members.insert(name.to_owned(), value.clone());
    if value.is_null() {
        members.remove(name);
    }
    signer.sign(&json!({"alg": "ES256", "kid": signer.kid}), &claims)
}

#[test]
fn c037_a_client_proves_itself_by_its_key() {
    for (world, client, _) in worlds() {
        client.sign_in(&world.server, &mut world.server.browser(), &client.ask(&world.server));
    }
}

#[test]
fn a087_an_assertion_names_our_issuer_as_one_string() {
    for (world, _, signer) in worlds() {
        for audience in [
            json!(format!("{ISSUER}/token")),
            json!([ISSUER]),
            json!([ISSUER, "https://evil.test"]),
            json!(format!("{ISSUER}/")),
            json!("https://evil.test"),
            json!(""),
            Value::Null,
        ] {
            refused(&world, &changed(&world, &signer, "aud", audience));
        }
    }
}

#[test]
fn a088_an_assertion_is_good_for_once() {
    for (world, _, signer) in worlds() {
        let assertion = signer.assertion("keyed", ISSUER, world.now());
        assert_eq!(present(&world, &assertion).error(), "invalid_grant", "the client is known, the code is not");
        refused(&world, &assertion);
        world.advance(Span::secs(50));
        refused(&world, &assertion);
    }
}

#[test]
fn an_assertion_may_name_its_algorithm_as_rfc_9864_does() {
    let keys = Keyring::generate();
    let world = World::with(|setup, _| {
        setup.file("client.jwks.json", &keys.jwks().to_string());
        let text = format!("name = \"K\"\njwks = {{ file = \"client.jwks.json\" }}\nredirect_uris = [\"{URI}\"]\n");
        setup.file("clients/keyed.toml", &text);
    });
    for alg in ["EdDSA", "Ed25519"] {
        let assertion = keys.sign(alg, "", &claims("keyed", ISSUER, world.now()));
        assert_eq!(present(&world, &assertion).error(), "invalid_grant", "{alg}: the client is known, the code is not");
        refused(&world, &assertion);
    }
}

#[test]
fn a088_no_client_uses_up_anothers_assertion() {
    let signer = Signer::generate("key-1");
    let world = World::with(|setup, _| {
        for (file, id) in [("one", "keyed"), ("two", "keyed two")] {
            let text =
                format!("name = \"K\"\nclient_id = \"{id}\"\n{}\nredirect_uris = [\"{URI}\"]\n", signer.as_toml());
            setup.file(&format!("clients/{file}.toml"), &text);
        }
    });
    for (id, jti) in [("keyed", "two 1"), ("keyed two", "1"), ("keyed", "1"), ("keyed two", "two 1")] {
        let mut claims = claims(id, ISSUER, world.now());
        claims["jti"] = json!(jti);
        let assertion = signer.sign(&json!({ "alg": "ES256", "kid": "key-1" }), &claims);
        assert_eq!(present(&world, &assertion).error(), "invalid_grant", "{id:?} is known by {jti:?}");
        refused(&world, &assertion);
    }
}

#[test]
fn a088_of_twenty_presenters_of_one_assertion_one_is_heard() {
    for (world, _, signer) in worlds() {
        let assertion = signer.assertion("keyed", ISSUER, world.now());
        let heard = std::thread::scope(|scope| {
            let callers: Vec<_> = (0..20).map(|_| scope.spawn(|| present(&world, &assertion).error())).collect();
            callers.into_iter().map(|c| c.join().expect("a caller")).filter(|e| e == "invalid_grant").count()
        });
        assert_eq!(heard, 1);
    }
}

#[test]
fn a089_an_assertion_lives_for_minutes() {
    for (world, _, signer) in worlds() {
        let now = world.now();
        let at = |span: Span| json!(now.plus(span).secs());
        let past = |span: Span| json!(now.minus(span).secs());
        refused(&world, &changed(&world, &signer, "exp", at(Span::days(3650))));
        refused(&world, &changed(&world, &signer, "exp", at(Span::minutes(7))));
        refused(&world, &changed(&world, &signer, "exp", Value::Null));
        refused(&world, &changed(&world, &signer, "exp", past(Span::minutes(5))));
        refused(&world, &changed(&world, &signer, "exp", json!("soon")));
        refused(&world, &changed(&world, &signer, "iat", past(Span::hours(1))));
        refused(&world, &changed(&world, &signer, "nbf", at(Span::minutes(2))));
        let skewed = changed(&world, &signer, "nbf", at(Span::secs(8)));
        assert_eq!(present(&world, &skewed).error(), "invalid_grant", "eight seconds are no fault");
    }
}

#[test]
fn a090_the_algorithm_is_that_of_the_key() {
    for (world, _, signer) in worlds() {
        let claims = claims("keyed", ISSUER, world.now());
        refused(&world, &format!("{}.{}.", encode(&json!({"alg": "none"})), encode(&claims)));
        for alg in ["none", "HS256", "RS256", "EdDSA", "es256"] {
            refused(&world, &signer.sign(&json!({"alg": alg, "kid": signer.kid}), &claims));
        }
        let mut flipped = signer.assertion("keyed", ISSUER, world.now()).into_bytes();
        let last = flipped.len() - 10;
        flipped[last] = if flipped[last] == b'A' { b'B' } else { b'A' };
        refused(&world, &String::from_utf8(flipped).expect("ASCII"));
    }
}

#[test]
fn a090_a_client_with_a_secret_has_no_assertions_and_one_with_keys_no_secret() {
    for (world, _, signer) in worlds() {
        refused(&world, &signer.assertion("access", ISSUER, world.now()));
        let fields = [("grant_type", "authorization_code"), ("code", "x")];
        for secret in ["", "anything"] {
            let client = Client::new("keyed", Proof::Basic(secret.to_owned()), URI);
            assert_eq!(client.token(&world.server, &fields).error(), "invalid_client");
        }
        let nothing = Client::new("keyed", Proof::Public, URI);
        assert_eq!(nothing.token(&world.server, &fields).error(), "invalid_client");
    }
}

#[test]
fn a091_issuer_subject_and_key_are_one_clients() {
    for (world, _, signer) in worlds() {
        refused(&world, &changed(&world, &signer, "iss", json!("access")));
        refused(&world, &changed(&world, &signer, "sub", json!("access")));
        refused(&world, &changed(&world, &signer, "sub", Value::Null));
        refused(&world, &changed(&world, &signer, "iss", Value::Null));
        refused(&world, &changed(&world, &signer, "jti", Value::Null));
        refused(&world, &signer.assertion("neighbour", ISSUER, world.now())); // signed by another client's key
        let assertion = signer.assertion("keyed", ISSUER, world.now());
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", "x"),
            ("client_id", "access"),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", assertion.as_str()),
        ];
        let answer = world.server.send(&Request::form(&world.server.url("/acs/token"), &fields));
        assert!(matches!(answer.error().as_str(), "invalid_client" | "invalid_request"), "{}", answer.text());
    }
}
