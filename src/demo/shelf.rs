//! Memory with an end: so many things, each for so long.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::base::{Digest, Moment};

/// Things that are kept at a time; the oldest gives way to the next.
const KEPT_MAX: usize = 1_000;

/// Things by the digest of the text that opens them.
pub struct Shelf<T>(Mutex<Kept<T>>);

struct Kept<T> {
    things: HashMap<Digest, (T, Moment)>,
    /// Names in the order in which they came. Those of things that were taken stay until they are oldest.
    order: VecDeque<Digest>,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self(Mutex::new(Kept { things: HashMap::new(), order: VecDeque::new() }))
    }
}

impl<T: Clone> Shelf<T> {
    /// Keeps a thing until `until`, in the place of one that stood there.
    pub fn put(&self, name: &str, thing: T, until: Moment) {
        let mut kept = self.lock();
        let name = Digest::of(name);
        if kept.things.insert(name, (thing, until)).is_none() {
            kept.order.push_back(name);
        }
        while kept.order.len() > KEPT_MAX {
            if let Some(oldest) = kept.order.pop_front() {
                kept.things.remove(&oldest);
            }
        }
    }

    /// A copy of a thing that is still kept.
    pub fn look(&self, name: &str, now: Moment) -> Option<T> {
        self.lock().things.get(&Digest::of(name)).filter(|(_, until)| now < *until).map(|(thing, _)| thing.clone())
    }

    /// Takes a thing away: of several who try, one gets it.
    pub fn take(&self, name: &str, now: Moment) -> Option<T> {
        let mut kept = self.lock();
        let name = Digest::of(name);
        kept.order.retain(|other| *other != name);
        kept.things.remove(&name).filter(|(_, until)| now < *until).map(|(thing, _)| thing)
    }

    fn lock(&self) -> MutexGuard<'_, Kept<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment::from_secs(1_000);
    const LATER: Moment = Moment::from_secs(2_000);

    #[test]
    fn a_thing_is_taken_once_and_not_after_its_time() {
        let shelf = Shelf::default();
        shelf.put("a", 1, LATER);
        assert_eq!(shelf.look("a", NOW), Some(1));
        assert_eq!(shelf.look("a", LATER), None);
        assert_eq!(shelf.take("a", NOW), Some(1));
        assert_eq!(shelf.take("a", NOW), None);
        shelf.put("b", 2, NOW);
        assert_eq!(shelf.take("b", NOW), None);
    }

    #[test]
    fn the_oldest_gives_way_and_nothing_is_kept_beyond_the_bound() {
        let shelf = Shelf::default();
        for n in 0..KEPT_MAX + 10 {
            shelf.put(&n.to_string(), n, LATER);
            shelf.put("last", n, LATER);
            shelf.take(&format!("none {n}"), NOW);
        }
        assert_eq!(shelf.look("0", NOW), None);
        assert_eq!(shelf.look(&(KEPT_MAX + 9).to_string(), NOW), Some(KEPT_MAX + 9));
        let kept = shelf.lock();
        assert!(kept.things.len() <= KEPT_MAX && kept.order.len() <= KEPT_MAX);
    }
}
