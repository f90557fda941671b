//! Stores to be asked, a clock to be moved, and short ways to write a test.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use vestibule::base::{Clock, Dice, Moment, Secret, Span};
use vestibule::keys::seal::Seal;
use vestibule::state::{self, Entry, Kind, Name, Options, Record, StateFault, StateStore, Taken};

pub const SEAL: &str = "the seal secret of the tests, long enough";
pub const MINUTE: Span = Span::minutes(1);
/// What a call may take at most: its limit of 2 s, and what a busy machine adds.
pub const ANSWER_MAX: Duration = Duration::from_millis(2_500);

pub struct ManualClock(AtomicI64);

impl ManualClock {
    pub fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(1_800_000_000_000)))
    }

    pub fn advance(&self, span: Span) {
        self.0.fetch_add(span.ms(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Moment {
        Moment::from_ms(self.0.load(Ordering::SeqCst))
    }
}

/// Never the same bytes twice in one run; that is all a nonce needs.
pub struct Counter(AtomicU64);

impl Dice for Counter {
    fn fill(&self, bytes: &mut [u8]) {
        let count = self.0.fetch_add(1, Ordering::SeqCst);
        bytes.fill(0xa5);
        for (to, from) in bytes.iter_mut().zip(count.to_le_bytes()) {
            *to = from;
        }
    }
}

/// Stores of one run must share it: nonces must not repeat.
pub fn dice() -> Arc<dyn Dice> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    Arc::new(Counter(AtomicU64::new(NEXT.fetch_add(1, Ordering::SeqCst) << 40)))
}

pub fn options(clock: Arc<ManualClock>, seal: &str, file: Option<PathBuf>) -> Options {
    Options { clock, dice: dice(), seal: Arc::new(Seal::new(&Secret::new(seal)).unwrap()), file }
}

pub fn redis_at(url: &str) -> Arc<dyn StateStore> {
    state::redis(&Secret::new(url), options(ManualClock::new(), SEAL, None)).unwrap()
}

pub fn embedded() -> Arc<dyn StateStore> {
    state::embedded(options(ManualClock::new(), SEAL, None)).unwrap()
}

pub fn name(kind: Kind, token: &str) -> Name {
    Name::of(kind, token)
}

pub fn record(kind: Kind, token: &str, bytes: impl AsRef<[u8]>) -> Record {
    Record { name: name(kind, token), bytes: bytes.as_ref().to_vec(), lifetime: MINUTE }
}

/// A list of the kind that most tests use.
pub fn list(token: &str) -> Name {
    name(Kind::SessionsOfUser, token)
}

pub fn entry(of: &str, member: &str, lifetime: Span) -> Entry {
    Entry { list: list(of), member: member.to_owned(), lifetime }
}

pub async fn enlist(store: &dyn StateStore, entries: Vec<Entry>) {
    store.put_listed(Vec::new(), entries).await.unwrap();
}

pub async fn listed(store: &dyn StateStore, of: &str) -> Vec<String> {
    store.list(list(of)).await.unwrap()
}

pub async fn put(store: &dyn StateStore, kind: Kind, token: &str, bytes: impl AsRef<[u8]>) {
    store.put(vec![record(kind, token, bytes)]).await.unwrap();
}

pub async fn take(store: &dyn StateStore, kind: Kind, token: &str, residue: &str) -> Result<Taken, StateFault> {
    store.take(name(kind, token), residue.into(), MINUTE).await
}

pub async fn peek(store: &dyn StateStore, kind: Kind, token: &str) -> Result<Option<Vec<u8>>, StateFault> {
    store.peek(name(kind, token)).await
}

/// Looks again and again until it is so; fails after ten seconds.
pub async fn until<F: Future<Output = bool>>(what: &str, mut look: impl FnMut() -> F) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !look().await {
        assert!(Instant::now() < deadline, "it didn't come to be: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await; // between two looks
    }
}

/// The answer, which must come in time.
pub async fn in_time<T>(call: impl Future<Output = T>) -> T {
    tokio::time::timeout(ANSWER_MAX, call).await.expect("each call is answered within its deadline")
}
