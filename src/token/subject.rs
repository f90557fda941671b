//! The `sub` that a client sees (OIDC Core §8).

use std::collections::BTreeSet;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use url::Url;

use crate::identity::UserId;
use crate::oidc::Client;
use crate::oidc::client::SubjectType;

/// A `sub`: the user's own id, or for `subject_type = "pairwise"` one that only clients of the same
/// sector see. Only [`Subject::of`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject(String);

impl Subject {
    /// `salt`: a lasting secret of this installation, at least 16 bytes; without it nobody can tell which
    /// pairwise subjects are one person.
    #[must_use]
    pub fn of(user: &UserId, client: &Client, salt: &[u8]) -> Self {
        match client.subject_type {
            SubjectType::Public => Self(user.0.clone()),
            SubjectType::Pairwise => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, salt);
                let sector = sector(client);
                let tag = hmac::sign(&key, format!("{}:{sector}{}", sector.len(), user.0).as_bytes());
                Self(URL_SAFE_NO_PAD.encode(tag))
            }
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The host of all redirect URIs; a client with several hosts, or none, is a sector of its own.
fn sector(client: &Client) -> String {
    let hosts: BTreeSet<Option<String>> = client
        .redirect_uris
        .iter()
        .map(|uri| Url::parse(uri).ok().and_then(|url| url.host_str().map(str::to_owned)))
        .collect();
    match (hosts.len(), hosts.into_iter().next().flatten()) {
        (1, Some(host)) => host,
        _ => format!("client {}", client.id),
    }
}
