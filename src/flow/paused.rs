//! Logins that wait for a person at one of our pages: which provider, or what now after somebody else signed in.

use std::sync::Arc;

use super::admission::AddressKey;
use super::authorize::{Asking, Resumed};
use super::browser::{ChoosePage, Keep, Reply, Say, Visit, ticket_id};
use super::finish;
use super::pause::{PAUSE_VERSION, Pause};
use super::ports::{Ports, Request, Unavailable};
use super::sessions::encode;
use crate::audit::{Fact, Outcome};
use crate::base::Secret;
use crate::base::limits::PENDING_LIFETIME;
use crate::base::text::{HINT_CHARS_MAX, LoginHint};
use crate::broker::pending::pending_token;
use crate::hint::EntryPath;
use crate::i18n::PageError;
use crate::oidc::error::ErrorCode::AccessDenied;
use crate::oidc::{Client, IdpId, OAuthError};
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
    let client = request.config.clients.get(&pause.asked.client).filter(|client| client.enabled).cloned();
    let Some(client) = client else { return Ok(finish::page(ports, PageError::LoginExpired)) };
    if let Some(departed) = pause.departed {
        // The person came back to this page and answers anew: what the first answer began is dead.
        ports.state.forget(Name { kind: Kind::PendingLogin, digest: departed }).await?;
    }
    if pause.only_back || visit.params.get("action") == Some("cancel") {
        ports.state.forget(name).await?;
        uncount(ports, &mut pause);
        let forget = Keep::ForgetTicket { id: ticket_id(&handle) };
        return Ok(cancel(ports, &pause).keeping(forget));
    }
    let waiting = Waiting { handle, name, client };
    go_on(ports, &request, waiting, pause, &visit).await
}

/// A paused login, found.
struct Waiting {
    handle: String,
    name: Name,
    client: Arc<Client>,
}

/// The page is answered: its place among the logins under way is free.
fn uncount(ports: &Ports, pause: &mut Pause) {
    if let Some(counted_at) = pause.counted_at.take() {
        ports.under_way.end(AddressKey(counted_at), pause.at);
    }
}

fn cancel(ports: &Ports, pause: &Pause) -> Reply {
    let mut trace = pause.trace.clone();
    let error = OAuthError::new(AccessDenied, "the person cancelled the sign-in");
    let reply = finish::with_error(ports, &pause.asked, error, &mut trace);
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
    let button = visit.params.get("idp").map(|id| IdpId(id.to_owned()));
    let mut asked = pause.asked.clone();
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
    let mut trace = pause.trace.clone();
    trace.step(ports.clock.now(), "answered", vec![("page", Fact::word(asked.entry.as_str()))]);
    let asking = Asking { ports, request, client: &waiting.client, visit };
    match asking.resume(&asked, chosen.as_ref(), trace).await? {
        Resumed::Gone(departed) => {
            pause.departed = departed.pending;
            uncount(ports, &mut pause);
            let bytes = encode(&pause);
            ports.state.put(vec![Record { name: waiting.name, bytes, lifetime: PENDING_LIFETIME }]).await?;
            Ok(departed.reply)
        }
        Resumed::AskAgain(idps) => {
            let typed = visit.params.get("email").unwrap_or_default().chars().take(HINT_CHARS_MAX).collect();
            let client_name = waiting.client.name.clone();
            let handle = Secret::new(waiting.handle);
            Ok(Say::Choose(ChoosePage { handle, client_name, idps, unknown_address: Some(typed) }).into())
        }
    }
}
