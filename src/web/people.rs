//! The addresses that browsers come to.

use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};

use super::extract::{self, Unreadable};
use super::faces::{Viewer, is_foreign_form, is_navigated_to};
use super::routes::Route;
use crate::config::Snapshot;
use crate::flow::browser::{Arrival, Reply, Visit};
use crate::flow::ports::Unavailable;
use crate::flow::{Ports, authorize, callback, finish, handles, initiate, logout, paused, upstream_logout};
use crate::i18n::PageError;
use crate::oidc::IdpId;
use crate::oidc::params::Params;

/// Reads the visit, does the errand, shows what came of it.
pub async fn visited(ports: &Ports, request: &HttpRequest, payload: Payload, route: Route<'_>) -> HttpResponse {
    let config = ports.config.snapshot();
    let visit = match extract::visit(request, payload, &config.server).await {
        Ok(visit) => visit,
        Err(Unreadable::Malformed) => return page(ports, request, &config, PageError::MalformedRequest),
        Err(Unreadable::TooLarge) => return page(ports, request, &config, PageError::TooLarge),
    };
    let visit = match come_back(ports, visit, route).await {
        Ok(Ok(visit)) => visit,
        Ok(Err(refusal)) => return page(ports, request, &config, refusal),
        Err(Unavailable { .. }) => return page(ports, request, &config, PageError::ServiceUnavailable),
    };
    // Only a frame on a provider's page ends the session of the browser that comes (A131); a link to that address is
    // somebody else's wish, and would ask nobody.
    let linked = matches!(route, Route::UpstreamFrontchannel) && is_navigated_to(request);
    let visit = if linked { Visit { session: None, ..visit } } else { visit };
    let own_form = matches!(route, Route::Continue | Route::LogoutConfirm);
    if own_form && is_foreign_form(request, &config) {
        return page(ports, request, &config, PageError::ForeignForm);
    }
    let params = Params::from_pairs(visit.params.pairs().map(|(n, v)| (n.to_owned(), v.to_owned())).collect());
    let viewer = Viewer::new(request, &config, Some(&params));
    match errand(ports, visit, route).await {
        Ok(reply) => viewer.answer(reply),
        Err(_) => page(ports, request, &config, PageError::ServiceUnavailable),
    }
}

async fn errand(ports: &Ports, visit: Visit, route: Route<'_>) -> Result<Reply, Unavailable> {
    match route {
        Route::Authorize => authorize::authorize(ports, visit).await,
        Route::Callback(idp) => callback::callback(ports, visit, idp.map(|id| IdpId(id.to_owned()))).await,
        Route::Initiate => initiate::initiate(ports, visit).await,
        Route::Continue => paused::proceed(ports, visit).await,
        Route::Logout => logout::logout(ports, visit).await,
        Route::LogoutConfirm => logout::confirmed(ports, visit).await,
        Route::LogoutDone => logout::done(ports, visit).await,
        Route::UpstreamFrontchannel => upstream_logout::frontchannel(ports, visit).await,
        Route::Front => initiate::front(ports, &visit).await,
        _ => Ok(finish::page(ports, PageError::NotFound)),
    }
}

/// A POST that was kept under a handle has come back by GET: its parameters are those of the POST.
async fn come_back(ports: &Ports, visit: Visit, route: Route<'_>) -> Result<Result<Visit, PageError>, Unavailable> {
    let returns = matches!(route, Route::Authorize | Route::Callback(_) | Route::Logout | Route::LogoutDone);
    // Our way back has this parameter alone; beside others it is somebody's own, and unknown ones are ignored.
    let alone = visit.params.pairs().count() == 1;
    let handle = visit.params.get("handle").filter(|_| returns && alone && visit.arrival == Arrival::Get);
    let Some(handle) = handle else { return Ok(Ok(visit)) };
    let params = handles::fetch(ports, route.label(), handle).await?;
    Ok(params.map(|params| Visit { params, arrival: Arrival::Returned, ..visit }))
}

/// A page for what is no errand.
#[must_use]
pub fn page(ports: &Ports, request: &HttpRequest, config: &Snapshot, refusal: PageError) -> HttpResponse {
    Viewer::new(request, config, None).answer(finish::page(ports, refusal))
}
