//! An authorization request signed by its client (RFC 9101, OIDC Core §6.1).

use serde_json::{Map, Value};

use super::algorithm::JwsAlgorithm;
use super::assertion::ClientKeys;
use super::jws::{VerifyFault, verify_jws};
use super::signing::JwtType;
use super::times::{TimesFault, check_times};
use crate::base::Moment;
use crate::base::limits::REQUEST_OBJECT_LIFETIME_MAX;
use crate::oidc::ClientId;

/// The `typ` that a request object may name (RFC 9101 §10.8).
const REQUEST_OBJECT: &str = "oauth-authz-req+jwt";

/// A request object whose signature is good. Only [`SignedRequest::check`] tells whether it is meant for us, now.
#[derive(Clone, PartialEq)]
pub struct SignedRequest(Map<String, Value>);

impl std::fmt::Debug for SignedRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

/// Why a well signed request object is refused. All are answered by `invalid_request_object`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestObjectFault {
    Issuer,
    Audience,
    Client,
    Subject,
    Expiry,
    Times,
    Nested,
}

impl RequestObjectFault {
    /// The rule that it breaks, for the client's developer.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Issuer => "iss of the request object is not the client_id",
            Self::Audience => "aud of the request object is not our issuer",
            Self::Client => "client_id in the request object is not that of the request",
            Self::Subject => "the request object has the client as sub, as if it were a client assertion",
            Self::Expiry => "exp of the request object is missing, past, or more than an hour ahead",
            Self::Times => "nbf or iat of the request object lies ahead, or iat more than an hour back",
            Self::Nested => "the request object has request or request_uri in it",
        }
    }
}

/// Checks signature and type of a request object.
///
/// # Errors
/// [`VerifyFault`].
pub fn read_request_object(object: &str, keys: &ClientKeys) -> Result<SignedRequest, VerifyFault> {
    let jws = verify_jws(object, &keys.0, &JwsAlgorithm::ALL)?;
    if jws.header.is(JwtType::Jwt) || jws.header.is_named(REQUEST_OBJECT) {
        Ok(SignedRequest(jws.claims))
    } else {
        Err(VerifyFault::Type)
    }
}

impl SignedRequest {
    #[must_use]
    pub const fn claims(&self) -> &Map<String, Value> {
        &self.0
    }

    /// Checks that this client made it for us, and that its time is now.
    ///
    /// # Errors
    /// [`RequestObjectFault`] names the first rule that it breaks.
    pub fn check(&self, client: &ClientId, issuer: &str, now: Moment) -> Result<(), RequestObjectFault> {
        let text = |name: &str| self.0.get(name).and_then(Value::as_str);
        if text("iss") != Some(&client.0) {
            return Err(RequestObjectFault::Issuer);
        }
        if !self.0.get("aud").is_some_and(|aud| names(aud, issuer)) {
            return Err(RequestObjectFault::Audience);
        }
        if text("client_id") != Some(&client.0) {
            return Err(RequestObjectFault::Client);
        }
        // A client assertion has it, so that none is a request object as well (RFC 9101 §10.8).
        if text("sub") == Some(&client.0) {
            return Err(RequestObjectFault::Subject);
        }
        if self.0.contains_key("request") || self.0.contains_key("request_uri") {
            return Err(RequestObjectFault::Nested);
        }
        match check_times(&self.0, REQUEST_OBJECT_LIFETIME_MAX, now) {
            Ok(_) => Ok(()),
            Err(TimesFault::Expiry) => Err(RequestObjectFault::Expiry),
            Err(TimesFault::Beginning) => Err(RequestObjectFault::Times),
        }
    }
}

