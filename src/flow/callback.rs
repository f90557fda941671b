//! The identity provider's answer: bound to this browser, exchanged, checked, matched, admitted.

use std::sync::Arc;

use super::admission::AddressKey;
use super::browser::{Arrival, Keep, Reply, Say, Visit, ticket_id, way_on};
use super::handles::come_back;
use super::pause::{self, Pause};
use super::ports::{Ports, Request, Unavailable};
use super::rules::{self, Issued, Whose};
use super::sessions::SignedIn;
use super::upstream_login::{as_oauth, as_refusal, keep_hint, note_fault};
use super::{farewell, finish, sessions};
use crate::audit::{Fact, Outcome, Trace};
use crate::base::limits::{LOGIN_STEP, PENDING_LIFETIME};
use crate::broker::admit::{check_freshness, match_key};
use crate::broker::callback::{CallbackEnd, Expected, callback as check_answer};
use crate::broker::pending::{Destination, PendingLogin, pending_token};
use crate::hint::{Verdict, check_return};
use crate::i18n::PageError;
use crate::identity::{DirectoryKind, User};
use crate::oidc::error::ErrorCode::LoginRequired;
use crate::oidc::idp::HintForm;
use crate::oidc::{Client, Idp, IdpId, OAuthError};
use crate::state::{Kind, Name, Taken};
use crate::token::subject::Subject;
use crate::upstream::{CodeCall, UpstreamFault, VerifiedIdentity, wanted_claims};

/// Answers our redirect URIs at identity providers; `at` is the provider in the path, none at the shared one.
///
/// # Errors
/// [`Unavailable`] if state store or database can't be asked.
pub async fn callback(ports: &Ports, visit: Visit, at: Option<IdpId>) -> Result<Reply, Unavailable> {
    let request = ports.request();
    if visit.params.repeated().is_some() {
        return Ok(finish::page(ports, PageError::MalformedRequest));
    }
    let Some(state) = visit.params.get("state").map(str::to_owned) else {
        return Ok(finish::page(ports, PageError::OtherBrowser));
    };
    let Some(binding) = visit.binding(&state) else {
        if visit.arrival == Arrival::Post {
            return come_back(ports, "callback", &visit).await;
        }
        return Ok(finish::page(ports, PageError::OtherBrowser));
    };
    let name = Name::of(Kind::PendingLogin, &pending_token(&state, binding.expose()));
    let pending = match ports.state.take(name, Vec::new(), PENDING_LIFETIME).await? {
        Taken::Once(bytes) => PendingLogin::decode(&bytes),
        Taken::Already(_) => return already_used(ports, &request, &visit).await,
        Taken::Never => None,
    };
    let Some(pending) = pending else {
        let forget = Keep::ForgetTicket { id: ticket_id(&state) };
        return Ok(finish::page(ports, PageError::LoginExpired).keeping(forget));
    };
    ports.under_way.end(AddressKey(pending.counted_at), pending.started);
    // The ticket stays until its time is up: should this answer come again, it tells "used" from "not yours".
    Answered { ports, request, visit, at }.end(pending).await
}

/// A046: the way on leads to the service that the browser's session served last.
async fn already_used(ports: &Ports, request: &Request, visit: &Visit) -> Result<Reply, Unavailable> {
    let found = sessions::find(ports, request, visit.session.as_ref()).await?;
    let mut reply = finish::page(ports, PageError::AlreadyUsed);
    let served = found.as_ref().and_then(|found| found.session.last_client.as_ref());
    let client = served.and_then(|id| request.config.clients.get(id));
    if let (Say::Page(page), Some(client)) = (&mut reply.say, client) {
        page.way_on = way_on(client);
    }
    Ok(reply)
}

/// One answer, with everything that its checks need.
struct Answered<'a> {
    ports: &'a Ports,
    request: Request,
    visit: Visit,
    at: Option<IdpId>,
}

/// Why a login ends without a session. Where it is told depends on whether a client waits.
enum End {
    Page(PageError),
    Error(OAuthError, PageError),
    /// Another person than hinted at signed in.
    Mismatch,
    /// Nobody here, or nobody who may enter: a page says so, and leads back to the client.
    Barred,
    Unavailable(Unavailable),
}

impl From<Unavailable> for End {
    fn from(unavailable: Unavailable) -> Self {
        Self::Unavailable(unavailable)
    }
}

