//! What one shard of the embedded store keeps: slots that a cursor walks, a few at each write, so that what is over
//! goes away without any call ever scanning the whole.

use std::collections::HashMap;

use crate::base::Moment;
use crate::state::Name;

/// Slots that a write looks at: more than the one it may add, so that the cursor gains on the writers.
const SWEPT_PER_WRITE: usize = 4;

/// Something that is kept under a name for a time.
pub(super) trait Kept {
    fn name(&self) -> Name;

    /// Drops what of it is over at `now`; says whether anything is left.
    fn outlives(&mut self, now: Moment) -> bool;
}

/// Things by their names.
pub(super) struct Slots<T> {
    index: HashMap<Name, u32>,
    slots: Vec<Option<T>>,
    free: Vec<u32>,
    cursor: usize,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { index: HashMap::new(), slots: Vec::new(), free: Vec::new(), cursor: 0 }
    }
}

impl<T: Kept> Slots<T> {
    /// What is kept under that name, if it isn't over; if it is, it is removed.
    pub fn find(&mut self, name: Name, now: Moment) -> Option<&mut T> {
        let at = *self.index.get(&name)?;
        if self.slot(at).is_some_and(|kept| !kept.outlives(now)) {
            self.remove(name);
            return None;
        }
        self.slot(at)
    }

    fn slot(&mut self, at: u32) -> Option<&mut T> {
        self.slots.get_mut(at as usize)?.as_mut()
    }

    /// Keeps it in place of what was kept under its name.
    pub fn insert(&mut self, kept: T) {
        let name = kept.name();
        if let Some(at) = self.index.get(&name).copied()
            && let Some(slot) = self.slot(at)
        {
            *slot = kept;
            return;
        }
        let at = match self.free.pop() {
            Some(at) => {
                if let Some(slot) = self.slots.get_mut(at as usize) {
                    *slot = Some(kept);
                }
                at
            }
            None => {
                if self.slots.len() == self.slots.capacity() {
                    // Growing by a quarter wastes less than doubling.
                    self.slots.reserve_exact((self.slots.len() / 4).max(8));
                }
                self.slots.push(Some(kept));
                u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
            }
        };
        self.index.insert(name, at);
    }

    pub fn remove(&mut self, name: Name) {
        if let Some(at) = self.index.remove(&name)
            && let Some(slot) = self.slots.get_mut(at as usize)
        {
            *slot = None;
            self.free.push(at);
        }
    }

    /// To be called at each write.
    pub fn sweep(&mut self, now: Moment) {
        for _ in 0..SWEPT_PER_WRITE.min(self.slots.len()) {
            self.cursor = if self.cursor + 1 < self.slots.len() { self.cursor + 1 } else { 0 };
            let Some(kept) = self.slots.get_mut(self.cursor).and_then(Option::as_mut) else { continue };
            if !kept.outlives(now) {
                let name = kept.name();
                self.remove(name);
            }
        }
    }

    /// All that is kept, in no order; some of it may be over.
    pub fn into_kept(self) -> impl Iterator<Item = T> {
        self.slots.into_iter().flatten()
    }

    /// How many things are kept, and in how many slots.
    #[cfg(test)]
    pub fn held(&self) -> (usize, usize) {
        assert_eq!(self.index.len() + self.free.len(), self.slots.len());
        (self.index.len(), self.slots.len())
    }
}
