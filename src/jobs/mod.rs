//! What is done again and again; each `tick` does it once.

pub mod keys;
pub mod purge;
pub mod leavings;
mod round;
pub mod courier;
