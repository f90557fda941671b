//! Keys that a client publishes at its `jwks_uri`: fetched when they are needed, under the outbound guard; as long as
//! they can't be had, nothing is called wrong.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vestibule::base::Span;

use crate::support::assertion::{Signer, claims};
use crate::support::client::{Client, Proof, basic};
use crate::support::clock::ManualClock;
use crate::support::evil_idp::{Answer, EvilIdp};
use crate::support::http::{Request, Response};
use crate::support::server::{ISSUER, wait_until};
use crate::world::World;

const URI: &str = "https://keyed.example.com/cb";

/// A server of a client, with its keys.
struct Publisher(EvilIdp);

impl Publisher {
    fn of(keys: &[&Signer]) -> Self {
        let publisher = Self(EvilIdp::start(Arc::new(ManualClock::at_this_moment())));
        publisher.publish(keys);
        publisher
    }

    fn publish(&self, keys: &[&Signer]) {
        self.publish_set(&json!({ "keys": keys.iter().map(|signer| signer.jwk()).collect::<Vec<_>>() }));
    }

    fn publish_set(&self, set: &Value) {
        self.answer(Answer::Fixed(200, "application/jwk-set+json", set.to_string()));
    }

    fn answer(&self, answer: Answer) {
        self.0.set(|script| script.jwks = answer);
    }

    fn fetches(&self) -> usize {
        self.0.count("/jwks")
    }

    fn world(&self) -> World {
        world_with(&format!("{}/jwks", self.0.issuer()))
    }
}

fn world_with(jwks_uri: &str) -> World {
    World::with(|setup, _| {
        let text = format!(
            "name = \"Keyed\"\njwks_uri = \"{jwks_uri}\"\nredirect_uris = [\"{URI}\"]\n\
             grant_types = [\"authorization_code\", \"refresh_token\"]\n\
             scopes = [\"openid\", \"profile\", \"email\", \"offline_access\"]\n"
        );
        setup.file("clients/keyed.toml", &text);
    })
}

fn signer(kid: &str) -> Arc<Signer> {
    Arc::new(Signer::generate(kid))
}

fn keyed(signer: &Arc<Signer>) -> Client {
    Client::new("keyed", Proof::Assertion(Arc::clone(signer)), URI)
}

fn request(world: &World, assertion: &str) -> Request {
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", "no-code"),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", assertion),
    ];
    Request::form(&world.server.url("/acs/token"), &fields)
}

fn present(world: &World, assertion: &str) -> Response {
    world.server.send(&request(world, assertion))
}

fn fresh(world: &World, signer: &Signer) -> String {
    signer.assertion("keyed", ISSUER, world.now())
}

#[track_caller]
fn believed(answer: &Response) {
    assert_eq!(
        (answer.status, answer.error().as_str()),
        (400, "invalid_grant"),
        "the client is known, the code is not"
    );
}

#[track_caller]
fn refused(answer: &Response) {
    assert_eq!((answer.status, answer.error().as_str()), (401, "invalid_client"), "{}", answer.text());
}

#[track_caller]
fn unavailable(answer: &Response) {
    assert_eq!((answer.status, answer.error().as_str()), (503, "temporarily_unavailable"), "{}", answer.text());
    let wait = answer.header("retry-after").expect("says when to come again");
    assert!(wait.parse::<u32>().is_ok_and(|seconds| seconds > 0), "{wait}");
}

#[test]
fn c035_a_client_that_rotated_its_key_before_refreshing_is_believed() {
    let (old, new) = (signer("old"), signer("new"));
    let publisher = Publisher::of(&[&old]);
    let world = publisher.world();
    let tokens = world.sign_in_for_long(&keyed(&old), &mut world.server.browser());
    assert_eq!(publisher.fetches(), 1);
    publisher.publish(&[&new]);
    let refreshed = keyed(&new).refresh(&world.server, tokens.refresh());
    assert_eq!(refreshed.status, 200, "{}", refreshed.text());
    assert_eq!(publisher.fetches(), 2);
    refused(&present(&world, &fresh(&world, &old)));
}

