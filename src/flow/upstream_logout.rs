//! Identity providers say that somebody signed out there.

use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::browser::{Keep, Reply, Say, Visit};
use super::client_auth::{Call, CallFault};
use super::farewell::{self, AT_ONCE, KeptSession};
use super::ports::{Ports, Request, Unavailable};
use super::sessions::upstream_list;
use crate::base::limits::{CLOCK_SKEW, LOGOUT_TOKEN_AGE_MAX};
use crate::base::{Digest, Span};
use crate::broker::session::Session;
use crate::oidc::error::ErrorCode::InvalidRequest;
use crate::oidc::{Idp, OAuthError};
use crate::state::{Kind, Name, Record};
use crate::upstream::{LogoutNotice, LogoutToken, LogoutTokenFault};

/// One text for every token that is refused: what exactly is wrong with it stands in our log.
const REFUSED: OAuthError = OAuthError::new(InvalidRequest, "the logout token is not accepted");

/// Answers `/federation/auth/logout/backchannel` (OpenID Connect Back-Channel Logout 1.0 §2.6): ends the sessions that
/// the provider made, at every client too. Providers that are switched off are heard as well.
///
/// # Errors
/// `invalid_request` for a token that is not to be believed or came before; 503 while that can't be told, or while
/// the sessions can't be ended: the same token works later.
pub async fn backchannel(ports: &Ports, call: Call) -> Result<(), CallFault> {
    let request = ports.request();
    let sound = call.params.repeated().is_none();
    let token = call.params.get("logout_token").filter(|_| sound).ok_or(REFUSED)?;
    let token = LogoutToken::read(token).map_err(|fault| {
        note(ports, &request, "", (fault.check(), fault.detail()));
        REFUSED
    })?;
    let (believed, undecided) = ask_providers(ports, &request, &token).await;
    let Some((issuer, notice)) = believed.first().map(|(idp, notice)| (idp.issuer.as_str(), notice)) else {
        return Err(if undecided { CallFault::Unavailable } else { REFUSED.into() });
    };
    let used = used(&request, issuer, notice);
    if ports.state.peek(used.name).await.map_err(Unavailable::from)?.is_some() {
        return Err(REFUSED.into());
    }
    for (idp, notice) in &believed {
        let meant = named(ports, idp, notice).await?;
        tracing::info!(idp = %idp.id, sessions = meant.len(), "signed out at the identity provider");
        end_all(ports, &request, meant).await?;
    }
    if undecided {
        return Err(CallFault::Unavailable);
    }
    // Last of all: a token whose work could not be done must work when it comes again. What two do at once that bring
    // the same token is done once, since a session ends once.
    let first = ports.state.put_new(used).await.map_err(Unavailable::from)?;
    if first { Ok(()) } else { Err(REFUSED.into()) }
}

