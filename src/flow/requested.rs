//! What a browser asks for: by plain parameters, by a request object, or by the name of a pushed request.

use std::sync::Arc;

use super::browser::{Arrival, Reply, Say, Visit, way_on};
use super::finish;
use super::ports::{Ports, Request, Unavailable};
use super::signing::{IdTokenHint, id_token_hint};
use super::{pushed, request_object};
use crate::audit::{Fact, Trace};
use crate::broker::accept::{accept, accept_again, refuse};
use crate::broker::pushed::reference;
use crate::broker::request::{client_id, validate_client};
use crate::broker::{AuthorizationRequest, ReturnAddress};
use crate::hint::EntryPath;
use crate::i18n::PageError;
use crate::oidc::error::ErrorCode::InvalidRequestUri;
use crate::oidc::params::Params;
use crate::oidc::{Client, OAuthError};

/// An authorization request that passed every check of its own.
#[derive(Debug)]
pub struct Requested {
    pub client: Arc<Client>,
    pub asked: AuthorizationRequest,
    pub hint: IdTokenHint,
    pub trace: Trace,
}

/// Reads and checks an authorization request; what is refused is answered already.
///
/// # Errors
/// [`Unavailable`] if state store or client keys can't be asked.
pub async fn read(ports: &Ports, request: &Request, visit: &Visit) -> Result<Result<Requested, Reply>, Unavailable> {
    let client = match client_id(&visit.params) {
        Ok(id) => request.config.client(id).filter(|client| client.enabled).cloned(),
        Err(refusal) => return Ok(Err(finish::page(ports, refusal))),
    };
    let Some(client) = client else { return Ok(Err(finish::page(ports, PageError::LinkInvalid))) };
    match reference(&visit.params) {
        Some(reference) => read_pushed(ports, request, client, (&visit.params, reference)).await,
        None => read_sent(ports, request, client, visit).await,
    }
}

/// The request stands in the parameters.
async fn read_sent(
    ports: &Ports,
    request: &Request,
    client: Arc<Client>,
    visit: &Visit,
) -> Result<Result<Requested, Reply>, Unavailable> {
    let effective = request_object::effective(ports, request, &client, &visit.params).await?;
    let params = effective.params.as_ref();
    let proven = match validate_client(Arc::clone(&client), params, &request.config.server.issuer) {
        Ok(proven) => proven,
        Err(refusal) => return Ok(Err(finish::page(ports, refusal))),
    };
    let entry = if visit.arrival == Arrival::Get { EntryPath::Get } else { EntryPath::Post };
    let names = params.pairs().map(|(name, _)| name.chars().take(40).collect()).take(40).collect();
    let trace = begin_trace(ports, request, &client, names);
    let accepted = match effective.fault {
        None => accept(proven, entry),
        Some(error) => Err(refuse(proven, error)),
    };
    Ok(match accepted {
        Ok(asked) => {
            let hint = id_token_hint(ports, request, &client, params);
            Ok(Requested { client, asked, hint, trace })
        }
        Err(back) => Err(refused(ports, request, *back, trace)),
    })
}

/// The request was pushed: only what was pushed counts (RFC 9126 §4, RFC 9101 §6.3).
async fn read_pushed(
    ports: &Ports,
    request: &Request,
    client: Arc<Client>,
    (params, reference): (&Params, &str),
) -> Result<Result<Requested, Reply>, Unavailable> {
    if params.is_repeated("request_uri") {
        return Ok(Err(finish::page(ports, PageError::MalformedRequest)));
    }
    let Some(kept) = pushed::find(ports, reference).await? else { return Ok(Err(lost(ports, &client))) };
    if !kept.asked.is_of(&client) {
        return Ok(Err(finish::page(ports, PageError::LinkInvalid)));
    }
    let trace = begin_trace(ports, request, &client, vec!["request_uri".to_owned()]);
    if !kept.is_alive(request.now) {
        let error = OAuthError::new(InvalidRequestUri, "the request was pushed more than a minute ago");
        return Ok(Err(refused(ports, request, (kept.asked.back, error), trace)));
    }
    let hint = if kept.hint_is_unusable { IdTokenHint::Unusable } else { IdTokenHint::None };
    // As the file is now, not as it was at the push.
    Ok(match accept_again(kept.named(reference), &client) {
        Ok(asked) => Ok(Requested { client, asked, hint, trace }),
        Err(back) => Err(refused(ports, request, *back, trace)),
    })
}

/// Nothing is known of the pushed request: most often it was answered, and the person came back to it.
fn lost(ports: &Ports, client: &Client) -> Reply {
    let mut reply = finish::page(ports, PageError::AlreadyUsed);
    if let Say::Page(page) = &mut reply.say {
        page.way_on = way_on(client);
    }
    reply
}

fn begin_trace(ports: &Ports, request: &Request, client: &Client, names: Vec<String>) -> Trace {
    let mut trace = ports.trace(request.now);
    trace.step(
        request.now,
        "authorization_request",
        vec![
            ("client", Fact::word(client.id.0.clone())),
            ("configuration", Fact::word(format!("{:?}", request.config.version))),
            ("parameters", Fact::Names(names)),
        ],
    );
    trace
}

fn refused(ports: &Ports, request: &Request, (back, error): (ReturnAddress, OAuthError), mut trace: Trace) -> Reply {
    let facts = vec![("error", Fact::word(error.code.as_str())), ("description", Fact::word(error.description))];
    trace.step(request.now, "answer", facts);
    ports.metrics.refused(error.code.as_str());
    finish::keep_unproven(ports, trace, request.now);
    Say::Client(back.error(error)).into()
}
