//! PostgreSQL. Writes go to one thread, which commits together what waits; every transaction of every server begins
//! with the same lock, so that all are serial and what is right on SQLite is right here. Reads run on threads that may
//! block: a database that hangs holds up nobody but who asks it.

mod fault;
mod values;
mod dialect;
mod address;
mod connection;
mod readers;
mod link;
mod door;

pub(super) use door::Postgres;
pub use door::PostgresOptions;
