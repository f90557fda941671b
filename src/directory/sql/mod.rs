//! SQLite. Reads run in the calling thread on a connection of a pool: a point read costs a quarter of
//! one over a thread hop. Writes go to one thread, which commits together what waits.
//!
//! Nothing is cached from one request to the next: another process may write the same file.

mod engine;
mod statements;
mod fault;
mod connection;
mod schema;
mod rows;
mod readers;
mod link;
mod backlog;
mod writer;
mod store;
mod notices;
mod users;
mod upstream_hints;
mod families;
mod keys;
mod traces;

pub use store::{SqliteOptions, sqlite};
