//! Logins that wait for a person at one of our pages: which provider, or what now after somebody else signed in.

use super::admission::AddressKey;
use super::authorize::{Asking, Resumed};
use super::browser::{ChoosePage, Keep, Reply, Say, Visit, ticket_id};
use super::pause::{PAUSE_VERSION, Pause};
use super::ports::{Ports, Request, Unavailable};
use super::sessions::encode;
use super::upstream_login::Departure;
use super::{finish, initiate};
use crate::audit::{Fact, Outcome, Trace};
use crate::base::Secret;
use crate::base::limits::PENDING_LIFETIME;
use crate::base::text::{HINT_CHARS_MAX, LoginHint};
use crate::broker::AuthorizationRequest;
use crate::broker::pending::pending_token;
use crate::hint::EntryPath;
use crate::i18n::PageError;
use crate::oidc::error::ErrorCode::AccessDenied;
use crate::oidc::{IdpId, OAuthError};
use crate::state::{Kind, Name, Record};

/// Answers the forms of our pages at `/acs/continue`.
///
/// # Errors
/// [`Unavailable`] if state store or database can't be asked.
pub async fn proceed(ports: &Ports, visit: Visit) -> Result<Reply, Unavailable> {
    let request = ports.request();
    let Some(handle) = visit.params.get("handle").map(str::to_owned) else {
        return Ok(finish::page(ports, PageError::ForeignForm));
    };
    let Some(binding) = visit.binding(&handle) else {
        return Ok(finish::page(ports, PageError::OtherBrowser));
    };
    let name = Name::of(Kind::PausedLogin, &pending_token(&handle, binding.expose()));
    let kept = ports.state.peek(name).await?.and_then(|bytes| serde_json::from_slice::<Pause>(&bytes).ok());
    let alive = kept.filter(|p| p.version == PAUSE_VERSION && request.now <= p.at.plus(PENDING_LIFETIME));
    let Some(mut pause) = alive else { return Ok(finish::page(ports, PageError::LoginExpired)) };
    if let Some(departed) = pause.departed {
        // The person came back to this page and answers anew: what the first answer began is dead.
        ports.state.forget(Name { kind: Kind::PendingLogin, digest: departed }).await?;
    }
    if pause.only_back || visit.params.get("action") == Some("cancel") {
        ports.state.forget(name).await?;
        uncount(ports, &mut pause);
        let forget = Keep::ForgetTicket { id: ticket_id(&handle) };
        return Ok(cancel(ports, &request, &pause).await.keeping(forget));
    }
    let waiting = Waiting { handle, name };
    go_on(ports, &request, waiting, pause, &visit).await
}

/// A paused login, found.
struct Waiting {
    handle: String,
    name: Name,
}

/// The page is answered: its place among the logins under way is free.
fn uncount(ports: &Ports, pause: &mut Pause) {
    if let Some(counted_at) = pause.counted_at.take() {
        ports.under_way.end(AddressKey(counted_at), pause.at);
    }
}

async fn cancel(ports: &Ports, request: &Request, pause: &Pause) -> Reply {
    let mut trace = pause.trace.clone();
    let reply = match pause.destination.request() {
        Some(asked) if !request.config.clients.get(&asked.client).is_some_and(|client| asked.is_of(client)) => {
            finish::with_page(ports, PageError::LoginExpired, None, &mut trace)
        }
        Some(asked) => {
            let error = OAuthError::new(AccessDenied, "the person cancelled the sign-in");
            finish::with_error(ports, asked, error, &mut trace).await
        }
        None => finish::with_page(ports, PageError::ProviderRefused, None, &mut trace),
    };
    finish::keep(ports, trace, Outcome::Refused);
    reply
}

async fn go_on(
    ports: &Ports,
    request: &Request,
    waiting: Waiting,
    mut pause: Pause,
    visit: &Visit,
) -> Result<Reply, Unavailable> {
    let mut trace = pause.trace.clone();
    trace.outcome = Outcome::Open;
    trace.step(ports.clock.now(), "answered", vec![("by", Fact::word("the person"))]);
    let resumed = match pause.destination.request() {
        Some(asked) => with_client(ports, request, (&pause, asked), visit, trace).await?,
        None => without_client(ports, request, &pause, visit, trace).await?,
    };
    match resumed {
        Resumed::Gone(departed) => {
            pause.departed = departed.pending;
            uncount(ports, &mut pause);
            let bytes = encode(&pause);
            ports.state.put(vec![Record { name: waiting.name, bytes, lifetime: PENDING_LIFETIME }]).await?;
            Ok(departed.reply)
        }
        Resumed::AskAgain(idps) => {
            let typed = visit.params.get("email").unwrap_or_default().chars().take(HINT_CHARS_MAX).collect();
            let asked = pause.destination.request();
            let client = asked.and_then(|asked| request.config.clients.get(&asked.client));
            let client_name = client.map(|client| client.name.clone()).unwrap_or_default();
            let handle = Secret::new(waiting.handle);
            Ok(Say::Choose(ChoosePage { handle, client_name, idps, unknown_address: Some(typed) }).into())
        }
    }
}

/// The client's request goes on with what was typed, the button pressed, or signing in again.
async fn with_client(
    ports: &Ports,
    request: &Request,
    (pause, asked): (&Pause, &AuthorizationRequest),
    visit: &Visit,
    mut trace: Trace,
) -> Result<Resumed, Unavailable> {
    let client = request.config.clients.get(&asked.client).filter(|client| client.enabled);
    let Some(client) = client.filter(|client| asked.is_of(client)) else { return Ok(expired(ports, &mut trace)) };
    let button = visit.params.get("idp").map(|id| IdpId(id.to_owned()));
    let mut asked = asked.clone();
    let chosen = match &pause.again_at {
        Some(idp) => {
            asked.entry = EntryPath::SignInAgain;
            Some(idp.clone())
        }
        None => {
            asked.entry = if button.is_some() { EntryPath::ProviderButton } else { EntryPath::WorkEmail };
            let email = visit.params.get("email").and_then(|text| LoginHint::parse(text.trim()).ok().flatten());
            asked.typed = email.filter(|_| button.is_none());
            button
        }
    };
    Asking { ports, request, client, visit }.resume(&asked, chosen.as_ref(), trace).await
}

/// A login without a client that waits: it is begun again at the same provider.
async fn without_client(
    ports: &Ports,
    request: &Request,
    pause: &Pause,
    visit: &Visit,
    mut trace: Trace,
) -> Result<Resumed, Unavailable> {
    let idp = pause.again_at.as_ref().and_then(|id| request.config.idps.get(id)).filter(|idp| idp.enabled);
    let Some(idp) = idp.cloned() else { return Ok(expired(ports, &mut trace)) };
    let departure = Departure { destination: pause.destination.clone(), idp, address: visit.address, trace };
    initiate::depart(ports, request, EntryPath::SignInAgain, departure).await.map(Resumed::Gone)
}

/// Client or provider left the configuration while the person thought.
fn expired(ports: &Ports, trace: &mut Trace) -> Resumed {
    Resumed::Gone(finish::with_page(ports, PageError::LoginExpired, None, trace).into())
}
