//! How many logins may be under way: over all browsers, and from one address. Logins that end free their place
//! at once, abandoned ones after their lifetime.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::base::{Digest, Moment};
use crate::oidc::ClientId;

/// Minutes that a login can be under way, and the one that is beginning.
const MINUTES: usize = 11;

/// The network that counts as one address: the address itself, or the /64 of IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AddressKey(pub u64);

impl From<IpAddr> for AddressKey {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => Self(u64::from(v4.to_bits())),
            // The upper half of a global IPv6 address is never below 2^32.
            IpAddr::V6(v6) => Self((v6.to_bits() >> 64) as u64),
        }
    }
}

/// Counters of logins under way, by the minute in which they began.
#[derive(Debug, Default)]
pub struct LoginsUnderWay(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    all: Window,
    by_address: HashMap<AddressKey, Window>,
    swept: i64,
}

#[derive(Debug, Default)]
struct Window {
    minutes: [(i64, u32); MINUTES],
}

impl Window {
    fn sum(&self, minute: i64) -> u32 {
        self.minutes.iter().filter(|(at, _)| minute - at < MINUTES as i64).map(|(_, count)| count).sum()
    }

    fn slot(&mut self, minute: i64) -> Option<&mut (i64, u32)> {
        self.minutes.get_mut(usize::try_from(minute.rem_euclid(MINUTES as i64)).ok()?)
    }

    fn add(&mut self, minute: i64) {
        if let Some(slot) = self.slot(minute) {
            *slot = if slot.0 == minute { (minute, slot.1.saturating_add(1)) } else { (minute, 1) };
        }
    }

    fn subtract(&mut self, minute: i64) {
        if let Some(slot) = self.slot(minute).filter(|slot| slot.0 == minute) {
            slot.1 = slot.1.saturating_sub(1);
        }
    }
}

/// The bounds of [`LoginsUnderWay::begin`].
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub all: u32,
    pub by_address: u32,
}

/// There is no place for another login now.
#[derive(Debug, PartialEq, Eq)]
pub struct Full;

impl LoginsUnderWay {
    /// Counts a login that begins.
    ///
    /// # Errors
    /// [`Full`] if a bound is reached; the login is not counted then.
    pub fn begin(&self, address: AddressKey, bounds: Bounds, now: Moment) -> Result<(), Full> {
        let minute = minute(now);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.swept != minute {
            counts.swept = minute;
            counts.by_address.retain(|_, window| window.sum(minute) > 0);
        }
        let here = counts.by_address.get(&address).map_or(0, |window| window.sum(minute));
        if counts.all.sum(minute) >= bounds.all || here >= bounds.by_address {
            return Err(Full);
        }
        counts.all.add(minute);
        counts.by_address.entry(address).or_default().add(minute);
        Ok(())
    }

    /// Frees the place of a login that began at `started`.
    pub fn end(&self, address: AddressKey, started: Moment) {
        let minute = minute(started);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.all.subtract(minute);
        if let Some(window) = counts.by_address.get_mut(&address) {
            window.subtract(minute);
        }
    }
}

/// Pushed authorization requests that nobody has answered yet: each client has places of its own.
#[derive(Debug, Default)]
pub struct Pushes(Mutex<BTreeMap<ClientId, Arc<LoginsUnderWay>>>);

impl Pushes {
    /// The places of a client.
    #[must_use]
    pub fn of(&self, client: &ClientId) -> Arc<LoginsUnderWay> {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(places) = clients.get(client) {
            return Arc::clone(places);
        }
        Arc::clone(clients.entry(client.clone()).or_default())
    }
}

const fn minute(now: Moment) -> i64 {
    now.secs().div_euclid(60)
}

/// Lets so many through each minute, and counts nobody's further ones.
#[derive(Debug)]
pub struct Seldom {
    per_minute: u32,
    seen: Mutex<(i64, u32)>,
}

impl Seldom {
    #[must_use]
    pub const fn new(per_minute: u32) -> Self {
        Self { per_minute, seen: Mutex::new((0, 0)) }
    }

    /// Whether this one is among the first of its minute.
    pub fn admits(&self, now: Moment) -> bool {
        let minute = minute(now);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        *seen = if seen.0 == minute { (minute, seen.1.saturating_add(1)) } else { (minute, 1) };
        seen.1 <= self.per_minute
    }
}

/// Requests of one second, by who sends them.
#[derive(Debug, Default)]
pub struct PerSecond(Mutex<(i64, HashMap<String, u32>)>);

impl PerSecond {
    /// Whether this request is among the first `most` of its sender in this second.
    pub fn admits(&self, sender: &str, most: u32, now: Moment) -> bool {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.0 != now.secs() {
            *counts = (now.secs(), HashMap::new());
        }
        match counts.1.get_mut(sender) {
            Some(count) => {
                *count = count.saturating_add(1);
                *count <= most
            }
            None => {
                counts.1.insert(sender.to_owned(), 1);
                most > 0
            }
        }
    }
}

