//! Parameters of a request: an ordered list in which nothing may stand twice.

use std::collections::BTreeSet;

/// Decoded `application/x-www-form-urlencoded` pairs, from a query or a body.
///
/// `Debug` names the parameters and never their values: codes, secrets and hints are among them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Params(Vec<(String, String)>);

/// Why a list of parameters can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParamsFault {
    #[error("a parameter stands twice")]
    Twice(String),
    #[error("the parameters are not UTF-8")]
    NotUtf8,
}

impl Params {
    /// Decodes a query or a form body. Values that are not UTF-8 after decoding are refused, not mended.
    ///
    /// # Errors
    /// [`ParamsFault::NotUtf8`].
    pub fn decode(encoded: &[u8]) -> Result<Self, ParamsFault> {
        let mut pairs = Vec::new();
        for piece in encoded.split(|b| *b == b'&').filter(|piece| !piece.is_empty()) {
            let mut halves = piece.splitn(2, |b| *b == b'=');
            let name = decode_piece(halves.next().unwrap_or_default())?;
            let value = decode_piece(halves.next().unwrap_or_default())?;
            pairs.push((name, value));
        }
        Ok(Self(pairs))
    }

    #[must_use]
    pub const fn from_pairs(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    /// The first value under `name`, empty ones counting as absent (RFC 6749 §3.1).
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str()).filter(|v| !v.is_empty())
    }

    /// The first parameter that stands more than once (RFC 6749 §3.1 forbids it).
    #[must_use]
    pub fn repeated(&self) -> Option<&str> {
        // A body holds thousands of names: comparing each with each would take seconds.
        let mut seen = BTreeSet::new();
        self.0.iter().map(|(name, _)| name.as_str()).find(|name| !seen.insert(*name))
    }

    #[must_use]
    pub fn is_repeated(&self, name: &str) -> bool {
        self.0.iter().filter(|(n, _)| n == name).count() > 1
    }

    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(n, v)| (n.as_str(), v.as_str()))
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Encodes again, as a query or form body.
    #[must_use]
    pub fn encode(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }
}

impl std::fmt::Debug for Params {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

fn decode_piece(piece: &[u8]) -> Result<String, ParamsFault> {
    let mut bytes = Vec::with_capacity(piece.len());
    let mut rest = piece.iter().copied();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let ahead = rest.clone().next().and_then(hex).zip(rest.clone().nth(1).and_then(hex));
                if let Some((high, low)) = ahead {
                    bytes.push(high * 16 + low);
                    rest.next();
                    rest.next();
                } else {
                    bytes.push(b'%');
                }
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).map_err(|_| ParamsFault::NotUtf8)
}

const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_utf8_is_refused_and_plus_is_a_blank() {
        let params = Params::decode(b"a=1+2&b=%C3%A4&c=%zz&d").expect("decodes");
        assert_eq!(params.get("a"), Some("1 2"));
        assert_eq!(params.get("b"), Some("ä"));
        assert_eq!(params.get("c"), Some("%zz"));
        assert_eq!(params.get("d"), None);
        assert_eq!(Params::decode(b"a=%FF"), Err(ParamsFault::NotUtf8));
    }

    #[test]
    fn a_repeated_parameter_is_found() {
        assert_eq!(Params::decode(b"a=1&b=2&a=").expect("decodes").repeated(), Some("a"));
        assert_eq!(Params::decode(b"a=1&b=2&c=").expect("decodes").repeated(), None);
    }
}
