//! SQL. `engine` is what SQLite and PostgreSQL have in common; `desk` is the one thread that writes; `store` puts an
//! engine behind the contracts, whose files speak to `dyn Sql` alone.

mod engine;
mod statements;
mod statements_roster;
mod statements_made;
mod statements_feed;
mod statements_groups;
mod statements_lists;
mod rows;
mod values;
mod version_3;
mod schema;
mod job;
mod backlog;
mod desk;
mod sqlite;
mod postgres;
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
mod members;
mod group_rows;
mod groups_write;
mod groups;
mod condition;
mod filter;
mod listed;
mod walk;
mod sorted;
mod lists;

pub use postgres::PostgresOptions;
pub use sqlite::SqliteOptions;
pub use store::{postgres, sqlite};
