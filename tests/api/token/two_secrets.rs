//! A client changes its secret: for a while two are good, and nobody is told which one came.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use argon2::PasswordHasher as _;
use argon2::{Algorithm, Argon2, Params, Version};

use crate::support::client::{Client, Proof, basic};
use crate::support::http::{Request, Response};
use crate::support::server::{REDIRECT_URI, Setup, write_file};
use crate::world::World;

const NEW: &str = "the-new-secret-of-access";
const OLD: &str = "the-old-secret-of-access";
const FIELDS: [(&str, &str); 3] =
    [("grant_type", "authorization_code"), ("code", "no-code"), ("redirect_uri", REDIRECT_URI)];

/// An Argon2id hash that costs little.
fn hash(secret: &str) -> String {
    let params = Params::new(64, 1, 1, None).expect("parameters");
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon.hash_password_with_salt(secret.as_bytes(), b"sixteen bytes ok").expect("a hash").to_string()
}

/// The three ways in which two secrets may stand in a file, the new one first.
fn ways() -> [String; 3] {
    let (new, old) = (hash(NEW), hash(OLD));
    [
        "client_secret = [{ file = \"new\" }, { file = \"old\" }]".to_owned(),
        format!("client_secret = {{ file = \"new\" }}\nsecret_hash = \"{old}\""),
        format!("secret_hash = [\"{new}\", \"{old}\"]"),
    ]
}

fn write(setup: &mut Setup, secrets: &str) {
    setup.file("new", &format!("{NEW}\n")).file("old", &format!("{OLD}\n"));
    setup.edit("clients/access.toml", "client_secret = { env = \"ACCESS_SECRET\" }", secrets);
}

fn with(secrets: &str) -> World {
    World::with(|setup, _| write(setup, secrets))
}

fn access(proof: fn(String) -> Proof, secret: &str) -> Client {
    Client::new("access", proof(secret.to_owned()), REDIRECT_URI)
}

fn ask(world: &World, client: &Client) -> Response {
    client.token(&world.server, &FIELDS)
}

fn looks(answer: &Response) -> (u16, String, BTreeSet<String>) {
    (answer.status, answer.text(), answer.headers.iter().map(|(name, _)| name.to_lowercase()).collect())
}

#[test]
fn either_of_two_secrets_redeems_a_code() {
    for secrets in ways() {
        let world = with(&secrets);
        for secret in [NEW, OLD, NEW] {
            let client = access(Proof::Basic, secret);
            client.sign_in(&world.server, &mut world.server.browser(), &client.ask(&world.server));
        }
    }
}

#[test]
fn nothing_tells_which_of_two_secrets_came() {
    for secrets in ways() {
        let world = with(&secrets);
        for proof in [Proof::Basic, Proof::Post] {
            let (new, old) = (ask(&world, &access(proof, NEW)), ask(&world, &access(proof, OLD)));
            assert_eq!((new.status, new.error().as_str()), (400, "invalid_grant"), "the client is known");
            assert_eq!(looks(&new), looks(&old), "{secrets}");
        }
    }
}

#[test]
fn a084_a085_beside_two_secrets_no_other_is_good_and_each_no_is_alike() {
    for secrets in ways() {
        let world = with(&secrets);
        let nobody = Client::new("nobody", Proof::Basic("wrong".to_owned()), REDIRECT_URI);
        let unknown = ask(&world, &nobody);
        assert_eq!((unknown.status, unknown.error().as_str()), (401, "invalid_client"));
        for wrong in ["wrong", "", &format!("{NEW}{OLD}"), &NEW[1..], &hash(NEW), "access-secret"] {
            let refused = ask(&world, &access(Proof::Basic, wrong));
            assert_eq!(looks(&refused), looks(&unknown), "{wrong}");
        }
    }
}

#[test]
fn a082_the_two_secrets_in_two_places_at_once_are_refused() {
    for secrets in ways() {
        let world = with(&secrets);
        for (header, body) in [(NEW, OLD), (OLD, NEW), (NEW, NEW)] {
            let fields = [FIELDS.as_slice(), &[("client_id", "access"), ("client_secret", body)]].concat();
            let request = Request::form(&world.server.url("/acs/token"), &fields);
            let answer = world.server.send(&request.header("Authorization", &basic("access", header)));
            assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_request"));
        }
    }
}

