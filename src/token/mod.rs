//! Which claims go into which token, whether what was issued still holds, and the life of refresh
//! families. Pure.

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