impl Answered<'_> {
    async fn end(self, mut pending: PendingLogin) -> Result<Reply, Unavailable> {
        let mut trace = std::mem::replace(&mut pending.trace, Trace::begin(String::new(), pending.started));
        let reply = match self.sign_in(&pending, &mut trace).await {
            Ok((identity, user)) => self.admit(&pending, &identity, &user, &mut trace).await?,
            Err(End::Unavailable(unavailable)) => {
                // The page that follows has a reference of its own; this login's trace ends here.
                finish::keep(self.ports, trace, Outcome::Failed);
                return Err(unavailable);
            }
            Err(End::Mismatch) => return self.mismatch(&pending, trace).await,
            Err(End::Barred) => return self.barred(&pending, trace).await,
            Err(End::Page(refusal)) => {
                let client = pending.request().and_then(|asked| self.request.config.clients.get(&asked.client));
                finish::with_page(self.ports, refusal, client.map(AsRef::as_ref), &mut trace)
            }
            Err(End::Error(error, refusal)) => match pending.request() {
                Some(asked) => finish::with_error(self.ports, asked, error, &mut trace).await,
                None => finish::with_page(self.ports, refusal, None, &mut trace),
            },
        };
        finish::keep(self.ports, trace, Outcome::SignedIn);
        Ok(reply)
    }

    /// Every check between the provider's answer and a person who may enter.
    async fn sign_in(&self, pending: &PendingLogin, trace: &mut Trace) -> Result<(VerifiedIdentity, User), End> {
        let idp = self.provider(pending)?;
        self.check_way(pending, trace)?;
        let exchanged = tokio::time::timeout(LOGIN_STEP.as_std(), self.exchange(pending, &idp, trace)).await;
        let identity = exchanged.unwrap_or_else(|_| {
            let fault = UpstreamFault::Unavailable { detail: "the provider took too long".to_owned() };
            Err(self.upstream_end(&idp, &fault, trace))
        })?;
        let user = self.find_user(&idp, &identity, trace).await?;
        self.check_rules(pending, &user, trace)?;
        let shown = check_freshness(pending, &idp, identity.auth_time, self.request.now)
            .map_err(|error| End::Error(error, PageError::ProviderRefused))?;
        trace.step(self.ports.clock.now(), "freshness", vec![("shown", Fact::word(shown.as_str()))]);
        self.keep_hint(&idp, &identity, &user).await?;
        let verdict = check_return(&pending.guard, &user, &identity.claims);
        trace.step(self.ports.clock.now(), "hint_check", vec![("verdict", Fact::word(verdict.as_str()))]);
        if verdict == Verdict::Mismatch {
            return Err(End::Mismatch);
        }
        if !self.is_asked_subject(pending, &user) {
            let error = OAuthError::new(LoginRequired, "another person than asked for signed in");
            return Err(End::Error(error, PageError::NotProvisioned));
        }
        Ok((identity, user))
    }

    /// Entra's opaque `login_hint` claim names the person better than any user name, next time.
    async fn keep_hint(&self, idp: &Idp, identity: &VerifiedIdentity, user: &User) -> Result<(), End> {
        let claim = identity.claims.get("login_hint").and_then(serde_json::Value::as_str);
        match claim.filter(|_| idp.hint.as_ == HintForm::Upstream) {
            Some(claim) => Ok(keep_hint(self.ports, user, idp, claim).await?),
            None => Ok(()),
        }
    }

    /// OIDC Core §3.1.2.2: a subject that was asked for by `id_token_hint` or `claims` is the one that signed in.
    fn is_asked_subject(&self, pending: &PendingLogin, user: &User) -> bool {
        let asked = pending.request().and_then(|asked| Some((asked.subject.as_ref()?, &asked.client)));
        asked.is_none_or(|(subject, client)| {
            let client = self.request.config.clients.get(client);
            client.is_some_and(|c| Subject::of(&user.id, c, &self.ports.pairwise_salt).as_str() == subject)
        })
    }

    /// The provider as the login began with it; gone from the files, the login is over.
    fn provider(&self, pending: &PendingLogin) -> Result<Arc<Idp>, End> {
        if !self.request.config.idps.contains_key(&pending.idp) {
            return Err(End::Page(PageError::LoginExpired));
        }
        let pinned = self.ports.config.version(&pending.config);
        let config = pinned.as_ref().unwrap_or(&self.request.config);
        config.idps.get(&pending.idp).cloned().ok_or(End::Page(PageError::LoginExpired))
    }

    async fn exchange(
        &self,
        pending: &PendingLogin,
        idp: &Arc<Idp>,
        trace: &mut Trace,
    ) -> Result<VerifiedIdentity, End> {
        let ports = self.ports;
        let facts = ports.upstream.provider(idp).await.map_err(|fault| self.upstream_end(idp, &fault, trace))?;
        let expected = Expected {
            issuer: &facts.issuer,
            announces_iss: facts.announces_iss,
            at: self.at.as_ref(),
            shared: idp.shared_redirect,
        };
        let code = check_answer(pending, &self.visit.params, &expected, self.request.now).map_err(|end| {
            self.trace_answer(&end, idp, trace);
            match end {
                CallbackEnd::Page(refusal) => End::Page(refusal),
                CallbackEnd::Back(error) => End::Error(error, PageError::ProviderRefused),
            }
        })?;
        let exchanged = ports
            .upstream
            .exchange(
                idp,
                &facts,
                &CodeCall {
                    code: code.0.expose(),
                    verifier: &pending.verifier,
                    redirect_uri: &pending.redirect_uri,
                    nonce: pending.nonce.expose(),
                    wanted: &self.wanted(idp),
                },
            )
            .await;
        let identity = exchanged.map_err(|fault| self.upstream_end(idp, &fault, trace))?;
        let names = identity.claims.keys().cloned().collect();
        trace.step(
            ports.clock.now(),
            "id_token",
            vec![
                ("checks", Fact::word("signature, iss, aud, azp, exp, iat, nonce passed")),
                ("claims", Fact::Names(names)),
                ("token_ms", Fact::Count(identity.timings.token.ms())),
                ("verification_ms", Fact::Count(identity.timings.verification.ms())),
                (
                    "userinfo",
                    Fact::word(
                        identity
                            .timings
                            .userinfo
                            .map_or_else(|| "not asked".to_owned(), |took| format!("asked, {} ms", took.ms())),
                    ),
                ),
            ],
        );
        Ok(identity)
    }

    /// The claims that must be had: in a provisioned directory the one that finds the person is enough.
    fn wanted(&self, idp: &Idp) -> Vec<String> {
        let directory = self.request.config.directories.get(&idp.directory);
        match directory.map(|directory| directory.kind) {
            Some(DirectoryKind::Provisioned) => vec![idp.matching.claim.clone()],
            _ => wanted_claims(idp),
        }
    }

    fn upstream_end(&self, idp: &Idp, fault: &UpstreamFault, trace: &mut Trace) -> End {
        note_fault(self.ports, idp, fault, trace);
        End::Error(as_oauth(fault), as_refusal(fault))
    }

    /// What the provider said in place of a code; its own words stay in the trace.
    fn trace_answer(&self, end: &CallbackEnd, idp: &Idp, trace: &mut Trace) {
        let mut facts = vec![("provider", Fact::word(idp.id.0.clone()))];
        if let CallbackEnd::Page(refusal) = end {
            tracing::warn!(idp = %idp.id, reference = %trace.reference, refusal = refusal.code(), "callback refused");
        }
        for name in ["error", "error_description"] {
            if let Some(text) = self.visit.params.get(name) {
                facts.push((name, Fact::foreign(text)));
            }
        }
        trace.step(self.ports.clock.now(), "callback", facts);
    }

    async fn find_user(&self, idp: &Idp, identity: &VerifiedIdentity, trace: &mut Trace) -> Result<User, End> {
        let key = match_key(idp, &identity.claims).map_err(|why| {
            trace.step(
                self.ports.clock.now(),
                "match",
                vec![("claim", Fact::word(idp.matching.claim.clone())), ("failed", Fact::word(why.as_str()))],
            );
            End::Barred
        })?;
        let found = super::matching::find(self.ports, &self.request, idp, identity, &key).await?;
        trace.step(
            self.ports.clock.now(),
            "match",
            vec![
                ("claim", Fact::word(idp.matching.claim.clone())),
                ("attribute", Fact::word(key.attribute)),
                ("result", Fact::word(found.as_str())),
            ],
        );
        found.user().ok_or(End::Barred)
    }

    /// The client that waits, as it is configured now; without it or its redirect URI any more, the login is over.
    fn client(&self, pending: &PendingLogin) -> Result<Option<&Client>, End> {
        let Some(asked) = pending.request() else { return Ok(None) };
        let client = self.request.config.clients.get(&asked.client).map(AsRef::as_ref);
        client.filter(|client| asked.is_of(client)).map(Some).ok_or(End::Page(PageError::LoginExpired))
    }

    /// A provider or client that was switched off meanwhile: nothing is asked of the provider any more.
    fn check_way(&self, pending: &PendingLogin, trace: &mut Trace) -> Result<(), End> {
        rules::way(&self.request, self.client(pending)?, &pending.idp).map_err(|why| {
            trace.step(self.ports.clock.now(), "rules", vec![("failed", Fact::word(why.to_string()))]);
            End::Barred
        })
    }

    /// The rules of now, not those of the login's start: provider, client, person may have changed meanwhile.
    fn check_rules(&self, pending: &PendingLogin, user: &User, trace: &mut Trace) -> Result<(), End> {
        let client = self.client(pending)?;
        let issued = Issued { client, idp: &pending.idp, at: self.request.now, bound_to_session: false };
        rules::hold(&self.request, issued, Whose::new(user)).map_err(|why| {
            trace.step(self.ports.clock.now(), "rules", vec![("failed", Fact::word(why.to_string()))]);
            End::Barred
        })
    }

    /// A new session, and the code for the client that waits.
    async fn admit(
        &self,
        pending: &PendingLogin,
        identity: &VerifiedIdentity,
        user: &User,
        trace: &mut Trace,
    ) -> Result<Reply, Unavailable> {
        let before = sessions::find(self.ports, &self.request, self.visit.session.as_ref()).await?;
        let idp = self.request.config.idps.get(&pending.idp);
        let Some(idp) = idp else { return Ok(finish::page(self.ports, PageError::LoginExpired)) };
        // From memory: the exchange has just asked for them.
        let facts = self.ports.upstream.provider(idp).await;
        let can_sign_out = facts.is_ok_and(|facts| facts.end_session.url().is_some());
        let signed_in = SignedIn { identity, user, idp, can_sign_out };
        let ongoing = sessions::begin(self.ports, &self.request, signed_in, before.as_ref());
        let frames = match &before {
            Some(before) => self.retire(before, &ongoing.session.sid).await?,
            None => Vec::new(),
        };
        let reply = match &pending.destination {
            Destination::Client(asked) => finish::with_code(self.ports, &self.request, asked, ongoing, trace).await?,
            Destination::Links { .. } => {
                let token = ongoing.token.clone();
                let (records, entries) = ongoing.writes(&self.request, None);
                self.ports.state.put_listed(records, entries).await?;
                // Our page of links has an address of its own, which can be loaded again.
                Reply::from(Say::Go("/".to_owned())).keeping(Keep::Session(token))
            }
        };
        Ok(reply.by_way_of(frames))
    }

    /// The browser's old session gives way: it ends for good, also at its clients, unless the same person goes on with
    /// its `sid`. Gives the frames by which clients are told.
    async fn retire(&self, before: &sessions::Found, sid: &str) -> Result<Vec<String>, Unavailable> {
        if before.session.sid == sid {
            self.ports.state.forget(Name::of(Kind::Session, before.token.expose())).await?;
            return Ok(Vec::new());
        }
        let served = farewell::end(self.ports, &self.request, &before.into()).await?;
        Ok(farewell::frames(&self.request, &before.session.sid, &served))
    }

    /// The person isn't provisioned, or may not enter: one page for all, and the way back to the client.
    async fn barred(&self, pending: &PendingLogin, mut trace: Trace) -> Result<Reply, Unavailable> {
        let mut reply = finish::with_page(self.ports, PageError::NotProvisioned, None, &mut trace);
        if let (Some(_), Say::Page(page)) = (pending.request(), &mut reply.say) {
            let pause = Pause::barred(pending.destination.clone(), trace.clone(), self.request.now);
            let (handle, ticket) = pause::keep(self.ports, &self.request, pause).await?;
            page.cancel = Some(handle);
            reply.cookies.push(ticket);
        }
        finish::keep(self.ports, trace, Outcome::Refused);
        Ok(reply)
    }

    /// Somebody else than hinted at signed in: no session, no code; the person decides.
    async fn mismatch(&self, pending: &PendingLogin, mut trace: Trace) -> Result<Reply, Unavailable> {
        self.ports.metrics.refused("hint_mismatch");
        trace.step(self.ports.clock.now(), "page", vec![("page", Fact::word("mismatch"))]);
        trace.outcome = Outcome::Refused;
        let reference_shown = trace.reference.clone();
        let pause =
            Pause::mismatched(pending.destination.clone(), pending.idp.clone(), trace.clone(), self.request.now);
        let (handle, ticket) = pause::keep(self.ports, &self.request, pause).await?;
        let provider = self.request.config.idps.get(&pending.idp).map_or(String::new(), |idp| idp.name.clone());
        finish::keep(self.ports, trace, Outcome::Refused);
        Ok(Reply::from(Say::Mismatch { handle, provider, reference: reference_shown }).keeping(ticket))
    }
}
