//! Sends a login to its identity provider.

use std::net::IpAddr;
use std::sync::Arc;

use super::admission::AddressKey;
use super::browser::{Keep, Reply, Say, ticket_id};
use super::finish;
use super::ports::{Ports, Request, Unavailable};
use super::sessions::encode;
use url::Url;

use crate::audit::{Fact, Outcome, Trace};
use crate::base::limits::PENDING_LIFETIME;
use crate::base::{Digest, Secret};
use crate::broker::pending::{
    Destination, FreshSecrets, PENDING_VERSION, PendingLogin, UpstreamRequest, pending_token, upstream_request,
};
use crate::directory::{Database, DirectoryFault};
use crate::hint::{self, Ask, Decision, Lookup};
use crate::i18n::PageError;
use crate::identity::User;
use crate::keys::seal::Seal;
use crate::oidc::error::ErrorCode::{ServerError, TemporarilyUnavailable};
use crate::oidc::idp::HintForm;
use crate::oidc::{Idp, OAuthError};
use crate::state::{Kind, Name, Record};
use crate::upstream::{AuthorizationCall, ProviderFacts, UpstreamFault, authorization_url};

/// A login about to leave for its provider.
#[derive(Debug)]
pub struct Departure {
    pub destination: Destination,
    pub idp: Arc<Idp>,
    pub address: IpAddr,
    pub trace: Trace,
}

/// What became of a [`Departure`].
#[derive(Debug)]
pub struct Departed {
    pub reply: Reply,
    /// The name of the pending login, if it did depart.
    pub pending: Option<Digest>,
}

impl From<Reply> for Departed {
    fn from(reply: Reply) -> Self {
        Self { reply, pending: None }
    }
}

/// Decides on the hint, draws fresh secrets, keeps the pending login, and names the address to go to.
///
/// # Errors
/// [`Unavailable`] if state store or database can't be asked.
pub async fn depart(
    ports: &Ports,
    request: &Request,
    ask: &Ask<'_>,
    departure: Departure,
) -> Result<Departed, Unavailable> {
    let Departure { destination, idp, address, mut trace } = departure;
    let facts = match ports.upstream.provider(&idp).await {
        Ok(facts) => facts,
        Err(fault) => return Ok(unreachable(ports, &destination, &idp, &fault, trace).await.into()),
    };
    if ports.under_way.begin(AddressKey::from(address), request.bounds(), request.now).is_err() {
        let reply = finish::with_page(ports, PageError::TooManyLogins, None, &mut trace);
        finish::keep(ports, trace, Outcome::Refused);
        return Ok(reply.into());
    }
    let departure = Departure { destination, idp, address, trace };
    let departed = leave(ports, request, ask, (&facts, departure)).await;
    if departed.is_err() {
        // It never left: its place is for others.
        ports.under_way.end(AddressKey::from(address), request.now);
    }
    departed
}

/// The departure of a login that has its place.
async fn leave(
    ports: &Ports,
    request: &Request,
    ask: &Ask<'_>,
    (facts, departure): (&ProviderFacts, Departure),
) -> Result<Departed, Unavailable> {
    let Departure { destination, idp, address, mut trace } = departure;
    let decision = decide(ports, &idp, ask).await?;
    trace_decision(ports, ask, &decision, &mut trace);
    let fresh = draw(ports);
    let upstream =
        upstream_request(&destination, &idp, &decision, &fresh, redirect_uri(&request.config.server.base_url, &idp));
    let url = authorization_url(facts, &idp, &call(&upstream));
    let sent = url.query_pairs().map(|(name, _)| name.into_owned()).collect();
    trace.step(
        ports.clock.now(),
        "upstream_request",
        vec![("provider", Fact::word(idp.id.0.clone())), ("parameters", Fact::Names(sent))],
    );
    let pending = PendingLogin {
        version: PENDING_VERSION,
        started: request.now,
        destination,
        idp: idp.id.clone(),
        redirect_uri: upstream.redirect_uri.clone(),
        nonce: fresh.nonce,
        verifier: fresh.verifier,
        guard: decision.guard().clone(),
        login_forced: upstream.prompt.as_deref() == Some("login"),
        config: request.config.version,
        trace,
        counted_at: AddressKey::from(address).0,
    };
    let token = pending_token(fresh.state.expose(), fresh.binding.expose());
    let name = Name::of(Kind::PendingLogin, &token);
    ports.state.put(vec![Record { name, bytes: encode(&pending), lifetime: PENDING_LIFETIME }]).await?;
    ports.directory.traces.keep(pending.trace);
    let ticket = Keep::Ticket { id: ticket_id(fresh.state.expose()), binding: fresh.binding, at: request.now };
    Ok(Departed { reply: Reply::from(Say::Go(url.into())).keeping(ticket), pending: Some(name.digest) })
}