#[test]
fn c035_a_new_key_without_a_name_is_found_too() {
    let (old, new) = (signer("old"), signer("new"));
    let publisher = Publisher::of(&[&old]);
    let world = publisher.world();
    believed(&present(&world, &fresh(&world, &old)));
    publisher.publish(&[&new]);
    let nameless = new.sign(&json!({"alg": "ES256"}), &claims("keyed", ISSUER, world.now()));
    believed(&present(&world, &nameless));
    assert_eq!(publisher.fetches(), 2);
}

#[test]
fn c035_a_new_key_under_the_name_of_the_old_one_is_found_too() {
    let (old, new) = (signer("key"), signer("key"));
    let publisher = Publisher::of(&[&old]);
    let world = publisher.world();
    believed(&present(&world, &fresh(&world, &old)));
    publisher.publish(&[&new]);
    believed(&present(&world, &fresh(&world, &new)));
    for _ in 0..20 {
        refused(&present(&world, &fresh(&world, &old)));
    }
    assert_eq!(publisher.fetches(), 2, "forgers cost one fetch a minute");
}

#[test]
fn a_new_key_is_not_called_wrong_while_the_clients_server_is_down() {
    let (old, new) = (signer("old"), signer("new"));
    let publisher = Publisher::of(&[&old]);
    let world = publisher.world();
    believed(&present(&world, &fresh(&world, &old)));
    publisher.answer(Answer::Fixed(500, "text/plain", String::new()));
    for _ in 0..5 {
        unavailable(&present(&world, &fresh(&world, &new)));
        believed(&present(&world, &fresh(&world, &old)));
    }
    assert_eq!(publisher.fetches(), 2);
    publisher.publish(&[&new]);
    world.advance(Span::secs(5));
    believed(&present(&world, &fresh(&world, &new)));
}

#[test]
fn a_client_that_takes_its_only_key_back_is_believed_no_longer() {
    let own = signer("own");
    let unheard_of = json!({ "keys": [{ "kty": "EC", "crv": "P-521", "x": "AA", "y": "AA" }] });
    for nothing in [json!({ "keys": [] }), unheard_of] {
        let publisher = Publisher::of(&[&own]);
        let world = publisher.world();
        believed(&present(&world, &fresh(&world, &own)));
        publisher.publish_set(&nothing);
        world.advance(Span::hours(20));
        refused(&present(&world, &fresh(&world, &own)));
        publisher.publish(&[&own]);
        world.advance(Span::secs(61));
        believed(&present(&world, &fresh(&world, &own)));
    }
}

#[test]
fn c035_unknown_names_of_keys_without_end_cost_one_fetch_a_minute() {
    let (own, foreign) = (signer("own"), signer("foreign"));
    let publisher = Publisher::of(&[&own]);
    let world = publisher.world();
    believed(&present(&world, &fresh(&world, &own)));
    let flood = |times: usize| {
        for n in 0..times {
            let header = json!({"alg": "ES256", "kid": format!("made-up-{n}")});
            let answer = present(&world, &foreign.sign(&header, &claims("keyed", ISSUER, world.now())));
            assert!(matches!(answer.status, 401 | 503), "{}", answer.status);
        }
    };
    flood(50);
    assert_eq!(publisher.fetches(), 2);
    believed(&present(&world, &fresh(&world, &own)));
    world.advance(Span::secs(61));
    flood(5);
    assert_eq!(publisher.fetches(), 3);
}

#[test]
fn a088_an_assertion_by_a_published_key_is_good_for_once_and_survives_an_outage() {
    let own = signer("own");
    let publisher = Publisher::of(&[&own]);
    let world = publisher.world();
    publisher.answer(Answer::Fixed(503, "text/plain", "down for maintenance".to_owned()));
    let assertion = fresh(&world, &own);
    unavailable(&present(&world, &assertion));
    publisher.publish(&[&own]);
    world.advance(Span::secs(5));
    believed(&present(&world, &assertion));
    refused(&present(&world, &assertion));
}

