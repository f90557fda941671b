//! The authorization request: proven, accepted, and sent on its way.

use std::sync::Arc;

use super::browser::{Arrival, ChoosePage, Reply, Say, Visit};
use super::finish;
use super::paused::{self, Pause};
use super::ports::{Ports, Request, Unavailable};
use super::sessions::{self, Found};
use super::upstream_login::{self, Departed, Departure};
use crate::audit::{Fact, Outcome, Trace};
use crate::base::Secret;
use crate::base::limits::HANDLE_LIFETIME;
use crate::base::text::LoginHint;
use crate::broker::accept::accept;
use crate::broker::next::{LiveSession, Next, next};
use crate::broker::pending::Destination;
use crate::broker::request::{client_id, validate_client};
use crate::broker::{AuthorizationRequest, ClientRequest};
use crate::hint::{self, Ask, EntryPath};
use crate::oidc::error::ErrorCode::{LoginRequired, TemporarilyUnavailable};
use crate::oidc::params::Params;
use crate::oidc::{Client, Idp, IdpId, OAuthError};
use crate::state::{Kind, Name, Record};
use crate::token::subject::Subject;

/// Answers `/acs/authorize` (OIDC Core §3.1.2).
///
/// # Errors
/// [`Unavailable`] before the client is proven; after that it is told the client.
pub async fn authorize(ports: &Ports, visit: Visit) -> Result<Reply, Unavailable> {
    let request = ports.request();
    let client = match client_id(&visit.params) {
        Ok(id) => request.config.client(id).cloned(),
        Err(refusal) => return Ok(finish::page(ports, refusal)),
    };
    let proven = match validate_client(client, &visit.params, &request.config.server.issuer) {
        Ok(proven) => proven,
        Err(refusal) => return Ok(finish::page(ports, refusal)),
    };
    let ClientRequest { client, .. } = &proven;
    let client = Arc::clone(client);
    let entry = if visit.arrival == Arrival::Get { EntryPath::Get } else { EntryPath::Post };
    let mut trace = ports.trace(request.now);
    trace.step(
        request.now,
        "authorization_request",
        vec![
            ("client", Fact::word(client.id.0.clone())),
            ("configuration", Fact::word(format!("{:?}", request.config.version))),
            (
                "parameters",
                Fact::Names(visit.params.pairs().map(|(name, _)| name.chars().take(40).collect()).take(40).collect()),
            ),
        ],
    );
    let asked = match accept(proven, entry) {
        Ok(asked) => asked,
        Err(back) => {
            let (back, error) = *back;
            trace.step(
                request.now,
                "answer",
                vec![("error", Fact::word(error.code.as_str())), ("description", Fact::word(error.description))],
            );
            ports.metrics.refused(error.code.as_str());
            finish::keep(ports, trace, Outcome::Refused);
            return Ok(Say::Client(back.error(error)).into());
        }
    };
    if visit.arrival == Arrival::Post && visit.session.is_none() {
        return come_back(ports, &visit.params).await;
    }
    proceed(ports, &request, &client, asked, &visit, trace).await
}

/// Keeps a POST under a one-use handle: the browser comes back by GET, where its Lax cookies are seen.
///
/// # Errors
/// [`Unavailable`] if it can't be kept.
pub async fn come_back(ports: &Ports, params: &Params) -> Result<Reply, Unavailable> {
    let handle = ports.dice.token();
    let name = Name::of(Kind::Handle, &handle);
    let record = Record { name, bytes: params.encode().into_bytes(), lifetime: HANDLE_LIFETIME };
    ports.state.put(vec![record]).await?;
    Ok(Say::ComeBack(Secret::new(handle)).into())
}

async fn proceed(
    ports: &Ports,
    request: &Request,
    client: &Arc<Client>,
    mut asked: AuthorizationRequest,
    visit: &Visit,
    mut trace: Trace,
) -> Result<Reply, Unavailable> {
    let found = match find_session(ports, request, visit, &asked).await {
        Ok(found) => found,
        Err(reply) => return Ok(reply),
    };
    let found = found.filter(|found| sessions::may_answer(request, found, client).is_ok());
    let found = match id_token_hint(ports, request, client, &visit.params) {
        IdTokenHint::None => found,
        IdTokenHint::Of(subject) => {
            asked.subject = Some(subject);
            found
        }
        // A hint that proves nothing signs nobody in silently.
        IdTokenHint::Unusable => None,
    };
    let idps = request.config.idps_of(client);
    let ask = ask(&asked, client, &idps, request);
    let live = found.as_ref().map(|found| LiveSession {
        session: &found.session,
        user: &found.user,
        hint: hint::check_session(&ask, &found.user),
        subject: Subject::of(&found.user.id, client, &ports.pairwise_salt).as_str().to_owned(),
    });
    trace_session(ports, live.as_ref(), &mut trace);
    let realm = hint::home_realm(&ask);
    trace.step(
        ports.clock.now(),
        "home_realm",
        vec![("reasons", Fact::Names(realm.reasons().iter().map(|r| r.id().to_owned()).collect()))],
    );
    match (next(&asked, live.as_ref(), realm, request.now), found) {
        (Next::Refuse(error), _) => {
            let reply = finish::with_error(ports, &asked, error, &mut trace);
            finish::keep(ports, trace, Outcome::Refused);
            Ok(reply)
        }
        (Next::Reuse, Some(found)) => {
            let session = (found.token, found.session);
            let reply = finish::with_code(ports, request, &asked, session, &mut trace).await?;
            finish::keep(ports, trace, Outcome::SignedIn);
            Ok(reply)
        }
        // Reuse is only decided with a session at hand.
        (Next::Reuse, None) => {
            let error = OAuthError::new(LoginRequired, "the person has to sign in");
            Ok(finish::with_error(ports, &asked, error, &mut trace))
        }
        (Next::Choose(idps), _) => choose(ports, request, client, asked, idps, trace).await,
        (Next::Upstream(idp), _) => {
            let departure = Departure {
                destination: Destination::Client(Box::new(asked.clone())),
                idp,
                address: visit.address,
                trace,
            };
            Ok(upstream_login::depart(ports, request, &ask, departure).await?.reply)
        }
    }
}

