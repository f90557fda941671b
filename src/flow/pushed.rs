//! Pushed authorization requests at the state store: found as often as a page is loaded, spent once.

use super::admission::AddressKey;
use super::ports::{Ports, Unavailable};
use crate::base::limits::PUSHED_LIFETIME;
use crate::broker::pushed::PushedRequest;
use crate::broker::request::PushedAs;
use crate::oidc::ClientId;
use crate::state::{Kind, Name, Taken};

/// The name of what a `request_uri` opens.
#[must_use]
pub fn name(reference: &str) -> Name {
    Name::of(Kind::PushedRequest, reference)
}

/// What was pushed under a `request_uri`, if the client has had no answer to it.
///
/// # Errors
/// [`Unavailable`] if the store can't be asked.
pub async fn find(ports: &Ports, reference: &str) -> Result<Option<PushedRequest>, Unavailable> {
    let kept = ports.state.peek(name(reference)).await?;
    Ok(kept.as_deref().and_then(PushedRequest::decode))
}

/// Spends a pushed request: of all who finish it, one may answer the client (RFC 9126 §7.3). Says whether it is this
/// one. Its place among the unanswered ones is free then.
///
/// # Errors
/// [`Unavailable`] if the store can't be asked.
pub async fn spend(ports: &Ports, client: &ClientId, pushed: &PushedAs) -> Result<bool, Unavailable> {
    let name = Name { kind: Kind::PushedRequest, digest: pushed.digest };
    let taken = ports.state.take(name, Vec::new(), PUSHED_LIFETIME).await?;
    let first = matches!(taken, Taken::Once(_));
    if first {
        ports.pushes.of(client).end(AddressKey(pushed.counted_at), pushed.at);
    }
    Ok(first)
}
