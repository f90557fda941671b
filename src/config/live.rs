//! The configuration in force, renewed when the files change: all files together or not at all.

use std::collections::VecDeque;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use notify_debouncer_full::notify::{EventKind, RecursiveMode};
use notify_debouncer_full::{DebounceEventResult, new_debouncer};

use super::finding::Finding;
use super::load::{Loaded, load};
use super::{DatabaseUrl, Server, Snapshot, StateUrl};
use crate::base::Digest;

/// How long after the first event the folder is read: an editor's several writes are one change.
const SETTLE: Duration = Duration::from_millis(200);
/// How often it is looked at in any case: network file systems and mounted ConfigMaps send no events.
const POLL: Duration = Duration::from_secs(1);

/// Earlier versions that are remembered.
const EARLIER_MAX: usize = 16;

type OwnedEnv = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// What became of a look at the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reloaded {
    /// Nothing is different from the last look.
    Unchanged,
    TakenOver,
    /// Something is wrong: the last good configuration stays in force.
    Refused,
}

/// The configuration in force.
pub struct Live {
    /// `None` for a configuration that never changes.
    origin: Option<Origin>,
    current: ArcSwap<Snapshot>,
    /// The versions before it, newest first: logins under way finish on the one they began with.
    earlier: Mutex<VecDeque<Arc<Snapshot>>>,
    findings: ArcSwap<Vec<Finding>>,
}

struct Origin {
    folder: PathBuf,
    env: OwnedEnv,
    seen: Mutex<Seen>,
}

/// What the last look saw. Its lock is held while the folder is read: one reload at a time.
struct Seen {
    fingerprint: Digest,
    named_files: Vec<PathBuf>,
    stamps: Vec<Stamp>,
}

/// What tells that a file was changed without reading it.
#[derive(PartialEq, Eq)]
struct Stamp {
    path: PathBuf,
    /// Device, inode and the time of its last change: a renamed or relinked file is another one.
    identity: (u64, u64, i64, i64),
    changed: Option<SystemTime>,
    bytes: u64,
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").field("version", &self.snapshot().version).finish_non_exhaustive()
    }
}

