//! Many guesses, many logins: bounded where they come from, harmless to everybody else.

use argon2::PasswordHasher as _;
use argon2::{Algorithm, Argon2, Params, Version};
use vestibule::base::Span;

use crate::support::client::{Client, Proof, basic};
use crate::support::http::{Request, Response};
use crate::world::{ALICE, World};

/// Behind a proxy that tells where each request comes from; with these limits.
fn behind_a_proxy(limits: &str) -> World {
    World::with(|setup, _| {
        setup.table("vestibule.toml", &format!("[proxy]\ntrusted = [\"127.0.0.0/8\"]\n\n[limits]\n{limits}"));
    })
}

fn from(address: &str, request: Request) -> Request {
    request.header("X-Forwarded-For", address)
}

/// A call of the token endpoint with a made-up code: 400 tells that the client was believed, 401 that it wasn't.
fn guess(world: &World, address: &str, client: &str, secret: &str) -> Response {
    let fields = [("grant_type", "authorization_code"), ("code", "x"), ("redirect_uri", "https://rp.example.com/cb")];
    let request =
        Request::form(&world.server.url("/acs/token"), &fields).header("Authorization", &basic(client, secret));
    world.server.send(&from(address, request))
}

fn begin(world: &World, address: &str) -> Response {
    let ask = Client::access().ask(&world.server).hint(ALICE.email);
    world.server.send(&from(address, Request::get(&ask.url())))
}

#[track_caller]
fn comes_again(answer: &Response) {
    assert_eq!(answer.status, 503, "{}", answer.text());
    let wait = answer.header("retry-after").expect("says when");
    assert!(wait.parse::<u32>().is_ok_and(|seconds| seconds > 0), "{wait}");
}

#[test]
fn a086_a_flood_of_wrong_secrets_is_hashed_a_few_times_only_and_bars_nobody_else() {
    let params = Params::new(19_456, 2, 1, None).expect("usual parameters");
    let hash = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_with_salt(b"access-secret", b"sixteen bytes ok")
        .expect("a hash");
    let world = World::with(|setup, _| {
        setup.table(
            "vestibule.toml",
            "[proxy]\ntrusted = [\"127.0.0.0/8\"]\n\n[limits]\nclient_failures_per_minute = 5",
        );
        let hashed = format!("secret_hash = \"{hash}\"");
        setup.edit("clients/access.toml", "client_secret = { env = \"ACCESS_SECRET\" }", &hashed);
    });
    let flood: Vec<Response> = std::thread::scope(|scope| {
        let guessers: Vec<_> = (0..12)
            .map(|n| {
                let world = &world;
                scope.spawn(move || {
                    (0..5).map(|m| guess(world, "192.0.2.66", "access", &format!("wrong-{n}-{m}"))).collect::<Vec<_>>()
                })
            })
            .collect();
        guessers.into_iter().flat_map(|guesser| guesser.join().expect("a thread ends")).collect()
    });
    let (judged, put_off): (Vec<_>, Vec<_>) = flood.iter().partition(|answer| answer.status == 401);
    assert!(judged.len() <= 5, "{} guesses were hashed and judged", judged.len());
    put_off.iter().for_each(|answer| comes_again(answer));
    let right = guess(&world, "192.0.2.1", "access", "access-secret");
    assert_eq!((right.status, right.error().as_str()), (400, "invalid_grant"), "the rightful client is let in");
    // Who was let in once is known, also where the flood comes from.
    let beside = guess(&world, "192.0.2.66", "access", "access-secret");
    assert_eq!((beside.status, beside.error().as_str()), (400, "invalid_grant"));
}

