//! A document of somebody else's, kept: fresh for an hour, renewed in the background after, the last good one
//! used up to a day when it can't be renewed. However many wait, one fetch is under way.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};

use super::OutboundFault;
use crate::base::limits::{JWKS_REFETCH_MIN, METADATA_FRESH, METADATA_STALE_MAX};
use crate::base::{Clock, Moment, Span};

/// How long a failure is answered from memory: a dead provider isn't hammered, and a login can be
/// begun again soon.
const FAILURE_REMEMBERED: Span = Span::secs(3);

type Outcome<T, F> = Result<Arc<T>, F>;
type Flight<T, F> = Shared<BoxFuture<'static, Outcome<T, F>>>;
type Fetch<T, F> = Box<dyn Fn() -> BoxFuture<'static, Result<T, F>> + Send + Sync>;

/// What a fetch may fail with.
pub trait Fault: Clone + std::fmt::Display + From<OutboundFault> + Send + Sync + 'static {}

impl<F: Clone + std::fmt::Display + From<OutboundFault> + Send + Sync + 'static> Fault for F {}

/// One document. Clones share it.
pub struct Cache<T, F>(Arc<Inner<T, F>>);

struct Inner<T, F> {
    /// What is kept, for the log.
    what: String,
    clock: Arc<dyn Clock>,
    fetch: Fetch<T, F>,
    state: Mutex<State<T, F>>,
}

struct State<T, F> {
    good: Option<(Arc<T>, Moment)>,
    failed: Option<(F, Moment)>,
    /// When a fetch was last forced by [`Cache::renew`].
    forced: Option<Moment>,
    flight: Option<Flight<T, F>>,
}

impl<T, F> Clone for Cache<T, F> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// How long ago, or `None` if `earlier` lies ahead: the clock was set back and the age is unknown.
fn age(now: Moment, earlier: Moment) -> Option<Span> {
    (now >= earlier).then(|| now.since(earlier))
}

impl<T: Send + Sync + 'static, F: Fault> Cache<T, F> {
    pub fn new(what: String, clock: Arc<dyn Clock>, fetch: Fetch<T, F>) -> Self {
        let state = State { good: None, failed: None, forced: None, flight: None };
        Self(Arc::new(Inner { what, clock, fetch, state: Mutex::new(state) }))
    }

    /// The document, from memory if it can be.
    ///
    /// # Errors
    /// The fault of the fetch, if there is no good copy of at most a day.
    pub async fn get(&self) -> Outcome<T, F> {
        match self.look() {
            Look::Known(outcome) => outcome,
            Look::Renewing(good, _) => Ok(good),
            Look::Fetching(flight) => flight.await,
        }
    }

    /// As [`Cache::get`], but a copy that is no longer fresh is renewed first; it is given if that fails or isn't done
    /// `within` this time.
    ///
    /// # Errors
    /// As [`Cache::get`].
    pub async fn get_renewed(&self, within: Span) -> Outcome<T, F> {
        match self.look() {
            Look::Known(outcome) => outcome,
            Look::Renewing(good, flight) => {
                let renewed = tokio::time::timeout(within.as_std(), flight).await;
                Ok(renewed.ok().and_then(Result::ok).unwrap_or(good))
            }
            Look::Fetching(flight) => flight.await,
        }
    }

    /// What is there, and what is done about it.
    fn look(&self) -> Look<T, F> {
        let mut state = self.0.lock();
        let now = self.0.clock.now();
        match (state.standing(now), state.recent_fault(now)) {
            (Standing::Fresh(good), _) | (Standing::Stale(good), Some(_)) => Look::Known(Ok(good)),
            (Standing::Stale(good), None) => Look::Renewing(good, self.fly(&mut state)),
            (Standing::Gone, Some(fault)) => Look::Known(Err(fault)),
            (Standing::Gone, None) => Look::Fetching(self.fly(&mut state)),
        }
    }

    /// A document that is newer than `seen`, which lacked something: at once, but not more than one
    /// fetch a minute for this reason, or one every three seconds while fetches fail. `None` if there
    /// is none to be had; [`Cache::last_fault`] tells whether for want of an answer.
    ///
    /// # Errors
    /// The fault of the fetch.
    pub async fn renew(&self, seen: &Arc<T>) -> Result<Option<Arc<T>>, F> {
        let flight = {
            let mut state = self.0.lock();
            let now = self.0.clock.now();
            if let Some((good, _)) = state.good.as_ref().filter(|(good, _)| !Arc::ptr_eq(good, seen)) {
                return Ok(Some(Arc::clone(good)));
            }
            let pause = if state.failed.is_some() { FAILURE_REMEMBERED } else { JWKS_REFETCH_MIN };
            let lately = state.forced.and_then(|at| age(now, at)).is_some_and(|age| age < pause);
            match state.flight_under_way() {
                Some(flight) => flight,
                None if lately => return Ok(None),
                None => {
                    state.forced = Some(now);
                    self.fly(&mut state)
                }
            }
        };
        flight.await.map(Some)
    }

    /// Fetches now, whatever is kept.
    ///
    /// # Errors
    /// The fault of the fetch.
    pub async fn fetch(&self) -> Outcome<T, F> {
        let flight = self.fly(&mut self.0.lock());
        flight.await
    }

    /// The fault of the last fetch, if that failed.
    pub fn last_fault(&self) -> Option<F> {
        self.0.lock().failed.as_ref().map(|(fault, _)| fault.clone())
    }

    /// Joins the fetch under way or starts one. It is a task of its own, so that it outlives who asked.
    fn fly(&self, state: &mut State<T, F>) -> Flight<T, F> {
        if let Some(flight) = state.flight_under_way() {
            return flight;
        }
        let inner = Arc::clone(&self.0);
        let task = tokio::spawn(async move {
            let fetched = (inner.fetch)().await;
            inner.settle(fetched)
        });
        let flight =
            task.map(|joined| joined.unwrap_or_else(|_| Err(OutboundFault::unavailable("the fetch was ended").into())));
        let flight = flight.boxed().shared();
        state.flight = Some(flight.clone());
        flight
    }
}

