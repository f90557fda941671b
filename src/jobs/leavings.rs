//! People who were switched off: their sessions end, and every client that they were signed in at is told.

use std::collections::BTreeSet;

use futures_util::{StreamExt as _, stream};

use crate::base::Span;
use crate::directory::Leaving;
use crate::flow::Ports;
use crate::flow::farewell::{AT_ONCE, KeptSession, end_all, listed, notices};
use crate::flow::ports::{Request, Unavailable};
use crate::flow::sessions::user_list;
use crate::oidc::ClientId;

/// People at a time.
const BATCH: u32 = 32;
/// How long nobody else sees off those who are in hand; longer than seeing them off takes.
const LEASE: Span = Span::secs(20);

/// One round: sees off everybody who waits for it.
pub async fn tick(ports: &Ports) {
    loop {
        match batch(ports).await {
            Ok(0) => return,
            Ok(_) => ports.notices_wait.notify_one(),
            Err(_) => return,
        }
    }
}

/// How many there were. One who can't be seen off now is handed out again when the lease is over.
async fn batch(ports: &Ports) -> Result<usize, Unavailable> {
    let request = ports.request();
    let leavings = ports.directory.notices.claim_leavings(BATCH, request.now, request.now.plus(LEASE)).await?;
    let (count, request) = (leavings.len(), &request);
    let seen_off = stream::iter(leavings).map(|leaving| async move { see_off(ports, request, &leaving).await });
    let seen_off: Vec<Result<(), Unavailable>> = seen_off.buffer_unordered(AT_ONCE).collect().await;
    // One who can't be seen off holds up nobody else.
    seen_off.into_iter().try_for_each(|one| one).map(|()| count)
}

async fn see_off(ports: &Ports, request: &Request, leaving: &Leaving) -> Result<(), Unavailable> {
    let user = ports.directory.users.standing(&leaving.user, None, &[]).await?.map(|standing| standing.user);
    let is_back = user.is_some_and(|user| user.active);
    let mut ending = listed(ports, user_list(&leaving.user)).await?;
    // What was begun after the person came back stays. Who isn't back can't have begun anything, whatever another
    // server's clock says.
    ending.retain(|KeptSession { session, .. }| {
        session.user == leaving.user && (!is_back || session.created <= leaving.at)
    });
    let ended = end_all(ports, request, ending).await?;
    let told: BTreeSet<ClientId> =
        ended.into_iter().flat_map(|(_, clients)| clients).map(|client| client.id.clone()).collect();
    let untold: BTreeSet<ClientId> = leaving.clients.iter().filter(|id| !told.contains(id)).cloned().collect();
    let queued = notices(ports, request, (&leaving.user, None), &untold);
    Ok(ports.directory.notices.close_leaving(leaving, queued).await?)
}
