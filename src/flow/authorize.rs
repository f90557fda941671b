//! The authorization request: proven, accepted, and sent on its way.

use std::sync::Arc;

use super::admission::AddressKey;
use super::browser::{Arrival, ChoosePage, Reply, Say, Visit};
use super::pause::{self, Pause};
use super::ports::{Ports, Request, Unavailable};
use super::requested::{self, Requested};
use super::sessions::{self, Found};
use super::signing::IdTokenHint;
use super::upstream_login::{self, Departed, Departure};
use super::{finish, handles};
use crate::audit::{Fact, Outcome, Trace};
use crate::broker::AuthorizationRequest;
use crate::broker::next::{LiveSession, Next, next};
use crate::broker::pending::Destination;
use crate::hint::{self, Ask};
use crate::i18n::PageError;
use crate::oidc::error::ErrorCode::LoginRequired;
use crate::oidc::{Client, Idp, IdpId, OAuthError};
use crate::token::subject::Subject;

/// Answers `/acs/authorize` (OIDC Core §3.1.2).
///
/// # Errors
/// [`Unavailable`] if state store or database can't be asked: nobody is sent anywhere then.
pub async fn authorize(ports: &Ports, visit: Visit) -> Result<Reply, Unavailable> {
    let request = ports.request();
    let Requested { client, asked, hint, trace } = match requested::read(ports, &request, &visit).await? {
        Ok(requested) => requested,
        Err(reply) => return Ok(reply),
    };
    if visit.arrival == Arrival::Post && visit.session.is_none() {
        return handles::come_back(ports, "authorize", &visit).await;
    }
    Asking { ports, request: &request, client: &client, visit: &visit }.begin(asked, hint, trace).await
}

/// An accepted request on its way, with everything that decides where it goes.
pub struct Asking<'a> {
    pub ports: &'a Ports,
    pub request: &'a Request,
    pub client: &'a Arc<Client>,
    pub visit: &'a Visit,
}

/// What became of a paused login.
#[derive(Debug)]
pub enum Resumed {
    Gone(Departed),
    /// What was typed belongs to no provider here.
    AskAgain(Vec<Arc<Idp>>),
}

