//! One module for each contract, one for each implementation.

mod home;
mod crowd;
mod users;
mod jit;
mod standing;
mod families;
mod notices;
mod leavings;
mod keys;
mod traces;
mod races;
mod roster;
mod roster_groups;
mod feed;
mod sync_clients;
mod audits;
mod upkeep;
mod groups;
mod members;
mod nesting;
mod lists;
mod list_walks;
mod turmoil;

mod suite;
mod sqlite_file;
mod sqlite_faults;
mod sqlite_disk;
mod sqlite_kill;
mod sqlite_kill_users;
mod sqlite_speed;
mod crowd_speed;
mod postgres_faults;
