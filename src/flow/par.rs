//! Pushed authorization requests (RFC 9126).

use super::client_auth::{Call, CallFault, authenticate};
use super::ports::Ports;
use crate::base::Span;

/// What the client sends the browser with.
#[derive(Debug)]
pub struct Pushed {
    pub request_uri: String,
    pub expires_in: Span,
}

/// Answers `/acs/par`.
///
/// # Errors
/// [`CallFault`].
pub async fn push(ports: &Ports, call: Call) -> Result<Pushed, CallFault> {
    authenticate(ports, &ports.request(), &call).await?;
    Err(CallFault::Unavailable)
}
