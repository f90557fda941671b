//! Addresses that come from files: https anywhere, http on loopback only.

use url::{Host, Url};

/// Why an address from a file can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressFault {
    #[error("is no absolute URL ({0})")]
    NoUrl(String),
    #[error("has the scheme `{0}`: only https, and http on loopback")]
    Scheme(String),
    #[error("is plain http to a host that is not loopback")]
    PlainHttp,
    #[error("carries a user name or password")]
    UserInfo,
    #[error("has a fragment (#…)")]
    Fragment,
    #[error("has a wildcard (*)")]
    Wildcard,
    #[error("has white space, a control character or a backslash")]
    Characters,
    #[error("has a character outside ASCII: write it percent-encoded, as it is sent")]
    NotAscii,
}

/// Parses an absolute https URL, or an http one whose host is loopback.
///
/// # Errors
/// [`AddressFault`] says what is wrong with it.
pub fn web_address(text: &str) -> Result<Url, AddressFault> {
    if text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\') {
        return Err(AddressFault::Characters);
    }
    let url = Url::parse(text).map_err(|e| AddressFault::NoUrl(e.to_string()))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(AddressFault::UserInfo);
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err(AddressFault::PlainHttp),
        other => Err(AddressFault::Scheme(other.to_owned())),
    }
}

/// A redirect URI: a [`web_address`] without fragment and wildcard (RFC 6749 §3.1.2). It is kept and
/// compared as the text it came as; `Url` normalises.
///
/// # Errors
/// [`AddressFault`] says what is wrong with it.
pub fn redirect_uri(text: &str) -> Result<(), AddressFault> {
    let url = web_address(text)?;
    // It goes into a Location header as it is.
    if !text.is_ascii() {
        return Err(AddressFault::NotAscii);
    }
    if url.fragment().is_some() {
        return Err(AddressFault::Fragment);
    }
    if text.contains('*') {
        return Err(AddressFault::Wildcard);
    }
    Ok(())
}

/// Whether the host of `url` is `localhost` or a loopback address.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// `https://host[:port]` of an address: what a browser calls its origin.
#[must_use]
pub fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_is_for_loopback_only() {
        assert!(web_address("https://id.example.com/acs").is_ok());
        assert!(web_address("http://127.0.0.1:8080/x").is_ok());
        assert!(web_address("http://[::1]/x").is_ok());
        assert_eq!(web_address("http://id.example.com"), Err(AddressFault::PlainHttp));
        assert!(matches!(web_address("JaVaScRiPt:alert(1)"), Err(AddressFault::Scheme(_))));
        assert_eq!(web_address("https://a:b@id.example.com"), Err(AddressFault::UserInfo));
        assert_eq!(redirect_uri("https://rp.example.com/cb#x"), Err(AddressFault::Fragment));
        assert_eq!(redirect_uri("https://rp.example.com/*"), Err(AddressFault::Wildcard));
        assert_eq!(redirect_uri("https://rp.example.com/ü"), Err(AddressFault::NotAscii));
    }
}