impl Asking<'_> {
    /// Looks for a session, then decides: answer, refuse, ask, or go upstream.
    async fn begin(
        &self,
        mut asked: AuthorizationRequest,
        hint: IdTokenHint,
        mut trace: Trace,
    ) -> Result<Reply, Unavailable> {
        let Self { ports, request, client, .. } = self;
        let found = sessions::find(ports, request, self.visit.session.as_ref()).await?;
        let found = found.filter(|found| sessions::may_answer(request, found, client).is_ok());
        let found = match hint {
            IdTokenHint::None => found,
            IdTokenHint::Of(subject) => {
                asked.subject = Some(subject);
                found
            }
            // A hint that proves nothing signs nobody in silently.
            IdTokenHint::Unusable => None,
        };
        let idps = request.config.idps_of(client);
        let ask = self.ask(&asked, &idps, None);
        let live = found.as_ref().map(|found| self.live(&ask, found));
        let decided = self.decide(&asked, &ask, live.as_ref(), &mut trace);
        match (decided, found) {
            (Next::Refuse(error), _) => {
                let reply = finish::with_error(ports, &asked, error, &mut trace).await;
                finish::keep(ports, trace, Outcome::Refused);
                Ok(reply)
            }
            (Next::Reuse, Some(found)) => {
                let reply = finish::with_code(ports, request, &asked, found.into(), &mut trace).await?;
                finish::keep(ports, trace, Outcome::SignedIn);
                Ok(reply)
            }
            // Reuse is only decided with a session at hand.
            (Next::Reuse, None) => Ok(Say::Client(asked.back.error(LOGIN_NEEDED)).into()),
            (Next::Choose(idps), _) => self.choose(asked, idps, trace).await,
            (Next::Upstream(idp), _) => Ok(self.depart(&asked, &ask, idp, trace).await?.reply),
        }
    }

    /// Goes on with a paused request: with what was typed, the button pressed, or signing in again.
    ///
    /// # Errors
    /// [`Unavailable`] if state store or database can't be asked.
    pub async fn resume(
        &self,
        asked: &AuthorizationRequest,
        chosen: Option<&IdpId>,
        mut trace: Trace,
    ) -> Result<Resumed, Unavailable> {
        let idps = self.request.config.idps_of(self.client);
        let ask = self.ask(asked, &idps, chosen);
        match self.decide(asked, &ask, None, &mut trace) {
            Next::Upstream(idp) => Ok(Resumed::Gone(self.depart(asked, &ask, idp, trace).await?)),
            Next::Choose(idps) => Ok(Resumed::AskAgain(idps)),
            Next::Refuse(error) => {
                let reply = finish::with_error(self.ports, asked, error, &mut trace).await;
                finish::keep(self.ports, trace, Outcome::Refused);
                Ok(Resumed::Gone(reply.into()))
            }
            // There is no session at hand to reuse.
            Next::Reuse => Ok(Resumed::AskAgain(idps)),
        }
    }

    /// The question to the hint policy that this request asks.
    fn ask<'q>(&'q self, asked: &'q AuthorizationRequest, idps: &'q [Arc<Idp>], chosen: Option<&'q IdpId>) -> Ask<'q> {
        Ask {
            path: asked.entry,
            received: asked.hint.as_ref(),
            typed: asked.typed.as_ref(),
            accept_hints: self.client.accept_hints,
            domain: asked.domain.as_deref(),
            prompt: asked.prompt,
            idps,
            directories: &self.request.config.directories,
            chosen,
        }
    }

    fn live<'s>(&self, ask: &Ask<'_>, found: &'s Found) -> LiveSession<'s> {
        LiveSession {
            session: &found.session,
            user: &found.user,
            hint: hint::check_session(ask, &found.user),
            subject: Subject::of(&found.user.id, self.client, &self.ports.pairwise_salt).as_str().to_owned(),
        }
    }

    fn decide(
        &self,
        asked: &AuthorizationRequest,
        ask: &Ask<'_>,
        live: Option<&LiveSession<'_>>,
        trace: &mut Trace,
    ) -> Next {
        let session = live.map_or_else(|| "none".to_owned(), |live| format!("live, hint {}", live.hint.as_str()));
        let realm = hint::home_realm(ask);
        let reasons = realm.reasons().iter().map(|reason| reason.id().to_owned()).collect();
        let facts = vec![("session", Fact::word(session)), ("reasons", Fact::Names(reasons))];
        trace.step(self.ports.clock.now(), "home_realm", facts);
        next(asked, live, realm, self.request.now)
    }

    async fn depart(
        &self,
        asked: &AuthorizationRequest,
        ask: &Ask<'_>,
        idp: Arc<Idp>,
        trace: Trace,
    ) -> Result<Departed, Unavailable> {
        let destination = Destination::Client(Box::new(asked.clone()));
        let departure = Departure { destination, idp, address: self.visit.address, trace };
        upstream_login::depart(self.ports, self.request, ask, departure).await
    }

    async fn choose(
        &self,
        asked: AuthorizationRequest,
        idps: Vec<Arc<Idp>>,
        mut trace: Trace,
    ) -> Result<Reply, Unavailable> {
        let address = AddressKey::from(self.visit.address);
        if self.ports.under_way.begin(address, self.request.bounds(), self.request.now).is_err() {
            let reply = finish::with_page(self.ports, PageError::TooManyLogins, None, &mut trace);
            finish::keep(self.ports, trace, Outcome::Refused);
            return Ok(reply);
        }
        trace.step(self.ports.clock.now(), "page", vec![("page", Fact::word("choose"))]);
        let destination = Destination::Client(Box::new(asked));
        let waiting = Pause::choosing(destination, trace.clone(), self.request.now, address);
        let kept = pause::keep(self.ports, self.request, waiting).await;
        if kept.is_err() {
            self.ports.under_way.end(address, self.request.now);
        }
        let (handle, ticket) = kept?;
        self.ports.directory.traces.keep(trace);
        let page = ChoosePage { handle, client_name: self.client.name.clone(), idps, unknown_address: None };
        Ok(Reply::from(Say::Choose(page)).keeping(ticket))
    }
}

const LOGIN_NEEDED: OAuthError = OAuthError::new(LoginRequired, "the person has to sign in");
