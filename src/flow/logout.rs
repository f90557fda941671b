//! RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0): the browser's session ends, here.

use url::Url;

use super::browser::{Arrival, Keep, Reply, Say, Visit};
use super::handles::{self, come_back};
use super::ports::{Ports, Request, Unavailable};
use super::sessions::{self, Found};
use super::signing::{ReturnedIdToken, read_id_token};
use super::{farewell, finish};
use crate::base::limits::PENDING_LIFETIME;
use crate::base::{Digest, Secret};
use crate::i18n::PageError;
use crate::state::{Record, Taken};
use crate::token::subject::Subject;

/// Answers `/acs/openid/logout`.
///
/// # Errors
/// [`Unavailable`] if the session can't be ended now; its cookie stays then.
pub async fn logout(ports: &Ports, visit: Visit) -> Result<Reply, Unavailable> {
    let request = ports.request();
    if visit.params.repeated().is_some() {
        return Ok(finish::page(ports, PageError::MalformedRequest));
    }
    if visit.arrival == Arrival::Post && visit.session.is_none() {
        return come_back(ports, "logout", &visit).await;
    }
    let hint = visit.params.get("id_token_hint");
    let hint = hint.and_then(|token| read_id_token(&ports.ring.load(), token, &request.config.server.issuer));
    let found = sessions::find(ports, &request, visit.session.as_ref()).await?;
    match (found, hint) {
        (None, hint) => Ok(answer(&request, hint.as_ref(), &visit)),
        (Some(found), Some(hint)) if is_of_session(ports, &request, &hint, &found) => {
            farewell::end(ports, &request, &(&found).into()).await?;
            Ok(answer(&request, Some(&hint), &visit).keeping(Keep::ForgetSession))
        }
        // Any page of any site can send a browser here: without a hint of this very session the person is asked.
        (Some(found), _) => ask(ports, &found).await,
    }
}

/// Whether the ID token was issued in this session.
fn is_of_session(ports: &Ports, request: &Request, hint: &ReturnedIdToken, found: &Found) -> bool {
    let client = request.config.client(&hint.audience);
    let subject = client.map(|client| Subject::of(&found.user.id, client, &ports.pairwise_salt));
    let same_person = subject.is_some_and(|subject| subject.as_str() == hint.subject);
    same_person && hint.sid.as_ref().is_none_or(|sid| *sid == found.session.sid)
}

async fn ask(ports: &Ports, found: &Found) -> Result<Reply, Unavailable> {
    let handle = ports.dice.token();
    let bytes = Digest::of(found.token.expose()).as_bytes().to_vec();
    let record = Record { name: handles::name("logout_confirm", &handle), bytes, lifetime: PENDING_LIFETIME };
    ports.state.put(vec![record]).await?;
    Ok(Say::ConfirmSignOut { handle: Secret::new(handle) }.into())
}

/// Answers the confirmation page's form.
///
/// # Errors
/// [`Unavailable`] if the session can't be ended now; its cookie stays then.
pub async fn confirmed(ports: &Ports, visit: Visit) -> Result<Reply, Unavailable> {
    let request = ports.request();
    let Some(handle) = visit.params.get("handle") else {
        return Ok(finish::page(ports, PageError::ForeignForm));
    };
    if visit.params.get("action") == Some("stay") {
        return Ok(Say::Links(super::initiate::links(&request)).into());
    }
    let Some(found) = sessions::find(ports, &request, visit.session.as_ref()).await? else {
        return Ok(Reply::from(Say::SignedOut).keeping(Keep::ForgetSession));
    };
    let taken = ports.state.take(handles::name("logout_confirm", handle), Vec::new(), PENDING_LIFETIME).await?;
    let asked_for = match taken {
        Taken::Once(bytes) => bytes == Digest::of(found.token.expose()).as_bytes(),
        Taken::Already(_) | Taken::Never => false,
    };
    if !asked_for {
        return Ok(finish::page(ports, PageError::ForeignForm));
    }
    farewell::end(ports, &request, &(&found).into()).await?;
    Ok(Reply::from(Say::SignedOut).keeping(Keep::ForgetSession))
}

/// Back to the client, if its ID token says which one and the address is registered; else our page.
fn answer(request: &Request, hint: Option<&ReturnedIdToken>, visit: &Visit) -> Reply {
    let client = hint.and_then(|hint| request.config.client(&hint.audience));
    let named = visit.params.get("client_id");
    let client = client.filter(|client| named.is_none_or(|named| named == client.id.0));
    let asked = visit.params.get("post_logout_redirect_uri");
    let registered =
        client.zip(asked).filter(|(client, uri)| client.post_logout_redirect_uris.iter().any(|r| r == uri));
    let Some((_, uri)) = registered else { return Say::SignedOut.into() };
    let Some(state) = visit.params.get("state") else { return Say::Go(uri.to_owned()).into() };
    match Url::parse(uri) {
        Ok(mut url) => {
            url.query_pairs_mut().append_pair("state", state);
            Say::Go(url.into()).into()
        }
        Err(_) => Say::SignedOut.into(),
    }
}

/// Answers `/federation/auth/logout/done`: an identity provider returns after a forwarded sign-out.
///
/// # Errors
/// [`Unavailable`].
pub async fn done(_ports: &Ports, _visit: Visit) -> Result<Reply, Unavailable> {
    Ok(Say::SignedOut.into())
}
