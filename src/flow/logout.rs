//! RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0), and the way home from a provider's own.

use serde::{Deserialize, Serialize};

use super::browser::{Arrival, Keep, Reply, Say, Visit, way_on};
use super::farewell::KeptSession;
use super::handles::{self, come_back};
use super::leave::{Home, Leaving, home, leave};
use super::ports::{Ports, Request, Unavailable};
use super::sessions::encode;
use super::signing::{ReturnedIdToken, read_id_token};
use super::{finish, initiate};
use crate::base::limits::{PENDING_LIFETIME, STATE_BYTES_MAX};
use crate::base::{Digest, Moment, Secret};
use crate::broker::session::Session;
use crate::broker::sign_out::{Asked, AtProvider, Back, Hint, Outcome, Step, decide};
use crate::i18n::PageError;
use crate::state::{Kind, Name, Record};

/// Bytes of a list of languages that are kept and sent on.
const LANGUAGES_BYTES_MAX: usize = 512;
/// What the handle of the confirmation page opens.
const CONFIRM: &str = "logout_confirm";

/// Answers `/acs/openid/logout`.
///
/// # Errors
/// [`Unavailable`] if the session can't be ended now; its cookie stays then.
pub async fn logout(ports: &Ports, visit: Visit) -> Result<Reply, Unavailable> {
    let request = ports.request();
    let params = &visit.params;
    if params.repeated().is_some() || params.get("state").is_some_and(|state| state.len() > STATE_BYTES_MAX) {
        return Ok(finish::page(ports, PageError::MalformedRequest));
    }
    if visit.arrival == Arrival::Post && visit.session.is_none() {
        return come_back(ports, "logout", &visit).await;
    }
    let token = params.get("id_token_hint");
    let returned = token.and_then(|token| read_id_token(&ports.ring.load(), token, &request.config.server.issuer));
    let asked = Asked {
        hint: hint(token, returned.as_ref()),
        client_id: params.get("client_id"),
        post_logout_redirect_uri: params.get("post_logout_redirect_uri"),
        state: params.get("state"),
    };
    let held = held(ports, visit.session.as_ref()).await?;
    let sid = held.as_ref().map(|standing| standing.session.sid.as_str());
    let decision = decide(&request.config.clients, &asked, sid);
    let leaving = Leaving {
        again: decision.client.as_deref().and_then(way_on),
        back: decision.back,
        ui_locales: params.get("ui_locales").filter(|list| list.len() <= LANGUAGES_BYTES_MAX).map(str::to_owned),
        asking: decision.client,
    };
    match held {
        Some(standing) if decision.step == Step::End => leave(ports, &request, &standing, leaving).await,
        Some(standing) => ask(ports, &request, &standing, leaving).await,
        None => Ok(gone(leaving.back, leaving.again, &visit)),
    }
}

const fn hint<'a>(token: Option<&str>, returned: Option<&'a ReturnedIdToken>) -> Hint<'a> {
    match (token, returned) {
        (None, _) => Hint::Absent,
        (Some(_), None) => Hint::Foreign,
        (Some(_), Some(ReturnedIdToken { audience, sid, .. })) => Hint::Ours {
            audience: audience.as_str(),
            sid: match sid {
                Some(sid) => Some(sid.as_str()),
                None => None,
            },
        },
    }
}

/// The session of the browser's cookie as it stands in the store. No rule is asked: who may not use it any more may
/// still end it, and then its clients are told.
async fn held(ports: &Ports, token: Option<&Secret>) -> Result<Option<KeptSession>, Unavailable> {
    let Some(token) = token else { return Ok(None) };
    let bytes = ports.state.peek(Name::of(Kind::Session, token.expose())).await?;
    let session = bytes.and_then(|bytes| Session::decode(&bytes));
    Ok(session.map(|session| KeptSession { digest: Digest::of(token.expose()), session }))
}