/// Wrong client credentials, counted by address and client together, so that nobody locks out the rightful client.
pub struct Failures {
    wrong: DefaultKeyedRateLimiter<(AddressKey, Digest)>,
    hashed: DefaultKeyedRateLimiter<(AddressKey, Digest)>,
    /// Over all names, known or not: who makes up names shall not hash more for it.
    hashed_from: DefaultKeyedRateLimiter<AddressKey>,
    hashing: Arc<Semaphore>,
    swept: AtomicI64,
}

/// Callers whose secrets are hashed at a time: a hash takes up to 70 ms of a core, and a caller costs two where a client
/// has two hashes.
const HASHES_MAX: usize = 8;
/// Clients behind one address that may come with a secret for the first time in one minute, each with all its guesses.
const FIRST_TIMES: NonZeroU32 = NonZeroU32::new(10).expect("not zero");

impl Failures {
    #[must_use]
    pub fn new(per_minute: u32) -> Self {
        let per_minute = NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN);
        Self {
            wrong: RateLimiter::keyed(Quota::per_minute(per_minute)),
            hashed: RateLimiter::keyed(Quota::per_minute(per_minute)),
            hashed_from: RateLimiter::keyed(Quota::per_minute(per_minute.saturating_mul(FIRST_TIMES))),
            hashing: Arc::new(Semaphore::new(HASHES_MAX)),
            swept: AtomicI64::new(0),
        }
    }

    /// Counts one wrong credential; true once there were too many of them.
    pub fn count(&self, address: IpAddr, client: &str, now: Moment) -> bool {
        let minute = minute(now);
        if self.swept.swap(minute, Ordering::Relaxed) != minute {
            self.wrong.retain_recent();
            self.hashed.retain_recent();
            self.hashed_from.retain_recent();
        }
        self.wrong.check_key(&(AddressKey::from(address), Digest::of(client))).is_err()
    }

    /// A place to hash at, to be held until the hashing is done; none while too many hash, or for who had too much
    /// hashed in vain. A right secret is hashed once and then remembered, so it isn't counted again. `client` is the name
    /// that came: names that exist and names that don't are counted alike.
    #[must_use]
    pub fn place_to_hash(&self, address: IpAddr, client: &str) -> Option<OwnedSemaphorePermit> {
        let from = AddressKey::from(address);
        self.hashed.check_key(&(from, Digest::of(client))).ok()?;
        self.hashed_from.check_key(&from).ok()?;
        Arc::clone(&self.hashing).try_acquire_owned().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Span;
    use std::net::Ipv4Addr;

    #[test]
    fn a207_abandoned_logins_fill_one_address_and_no_other() {
        let under_way = LoginsUnderWay::default();
        let bounds = Bounds { all: 5, by_address: 3 };
        let here = AddressKey::from(IpAddr::from(Ipv4Addr::new(192, 0, 2, 1)));
        let there = AddressKey::from(IpAddr::from(Ipv4Addr::new(192, 0, 2, 2)));
        let now = Moment::from_secs(1_000_000);
        for _ in 0..3 {
            assert_eq!(under_way.begin(here, bounds, now), Ok(()));
        }
        assert_eq!(under_way.begin(here, bounds, now), Err(Full));
        assert_eq!(under_way.begin(there, bounds, now), Ok(()));
        under_way.end(here, now);
        assert_eq!(under_way.begin(here, bounds, now), Ok(()));
        assert_eq!(under_way.begin(here, bounds, now.plus(Span::minutes(12))), Ok(()));
    }

    #[test]
    fn all_addresses_of_one_ipv6_network_count_as_one() {
        let key = |text: &str| AddressKey::from(text.parse::<IpAddr>().expect("an address"));
        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff"));
        assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
        assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
    }

    #[test]
    fn a086_hashing_is_bounded_by_places_by_name_and_by_address() {
        let from = |last: u8| IpAddr::from(Ipv4Addr::new(192, 0, 2, last));
        let failures = Failures::new(3);
        let held: Vec<_> = (0..8).map_while(|n| failures.place_to_hash(from(n), "access")).collect();
        assert_eq!(held.len(), 8);
        assert!(failures.place_to_hash(from(9), "access").is_none(), "no ninth at a time");
        drop(held);
        let failures = Failures::new(3);
        let admitted = |from, client: &str| (0..9).filter(|_| failures.place_to_hash(from, client).is_some()).count();
        assert_eq!(admitted(from(1), "access"), 3);
        assert_eq!(admitted(from(1), "nobody"), 3, "a name that doesn't exist is counted as one that does");
        assert_eq!(admitted(from(2), "access"), 3, "the rightful client elsewhere");
        let made_up = (0..100).filter(|n| failures.place_to_hash(from(1), &format!("name {n}")).is_some()).count();
        assert_eq!(made_up, 30 - 6, "ten times as many from one address");
        assert!(failures.place_to_hash(from(2), "third").is_some());
    }
}