impl<T, F: Fault> Inner<T, F> {
    fn lock(&self) -> MutexGuard<'_, State<T, F>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn settle(&self, fetched: Result<T, F>) -> Outcome<T, F> {
        let mut state = self.lock();
        let now = self.clock.now();
        state.flight = None;
        match fetched {
            Ok(value) => {
                let value = Arc::new(value);
                state.succeed(Arc::clone(&value), now);
                Ok(value)
            }
            Err(fault) => {
                if state.fail(fault.clone(), now) {
                    let kept = state.good.is_some();
                    tracing::warn!(what = self.what, %fault, last_good_copy_stays = kept, "can't be renewed");
                }
                Err(fault)
            }
        }
    }
}

/// How a document is come by.
enum Look<T, F> {
    Known(Outcome<T, F>),
    /// A copy that is no longer fresh, and the fetch of a newer one.
    Renewing(Arc<T>, Flight<T, F>),
    Fetching(Flight<T, F>),
}

enum Standing<T> {
    Fresh(Arc<T>),
    Stale(Arc<T>),
    Gone,
}

impl<T, F: Clone> State<T, F> {
    fn standing(&self, now: Moment) -> Standing<T> {
        let Some((good, at)) = &self.good else { return Standing::Gone };
        match age(now, *at) {
            Some(age) if age < METADATA_FRESH => Standing::Fresh(Arc::clone(good)),
            Some(age) if age > METADATA_STALE_MAX => Standing::Gone,
            _ => Standing::Stale(Arc::clone(good)),
        }
    }

    fn succeed(&mut self, value: Arc<T>, now: Moment) {
        self.good = Some((value, now));
        self.failed = None;
    }

    /// Whether that is news: the fetch before did not fail.
    fn fail(&mut self, fault: F, now: Moment) -> bool {
        self.failed.replace((fault, now)).is_none()
    }

    fn recent_fault(&self, now: Moment) -> Option<F> {
        let (fault, at) = self.failed.as_ref()?;
        age(now, *at).filter(|age| *age < FAILURE_REMEMBERED).map(|_| fault.clone())
    }
}

