//! People with sessions at identity providers that end.

use serde_json::{Value, json};

use crate::support::browser::Browser;
use crate::support::client::{Client, Tokens};
use crate::support::evil_idp::EvilIdp;
use crate::support::http::{Request, Response};
use crate::support::server::Server;
use crate::world::{Person, World};

pub const BACKCHANNEL: &str = "/federation/auth/logout/backchannel";
pub const FRONTCHANNEL: &str = "/federation/auth/logout/frontchannel";

/// Somebody who has signed in, and under which `sid` at the provider.
pub struct SignedIn {
    pub browser: Browser,
    pub tokens: Tokens,
}

/// Signs somebody in at `contoso` in a browser of their own.
#[track_caller]
pub fn sign_in(world: &World, person: &Person, sid: &str) -> SignedIn {
    sign_in_at(world, &world.idp, person, sid)
}

/// The same at a provider of choice, with an address of its domain.
#[track_caller]
pub fn sign_in_at(world: &World, idp: &EvilIdp, person: &Person, sid: &str) -> SignedIn {
    let domain = if idp.issuer() == world.idp.issuer() { "contoso.com" } else { "contoso.co.uk" };
    let email = person.email.replace("contoso.com", domain);
    idp.set(|script| {
        script.person = person.claims();
        for (name, value) in [("sid", sid), ("email", &email), ("preferred_username", &email)] {
            script.person.insert(name.to_owned(), json!(value));
        }
    });
    let client = Client::access();
    let mut browser = world.server.browser();
    let tokens = client.sign_in(&world.server, &mut browser, &client.ask(&world.server).hint(&email));
    SignedIn { browser, tokens }
}

/// A provider's POST to our back-channel address.
pub fn notify(server: &Server, token: &str) -> Response {
    server.send(&Request::form(&server.url(BACKCHANNEL), &[("logout_token", token)]))
}

/// Heard and done: 200 exactly, kept by nobody.
#[track_caller]
pub fn is_heard(answer: &Response) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.header("cache-control").is_some_and(|v| v.contains("no-store")), "{answer:?}");
}

/// Refused, in words that say nothing of why.
#[track_caller]
pub fn is_refused(answer: &Response, what: &str) {
    assert_eq!(answer.status, 400, "{what}: {}", answer.text());
    assert!(answer.header("cache-control").is_some_and(|v| v.contains("no-store")), "{what}: {answer:?}");
    assert!(answer.header("content-type").is_some_and(|v| v.starts_with("application/json")), "{what}");
    let expected = json!({ "error": "invalid_request", "error_description": "the logout token is not accepted" });
    assert_eq!(answer.json(), expected, "{what}");
}

/// Whether session and tokens still hold; all of them or none.
#[track_caller]
pub fn is_in(world: &World, who: &SignedIn) -> bool {
    let session = world.is_signed_in(&who.browser);
    let token = crate::support::client::userinfo(&world.server, &who.tokens.access).status == 200;
    assert_eq!(session, token, "the session and what was issued in it end together");
    session
}

pub fn of_sid(sid: &str) -> Value {
    json!({ "sid": sid })
}

pub fn of_sub(person: &Person) -> Value {
    json!({ "sub": person.sub })
}
