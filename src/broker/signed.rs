//! The claims of a signed request object, as the parameters that they are (RFC 9101 §4, OIDC Core §6.1).

use serde_json::{Map, Value};

use crate::oidc::params::Params;

/// Claims of the token itself, and what a request object must not have.
const NO_PARAMETERS: [&str; 9] = ["iss", "aud", "sub", "exp", "nbf", "iat", "jti", "request", "request_uri"];

/// The parameters in a request object. Numbers become their text, objects and lists their JSON, null is absent.
#[must_use]
pub fn params_of(claims: &Map<String, Value>) -> Params {
    let text = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    let parameters = claims.iter().filter(|(name, _)| !NO_PARAMETERS.contains(&name.as_str()));
    Params::from_pairs(parameters.filter_map(|(name, value)| Some((name.clone(), text(value)?))).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_and_objects_are_read_as_parameters_are_written() {
        let claims = json!({
            "iss": "access", "aud": "https://id.example.com/acs", "exp": 9, "scope": "openid", "max_age": 300,
            "claims": { "id_token": { "sub": { "value": "u1" } } }, "nonce": null,
        });
        let params = params_of(claims.as_object().expect("an object"));
        assert_eq!(params.get("scope"), Some("openid"));
        assert_eq!(params.get("max_age"), Some("300"));
        assert_eq!(params.get("claims"), Some(r#"{"id_token":{"sub":{"value":"u1"}}}"#));
        assert_eq!(params.pairs().count(), 3, "{params:?}");
    }
}
