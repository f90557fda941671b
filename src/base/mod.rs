//! The words that everything else is made of: moments, durations, randomness, secrets, digests,
//! bounded text, addresses and the table of limits. Nothing here knows OpenID Connect.

pub mod time;
pub mod random;
pub mod secret;
pub mod digest;
pub mod text;
pub mod address;
pub mod limits;

pub use digest::Digest;
pub use random::Dice;
pub use secret::Secret;
pub use time::{Clock, Moment, Span};
