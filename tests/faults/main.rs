//! Many at once, and parts of the world gone, through the whole server. A name that begins with an id is that row of
//! the list of attacks, faults and guarantees.

#![expect(clippy::expect_used, clippy::panic, reason = "tests say what went wrong by panicking")]
#![allow(clippy::indexing_slicing, reason = "a wrong index fails the test")]

#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "shared by several test programs")]
mod support;
#[path = "../certification/world.rs"]
mod world;

mod assertions;
mod crossed;
mod database;
mod deactivation;
mod load;
mod logout_notices;
mod nodes;
mod postgres;
mod pushed;
mod races;
mod redis_gone;
mod redis_restored;
mod restart;
mod scim_kill;
mod scim_postgres;
mod scim_races;
mod two_servers;
mod upstream;
