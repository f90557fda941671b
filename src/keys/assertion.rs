//! private_key_jwt: a client proves who it is by a signed assertion (RFC 7523 §3, OIDC Core §9).

use serde_json::Value;

use super::algorithm::JwsAlgorithm;
use super::jws::{VerifyFault, verify_jws};
use super::signing::JwtType;
use super::times::{TimesFault, check_times};
use super::verifying::{KeySet, KeySetFault};
use crate::base::Moment;
use crate::base::limits::ASSERTION_LIFETIME_MAX;
use crate::oidc::ClientId;

/// Characters of a `jti`.
const JTI_CHARS_MAX: usize = 256;
/// The `typ` that newer clients give (draft-ietf-oauth-rfc7523bis §4).
const CLIENT_AUTHENTICATION: &str = "client-authentication+jwt";

/// A client's public keys.
#[derive(Debug)]
pub struct ClientKeys(pub(super) KeySet);

impl ClientKeys {
    /// Reads a client's JWK set.
    ///
    /// # Errors
    /// [`KeySetFault`]: private or symmetric keys, nothing usable, or no JWK set.
    pub fn parse(jwks: &str) -> Result<Self, KeySetFault> {
        KeySet::parse(jwks).map(Self)
    }

    /// As [`ClientKeys::parse`], of a set that the client publishes. One without a usable key is believed too: with it a
    /// client takes its only key back.
    ///
    /// # Errors
    /// [`KeySetFault`], but for [`KeySetFault::Empty`].
    pub fn published(jwks: &str) -> Result<Self, KeySetFault> {
        match KeySet::parse(jwks) {
            Err(KeySetFault::Empty) => Ok(Self(KeySet::default())),
            read => read.map(Self),
        }
    }

    /// How many of them can be used.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.count()
    }
}

/// An assertion that proves its client, if its `jti` was never seen before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedAssertion {
    pub jti: String,
    /// Until when the `jti` must be remembered: after that the assertion is refused by its time.
    pub expires: Moment,
}

/// Why an assertion proves nothing. All are answered by `invalid_client`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssertionFault {
    #[error(transparent)]
    Token(#[from] VerifyFault),
    #[error("iss and sub are not the client's id")]
    Client,
    #[error("aud is not exactly our issuer")]
    Audience,
    #[error("exp is missing, past, or more than five minutes ahead")]
    Expiry,
    #[error("nbf or iat lies ahead, or iat is more than five minutes old")]
    Times,
    #[error("jti is missing or has more than 256 characters")]
    Jti,
}

impl From<TimesFault> for AssertionFault {
    fn from(fault: TimesFault) -> Self {
        match fault {
            TimesFault::Expiry => Self::Expiry,
            TimesFault::Beginning => Self::Times,
        }
    }
}