/// The hint decision, with the directory asked only if the policy needs it.
///
/// # Errors
/// [`Unavailable`] if the directory can't be asked.
pub async fn decide(ports: &Ports, idp: &Idp, ask: &Ask<'_>) -> Result<Decision, Unavailable> {
    Ok(decide_with(&ports.directory, &ports.seal, idp, ask).await?)
}

/// [`decide`] for whoever has no server around it.
///
/// # Errors
/// [`DirectoryFault`] if the directory can't be asked.
pub async fn decide_with(
    directory: &Database,
    seal: &Seal,
    idp: &Idp,
    ask: &Ask<'_>,
) -> Result<Decision, DirectoryFault> {
    let known = match hint::wants_lookup(idp, ask) {
        None => return Ok(hint::decide(idp, ask, Lookup::NotAsked)),
        Some(key) => find_hinted(directory, &key).await?,
    };
    let own = match &known {
        Some(user) if idp.hint.as_ == HintForm::Upstream => kept_hint(directory, seal, user, idp).await?,
        _ => None,
    };
    let lookup = known.as_ref().map_or(Lookup::Unknown, |user| Lookup::Known { user, upstream_hint: own.as_deref() });
    Ok(hint::decide(idp, ask, lookup))
}

/// The provider's own opaque `login_hint` claim of this user's last sign-in there.
async fn kept_hint(
    directory: &Database,
    seal: &Seal,
    user: &User,
    idp: &Idp,
) -> Result<Option<String>, DirectoryFault> {
    let sealed = directory.upstream_hints.hint(&user.id, &idp.id).await?;
    let opened = sealed.and_then(|sealed| seal.open(&hint_purpose(user, idp), &sealed));
    Ok(opened.and_then(|bytes| String::from_utf8(bytes).ok()))
}

fn hint_purpose(user: &User, idp: &Idp) -> String {
    format!("login_hint of {} at {}", user.id, idp.id)
}

/// Keeps the provider's own `login_hint` claim for the next sign-in, where its settings say `as = "upstream"`.
///
/// # Errors
/// [`Unavailable`] if it can't be kept.
pub async fn keep_hint(ports: &Ports, user: &User, idp: &Idp, claim: &str) -> Result<(), Unavailable> {
    let sealed = ports.seal.seal(&*ports.dice, &hint_purpose(user, idp), claim.as_bytes());
    Ok(ports.directory.upstream_hints.keep_hint(&user.id, &idp.id, sealed).await?)
}

async fn find_hinted(directory: &Database, key: &hint::LookupKey) -> Result<Option<User>, DirectoryFault> {
    for attribute in key.attributes {
        let mut found = directory.users.find(&key.directory, attribute, key.hint.as_str()).await?;
        if found.len() == 1 {
            return Ok(found.pop().filter(|user| user.active));
        }
    }
    Ok(None)
}

fn draw(ports: &Ports) -> FreshSecrets {
    let token = || Secret::new(ports.dice.token());
    FreshSecrets { state: token(), nonce: token(), verifier: token(), binding: token() }
}

/// Our redirect URI at this provider: its own, so that an answer can't be taken for another's (RFC 9700 §4.4).
#[must_use]
pub fn redirect_uri(base_url: &Url, idp: &Idp) -> String {
    let base = base_url.as_str().trim_end_matches('/');
    let own = if idp.shared_redirect { String::new() } else { format!("/{}", idp.id) };
    format!("{base}/federation/auth/response/oauth2{own}")
}

