//! HTTP: the table of all addresses, and what translates between requests and errands. Decides nothing.

pub mod routes;
pub mod peer;
pub mod cookies;
pub mod extract;
pub mod documents;
pub mod respond;
pub mod faces;
pub mod discovery;
pub mod provider;
pub mod people;
pub mod scim;
pub mod readiness;
pub mod dispatch;
pub mod management;
