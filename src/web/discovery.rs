//! The discovery document.

use serde_json::Value;

use crate::config::Snapshot;
use crate::oidc::Scope;
use crate::upstream::public_jwks;

/// What we are, and nothing that we are not (OpenID Connect Discovery 1.0 §3, RFC 8414 §2, RFC 9126 §5, RFC 9207 §3,
/// RP-Initiated Logout 1.0 §2.1, Back-Channel and Front-Channel Logout 1.0 §2.1, §3).
#[derive(serde::Serialize)]
pub struct Discovery<'a> {
    issuer: &'a str,
    authorization_endpoint: String,
    token_endpoint: String,
    userinfo_endpoint: String,
    jwks_uri: String,
    revocation_endpoint: String,
    introspection_endpoint: String,
    pushed_authorization_request_endpoint: String,
    end_session_endpoint: String,
    scopes_supported: Vec<&'a str>,
    response_types_supported: [&'a str; 1],
    response_modes_supported: [&'a str; 2],
    grant_types_supported: [&'a str; 3],
    subject_types_supported: [&'a str; 2],
    id_token_signing_alg_values_supported: Vec<&'a str>,
    request_object_signing_alg_values_supported: [&'a str; 5],
    token_endpoint_auth_methods_supported: [&'a str; 4],
    token_endpoint_auth_signing_alg_values_supported: [&'a str; 5],
    revocation_endpoint_auth_methods_supported: [&'a str; 3],
    revocation_endpoint_auth_signing_alg_values_supported: [&'a str; 5],
    introspection_endpoint_auth_methods_supported: [&'a str; 3],
    introspection_endpoint_auth_signing_alg_values_supported: [&'a str; 5],
    code_challenge_methods_supported: [&'a str; 1],
    prompt_values_supported: [&'a str; 3],
    claim_types_supported: [&'a str; 1],
    claims_supported: &'a [&'a str],
    ui_locales_supported: [&'a str; 2],
    authorization_response_iss_parameter_supported: bool,
    claims_parameter_supported: bool,
    request_parameter_supported: bool,
    /// Only our own ones, of pushed requests.
    request_uri_parameter_supported: bool,
    require_pushed_authorization_requests: bool,
    backchannel_logout_supported: bool,
    backchannel_logout_session_supported: bool,
    frontchannel_logout_supported: bool,
    frontchannel_logout_session_supported: bool,
}

/// The algorithms of clients' keys: for assertions and request objects. The last one has two names (RFC 9864 §2.2).
const CLIENT_ALGORITHMS: [&str; 5] = ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"];

/// How a client that can keep a secret proves who it is.
const PROOFS: [&str; 3] = ["client_secret_basic", "client_secret_post", "private_key_jwt"];

const CLAIMS: [&str; 22] = [
    "sub",
    "iss",
    "aud",
    "exp",
    "iat",
    "nonce",
    "at_hash",
    "sid",
    "auth_time",
    "acr",
    "amr",
    "name",
    "given_name",
    "family_name",
    "preferred_username",
    "email",
    "email_verified",
    "oid",
    "upn",
    "domain",
    "user_name",
    "external_id",
];

/// The discovery document.
#[must_use]
pub fn discovery(config: &Snapshot) -> Discovery<'_> {
    let base = config.server.base_url.as_str().trim_end_matches('/');
    let at = |path: &str| format!("{base}{path}");
    Discovery {
        issuer: &config.server.issuer,
        authorization_endpoint: at("/acs/authorize"),
        token_endpoint: at("/acs/token"),
        userinfo_endpoint: at("/acs/userinfo"),
        jwks_uri: at("/acs/jwks"),
        revocation_endpoint: at("/acs/revoke"),
        introspection_endpoint: at("/acs/introspect"),
        pushed_authorization_request_endpoint: at("/acs/par"),
        end_session_endpoint: at("/acs/openid/logout"),
        scopes_supported: Scope::ALL.iter().map(|scope| scope.as_str()).collect(),
        response_types_supported: ["code"],
        response_modes_supported: ["query", "form_post"],
        grant_types_supported: ["authorization_code", "refresh_token", "client_credentials"],
        subject_types_supported: ["public", "pairwise"],
        id_token_signing_alg_values_supported: config.server.keys.algorithms.iter().map(|a| a.as_str()).collect(),
        request_object_signing_alg_values_supported: CLIENT_ALGORITHMS,
        token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"],
        token_endpoint_auth_signing_alg_values_supported: CLIENT_ALGORITHMS,
        revocation_endpoint_auth_methods_supported: PROOFS,
        revocation_endpoint_auth_signing_alg_values_supported: CLIENT_ALGORITHMS,
        introspection_endpoint_auth_methods_supported: PROOFS,
        introspection_endpoint_auth_signing_alg_values_supported: CLIENT_ALGORITHMS,
        code_challenge_methods_supported: ["S256"],
        prompt_values_supported: ["none", "login", "select_account"],
        claim_types_supported: ["normal"],
        claims_supported: &CLAIMS,
        ui_locales_supported: ["en", "de"],
        authorization_response_iss_parameter_supported: true,
        claims_parameter_supported: false,
        request_parameter_supported: true,
        request_uri_parameter_supported: false,
        require_pushed_authorization_requests: false,
        backchannel_logout_supported: true,
        backchannel_logout_session_supported: true,
        frontchannel_logout_supported: true,
        frontchannel_logout_session_supported: true,
    }
}

/// Our public keys towards identity providers.
#[must_use]
pub fn federation_jwks(config: &Snapshot) -> Value {
    public_jwks(config.idps.values().map(AsRef::as_ref))
}
