//! The plain flow, discovery, userinfo, scopes: C001–C014, C022–C025.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::assertion::encode;
use crate::support::client::{Client, Proof, Tokens, peek, userinfo};
use crate::support::http::Request;
use crate::support::server::ISSUER;
use crate::world::{World, person};

/// A client as the suite registers them: no PKCE, two of them.
fn suite() -> World {
    World::with(|setup| {
        setup.keys("clients/access.toml", "pkce = \"optional\"");
        setup.keys("clients/second.toml", "pkce = \"optional\"");
    })
}

#[test]
fn c001_the_plain_code_flow_works_for_two_clients_without_pkce() {
    let world = suite();
    let mut subjects = BTreeSet::new();
    for client in [Client::access(), Client::second()] {
        let ask = client.ask(&world.server).without("code_challenge").without("code_challenge_method");
        let code = ask.run(&mut world.browser()).code();
        let fields = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", &client.redirect_uri)];
        let answer = client.token(&world.server, &fields);
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("pragma"), Some("no-cache"));
        let tokens = Tokens::verified(&world.server, &client, Some(&ask), &answer);
        let said = userinfo(&world.server, &tokens.access).json();
        assert_eq!(said["sub"], tokens.sub());
        subjects.insert(tokens.sub().to_owned());
    }
    assert_eq!(subjects.len(), 1, "one person, one public subject");
}

#[test]
fn c002_the_secret_may_stand_in_the_body_and_discovery_lists_both() {
    let world = suite();
    let post = Client { proof: Proof::Post("access-secret".to_owned()), ..Client::access() };
    let tokens = post.sign_in(&world.server, &mut world.browser(), &post.ask(&world.server));
    world.assert_alive(&tokens.access);
    let methods = discovery(&world)["token_endpoint_auth_methods_supported"].clone();
    for method in ["client_secret_basic", "client_secret_post", "private_key_jwt"] {
        assert!(methods.as_array().is_some_and(|all| all.contains(&method.into())), "{method} in {methods}");
    }
}

fn discovery(world: &World) -> Value {
    let answer = world.server.get("/acs/.well-known/openid-configuration");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    answer.json()
}

fn list(document: &Value, name: &str) -> BTreeSet<String> {
    let items = document[name].as_array().unwrap_or_else(|| panic!("{name} is a list: {}", document[name]));
    items.iter().map(|item| item.as_str().expect("of texts").to_owned()).collect()
}

#[test]
fn c003_discovery_says_what_there_is() {
    let world = World::new();
    let document = discovery(&world);
    let tokens = world.sign_in(&mut world.browser());
    assert_eq!(document["issuer"], ISSUER);
    assert_eq!(document["issuer"], tokens.claims["iss"]);
    for name in ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "end_session_endpoint"] {
        let endpoint = document[name].as_str().unwrap_or_else(|| panic!("no {name}"));
        assert!(endpoint.starts_with("https://id.example.com/acs/"), "{name}: {endpoint}");
        let path = endpoint.trim_start_matches("https://id.example.com");
        assert_ne!(world.server.get(path).status, 404, "{name} is served");
    }
    assert_eq!(list(&document, "response_types_supported"), ["code".to_owned()].into());
    assert!(list(&document, "subject_types_supported").contains("public"));
    assert!(list(&document, "id_token_signing_alg_values_supported").contains("RS256"));
    assert!(list(&document, "scopes_supported").contains("openid"));
    let claims = list(&document, "claims_supported");
    let undeclared: Vec<&String> =
        tokens.claims.keys().filter(|claim| !claims.contains(*claim) && *claim != "jti").collect();
    assert!(undeclared.is_empty(), "claims that discovery doesn't name: {undeclared:?}");
}

#[test]
fn c005_a_request_without_response_type_is_invalid() {
    let world = World::new();
    let mut browser = world.browser();
    assert_eq!(world.ask().without("response_type").run(&mut browser).error(), "invalid_request");
    assert_eq!(world.sent_upstream(), 0);
    assert!(browser.cookies(&world.server.base).is_empty());
}

#[test]
fn c006_id_tokens_are_signed_by_rs256_with_a_key_of_the_jwks() {
    let world = World::with(|setup| {
        setup.keys("clients/second.toml", "id_token_alg = \"RS256\"");
    });
    for client in [Client::access(), Client::second()] {
        let tokens = client.sign_in(&world.server, &mut world.browser(), &client.ask(&world.server));
        let header = jsonwebtoken::decode_header(&tokens.id_token).expect("a JWT");
        assert_eq!(header.alg, jsonwebtoken::Algorithm::RS256);
        let keys = world.server.get("/acs/jwks").json();
        let kids: Vec<&Value> = keys["keys"].as_array().expect("keys").iter().map(|key| &key["kid"]).collect();
        assert!(kids.contains(&&Value::from(header.kid.expect("a kid"))), "{kids:?}");
        assert!(keys["keys"].as_array().expect("keys").iter().all(|key| key.get("d").is_none()), "public parts only");
    }
}

#[test]
fn c007_c010_neither_unsigned_tokens_nor_signed_userinfo_are_advertised() {
    let document = discovery(&World::new());
    assert!(!list(&document, "id_token_signing_alg_values_supported").contains("none"));
    for absent in ["userinfo_signing_alg_values_supported", "check_session_iframe", "registration_endpoint"] {
        assert!(document.get(absent).is_none(), "{absent}");
    }
}

