//! The store in this process: maps behind locks, each lock over a part of the names.
//!
//! A lock is held for a few hundred nanoseconds and never across an await. Each shard keeps its
//! records in slots that a cursor walks, a few at each write, so that what has expired goes away
//! without any call ever scanning the whole.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::mark::Mark;
use super::rest::{self, Resting};
use crate::base::{Clock, Dice, Moment, Span};
use crate::keys::seal::Seal;
use crate::state::{Entry, Name, Options, Record, StateFault, StateStore, Taken};

/// Locks over the names; a power of two well above the number of threads.
const SHARDS: usize = 64;
/// Slots that a write looks at for expired records: more than the one it may add, so that the cursor
/// gains on the writers.
const SWEPT_PER_WRITE: usize = 4;

pub(super) struct Embedded {
    clock: Arc<dyn Clock>,
    dice: Arc<dyn Dice>,
    seal: Arc<Seal>,
    file: Option<PathBuf>,
    spread: RandomState,
    shards: Vec<Mutex<Shard>>,
}

#[derive(Default)]
struct Shard {
    index: HashMap<Name, u32>,
    slots: Vec<Option<Resting>>,
    free: Vec<u32>,
    cursor: usize,
    closed: bool,
}

impl Embedded {
    pub fn open(options: Options) -> Self {
        let Options { clock, dice, seal, file } = options;
        let store = Self {
            clock,
            dice,
            seal,
            file,
            spread: RandomState::new(),
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
        };
        store.take_over();
        store
    }

    fn take_over(&self) {
        let Some(path) = &self.file else { return };
        let records = match rest::take(path, &self.seal) {
            Ok(records) => records.unwrap_or_default(),
            Err(fault) => {
                tracing::warn!(file = %path.display(), "the embedded state begins empty: its file isn't taken over: {fault}");
                return;
            }
        };
        let now = self.clock.now();
        for record in records.into_iter().filter(|record| record.expires > now) {
            if let Ok(mut shard) = self.shard(record.name) {
                shard.insert(record);
            }
        }
    }

    fn shard(&self, name: Name) -> Result<MutexGuard<'_, Shard>, StateFault> {
        let at = usize::try_from(self.spread.hash_one(name) % SHARDS as u64).unwrap_or_default();
        let shard = self.shards.get(at).ok_or_else(closed)?;
        let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        if shard.closed { Err(closed()) } else { Ok(shard) }
    }

    fn resting(&self, record: Record, now: Moment) -> Resting {
        Resting {
            name: record.name,
            mark: Mark::Fresh,
            expires: now.plus(record.lifetime),
            bytes: record.bytes.into_boxed_slice(),
        }
    }
}

fn closed() -> StateFault {
    StateFault("it is closed".to_owned())
}

impl Shard {
    /// The record of that name, if it hasn't expired; one that has is removed.
    fn find(&mut self, name: Name, now: Moment) -> Option<&mut Resting> {
        let at = *self.index.get(&name)?;
        if self.slot(at).is_some_and(|record| record.expires <= now) {
            self.remove(name);
            return None;
        }
        self.slot(at)
    }

    fn slot(&mut self, at: u32) -> Option<&mut Resting> {
        self.slots.get_mut(at as usize)?.as_mut()
    }

    fn insert(&mut self, record: Resting) {
        if let Some(at) = self.index.get(&record.name).copied()
            && let Some(slot) = self.slot(at)
        {
            *slot = record;
            return;
        }
        let name = record.name;
        let at = match self.free.pop() {
            Some(at) => {
                if let Some(slot) = self.slots.get_mut(at as usize) {
                    *slot = Some(record);
                }
                at
            }
            None => {
                if self.slots.len() == self.slots.capacity() {
                    // Growing by a quarter wastes less than doubling.
                    self.slots.reserve_exact((self.slots.len() / 4).max(8));
                }
                self.slots.push(Some(record));
                u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
            }
        };
        self.index.insert(name, at);
    }

    fn remove(&mut self, name: Name) {
        if let Some(at) = self.index.remove(&name)
            && let Some(slot) = self.slots.get_mut(at as usize)
        {
            *slot = None;
            self.free.push(at);
        }
    }

    fn sweep(&mut self, now: Moment) {
        for _ in 0..SWEPT_PER_WRITE.min(self.slots.len()) {
            self.cursor = if self.cursor + 1 < self.slots.len() { self.cursor + 1 } else { 0 };
            let expired = self.slots.get(self.cursor).and_then(Option::as_ref).filter(|record| record.expires <= now);
            if let Some(name) = expired.map(|record| record.name) {
                self.remove(name);
            }
        }
    }
}

#[async_trait]
impl StateStore for Embedded {
    async fn list(&self, _list: Name) -> Result<Vec<String>, StateFault> {
        Ok(Vec::new())
    }

    async fn peek_all(&self, names: Vec<Name>) -> Result<Vec<Option<Vec<u8>>>, StateFault> {
        let mut found = Vec::with_capacity(names.len());
        for name in names {
            found.push(self.peek(name).await?);
        }
        Ok(found)
    }

