//! The whole server on PostgreSQL: a login, a refresh, the database gone and back.

use super::nodes::assert_unavailable;
use crate::support::client::{Client, Tokens};
use crate::support::postgres::PostgresServer;
use crate::support::server::Setup;
use crate::world::World;

fn on_postgres(postgres: &PostgresServer) -> World {
    on_postgres_with(postgres, |_| {})
}

/// A server on a database of its own, with other files.
pub fn on_postgres_with(postgres: &PostgresServer, change: impl FnOnce(&mut Setup)) -> World {
    let url = postgres.fresh_database();
    World::with(|setup| {
        onto(setup, &url);
        change(setup);
    })
}

/// Lets a server keep what lasts there.
pub fn onto(setup: &mut Setup, url: &str) {
    setup.edit("vestibule.toml", "\"sqlite:data/vestibule.db\"", "{ env = \"DATABASE_URL\" }");
    setup.table("vestibule.toml", "[keys]\nseal = { env = \"SEAL\" }");
    setup.env.insert("DATABASE_URL".to_owned(), url.to_owned());
    setup.env.insert("SEAL".to_owned(), "a-long-random-secret-for-the-seal-of-tests".to_owned());
}

#[test]
fn a_login_on_postgresql_outlives_the_kill_of_the_database_and_nothing_is_called_invalid_meanwhile() {
    let mut postgres = PostgresServer::start();
    let world = on_postgres(&postgres);
    let client = Client::access();
    let first = world.offline();
    world.assert_alive(&first.access);
    let (ask, code) = world.code();
    postgres.kill();
    assert_unavailable(&client.refresh(&world.server, first.refresh()));
    assert_unavailable(&client.redeem(&world.server, &ask, &code));
    postgres.restart();
    let answer = client.redeem(&world.server, &ask, &code);
    let tokens = Tokens::verified(&world.server, &client, Some(&ask), &answer);
    world.assert_alive(&tokens.access);
    let answer = client.refresh(&world.server, first.refresh());
    let next = Tokens::verified(&world.server, &client, None, &answer);
    world.assert_alive(&next.access);
    assert_eq!(next.sub(), first.sub());
}

#[test]
fn a_second_start_on_postgresql_finds_its_people_and_its_keys() {
    let postgres = PostgresServer::start();
    let world = on_postgres(&postgres);
    let first = world.offline();
    let keys = world.server.get("/acs/jwks").body;
    let world = World { server: world.server.restart(), idp: world.idp };
    assert_eq!(world.server.get("/acs/jwks").body, keys);
    let answer = Client::access().refresh(&world.server, first.refresh());
    let next = Tokens::verified(&world.server, &Client::access(), None, &answer);
    assert_eq!(next.sub(), first.sub());
}
