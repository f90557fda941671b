//! The contracts of `directory`, sentence by sentence, for every implementation; then what only
//! one of them can meet: locks, full disks, damage, kills, a server that is gone or hangs.

#[cfg(test)]
#[path = "support/port.rs"]
mod port;
#[cfg(test)]
#[path = "support/postgres.rs"]
mod postgres_server;
#[cfg(test)]
#[path = "support/invariants.rs"]
mod invariants;
#[cfg(test)]
#[path = "conformance/directory/mod.rs"]
mod directory;
