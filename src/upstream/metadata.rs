//! A provider's discovery document (OIDC Discovery §4), modelled by openidconnect and then judged.

use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreResponseMode, CoreResponseType,
    CoreSubjectIdentifierType,
};
use openidconnect::{AdditionalProviderMetadata, ProviderMetadata};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::authorize::is_ours;
use super::{EndSession, ProviderFacts, UpstreamFault};
use crate::base::address::web_address;
use crate::oidc::Idp;

/// What openidconnect's own model leaves out.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Extra {
    /// RP-Initiated Logout §2.1.
    end_session_endpoint: Option<String>,
    /// RFC 9207 §3.
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
    /// RFC 8414 §2.
    code_challenge_methods_supported: Option<Vec<String>>,
}

impl AdditionalProviderMetadata for Extra {}

type Document = ProviderMetadata<
    Extra,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// Where the document stands: behind the issuer, one slash between (OIDC Discovery §4.1).
///
/// # Errors
/// [`UpstreamFault::Misconfigured`] if the configured issuer is no URL.
pub fn discovery_url(issuer: &str) -> Result<Url, UpstreamFault> {
    let text = format!("{}/.well-known/openid-configuration", issuer.strip_suffix('/').unwrap_or(issuer));
    web_address(&text).map_err(|fault| UpstreamFault::Misconfigured { detail: format!("issuer {fault}") })
}

/// Judges a discovery document against the settings.
///
/// # Errors
/// [`UpstreamFault::Untrusted`]: another issuer than the configured one, or an endpoint where none may be.
pub fn facts(document: Value, idp: &Idp) -> Result<ProviderFacts, UpstreamFault> {
    let untrusted = |detail: String| UpstreamFault::untrusted("discovery", detail);
    let announced = document.get("issuer").and_then(Value::as_str).unwrap_or_default().to_owned();
    if announced != idp.issuer {
        let detail = format!("names the issuer `{announced}`; configured is `{}`", idp.issuer);
        return Err(UpstreamFault::untrusted("discovery_issuer", detail));
    }
    let algs = names(document.get("id_token_signing_alg_values_supported"));
    let document: Document = serde_json::from_value(document).map_err(|e| untrusted(e.to_string()))?;
    let extra = document.additional_metadata();
    let issuer =
        web_address(&idp.issuer).map_err(|fault| UpstreamFault::Misconfigured { detail: format!("issuer {fault}") })?;
    let own = |name: &'static str, text: &str| endpoint(name, text, Some(&issuer));
    let any = |name: &'static str, text: &str| endpoint(name, text, None);
    let token_endpoint = document.token_endpoint().ok_or_else(|| untrusted("has no token_endpoint".to_owned()))?;
    let authorization_endpoint = own("authorization_endpoint", document.authorization_endpoint())?;
    unburdened(&authorization_endpoint)?;
    Ok(ProviderFacts {
        authorization_endpoint,
        token_endpoint: own("token_endpoint", token_endpoint)?,
        userinfo_endpoint: document.userinfo_endpoint().map(|url| any("userinfo_endpoint", url)).transpose()?,
        // Nobody is sent to a wrong one; people can sign in all the same.
        end_session: match &extra.end_session_endpoint {
            None => EndSession::Absent,
            Some(url) => any("end_session_endpoint", url).map_or(EndSession::Unusable, EndSession::At),
        },
        jwks_uri: any("jwks_uri", document.jwks_uri())?,
        announces_iss: extra.authorization_response_iss_parameter_supported,
        client_authentication: document
            .token_endpoint_auth_methods_supported()
            .map(|methods| methods.iter().map(|method| method.as_ref().to_owned()).collect()),
        id_token_algs: algs,
        takes_s256: extra
            .code_challenge_methods_supported
            .as_ref()
            .is_none_or(|methods| methods.iter().any(|method| method == "S256")),
        issuer: idp.issuer.clone(),
    })
}

fn names(list: Option<&Value>) -> Vec<String> {
    let items = list.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// An endpoint: https (http on loopback), and on the issuer's origin where codes and secrets go. A
/// provider's document that sends them elsewhere is the mix-up attack (RFC 9700 §4.4).
fn endpoint(name: &'static str, text: &str, issuer: Option<&Url>) -> Result<Url, UpstreamFault> {
    let untrusted = |fault: String| UpstreamFault::untrusted("discovery_endpoint", format!("{name} {fault}"));
    let url = web_address(text).map_err(|fault| untrusted(fault.to_string()))?;
    if url.fragment().is_some() {
        return Err(untrusted("has a fragment".to_owned()));
    }
    if issuer.is_some_and(|issuer| issuer.origin() != url.origin()) {
        return Err(untrusted(format!("is on another origin than the issuer: {}", url.origin().ascii_serialization())));
    }
    Ok(url)
}

/// An authorization endpoint may have a query of its own (RFC 6749 §3.1), but nothing of ours in it.
fn unburdened(url: &Url) -> Result<(), UpstreamFault> {
    match url.query_pairs().find(|(name, _)| is_ours(name)) {
        None => Ok(()),
        Some((name, _)) => {
            Err(UpstreamFault::untrusted("discovery_endpoint", format!("authorization_endpoint sets `{name}` itself")))
        }
    }
}
