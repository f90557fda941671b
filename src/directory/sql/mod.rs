//! SQL. `engine` is what SQLite and PostgreSQL have in common; `desk` is the one thread that writes; `store` puts an
//! engine behind the contracts, whose files speak to `dyn Sql` alone.

mod engine;
mod statements;
mod statements_roster;
mod statements_made;
mod statements_feed;
mod rows;
mod values;
mod version_3;
mod schema;
mod job;
mod backlog;
mod desk;
mod sqlite;
mod store;
mod notices;
mod stored;
mod users;
mod roster;
mod feed;
mod sync_clients;
mod audits;
mod sightings;
mod erasing;
mod upkeep;
mod upstream_hints;
mod families;
mod keys;
mod traces;

pub use sqlite::SqliteOptions;
pub use store::sqlite;
