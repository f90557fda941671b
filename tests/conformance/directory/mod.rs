//! One module for each contract, one for each implementation.

mod home;
mod users;
mod jit;
mod standing;
mod families;
mod notices;
mod leavings;
mod keys;
mod traces;
mod races;

mod suite;
mod sqlite_file;
mod sqlite_faults;
mod sqlite_disk;
mod sqlite_kill;
mod sqlite_speed;
mod postgres_faults;
