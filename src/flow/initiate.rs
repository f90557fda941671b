//! Third-party-initiated login (OIDC Core §4): an identity provider's dashboard sends a person here.

use std::sync::Arc;

use url::Url;

use super::browser::{Reply, Say, Visit};
use super::ports::{Ports, Request, Unavailable};
use super::upstream_login::{self, Departed, Departure};
use super::{finish, sessions};
use crate::audit::Fact;
use crate::base::address::origin;
use crate::base::text::LoginHint;
use crate::broker::pending::Destination;
use crate::hint::{Ask, EntryPath};
use crate::i18n::PageError;
use crate::oidc::prompt::Prompt;
use crate::oidc::{Client, Idp};

/// Answers `/federation/auth/initiate`. It only starts a login; the callback never sees these parameters.
///
/// # Errors
/// [`Unavailable`] if state store or database can't be asked.
pub async fn initiate(ports: &Ports, visit: Visit) -> Result<Reply, Unavailable> {
    let request = ports.request();
    let params = &visit.params;
    if params.repeated().is_some() {
        return Ok(finish::page(ports, PageError::MalformedRequest));
    }
    let idp = params.get("iss").and_then(|iss| request.config.idps.values().find(|i| i.enabled && i.issuer == iss));
    let Some(idp) = idp.cloned() else { return Ok(finish::page(ports, PageError::InitiateInvalid)) };
    let Ok(hint) = params.get("login_hint").map_or(Ok(None), LoginHint::parse) else {
        return Ok(finish::page(ports, PageError::MalformedRequest));
    };
    match params.get("target_link_uri") {
        None => begin(ports, &request, idp, hint, &visit).await,
        Some(target) => match client_of(&request, target) {
            None => Ok(finish::page(ports, PageError::InitiateInvalid)),
            Some(client) => match client.initiate_login_uri.as_deref().and_then(|uri| Url::parse(uri).ok()) {
                Some(start) => Ok(Say::Go(at_client(&request, start, hint.as_ref(), target)).into()),
                None => begin(ports, &request, idp, hint, &visit).await,
            },
        },
    }
}

/// The one enabled client that the target belongs to: by the origin of a redirect URI, or as its own start page.
fn client_of(request: &Request, target: &str) -> Option<Arc<Client>> {
    let target_origin = crate::base::address::web_address(target).ok().map(|url| origin(&url));
    let owns = |client: &&Arc<Client>| {
        let by_origin = target_origin.as_ref().is_some_and(|target| {
            client.redirect_uris.iter().filter_map(|uri| Url::parse(uri).ok()).any(|uri| origin(&uri) == *target)
        });
        client.enabled && (by_origin || client.initiate_login_uri.as_deref() == Some(target))
    };
    let mut owners: Vec<&Arc<Client>> = request.config.clients.values().filter(owns).collect();
    // A client whose start page it is goes before others of the same origin.
    owners.sort_by_key(|client| client.initiate_login_uri.as_deref() != Some(target));
    owners.first().map(|client| Arc::clone(client))
}

fn at_client(request: &Request, mut start: Url, hint: Option<&LoginHint>, target: &str) -> String {
    {
        let mut query = start.query_pairs_mut();
        query.append_pair("iss", &request.config.server.issuer);
        if let Some(hint) = hint {
            query.append_pair("login_hint", hint.as_str());
        }
        query.append_pair("target_link_uri", target);
    }
    start.into()
}

async fn begin(
    ports: &Ports,
    request: &Request,
    idp: Arc<Idp>,
    hint: Option<LoginHint>,
    visit: &Visit,
) -> Result<Reply, Unavailable> {
    let mut trace = ports.trace(request.now);
    trace.step(request.now, "initiated", vec![("provider", Fact::word(idp.id.0.clone()))]);
    let departure = Departure { destination: Destination::Links { hint }, idp, address: visit.address, trace };
    Ok(depart(ports, request, EntryPath::Initiate, departure).await?.reply)
}

/// Sends a login upstream that makes a session only: for the first time, or again after somebody else signed in.
///
/// # Errors
/// [`Unavailable`] if state store or database can't be asked.
pub async fn depart(
    ports: &Ports,
    request: &Request,
    path: EntryPath,
    departure: Departure,
) -> Result<Departed, Unavailable> {
    let hint = match &departure.destination {
        Destination::Links { hint } => hint.clone(),
        Destination::Client(asked) => asked.hint.clone(),
    };
    let idps = [Arc::clone(&departure.idp)];
    let ask = Ask {
        path,
        received: hint.as_ref(),
        typed: None,
        accept_hints: true,
        domain: None,
        prompt: Prompt::Absent,
        idps: &idps,
        directories: &request.config.directories,
        chosen: None,
    };
    upstream_login::depart(ports, request, &ask, departure).await
}

/// Answers `/`: who is signed in sees where to go on to, everybody else that nobody is.
///
/// # Errors
/// [`Unavailable`] if that can't be told now.
pub async fn front(ports: &Ports, visit: &Visit) -> Result<Reply, Unavailable> {
    let request = ports.request();
    let found = sessions::find(ports, &request, visit.session.as_ref()).await?;
    Ok(if found.is_some() { Say::Links(links(&request)) } else { Say::SignedOut }.into())
}

/// The clients that a person can be sent on to: name and start page.
#[must_use]
pub fn links(request: &Request) -> Vec<(String, String)> {
    let enabled = request.config.clients.values().filter(|client| client.enabled);
    enabled.filter_map(|client| Some((client.name.clone(), client.initiate_login_uri.clone()?))).collect()
}
