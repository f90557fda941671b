//! What a pushed request costs at the state store.

use super::{pushed, url};
use crate::support::client::Client;
use crate::support::redis::RedisServer;
use crate::world::World;

#[test]
fn a_pushed_login_waits_for_the_store_three_times_more() {
    let redis = RedisServer::start();
    let address = redis.url();
    let world = World::with(|setup, _| {
        setup.edit("vestibule.toml", "embedded:", &address);
    });
    let client = Client::access();
    let trips = || world.server.running().ports().state.round_trips();
    let counted = |login: &dyn Fn()| {
        let before = trips();
        login();
        trips() - before
    };
    let plain = || {
        client.sign_in(&world.server, &mut world.server.browser(), &client.ask(&world.server));
    };
    let push = || {
        let ask = client.ask(&world.server);
        let uri = pushed(&world, &client, &ask);
        let code = ask.answer(&world.server.browser().open(&url(&world, "access", &uri))).code();
        assert_eq!(client.redeem(&world.server, &ask, &code).status, 200);
    };
    plain();
    let plain = counted(&plain);
    // Written at the push, read at the authorization endpoint, taken for the code.
    assert_eq!(counted(&push), plain + 3, "a plain login: {plain}");
}
