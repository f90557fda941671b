//! The claims of ID tokens, userinfo and signed access tokens, from the directory as it is now.
//!
//! A value that is absent or blank has no claim: never null, never empty.

use serde_json::{Map, Value};

use super::grant::Grant;
use super::subject::Subject;
use crate::base::Moment;
use crate::base::limits::ID_TOKEN_LIFETIME;
use crate::base::text::fold;
use crate::identity::{Directory, User};
use crate::keys::algorithm::half_hash;
use crate::oidc::{Client, Scope};
use crate::scim::urn::WS1B_USER;

/// Claims with a meaning in the protocol, which no client's `[claims]` can set.
pub const RESERVED: [&str; 22] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "nonce",
    "sid",
    "auth_time",
    "acr",
    "amr",
    "azp",
    "at_hash",
    "c_hash",
    "s_hash",
    "email_verified",
    "client_id",
    "scope",
    "events",
    "cnf",
    "act",
];

/// Attributes that are lists by nature; of every other list the primary value is given.
const LISTS: [&str; 3] = ["groups", "roles", "entitlements"];

/// Whether `[claims]` may not set it.
#[must_use]
pub fn is_reserved(claim: &str) -> bool {
    RESERVED.contains(&claim)
}

/// Whose claims, for whom.
#[derive(Clone, Copy, Debug)]
pub struct Holder<'a> {
    pub subject: &'a Subject,
    pub grant: &'a Grant,
    pub user: &'a User,
    pub client: &'a Client,
    /// The user's directory.
    pub directory: &'a Directory,
}

/// The claims of an ID token (OIDC Core §2), good for [`ID_TOKEN_LIFETIME`]. `access_token`: the one
/// issued beside it, for `at_hash`.
#[must_use]
pub fn id_token(holder: Holder<'_>, issuer: &str, access_token: Option<&str>, now: Moment) -> Map<String, Value> {
    let mut claims = userinfo(holder);
    let mut set = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    set("iss", issuer.into());
    set("aud", holder.client.id.0.as_str().into());
    set("iat", now.secs().into());
    set("exp", now.plus(ID_TOKEN_LIFETIME).secs().into());
    if let Some(nonce) = &holder.grant.nonce {
        set("nonce", nonce.as_str().into());
    }
    if let Some(token) = access_token {
        set("at_hash", half_hash(holder.client.id_token_alg, token).into());
    }
    claims
}

/// The claims of the userinfo endpoint (OIDC Core §5.3.2): those of the granted scopes, which stand in
/// the ID token too.
#[must_use]
pub fn userinfo(holder: Holder<'_>) -> Map<String, Value> {
    let mut claims = Map::new();
    if holder.grant.has(Scope::Profile) {
        profile(holder.user, &mut claims);
    }
    if holder.grant.has(Scope::Email) {
        put(&mut claims, "email", holder.user.email());
    }
    if holder.grant.has(Scope::User) {
        workspace_one(holder.user, holder.directory, &mut claims);
    }
    own_claims(holder.user, holder.client, &mut claims);
    // After the client's own: `email` may come from another attribute, which nobody proved.
    if let Some(email) = claims.get("email") {
        let proven = holder.user.email_verified && email.as_str() == holder.user.email();
        claims.insert("email_verified".to_owned(), proven.into());
    }
    session(holder, &mut claims);
    claims
}

/// The claims of a signed access token (RFC 9068 §2.2); `id` becomes `jti`.
#[must_use]
pub fn access_token(holder: Holder<'_>, issuer: &str, id: &str, now: Moment) -> Map<String, Value> {
    let mut claims = Map::new();
    session(holder, &mut claims);
    let mut set = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    set("iss", issuer.into());
    // What it opens is our userinfo; a client reads the ID token.
    set("aud", issuer.into());
    set("client_id", holder.client.id.0.as_str().into());
    set("scope", Scope::join(&holder.grant.scopes).into());
    set("jti", id.into());
    set("iat", now.secs().into());
    set("exp", now.plus(holder.client.tokens.access).secs().into());
    claims
}

/// The domain of a user: its own attribute, else that of its userName or email if the directory has it,
/// else the directory's default.
#[must_use]
pub fn domain(user: &User, directory: &Directory) -> Option<String> {
    let listed = |name: Option<&str>| {
        let (_, domain) = name?.rsplit_once('@')?;
        directory.has_domain(domain).then(|| fold(domain))
    };
    extension_text(user, "domain")
        .map(str::to_owned)
        .or_else(|| listed(user.user_name()))
        .or_else(|| listed(user.email()))
        .or_else(|| directory.default_domain.clone())
}

