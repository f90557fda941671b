//! The product as its neighbours see it: browsers, relying parties, identity providers, over HTTP alone.
//! A name that begins with an id (`a017_…`) belongs to the row of that id in the list of attacks.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests say what went wrong by panicking"
)]

#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "shared by several test programs")]
mod support;
mod world;

mod check;
mod faults;
mod http;
mod limits;
mod login;
mod process;
mod token;
