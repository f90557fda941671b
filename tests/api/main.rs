//! The product as its neighbours see it: browsers, relying parties, identity providers, over HTTP alone.
//! A name that begins with an id (`a017_…`) belongs to the row of that id in the list of attacks.

#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "shared by several test programs")]
mod support;
mod world;

mod bounds;
mod discovery;
mod faults;
mod known_issues;
mod limits;
mod login;
mod matching;
mod par;
mod scim;
mod sign_out;
mod token;
