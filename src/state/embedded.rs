//! The store in this process: maps behind locks, each lock over a part of the names.
//!
//! A lock is held for a few hundred nanoseconds (for a long list: microseconds) and never across an await. Lists lie
//! beside the records, not among them: neither is ever found as the other.

use std::hash::{BuildHasher as _, RandomState};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::mark::Mark;
use super::rest::{self, Rest, Resting, RestingMember};
use super::roll::{Member, Roll};
use super::slots::{Kept, Slots};
use crate::base::{Clock, Dice, Moment, Span};
use crate::keys::seal::Seal;
use crate::state::{Entry, Name, Options, Record, StateFault, StateStore, Taken};

/// Locks over the names; a power of two well above the number of threads.
const SHARDS: usize = 64;

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
    records: Slots<Resting>,
    lists: Slots<Roll>,
    closed: bool,
}

impl Kept for Resting {
    fn name(&self) -> Name {
        self.name
    }

    fn outlives(&mut self, now: Moment) -> bool {
        self.expires > now
    }
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
        let Rest { records, members } = match rest::take(path, &self.seal) {
            Ok(rest) => rest.unwrap_or_default(),
            Err(fault) => {
                tracing::warn!(file = %path.display(), "the embedded state begins empty: its file isn't taken over: {fault}");
                return;
            }
        };
        let now = self.clock.now();
        for record in records.into_iter().filter(|record| record.expires > now) {
            if let Ok(mut shard) = self.shard(record.name) {
                shard.records.insert(record);
            }
        }
        for RestingMember { list, member } in members.into_iter().filter(|resting| resting.member.ends > now) {
            if let Ok(mut shard) = self.shard(list) {
                shard.enlist(list, member, now);
            }
        }
    }

    fn shard(&self, name: Name) -> Result<MutexGuard<'_, Shard>, StateFault> {
        let at = usize::try_from(self.spread.hash_one(name) % SHARDS as u64).unwrap_or_default();
        let shard = self.shards.get(at).ok_or_else(closed)?;
        let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        if shard.closed { Err(closed()) } else { Ok(shard) }
    }

    fn look(&self, name: Name, now: Moment) -> Result<Option<Vec<u8>>, StateFault> {
        let mut shard = self.shard(name)?;
        let found = shard.records.find(name, now).filter(|record| record.mark == Mark::Fresh);
        Ok(found.map(|record| record.bytes.to_vec()))
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
    fn enlist(&mut self, list: Name, member: Member, now: Moment) {
        match self.lists.find(list, now) {
            Some(roll) => roll.put(member),
            None => self.lists.insert(Roll::of(list, member)),
        }
    }
}

#[async_trait]
impl StateStore for Embedded {
    /// The lists come first, as in Redis: no record may stand there that its list doesn't know.
    async fn put_listed(&self, records: Vec<Record>, entries: Vec<Entry>) -> Result<(), StateFault> {
        let now = self.clock.now();
        for Entry { list, member, lifetime } in entries {
            let mut shard = self.shard(list)?;
            shard.lists.sweep(now);
            shard.enlist(list, Member { ends: now.plus(lifetime), text: member.into_boxed_str() }, now);
        }
        for record in records {
            let mut shard = self.shard(record.name)?;
            shard.records.sweep(now);
            shard.records.insert(self.resting(record, now));
        }
        Ok(())
    }

    async fn list(&self, list: Name) -> Result<Vec<String>, StateFault> {
        let now = self.clock.now();
        let mut shard = self.shard(list)?;
        let members = shard.lists.find(list, now).map(|roll| roll.members()).unwrap_or_default();
        Ok(members.iter().map(|member| member.text.to_string()).collect())
    }

    async fn peek_all(&self, names: Vec<Name>) -> Result<Vec<Option<Vec<u8>>>, StateFault> {
        let now = self.clock.now();
        names.into_iter().map(|name| self.look(name, now)).collect()
    }