/// Checks everything about an assertion but whether it was used before.
///
/// # Errors
/// [`AssertionFault`] names the first rule that it breaks.
pub fn check_assertion(
    assertion: &str,
    keys: &ClientKeys,
    client: &ClientId,
    issuer: &str,
    now: Moment,
) -> Result<AcceptedAssertion, AssertionFault> {
    let jws = verify_jws(assertion, &keys.0, &JwsAlgorithm::ALL)?;
    if !jws.header.is(JwtType::Jwt) && !jws.header.is_named(CLIENT_AUTHENTICATION) {
        return Err(AssertionFault::Token(VerifyFault::Type));
    }
    let text = |name: &str| jws.claims.get(name).and_then(Value::as_str);
    if text("iss") != Some(&client.0) || text("sub") != Some(&client.0) {
        return Err(AssertionFault::Client);
    }
    // One string: in a list, one of the others could play the assertion on to us.
    if text("aud") != Some(issuer) {
        return Err(AssertionFault::Audience);
    }
    let expires = check_times(&jws.claims, ASSERTION_LIFETIME_MAX, now)?;
    let jti = text("jti").filter(|jti| !jti.is_empty() && jti.chars().count() <= JTI_CHARS_MAX);
    Ok(AcceptedAssertion { jti: jti.ok_or(AssertionFault::Jti)?.to_owned(), expires })
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{RSA_PSS_SHA256, RsaKeyPair};
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::super::sample_keys::{jwks, key};
    use super::super::samples::{pkcs8, unsigned};
    use super::super::signing::SigningKey;
    use super::*;
    use crate::oidc::client::SigningAlgorithm::{self, EdDsa, Es256, Rs256};

    const NOW: i64 = 1_800_000_000;
    const ISSUER: &str = "https://id.example.com/acs";

    fn claims(changes: &Value) -> Value {
        let mut claims = json!({
            "iss": "access", "sub": "access", "aud": ISSUER, "jti": "j1", "iat": NOW, "exp": NOW + 60,
        });
        for (name, value) in changes.as_object().expect("an object") {
            claims[name] = value.clone();
        }
        claims
    }

    fn without(name: &str) -> Value {
        let mut claims = claims(&json!({}));
        claims.as_object_mut().expect("an object").remove(name);
        claims
    }

    fn check_text(assertion: &str, keys: &str) -> Result<AcceptedAssertion, AssertionFault> {
        let keys = ClientKeys::parse(keys).expect("a set");
        check_assertion(assertion, &keys, &ClientId("access".to_owned()), ISSUER, Moment::from_secs(NOW))
    }

    fn check(claims: &Value) -> Result<AcceptedAssertion, AssertionFault> {
        let signer = key(EdDsa);
        check_text(&signer.sign(claims, JwtType::Jwt).expect("signs"), &jwks(&[&signer]))
    }

    fn accepted(jti: &str, expires: i64) -> Result<AcceptedAssertion, AssertionFault> {
        Ok(AcceptedAssertion { jti: jti.to_owned(), expires: Moment::from_secs(expires) })
    }

    #[test]
    fn a_good_assertion_is_accepted_and_says_how_long_to_remember_it() {
        for algorithm in SigningAlgorithm::ALL {
            let signer = key(algorithm);
            let assertion = signer.sign(&claims(&json!({})), JwtType::Jwt).expect("signs");
            assert_eq!(check_text(&assertion, &jwks(&[&signer])), accepted("j1", NOW + 120));
        }
        let typed = unsigned(&json!({ "alg": "PS256", "typ": "client-authentication+jwt" }), &claims(&json!({})));
        let pair = RsaKeyPair::from_pkcs8(&pkcs8(Rs256)).expect("a key");
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(&RSA_PSS_SHA256, &SystemRandom::new(), typed.as_bytes(), &mut signature).expect("signs");
        let assertion = format!("{typed}.{}", URL_SAFE_NO_PAD.encode(signature));
        let any_rsa = jwks(&[&key(Rs256)]).replace("\"alg\":\"RS256\",", "");
        assert_eq!(check_text(&assertion, &any_rsa), accepted("j1", NOW + 120), "PS256");
    }

    #[test]
    fn a087_the_audience_is_our_issuer_as_one_string() {
        for aud in [
            json!("https://id.example.com/acs/token"),
            json!("https://id.example.com/acs/"),
            json!([ISSUER]),
            json!([ISSUER, "https://other.example"]),
            json!("https://other.example"),
            json!(null),
        ] {
            assert_eq!(check(&claims(&json!({ "aud": aud }))), Err(AssertionFault::Audience), "{aud}");
        }
        assert_eq!(check(&without("aud")), Err(AssertionFault::Audience));
    }

    #[test]
    fn a089_an_assertion_lives_five_minutes_at_most() {
        assert_eq!(check(&claims(&json!({ "exp": NOW + 300 }))), accepted("j1", NOW + 360));
        for exp in [json!(NOW + 301), json!(NOW + 315_360_000), json!(NOW - 60), json!("soon"), json!(1e308), json!(-1)]
        {
            assert_eq!(check(&claims(&json!({ "exp": exp }))), Err(AssertionFault::Expiry), "{exp}");
        }
        assert_eq!(check(&without("exp")), Err(AssertionFault::Expiry));
        assert_eq!(check(&claims(&json!({ "exp": NOW - 59 }))), accepted("j1", NOW + 1), "within the skew");
        assert_eq!(check(&claims(&json!({ "exp": (NOW as f64) + 60.5 }))), accepted("j1", NOW + 120));
        for iat in [json!(NOW - 361), json!(NOW - 86_400), json!("x"), json!(NOW + 61)] {
            assert_eq!(check(&claims(&json!({ "iat": iat }))), Err(AssertionFault::Times), "{iat}");
        }
        let mut without_iat = without("iat");
        assert_eq!(check(&without_iat), accepted("j1", NOW + 120));
        without_iat["exp"] = json!(NOW + 301);
        assert_eq!(check(&without_iat), Err(AssertionFault::Expiry));
    }

    #[test]
    fn c071_a_clock_eight_seconds_ahead_is_accepted_and_over_sixty_is_not() {
        let ahead = |by: i64| check(&claims(&json!({ "nbf": NOW + by, "iat": NOW + by, "exp": NOW + by + 300 })));
        assert_eq!(ahead(8), accepted("j1", NOW + 368));
        assert_eq!(ahead(61), Err(AssertionFault::Times));
        assert_eq!(check(&claims(&json!({ "nbf": NOW + 61 }))), Err(AssertionFault::Times));
    }

    #[test]
    fn a090_only_a_key_of_the_client_proves_it() {
        let (ed, ec) = (key(EdDsa), key(Es256));
        let head = |alg: &str| unsigned(&json!({ "alg": alg }), &claims(&json!({})));
        for token in [format!("{}.", head("none")), format!("{}.AAAA", head("none")), format!("{}.AAAA", head("HS256"))]
        {
            assert!(matches!(check_text(&token, &jwks(&[&ed])), Err(AssertionFault::Token(_))));
        }
        let foreign: SigningKey = ec;
        let token = foreign.sign(&claims(&json!({})), JwtType::Jwt).expect("signs");
        assert_eq!(check_text(&token, &jwks(&[&ed])), Err(AssertionFault::Token(VerifyFault::NoKey)));
        let typed = ed.sign(&claims(&json!({})), JwtType::AccessToken).expect("signs");
        assert_eq!(check_text(&typed, &jwks(&[&ed])), Err(AssertionFault::Token(VerifyFault::Type)));
    }

    #[test]
    fn a091_issuer_and_subject_are_the_client() {
        for changes in [json!({ "iss": "other" }), json!({ "sub": "other" }), json!({ "iss": "other", "sub": "other" })]
        {
            assert_eq!(check(&claims(&changes)), Err(AssertionFault::Client), "{changes}");
        }
        assert_eq!(check(&without("iss")), Err(AssertionFault::Client));
        assert_eq!(check(&without("sub")), Err(AssertionFault::Client));
    }

    #[test]
    fn a088_a_jti_is_there_to_be_remembered() {
        assert_eq!(check(&without("jti")), Err(AssertionFault::Jti));
        for jti in [json!(""), json!("j".repeat(257)), json!(7)] {
            assert_eq!(check(&claims(&json!({ "jti": jti }))), Err(AssertionFault::Jti));
        }
        let longest = "ä".repeat(256);
        assert_eq!(check(&claims(&json!({ "jti": longest }))), accepted(&longest, NOW + 120));
    }
}
