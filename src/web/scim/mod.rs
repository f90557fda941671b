//! SCIM over HTTP (RFC 7644 §3): from a request to an errand, from its answer to a response.

pub mod target;
mod conditions;
mod answer;

use std::time::Duration;

use actix_web::http::Method;
use actix_web::web::Payload;
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse};
use futures_util::StreamExt as _;
use serde_json::Value;

use super::extract::header;
use super::peer::address;
use crate::base::Secret;
use crate::base::limits::{SCIM_BODY_BYTES_MAX, SCIM_CALL, SCIM_GROUP_BODY_BYTES_MAX, TARGET_BYTES_MAX};
use crate::flow::Ports;
use crate::flow::scim::desk::{Answer, Desk, Terms};
use crate::flow::scim::pass::{Pass, admit};
use crate::flow::scim::refusal::Refusal;
use crate::flow::scim::users::Change;
use crate::scim::json;
use crate::scim::list::{ListRequest, Selection};
use crate::scim::schema::ResourceType;
use crate::scim::{ScimError, ScimType};

pub use answer::misdirected;
use target::Target;

/// How long a body may take to arrive.
const BODY_WAIT: Duration = Duration::from_secs(30);

/// The label of an address in metrics and logs; `rest` is what comes behind the prefix.
#[must_use]
pub fn label(rest: &str) -> &'static str {
    Target::at(rest).label()
}

/// Answers one request; `rest` is the path behind the prefix.
pub async fn endpoint(ports: &Ports, request: &HttpRequest, payload: Payload, rest: &str) -> HttpResponse {
    let target = Target::at(rest);
    let call = ports.request();
    let authorization = header(request, "authorization").ok().flatten().map(Secret::new);
    let pass = match admit(ports, &call, authorization.as_ref()).await {
        Ok(pass) => pass,
        Err(refusal) => return refused(ports, request, None, refusal),
    };
    let name = format!("{} {}", request.method(), target.label());
    ports.sightings.count(pass.scope(), "call", &name, call.now);
    ports.sightings.from(pass.scope(), pass.credential(), address(request, &call.config.server), call.now);
    let Some(allowed) = target.methods() else {
        return refused(ports, request, Some(&pass), target.absent());
    };
    if !allowed.contains(&request.method().as_str()) {
        return answer::method_not_allowed(request, allowed);
    }
    let asked = match Asked::of(request, payload, &target).await {
        Ok(asked) => asked,
        Err(refusal) => return refused(ports, request, Some(&pass), refusal),
    };
    let desk = Desk { ports, request: &call, pass: &pass, terms: &asked.terms };
    match tokio::time::timeout(SCIM_CALL.as_std(), asked.done_at(&desk, request.method(), &target)).await {
        Ok(Ok(done)) => answer::of(request, done),
        Ok(Err(refusal)) => refused(ports, request, Some(&pass), refusal),
        Err(_) => refused(ports, request, Some(&pass), Refusal::Unavailable),
    }
}

/// Counts a refusal and answers it.
fn refused(ports: &Ports, request: &HttpRequest, pass: Option<&Pass>, refusal: Refusal) -> HttpResponse {
    let code = match &refusal {
        Refusal::Scim(error) => {
            if let Some(pass) = pass {
                ports.sightings.refusal(pass.scope(), error, ports.clock.now());
            }
            error.scim_type.map_or("scim_refused", ScimType::as_str)
        }
        Refusal::Unauthorized => "scim_unauthorized",
        Refusal::TooMany => "too_many_requests",
        Refusal::Unavailable => "temporarily_unavailable",
    };
    ports.metrics.refused(code);
    answer::refusal(request, refusal)
}

/// A request, read.
struct Asked {
    terms: Terms,
    query: Vec<(String, String)>,
    /// Of POST, PUT and PATCH.
    body: Value,
}

impl Asked {
    async fn of(request: &HttpRequest, payload: Payload, target: &Target<'_>) -> Result<Self, Refusal> {
        let query = query(request)?;
        let value = |wanted: &str| {
            let named = query.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            named.map(|(_, value)| value.as_str())
        };
        if target.is_document() && value("filter").is_some() {
            return Err(ScimError::status(403, "there is no filter here; without one all is shown").into());
        }
        let terms = Terms {
            selection: Selection::of(value("attributes"), value("excludedAttributes"))?,
            if_match: conditions::tags(request, "if-match"),
            if_none_match: conditions::tags(request, "if-none-match"),
        };
        let body = if [Method::POST, Method::PUT, Method::PATCH].contains(request.method()) {
            let about = target.resource();
            json::read(&bytes(request, payload, target.body_max()).await?, about)?
        } else {
            Value::Null
        };
        Ok(Self { terms, query, body })
    }

