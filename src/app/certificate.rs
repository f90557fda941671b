//! When a certificate expires: the one thing that is read of it besides what TLS itself reads.

use crate::base::Moment;

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// `notAfter` of a certificate in DER (RFC 5280 §4.1.2.5); `None` if it can't be read.
#[must_use]
pub fn expires(der: &[u8]) -> Option<Moment> {
    let (certificate, _) = element(der, SEQUENCE)?;
    let (mut rest, _) = element(certificate, SEQUENCE)?;
    if rest.first() == Some(&VERSION) {
        rest = skip(rest)?;
    }
    // serialNumber, signature, issuer
    for _ in 0..3 {
        rest = skip(rest)?;
    }
    let (validity, _) = element(rest, SEQUENCE)?;
    let not_after = skip(validity)?;
    match not_after.first()? {
        &UTC_TIME => {
            let text = std::str::from_utf8(element(not_after, UTC_TIME)?.0).ok()?;
            // Two digits of the year: below 50 this century (§4.1.2.5.1).
            let century = if text.get(..2)?.parse::<u8>().ok()? < 50 { "20" } else { "19" };
            moment(&format!("{century}{text}"))
        }
        _ => moment(std::str::from_utf8(element(not_after, GENERALIZED_TIME)?.0).ok()?),
    }
}

/// `YYYYMMDDHHMMSSZ`
fn moment(text: &str) -> Option<Moment> {
    let part = |from: usize, to: usize| text.get(from..to);
    let (date, time) = (part(0, 8)?, part(8, 15)?);
    let (year, month, day) = (date.get(..4)?, date.get(4..6)?, date.get(6..)?);
    let (hour, minute, second) = (time.get(..2)?, time.get(2..4)?, time.get(4..)?);
    let at: jiff::Timestamp = format!("{year}-{month}-{day}T{hour}:{minute}:{second}").parse().ok()?;
    Some(Moment::from_ms(at.as_millisecond()))
}

/// The contents of the first element, which must have this tag, and what follows it (X.690 §8.1).
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = der.split_first()?;
    let (&length, rest) = rest.split_first()?;
    let (length, rest) = if length < 0x80 {
        (usize::from(length), rest)
    } else {
        let (bytes, rest) = rest.split_at_checked(usize::from(length & 0x7f)).filter(|(bytes, _)| bytes.len() < 4)?;
        (bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
    };
    rest.split_at_checked(length).filter(|_| found == tag)
}

/// What follows the first element.
fn skip(der: &[u8]) -> Option<&[u8]> {
    Some(element(der, *der.first()?)?.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(until: (i32, u8, u8)) -> Vec<u8> {
        let mut wanted = rcgen::CertificateParams::new(vec!["id.example.com".to_owned()]).expect("a name");
        wanted.not_after = rcgen::date_time_ymd(until.0, until.1, until.2);
        let key = rcgen::KeyPair::generate().expect("a key");
        wanted.self_signed(&key).expect("a certificate").der().to_vec()
    }

    #[test]
    fn both_forms_of_time_are_read() {
        for (until, text) in [
            ((2031, 2, 28), "2031-02-28T00:00:00"),
            ((2049, 12, 31), "2049-12-31T00:00:00"),
            ((2075, 6, 1), "2075-06-01T00:00:00"),
        ] {
            let read = expires(&made(until)).expect("a time").to_rfc3339();
            assert!(read.starts_with(text), "{read}");
        }
    }

    #[test]
    fn what_is_cut_off_or_no_certificate_has_no_end() {
        let whole = made((2031, 1, 1));
        for length in 0..100 {
            assert_eq!(expires(whole.get(..length).expect("shorter")), None, "{length}");
        }
        for nonsense in [&b""[..], b"\x30\x84\xff\xff\xff\xff", b"\x30\x82", b"-----BEGIN CERTIFICATE-----"] {
            assert_eq!(expires(nonsense), None);
        }
    }
}
