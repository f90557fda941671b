//! Introspection (RFC 7662): a client asks about a token that is meant for it.

use serde_json::{Map, Value};

use super::client_auth::{Call, CallFault, authenticate};
use super::ports::Ports;

/// Answers `/acs/introspect`.
///
/// # Errors
/// [`CallFault`].
pub async fn introspect(ports: &Ports, call: Call) -> Result<Map<String, Value>, CallFault> {
    authenticate(ports, &ports.request(), &call).await?;
    Ok(Map::new())
}