#[test]
fn while_a_client_publishes_no_keys_that_can_be_had_nothing_is_called_wrong() {
    let own = signer("own");
    let fixed = |status, body: &str| Answer::Fixed(status, "application/json", body.to_owned());
    let mut private = own.jwk();
    private["d"] = json!("AAAA");
    for (what, answer) in [
        ("500", fixed(500, "{}")),
        ("429", fixed(429, "")),
        ("cut off", Answer::CutOff),
        ("404", fixed(404, "{}")),
        ("a page", Answer::Fixed(200, "text/html", "<html>Maintenance</html>".to_owned())),
        ("no set", fixed(200, "[]")),
        ("a private key", fixed(200, &json!({ "keys": [private] }).to_string())),
        ("a symmetric key", fixed(200, "{\"keys\": [{\"kty\": \"oct\", \"k\": \"AAAA\"}]}")),
        ("one name twice", fixed(200, "{\"keys\": [], \"keys\": []}")),
        ("compressed", Answer::Compressed),
    ] {
        let publisher = Publisher::of(&[&own]);
        let world = publisher.world();
        publisher.answer(answer);
        let (own_assertion, foreign) = (fresh(&world, &own), fresh(&world, &signer("own")));
        for assertion in [&own_assertion, &foreign] {
            let answer = present(&world, assertion);
            assert_eq!((answer.status, answer.error().as_str()), (503, "temporarily_unavailable"), "{what}");
        }
        publisher.publish(&[&own]);
        world.advance(Span::secs(5));
        believed(&present(&world, &own_assertion));
        refused(&present(&world, &foreign));
    }
}

#[test]
fn a195_redirects_of_a_clients_keys_are_not_followed() {
    let own = signer("own");
    let (publisher, victim) = (Publisher::of(&[&own]), Publisher::of(&[&own]));
    let world = publisher.world();
    for to in [format!("{}/jwks", victim.0.issuer()), "http://169.254.169.254/latest".to_owned(), "/jwks".to_owned()] {
        publisher.answer(Answer::Redirect(to));
        unavailable(&present(&world, &fresh(&world, &own)));
        world.advance(Span::secs(5));
    }
    assert_eq!((victim.fetches(), publisher.fetches()), (0, 3));
}

#[test]
fn a192_keys_of_clients_at_private_places_are_not_fetched() {
    let own = signer("own");
    // The whole of 127.0.0.0/8 is allowed in this test, and nothing else.
    for place in [
        "https://10.0.0.1/jwks",
        "https://169.254.169.254/latest",
        "https://100.64.0.1/jwks",
        "https://0.0.0.0/jwks",
        "https://[::1]/jwks",
        "https://[::ffff:10.0.0.1]/jwks",
        "https://[64:ff9b::a00:1]/jwks",
        "https://[fd00::1]/jwks",
        "https://[fe80::1]/jwks",
        "https://3232235777/jwks",
        "https://127.0.0.1:6379/jwks",
    ] {
        let world = world_with(place);
        let began = Instant::now();
        unavailable(&present(&world, &fresh(&world, &own)));
        assert!(began.elapsed() < Duration::from_secs(2), "{place} was tried");
    }
    let publisher = Publisher::of(&[&own]);
    let world = World::with(|setup, _| {
        setup.edit("vestibule.toml", "[outbound]\nallow_private = [\"127.0.0.0/8\"]\n", "");
        let uri = format!("{}/jwks", publisher.0.issuer());
        setup.file(
            "clients/keyed.toml",
            &format!("name = \"Keyed\"\njwks_uri = \"{uri}\"\nredirect_uris = [\"{URI}\"]\n"),
        );
    });
    unavailable(&present(&world, &fresh(&world, &own)));
    assert_eq!(publisher.fetches(), 0, "loopback isn't allowed by itself");
}

