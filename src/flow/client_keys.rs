//! The public keys of a client: those of its file.

use std::sync::Arc;

use super::ports::{Ports, Unavailable};
use crate::keys::assertion::ClientKeys;
use crate::oidc::Client;
use crate::oidc::client::ClientCredential;

/// The client's keys; `None` for a client without any.
///
/// # Errors
/// [`Unavailable`] if they can't be asked for now.
pub async fn of(_ports: &Ports, client: &Client) -> Result<Option<Arc<ClientKeys>>, Unavailable> {
    Ok(match &client.credential {
        ClientCredential::Keys(jwks) => ClientKeys::parse(jwks).ok().map(Arc::new),
        _ => None,
    })
}

/// Keys newer than those that didn't fit, where newer ones can be had.
///
/// # Errors
/// [`Unavailable`] if they can't be asked for now.
pub async fn newer(
    _ports: &Ports,
    _client: &Client,
    _seen: &Arc<ClientKeys>,
) -> Result<Option<Arc<ClientKeys>>, Unavailable> {
    Ok(None)
}
