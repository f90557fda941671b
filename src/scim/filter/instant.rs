//! xsd:dateTime (RFC 7643 §2.3.5): with fractions, with any offset or with none.

/// Nanoseconds since the epoch. Without an offset it is read as UTC. Also of a mere date.
#[must_use]
pub fn nanoseconds(text: &str) -> Option<i128> {
    let text = text.trim();
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return Some(moment.as_nanosecond());
    }
    let local: jiff::civil::DateTime = text.parse().ok()?;
    Some(jiff::tz::Offset::UTC.to_timestamp(local).ok()?.as_nanosecond())
}
