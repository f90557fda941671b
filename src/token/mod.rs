//! Which claims go into which token, and the life of refresh families. Pure.

pub mod family;
pub mod grant;