impl Live {
    /// Reads the folder for the first time. Warnings are logged.
    ///
    /// # Errors
    /// All findings, if one of them is an error.
    pub fn new(
        folder: &Path,
        env: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Result<Arc<Self>, Vec<Finding>> {
        let env: OwnedEnv = Box::new(env);
        let stamps = stamps(folder, &[]);
        let loaded = load(folder, &*env);
        let Some(snapshot) = loaded.snapshot else { return Err(loaded.findings) };
        log(&loaded.findings);
        let seen = Seen { fingerprint: loaded.fingerprint, named_files: loaded.named_files, stamps };
        Ok(Arc::new(Self {
            origin: Some(Origin { folder: folder.to_owned(), env, seen: Mutex::new(seen) }),
            current: ArcSwap::new(snapshot),
            earlier: Mutex::default(),
            findings: ArcSwap::from_pointee(loaded.findings),
        }))
    }

    /// A configuration that never changes.
    #[must_use]
    pub fn fixed(snapshot: Arc<Snapshot>) -> Arc<Self> {
        Arc::new(Self {
            origin: None,
            current: ArcSwap::new(snapshot),
            earlier: Mutex::default(),
            findings: ArcSwap::from_pointee(Vec::new()),
        })
    }

    /// The configuration in force at this moment. A request asks once and keeps it to its end.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// The configuration of that version, if it is in force or was lately.
    #[must_use]
    pub fn version(&self, version: &Digest) -> Option<Arc<Snapshot>> {
        let current = self.snapshot();
        if current.version == *version {
            return Some(current);
        }
        let earlier = self.earlier.lock().unwrap_or_else(PoisonError::into_inner);
        earlier.iter().find(|snapshot| snapshot.version == *version).cloned()
    }

    /// What the last look found, whether it was taken over or not.
    #[must_use]
    pub fn findings(&self) -> Arc<Vec<Finding>> {
        self.findings.load_full()
    }

    /// Reads the folder now, and takes it over if it is right and different.
    pub fn reload(&self) -> Reloaded {
        let Some(origin) = &self.origin else { return Reloaded::Unchanged };
        let mut seen = origin.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // Before the reading: a change during it is seen at the next look.
        let stamps = stamps(&origin.folder, &seen.named_files);
        let loaded = load(&origin.folder, &*origin.env);
        let unchanged = loaded.fingerprint == seen.fingerprint;
        *seen = Seen { fingerprint: loaded.fingerprint, named_files: loaded.named_files.clone(), stamps };
        if unchanged { Reloaded::Unchanged } else { self.judge(loaded) }
    }

    fn judge(&self, loaded: Loaded) -> Reloaded {
        log(&loaded.findings);
        self.findings.store(Arc::new(loaded.findings));
        let Some(mut snapshot) = loaded.snapshot else {
            tracing::warn!("the configuration is wrong: the last good one stays in force");
            return Reloaded::Refused;
        };
        let old = self.snapshot();
        if let Some(server) = kept(&old.server, &snapshot.server) {
            Arc::make_mut(&mut snapshot).server = Arc::new(server);
        }
        let version = snapshot.version;
        let mut earlier = self.earlier.lock().unwrap_or_else(PoisonError::into_inner);
        earlier.push_front(self.current.swap(snapshot));
        earlier.truncate(EARLIER_MAX);
        drop(earlier);
        tracing::info!(?version, "configuration taken over");
        Reloaded::TakenOver
    }

    /// Whether anything looks different from what the last reading saw. Reads nothing.
    fn looks_changed(&self) -> bool {
        let Some(origin) = &self.origin else { return false };
        let seen = origin.seen.lock().unwrap_or_else(PoisonError::into_inner);
        stamps(&origin.folder, &seen.named_files) != seen.stamps
    }

    /// Looks at the folder until the guard is dropped: at once after events, each second in any case.
    #[must_use]
    pub fn watch(self: &Arc<Self>) -> Watch {
        let stopped = Arc::new(AtomicBool::new(false));
        let Some(origin) = &self.origin else { return Watch { stopped, thread: None } };
        let folder = origin.folder.clone();
        let (live, stop) = (Arc::clone(self), Arc::clone(&stopped));
        let thread = std::thread::Builder::new().name("config".to_owned()).spawn(move || run(&live, &folder, &stop));
        if let Err(fault) = &thread {
            tracing::warn!(%fault, "the config folder can't be watched");
        }
        Watch { stopped, thread: thread.ok() }
    }
}

fn run(live: &Arc<Live>, folder: &Path, stop: &AtomicBool) {
    let (sender, events) = std::sync::mpsc::channel::<()>();
    let heard = move |result: DebounceEventResult| {
        // Our own reading makes Access events.
        let counts = result.is_ok_and(|all| all.iter().any(|event| !matches!(event.kind, EventKind::Access(_))));
        if counts {
            let _receiver_may_be_gone = sender.send(());
        }
    };
    // Without events the poll is enough.
    let mut debouncer = new_debouncer(SETTLE, None, heard).ok();
    if let Some(debouncer) = &mut debouncer
        && let Err(fault) = debouncer.watch(folder, RecursiveMode::Recursive)
    {
        tracing::warn!(%fault, "no events from the config folder: it is looked at each second");
    }
    while !stop.load(Ordering::Relaxed) {
        let heard = match events.recv_timeout(POLL) {
            Ok(()) => true,
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => false,
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => {
                std::thread::park_timeout(POLL);
                false
            }
        };
        if !stop.load(Ordering::Relaxed) && (heard || live.looks_changed()) {
            live.reload();
        }
    }
}

/// Watches while it lives.
#[derive(Debug)]
pub struct Watch {
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        // The thread ends by itself within a poll; nobody waits for it.
        self.stopped.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
        }
    }
}