    async fn done_at(&self, desk: &Desk<'_>, method: &Method, target: &Target<'_>) -> Result<Answer, Refusal> {
        let body = &self.body;
        match (target, method.as_str()) {
            (Target::Users, "POST") => desk.create_user(body).await,
            (Target::Users, _) => self.listed(desk, ResourceType::User).await,
            (Target::User(id), "PUT") => desk.change_user(id, Change::Replace(body)).await,
            (Target::User(id), "PATCH") => desk.change_user(id, Change::Patch(body)).await,
            (Target::User(id), "DELETE") => desk.delete_user(id).await,
            (Target::User(id), _) => desk.user(id).await,
            (Target::Groups, "POST") => desk.create_group(body).await,
            (Target::Groups, _) => self.listed(desk, ResourceType::Group).await,
            (Target::Group(id), "PUT") => desk.change_group(id, Change::Replace(body)).await,
            (Target::Group(id), "PATCH") => desk.change_group(id, Change::Patch(body)).await,
            (Target::Group(id), "DELETE") => desk.delete_group(id).await,
            (Target::Group(id), _) => desk.group(id).await,
            (Target::Search(Some(of)), _) => desk.search(*of, body).await,
            (Target::Search(None), _) => desk.search_all(body).await,
            (Target::Config, _) => Ok(desk.service_provider_config()),
            (Target::ResourceTypes(name), _) => desk.resource_types(name.as_deref()),
            (Target::Schemas(urn), _) => desk.schemas(urn.as_deref()),
            (Target::Me | Target::Bulk | Target::Nothing, _) => Err(target.absent()),
        }
    }

    async fn listed(&self, desk: &Desk<'_>, of: ResourceType) -> Result<Answer, Refusal> {
        let schemas = desk.pass.schemas();
        let schema = if of == ResourceType::User { &schemas.user } else { &schemas.group };
        desk.list(of, &ListRequest::of_query(&self.query, schema)?).await
    }
}

/// The parameters of the query, decoded: `+` is a space, as Entra writes it.
fn query(request: &HttpRequest) -> Result<Vec<(String, String)>, ScimError> {
    let text = request.query_string();
    if text.len() > TARGET_BYTES_MAX {
        return Err(ScimError::status(414, "the address is too long; the same can be asked by POST at .search"));
    }
    Ok(form_urlencoded::parse(text.as_bytes()).map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
}

/// A body of JSON, of any charset's name: JSON is UTF-8 (RFC 8259 §8.1).
async fn bytes(request: &HttpRequest, payload: Payload, most: usize) -> Result<Vec<u8>, ScimError> {
    let kind = request.content_type().trim().to_ascii_lowercase();
    if !matches!(kind.as_str(), "" | "application/scim+json" | "application/json")
        || request.headers().contains_key("content-encoding")
    {
        return Err(ScimError::status(415, "the body is of another type than application/scim+json"));
    }
    let declared = request.headers().get("content-length").and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|length| length > most as u64) {
        return Err(too_large(most));
    }
    let cut = || ScimError::bad(ScimType::InvalidSyntax, "the body ended before it was whole");
    tokio::time::timeout(BODY_WAIT, collect(payload, most)).await.unwrap_or_else(|_| Err(cut()))
}

async fn collect(mut payload: Payload, most: usize) -> Result<Vec<u8>, ScimError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = payload.next().await {
        let cut = |_| ScimError::bad(ScimType::InvalidSyntax, "the body ended before it was whole");
        let chunk = chunk.map_err(cut)?;
        if bytes.len() + chunk.len() > most {
            return Err(too_large(most));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// 413 with the limit.
#[must_use]
pub fn too_large(most: usize) -> ScimError {
    ScimError::status(413, format!("the body has more than {most} bytes, the most that is read here"))
}

impl Target<'_> {
    /// The most bytes of a body that is sent there.
    #[must_use]
    pub fn body_max(&self) -> usize {
        match self {
            Self::Groups | Self::Group(_) => SCIM_GROUP_BODY_BYTES_MAX,
            _ => SCIM_BODY_BYTES_MAX,
        }
    }
}
