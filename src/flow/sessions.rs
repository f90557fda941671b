//! The session of a browser: found, checked against the directory of now, written, ended.

use super::ports::{Ports, Request, Unavailable};
use super::rules::{self, Issued, Whose};
use crate::base::limits::CODE_LIFETIME;
use crate::base::{Digest, Moment, Secret, Span};
use crate::broker::session::{SESSION_VERSION, Session, UPSTREAM_SESSION_VERSION, UpstreamSession, auth_time};
use crate::identity::{User, UserId};
use crate::oidc::idp::SignOutProof;
use crate::oidc::{Client, ClientId, Idp, IdpId};
use crate::state::{Entry, Kind, Name, Record};
use crate::token::standing::Why;
use crate::upstream::VerifiedIdentity;

/// A live session in good standing.
#[derive(Debug)]
pub struct Found {
    pub token: Secret,
    pub session: Session,
    pub user: User,
}

impl Found {
    /// Under which digest the session is kept.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(self.token.expose())
    }
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
    let Some(standing) = ports.directory.users.standing(&session.user, Some(&session.sid), &[]).await? else {
        return Ok(None);
    };
    let holds = rules::hold(request, of(&session, None), Some(&standing).into());
    Ok(holds.is_ok().then(|| Found { token: token.clone(), session, user: standing.user }))
}

/// Whether this client may be answered from that session.
///
/// # Errors
/// The first rule that doesn't hold.
pub fn may_answer(request: &Request, found: &Found, client: &Client) -> Result<(), Why> {
    rules::hold(request, of(&found.session, Some(client)), Whose::new(&found.user))
}

fn of<'a>(session: &'a Session, client: Option<&'a Client>) -> Issued<'a> {
    Issued { client, idp: &session.idp, at: session.created, bound_to_session: true }
}

/// A session on its way to the store, with what goes there beside it.
#[derive(Debug)]
pub struct Ongoing {
    pub token: Secret,
    pub session: Session,
    beside: Vec<Record>,
    entries: Vec<Entry>,
}

impl From<Found> for Ongoing {
    fn from(found: Found) -> Self {
        Self { token: found.token, session: found.session, beside: Vec::new(), entries: Vec::new() }
    }
}

/// Who has just signed in, and where.
#[derive(Clone, Copy, Debug)]
pub struct SignedIn<'a> {
    pub identity: &'a VerifiedIdentity,
    pub user: &'a User,
    pub idp: &'a Idp,
    /// Whether the provider has an address at which people sign out.
    pub can_sign_out: bool,
}

/// A session for the person who has just signed in. Its cookie is always a new one; the public `sid` goes on if the
/// same person signed in again in the same browser, so that a sign-out reaches every client of both.
#[must_use]
pub fn begin(ports: &Ports, request: &Request, signed_in: SignedIn<'_>, before: Option<&Found>) -> Ongoing {
    let SignedIn { identity, user, idp, .. } = signed_in;
    let now = request.now;
    let same = before.filter(|found| found.user.id == user.id && found.session.idp == idp.id);
    let session = Session {
        version: SESSION_VERSION,
        sid: same.map_or_else(|| ports.dice.id(), |found| found.session.sid.clone()),
        user: user.id.clone(),
        directory: user.directory.clone(),
        idp: idp.id.clone(),
        upstream_sid: identity.sid.clone(),
        upstream_subject: Some(identity.subject.clone()),
        auth_time: auth_time(identity.auth_time, now),
        acr: identity.acr.clone(),
        amr: identity.amr.clone(),
        created: now,
        last_used: now,
        last_client: same.and_then(|found| found.session.last_client.clone()),
    };
    let token = Secret::new(ports.dice.token());
    let lifetime = lifetime(&session, request);
    let member = Digest::of(token.expose()).base64url();
    let entries = lists(&session).into_iter().map(|list| Entry { list, member: member.clone(), lifetime }).collect();
    let beside = upstream_session(signed_in).map(|kept| {
        let expires = kept.id_token.as_ref().map(|(_, expires)| Span::from_ms(expires.ms() - now.ms()));
        // An ID token that has expired is sent to nobody.
        let lifetime = expires.map_or(lifetime, |expires| expires.min(lifetime));
        Record { name: upstream_name(&session.sid), bytes: encode(&kept), lifetime }
    });
    Ongoing { token, session, beside: beside.into_iter().collect(), entries }
}

