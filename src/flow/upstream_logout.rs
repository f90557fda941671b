//! Identity providers say that somebody signed out there.

use super::browser::{Reply, Say, Visit};
use super::client_auth::{Call, CallFault};
use super::ports::{Ports, Unavailable};

/// Answers `/federation/auth/logout/frontchannel` (OpenID Connect Front-Channel Logout 1.0 §3).
///
/// # Errors
/// [`Unavailable`].
pub async fn frontchannel(_ports: &Ports, _visit: Visit) -> Result<Reply, Unavailable> {
    Ok(Say::SignedOut.into())
}

/// Answers `/federation/auth/logout/backchannel` (OpenID Connect Back-Channel Logout 1.0 §2.6).
///
/// # Errors
/// [`CallFault`].
pub async fn backchannel(_ports: &Ports, _call: Call) -> Result<(), CallFault> {
    Err(CallFault::Unavailable)
}