#[test]
fn a197_keys_of_a_client_without_end_or_too_slow_are_given_up() {
    let own = signer("own");
    for answer in [Answer::Endless, Answer::Hang, Answer::Trickle] {
        let publisher = Publisher::of(&[&own]);
        let world = publisher.world();
        publisher.answer(answer);
        let began = Instant::now();
        unavailable(&present(&world, &fresh(&world, &own)));
        assert!(began.elapsed() < Duration::from_secs(9), "{:?}", began.elapsed());
    }
}

#[test]
fn the_last_good_keys_serve_while_the_clients_server_is_down() {
    let own = signer("own");
    let publisher = Publisher::of(&[&own]);
    let world = publisher.world();
    believed(&present(&world, &fresh(&world, &own)));
    publisher.answer(Answer::Fixed(500, "text/plain", String::new()));
    for _ in 0..10 {
        world.advance(Span::hours(2));
        believed(&present(&world, &fresh(&world, &own)));
    }
    world.advance(Span::hours(5));
    wait_until("a day old, and gone", || present(&world, &fresh(&world, &own)).status == 503);
}

#[test]
fn a_client_whose_server_hangs_is_known_by_its_last_good_keys() {
    let own = signer("own");
    let publisher = Publisher::of(&[&own]);
    let world = publisher.world();
    believed(&present(&world, &fresh(&world, &own)));
    publisher.answer(Answer::Hang);
    world.advance(Span::hours(2));
    let began = Instant::now();
    believed(&present(&world, &fresh(&world, &own)));
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}

#[test]
fn a_server_that_is_down_is_not_hammered_and_callers_share_a_fetch() {
    let own = signer("own");
    let publisher = Publisher::of(&[&own]);
    let world = publisher.world();
    publisher.answer(Answer::Fixed(404, "text/plain", String::new()));
    std::thread::scope(|scope| {
        for _ in 0..10 {
            scope.spawn(|| (0..3).for_each(|_| unavailable(&present(&world, &fresh(&world, &own)))));
        }
    });
    assert_eq!(publisher.fetches(), 1);
}

#[test]
fn a_changed_address_of_keys_counts_at_once() {
    let (old, new) = (signer("key"), signer("key"));
    let (before, after) = (Publisher::of(&[&old]), Publisher::of(&[&new]));
    let world = before.world();
    believed(&present(&world, &fresh(&world, &old)));
    let is_new = || present(&world, &fresh(&world, &new)).error() == "invalid_grant";
    world.server.reconfigure("clients/keyed.toml", &before.0.issuer(), &after.0.issuer(), is_new);
    refused(&present(&world, &fresh(&world, &old)));
}

#[test]
fn a082_a090_a094_an_assertion_comes_alone_in_a_form_and_a_secret_is_no_key() {
    let own = signer("own");
    let publisher = Publisher::of(&[&own]);
    let world = publisher.world();
    let header = request(&world, &fresh(&world, &own)).header("Authorization", &basic("keyed", "x"));
    assert_eq!(world.server.send(&header).error(), "invalid_request");
    let mut beside = request(&world, &fresh(&world, &own));
    beside.body.extend_from_slice(b"&client_secret=x");
    assert_eq!(world.server.send(&beside).error(), "invalid_request");
    for kind in ["application/json", "text/plain", "multipart/form-data; boundary=x"] {
        let request = request(&world, &fresh(&world, &own)).instead("Content-Type", kind);
        assert_eq!(world.server.send(&request).status, 400, "{kind}");
    }
    for secret in ["", "anything"] {
        refused(
            &Client::new("keyed", Proof::Basic(secret.to_owned()), URI)
                .token(&world.server, &[("grant_type", "authorization_code"), ("code", "x")]),
        );
    }
    assert_eq!(publisher.fetches(), 0, "nothing of this asks for keys");
}
