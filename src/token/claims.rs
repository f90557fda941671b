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
mod tests {
    use serde_json::json;

    use super::super::samples::{NOW, alice, client, directory, grant, user};
    use super::*;
    use crate::oidc::client::{SigningAlgorithm, SubjectType};

    const ISSUER: &str = "https://id.example.com/acs";

    /// Claims of `user` for `client` with these scopes.
    fn claims_of(user: &User, client: &Client, scopes: &[Scope]) -> Map<String, Value> {
        let subject = Subject::of(&user.id, client, b"0123456789abcdef");
        let (grant, directory) = (grant(scopes), directory());
        userinfo(Holder { subject: &subject, grant: &grant, user, client, directory: &directory })
    }

    fn names(claims: &Map<String, Value>) -> Vec<&str> {
        claims.keys().map(String::as_str).collect()
    }

    #[test]
    fn every_scope_gives_the_claims_of_the_interface_and_no_others() {
        for (name, scopes) in [
            ("userinfo_openid", &[Scope::Openid][..]),
            ("userinfo_profile", &[Scope::Openid, Scope::Profile]),
            ("userinfo_email", &[Scope::Openid, Scope::Email]),
            ("userinfo_user", &[Scope::Openid, Scope::User]),
            ("userinfo_all", &Scope::ALL),
        ] {
            insta::assert_json_snapshot!(name, claims_of(&alice(), &client(), scopes));
        }
    }

    #[test]
    fn an_id_token_has_the_claims_of_its_scopes_too() {
        let (user, directory) = (alice(), directory());
        for algorithm in SigningAlgorithm::ALL {
            let client = Client { id_token_alg: algorithm, ..client() };
            let subject = Subject::of(&user.id, &client, b"");
            let grant = grant(&Scope::ALL);
            let holder =
                Holder { subject: &subject, grant: &grant, user: &user, client: &client, directory: &directory };
            let claims = id_token(holder, ISSUER, Some("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"), NOW);
            insta::assert_json_snapshot!(format!("id_token_{}", algorithm.as_str()), claims);
            for (name, value) in userinfo(holder) {
                assert_eq!(claims.get(&name), Some(&value), "{name}");
            }
            insta::assert_json_snapshot!("access_token", access_token(holder, ISSUER, "id-1", NOW));
        }
    }

    #[test]
    fn a_nonce_stands_in_an_id_token_only_if_one_was_asked_for() {
        let (user, client, directory) = (alice(), client(), directory());
        let subject = Subject::of(&user.id, &client, b"");
        let later = grant(&[Scope::Openid]).without_nonce();
        let holder = Holder { subject: &subject, grant: &later, user: &user, client: &client, directory: &directory };
        let claims = id_token(holder, ISSUER, None, NOW);
        assert!(!claims.contains_key("nonce") && !claims.contains_key("at_hash"), "{:?}", names(&claims));
    }

    #[test]
    fn absent_and_blank_values_have_no_claim() {
        let bare = user(&json!({ "userName": "", "displayName": "  ", "emails": [], "externalId": null }));
        let nowhere = Directory { default_domain: None, ..directory() };
        let client = client();
        let subject = Subject::of(&bare.id, &client, b"");
        let grant = Grant { acr: None, amr: Vec::new(), ..grant(&Scope::ALL) };
        let holder = Holder { subject: &subject, grant: &grant, user: &bare, client: &client, directory: &nowhere };
        assert_eq!(names(&userinfo(holder)), ["auth_time", "sid", "sub"]);
    }

    #[test]
    fn a_name_falls_back_on_its_parts() {
        for (attributes, expected) in [
            (json!({ "displayName": "D", "name.givenName": "G" }), Some("D")),
            (json!({ "name.givenName": "G", "name.familyName": "F" }), Some("G F")),
            (json!({ "displayName": " ", "name.familyName": "F" }), Some("F")),
            (json!({}), None),
        ] {
            let claims = claims_of(&user(&attributes), &client(), &[Scope::Profile]);
            assert_eq!(claims.get("name").and_then(Value::as_str), expected, "{attributes}");
        }
    }

    #[test]
    fn an_email_is_verified_only_if_it_is_the_proven_one() {
        let verified = |user: &User, client: &Client| {
            claims_of(user, client, &[Scope::Email]).get("email_verified").and_then(Value::as_bool)
        };
        let proven = User { email_verified: true, ..alice() };
        assert_eq!(verified(&alice(), &client()), Some(false));
        assert_eq!(verified(&proven, &client()), Some(true));
        let mut mapped = client();
        mapped.claims.insert("email".to_owned(), "userName".to_owned());
        assert_eq!(verified(&proven, &mapped), Some(false), "nobody proved the other attribute");
        mapped.claims.insert("email_verified".to_owned(), "department".to_owned());
        assert_eq!(verified(&proven, &mapped), Some(false), "and no attribute says so");
        assert_eq!(verified(&User { email_verified: true, ..user(&json!({})) }, &client()), None);
    }

