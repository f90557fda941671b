//! The end of a login: a code for the client, or our page of links.

use super::browser::{Keep, RefusalPage, Reply, Say, way_on};
use super::ports::{Ports, Request, Unavailable};
use super::pushed;
use super::sessions::{Ongoing, encode, ends};
use crate::audit::{Fact, Outcome, Trace};
use crate::base::Moment;
use crate::base::limits::CODE_LIFETIME;
use crate::broker::AuthorizationRequest;
use crate::broker::code::{grant, issue};
use crate::i18n::PageError;
use crate::oidc::error::ErrorCode::InvalidRequestUri;
use crate::oidc::{Client, OAuthError};
use crate::state::{Kind, Name, Record};

/// Issues a code to the client and writes code and session in one go.
///
/// # Errors
/// [`Unavailable`] if they could not be written; then no code is out.
pub async fn with_code(
    ports: &Ports,
    request: &Request,
    asked: &AuthorizationRequest,
    ongoing: Ongoing,
    trace: &mut Trace,
) -> Result<Reply, Unavailable> {
    if let Some(pushed) = &asked.pushed
        && !pushed::spend(ports, &asked.client, pushed).await?
    {
        return answered_before(ports, request, asked, ongoing, trace).await;
    }
    let code = ports.dice.token();
    let mut issued = issue(asked, grant(asked, &ongoing.session), request.now, &trace.reference);
    issued.session_ends = Some(ends(&ongoing.session, request));
    let token = ongoing.token.clone();
    let (mut records, entries) = ongoing.writes(request, Some(&asked.client));
    records.push(Record { name: Name::of(Kind::Code, &code), bytes: encode(&issued), lifetime: CODE_LIFETIME });
    ports.state.put_listed(records, entries).await?;
    let scopes = asked.scopes.iter().map(|scope| scope.as_str().to_owned()).collect();
    trace.step(
        ports.clock.now(),
        "code",
        vec![("client", Fact::word(asked.client.0.clone())), ("scopes", Fact::Names(scopes))],
    );
    Ok(Reply::from(Say::Client(asked.back.code(&code))).keeping(Keep::Session(token)))
}

/// The client has had its answer to the pushed request, in another tab. The person has signed in all the same.
async fn answered_before(
    ports: &Ports,
    request: &Request,
    asked: &AuthorizationRequest,
    ongoing: Ongoing,
    trace: &mut Trace,
) -> Result<Reply, Unavailable> {
    let token = ongoing.token.clone();
    let (records, entries) = ongoing.writes(request, None);
    ports.state.put_listed(records, entries).await?;
    let error = OAuthError::new(InvalidRequestUri, "the pushed request was answered before, or took too long");
    Ok(told(ports, asked, error, trace).keeping(Keep::Session(token)))
}

/// Ends the login with an error that goes back to the client. It is an answer too: a pushed request is spent by it.
pub async fn with_error(ports: &Ports, asked: &AuthorizationRequest, error: OAuthError, trace: &mut Trace) -> Reply {
    if let Some(pushed) = &asked.pushed
        && pushed::spend(ports, &asked.client, pushed).await.is_err()
    {
        tracing::warn!(reference = %trace.reference, "a pushed request could not be spent; its time ends it");
    }
    told(ports, asked, error, trace)
}

fn told(ports: &Ports, asked: &AuthorizationRequest, error: OAuthError, trace: &mut Trace) -> Reply {
    ports.metrics.refused(error.code.as_str());
    let facts = vec![("error", Fact::word(error.code.as_str())), ("description", Fact::word(error.description))];
    trace.step(ports.clock.now(), "answer", facts);
    refused(trace);
    Say::Client(asked.back.error(error)).into()
}

/// Ends the login at a page.
#[must_use]
pub fn with_page(ports: &Ports, refusal: PageError, client: Option<&Client>, trace: &mut Trace) -> Reply {
    ports.metrics.refused(refusal.code());
    trace.step(ports.clock.now(), "page", vec![("refusal", Fact::word(refusal.code()))]);
    refused(trace);
    Say::Page(RefusalPage {
        refusal,
        reference: trace.reference.clone(),
        way_on: client.and_then(way_on),
        cancel: None,
    })
    .into()
}

/// A login that failed before has failed, whatever is answered.
fn refused(trace: &mut Trace) {
    if trace.outcome == Outcome::Open {
        trace.outcome = Outcome::Refused;
    }
}

/// A page for a request that never became a login. Traced like one, but only some each minute: nobody fills the
/// database with what proves nothing.
#[must_use]
pub fn page(ports: &Ports, refusal: PageError) -> Reply {
    let now = ports.clock.now();
    let mut trace = ports.trace(now);
    let mut reply = with_page(ports, refusal, None, &mut trace);
    let lost = matches!(refusal, PageError::OtherBrowser | PageError::AlreadyUsed | PageError::LoginExpired);
    if let (true, Say::Page(page)) = (lost, &mut reply.say) {
        // Whose login it was isn't known here; our front page lists where to begin again.
        page.way_on = Some("/".to_owned());
    }
    if ports.unproven.admits(now) {
        tracing::info!(reference = %trace.reference, refusal = refusal.code(), "refused before it became a login");
        ports.directory.traces.keep(trace);
    }
    reply
}

/// Writes the trace of a request that could not become a login: only some each minute, since anybody can send one.
pub fn keep_unproven(ports: &Ports, mut trace: Trace, now: Moment) {
    trace.outcome = Outcome::Refused;
    ports.metrics.login_ended(trace.outcome.as_str());
    if ports.unproven.admits(now) {
        tracing::info!(reference = %trace.reference, outcome = trace.outcome.as_str(), "login");
        ports.directory.traces.keep(trace);
    }
}

/// Writes the trace of a login that has ended, counts it, and logs under which reference it can be looked at.
pub fn keep(ports: &Ports, mut trace: Trace, outcome: Outcome) {
    if trace.outcome == Outcome::Open {
        trace.outcome = outcome;
    }
    let outcome = trace.outcome.as_str();
    ports.metrics.login_ended(outcome);
    tracing::info!(reference = %trace.reference, outcome, "login");
    ports.directory.traces.keep(trace);
}
