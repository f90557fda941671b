//! The contracts of `directory`, sentence by sentence, for every implementation; then what only
//! SQLite can meet: locks, full disks, damage, kills.

#[cfg(test)]
#[path = "conformance/directory/mod.rs"]
mod directory;
