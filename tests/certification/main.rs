//! What OpenID's conformance suite looks at, against the whole server, and refresh tokens in full. A name that
//! begins with an id is that row of the list of conformance cases and attacks.

#![expect(clippy::expect_used, clippy::panic, reason = "tests say what went wrong by panicking")]
#![allow(clippy::indexing_slicing, reason = "a wrong index fails the test")]

#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "shared by several test programs")]
mod support;

mod world;

mod claims;
mod client_keys;
mod code;
mod logout;
mod prompt;
mod refresh;
mod refresh_ends;
mod refresh_repeat;
mod request;
mod upstream;