#[test]
fn a209_burnt_limits_are_those_of_an_address_and_a_client_together() {
    let world = behind_a_proxy("client_failures_per_minute = 3");
    let burn = |address: &str, client: &str| (0..5).map(|_| guess(&world, address, client, "wrong").status).collect();
    let burnt: Vec<u16> = burn("192.0.2.66", "access");
    assert_eq!(burnt, [401, 401, 401, 503, 503]);
    assert_eq!(guess(&world, "192.0.2.1", "access", "wrong").status, 401, "another address is judged as before");
    assert_eq!(guess(&world, "192.0.2.66", "second", "wrong").status, 401, "and so is another client of that one");
    assert_eq!(guess(&world, "192.0.2.66", "access", "access-secret").error(), "invalid_grant", "a right one passes");
}

#[test]
fn a210_all_addresses_of_an_ipv6_network_burn_one_limit() {
    let world = behind_a_proxy("client_failures_per_minute = 3\npending_logins_per_address = 3");
    let address = |n: u32| format!("2001:db8:0:1::{n:x}");
    let guesses: Vec<u16> = (1..=5).map(|n| guess(&world, &address(n), "access", "wrong").status).collect();
    assert_eq!(guesses, [401, 401, 401, 503, 503]);
    assert_eq!(guess(&world, "2001:db8:0:2::1", "access", "wrong").status, 401, "the next network is another one");
    let logins: Vec<u16> = (1..=4).map(|n| begin(&world, &address(n)).status).collect();
    assert_eq!(logins, [303, 303, 303, 503]);
    assert_eq!(begin(&world, "2001:db8:0:2::1").status, 303);
}

#[test]
fn a207_abandoned_logins_of_one_address_bar_nobody_else_and_end_by_themselves() {
    let world = behind_a_proxy("pending_logins_per_address = 3");
    let tokens = world.sign_in_for_long(&Client::access(), &mut world.server.browser());
    let mut under_way = world.server.browser();
    let ask = Client::access().ask(&world.server);
    let back = world.at_the_callback(&mut under_way, &ask);
    let statuses: Vec<u16> = (0..3).map(|_| begin(&world, "192.0.2.66").status).collect();
    assert_eq!(statuses, [303, 303, 303]);
    let refused = begin(&world, "192.0.2.66");
    comes_again(&refused);
    crate::world::is_guarded(&refused);
    assert!(refused.header("set-cookie").is_none(), "nothing was begun");
    assert_eq!(begin(&world, "192.0.2.1").status, 303, "with the same hint");
    ask.answer(&under_way.open(&back)).code();
    assert_eq!(Client::access().refresh(&world.server, tokens.refresh()).status, 200);
    assert_eq!(world.server.get("/acs/jwks").status, 200);
    world.advance(Span::minutes(12));
    assert_eq!(begin(&world, "192.0.2.66").status, 303);
}

#[test]
fn a207_logins_are_bounded_in_all_and_those_under_way_go_on() {
    let world = behind_a_proxy("pending_logins = 3");
    let mut under_way = world.server.browser();
    let ask = Client::access().ask(&world.server);
    let back = world.at_the_callback(&mut under_way, &ask);
    let statuses: Vec<u16> = (1..=3).map(|n| begin(&world, &format!("192.0.2.{n}")).status).collect();
    assert_eq!(statuses, [303, 303, 503]);
    ask.answer(&under_way.open(&back)).code();
    assert_eq!(begin(&world, "192.0.2.4").status, 303, "the place of the login that ended");
}

#[test]
fn a093_a_client_gets_no_tokens_for_itself() {
    let world = World::new();
    for (client, scope) in
        [(Client::access(), "openid"), (Client::access(), "offline_access"), (Client::second(), "user")]
    {
        let answer = client.token(&world.server, &[("grant_type", "client_credentials"), ("scope", scope)]);
        assert_eq!(answer.status, 400, "{}", answer.text());
        assert!(
            matches!(answer.error().as_str(), "unsupported_grant_type" | "unauthorized_client"),
            "{}",
            answer.text()
        );
        assert!(!answer.text().contains("token\":"), "{}", answer.text());
    }
    let public = Client::new("spa", Proof::Public, "").token(&world.server, &[("grant_type", "client_credentials")]);
    assert_eq!(public.status, 400, "{}", public.text());
}
