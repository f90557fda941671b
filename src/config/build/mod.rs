//! Makes the checked objects from the files' views, one file after the other.

pub mod server;
mod dialect;
pub mod directory;
pub mod idp_lints;
pub mod idp;
pub mod jwks;
pub mod client;
pub mod service;