    async fn put_listed(&self, records: Vec<Record>, _entries: Vec<Entry>) -> Result<(), StateFault> {
        let now = self.clock.now();
        for record in records {
            let mut shard = self.shard(record.name)?;
            shard.sweep(now);
            shard.insert(self.resting(record, now));
        }
        Ok(())
    }

    async fn put_new(&self, record: Record) -> Result<bool, StateFault> {
        let now = self.clock.now();
        let mut shard = self.shard(record.name)?;
        shard.sweep(now);
        if shard.find(record.name, now).is_some() {
            return Ok(false);
        }
        shard.insert(self.resting(record, now));
        Ok(true)
    }

    async fn peek(&self, name: Name) -> Result<Option<Vec<u8>>, StateFault> {
        let now = self.clock.now();
        let mut shard = self.shard(name)?;
        Ok(shard.find(name, now).filter(|record| record.mark == Mark::Fresh).map(|record| record.bytes.to_vec()))
    }

    async fn take(&self, name: Name, residue: Vec<u8>, residue_lifetime: Span) -> Result<Taken, StateFault> {
        let now = self.clock.now();
        let mut shard = self.shard(name)?;
        shard.sweep(now);
        let Some(record) = shard.find(name, now) else { return Ok(Taken::Never) };
        if record.mark == Mark::Taken {
            return Ok(Taken::Already(record.bytes.to_vec()));
        }
        record.mark = Mark::Taken;
        record.expires = now.plus(residue_lifetime);
        let bytes = std::mem::replace(&mut record.bytes, residue.into_boxed_slice());
        Ok(Taken::Once(bytes.into_vec()))
    }

    async fn swap(&self, expected: Vec<u8>, record: Record) -> Result<bool, StateFault> {
        let now = self.clock.now();
        let mut shard = self.shard(record.name)?;
        let Some(found) = shard.find(record.name, now) else { return Ok(false) };
        if found.mark == Mark::Taken || *found.bytes != *expected {
            return Ok(false);
        }
        *found = self.resting(record, now);
        Ok(true)
    }

    async fn forget(&self, name: Name) -> Result<(), StateFault> {
        self.shard(name)?.remove(name);
        Ok(())
    }

    async fn ping(&self) -> Result<(), StateFault> {
        let first = self.shards.first().ok_or_else(closed)?.lock().unwrap_or_else(PoisonError::into_inner);
        if first.closed { Err(closed()) } else { Ok(()) }
    }

    /// Each shard is closed in the moment in which its records are copied: nothing taken later can
    /// rest in the file as if it weren't.
    async fn close(&self) -> Result<(), StateFault> {
        let now = self.clock.now();
        let mut records = Vec::new();
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            if shard.closed {
                return Ok(());
            }
            let emptied = Shard { closed: true, ..Shard::default() };
            let full = std::mem::replace(&mut *shard, emptied);
            records.extend(full.slots.into_iter().flatten().filter(|record| record.expires > now));
        }
        let Some(path) = &self.file else { return Ok(()) };
        rest::write(path, &self.seal, self.dice.as_ref(), &records)
            .map_err(|fault| StateFault(format!("it can't be written to {}: {fault}", path.display())))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;
    use crate::base::Secret;
    use crate::state::Kind;

    struct Manual(AtomicI64);
    impl Clock for Manual {
        fn now(&self) -> Moment {
            Moment::from_ms(self.0.load(Ordering::SeqCst))
        }
    }
    struct Zeros;
    impl Dice for Zeros {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    fn store(clock: Arc<Manual>) -> Embedded {
        let seal = Seal::new(&Secret::new("0123456789abcdef0123456789abcdef")).unwrap();
        Embedded::open(Options { clock, dice: Arc::new(Zeros), seal: Arc::new(seal), file: None })
    }

    fn held(store: &Embedded) -> (usize, usize) {
        let mut records = 0;
        let mut slots = 0;
        for shard in &store.shards {
            let shard = shard.lock().unwrap();
            assert_eq!(shard.index.len() + shard.free.len(), shard.slots.len());
            records += shard.index.len();
            slots += shard.slots.len();
        }
        (records, slots)
    }

    #[tokio::test]
    async fn what_has_expired_goes_away_under_writes_and_its_room_is_used_again() {
        let clock = Arc::new(Manual(AtomicI64::new(0)));
        let store = store(clock.clone());
        let mut slots_after_first_round = 0;
        for round in 0..20_i64 {
            for n in 0..5_000 {
                let name = Name::of(Kind::PendingLogin, &format!("{round} {n}"));
                store.put(vec![Record { name, bytes: vec![1; 8], lifetime: Span::secs(60) }]).await.unwrap();
            }
            clock.0.fetch_add(60_000, Ordering::SeqCst);
            if round == 0 {
                slots_after_first_round = held(&store).1;
            }
        }
        let (records, slots) = held(&store);
        assert!(records < 10_000, "{records} records held of 5,000 that could live");
        assert!(slots < 2 * slots_after_first_round + 1_000, "{slots} slots");
    }
}