#[test]
fn a086_guesses_at_two_hashes_are_put_off_and_both_right_ones_still_pass() {
    let world = World::with(|setup, _| {
        write(setup, &ways()[2]);
        setup.table("vestibule.toml", "[limits]\nclient_failures_per_minute = 5");
    });
    for secret in [NEW, OLD] {
        assert_eq!(ask(&world, &access(Proof::Basic, secret)).error(), "invalid_grant");
    }
    let guesses: Vec<u16> = (0..20).map(|n| ask(&world, &access(Proof::Basic, &format!("guess {n}"))).status).collect();
    assert!(guesses.iter().filter(|status| **status == 401).count() <= 5, "{guesses:?}");
    assert!(guesses.ends_with(&[503]), "{guesses:?}");
    for secret in [NEW, OLD] {
        assert_eq!(ask(&world, &access(Proof::Basic, secret)).error(), "invalid_grant", "known since it came first");
    }
}

#[test]
fn a086_made_up_names_are_put_off_as_known_ones_are() {
    let world = World::with(|setup, _| {
        write(setup, &ways()[2]);
        setup.table("vestibule.toml", "[limits]\nclient_failures_per_minute = 3");
    });
    let statuses = |id: &str| {
        let client = Client::new(id, Proof::Basic("wrong".to_owned()), REDIRECT_URI);
        (0..6).map(|_| ask(&world, &client).status).collect::<Vec<_>>()
    };
    assert_eq!(statuses("access"), [401, 401, 401, 503, 503, 503]);
    for id in ["nobody", "second", "somebody", "spa"] {
        assert_eq!(statuses(id), [401, 401, 401, 503, 503, 503], "{id}");
    }
}

/// How long a change may take to be in force: twice what is promised, for a busy machine.
const SOON: Duration = Duration::from_secs(4);

#[track_caller]
fn soon(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < SOON, "not in time: {what}");
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

#[test]
fn a_secret_is_changed_without_an_outage_and_the_old_one_ends_with_its_line() {
    let world = with("client_secret = { file = \"old\" }");
    let file = world.server.folder().join("clients/access.toml");
    let text = std::fs::read_to_string(&file).expect("the file");
    let keyed = |secrets: &str| text.replace("client_secret = { file = \"old\" }", secrets);
    let is_good = |secret: &str| ask(&world, &access(Proof::Basic, secret)).error() == "invalid_grant";
    assert!(is_good(OLD) && !is_good(NEW));
    let fine = |what: &str, secret: &str| assert!(is_good(secret), "{what}");

    write_file(&file, &keyed(&ways()[0]));
    soon("the new one is good", || {
        fine("no outage for who has the old one", OLD);
        is_good(NEW)
    });
    fine("both are", OLD);
    write_file(&file, &keyed("client_secret = { file = \"new\" }"));
    soon("the old one is gone", || {
        fine("no outage for who has the new one", NEW);
        !is_good(OLD)
    });
    // From here to a hash of it.
    write_file(&file, &keyed(&format!("secret_hash = [\"{}\", \"{}\"]", hash(NEW), hash(OLD))));
    soon("two hashes", || is_good(OLD));
    fine("both are good again", NEW);
    write_file(&file, &keyed(&format!("secret_hash = \"{}\"", hash(NEW))));
    soon("a hash that was taken out counts no more, though its secret is remembered", || !is_good(OLD));
    fine("the other one stays", NEW);
}

#[test]
fn metrics_say_whether_the_old_secret_is_still_in_use() {
    let world = with(&ways()[1]);
    let used = |which: &str| {
        world.server.metric(&format!("vestibule_client_secrets_used_total{{client=\"access\",secret=\"{which}\"}}"))
    };
    for (secret, times) in [(NEW, 3), (OLD, 2), ("wrong", 1)] {
        (0..times).for_each(|_| drop(ask(&world, &access(Proof::Basic, secret))));
    }
    assert_eq!((used("first"), used("second")), (3.0, 2.0));
    let second = Client::second();
    assert_eq!(second.token(&world.server, &FIELDS).error(), "invalid_grant");
    assert!(!world.server.metrics().contains("client=\"second\""), "a client with one secret has no series");
}
