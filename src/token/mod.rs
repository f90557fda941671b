//! Which claims go into which token, whether what was issued still holds, and the life of refresh
//! families; what a client is told of a sign-out, and when it is tried again. Pure.

pub mod grant;
#[cfg(test)]
pub(crate) mod samples;
pub mod subject;
pub mod claims;
pub mod standing;
pub mod family;
pub mod refresh_token;
pub mod machine;
pub mod access;
pub mod logout_token;
pub mod delivery;