/// The lists that a session stands on.
fn lists(session: &Session) -> Vec<Name> {
    let upstream = |what, value: &Option<String>| value.as_ref().map(|value| upstream_list(&session.idp, what, value));
    let of_user = Some(user_list(&session.user));
    let (of_sid, of_sub) = (upstream("sid", &session.upstream_sid), upstream("sub", &session.upstream_subject));
    [of_user, of_sid, of_sub].into_iter().flatten().collect()
}

/// The list of a user's sessions.
#[must_use]
pub fn user_list(user: &UserId) -> Name {
    Name::of(Kind::SessionsOfUser, &user.0)
}

/// The list of the sessions that an identity provider made under its `sid` or `sub` (that is `what`).
#[must_use]
pub fn upstream_list(idp: &IdpId, what: &'static str, value: &str) -> Name {
    Name::of(Kind::SessionsOfUpstream, &format!("{idp} {what} {value}"))
}

/// The list of the clients that were given a code in a session.
#[must_use]
pub fn client_list(sid: &str) -> Name {
    Name::of(Kind::ClientsOfSession, sid)
}

/// The name of what a forwarded sign-out of that session needs.
#[must_use]
pub fn upstream_name(sid: &str) -> Name {
    Name::of(Kind::UpstreamSession, sid)
}

/// What the provider is told at a forwarded sign-out, if anything is to be forwarded to it.
fn upstream_session(signed_in: SignedIn<'_>) -> Option<UpstreamSession> {
    let SignedIn { identity, idp, .. } = signed_in;
    let kept =
        UpstreamSession { version: UPSTREAM_SESSION_VERSION, idp: idp.id.clone(), id_token: None, login_hint: None };
    let text = |claim: &str| identity.claims.get(claim).and_then(serde_json::Value::as_str).map(Secret::new);
    let expires = identity.claims.get("exp").and_then(serde_json::Value::as_f64);
    let kept = match idp.sign_out {
        SignOutProof::LoginHint => UpstreamSession { login_hint: text("login_hint"), ..kept },
        #[expect(clippy::cast_possible_truncation, reason = "a checked NumericDate: it lies before the year 10000")]
        SignOutProof::IdToken | SignOutProof::FreshIdToken => UpstreamSession {
            id_token: expires.map(|exp| (identity.id_token.clone(), Moment::from_secs(exp as i64))),
            ..kept
        },
    };
    (idp.forward_logout && signed_in.can_sign_out).then_some(kept)
}

impl Ongoing {
    /// What is written when the session has served `client`, or nobody yet.
    #[must_use]
    pub fn writes(self, request: &Request, client: Option<&ClientId>) -> (Vec<Record>, Vec<Entry>) {
        let Self { token, mut session, beside: mut records, mut entries } = self;
        session.last_used = request.now;
        let lifetime = lifetime(&session, request);
        if let Some(client) = client {
            entries.push(Entry { list: client_list(&session.sid), member: client.0.clone(), lifetime });
            session.last_client = Some(client.clone());
        }
        records.push(Record { name: Name::of(Kind::Session, token.expose()), bytes: encode(&session), lifetime });
        (records, entries)
    }
}

/// How long the store must remember a session: until it can't answer any more.
fn lifetime(session: &Session, request: &Request) -> Span {
    Span::from_ms(ends(session, request).plus(CODE_LIFETIME).ms() - request.now.ms())
}

/// The absolute end of a session.
#[must_use]
pub fn ends(session: &Session, request: &Request) -> Moment {
    session.created.plus(request.config.server.session.absolute)
}

/// JSON of a value whose encoding can't fail: plain structs with text keys.
#[must_use]
pub fn encode<T: serde::Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}
