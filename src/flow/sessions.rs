//! The session of a browser: found, checked against the directory of now, written, ended.

use super::ports::{Ports, Request, Unavailable};
use crate::base::limits::CODE_LIFETIME;
use crate::base::{Moment, Secret};
use crate::broker::session::{SESSION_VERSION, Session, auth_time};
use crate::identity::User;
use crate::oidc::{Client, IdpId};
use crate::state::{Kind, Name, Record};
use crate::token::standing::{Rules, Why, check, check_user};
use crate::upstream::VerifiedIdentity;

/// A live session in good standing.
#[derive(Debug)]
pub struct Found {
    pub token: Secret,
    pub session: Session,
    pub user: User,
}

/// The browser's session, if it lives, its user may still sign in and its provider is still there.
///
/// # Errors
/// [`Unavailable`] if that can't be told now: neither yes nor no is assumed.
pub async fn find(ports: &Ports, request: &Request, token: Option<&Secret>) -> Result<Option<Found>, Unavailable> {
    let Some(token) = token else { return Ok(None) };
    let Some(bytes) = ports.state.peek(Name::of(Kind::Session, token.expose())).await? else { return Ok(None) };
    let lifetimes = request.config.server.session;
    let Some(session) = Session::decode(&bytes).filter(|s| s.is_alive(request.now, lifetimes.idle, lifetimes.absolute))
    else {
        return Ok(None);
    };
    let Some(standing) = ports.directory.users.standing(&session.user, Some(&session.sid), None).await? else {
        return Ok(None);
    };
    let idp = request.config.idps.get(&session.idp).filter(|idp| idp.enabled);
    let holds = idp.is_some_and(|idp| check_user(Some(&standing.user), idp, session.created).is_ok());
    Ok((holds && !standing.signed_out).then(|| Found { token: token.clone(), session, user: standing.user }))
}

/// Whether this client may be answered from that session.
///
/// # Errors
/// The first rule that doesn't hold.
pub fn may_answer(request: &Request, found: &Found, client: &Client) -> Result<(), Why> {
    check(&Rules {
        idp: request.config.idps.get(&found.session.idp).map(AsRef::as_ref),
        client,
        user: Some(&found.user),
        issued: found.session.created,
        bound_to_session: true,
        signed_out: false,
        revoked: false,
    })
}

/// A session for the person who has just signed in. Its cookie is always a new one; the public `sid` goes on if the
/// same person signed in again in the same browser, so that a sign-out reaches every client of both.
#[must_use]
pub fn begin(
    ports: &Ports,
    now: Moment,
    (identity, user, idp): (&VerifiedIdentity, &User, &IdpId),
    before: Option<&Found>,
) -> (Secret, Session) {
    let same = before.filter(|found| found.user.id == user.id && found.session.idp == *idp);
    let session = Session {
        version: SESSION_VERSION,
        sid: same.map_or_else(|| ports.dice.id(), |found| found.session.sid.clone()),
        user: user.id.clone(),
        directory: user.directory.clone(),
        idp: idp.clone(),
        upstream_sid: identity.sid.clone(),
        auth_time: auth_time(identity.auth_time, now),
        acr: identity.acr.clone(),
        amr: identity.amr.clone(),
        created: now,
        last_used: now,
        clients: same.map_or_else(Vec::new, |found| found.session.clients.clone()),
    };
    (Secret::new(ports.dice.token()), session)
}

/// The record of a session as it is written.
#[must_use]
pub fn record(token: &Secret, session: &Session, request: &Request) -> Record {
    let absolute = request.config.server.session.absolute;
    Record {
        name: Name::of(Kind::Session, token.expose()),
        bytes: encode(session),
        // The store may forget it when it can't answer any more.
        lifetime: crate::base::Span::from_ms(
            session.created.plus(absolute).plus(CODE_LIFETIME).ms() - request.now.ms(),
        ),
    }
}

/// JSON of a value whose encoding can't fail: plain structs with text keys.
#[must_use]
pub fn encode<T: serde::Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

/// Ends a session for good: durably first, so that no restored store brings it back.
///
/// # Errors
/// [`Unavailable`] if it could not be ended.
pub async fn end(ports: &Ports, request: &Request, found: &Found) -> Result<(), Unavailable> {
    let until = found.session.created.plus(request.config.server.session.absolute);
    ports.directory.sign_outs.sign_out(&found.session.sid, request.now, until).await?;
    ports.state.forget(Name::of(Kind::Session, found.token.expose())).await?;
    Ok(())
}
