//! SQLite. Reads run in the calling thread on a connection of a pool: a point read costs a quarter of
//! one over a thread hop. Writes go to one thread, which commits together what waits.
//!
//! Nothing is cached from one request to the next: another process may write the same file.

mod fault;
mod connection;
mod readers;
mod link;
mod door;

pub use door::SqliteOptions;
pub(super) use door::{Sqlite, reader};
