//! The connections: one for each runtime that calls, made when it is needed, never used before its server's epoch is
//! known.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, IntoConnectionInfo as _, ProtocolVersion, PushInfo, PushKind};
use tokio::runtime;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::script;
use super::server::{self, Server};
use crate::base::Secret;
use crate::state::StateFault;

/// Calls under way at a time; more are refused at once, so that a slow server makes no queue that
/// outlasts it.
pub(super) const CALLS_MAX: usize = 1024;
/// Between two attempts to connect; doubled with each failure.
const PAUSE_MIN: Duration = Duration::from_millis(25);
/// Short enough that a call has time for an attempt of its own.
const PAUSE_MAX: Duration = Duration::from_millis(100);

/// A connection whose server is known.
pub(super) struct Link {
    pub connection: MultiplexedConnection,
    pub server: Server,
    lost: Arc<AtomicBool>,
    /// When it was last seen that the server is a master with the same history: ms since `made`.
    seen_ms: AtomicU64,
    made: Instant,
}

impl Link {
    fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }

    /// Whether it is time to ask again who the server is; says so to one caller in each `interval`.
    pub fn is_due(&self, interval: Duration) -> bool {
        let now = u64::try_from(self.made.elapsed().as_millis()).unwrap_or(u64::MAX);
        let seen = self.seen_ms.load(Ordering::Relaxed);
        u128::from(now.saturating_sub(seen)) >= interval.as_millis()
            && self.seen_ms.compare_exchange(seen, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

/// A line for each runtime. Each worker has one of its own, and a connection lives on the one where it was made: an
/// answer to another's would cost two switches between threads, a quarter of a login.
pub(super) struct Lines {
    client: Client,
    has_remarked: Arc<AtomicBool>,
    by_runtime: RwLock<HashMap<runtime::Id, Arc<Line>>>,
}

/// Holds a link and makes new ones.
pub(super) struct Line {
    client: Client,
    current: ArcSwapOption<Link>,
    attempts_begun: AtomicU64,
    attempts: Mutex<Attempts>,
    has_remarked: Arc<AtomicBool>,
}

struct Attempts {
    failed: Option<(u64, String)>,
    pause: Duration,
    not_before: Option<Instant>,
}

impl Lines {
    pub fn new(url: &Secret) -> Result<Self, StateFault> {
        let address = || StateFault("its address is no redis:// or rediss:// URL".to_owned());
        let text = url.expose();
        // A fragment would mean TLS without looking at the certificate.
        if !(text.starts_with("redis://") || text.starts_with("rediss://")) || text.contains('#') {
            return Err(address());
        }
        let info = text.into_connection_info().map_err(|_| address())?;
        // Only RESP3 connections tell when the other end has hung up while nobody was waiting.
        let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let tcp = info.tcp_settings().clone().set_nodelay(true);
        let info = info.set_redis_settings(settings).set_tcp_settings(tcp);
        let client = Client::open(info).map_err(|_| address())?;
        Ok(Self { client, has_remarked: Arc::default(), by_runtime: RwLock::default() })
    }

    /// The line of this runtime.
    pub fn here(&self) -> Arc<Line> {
        let runtime = runtime::Handle::current().id();
        let known = self.by_runtime.read().unwrap_or_else(PoisonError::into_inner).get(&runtime).cloned();
        known.unwrap_or_else(|| {
            let line = Line::new(self.client.clone(), Arc::clone(&self.has_remarked));
            let mut by_runtime = self.by_runtime.write().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(by_runtime.entry(runtime).or_insert_with(|| Arc::new(line)))
        })
    }

    /// Drops the connections.
    pub fn hang_up(&self) {
        self.by_runtime.read().unwrap_or_else(PoisonError::into_inner).values().for_each(|line| line.hang_up());
    }
}

impl Line {
    fn new(client: Client, has_remarked: Arc<AtomicBool>) -> Self {
        Self {
            client,
            current: ArcSwapOption::empty(),
            attempts_begun: AtomicU64::new(0),
            attempts: Mutex::new(Attempts { failed: None, pause: PAUSE_MIN, not_before: None }),
            has_remarked,
        }
    }

    fn current(&self) -> Option<Arc<Link>> {
        self.current.load_full().filter(|link| !link.is_lost())
    }

    /// The link, made if there is none. One caller connects at a time, and all who came before its
    /// attempt began share how it ends.
    pub async fn link(&self) -> Result<Arc<Link>, StateFault> {
        if let Some(link) = self.current() {
            return Ok(link);
        }
        let begun_before = self.attempts_begun.load(Ordering::Acquire);
        let mut attempts = self.attempts.lock().await;
        if let Some(link) = self.current() {
            return Ok(link);
        }
        if let Some((attempt, fault)) = &attempts.failed
            && *attempt > begun_before
        {
            return Err(StateFault(fault.clone()));
        }
        if let Some(moment) = attempts.not_before {
            tokio::time::sleep_until(moment).await;
        }
        let attempt = self.attempts_begun.fetch_add(1, Ordering::AcqRel) + 1;
        match self.connect().await {
            Ok(link) => {
                let link = Arc::new(link);
                self.current.store(Some(Arc::clone(&link)));
                *attempts = Attempts { failed: None, pause: PAUSE_MIN, not_before: None };
                Ok(link)
            }
            Err(fault) => {
                attempts.failed = Some((attempt, fault.0.clone()));
                attempts.not_before = Some(Instant::now() + attempts.pause);
                attempts.pause = (attempts.pause * 2).min(PAUSE_MAX);
                Err(fault)
            }
        }
    }

    /// No further call begins on this connection. Those under way on it wait for their answers.
    pub fn lose(&self, link: &Arc<Link>) {
        link.lost.store(true, Ordering::Release);
        self.current.compare_and_swap(&Some(Arc::clone(link)), None);
    }

    fn hang_up(&self) {
        self.current.store(None);
    }

    async fn connect(&self) -> Result<Link, StateFault> {
        let lost = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&lost);
        // Deadlines are the caller's, who knows how much of its time is left.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None)
            .set_pipeline_buffer_size(CALLS_MAX)
            .set_push_sender(move |push: PushInfo| {
                if push.kind == PushKind::Disconnection {
                    told.store(true, Ordering::Release);
                }
                Ok::<(), ()>(())
            });
        let mut connection = self
            .client
            .get_multiplexed_async_connection_with_config(&config)
            .await
            .map_err(|fault| describe(&fault))?;
        let mut greeting = redis::pipe();
        greeting.cmd("INFO");
        script::load(&mut greeting);
        let (info,): (String,) = greeting.query_async(&mut connection).await.map_err(|fault| describe(&fault))?;
        let server = Server::read(&info).map_err(|unfit| StateFault(unfit.to_string()))?;
        if !self.has_remarked.swap(true, Ordering::Relaxed) {
            for remark in server::remarks(&info) {
                tracing::warn!("{remark}");
            }
        }
        Ok(Link { connection, server, lost, seen_ms: AtomicU64::new(0), made: Instant::now() })
    }
}

/// What failed, without what was sent: a server's own words may repeat keys and values.
pub(super) fn describe(fault: &redis::RedisError) -> StateFault {
    if fault.is_connection_refusal() {
        return StateFault("Redis refuses connections".to_owned());
    }
    // Of a pipeline, what failed first.
    let refusals = fault.clone().into_server_errors();
    let code = refusals.as_deref().and_then(|refusals| refusals.first()).map(|(_, refusal)| refusal.code());
    match code.or(fault.code()) {
        Some(code) => StateFault(format!("Redis says {code}")),
        None => StateFault(format!("Redis: {}", fault.category())),
    }
}
