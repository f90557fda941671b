//! The userinfo endpoint (OIDC Core §5.3): asked by header, believed for the same subject only.

use serde_json::{Map, Value};
use url::Url;

use super::UpstreamFault;
use super::token_call::json_object;
use crate::base::Secret;
use crate::oidc::idp::UserinfoPolicy;
use crate::outbound::Http;

/// Whether to ask, by the policy and by what the ID token lacks.
pub fn is_wanted(policy: UserinfoPolicy, claims: &Map<String, Value>, wanted: &[String]) -> bool {
    match policy {
        UserinfoPolicy::Always => true,
        UserinfoPolicy::Never => false,
        UserinfoPolicy::Auto => wanted.iter().any(|name| !claims.contains_key(name)),
    }
}

/// Asks, and adds to `claims` what the ID token doesn't say itself.
///
/// # Errors
/// [`UpstreamFault`]: no answer, no plain JSON, or another subject than the ID token's.
pub async fn merge(
    http: &Http,
    endpoint: &Url,
    access_token: &Secret,
    claims: &mut Map<String, Value>,
) -> Result<(), UpstreamFault> {
    let bearer = Secret::new(format!("Bearer {}", access_token.expose()));
    let reply = http.get(endpoint, Some(&bearer)).await?;
    match reply.status {
        200 => {}
        429 | 500..=599 => return Err(UpstreamFault::unavailable(format!("userinfo answered {}", reply.status))),
        status => return Err(UpstreamFault::untrusted("userinfo", format!("answered {status}"))),
    }
    let said = json_object(&reply, "userinfo")?;
    let subject = said.get("sub").and_then(Value::as_str);
    if subject.is_none() || subject != claims.get("sub").and_then(Value::as_str) {
        return Err(UpstreamFault::untrusted("userinfo_sub", "is about another subject than the ID token"));
    }
    add(claims, said);
    Ok(())
}

/// Adds what is missing. A proof goes with what it proves: `email_verified` says nothing of an email that
/// the ID token has and userinfo has not.
fn add(claims: &mut Map<String, Value>, said: Map<String, Value>) {
    let unproven: Vec<&str> = PROOFS
        .iter()
        .filter(|(_, proven)| claims.contains_key(*proven) && claims.get(*proven) != said.get(*proven))
        .map(|(proof, _)| *proof)
        .collect();
    for (name, value) in said {
        if !PROTOCOL.contains(&name.as_str()) && !unproven.contains(&name.as_str()) {
            claims.entry(name).or_insert(value);
        }
    }
}

/// Claims that say of another one that it is proven.
const PROOFS: &[(&str, &str)] =
    &[("email_verified", "email"), ("xms_edov", "email"), ("phone_number_verified", "phone_number")];

/// Claims that speak of the sign-in and not of the person: the ID token alone says them.
const PROTOCOL: &[&str] =
    &["iss", "aud", "exp", "iat", "nbf", "nonce", "azp", "auth_time", "acr", "amr", "sid", "at_hash", "c_hash", "tid"];
