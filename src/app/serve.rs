//! Listeners and the tasks beside them.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server as HttpServerFuture;
use actix_web::web::{self, Data, PayloadConfig};
use actix_web::{App, HttpServer};
use tokio::sync::Notify;

use super::{StartFault, tls};
use crate::base::Digest;
use crate::base::limits::BODY_BYTES_MAX;
use crate::config::Server;
use crate::flow::Ports;
use crate::jobs::attributes::Attributes;
use crate::jobs::credentials::Credentials;
use crate::jobs::departures::Departures;
use crate::jobs::indexes::Indexes;
use crate::jobs::keys::{Keeper, renew, rotation};
use crate::jobs::{courier, leavings, purge, sightings};
use crate::web::dispatch::dispatch;
use crate::web::documents::Documents;
use crate::web::management::management as answer_management;

/// How long a client may take to send its headers.
const HEADER_WAIT: Duration = Duration::from_secs(10);
/// How long an idle connection is kept.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How long connections may take to get their last answer after all requests have ended, in seconds.
const LAST_BYTES_S: u64 = 2;
/// How often changes are looked for: one small read of the signing keys at rest.
const LOOK: Duration = Duration::from_secs(1);
/// How often what was seen of provisioning services is written down.
const NOTE: Duration = Duration::from_secs(3);

/// The public listener.
///
/// # Errors
/// [`StartFault`].
pub fn public(
    ports: &Data<Ports>,
    listen: SocketAddr,
    server: &Server,
) -> Result<(HttpServerFuture, SocketAddr), StartFault> {
    let (listener, address) = bind(listen)?;
    let (data, documents) = (ports.clone(), Data::new(Documents::default()));
    let http = HttpServer::new(move || {
        App::new()
            .app_data(data.clone())
            .app_data(documents.clone())
            .app_data(PayloadConfig::new(BODY_BYTES_MAX))
            .default_service(web::to(dispatch))
    })
    .client_request_timeout(HEADER_WAIT)
    .keep_alive(KEEP_ALIVE)
    .shutdown_timeout(LAST_BYTES_S)
    .disable_signals();
    let listen_fault = |fault| StartFault::Listen { what: listen, fault };
    let http = match &server.tls {
        None => http.listen(listener).map_err(listen_fault)?,
        Some(files) => {
            http.listen_rustls_0_23(listener, tls::server_config(files, ports.clone())?).map_err(listen_fault)?
        }
    };
    Ok((http.run(), address))
}

/// The management listener: one worker, no TLS.
///
/// # Errors
/// [`StartFault`].
pub fn management(ports: &Data<Ports>, listen: SocketAddr) -> Result<(HttpServerFuture, SocketAddr), StartFault> {
    let (listener, address) = bind(listen)?;
    let data = ports.clone();
    let http = HttpServer::new(move || App::new().app_data(data.clone()).default_service(web::to(answer_management)))
        .workers(1)
        .shutdown_timeout(1)
        .disable_signals()
        .listen(listener)
        .map_err(|fault| StartFault::Listen { what: listen, fault })?;
    Ok((http.run(), address))
}

fn bind(listen: SocketAddr) -> Result<(TcpListener, SocketAddr), StartFault> {
    let fault = |fault| StartFault::Listen { what: listen, fault };
    let listener = TcpListener::bind(listen).map_err(fault)?;
    let address = listener.local_addr().map_err(fault)?;
    Ok((listener, address))
}

/// Each second what other processes and the files may have changed, who was switched off (here: at once), and what is to
/// be done about directories; every few seconds what was seen of provisioning services; the purge each hour.
#[must_use]
pub fn tasks(ports: &Data<Ports>) -> Vec<tokio::task::JoinHandle<()>> {
    let (for_changes, for_purge, for_leavings) = (ports.clone(), ports.clone(), ports.clone());
    let for_sightings = ports.clone();
    let switched_off = Arc::new(Notify::new());
    let off = Arc::clone(&switched_off);
    vec![
        tokio::spawn(async move {
            let mut turns = turns(LOOK);
            // Files that have changed since the start began count too: what was made from them then is renewed.
            let config = for_changes.config.snapshot();
            for_changes.upstream.renew(&config.server.outbound);
            for_changes.clients.renew(&config.server.outbound);
            let mut version = config.version;
            loop {
                turns.tick().await;
                follow_config(&for_changes, &mut version);
                renew_ring(&for_changes).await;
            }
        }),
        tokio::spawn(async move {
            let mut turns = turns(Duration::from_secs(3600));
            loop {
                turns.tick().await;
                purge::tick(&for_purge).await;
            }
        }),
        tokio::spawn(async move {
            let mut turns = turns(LOOK);
            loop {
                tokio::select! {
                    _ = turns.tick() => {}
                    () = for_leavings.leavings_wait.notified() => off.notify_one(),
                }
                leavings::tick(&for_leavings).await;
            }
        }),
        tokio::spawn(async move {
            let mut turns = turns(NOTE);
            loop {
                turns.tick().await;
                sightings::tick(&for_sightings).await;
            }
        }),
        tokio::spawn(see_to_departures(ports.clone(), switched_off)),
        tokio::spawn(see_to_directories(ports.clone())),
    ]
}

fn turns(period: Duration) -> tokio::time::Interval {
    let mut turns = tokio::time::interval(period);
    turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    turns
}

async fn see_to_departures(ports: Data<Ports>, switched_off: Arc<Notify>) {
    let (mut turns, mut departures) = (turns(LOOK), Departures::default());
    loop {
        tokio::select! {
            _ = turns.tick() => {}
            () = switched_off.notified() => {}
        }
        departures.tick(&ports).await;
    }
}

/// Apart from the departures: an attribute of a large directory takes its time.
async fn see_to_directories(ports: Data<Ports>) {
    let mut turns = turns(LOOK);
    let (mut attributes, mut indexes, mut credentials) =
        (Attributes::default(), Indexes::default(), Credentials::default());
    loop {
        turns.tick().await;
        attributes.tick(&ports).await;
        indexes.tick(&ports).await;
        credentials.tick(&ports).await;
    }
}

/// What tells clients of sign-outs. It ends by itself when the order to stop has come and `notices_wait` rings.
#[must_use]
pub fn deliveries(ports: &Data<Ports>) -> tokio::task::JoinHandle<()> {
    tokio::spawn(courier::run(ports.clone().into_inner()))
}

/// Hands changed settings to what was made from the old ones.
fn follow_config(ports: &Ports, known: &mut Digest) {
    let request = ports.request();
    if *known != request.config.version {
        *known = request.config.version;
        ports.upstream.renew(&request.config.server.outbound);
        ports.clients.renew(&request.config.server.outbound);
        ports.metrics.config_loaded(request.now);
    }
}

async fn renew_ring(ports: &Ports) {
    let request = ports.request();
    let keeper = Keeper { store: &*ports.directory.keys, seal: &ports.seal, dice: &*ports.dice };
    match renew(&keeper, &rotation(&request.config), &ports.ring.load(), request.now).await {
        Ok(Some(ring)) => {
            tracing::info!("the signing keys have changed");
            ports.ring.store(Arc::new(ring));
        }
        Ok(None) => {}
        Err(fault) => tracing::warn!(%fault, "the signing keys can't be looked after"),
    }
}