/// The new server settings with the old values of what can't change while the process runs;
/// `None` if none of these differ.
fn kept(old: &Server, new: &Server) -> Option<Server> {
    let changed: Vec<&str> = [
        ("issuer", old.issuer != new.issuer),
        ("listen", old.listen != new.listen),
        ("[management] listen", old.management_listen != new.management_listen),
        ("[state] url", !same_state(&old.state, &new.state)),
        ("[database] url", !same_database(&old.database, &new.database)),
        ("[tls]", old.tls != new.tls),
        (
            "[limits] client_failures_per_minute",
            old.limits.client_failures_per_minute != new.limits.client_failures_per_minute,
        ),
        ("[keys] seal", !same_secret(old.keys.seal.as_ref(), new.keys.seal.as_ref())),
    ]
    .into_iter()
    .filter_map(|(key, differs)| differs.then_some(key))
    .collect();
    for key in &changed {
        tracing::warn!(
            key,
            "changed in vestibule.toml, but only a restart takes it over: the old value stays in force"
        );
    }
    (!changed.is_empty()).then(|| {
        let mut server = new.clone();
        server.issuer.clone_from(&old.issuer);
        server.base_url = old.base_url.clone();
        server.listen = old.listen;
        server.management_listen = old.management_listen;
        server.state = old.state.clone();
        server.database = old.database.clone();
        server.tls.clone_from(&old.tls);
        server.limits.client_failures_per_minute = old.limits.client_failures_per_minute;
        server.keys.seal.clone_from(&old.keys.seal);
        server
    })
}

fn same_secret(old: Option<&crate::base::Secret>, new: Option<&crate::base::Secret>) -> bool {
    match (old, new) {
        (None, None) => true,
        (Some(old), Some(new)) => old.matches(new.expose()),
        _ => false,
    }
}

fn same_state(old: &StateUrl, new: &StateUrl) -> bool {
    match (old, new) {
        (StateUrl::Embedded, StateUrl::Embedded) => true,
        (StateUrl::Redis(old), StateUrl::Redis(new)) => old.matches(new.expose()),
        _ => false,
    }
}

fn same_database(old: &DatabaseUrl, new: &DatabaseUrl) -> bool {
    match (old, new) {
        (DatabaseUrl::Sqlite(old), DatabaseUrl::Sqlite(new)) => old == new,
        (DatabaseUrl::Postgres(old), DatabaseUrl::Postgres(new)) => old.matches(new.expose()),
        _ => false,
    }
}

fn log(findings: &[Finding]) {
    for finding in findings {
        tracing::warn!(code = finding.code, at = finding.place(), label = finding.label, "{}", finding.title);
    }
}

fn stamps(folder: &Path, named: &[PathBuf]) -> Vec<Stamp> {
    let folders = ["", "directories", "idps", "clients", "services"];
    let mut all: Vec<PathBuf> = folders.iter().map(|inner| folder.join(inner)).collect();
    for inner in folders {
        let entries = std::fs::read_dir(folder.join(inner)).into_iter().flatten();
        all.extend(entries.filter_map(|entry| Some(entry.ok()?.path())));
    }
    all.extend(named.iter().cloned());
    all.sort();
    all.into_iter()
        .map(|path| {
            let meta = std::fs::metadata(&path).ok();
            Stamp {
                identity: meta.as_ref().map(identity).unwrap_or_default(),
                changed: meta.as_ref().and_then(|meta| meta.modified().ok()),
                bytes: meta.map_or(0, |meta| meta.len()),
                path,
            }
        })
        .collect()
}

#[cfg(unix)]
fn identity(meta: &std::fs::Metadata) -> (u64, u64, i64, i64) {
    use std::os::unix::fs::MetadataExt as _;
    (meta.dev(), meta.ino(), meta.ctime(), meta.ctime_nsec())
}

#[cfg(not(unix))]
fn identity(_meta: &std::fs::Metadata) -> (u64, u64, i64, i64) {
    Default::default()
}
