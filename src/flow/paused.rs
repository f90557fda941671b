//! Logins that wait for a person at one of our pages: which provider, or what now after somebody else signed in.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::authorize::{self, Resumed, Said};
use super::browser::{ChoosePage, Keep, Reply, Say, Visit, ticket_id};
use super::finish;
use super::ports::{Ports, Request, Unavailable};
use super::sessions::encode;
use crate::audit::{Fact, Outcome, Trace};
use crate::base::limits::PENDING_LIFETIME;
use crate::base::text::{HINT_CHARS_MAX, LoginHint};
use crate::base::{Digest, Moment, Secret};
use crate::broker::AuthorizationRequest;
use crate::broker::pending::pending_token;
use crate::hint::EntryPath;
use crate::i18n::PageError;
use crate::oidc::error::ErrorCode::AccessDenied;
use crate::oidc::{Client, IdpId, OAuthError};
use crate::state::{Kind, Name, Record};

/// A login that waits; kept under its handle and the browser's binding together.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Pause {
    version: u8,
    at: Moment,
    asked: AuthorizationRequest,
    /// After a mismatch: the provider to sign in at again, and as whom.
    again_at: Option<IdpId>,
    typed: Option<LoginHint>,
    /// The only answer is to go back to the client.
    only_back: bool,
    trace: Trace,
    /// The pending login that the last answer began.
    departed: Option<Digest>,
}

const PAUSE_VERSION: u8 = 1;

impl Pause {
    /// Which provider?
    #[must_use]
    pub const fn choosing(asked: AuthorizationRequest, trace: Trace, at: Moment) -> Self {
        Self { version: PAUSE_VERSION, at, asked, again_at: None, typed: None, only_back: false, trace, departed: None }
    }

    /// Nobody who may enter signed in: there is only the way back.
    #[must_use]
    pub const fn barred(asked: AuthorizationRequest, trace: Trace, at: Moment) -> Self {
        Self { version: PAUSE_VERSION, at, asked, again_at: None, typed: None, only_back: true, trace, departed: None }
    }

    /// Somebody else than `hinted` signed in. What now?
    #[must_use]
    pub const fn mismatched(
        asked: AuthorizationRequest,
        idp: IdpId,
        hinted: Option<LoginHint>,
        trace: Trace,
        at: Moment,
    ) -> Self {
        Self {
            version: PAUSE_VERSION,
            at,
            asked,
            again_at: Some(idp),
            typed: hinted,
            only_back: false,
            trace,
            departed: None,
        }
    }
}

/// Keeps a paused login; gives its handle and the browser's half.
///
/// # Errors
/// [`Unavailable`] if it can't be kept.
pub async fn keep(ports: &Ports, request: &Request, pause: Pause) -> Result<(Secret, Keep), Unavailable> {
    let (handle, binding) = (ports.dice.token(), ports.dice.token());
    let name = Name::of(Kind::PausedLogin, &pending_token(&handle, &binding));
    ports.state.put(vec![Record { name, bytes: encode(&pause), lifetime: PENDING_LIFETIME }]).await?;
    let ticket = Keep::Ticket { id: ticket_id(&handle), binding: Secret::new(binding), at: request.now };
    Ok((Secret::new(handle), ticket))
}

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
    let Some(pause) = alive else { return Ok(finish::page(ports, PageError::LoginExpired)) };
    let client = request.config.clients.get(&pause.asked.client).filter(|client| client.enabled).cloned();
    let Some(client) = client else { return Ok(finish::page(ports, PageError::LoginExpired)) };
    if let Some(departed) = pause.departed {
        // The person came back to this page and answers anew: what the first answer began is dead.
        ports.state.forget(Name { kind: Kind::PendingLogin, digest: departed }).await?;
    }
    if pause.only_back || visit.params.get("action") == Some("cancel") {
        ports.state.forget(name).await?;
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
    let email = visit.params.get("email").and_then(|text| LoginHint::parse(text.trim()).ok().flatten());
    let button = visit.params.get("idp").map(|id| IdpId(id.to_owned()));
    let mut asked = pause.asked.clone();
    let said = match &pause.again_at {
        Some(idp) => {
            asked.entry = EntryPath::SignInAgain;
            Said { typed: pause.typed.clone(), chosen: Some(idp.clone()) }
        }
        None => {
            asked.entry = if button.is_some() { EntryPath::ProviderButton } else { EntryPath::WorkEmail };
            Said { typed: email, chosen: button }
        }
    };
    let mut trace = pause.trace.clone();
    trace.step(ports.clock.now(), "answered", vec![("page", Fact::word(asked.entry.as_str()))]);
    match authorize::resume(ports, request, &waiting.client, (asked, said), visit, trace).await? {
        Resumed::Gone(departed) => {
            pause.departed = departed.pending;
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
