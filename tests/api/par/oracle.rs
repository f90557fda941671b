//! Where the address at the provider depends on the directory, only a client that proves itself can ask about people.

use super::{add_clients, push, pushed, strict, url, url_with};
use crate::support::client::{Client, Proof};
use crate::world::{ALICE, World};

/// Hints are forwarded only if the person is known, and every client must push.
fn knowing_world() -> World {
    let world = World::with(|setup, _| {
        add_clients(setup);
        setup.table("idps/contoso.toml", "[login_hint]\nforward = \"known\"\nas = \"email\"");
        for client in ["access", "second", "spa", "keyed"] {
            setup.keys(&format!("clients/{client}.toml"), "require_par = true");
        }
    });
    let client = strict();
    let ask = client.ask(&world.server);
    let uri = pushed(&world, &client, &ask);
    ask.answer(&world.server.browser().open(&url(&world, "strict", &uri))).code();
    world
}

#[test]
fn a151_with_require_par_nobody_but_the_client_asks_with_a_hint() {
    let world = knowing_world();
    let client = strict();
    let before = world.upstream_logins().len();
    let hinted = client.ask(&world.server).hint(ALICE.email);
    assert_eq!(hinted.run(&mut world.server.browser()).error(), "invalid_request");
    let aliased = client.ask(&world.server).with("u", ALICE.email);
    assert_eq!(aliased.run(&mut world.server.browser()).error(), "invalid_request");
    let stranger = Client::new("strict", Proof::Public, "https://strict.example.com/cb");
    assert_eq!(push(&world, &stranger, &hinted).status, 401);
    assert_eq!(world.upstream_logins().len(), before, "nobody was sent upstream");
    let beside = [("login_hint", ALICE.email), ("u", ALICE.email)];
    for known in [ALICE.email, "nobody@contoso.com"] {
        let ask = client.ask(&world.server);
        let uri = pushed(&world, &client, &ask);
        let beside = beside.map(|(name, _)| (name, known));
        ask.answer(&world.server.browser().open(&url_with(&world, "strict", &uri, &beside))).code();
        let last = world.upstream_logins().pop().expect("a login upstream");
        assert!(!last.contains_key("login_hint"), "a hint beside request_uri went upstream");
    }
}

#[test]
fn a151_the_client_itself_still_asks() {
    let world = knowing_world();
    let client = strict();
    for (hint, sent) in [(ALICE.email, Some(ALICE.email)), ("nobody@contoso.com", None)] {
        let ask = client.ask(&world.server).hint(hint);
        let uri = pushed(&world, &client, &ask);
        world.server.browser().open(&url(&world, "strict", &uri));
        let last = world.upstream_logins().pop().expect("a login upstream");
        assert_eq!(last.get("login_hint").map(String::as_str), sent);
    }
}
