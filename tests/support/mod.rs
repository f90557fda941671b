//! What tests share: the server in a folder of its own, a browser, relying parties, a manual clock.

pub mod assertion;
pub mod browser;
pub mod client;
pub mod clock;
pub mod evil_client;
pub mod evil_idp;
pub mod html;
pub mod http;
pub mod invariants;
pub mod keyring;
pub mod port;
pub mod postgres;
pub mod redis;
pub mod scim;
pub mod server;