    #[test]
    fn a_domain_is_the_users_own_or_a_listed_one_or_the_default() {
        for (attributes, expected) in [
            (json!({ "domain": "own.test", "userName": "a@contoso.co.uk" }), "own.test"),
            (json!({ "userName": "a@CONTOSO.co.uk" }), "contoso.co.uk"),
            (json!({ "userName": "a@other.test", "emails": [{ "value": "a@contoso.co.uk" }] }), "contoso.co.uk"),
            (json!({ "userName": "a@other.test", "emails": [{ "value": "a@other.test" }] }), "contoso.com"),
            (json!({ "userName": "a" }), "contoso.com"),
        ] {
            assert_eq!(domain(&user(&attributes), &directory()).as_deref(), Some(expected), "{attributes}");
        }
        let urn = "urn:ietf:params:scim:schemas:extension:ws1b:2.0:User";
        for attributes in [json!({ urn: { "domain": "own.test" } }), json!({ format!("{urn}:domain"): "own.test" })] {
            assert_eq!(domain(&user(&attributes), &directory()).as_deref(), Some("own.test"), "{attributes}");
        }
    }

    #[test]
    fn a_clients_own_claims_come_from_any_attribute() {
        let mut client = client();
        for (claim, attribute) in [
            ("dept", "department"),
            ("groups", "groups"),
            ("emails", "emails"),
            ("cost", "costCenter"),
            ("badge", "customAttribute1"),
            ("vip", "vip"),
            ("absent", "title"),
            ("upn", "title"),
        ] {
            client.claims.insert(claim.to_owned(), attribute.to_owned());
        }
        let mut user = alice();
        let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        for (name, value) in [
            ("groups", json!([{ "value": "g1", "display": "Staff" }, { "value": "g2" }, { "value": "" }])),
            (enterprise, json!({ "costCenter": "4711" })),
            ("urn:ietf:params:scim:schemas:extension:ws1b:2.0:User:customAttribute1", json!("B-7")),
            ("vip", json!(true)),
        ] {
            user.attributes.insert(name.to_owned(), value);
        }
        let claims = claims_of(&user, &client, &[Scope::Openid, Scope::User]);
        let claim = |name: &str| claims.get(name).cloned();
        assert_eq!(claim("dept"), Some(json!("Research")));
        assert_eq!(claim("groups"), Some(json!(["Staff", "g2"])));
        assert_eq!(claim("emails"), Some(json!("alice.angstrom@contoso.com")), "the primary one");
        assert_eq!(claim("cost"), Some(json!("4711")));
        assert_eq!(claim("badge"), Some(json!("B-7")));
        assert_eq!(claim("vip"), Some(json!(true)));
        assert_eq!(claim("absent"), None);
        assert_eq!(claim("upn"), None, "what the client mapped elsewhere is not filled otherwise");
        let unmapped = claims_of(&user, &super::super::samples::client(), &Scope::ALL);
        assert!(!unmapped.contains_key("groups"), "groups only by [claims]");
    }

    #[test]
    fn no_client_can_set_a_claim_of_the_protocol() {
        let mut forging = client();
        for reserved in RESERVED {
            forging.claims.insert(reserved.to_owned(), "department".to_owned());
        }
        let (user, directory) = (alice(), directory());
        let subject = Subject::of(&user.id, &forging, b"");
        let grant = grant(&Scope::ALL);
        let honest = client();
        let holder = |client| Holder { subject: &subject, grant: &grant, user: &user, client, directory: &directory };
        let of = |client| id_token(holder(client), ISSUER, Some("t"), NOW);
        assert_eq!(of(&forging), of(&honest));
    }

    #[test]
    fn a107_claims_are_those_of_the_directory_now() {
        let (mut user, client) = (alice(), client());
        user.attributes.insert("displayName".to_owned(), json!("Alice Berg"));
        let claims = claims_of(&user, &client, &[Scope::Profile]);
        assert_eq!(claims.get("name"), Some(&json!("Alice Berg")));
        user.attributes.remove("displayName");
        user.attributes.remove("name.familyName");
        let claims = claims_of(&user, &client, &[Scope::Profile]);
        assert_eq!(claims.get("name"), Some(&json!("Alice")));
        assert!(!claims.contains_key("family_name"));
    }

    #[test]
    fn pairwise_clients_see_subjects_of_their_own_sector() {
        let pairwise = |uris: &[&str]| Client {
            subject_type: SubjectType::Pairwise,
            redirect_uris: uris.iter().map(|uri| (*uri).to_owned()).collect(),
            ..client()
        };
        let user = alice().id;
        let subject = |client: &Client, salt: &[u8]| Subject::of(&user, client, salt).as_str().to_owned();
        let salt = b"0123456789abcdef";
        let one = pairwise(&["https://one.test/a"]);
        assert_eq!(subject(&client(), salt), user.0, "public: the user's own id");
        assert_ne!(subject(&one, salt), user.0);
        assert_eq!(subject(&one, salt), subject(&pairwise(&["https://one.test/b"]), salt));
        assert_ne!(subject(&one, salt), subject(&pairwise(&["https://two.test/a"]), salt));
        assert_ne!(subject(&one, salt), subject(&one, b"another salt 123"));
        let both = pairwise(&["https://one.test/a", "https://two.test/a"]);
        assert_ne!(subject(&both, salt), subject(&one, salt), "two hosts: a sector of its own");
    }
}
