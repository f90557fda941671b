//! Cross-site POSTs: SameSite=Lax cookies are missing there, so the browser comes back by GET.

use super::browser::{Reply, Say};
use super::ports::{Ports, Unavailable};
use crate::base::Secret;
use crate::base::limits::HANDLE_LIFETIME;
use crate::oidc::params::Params;
use crate::state::{Kind, Name, Record};

/// The name of a kept POST: a handle is good at the address it was given for, and at no other.
#[must_use]
pub fn name(at: &str, handle: &str) -> Name {
    Name::of(Kind::Handle, &format!("{at} {handle}"))
}

/// Keeps a POST under a one-use handle: the browser comes back by GET, where its Lax cookies are seen.
///
/// # Errors
/// [`Unavailable`] if it can't be kept.
pub async fn come_back(ports: &Ports, at: &str, params: &Params) -> Result<Reply, Unavailable> {
    let handle = ports.dice.token();
    let record = Record { name: name(at, &handle), bytes: params.encode().into_bytes(), lifetime: HANDLE_LIFETIME };
    ports.state.put(vec![record]).await?;
    Ok(Say::ComeBack(Secret::new(handle)).into())
}