/// What the token says by each provider that may have made it, and whether one of them can't be asked now. Files that
/// share an issuer are told apart by the audience; those that share both are all meant.
async fn ask_providers<'a>(
    ports: &Ports,
    request: &'a Request,
    token: &LogoutToken<'_>,
) -> (Vec<(&'a Idp, LogoutNotice)>, bool) {
    let meant: Vec<&Arc<Idp>> = request.config.idps.values().filter(|idp| token.is_for(idp)).collect();
    if meant.is_empty() {
        note(ports, request, "", ("iss", "is of no provider here, or for another client"));
    }
    let (mut believed, mut undecided) = (Vec::new(), false);
    for idp in meant {
        match ports.upstream.signed_out(idp, token).await {
            Ok(notice) => believed.push((idp.as_ref(), notice)),
            Err(fault) => {
                undecided |= matches!(fault, LogoutTokenFault::NoKeys(_));
                note(ports, request, &idp.id.0, (fault.check(), fault.detail()));
            }
        }
    }
    (believed, undecided)
}

/// Says in the log why a token is refused, some times a minute: anybody can send one.
fn note(ports: &Ports, request: &Request, idp: &str, fault: (&'static str, &str)) {
    if ports.unproven.admits(request.now) {
        tracing::warn!(idp, check = fault.0, detail = fault.1, "a logout token is not accepted");
    }
}

/// The record by which a token is known again, on every node, for as long as it could be accepted.
fn used(request: &Request, issuer: &str, notice: &LogoutNotice) -> Record {
    let forgotten = notice.issued.plus(LOGOUT_TOKEN_AGE_MAX).plus(CLOCK_SKEW);
    Record {
        name: Name::of(Kind::LogoutToken, &format!("{issuer} {}", notice.jti)),
        bytes: vec![1],
        lifetime: Span::from_ms(forgotten.ms() - request.now.ms()),
    }
}

/// The sessions that the notice names: by the provider's `sid` or else its `sub`, and where it names both, both.
async fn named(ports: &Ports, idp: &Idp, notice: &LogoutNotice) -> Result<Vec<KeptSession>, Unavailable> {
    let list = match (&notice.sid, &notice.subject) {
        (Some(sid), _) => upstream_list(&idp.id, "sid", sid),
        (None, Some(subject)) => upstream_list(&idp.id, "sub", subject),
        (None, None) => return Ok(Vec::new()),
    };
    let fits = |told: &Option<String>, kept: &Option<String>| told.is_none() || told == kept;
    let mut found = farewell::listed(ports, list).await?;
    found.retain(|KeptSession { session, .. }| {
        session.idp == idp.id
            && fits(&notice.sid, &session.upstream_sid)
            && fits(&notice.subject, &session.upstream_subject)
            // Whoever has signed in again since is not meant.
            && session.created <= notice.issued.plus(CLOCK_SKEW)
    });
    Ok(found)
}

/// Ends the sessions; gives the front-channel addresses of the clients that they served.
async fn end_all(ports: &Ports, request: &Request, meant: Vec<KeptSession>) -> Result<Vec<String>, Unavailable> {
    let ended = farewell::end_all(ports, request, meant).await?;
    Ok(ended.iter().flat_map(|(sid, clients)| farewell::frames(request, sid, clients)).collect())
}

/// Answers `/federation/auth/logout/frontchannel` (OpenID Connect Front-Channel Logout 1.0 §3). It comes from a frame
/// on a page of the provider's, mostly without our cookie: the `sid` is enough. What was named and wasn't there is
/// told to nobody.
///
/// # Errors
/// [`Unavailable`] while the sessions can't be ended.
pub async fn frontchannel(ports: &Ports, visit: Visit) -> Result<Reply, Unavailable> {
    let request = ports.request();
    if visit.params.repeated().is_some() {
        return Ok(Say::ClientFrames { frames: Vec::new() }.into());
    }
    let own = visit.session.as_ref().map(|token| Digest::of(token.expose()));
    let meant = match visit.params.get("sid") {
        Some(sid) => by_sid(ports, &request, visit.params.get("iss"), sid).await?,
        None => own_session(ports, &request, visit.params.get("iss"), own).await?,
    };
    let is_own = meant.iter().any(|standing| Some(standing.digest) == own);
    let reply = Reply::from(Say::ClientFrames { frames: end_all(ports, &request, meant).await? });
    Ok(if is_own { reply.keeping(Keep::ForgetSession) } else { reply })
}

/// The providers of that issuer; without one (Entra names none) all of them.
fn of_issuer<'a>(request: &'a Request, issuer: Option<&'a str>) -> impl Iterator<Item = &'a Arc<Idp>> {
    request.config.idps.values().filter(move |idp| issuer.is_none_or(|issuer| idp.issuer == issuer))
}

async fn by_sid(
    ports: &Ports,
    request: &Request,
    issuer: Option<&str>,
    sid: &str,
) -> Result<Vec<KeptSession>, Unavailable> {
    let found = of_issuer(request, issuer).map(|idp| async move {
        let mut found = farewell::listed(ports, upstream_list(&idp.id, "sid", sid)).await?;
        let fits = |session: &Session| session.idp == idp.id && session.upstream_sid.as_deref() == Some(sid);
        found.retain(|standing| fits(&standing.session));
        Ok::<_, Unavailable>(found)
    });
    stream::iter(found).buffer_unordered(AT_ONCE).try_concat().await
}

/// The session of the browser that came, if a provider of that issuer made it.
async fn own_session(
    ports: &Ports,
    request: &Request,
    issuer: Option<&str>,
    own: Option<Digest>,
) -> Result<Vec<KeptSession>, Unavailable> {
    let Some(digest) = own else { return Ok(Vec::new()) };
    let kept = ports.state.peek(Name { kind: Kind::Session, digest }).await?;
    let session = kept.and_then(|bytes| Session::decode(&bytes));
    let session = session.filter(|session| of_issuer(request, issuer).any(|idp| idp.id == session.idp));
    Ok(session.into_iter().map(|session| KeptSession { digest, session }).collect())
}