/// The question to the hint policy that this request asks.
#[must_use]
pub fn ask<'a>(
    asked: &'a AuthorizationRequest,
    client: &Client,
    idps: &'a [Arc<Idp>],
    request: &'a Request,
) -> Ask<'a> {
    Ask {
        path: asked.entry,
        received: asked.hint.as_ref(),
        typed: None,
        accept_hints: client.accept_hints,
        domain: asked.domain.as_deref(),
        prompt: asked.prompt,
        idps,
        directories: &request.config.directories,
        chosen: None,
    }
}

/// What a person said at one of our pages, in answer to a paused login.
#[derive(Debug, Default)]
pub struct Said {
    pub typed: Option<LoginHint>,
    pub chosen: Option<IdpId>,
}

/// Goes on with a paused request: with what was typed, the button pressed, or signing in again.
///
/// # Errors
/// [`Unavailable`] if state store or database can't be asked.
pub async fn resume(
    ports: &Ports,
    request: &Request,
    client: &Arc<Client>,
    pause: (AuthorizationRequest, Said),
    visit: &Visit,
    mut trace: Trace,
) -> Result<Resumed, Unavailable> {
    let (asked, said) = pause;
    let idps = request.config.idps_of(client);
    let ask = Ask { typed: said.typed.as_ref(), chosen: said.chosen.as_ref(), ..ask(&asked, client, &idps, request) };
    let realm = hint::home_realm(&ask);
    trace.step(
        ports.clock.now(),
        "home_realm",
        vec![("reasons", Fact::Names(realm.reasons().iter().map(|r| r.id().to_owned()).collect()))],
    );
    match next(&asked, None, realm, request.now) {
        Next::Upstream(idp) => {
            let departure = Departure {
                destination: Destination::Client(Box::new(asked.clone())),
                idp,
                address: visit.address,
                trace,
            };
            upstream_login::depart(ports, request, &ask, departure).await.map(Resumed::Gone)
        }
        Next::Choose(idps) => Ok(Resumed::AskAgain(idps)),
        Next::Refuse(error) => Ok(Resumed::Gone(finish::with_error(ports, &asked, error, &mut trace).into())),
        Next::Reuse => Ok(Resumed::AskAgain(idps)),
    }
}

/// What became of a paused login.
#[derive(Debug)]
pub enum Resumed {
    Gone(Departed),
    /// What was typed belongs to no provider here.
    AskAgain(Vec<Arc<Idp>>),
}

async fn find_session(
    ports: &Ports,
    request: &Request,
    visit: &Visit,
    asked: &AuthorizationRequest,
) -> Result<Option<Found>, Reply> {
    sessions::find(ports, request, visit.session.as_ref()).await.map_err(|_| {
        let error = OAuthError::new(TemporarilyUnavailable, "a part of the service is unavailable");
        Say::Client(asked.back.error(error)).into()
    })
}

async fn choose(
    ports: &Ports,
    request: &Request,
    client: &Client,
    asked: AuthorizationRequest,
    idps: Vec<Arc<Idp>>,
    mut trace: Trace,
) -> Result<Reply, Unavailable> {
    trace.step(ports.clock.now(), "page", vec![("page", Fact::word("choose"))]);
    let (handle, ticket) = paused::keep(ports, request, Pause::choosing(asked, trace.clone(), request.now)).await?;
    ports.directory.traces.keep(trace);
    let page = ChoosePage { handle, client_name: client.name.clone(), idps, unknown_address: None };
    Ok(Reply::from(Say::Choose(page)).keeping(ticket))
}

enum IdTokenHint {
    None,
    Of(String),
    Unusable,
}

/// OIDC Core §3.1.2.1: an ID token of ours for this client, expired or not, names the person.
fn id_token_hint(ports: &Ports, request: &Request, client: &Client, params: &Params) -> IdTokenHint {
    let Some(token) = params.get("id_token_hint") else { return IdTokenHint::None };
    let ring = ports.ring.load();
    match super::signing::read_id_token(&ring, token, &request.config.server.issuer) {
        Some(hint) if hint.audience == client.id.0 => IdTokenHint::Of(hint.subject),
        _ => IdTokenHint::Unusable,
    }
}

fn trace_session(ports: &Ports, live: Option<&LiveSession<'_>>, trace: &mut Trace) {
    let fact = match live {
        None => Fact::word("none"),
        Some(live) => Fact::word(format!("live, hint {}", live.hint.as_str())),
    };
    trace.step(ports.clock.now(), "session", vec![("session", fact)]);
}
