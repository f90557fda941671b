//! The delivery of logout tokens: what a client's answer means, when it is tried again, when no more.

use crate::base::{Moment, Span};

/// Notices that nobody wanted to hear for so long are given up.
pub const TRIED_FOR: Span = Span::days(1);
/// How long it is waited after the first try that failed, the second, and so on; the last one for all further.
const BACK_OFF: [Span; 7] = [
    Span::secs(5),
    Span::secs(15),
    Span::minutes(1),
    Span::minutes(5),
    Span::minutes(15),
    Span::hours(1),
    Span::hours(2),
];
/// A client that fails is asked again after so long at the latest: it hears soon once it is well.
const PROBE_MAX: Span = Span::minutes(15);

/// What an answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The client has ended what it had.
    Heard,
    /// The client is there, and doesn't want this notice (Back-Channel Logout 1.0 §2.8).
    Refused,
    /// The client isn't well, or isn't there: so it would be with every other notice.
    Failing,
}

/// The meaning of a status; `None`: there was no answer, or nothing was sent.
#[must_use]
pub const fn answer(status: Option<u16>) -> Answer {
    match status {
        Some(200..=299) => Answer::Heard,
        Some(400) => Answer::Refused,
        _ => Answer::Failing,
    }
}

/// What becomes of a notice that was not heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    TriedAgain(Moment),
    GivenUp,
}

/// What becomes of a notice queued at `created` after so many `attempts`, the one that failed `now` included. `roll`
/// is a die's, so that those who failed together don't come together again.
#[must_use]
pub fn next(created: Moment, attempts: u32, now: Moment, roll: u8) -> Next {
    if is_over(created, now) {
        return Next::GivenUp;
    }
    let pause = back_off(attempts);
    // From 80 to 120 per cent.
    let spread = Span::from_ms(pause.ms() * (800 + 400 * i64::from(roll) / 255) / 1000);
    Next::TriedAgain(now.plus(spread).min(created.plus(TRIED_FOR)))
}

/// Whether a notice is not tried again if it fails now.
#[must_use]
pub fn is_over(created: Moment, now: Moment) -> bool {
    now >= created.plus(TRIED_FOR)
}

fn back_off(attempts: u32) -> Span {
    let place = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
    let [.., last] = BACK_OFF;
    BACK_OFF.get(place).copied().unwrap_or(last)
}

/// How a client that fails is treated: asked with one notice at a time, ever more seldom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ailing {
    failures: u32,
    since: Moment,
}

impl Ailing {
    /// After a failure `now`, and those `before`.
    #[must_use]
    pub fn again(before: Option<Self>, now: Moment) -> Self {
        Self { failures: before.map_or(0, |before| before.failures).saturating_add(1), since: now }
    }

    /// Whether it is left alone at `now`. Not if the clock was set back: it's unknown then how long it has been.
    #[must_use]
    pub fn rests(self, now: Moment) -> bool {
        let pause = back_off(self.failures).min(PROBE_MAX);
        // A little less than any notice waits, so that the notice says when it is tried.
        now >= self.since && now.since(self.since).ms() < pause.ms() * 8 / 10
    }

    #[must_use]
    pub const fn failures(self) -> u32 {
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const QUEUED: Moment = Moment::from_secs(1_800_000_000);

    #[test]
    fn a133_only_a_success_is_heard_and_only_400_is_about_the_notice() {
        for status in 100..=999 {
            let meant = match status {
                200..=299 => Answer::Heard,
                400 => Answer::Refused,
                _ => Answer::Failing,
            };
            assert_eq!(answer(Some(status)), meant, "{status}");
        }
        assert_eq!(answer(None), Answer::Failing);
    }

    #[test]
    fn a133_the_pauses_grow_from_five_seconds_to_two_hours() {
        let seconds: Vec<i64> = (1..=9)
            .map(|attempts| match next(QUEUED, attempts, QUEUED, 128) {
                Next::TriedAgain(at) => at.since(QUEUED).as_secs(),
                Next::GivenUp => 0,
            })
            .collect();
        let expected = [5, 15, 60, 300, 900, 3600, 7200, 7200, 7200];
        for (got, wanted) in seconds.iter().zip(expected) {
            assert!((wanted - 1..=wanted + wanted / 100 + 1).contains(got), "{seconds:?}");
        }
    }

    proptest! {
        #[test]
        fn a_try_that_fails_is_followed_by_another_until_a_day_after_it_was_queued(rolls in prop::collection::vec(any::<u8>(), 64)) {
            let mut now = QUEUED;
            let mut tries = 0_u32;
            for roll in rolls {
                tries += 1;
                match next(QUEUED, tries, now, roll) {
                    Next::TriedAgain(at) => {
                        prop_assert!(at > now, "never at once");
                        prop_assert!(at <= QUEUED.plus(TRIED_FOR), "the last try is a day after");
                        prop_assert!(at.since(now) <= Span::from_ms(Span::hours(2).ms() * 12 / 10));
                        now = at;
                    }
                    Next::GivenUp => {
                        prop_assert_eq!(now, QUEUED.plus(TRIED_FOR));
                        prop_assert!((15..=25).contains(&tries), "{} tries", tries);
                        return Ok(());
                    }
                }
            }
            prop_assert!(false, "given up in the end");
        }

        #[test]
        fn pauses_spread_by_a_fifth_and_never_shrink_with_the_attempts(attempts in 1_u32..1000, roll: u8) {
            let pause = |attempts, roll| match next(QUEUED, attempts, QUEUED, roll) {
                Next::TriedAgain(at) => at.since(QUEUED).ms(),
                Next::GivenUp => 0,
            };
            prop_assert!(pause(attempts, roll) <= pause(attempts + 1, roll));
            prop_assert!(pause(attempts, 0) <= pause(attempts, roll) && pause(attempts, roll) <= pause(attempts, 255));
            prop_assert_eq!(pause(attempts, 255) * 2, pause(attempts, 0) * 3);
        }

        #[test]
        fn a_client_that_fails_is_asked_ever_more_seldom_but_four_times_an_hour(failures in 1_u32..200, later in 0_i64..2_000_000) {
            let ailing = (0..failures).fold(None, |before, _| Some(Ailing::again(before, QUEUED))).expect("it failed");
            prop_assert_eq!(ailing.failures(), failures);
            let now = QUEUED.plus(Span::from_ms(later));
            let worse = Ailing::again(Some(ailing), QUEUED);
            prop_assert!(!ailing.rests(now) || worse.rests(now), "worse rests as long");
            prop_assert!(ailing.rests(QUEUED.plus(Span::secs(3))));
            prop_assert!(!ailing.rests(QUEUED.plus(PROBE_MAX)));
            prop_assert!(!ailing.rests(QUEUED.minus(Span::from_ms(1))), "the clock was set back");
        }

        #[test]
        fn a_notice_is_due_when_its_client_has_rested(attempts in 1_u32..100, roll: u8) {
            let ailing = (0..attempts).fold(None, |before, _| Some(Ailing::again(before, QUEUED))).expect("it failed");
            if let Next::TriedAgain(at) = next(QUEUED, attempts, QUEUED, roll) {
                prop_assert!(!ailing.rests(at));
            }
        }
    }
}
