//! The claims of a logout token (OpenID Connect Back-Channel Logout 1.0 §2.4).

use serde_json::{Map, Value, json};

use super::subject::Subject;
use crate::base::{Moment, Span};
use crate::oidc::Client;

/// How long a logout token may be used: two minutes at most (Back-Channel Logout 1.0 §4). It is signed afresh at each
/// try.
pub const LOGOUT_TOKEN_LIFETIME: Span = Span::minutes(2);
/// The member of `events` that makes it a logout token (§2.4).
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// Who is out, as the client is told.
#[derive(Clone, Copy, Debug)]
pub struct Departure<'a> {
    /// As that client sees it.
    pub subject: &'a Subject,
    pub client: &'a Client,
    /// The session that has ended; `None`: all of that person's at the client.
    pub sid: Option<&'a str>,
}

/// The claims, good for [`LOGOUT_TOKEN_LIFETIME`]; `jti` is never used for another token. There is never a nonce: so
/// no logout token can be taken for an ID token.
#[must_use]
pub fn logout_token(departure: Departure<'_>, issuer: &str, jti: &str, now: Moment) -> Map<String, Value> {
    let mut claims = Map::new();
    let mut set = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    set("iss", issuer.into());
    set("aud", departure.client.id.0.as_str().into());
    set("iat", now.secs().into());
    set("exp", now.plus(LOGOUT_TOKEN_LIFETIME).secs().into());
    set("jti", jti.into());
    set("events", json!({ EVENT: {} }));
    set("sub", departure.subject.as_str().into());
    if let Some(sid) = departure.sid {
        set("sid", sid.into());
    }
    claims
}

#[cfg(test)]
mod tests {
    use super::super::samples::{NOW, alice, client};
    use super::*;
    use crate::oidc::client::SubjectType;

    const ISSUER: &str = "https://id.example.com/acs";

    fn claims_for(client: &Client, sid: Option<&str>) -> Map<String, Value> {
        let subject = Subject::of(&alice().id, client, b"0123456789abcdef");
        logout_token(Departure { subject: &subject, client, sid }, ISSUER, "jti-1", NOW)
    }

    #[test]
    fn a134_a_logout_token_has_the_claims_of_the_specification_and_no_others() {
        insta::assert_json_snapshot!("logout_token", claims_for(&client(), Some("session-1")));
    }

    #[test]
    fn a134_without_a_session_the_person_alone_is_named() {
        let claims = claims_for(&client(), None);
        assert_eq!(claims.get("sid"), None);
        assert_eq!(claims.get("sub").and_then(Value::as_str), Some(alice().id.0.as_str()));
    }

    #[test]
    fn a_pairwise_client_is_told_of_the_subject_that_it_knows() {
        let pairwise = Client { subject_type: SubjectType::Pairwise, ..client() };
        let claims = claims_for(&pairwise, Some("session-1"));
        let known = Subject::of(&alice().id, &pairwise, b"0123456789abcdef");
        assert_eq!(claims.get("sub").and_then(Value::as_str), Some(known.as_str()));
        assert_ne!(known.as_str(), alice().id.0);
    }
}
