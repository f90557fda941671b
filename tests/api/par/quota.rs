//! Pushes that nobody uses fill their own client's places, and no other's.

use vestibule::base::Span;

use super::{push, pushed, url};
use crate::support::client::Client;
use crate::world::World;

fn bounded(lines: &str) -> World {
    let lines = format!("[limits]\n{lines}");
    World::with(|setup, _| {
        setup.table("vestibule.toml", &lines);
    })
}

#[test]
fn a120_pushes_never_used_are_bounded_for_each_client() {
    let world = bounded("pushed_requests_per_client = 5");
    let (client, neighbour) = (Client::access(), Client::second());
    let ask = client.ask(&world.server);
    let uris: Vec<String> = (0..5).map(|_| pushed(&world, &client, &ask)).collect();
    for _ in 0..3 {
        let full = push(&world, &client, &ask);
        assert_eq!(full.status, 429, "{}", full.text());
        assert_eq!(full.header("retry-after"), Some("5"));
        assert_eq!(full.error(), "temporarily_unavailable");
    }
    pushed(&world, &neighbour, &neighbour.ask(&world.server));
    let mut browser = world.server.browser();
    ask.answer(&browser.open(&url(&world, "access", &uris[0]))).code();
    pushed(&world, &client, &ask);
    assert_eq!(push(&world, &client, &ask).status, 429, "one was used, one place was free");
    client.sign_in(&world.server, &mut browser, &client.ask(&world.server));
    world.advance(Span::minutes(12));
    pushed(&world, &client, &ask);
}

#[test]
fn a120_a_push_that_is_refused_takes_no_place() {
    let world = bounded("pushed_requests_per_client = 1");
    let client = Client::access();
    let ask = client.ask(&world.server);
    for _ in 0..3 {
        assert_eq!(push(&world, &client, &ask.clone().with("scope", "profile")).status, 400);
    }
    pushed(&world, &client, &ask);
}

#[test]
fn a120_one_address_can_not_fill_the_places_of_a_public_client() {
    let world = bounded("pending_logins_per_address = 2");
    let client = Client::spa();
    let ask = client.ask(&world.server);
    let answers: Vec<u16> = (0..4).map(|_| push(&world, &client, &ask).status).collect();
    assert_eq!(answers, [201, 201, 429, 429]);
    let confidential = Client::access();
    for _ in 0..4 {
        pushed(&world, &confidential, &confidential.ask(&world.server));
    }
}
