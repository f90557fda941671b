//! What one stranger uses up is his own.

use crate::support::client::{Client, Proof};
use crate::support::http::Request;
use crate::world::World;

#[test]
fn a209_wrong_guesses_at_one_client_cost_another_nothing() {
    let world = World::new();
    let fields = [("grant_type", "authorization_code"), ("code", "x")];
    let guess = Client::new("access", Proof::Basic("wrong".to_owned()), "");
    let put_off = (0..60).any(|_| guess.token(&world.server, &fields).status != 401);
    assert!(put_off, "the guesses are put off");
    assert_eq!(Client::second().token(&world.server, &fields).error(), "invalid_grant", "the neighbour is heard");
    let wrong = Client::new("second", Proof::Basic("wrong".to_owned()), "");
    assert_eq!(wrong.token(&world.server, &fields).status, 401, "and has guesses of its own");
    let (ask, code) = world.fresh_code(&Client::access());
    assert_eq!(Client::access().redeem(&world.server, &ask, &code).status, 200);
}

#[test]
fn a209_forwarded_addresses_of_an_untrusted_peer_give_no_new_guesses() {
    let world = World::new();
    let guess = Client::new("access", Proof::Basic("wrong".to_owned()), "");
    let fields = [("grant_type", "authorization_code"), ("code", "x")];
    let put_off = (0..60).any(|n| {
        let request: Request = guess.token_request(&world.server, &fields);
        let request = request.header("X-Forwarded-For", &format!("192.0.2.{n}"));
        let request = request.header("Forwarded", &format!("for=192.0.2.{n}"));
        world.server.send(&request).status != 401
    });
    assert!(put_off);
}

#[test]
fn a207_logins_that_are_never_finished_fill_one_address_and_end_with_their_time() {
    let world = World::with(|setup, _| {
        setup.table("vestibule.toml", "[limits]\npending_logins_per_address = 5");
    });
    let mut first = world.server.browser();
    let tokens = world.sign_in_for_long(&Client::access(), &mut first);
    let ask = Client::access().ask(&world.server);
    let begin = || world.server.send(&Request::get(&ask.url()));
    let answers: Vec<u16> = (0..8).map(|_| begin().status).collect();
    assert_eq!(answers[..5], [303; 5]);
    let full = begin();
    assert!(
        full.status == 503 || full.header("location").is_some_and(|l| l.contains("temporarily_unavailable")),
        "{full:?}"
    );
    assert!(world.is_signed_in(&first), "who is signed in goes on");
    assert_eq!(Client::access().refresh(&world.server, tokens.refresh()).status, 200);
    assert_eq!(world.server.get("/acs/jwks").status, 200);
    world.advance(vestibule::base::Span::minutes(12));
    assert_eq!(begin().status, 303);
    assert!(begin().header("location").is_some_and(|l| l.starts_with(&world.idp.issuer())));
}