/// RFC 7519 §4.1.3: one string, or a list of strings.
fn names(aud: &Value, issuer: &str) -> bool {
    match aud {
        Value::String(one) => one == issuer,
        Value::Array(all) => all.iter().all(Value::is_string) && all.iter().any(|one| one == issuer),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::assertion::{AssertionFault, check_assertion};
    use super::super::sample_keys::{jwks, key};
    use super::super::samples::unsigned;
    use super::*;
    use crate::oidc::client::SigningAlgorithm::{self, EdDsa, Es256};

    const NOW: i64 = 1_800_000_000;
    const ISSUER: &str = "https://id.example.com/acs";

    fn claims(changes: &Value) -> Value {
        let mut claims = json!({
            "iss": "access", "aud": ISSUER, "client_id": "access", "iat": NOW, "nbf": NOW, "exp": NOW + 60,
            "response_type": "code", "scope": "openid",
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

    fn check(claims: &Value) -> Result<(), RequestObjectFault> {
        let signer = key(EdDsa);
        let keys = ClientKeys::parse(&jwks(&[&signer])).expect("a set");
        let object = signer.sign(claims, JwtType::Jwt).expect("signs");
        let signed = read_request_object(&object, &keys).expect("a good signature");
        signed.check(&ClientId("access".to_owned()), ISSUER, Moment::from_secs(NOW))
    }

    #[test]
    fn a_good_request_object_is_accepted_by_each_algorithm() {
        for algorithm in SigningAlgorithm::ALL {
            let signer = key(algorithm);
            let object = signer.sign(&claims(&json!({})), JwtType::Jwt).expect("signs");
            let keys = ClientKeys::parse(&jwks(&[&signer])).expect("a set");
            let signed = read_request_object(&object, &keys).expect("a good signature");
            assert_eq!(signed.claims().get("scope"), Some(&json!("openid")));
            assert_eq!(signed.check(&ClientId("access".to_owned()), ISSUER, Moment::from_secs(NOW)), Ok(()));
        }
        assert_eq!(check(&claims(&json!({ "aud": ["https://other.example", ISSUER] }))), Ok(()));
        assert_eq!(check(&without("nbf")), Ok(()));
        assert_eq!(check(&without("iat")), Ok(()));
        assert_eq!(check(&claims(&json!({ "exp": NOW + 3600 }))), Ok(()));
    }

    #[test]
    fn a121_only_a_key_of_the_client_signs_its_requests() {
        let (ed, ec) = (key(EdDsa), key(Es256));
        let keys = ClientKeys::parse(&jwks(&[&ed])).expect("a set");
        let head = |alg: &str| unsigned(&json!({ "alg": alg }), &claims(&json!({})));
        for object in
            [format!("{}.", head("none")), format!("{}.AAAA", head("none")), format!("{}.AAAA", head("HS256"))]
        {
            assert!(read_request_object(&object, &keys).is_err(), "{object}");
        }
        let foreign = ec.sign(&claims(&json!({})), JwtType::Jwt).expect("signs");
        assert_eq!(read_request_object(&foreign, &keys), Err(VerifyFault::NoKey));
        let typed = ed.sign(&claims(&json!({})), JwtType::AccessToken).expect("signs");
        assert_eq!(read_request_object(&typed, &keys), Err(VerifyFault::Type));
    }

    #[test]
    fn a121_a_request_object_names_client_and_issuer() {
        for aud in [json!("https://other.example"), json!([]), json!([ISSUER, 7]), json!({}), json!(null)] {
            assert_eq!(check(&claims(&json!({ "aud": aud }))), Err(RequestObjectFault::Audience), "{aud}");
        }
        assert_eq!(check(&without("aud")), Err(RequestObjectFault::Audience));
        assert_eq!(check(&without("iss")), Err(RequestObjectFault::Issuer));
        assert_eq!(check(&claims(&json!({ "iss": "other" }))), Err(RequestObjectFault::Issuer));
        assert_eq!(check(&without("client_id")), Err(RequestObjectFault::Client));
        assert_eq!(check(&claims(&json!({ "client_id": "other" }))), Err(RequestObjectFault::Client));
        for inner in ["request", "request_uri"] {
            assert_eq!(check(&claims(&json!({ inner: "x" }))), Err(RequestObjectFault::Nested));
        }
    }

    #[test]
    fn a121_a_request_object_lives_for_an_hour_at_most() {
        for exp in [json!(NOW + 3601), json!(NOW - 60), json!("soon"), json!(null), json!(-1)] {
            assert_eq!(check(&claims(&json!({ "exp": exp }))), Err(RequestObjectFault::Expiry), "{exp}");
        }
        assert_eq!(check(&without("exp")), Err(RequestObjectFault::Expiry));
        for (name, at) in [("nbf", NOW + 61), ("iat", NOW + 61), ("iat", NOW - 3661)] {
            assert_eq!(check(&claims(&json!({ name: at }))), Err(RequestObjectFault::Times), "{name} {at}");
        }
        assert_eq!(
            check(&claims(&json!({ "nbf": NOW + 8, "iat": NOW + 8, "exp": NOW + 3608 }))),
            Ok(()),
            "a fast clock"
        );
    }

    #[test]
    fn a_client_assertion_is_no_request_object_nor_the_other_way_round() {
        let signer = key(EdDsa);
        let keys = ClientKeys::parse(&jwks(&[&signer])).expect("a set");
        let assertion = claims(&json!({ "sub": "access", "jti": "j1" }));
        assert_eq!(check(&assertion), Err(RequestObjectFault::Subject));
        let as_assertion = |object: &str| {
            check_assertion(object, &keys, &ClientId("access".to_owned()), ISSUER, Moment::from_secs(NOW))
        };
        let object = signer.sign(&claims(&json!({ "jti": "j1" })), JwtType::Jwt).expect("signs");
        assert_eq!(as_assertion(&object), Err(AssertionFault::Client), "it has no sub");
    }
}
