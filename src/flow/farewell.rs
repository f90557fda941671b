//! The end of a session: here for good, and at every client that it served.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::try_join;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::ports::{Ports, Request, Unavailable};
use super::sessions::{Found, client_list, ends, upstream_name};
use crate::base::limits::{CODE_LIFETIME, LOGIN_STEP};
use crate::base::{Digest, Moment};
use crate::broker::session::Session;
use crate::broker::sign_out::frontchannel_address;
use crate::directory::Notice;
use crate::identity::UserId;
use crate::oidc::{Client, ClientId};
use crate::state::{Kind, Name};

/// A session as it stands in the store: the digest of its cookie, and what is kept under it.
#[derive(Clone, Debug)]
pub struct KeptSession {
    pub digest: Digest,
    pub session: Session,
}

impl From<&Found> for KeptSession {
    fn from(found: &Found) -> Self {
        Self { digest: found.digest(), session: found.session.clone() }
    }
}

/// Ends a session for good, durably first, so that no restored store brings it back. The notices to its clients are
/// queued in the same transaction.
///
/// Gives the clients that the session served, as far as they are configured still.
///
/// # Errors
/// [`Unavailable`] if it could not be ended; it may still hold then.
pub async fn end(ports: &Ports, request: &Request, ending: &KeptSession) -> Result<Vec<Arc<Client>>, Unavailable> {
    let KeptSession { digest, session } = ending;
    let served = served(ports, &session.sid).await?;
    let queued = notices(ports, request, (&session.user, Some(&session.sid)), &served);
    ports.directory.sign_outs.sign_out(&session.sid, request.now, outlived(session, request), queued).await?;
    // From here on no code of this session pays any more. A client that was given one a moment ago is told too.
    let late: BTreeSet<ClientId> = &self::served(ports, &session.sid).await? - &served;
    if !late.is_empty() {
        let queued = notices(ports, request, (&session.user, Some(&session.sid)), &late);
        ports.directory.notices.queue(queued).await?;
    }
    let session_name = Name { kind: Kind::Session, digest: *digest };
    try_join(ports.state.forget(session_name), ports.state.forget(upstream_name(&session.sid))).await?;
    ports.notices_wait.notify_one();
    Ok(served.union(&late).filter_map(|id| request.config.clients.get(id).cloned()).collect())
}

/// Calls of the state store or database that one sign-out has under way at a time: their commits are grouped.
pub const AT_ONCE: usize = 8;

/// Ends several sessions; for each its `sid` and the clients that it served.
///
/// # Errors
/// [`Unavailable`] if one could not be ended; others may have been.
pub async fn end_all(
    ports: &Ports,
    request: &Request,
    ending: Vec<KeptSession>,
) -> Result<Vec<(String, Vec<Arc<Client>>)>, Unavailable> {
    let ends = stream::iter(ending).map(|ending| async move {
        let clients = end(ports, request, &ending).await?;
        Ok((ending.session.sid, clients))
    });
    ends.buffer_unordered(AT_ONCE).try_collect().await
}

/// When nothing of the session can be used any more, signed out or not: a login that is just ending may have gone on
/// with its `sid` for a whole session's time, and a token issued in the last moment of that has its own.
fn outlived(session: &Session, request: &Request) -> Moment {
    let longest = request.config.clients.values().map(|client| client.tokens.access).max().unwrap_or_default();
    let anew = request.now.plus(request.config.server.session.absolute);
    ends(session, request).max(anew).plus(LOGIN_STEP).plus(CODE_LIFETIME).plus(longest)
}

async fn served(ports: &Ports, sid: &str) -> Result<BTreeSet<ClientId>, Unavailable> {
    Ok(ports.state.list(client_list(sid)).await?.into_iter().map(ClientId).collect())
}

/// Notices for those of the clients that want to be told.
#[must_use]
pub fn notices(
    ports: &Ports,
    request: &Request,
    (user, sid): (&UserId, Option<&str>),
    clients: &BTreeSet<ClientId>,
) -> Vec<Notice> {
    let wants =
        |id: &&ClientId| request.config.clients.get(*id).is_some_and(|client| client.backchannel_logout_uri.is_some());
    let notice = |client: &ClientId| Notice {
        id: ports.dice.id(),
        client: client.clone(),
        user: user.clone(),
        sid: sid.map(str::to_owned),
        created: request.now,
        attempts: 0,
    };
    clients.iter().filter(wants).map(notice).collect()
}

/// The addresses at which the clients that ask for it are told by the browser, in frames.
#[must_use]
pub fn frames(request: &Request, sid: &str, clients: &[Arc<Client>]) -> Vec<String> {
    let issuer = &request.config.server.issuer;
    let uris = clients.iter().filter_map(|client| client.frontchannel_logout_uri.as_deref());
    uris.map(|uri| frontchannel_address(uri, issuer, sid)).collect()
}

/// The sessions on a list that are still kept.
///
/// # Errors
/// [`Unavailable`].
pub async fn listed(ports: &Ports, list: Name) -> Result<Vec<KeptSession>, Unavailable> {
    let members = ports.state.list(list).await?;
    let digests: Vec<Digest> = members.iter().filter_map(|member| Digest::from_base64url(member)).collect();
    let names = digests.iter().map(|digest| Name { kind: Kind::Session, digest: *digest }).collect();
    let kept = ports.state.peek_all(names).await?;
    let read =
        |(digest, bytes): (Digest, Option<Vec<u8>>)| Some(KeptSession { digest, session: Session::decode(&bytes?)? });
    Ok(digests.into_iter().zip(kept).filter_map(read).collect())
}
