//! A browser leaves: its session ends here, the clients are told, and it goes on to the identity provider, to the client
//! that asked, or to our page.

use std::sync::Arc;

use super::browser::{Keep, Leaver, Reply, Say, way_on};
use super::farewell::{self, KeptSession};
use super::handles;
use super::ports::{Ports, Request, Unavailable};
use super::sessions::{encode, upstream_name};
use crate::base::Span;
use crate::base::limits::PENDING_LIFETIME;
use crate::broker::session::UpstreamSession;
use crate::broker::sign_out::{AtProvider, Back, Outcome, end_session_url, proof};
use crate::config::Snapshot;
use crate::oidc::{Client, Idp};
use crate::state::{Record, Taken};
use crate::upstream::EndSession;

/// How long a sign-out waits for the provider's discovery document, which mostly is remembered.
const DISCOVERY_WAIT: Span = Span::secs(2);
/// Under what the way home is kept while the browser is at the provider.
const AWAY: &str = "signed_out";

/// What a sign-out was asked for with.
#[derive(Clone, Debug, Default)]
pub struct Leaving {
    /// The client whose hint proved that it asks.
    pub asking: Option<Arc<Client>>,
    /// Where the person goes in the end; `None`: to our page.
    pub back: Option<Back>,
    /// Where the person can sign in again.
    pub again: Option<String>,
    pub ui_locales: Option<String>,
}

/// Ends a session for good and says where the browser goes.
///
/// # Errors
/// [`Unavailable`] if it could not be ended: nobody is told that it was, and the cookie stays.
pub async fn leave(
    ports: &Ports,
    request: &Request,
    standing: &KeptSession,
    leaving: Leaving,
) -> Result<Reply, Unavailable> {
    let sid = &standing.session.sid;
    let kept = ports.state.peek(upstream_name(sid)).await?.and_then(|bytes| UpstreamSession::decode(&bytes));
    let served = farewell::end(ports, request, standing).await?;
    let frames = farewell::frames(request, sid, &served);
    let mut outcome = Outcome::of(&served, leaving.asking.as_ref().map(|client| &client.id));
    outcome.again = leaving.again.or_else(|| served.first().and_then(|client| way_on(client)));
    outcome.back = leaving.back;
    outcome.ui_locales = leaving.ui_locales;
    let say = match request.config.idps.get(&standing.session.idp) {
        Some(idp) if idp.forward_logout => match forward(ports, request, (idp, kept.as_ref()), &outcome).await {
            Ok(Some(address)) => going(frames, address),
            Ok(None) => ends_here(outcome, Some(idp), frames),
            Err(why) => {
                tracing::warn!(provider = %idp.id, why, "a sign-out was not forwarded");
                told(outcome.at_provider(&idp.name, AtProvider::Open), frames)
            }
        },
        idp => ends_here(outcome, idp, frames),
    };
    Ok(Reply::from(say).keeping(Keep::ForgetSession))
}

/// Nothing was to be forwarded: the client's own address goes before a notice.
fn ends_here(outcome: Outcome, idp: Option<&Arc<Idp>>, frames: Vec<String>) -> Say {
    match (&outcome.back, idp) {
        (Some(back), _) => going(frames, back.url.clone()),
        (None, Some(idp)) => told(outcome.at_provider(&idp.name, AtProvider::Open), frames),
        (None, None) => told(outcome, frames),
    }
}

fn going(frames: Vec<String>, next: String) -> Say {
    if frames.is_empty() { Say::Go(next) } else { Say::SigningOut { who: Leaver::Present, frames, next } }
}

fn told(outcome: Outcome, frames: Vec<String>) -> Say {
    Say::Left { outcome: Box::new(outcome), frames }
}

/// The address at the provider that goes on with the sign-out there; the way home waits under its `state`. `None`: the
/// provider announces none, so nobody can sign out there by a redirect at all.
///
/// # Errors
/// Why the browser isn't sent there.
async fn forward(
    ports: &Ports,
    request: &Request,
    (idp, kept): (&Arc<Idp>, Option<&UpstreamSession>),
    outcome: &Outcome,
) -> Result<Option<String>, &'static str> {
    if !idp.enabled {
        return Err("the provider is disabled");
    }
    let facts = tokio::time::timeout(DISCOVERY_WAIT.as_std(), ports.upstream.provider(idp)).await;
    let facts = facts.ok().and_then(Result::ok).ok_or("its discovery document can't be had")?;
    let endpoint = match &facts.end_session {
        EndSession::Absent => return Ok(None),
        EndSession::Unusable => return Err("nobody may be sent to its end_session_endpoint"),
        EndSession::At(endpoint) => endpoint,
    };
    let proof = proof(idp, kept, request.now).ok_or("its ID token has expired, and it takes no other proof")?;
    let state = ports.dice.token();
    let home = done_address(&request.config);
    let mut pairs = vec![
        ("client_id", idp.client_id.as_str()),
        ("post_logout_redirect_uri", home.as_str()),
        ("state", state.as_str()),
    ];
    pairs.extend(proof);
    pairs.extend(outcome.ui_locales.as_deref().map(|languages| ("ui_locales", languages)));
    let away = outcome.clone().at_provider(&idp.name, AtProvider::Ended);
    let record = Record { name: handles::name(AWAY, &state), bytes: encode(&away), lifetime: PENDING_LIFETIME };
    ports.state.put(vec![record]).await.map_err(|_| "the way home can't be kept")?;
    Ok(Some(end_session_url(endpoint, &pairs)))
}

/// What has to be registered at identity providers.
fn done_address(config: &Snapshot) -> String {
    format!("{}/federation/auth/logout/done", config.server.base_url.as_str().trim_end_matches('/'))
}

/// What was kept while the browser was at the provider.
#[derive(Debug)]
pub enum Home {
    /// For the first time: the person may be sent on.
    First(Outcome),
    /// It was asked for before.
    Again(Outcome),
    Unknown,
}

/// The way home that waits under `state`.
///
/// # Errors
/// [`Unavailable`] if it can't be asked for.
pub async fn home(ports: &Ports, state: &str) -> Result<Home, Unavailable> {
    let name = handles::name(AWAY, state);
    // It stays as the residue, so that a page that is loaded anew says the same again.
    let residue = ports.state.peek(name).await?.unwrap_or_default();
    let read = |bytes: Vec<u8>| serde_json::from_slice::<Outcome>(&bytes).ok();
    Ok(match ports.state.take(name, residue, PENDING_LIFETIME).await? {
        Taken::Once(bytes) => read(bytes).map_or(Home::Unknown, Home::First),
        Taken::Already(bytes) => read(bytes).map_or(Home::Unknown, Home::Again),
        Taken::Never => Home::Unknown,
    })
}
