//! The authorization request to a provider (OIDC Core §3.1.2.1).

use url::Url;

use super::{AuthorizationCall, ProviderFacts};
use crate::oidc::Idp;

/// Parameters that are ours alone to set; extras of these names are left out.
const RESERVED: &[&str] = &[
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "login_hint",
    "request",
    "request_uri",
];

/// Parameters that we set if a login asks for them.
const OPTIONAL: &[&str] = &["domain_hint", "prompt", "max_age", "acr_values", "ui_locales"];

/// Whether a provider's endpoint must not have this parameter in a query of its own: it would stand twice.
pub fn is_ours(name: &str) -> bool {
    RESERVED.contains(&name) || OPTIONAL.contains(&name)
}

/// Where to send the browser: always a code flow with state, nonce and PKCE S256. Each value is encoded
/// exactly once; a query that the endpoint has itself is kept.
#[must_use]
pub fn authorization_url(facts: &ProviderFacts, idp: &Idp, call: &AuthorizationCall) -> Url {
    let scope = idp.scopes.join(" ");
    let max_age = call.max_age.map(|seconds| seconds.to_string());
    let ours: [(&str, Option<&str>); 14] = [
        ("response_type", Some("code")),
        ("client_id", Some(&idp.client_id)),
        ("redirect_uri", Some(&call.redirect_uri)),
        ("scope", Some(&scope)),
        ("state", Some(&call.state)),
        ("nonce", Some(&call.nonce)),
        ("code_challenge", Some(call.code_challenge.as_str())),
        ("code_challenge_method", Some("S256")),
        ("login_hint", call.login_hint.as_deref()),
        ("domain_hint", call.domain_hint.as_deref()),
        ("prompt", call.prompt.as_deref()),
        ("max_age", max_age.as_deref()),
        ("acr_values", call.acr_values.as_deref()),
        ("ui_locales", call.ui_locales.as_deref()),
    ];
    let mut set: Vec<(&str, &str)> = ours.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let call_extra = call.extra.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let file_extra = idp.authorize_params.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in call_extra.chain(file_extra) {
        let taken = RESERVED.contains(&name) || set.iter().any(|(other, _)| *other == name);
        if !taken {
            set.push((name, value));
        }
    }
    let mut url = facts.authorization_endpoint.clone();
    let own_query = url.query().filter(|query| !query.is_empty()).map(str::to_owned);
    let added = form_urlencoded::Serializer::new(String::new()).extend_pairs(set).finish();
    // A blank as %20 is read by everybody, as `+` only by those who decode forms; a plus sign itself stands as %2B here.
    let added = added.replace('+', "%20");
    let query = own_query.map_or_else(|| added.clone(), |own| format!("{own}&{added}"));
    url.set_query(Some(&query));
    url
}