#[test]
fn c008_userinfo_takes_the_token_in_the_header_by_get_and_post() {
    let world = World::new();
    let tokens = world.sign_in(&mut world.browser());
    for method in ["GET", "POST"] {
        let request = Request::new(method, &world.server.url("/acs/userinfo"))
            .header("Authorization", &format!("Bearer {}", tokens.access));
        let answer = world.server.send(&request);
        assert_eq!(answer.status, 200, "{method}: {}", answer.text());
        assert_eq!(answer.json()["sub"], tokens.sub());
    }
}

#[test]
fn c009_userinfo_takes_the_token_in_the_body() {
    let world = World::new();
    let tokens = world.sign_in(&mut world.browser());
    let request = Request::form(&world.server.url("/acs/userinfo"), &[("access_token", &tokens.access)]);
    assert_eq!(world.server.send(&request).json()["sub"], tokens.sub());
}

#[test]
fn c011_without_a_nonce_there_is_a_code_and_no_nonce_claim() {
    let world = World::new();
    let client = Client::access();
    let tokens = client.sign_in(&world.server, &mut world.browser(), &world.ask().without("nonce"));
    assert!(!tokens.claims.contains_key("nonce"));
}

#[test]
fn c012_each_scope_is_accepted_and_its_claims_are_in_userinfo() {
    let world = World::new();
    let client = Client::access();
    let claims = |scope: &str| {
        let ask = world.ask().with("scope", scope);
        let tokens = client.sign_in(&world.server, &mut world.browser(), &ask);
        (userinfo(&world.server, &tokens.access).json(), tokens)
    };
    let (said, _) = claims("openid profile");
    assert_eq!((&said["name"], &said["given_name"]), (&"alice Adams".into(), &"alice".into()));
    assert!(said.get("email").is_none(), "not asked for: {said}");
    let (said, _) = claims("openid email");
    assert_eq!((&said["email"], &said["email_verified"]), (&"alice@contoso.com".into(), &true.into()));
    assert!(said.get("name").is_none(), "not asked for: {said}");
    for scope in ["openid address", "openid phone"] {
        let (said, tokens) = claims(scope);
        assert_eq!(tokens.scope, "openid", "what isn't listed is left out, and said so");
        assert_eq!(said.as_object().map(|all| all.contains_key("email")), Some(false), "{said}");
    }
    let (said, tokens) = claims("openid profile email address phone user");
    for (name, value) in said.as_object().expect("claims") {
        assert_eq!(Some(value), tokens.claims.get(name), "{name} stands in the ID token too");
    }
}

#[test]
fn c013_the_order_of_scopes_and_parameters_does_not_matter() {
    let world = World::new();
    let client = Client::access();
    let mut browser = world.browser();
    let plain = client.sign_in(&world.server, &mut browser, &world.ask());
    let mut turned = world.ask().with("scope", "email profile openid");
    turned.params.reverse();
    let other = client.sign_in(&world.server, &mut browser, &turned);
    assert_eq!((plain.sub(), &plain.scope), (other.sub(), &other.scope));
    let names = |tokens: &Tokens| tokens.claims.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(&plain), names(&other));
}

/// Parameters that must not hinder a login.
#[track_caller]
fn succeeds(params: &[(&str, &str)]) {
    let world = World::new();
    for (name, value) in params {
        let tokens = Client::access().sign_in(&world.server, &mut world.browser(), &world.ask().with(name, value));
        assert_eq!(world.user_ids("alice"), [tokens.sub().to_owned()], "{name}={value}");
    }
}

#[test]
fn c014_display_values_do_no_harm() {
    succeeds(&[("display", "page"), ("display", "popup"), ("display", "wap")]);
}

#[test]
fn c020_an_unknown_parameter_is_ignored() {
    succeeds(&[("extra", "foobar")]);
}

#[test]
fn c023_unsupported_languages_do_no_harm() {
    succeeds(&[("ui_locales", "se"), ("ui_locales", "se de xx-yy"), ("claims_locales", "se")]);
}

#[test]
fn c024_acr_values_do_no_harm() {
    succeeds(&[("acr_values", "1 2"), ("acr_values", "urn:made:up")]);
}

#[test]
fn c025_an_essential_claim_does_no_harm() {
    succeeds(&[
        ("claims", r#"{"userinfo":{"name":{"essential":true}}}"#),
        ("claims", r#"{"id_token":{"phone":null}}"#),
    ]);
}

#[test]
fn c022_a_login_hint_does_no_harm_and_reaches_the_provider() {
    let world = World::new();
    world.idp.set(|script| script.person = person("bob"));
    Client::access().sign_in(&world.server, &mut world.browser(), &world.ask().hint("bob@contoso.com"));
    let asked = world.idp.last("/authorize").expect("sent there").params();
    assert_eq!(asked.get("login_hint").map(String::as_str), Some("bob@contoso.com"));
}

#[test]
fn c081_the_word_bearer_is_read_in_any_case() {
    let world = World::new();
    let tokens = world.sign_in(&mut world.browser());
    for word in ["bearer", "BEARER", "Bearer"] {
        let request = Request::get(&world.server.url("/acs/userinfo"))
            .header("Authorization", &format!("{word} {}", tokens.access));
        assert_eq!(world.server.send(&request).status, 200, "{word}");
    }
}

#[test]
fn an_id_token_that_was_made_unsigned_is_no_access_token() {
    let world = World::new();
    let tokens = world.sign_in(&mut world.browser());
    let unsigned = format!("{}.{}.", encode(&serde_json::json!({"alg": "none"})), encode(&peek(&tokens.id_token)));
    world.assert_dead(&unsigned);
    world.assert_dead(&tokens.id_token);
    world.assert_alive(&tokens.access);
}