fn call(upstream: &UpstreamRequest) -> AuthorizationCall {
    AuthorizationCall {
        redirect_uri: upstream.redirect_uri.clone(),
        state: upstream.state.expose().to_owned(),
        nonce: upstream.nonce.expose().to_owned(),
        code_challenge: upstream.challenge.clone(),
        login_hint: upstream.login_hint.clone(),
        domain_hint: upstream.domain_hint.clone(),
        prompt: upstream.prompt.clone(),
        max_age: upstream.max_age.map(i64::from),
        acr_values: upstream.acr_values.clone(),
        ui_locales: upstream.ui_locales.clone(),
        extra: Vec::new(),
    }
}

fn trace_decision(ports: &Ports, ask: &Ask<'_>, decision: &Decision, trace: &mut Trace) {
    let mut facts = vec![("entry", Fact::word(ask.path.as_str()))];
    if let Some(hint) = ask.hint() {
        facts.push(("hint", Fact::hint(hint, ask.known_domain())));
    }
    facts.push(("login_hint", Fact::word(if decision.login_hint().is_some() { "sent" } else { "not sent" })));
    facts.push(("domain_hint", Fact::word(decision.domain_hint().unwrap_or("not sent"))));
    facts.push(("prompt", Fact::word(decision.prompt().unwrap_or("not sent"))));
    facts.push(("reasons", Fact::Names(decision.reasons().iter().map(|r| r.id().to_owned()).collect())));
    trace.step(ports.clock.now(), "hint", facts);
}

async fn unreachable(
    ports: &Ports,
    destination: &Destination,
    idp: &Idp,
    fault: &UpstreamFault,
    mut trace: Trace,
) -> Reply {
    note_fault(ports, idp, fault, &mut trace);
    let reply = match destination.request() {
        Some(asked) => finish::with_error(ports, asked, as_oauth(fault), &mut trace).await,
        None => finish::with_page(ports, as_refusal(fault), None, &mut trace),
    };
    finish::keep(ports, trace, Outcome::Failed);
    reply
}

/// Counts, logs and traces a failure at a provider, once.
pub fn note_fault(ports: &Ports, idp: &Idp, fault: &UpstreamFault, trace: &mut Trace) {
    let (kind, detail) = match fault {
        UpstreamFault::Unavailable { detail } => ("unavailable", detail),
        UpstreamFault::Refused { detail, .. } => ("refused", detail),
        UpstreamFault::Untrusted { detail, .. } => ("untrusted", detail),
        UpstreamFault::Misconfigured { detail } => ("misconfigured", detail),
    };
    ports.metrics.upstream_failed(&idp.id.0, kind);
    trace.outcome = Outcome::Failed;
    tracing::warn!(idp = %idp.id, reference = %trace.reference, fault = %fault, "identity provider");
    trace.step(
        ports.clock.now(),
        "upstream_fault",
        vec![
            ("provider", Fact::word(idp.id.0.clone())),
            ("fault", Fact::word(fault.to_string())),
            ("detail", Fact::foreign(detail)),
        ],
    );
}

/// A provider's failure as the client learns it.
#[must_use]
pub const fn as_oauth(fault: &UpstreamFault) -> OAuthError {
    match fault {
        UpstreamFault::Unavailable { .. } => {
            OAuthError::new(TemporarilyUnavailable, "the identity provider is unavailable")
        }
        UpstreamFault::Refused { .. } | UpstreamFault::Untrusted { .. } | UpstreamFault::Misconfigured { .. } => {
            OAuthError::new(ServerError, "the sign-in at the identity provider failed")
        }
    }
}

/// A provider's failure as a person sees it, where no client waits.
#[must_use]
pub const fn as_refusal(fault: &UpstreamFault) -> PageError {
    match fault {
        UpstreamFault::Unavailable { .. } => PageError::ProviderUnavailable,
        UpstreamFault::Refused { .. } => PageError::ProviderRefused,
        UpstreamFault::Untrusted { .. } | UpstreamFault::Misconfigured { .. } => PageError::AnswerNotTrusted,
    }
}