impl<T: Send + Sync + 'static, F: Clone> State<T, F> {
    /// The flight that has not ended. One whose task was ended with its runtime has an outcome too.
    fn flight_under_way(&self) -> Option<Flight<T, F>> {
        self.flight.clone().filter(|flight| flight.peek().is_none())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

    use super::*;

    struct Hands(AtomicI64);
    impl Clock for Hands {
        fn now(&self) -> Moment {
            Moment::from_ms(self.0.load(Ordering::SeqCst))
        }
    }

    struct Bench {
        hands: Arc<Hands>,
        fetches: Arc<AtomicUsize>,
        works: Arc<std::sync::atomic::AtomicBool>,
        cache: Cache<usize, OutboundFault>,
    }

    fn bench() -> Bench {
        let hands = Arc::new(Hands(AtomicI64::new(1_800_000_000_000)));
        let fetches = Arc::new(AtomicUsize::new(0));
        let works = Arc::new(std::sync::atomic::AtomicBool::new(true));
        let (count, ok) = (Arc::clone(&fetches), Arc::clone(&works));
        let fetch: Fetch<usize, OutboundFault> = Box::new(move || {
            let n = count.fetch_add(1, Ordering::SeqCst) + 1;
            let ok = ok.load(Ordering::SeqCst);
            async move {
                tokio::task::yield_now().await;
                if ok { Ok(n) } else { Err(OutboundFault::unavailable("down")) }
            }
            .boxed()
        });
        let cache = Cache::new("test".to_owned(), Arc::clone(&hands) as Arc<dyn Clock>, fetch);
        Bench { hands, fetches, works, cache }
    }

    impl Bench {
        fn pass(&self, span: Span) {
            self.hands.0.fetch_add(span.ms(), Ordering::SeqCst);
        }

        fn set(&self, works: bool) {
            self.works.store(works, Ordering::SeqCst);
        }

        fn fetches(&self) -> usize {
            self.fetches.load(Ordering::SeqCst)
        }

        async fn settled(&self) {
            let flight = self.cache.0.lock().flight.clone();
            if let Some(flight) = flight {
                let _ = flight.await;
            }
        }
    }

    #[tokio::test]
    async fn f25_many_who_wait_share_one_fetch() {
        let bench = bench();
        let all = futures_util::future::join_all((0..100).map(|_| bench.cache.get())).await;
        assert!(all.iter().all(|got| got.as_ref().is_ok_and(|n| **n == 1)));
        assert_eq!(bench.fetches(), 1);
    }

    #[tokio::test]
    async fn the_fetch_goes_on_when_who_asked_goes_away() {
        let bench = bench();
        let asked = bench.cache.get().now_or_never();
        assert!(asked.is_none(), "it has to wait");
        assert_eq!(*bench.cache.get().await.expect("works"), 1);
        assert_eq!(bench.fetches(), 1);
    }

    #[tokio::test]
    async fn a_stale_copy_is_given_at_once_and_renewed_behind() {
        let bench = bench();
        bench.cache.get().await.expect("works");
        bench.pass(METADATA_FRESH);
        assert_eq!(*bench.cache.get().await.expect("works"), 1);
        bench.settled().await;
        assert_eq!(*bench.cache.get().await.expect("works"), 2);
    }

    #[tokio::test]
    async fn f25_the_last_good_copy_stays_a_day_and_no_longer() {
        let bench = bench();
        bench.cache.get().await.expect("works");
        bench.set(false);
        bench.pass(METADATA_STALE_MAX);
        assert_eq!(*bench.cache.get().await.expect("a day old"), 1);
        bench.settled().await;
        bench.pass(Span::secs(5));
        assert!(bench.cache.get().await.is_err());
        assert!(bench.cache.last_fault().is_some());
        bench.set(true);
        bench.pass(Span::secs(5));
        assert!(bench.cache.get().await.is_ok());
        assert!(bench.cache.last_fault().is_none());
    }

    #[tokio::test]
    async fn a_failure_is_remembered_for_a_moment_only() {
        let bench = bench();
        bench.set(false);
        assert!(bench.cache.get().await.is_err());
        assert!(bench.cache.get().await.is_err());
        assert_eq!(bench.fetches(), 1);
        bench.set(true);
        bench.pass(FAILURE_REMEMBERED);
        assert!(bench.cache.get().await.is_ok());
    }

    #[tokio::test]
    async fn a064_a_renewal_is_forced_once_a_minute() {
        let bench = bench();
        let first = bench.cache.get().await.expect("works");
        let second = bench.cache.renew(&first).await.expect("works").expect("newer");
        assert_eq!(*second, 2);
        assert!(bench.cache.renew(&first).await.expect("kept").is_some(), "what is newer than the first is there");
        for _ in 0..1000 {
            assert!(bench.cache.renew(&second).await.expect("kept").is_none());
        }
        assert_eq!(bench.fetches(), 2);
        bench.pass(JWKS_REFETCH_MIN);
        assert!(bench.cache.renew(&second).await.expect("works").is_some());
    }

    #[tokio::test]
    async fn a_renewal_that_failed_is_tried_again_soon() {
        let bench = bench();
        let first = bench.cache.get().await.expect("works");
        bench.set(false);
        assert!(bench.cache.renew(&first).await.is_err());
        bench.set(true);
        assert!(bench.cache.renew(&first).await.expect("kept").is_none());
        assert!(bench.cache.last_fault().is_some());
        bench.pass(FAILURE_REMEMBERED);
        assert!(bench.cache.renew(&first).await.expect("works").is_some());
        assert_eq!((bench.fetches(), bench.cache.last_fault().is_none()), (3, true));
    }

    #[test]
    fn f26_a_failure_is_news_once_until_a_fetch_works_again() {
        let mut state: State<usize, OutboundFault> = State { good: None, failed: None, forced: None, flight: None };
        let now = Moment::from_secs(1_800_000_000);
        let down = || OutboundFault::unavailable("down");
        assert!(state.fail(down(), now));
        assert!(!state.fail(down(), now.plus(Span::hours(1))));
        state.succeed(Arc::new(1), now);
        assert!(state.recent_fault(now).is_none());
        assert!(state.fail(down(), now));
    }

    #[tokio::test]
    async fn f20_a_clock_that_is_set_back_stops_no_renewal() {
        let bench = bench();
        let first = bench.cache.get().await.expect("works");
        bench.cache.renew(&first).await.expect("works");
        let second = bench.cache.get().await.expect("works");
        bench.hands.0.fetch_sub(3_600_000, Ordering::SeqCst);
        assert!(bench.cache.renew(&second).await.expect("works").is_some());
    }
}
