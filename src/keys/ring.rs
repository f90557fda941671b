//! The ring of our signing keys: who signs now, and the JWKS as it is served.

use serde::Serialize;

use super::plan::{KeyFacts, KeyState, signer_of, state_of};
use super::signing::{PublicJwk, SigningKey};
use super::verifying::KeySet;
use crate::base::Moment;
use crate::oidc::client::SigningAlgorithm;

/// A key and its times.
#[derive(Debug)]
pub struct RingKey {
    pub key: SigningKey,
    pub created: Moment,
    pub active_from: Moment,
    pub retired_at: Option<Moment>,
}

/// All published keys; made anew whenever the keys at rest change.
#[derive(Debug)]
pub struct Ring {
    keys: Vec<SigningKey>,
    facts: Vec<KeyFacts>,
    jwks: String,
    verifying: KeySet,
}

#[derive(Serialize)]
struct Jwks<'a> {
    keys: Vec<&'a PublicJwk>,
}

impl Ring {
    /// Publishes every key that it is given, oldest first.
    #[must_use]
    pub fn from_keys(mut keys: Vec<RingKey>) -> Self {
        keys.sort_by(|a, b| (a.created, a.key.kid()).cmp(&(b.created, b.key.kid())));
        let facts = keys.iter().map(RingKey::facts).collect();
        let keys: Vec<SigningKey> = keys.into_iter().map(|key| key.key).collect();
        let set = Jwks { keys: keys.iter().map(SigningKey::public_jwk).collect() };
        // Plain text members can't fail to serialise; a ring without keys verifies nothing.
        let jwks = serde_json::to_string(&set).unwrap_or_default();
        let verifying = KeySet::parse(&jwks).unwrap_or_default();
        Self { keys, facts, jwks, verifying }
    }

    /// The key that signs with `algorithm` now; `None` only if there is none that isn't retired.
    #[must_use]
    pub fn signer(&self, algorithm: SigningAlgorithm, now: Moment) -> Option<&SigningKey> {
        self.find(&signer_of(&self.facts, algorithm, now)?.kid)
    }

    /// The JWKS as it is served (RFC 7517 §5): next, active and retired keys, never a private member.
    #[must_use]
    pub fn jwks(&self) -> &str {
        &self.jwks
    }

    #[must_use]
    pub fn find(&self, kid: &str) -> Option<&SigningKey> {
        self.keys.iter().find(|key| key.kid() == kid)
    }

    /// The public keys, to check what we signed ourselves.
    #[must_use]
    pub const fn verifying(&self) -> &KeySet {
        &self.verifying
    }

    /// What a [`super::plan::plan`] is made from.
    #[must_use]
    pub fn facts(&self) -> &[KeyFacts] {
        &self.facts
    }

    #[must_use]
    pub fn state(&self, kid: &str, now: Moment) -> Option<KeyState> {
        let key = self.facts.iter().find(|key| key.kid == kid)?;
        Some(state_of(&self.facts, key, now))
    }
}

impl RingKey {
    fn facts(&self) -> KeyFacts {
        KeyFacts {
            kid: self.key.kid().to_owned(),
            algorithm: self.key.algorithm(),
            created: self.created,
            active_from: self.active_from,
            retired_at: self.retired_at,
        }
    }
}
