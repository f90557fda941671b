//! The times of a token that a client signs for us.

use serde_json::{Map, Value};

use crate::base::limits::CLOCK_SKEW;
use crate::base::{Moment, Span};

/// Which of its times is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimesFault {
    /// `exp` is missing, past or too far ahead.
    Expiry,
    /// `nbf` or `iat` lies ahead, or `iat` too far back.
    Beginning,
}

/// Checks `iat`, `nbf` and `exp` of a token that may live for `longest`; gives the moment from which on it is refused.
/// The client's clock may be ahead of ours: its time counts from its own `iat`, within the skew.
///
/// # Errors
/// [`TimesFault`].
pub fn check_times(claims: &Map<String, Value>, longest: Span, now: Moment) -> Result<Moment, TimesFault> {
    let ahead = now.plus(CLOCK_SKEW);
    let issued = moment(claims, "iat").map_err(|()| TimesFault::Beginning)?;
    let not_before = moment(claims, "nbf").map_err(|()| TimesFault::Beginning)?;
    let oldest = now.minus(longest).minus(CLOCK_SKEW);
    if issued.is_some_and(|at| at > ahead || at < oldest) || not_before.is_some_and(|at| at > ahead) {
        return Err(TimesFault::Beginning);
    }
    let expires = moment(claims, "exp").ok().flatten().ok_or(TimesFault::Expiry)?;
    let latest = issued.unwrap_or(now).max(now).plus(longest);
    let until = expires.plus(CLOCK_SKEW);
    if expires > latest || until <= now { Err(TimesFault::Expiry) } else { Ok(until) }
}

/// A `NumericDate` (RFC 7519 §2): whole seconds, or with a fraction that is cut off.
fn moment(claims: &Map<String, Value>, name: &str) -> Result<Option<Moment>, ()> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let seconds = value.as_i64().or_else(|| value.as_f64().and_then(whole_seconds)).ok_or(())?;
    if (0..=Span::days(366 * 10_000).as_secs()).contains(&seconds) {
        Ok(Some(Moment::from_secs(seconds)))
    } else {
        Err(())
    }
}

fn whole_seconds(seconds: f64) -> Option<i64> {
    // Bounded, so that the text of the whole part is a number again.
    (seconds.abs() < 1e12).then(|| format!("{:.0}", seconds.trunc())).and_then(|text| text.parse().ok())
}
