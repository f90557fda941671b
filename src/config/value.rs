//! What is right and wrong about one value of each kind.

use std::net::SocketAddr;
use std::ops::Range;

use super::finding::Finding;
use super::lints::{CFG04, CFG16, DIR03, SRV06};
use super::shape::Kind;
use super::source::Source;
use crate::base::{Span, address};
use crate::identity::directory::{MaxRemovals, OnDeactivate};

impl Kind {
    /// Whether it is written as one text.
    #[must_use]
    pub const fn is_text(&self) -> bool {
        matches!(
            self,
            Self::Text
                | Self::Duration
                | Self::OneOf(_)
                | Self::Address
                | Self::Path
                | Self::Socket
                | Self::Colour
                | Self::Uuid
                | Self::Share
                | Self::Deactivation
        )
    }

    /// Whether it is a list of texts.
    #[must_use]
    pub const fn is_list(&self) -> bool {
        matches!(self, Self::Texts | Self::SomeOf(_) | Self::Paths | Self::Domains | Self::Networks)
    }

    /// What a person should write.
    #[must_use]
    pub fn expected(&self) -> String {
        let fixed = match self {
            Self::OneOf(words) => return format!("one of {}", quoted(words)),
            Self::SomeOf(words) => return format!("a list of some of {}", quoted(words)),
            Self::Count(least, most) => return format!("a number from {least} to {most}"),
            Self::Text => "text",
            Self::Texts => "a list of texts",
            Self::Flag => "true or false",
            Self::Duration => "a duration such as \"10m\" (s, m, h or d)",
            Self::Address => "an https:// address (http:// on loopback)",
            Self::Path => "the path of a file",
            Self::Paths => "a list of paths",
            Self::Domains => "a list of domains",
            Self::Networks => "a list of networks such as \"10.0.0.0/8\"",
            Self::Socket => "an address such as \"127.0.0.1:8080\"",
            Self::Colour => "a colour such as \"#0b5fff\"",
            Self::Uuid => "a UUID",
            Self::Share => "a share such as \"5%\" or a number",
            Self::Deactivation => "\"keep\", \"delete_now\" or \"delete_after 30d\"",
            Self::Secret | Self::SecretPem => "{ env = \"NAME\" } or { file = \"PATH\" }",
            Self::LiveSecrets => "{ env = \"NAME\" } or { file = \"PATH\" }, or a list of one or two of them",
            Self::SecretUrl => "an address, { env = \"NAME\" } or { file = \"PATH\" }",
            Self::Secrets => "a table of secrets",
            Self::Jwks => "{ keys = [ … ] } or { file = \"PATH\" }",
            Self::Map => "a table of texts",
            Self::Table(_) => "a table",
        };
        fixed.to_owned()
    }
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ")
}

/// The finding "a value that can't be used".
#[must_use]
pub fn bad(source: &Source, span: &Range<usize>, path: &str, label: String) -> Finding {
    source.finding(&CFG04, span, label).title(format!("`{}` has a value that can't be used", shown(path)))
}

/// What is wrong with `text` as a value of this kind, if anything. Empty text is "none" where
/// the kind allows it.
#[must_use]
pub fn check(source: &Source, text: &str, kind: &'static Kind, span: &Range<usize>, path: &str) -> Option<Finding> {
    let bad = |label: String| Some(bad(source, span, path, label));
    match kind {
        Kind::OneOf(words) | Kind::SomeOf(words) if !words.contains(&text) => {
            bad(super::spelling::nearest(text, words.iter().copied())
                .map_or_else(|| format!("one of {}", quoted(words)), |near| format!("did you mean \"{near}\"?")))
            .map(|finding| finding.help(format!("possible: {}", quoted(words))))
        }
        Kind::Duration => Span::parse(text).err().and_then(|_| bad(format!("expected {}", kind.expected()))),
        Kind::Address if !text.is_empty() => address::web_address(text).err().map(|fault| {
            source
                .finding(&CFG16, span, fault.to_string())
                .title(format!("`{path}` is not an address that can be used"))
        }),
        Kind::Domains if !is_domain(text) => Some(source.finding(&DIR03, span, "not a domain")),
        Kind::Networks => network(text).err().map(|fault| source.finding(&SRV06, span, fault)),
        Kind::Socket if !text.is_empty() => text
            .parse::<SocketAddr>()
            .err()
            .map(|_| source.finding(&SRV06, span, "not an IP address with a port, such as \"127.0.0.1:8080\"")),
        Kind::Colour if !text.is_empty() && !is_colour(text) => bad(format!("expected {}", kind.expected())),
        Kind::Uuid if !text.is_empty() && uuid::Uuid::try_parse(text).is_err() => bad("not a UUID".to_owned()),
        Kind::Share if share(text).is_none() => bad(format!("expected {}", kind.expected())),
        Kind::Deactivation if deactivation(text).is_none() => bad(format!("expected {}", kind.expected())),
        Kind::Path | Kind::Paths if text.contains('\0') => bad("no path".to_owned()),
        _ => None,
    }
}

/// A domain of letters, digits, hyphens and dots; international ones in Unicode or as `xn--`.
#[must_use]
pub fn is_domain(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
    };
    !text.is_empty() && text.len() <= 253 && text.split('.').all(label)
}

/// # Errors
/// Says why the text is no network.
pub fn network(text: &str) -> Result<ipnet::IpNet, &'static str> {
    match text.parse::<ipnet::IpNet>() {
        Ok(net) if net.trunc() == net => Ok(net),
        Ok(_) => Err("bits are set behind the prefix: a network ends in zeros there"),
        Err(_) => {
            text.parse::<std::net::IpAddr>().map(ipnet::IpNet::from).map_err(|_| "not a network such as \"10.0.0.0/8\"")
        }
    }
}

fn is_colour(text: &str) -> bool {
    text.strip_prefix('#').is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// `"5%"` or a number of up to a million.
#[must_use]
pub fn share(text: &str) -> Option<MaxRemovals> {
    let digits = text.strip_suffix('%').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    match digits.parse::<u32>().ok()? {
        percent if digits.len() < text.len() => (percent <= 100).then_some(MaxRemovals::Share(percent)),
        count => (count <= 1_000_000).then_some(MaxRemovals::Count(count.into())),
    }
}

/// `keep`, `delete_now`, `delete_after 30d`.
#[must_use]
pub fn deactivation(text: &str) -> Option<OnDeactivate> {
    match text.split_once(' ') {
        None if text == "keep" => Some(OnDeactivate::Keep),
        None if text == "delete_now" => Some(OnDeactivate::DeleteNow),
        Some(("delete_after", span)) => Span::parse(span).ok().map(OnDeactivate::DeleteAfter),
        _ => None,
    }
}

/// Whether a password stands in an address, readable or not.
#[must_use]
pub fn has_password(text: &str) -> bool {
    let authority = text.split_once("://").map_or("", |(_, rest)| rest);
    authority.split_once('@').is_some_and(|(user, _)| user.contains(':') && !user.ends_with(':'))
}

/// A name from a file for a finding: bounded, and of several lines the first only.
#[must_use]
pub fn shown(text: &str) -> String {
    text.chars().take_while(|c| !crate::base::text::is_control(*c)).take(80).collect()
}