/// There is no session to end.
fn gone(back: Option<Back>, again: Option<String>, visit: &Visit) -> Reply {
    let say = match back {
        Some(back) => Say::Go(back.url),
        None => Say::Left { outcome: Box::new(Outcome { again, ..Outcome::default() }), frames: Vec::new() },
    };
    let reply = Reply::from(say);
    if visit.session.is_some() { reply.keeping(Keep::ForgetSession) } else { reply }
}

/// A sign-out that waits for the person's word.
#[derive(Serialize, Deserialize)]
struct Waiting {
    at: Moment,
    /// Of the session that would end.
    session: Digest,
    back: Option<Back>,
    again: Option<String>,
    ui_locales: Option<String>,
}

async fn ask(ports: &Ports, request: &Request, standing: &KeptSession, leaving: Leaving) -> Result<Reply, Unavailable> {
    let Leaving { asking, back, again, ui_locales } = leaving;
    let waiting = Waiting { at: request.now, session: standing.digest, back, again, ui_locales: ui_locales.clone() };
    let handle = ports.dice.token();
    let record = Record { name: handles::name(CONFIRM, &handle), bytes: encode(&waiting), lifetime: PENDING_LIFETIME };
    ports.state.put(vec![record]).await?;
    let client = asking.map(|client| client.name.clone());
    Ok(Say::ConfirmSignOut { handle: Secret::new(handle), client, ui_locales }.into())
}

/// Answers the confirmation page's form.
///
/// # Errors
/// [`Unavailable`] if the session can't be ended now; its cookie stays then, and the form can be sent again.
pub async fn confirmed(ports: &Ports, visit: Visit) -> Result<Reply, Unavailable> {
    let request = ports.request();
    let Some(handle) = visit.params.get("handle") else {
        return Ok(finish::page(ports, PageError::ForeignForm));
    };
    if visit.params.get("action") == Some("stay") {
        return initiate::front(ports, &visit).await;
    }
    let name = handles::name(CONFIRM, handle);
    let kept = ports.state.peek(name).await?.and_then(|bytes| serde_json::from_slice::<Waiting>(&bytes).ok());
    let waiting = kept.filter(|waiting| request.now <= waiting.at.plus(PENDING_LIFETIME));
    match (held(ports, visit.session.as_ref()).await?, waiting) {
        (Some(standing), Some(waiting)) if waiting.session == standing.digest => {
            let Waiting { back, again, ui_locales, .. } = waiting;
            let reply = leave(ports, &request, &standing, Leaving { asking: None, back, again, ui_locales }).await?;
            Ok(reply)
        }
        (Some(_), _) => Ok(finish::page(ports, PageError::ForeignForm)),
        // Another tab was quicker.
        (None, Some(waiting)) => Ok(gone(waiting.back, waiting.again, &visit)),
        (None, None) => Ok(gone(None, None, &visit)),
    }
}

/// Answers `/federation/auth/logout/done`: an identity provider returns after a forwarded sign-out.
///
/// # Errors
/// [`Unavailable`] if what was kept for this can't be read now.
pub async fn done(ports: &Ports, visit: Visit) -> Result<Reply, Unavailable> {
    let state = visit.params.get("state").filter(|_| visit.params.repeated().is_none());
    let home = match state {
        Some(state) => home(ports, state).await?,
        None => Home::Unknown,
    };
    let failed = visit.params.get("error").is_some();
    let say = match home {
        Home::First(Outcome { back: Some(back), .. }) if !failed => Say::Go(back.url),
        Home::First(outcome) | Home::Again(outcome) => {
            let provider = outcome.provider.clone().map(|(name, _)| name);
            let outcome = match provider.filter(|_| failed) {
                Some(name) => outcome.at_provider(&name, AtProvider::Open),
                None => outcome,
            };
            Say::Left { outcome: Box::new(outcome), frames: Vec::new() }
        }
        // By GET the browser's cookie is seen: our front page knows whether somebody is signed in.
        Home::Unknown => Say::Go("/".to_owned()),
    };
    Ok(say.into())
}
