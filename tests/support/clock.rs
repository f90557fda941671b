//! A clock that stands still until it is told to go, and dice that fall the same way each time.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use vestibule::base::{Clock, Dice, Digest, Moment, Span};

/// Begins at the machine's time, so that what others sign now is fresh.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    #[expect(clippy::disallowed_methods, reason = "the one place in tests where the machine's time is read")]
    pub fn at_this_moment() -> Self {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
        Self(AtomicI64::new(i64::try_from(since.as_millis()).expect("before the year 292 million")))
    }

    pub fn advance(&self, span: Span) {
        self.0.fetch_add(span.ms(), Ordering::SeqCst);
    }

    pub fn back(&self, span: Span) {
        self.0.fetch_sub(span.ms(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Moment {
        Moment::from_ms(self.0.load(Ordering::SeqCst))
    }
}

/// Numbers from a seed; two dice of one process never share theirs.
#[derive(Debug)]
pub struct SeededDice {
    seed: u64,
    thrown: AtomicU64,
}

static SEEDS: AtomicU64 = AtomicU64::new(1);

impl SeededDice {
    pub fn fresh() -> Self {
        Self { seed: SEEDS.fetch_add(1, Ordering::SeqCst), thrown: AtomicU64::new(0) }
    }
}

impl Dice for SeededDice {
    fn fill(&self, bytes: &mut [u8]) {
        for piece in bytes.chunks_mut(32) {
            let throw = self.thrown.fetch_add(1, Ordering::SeqCst);
            let drawn = Digest::of(format!("{}/{}/{throw}", std::process::id(), self.seed));
            piece.copy_from_slice(&drawn.as_bytes()[..piece.len()]);
        }
    }
}
