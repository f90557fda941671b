//! Moments and spans. No function here reads a clock: [`Clock`] is handed in by the composition root.

use serde::{Deserialize, Serialize};

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment(i64);

impl Moment {
    #[must_use]
    pub const fn from_ms(ms: i64) -> Self {
        Self(ms)
    }

    #[must_use]
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, as a JWT's `NumericDate` (RFC 7519 §2).
    #[must_use]
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    #[must_use]
    pub const fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.ms()))
    }

    #[must_use]
    pub const fn minus(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.ms()))
    }

    /// How long ago `earlier` was; zero if it lies ahead.
    #[must_use]
    pub fn since(self, earlier: Self) -> Span {
        Span::from_ms(self.0.saturating_sub(earlier.0).max(0))
    }

    /// RFC 3339 in UTC, for people and logs.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        jiff::Timestamp::from_millisecond(self.0).map_or_else(|_| "out of range".to_owned(), |t| t.to_string())
    }
}

/// A length of time in milliseconds, never negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(i64);

impl Span {
    pub const ZERO: Self = Self(0);

    #[must_use]
    pub const fn from_ms(ms: i64) -> Self {
        Self(if ms < 0 { 0 } else { ms })
    }

    #[must_use]
    pub const fn secs(secs: i64) -> Self {
        Self::from_ms(secs.saturating_mul(1000))
    }

    #[must_use]
    pub const fn minutes(minutes: i64) -> Self {
        Self::secs(minutes.saturating_mul(60))
    }

    #[must_use]
    pub const fn hours(hours: i64) -> Self {
        Self::minutes(hours.saturating_mul(60))
    }

    #[must_use]
    pub const fn days(days: i64) -> Self {
        Self::hours(days.saturating_mul(24))
    }

    #[must_use]
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// Whole seconds, rounded down.
    #[must_use]
    pub const fn as_secs(self) -> i64 {
        self.0 / 1000
    }

    #[must_use]
    pub const fn as_std(self) -> std::time::Duration {
        std::time::Duration::from_millis(self.0.unsigned_abs())
    }

    /// Parses `"90s"`, `"10m"`, `"8h"`, `"30d"`: one whole number and one unit.
    ///
    /// # Errors
    /// Says what was expected, if the text is anything else or does not fit.
    pub fn parse(text: &str) -> Result<Self, String> {
        let expected = || format!("`{text}` is no duration: write a whole number and s, m, h or d, such as \"10m\"");
        let unit = text.chars().next_back().ok_or_else(expected)?;
        let number = text.strip_suffix(unit).ok_or_else(expected)?;
        if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
            return Err(expected());
        }
        let count: i64 = number.parse().map_err(|_| expected())?;
        let seconds = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ => return Err(expected()),
        };
        count
            .checked_mul(seconds)
            .filter(|total| *total <= 100 * 366 * 86_400)
            .map(Self::secs)
            .ok_or_else(|| format!("`{text}` is longer than a hundred years"))
    }
}

/// Where the time comes from. One request reads it once.
pub trait Clock: Send + Sync {
    fn now(&self) -> Moment;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_written() {
        assert_eq!(Span::parse("90s"), Ok(Span::secs(90)));
        assert_eq!(Span::parse("10m"), Ok(Span::minutes(10)));
        assert_eq!(Span::parse("8h"), Ok(Span::hours(8)));
        assert_eq!(Span::parse("30d"), Ok(Span::days(30)));
        for wrong in ["", "s", "10", "-1s", "1.5h", "1h30m", "9999999999d", "10 m", "１m"] {
            assert!(Span::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_moment_before_the_epoch_has_floored_seconds() {
        assert_eq!(Moment::from_ms(-1).secs(), -1);
    }
}