    async fn put_new(&self, record: Record) -> Result<bool, StateFault> {
        let now = self.clock.now();
        let mut shard = self.shard(record.name)?;
        shard.records.sweep(now);
        if shard.records.find(record.name, now).is_some() {
            return Ok(false);
        }
        shard.records.insert(self.resting(record, now));
        Ok(true)
    }

    async fn peek(&self, name: Name) -> Result<Option<Vec<u8>>, StateFault> {
        self.look(name, self.clock.now())
    }

    async fn take(&self, name: Name, residue: Vec<u8>, residue_lifetime: Span) -> Result<Taken, StateFault> {
        let now = self.clock.now();
        let mut shard = self.shard(name)?;
        shard.records.sweep(now);
        let Some(record) = shard.records.find(name, now) else { return Ok(Taken::Never) };
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
        let Some(found) = shard.records.find(record.name, now) else { return Ok(false) };
        if found.mark == Mark::Taken || *found.bytes != *expected {
            return Ok(false);
        }
        *found = self.resting(record, now);
        Ok(true)
    }

    async fn forget(&self, name: Name) -> Result<(), StateFault> {
        self.shard(name)?.records.remove(name);
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
        let mut rest = Rest::default();
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            if shard.closed {
                return Ok(());
            }
            let emptied = Shard { closed: true, ..Shard::default() };
            let full = std::mem::replace(&mut *shard, emptied);
            rest.records.extend(full.records.into_kept().filter(|record| record.expires > now));
            for roll in full.lists.into_kept() {
                let living = roll.members().iter().filter(|member| member.ends > now);
                rest.members.extend(living.map(|member| RestingMember { list: roll.name(), member: member.clone() }));
            }
        }
        let Some(path) = &self.file else { return Ok(()) };
        rest::write(path, &self.seal, self.dice.as_ref(), &rest)
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

    fn held<T: Kept>(store: &Embedded, part: impl Fn(&Shard) -> &Slots<T>) -> (usize, usize) {
        let all = store.shards.iter().map(|shard| part(&shard.lock().unwrap()).held());
        all.fold((0, 0), |(things, slots), (more, in_slots)| (things + more, slots + in_slots))
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
                slots_after_first_round = held(&store, |shard| &shard.records).1;
            }
        }
        let (records, slots) = held(&store, |shard| &shard.records);
        assert!(records < 10_000, "{records} records held of 5,000 that could live");
        assert!(slots < 2 * slots_after_first_round + 1_000, "{slots} slots");
    }

    #[tokio::test]
    async fn lists_and_members_whose_time_is_over_go_away_under_writes() {
        let clock = Arc::new(Manual(AtomicI64::new(0)));
        let store = store(clock.clone());
        let entry = |list: &str, member: String, lifetime| Entry {
            list: Name::of(Kind::SessionsOfUser, list),
            member,
            lifetime,
        };
        let long = (0..500).map(|n| entry("long", n.to_string(), Span::secs(if n == 0 { 100_000 } else { 60 })));
        store.put_listed(Vec::new(), long.collect()).await.unwrap();
        let mut slots_after_first_round = 0;
        for round in 0..20_i64 {
            for n in 0..5_000 {
                let entries = vec![entry(&format!("{round} {n}"), "member".to_owned(), Span::secs(60))];
                store.put_listed(Vec::new(), entries).await.unwrap();
            }
            clock.0.fetch_add(60_000, Ordering::SeqCst);
            if round == 0 {
                slots_after_first_round = held(&store, |shard| &shard.lists).1;
            }
        }
        let (lists, slots) = held(&store, |shard| &shard.lists);
        assert!(lists < 10_000, "{lists} lists held of 5,000 that could live");
        assert!(slots < 2 * slots_after_first_round + 1_000, "{slots} slots");
        let mut left = 0;
        for shard in &store.shards {
            for roll in std::mem::take(&mut shard.lock().unwrap().lists).into_kept() {
                left += if roll.name() == Name::of(Kind::SessionsOfUser, "long") { roll.members().len() } else { 0 };
            }
        }
        assert_eq!(left, 1, "the sweep drops members of a list that nobody writes to");
    }
}
