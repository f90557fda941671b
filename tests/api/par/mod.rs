//! Requests that don't travel through the browser: pushed by the client (RFC 9126), or signed by it (RFC 9101).

mod changed;
mod objects;
mod odd_objects;
mod once;
mod oracle;
mod push;
mod quota;
mod trips;

use std::sync::Arc;

use serde_json::{Value, json};
use vestibule::base::Span;

use crate::support::assertion::Signer;
use crate::support::client::{Ask, Client, Proof};
use crate::support::http::Response;
use crate::support::server::Setup;
use crate::world::World;

const KEYED_URI: &str = "https://keyed.example.com/cb";

/// A client `keyed` with a key of its own, and `strict`, which must push.
fn add_clients(setup: &mut Setup) -> Arc<Signer> {
    let signer = Arc::new(Signer::generate("key-1"));
    let keyed = format!(
        "name = \"Keyed\"\n{}\nredirect_uris = [\"{KEYED_URI}\", \"{KEYED_URI}?other\"]\nscopes = [\"openid\", \"profile\", \"email\"]\n",
        signer.as_toml()
    );
    setup.file("clients/keyed.toml", &keyed);
    let strict = "name = \"Strict\"\nclient_secret = { env = \"SECOND_SECRET\" }\nrequire_par = true\nredirect_uris = [\"https://strict.example.com/cb\"]\nscopes = [\"openid\", \"profile\", \"email\"]\n";
    setup.file("clients/strict.toml", strict);
    signer
}

fn world() -> (World, Arc<Signer>) {
    let mut signer = None;
    let world = World::with(|setup, _| signer = Some(add_clients(setup)));
    (world, signer.expect("the clients were added"))
}

fn keyed(signer: &Arc<Signer>) -> Client {
    Client::new("keyed", Proof::Assertion(Arc::clone(signer)), KEYED_URI)
}

fn strict() -> Client {
    Client::new("strict", Proof::Basic("second-secret".to_owned()), "https://strict.example.com/cb")
}

/// Pushes a request with the client's proof.
fn push(world: &World, client: &Client, ask: &Ask) -> Response {
    // Other proofs than the header name the client in the body by themselves.
    let named = matches!(client.proof, Proof::Basic(_) | Proof::Assertion(_));
    let fields: Vec<(&str, &str)> = ask
        .params
        .iter()
        .filter(|(name, _)| named || name != "client_id")
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    world.server.send(&client.request(&world.server, "/acs/par", &fields))
}

/// Pushes a request that is taken; gives its `request_uri`.
#[track_caller]
fn pushed(world: &World, client: &Client, ask: &Ask) -> String {
    let answer = push(world, client, ask);
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()["request_uri"].as_str().expect("a request_uri").to_owned()
}

/// Where the client sends the browser: nothing but its id and the name of what was pushed.
fn url(world: &World, client: &str, request_uri: &str) -> String {
    url_with(world, client, request_uri, &[])
}

fn url_with(world: &World, client: &str, request_uri: &str, beside: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("client_id", client).append_pair("request_uri", request_uri).extend_pairs(beside);
    format!("{}/authorize?{}", world.server.issuer, query.finish())
}

/// A request object of these parameters, good for a minute, with changes; `null` takes a claim away.
fn object(world: &World, signer: &Signer, ask: &Ask, changes: &Value) -> String {
    let now = world.now();
    let mut claims = json!({
        "iss": "keyed", "aud": world.server.issuer, "iat": now.secs(), "nbf": now.secs(),
        "exp": now.plus(Span::minutes(1)).secs(),
    });
    let members = claims.as_object_mut().expect("an object");
    members.extend(ask.params.iter().map(|(name, value)| (name.clone(), json!(value))));
    for (name, value) in changes.as_object().expect("an object") {
        members.insert(name.clone(), value.clone());
        if value.is_null() {
            members.remove(name);
        }
    }
    signer.sign(&json!({ "alg": "ES256", "kid": signer.kid, "typ": "oauth-authz-req+jwt" }), &claims)
}
