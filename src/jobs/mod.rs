//! What is done again and again: each `tick` does it once, and the courier is always about.

pub mod keys;
pub mod purge;
pub mod sync_expiry;
pub mod credentials;
pub mod attributes;
pub mod indexes;
pub mod departures;
pub mod leavings;
mod round;
pub mod courier;
pub mod sightings;
