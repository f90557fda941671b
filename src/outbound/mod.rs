//! HTTP towards others, be they identity providers or clients: guarded addresses, bounded time and size, documents kept.

mod guard;
mod http;
mod cache;

use serde_json::Value;

use crate::keys::strict_json;

pub use cache::Cache;
pub use http::{Call, Exchanged, GuardedClients, Http, Reply};

/// Why somebody else could not be asked, or the answer not be believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutboundFault {
    /// Not reached, too slow, or 429 or 5xx where a document was asked for.
    #[error("unavailable: {detail}")]
    Unavailable { detail: String },
    /// Refused by the guard, by the certificate check, or by a rule about the answer; `check` names it.
    #[error("fails the check `{check}`: {detail}")]
    Untrusted { check: &'static str, detail: String },
    /// Our own settings can't work (an unreadable CA file, say).
    #[error("the settings can't be used: {detail}")]
    Misconfigured { detail: String },
}

impl OutboundFault {
    /// With others' words cut to a bounded length.
    #[must_use]
    pub fn untrusted(check: &'static str, detail: impl AsRef<str>) -> Self {
        Self::Untrusted { check, detail: cut(detail.as_ref()) }
    }

    /// With others' words cut to a bounded length.
    #[must_use]
    pub fn unavailable(detail: impl AsRef<str>) -> Self {
        Self::Unavailable { detail: cut(detail.as_ref()) }
    }
}

/// The most characters of others' words that are kept.
const DETAIL_CHARS_MAX: usize = 400;

/// Others' words as far as they are kept, on one line.
#[must_use]
pub fn cut(text: &str) -> String {
    text.chars().map(|c| if crate::base::text::is_control(c) { ' ' } else { c }).take(DETAIL_CHARS_MAX).collect()
}

/// The JSON of a document answered with 200. Its content type isn't asked for: people serve these
/// files as what they like, and HTML is no JSON.
///
/// # Errors
/// [`OutboundFault`] by status, or because it is no sound JSON.
pub fn document(reply: &Reply, check: &'static str) -> Result<Value, OutboundFault> {
    match reply.status {
        200 => {}
        429 | 500..=599 => return Err(OutboundFault::unavailable(format!("{check}: answered {}", reply.status))),
        status => return Err(OutboundFault::untrusted(check, format!("answered {status}"))),
    }
    strict_json::parse(&reply.body).map_err(|fault| OutboundFault::untrusted(check, format!("no sound JSON: {fault}")))
}
