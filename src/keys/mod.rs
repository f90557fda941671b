//! Keys: what is sealed at rest, what signs and when, what verifies, and how clients prove who they are.
//!
//! Everything here is a function of its arguments, but for [`signing::generate`] and the blinding and
//! nonces inside signatures, which draw on aws-lc's own randomness.

pub mod seal;
pub mod strict_json;
pub mod algorithm;
#[cfg(test)]
mod samples;
pub mod signing;
#[cfg(test)]
mod sample_keys;
pub mod verifying;
pub mod jws;
pub mod plan;
pub mod ring;
mod times;
pub mod assertion;
pub mod request_object;
pub mod client_secret;
