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
        let holder = Holder { subject: &subject, grant: &grant, user: &user, client: &client, directory: &directory };
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
