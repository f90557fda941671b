//! What the demo identity provider says of itself (OIDC Discovery §3).

use serde_json::json;

use super::realm::Realm;
use crate::demo::wire::Answer;

impl Realm {
    pub(super) fn discovery(&self) -> Answer {
        let at = |path: &str| format!("{}/{path}", self.issuer);
        Answer::json(
            200,
            &json!({
                "issuer": self.issuer,
                "authorization_endpoint": at("authorize"),
                "token_endpoint": at("token"),
                "userinfo_endpoint": at("userinfo"),
                "jwks_uri": at("jwks"),
                "end_session_endpoint": at("logout"),
                "scopes_supported": ["openid", "profile", "email"],
                "response_types_supported": ["code"],
                "response_modes_supported": ["query"],
                "grant_types_supported": ["authorization_code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": [self.key.algorithm().as_str()],
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
                "code_challenge_methods_supported": ["S256"],
                "prompt_values_supported": ["none", "login", "select_account"],
                "claims_supported": [
                    "sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "sid", "name", "given_name",
                    "family_name", "preferred_username", "email", "email_verified"
                ],
                "ui_locales_supported": ["en", "de"],
                "authorization_response_iss_parameter_supported": true,
                "claims_parameter_supported": false,
                "request_parameter_supported": false,
                "request_uri_parameter_supported": false,
            }),
        )
    }

    pub(super) fn jwks(&self) -> Answer {
        Answer::json(200, &json!({ "keys": [self.key.public_jwk()] }))
    }
}
