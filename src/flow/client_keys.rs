//! The public keys of a client: those of its file, or those that it publishes at its `jwks_uri`.
//!
//! As long as no keys can be had, nothing is known about what the client signed: that is [`Unavailable`], whether its
//! server is down, redirects us, or answers what is no key set. The log says which, once for each time it begins.

use std::sync::Arc;

use super::ports::{Ports, Unavailable};
use crate::keys::assertion::ClientKeys;
use crate::oidc::Client;
use crate::oidc::client::ClientCredential;

/// The client's keys; `None` for a client without any.
///
/// # Errors
/// [`Unavailable`] if they can't be asked for now.
pub async fn of(ports: &Ports, client: &Client) -> Result<Option<Arc<ClientKeys>>, Unavailable> {
    match &client.credential {
        ClientCredential::Keys(_) => Ok(ports.config.snapshot().client_keys.get(&client.id).cloned()),
        ClientCredential::KeysUri(uri) => Ok(Some(ports.clients.keys(uri).await?)),
        ClientCredential::Public | ClientCredential::Secrets(_) => Ok(None),
    }
}

/// Keys newer than those that didn't fit, where newer ones can be had: asked for once a minute at most.
///
/// # Errors
/// [`Unavailable`] if they can't be asked for now.
pub async fn newer(
    ports: &Ports,
    client: &Client,
    seen: &Arc<ClientKeys>,
) -> Result<Option<Arc<ClientKeys>>, Unavailable> {
    match &client.credential {
        ClientCredential::KeysUri(uri) => Ok(ports.clients.newer_keys(uri, seen).await?),
        _ => Ok(None),
    }
}
