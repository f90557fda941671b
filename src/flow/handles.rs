//! Cross-site POSTs: SameSite=Lax cookies are missing there, so the browser comes back by GET.

use serde::{Deserialize, Serialize};

use super::admission::AddressKey;
use super::browser::{Reply, Say, Visit};
use super::finish;
use super::ports::{Ports, Unavailable};
use super::sessions::encode;
use crate::base::limits::{HANDLE_LIFETIME, TARGET_BYTES_MAX};
use crate::base::{Moment, Secret};
use crate::i18n::PageError;
use crate::oidc::params::Params;
use crate::state::{Kind, Name, Record, Taken};

/// A POST as it waits: anybody can send one, so it counts among the logins under way.
#[derive(Serialize, Deserialize)]
struct Kept {
    at: Moment,
    counted_at: u64,
    params: String,
}

/// The name of a kept POST: a handle is good at the address it was given for, and at no other.
#[must_use]
pub fn name(at: &str, handle: &str) -> Name {
    Name::of(Kind::Handle, &format!("{at} {handle}"))
}

/// Keeps a POST under a one-use handle: the browser comes back by GET, where its Lax cookies are seen. What by GET would
/// be too long is too long here too.
///
/// # Errors
/// [`Unavailable`] if it can't be kept.
pub async fn come_back(ports: &Ports, at: &str, visit: &Visit) -> Result<Reply, Unavailable> {
    let params = visit.params.encode();
    if params.len() > TARGET_BYTES_MAX {
        return Ok(finish::page(ports, PageError::TooLarge));
    }
    let request = ports.request();
    let address = AddressKey::from(visit.address);
    if ports.under_way.begin(address, request.bounds(), request.now).is_err() {
        return Ok(finish::page(ports, PageError::TooManyLogins));
    }
    let handle = ports.dice.token();
    let bytes = encode(&Kept { at: request.now, counted_at: address.0, params });
    let kept = ports.state.put(vec![Record { name: name(at, &handle), bytes, lifetime: HANDLE_LIFETIME }]).await;
    if kept.is_err() {
        ports.under_way.end(address, request.now);
    }
    kept?;
    Ok(Say::ComeBack(Secret::new(handle)).into())
}

/// The POST that was kept under a handle, once.
///
/// # Errors
/// [`Unavailable`] if it can't be asked for; within, what the person is told if there is none.
pub async fn fetch(ports: &Ports, at: &str, handle: &str) -> Result<Result<Params, PageError>, Unavailable> {
    let kept: Option<Kept> = match ports.state.take(name(at, handle), Vec::new(), HANDLE_LIFETIME).await? {
        Taken::Once(bytes) => serde_json::from_slice(&bytes).ok(),
        Taken::Already(_) => return Ok(Err(PageError::AlreadyUsed)),
        Taken::Never => None,
    };
    let Some(kept) = kept else { return Ok(Err(PageError::LoginExpired)) };
    ports.under_way.end(AddressKey(kept.counted_at), kept.at);
    Ok(Params::decode(kept.params.as_bytes()).map_err(|_| PageError::MalformedRequest))
}