fn session(holder: Holder<'_>, claims: &mut Map<String, Value>) {
    put(claims, "sub", Some(holder.subject.as_str()));
    put(claims, "sid", Some(&holder.grant.sid));
    put(claims, "acr", holder.grant.acr.as_deref());
    claims.insert("auth_time".to_owned(), holder.grant.auth_time.secs().into());
    if !holder.grant.amr.is_empty() {
        claims.insert("amr".to_owned(), holder.grant.amr.clone().into());
    }
}

fn profile(user: &User, claims: &mut Map<String, Value>) {
    let given = present(user.text("name.givenName"));
    let family = present(user.text("name.familyName"));
    let parts: Vec<&str> = given.into_iter().chain(family).collect();
    let joined = parts.join(" ");
    put(claims, "name", present(user.text("displayName")).or(Some(&joined)));
    put(claims, "given_name", given);
    put(claims, "family_name", family);
    put(claims, "preferred_username", user.user_name());
}

fn workspace_one(user: &User, directory: &Directory, claims: &mut Map<String, Value>) {
    put(claims, "oid", user.text("externalId"));
    put(claims, "external_id", user.text("externalId"));
    put(claims, "upn", extension_text(user, "userPrincipalName"));
    put(claims, "user_name", user.user_name());
    put(claims, "domain", domain(user, directory).as_deref());
}

/// `[claims]` of the client's file: an attribute that the user doesn't have takes the claim away.
fn own_claims(user: &User, client: &Client, claims: &mut Map<String, Value>) {
    for (claim, attribute) in client.claims.iter().filter(|(claim, _)| !is_reserved(claim)) {
        match attribute_value(user, attribute) {
            Some(value) => claims.insert(claim.clone(), value),
            None => claims.remove(claim),
        };
    }
}

/// An attribute as a claim: lists that are lists by nature whole, of others the primary value.
fn attribute_value(user: &User, attribute: &str) -> Option<Value> {
    let stored = user.attributes.get(attribute).map_or_else(|| extension(user, attribute), Some)?;
    match stored {
        Value::Null | Value::Object(_) => None,
        Value::Bool(_) | Value::Number(_) => Some(stored.clone()),
        Value::String(text) => present(Some(text)).map(Value::from),
        Value::Array(items) if LISTS.contains(&attribute) || items.iter().all(|item| !item.is_object()) => {
            let values: Vec<Value> = items.iter().filter_map(list_item).collect();
            (!values.is_empty()).then_some(Value::Array(values))
        }
        Value::Array(_) => present(user.text(attribute)).map(Value::from),
    }
}

/// Of a group its name, of other items their value.
fn list_item(item: &Value) -> Option<Value> {
    let value = item.get("display").or_else(|| item.get("value")).unwrap_or(item);
    match value {
        Value::String(text) => present(Some(text)).map(Value::from),
        Value::Bool(_) | Value::Number(_) => Some(value.clone()),
        _ => None,
    }
}

/// An attribute under its URN, where `name` is short: `URN:name`, or `name` inside the object `URN`.
fn extension<'a>(user: &'a User, name: &str) -> Option<&'a Value> {
    let suffix = format!(":{name}");
    let by_urn = |(key, value): (&'a String, &'a Value)| {
        let is_urn = key.starts_with("urn:");
        if is_urn && key.ends_with(&suffix) { Some(value) } else { value.get(name).filter(|_| is_urn) }
    };
    user.attributes.iter().find_map(by_urn)
}

fn extension_text<'a>(user: &'a User, name: &str) -> Option<&'a str> {
    let full = format!("{WS1B_USER}:{name}");
    let inside = || user.attributes.get(WS1B_USER).and_then(|value| value.get(name)).and_then(Value::as_str);
    present(user.text(name).or_else(|| user.text(&full)).or_else(inside))
}

fn put(claims: &mut Map<String, Value>, name: &str, value: Option<&str>) {
    if let Some(text) = present(value) {
        claims.insert(name.to_owned(), text.into());
    }
}

fn present(value: Option<&str>) -> Option<&str> {
    value.filter(|text| !text.trim().is_empty())
}

#[cfg(test)]
mod tests;
