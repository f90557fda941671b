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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::jws::{VerifyFault, verify_own_id_token};
    use super::super::sample_keys::key;
    use super::super::samples::pkcs8;
    use super::super::signing::{JwtType, generate};
    use super::*;
    use crate::base::Span;

    const NOON: Moment = Moment::from_secs(1_800_000_000);

    fn ring_key(key: SigningKey, active_from: Moment, retired_at: Option<Moment>) -> RingKey {
        RingKey { key, created: active_from.minus(Span::hours(24)), active_from, retired_at }
    }

    fn fresh() -> SigningKey {
        let made = generate(SigningAlgorithm::EdDsa).expect("generates");
        SigningKey::from_pkcs8(SigningAlgorithm::EdDsa, made.expose()).expect("a key")
    }

    #[test]
    fn a258_the_jwks_shows_public_members_only() {
        let keys = SigningAlgorithm::ALL.map(|algorithm| ring_key(key(algorithm), NOON, None));
        let ring = Ring::from_keys(keys.into());
        let served: Value = serde_json::from_str(ring.jwks()).expect("JSON");
        insta::assert_snapshot!("jwks", ring.jwks());
        for key in served["keys"].as_array().expect("a list") {
            for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
                assert_eq!(key.get(private), None, "{private}");
            }
        }
        for algorithm in SigningAlgorithm::ALL {
            let secret = pkcs8(algorithm);
            let tail = secret.get(secret.len() - 16..).expect("longer");
            let tail = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, tail);
            assert!(!ring.jwks().contains(&tail));
        }
    }

    #[test]
    fn next_active_and_retired_keys_are_published_and_only_the_active_one_signs() {
        let (old, active, next) = (fresh(), fresh(), fresh());
        let kids = [&old, &active, &next].map(|key| key.kid().to_owned());
        let later = NOON.plus(Span::hours(24));
        let ring = Ring::from_keys(vec![
            ring_key(next, later, None),
            ring_key(active, NOON, Some(later)),
            ring_key(old, NOON.minus(Span::days(30)), Some(NOON)),
        ]);
        let served: Value = serde_json::from_str(ring.jwks()).expect("JSON");
        let published: Vec<_> = served["keys"].as_array().expect("a list").iter().map(|k| k["kid"].clone()).collect();
        assert_eq!(json!(published), json!(kids), "oldest first");
        let signs = |now| ring.signer(SigningAlgorithm::EdDsa, now).map(SigningKey::kid);
        let [old, active, next] = &kids;
        assert_eq!(signs(NOON.minus(Span::from_ms(1))), Some(old.as_str()));
        assert_eq!(signs(NOON), Some(active.as_str()));
        assert_eq!(signs(later.minus(Span::from_ms(1))), Some(active.as_str()));
        assert_eq!(signs(later), Some(next.as_str()));
        assert_eq!(ring.signer(SigningAlgorithm::Rs256, NOON).map(SigningKey::kid), None);
        let states = kids.each_ref().map(|kid| ring.state(kid, NOON));
        assert_eq!(states, [Some(KeyState::Retired), Some(KeyState::Active), Some(KeyState::Next)]);
        assert_eq!(ring.state("other", NOON), None);
    }

    #[test]
    fn a_clock_that_runs_behind_still_signs_with_a_published_key() {
        let ring = Ring::from_keys(vec![ring_key(fresh(), NOON, None)]);
        assert!(ring.signer(SigningAlgorithm::EdDsa, NOON.minus(Span::secs(2))).is_some());
        let retired = Ring::from_keys(vec![ring_key(fresh(), NOON, Some(NOON))]);
        assert!(retired.signer(SigningAlgorithm::EdDsa, NOON).is_none(), "a retired key never signs");
    }

    #[test]
    fn our_own_id_token_is_recognised_though_expired_and_no_other_token_is() {
        for algorithm in SigningAlgorithm::ALL {
            let ring = Ring::from_keys(vec![ring_key(key(algorithm), NOON, None)]);
            let signer = ring.signer(algorithm, NOON).expect("one key");
            let claims = json!({ "iss": "https://id.example.com/acs", "sub": "u", "exp": 1 });
            let hint = |typ, issuer| {
                let token = signer.sign(&claims, typ).expect("signs");
                verify_own_id_token(&token, ring.verifying(), issuer).map(Value::Object)
            };
            assert_eq!(hint(JwtType::Jwt, "https://id.example.com/acs"), Ok(claims.clone()));
            assert_eq!(hint(JwtType::Jwt, "https://id.example.com/acs/"), Err(VerifyFault::Issuer));
            assert_eq!(hint(JwtType::AccessToken, "https://id.example.com/acs"), Err(VerifyFault::Type));
            assert_eq!(hint(JwtType::LogoutToken, "https://id.example.com/acs"), Err(VerifyFault::Type));
        }
    }
}
