//! The redemption of a code at a provider's token endpoint (OIDC Core §3.1.3), once and never again.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openidconnect::core::{CoreErrorResponseType, CoreTokenType};
use openidconnect::{ExtraTokenFields, OAuth2TokenResponse as _, StandardErrorResponse, StandardTokenResponse};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::client_key::{Assertion, Signer};
use super::{CodeCall, ProviderFacts, UpstreamFault};
use crate::base::Secret;
use crate::keys::strict_json;
use crate::oidc::Idp;
use crate::outbound::{Http, Reply, cut};

/// How we prove who we are in one call.
pub enum Proof<'a> {
    Secret(&'a Secret),
    Key(Arc<Signer>, Assertion<'a>),
}

/// What the token endpoint gave. The refresh token, if any, is not even read.
pub struct Tokens {
    pub access_token: Secret,
    pub id_token: Secret,
}

#[derive(Serialize, Deserialize)]
struct WithIdToken {
    /// Left as text: what it is worth is decided by our own checks, before any part is decoded.
    id_token: Option<String>,
}

impl std::fmt::Debug for WithIdToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WithIdToken")
    }
}

impl ExtraTokenFields for WithIdToken {}

type Answer = StandardTokenResponse<WithIdToken, CoreTokenType>;
type Refusal = StandardErrorResponse<CoreErrorResponseType>;

/// Parameters that `token_params` never sets.
const RESERVED: &[&str] = &[
    "grant_type",
    "code",
    "redirect_uri",
    "code_verifier",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
];

/// Redeems a code.
///
/// # Errors
/// [`UpstreamFault`]; there is no second try, since the first may have spent the code.
pub async fn redeem(
    http: &Http,
    idp: &Idp,
    facts: &ProviderFacts,
    call: &CodeCall<'_>,
    proof: &Proof<'_>,
) -> Result<Tokens, UpstreamFault> {
    let mut form: Vec<(&str, &str)> = vec![
        ("grant_type", "authorization_code"),
        ("code", call.code),
        ("redirect_uri", call.redirect_uri),
        ("code_verifier", call.verifier.expose()),
    ];
    let mut authorization = None;
    let assertion;
    match proof {
        Proof::Secret(secret) if sends_basic(facts)? => authorization = Some(basic(&idp.client_id, secret)),
        Proof::Secret(secret) => {
            form.push(("client_id", &idp.client_id));
            form.push(("client_secret", secret.expose()));
        }
        Proof::Key(signer, say) => {
            assertion = signer.assertion(say)?;
            form.push(("client_id", &idp.client_id));
            form.push(("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"));
            form.push(("client_assertion", assertion.expose()));
        }
    }
    let extras = idp.token_params.iter().filter(|(name, _)| !RESERVED.contains(&name.as_str()));
    form.extend(extras.map(|(name, value)| (name.as_str(), value.as_str())));
    let body = Secret::new(form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish());
    let reply = http.post_form(&facts.token_endpoint, &body, authorization.as_ref()).await?;
    tokens(&reply)
}

/// client_secret_post if it is announced; client_secret_basic if that is, or nothing (OIDC Discovery §3).
///
/// # Errors
/// [`UpstreamFault::Misconfigured`] if the provider takes no client secret at all.
pub fn sends_basic(facts: &ProviderFacts) -> Result<bool, UpstreamFault> {
    let Some(methods) = &facts.client_authentication else { return Ok(true) };
    let has = |name: &str| methods.iter().any(|method| method == name);
    if has("client_secret_post") {
        Ok(false)
    } else if has("client_secret_basic") {
        Ok(true)
    } else {
        let detail = format!("it takes no client secret; it announces {}", methods.join(", "));
        Err(UpstreamFault::Misconfigured { detail })
    }
}

/// Id and secret are form-encoded first (RFC 6749 §2.3.1).
fn basic(client_id: &str, secret: &Secret) -> Secret {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encoded(client_id), encoded(secret.expose()));
    Secret::new(format!("Basic {}", STANDARD.encode(pair)))
}

fn tokens(reply: &Reply) -> Result<Tokens, UpstreamFault> {
    let untrusted = |detail: &str| UpstreamFault::untrusted("token_response", detail);
    match reply.status {
        200 => {}
        408 | 429 | 500..=599 => {
            return Err(UpstreamFault::unavailable(format!("the token endpoint answered {}", reply.status)));
        }
        _ => return Err(refusal(reply)),
    }
    let mut members = json_object(reply, "token_response")?;
    if members.contains_key("error") {
        return Err(untrusted("answered 200 with an `error`"));
    }
    // What isn't used isn't read: some providers send `expires_in` as text, say.
    members.retain(|name, _| matches!(name.as_str(), "access_token" | "token_type" | "id_token"));
    let answer: Answer = serde_json::from_value(Value::Object(members))
        .map_err(|_| untrusted("is no token response: access_token or token_type is missing or of a wrong kind"))?;
    if *answer.token_type() != CoreTokenType::Bearer {
        return Err(UpstreamFault::untrusted("token_type", "is not Bearer"));
    }
    let id_token = answer.extra_fields().id_token.clone();
    Ok(Tokens {
        access_token: Secret::new(answer.access_token().secret()),
        id_token: Secret::new(id_token.ok_or_else(|| untrusted("has no id_token"))?),
    })
}

/// An answer that must be `application/json` and one object.
///
/// # Errors
/// [`UpstreamFault::Untrusted`] under the given check.
pub fn json_object(reply: &Reply, check: &'static str) -> Result<Map<String, Value>, UpstreamFault> {
    if reply.content_type != "application/json" {
        return Err(UpstreamFault::untrusted(check, format!("is `{}`, not application/json", reply.content_type)));
    }
    strict_json::parse_object(&reply.body).map_err(|fault| UpstreamFault::untrusted(check, fault))
}

/// An OAuth error (RFC 6749 §5.2), if it is one.
fn refusal(reply: &Reply) -> UpstreamFault {
    let parsed = json_object(reply, "token_response").and_then(|members| {
        serde_json::from_value::<Refusal>(Value::Object(members)).map_err(|_| {
            UpstreamFault::untrusted("token_response", format!("answered {} without an `error`", reply.status))
        })
    });
    match parsed {
        Err(UpstreamFault::Untrusted { check, detail }) => {
            UpstreamFault::untrusted(check, format!("answered {}: {detail}", reply.status))
        }
        Err(other) => other,
        Ok(refusal) => {
            let error: String = refusal.error().as_ref().chars().filter(char::is_ascii_graphic).take(64).collect();
            let detail = refusal.error_description().map(String::as_str).unwrap_or_default();
            // A code of the authorization endpoint (RFC 6749 §4.1.2.1) that some send here with status 400.
            if error == "temporarily_unavailable" {
                return UpstreamFault::unavailable(detail);
            }
            UpstreamFault::Refused { error, detail: cut(detail) }
        }
    }
}
