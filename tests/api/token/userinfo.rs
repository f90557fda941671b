//! Userinfo and revocation.

use crate::support::client::{Client, Proof, Tokens, userinfo};
use crate::support::http::{Request, raw};
use crate::world::{ALICE, World};

#[test]
fn c008_userinfo_answers_get_post_and_any_case_of_bearer() {
    let world = World::new();
    let tokens = world.sign_in(&mut world.server.browser());
    let url = world.server.url("/acs/userinfo");
    for request in [
        Request::get(&url).header("Authorization", &format!("Bearer {}", tokens.access)),
        Request::get(&url).header("Authorization", &format!("bearer {}", tokens.access)),
        Request::form::<&str, &str>(&url, &[]).header("Authorization", &format!("Bearer {}", tokens.access)),
        Request::form(&url, &[("access_token", tokens.access.as_str())]),
    ] {
        let answer = world.server.send(&request);
        assert_eq!(answer.status, 200, "{} {}", request.method, answer.text());
        assert_eq!(answer.json()["sub"], tokens.sub());
        assert!(answer.header("cache-control").is_some_and(|v| v.contains("no-store")));
    }
}

#[test]
fn a110_only_an_access_token_of_ours_opens_userinfo() {
    let world = World::new();
    let client = Client::access();
    let tokens = world.sign_in_for_long(&client, &mut world.server.browser());
    let (_, code) = world.fresh_code(&client);
    let elsewhere = World::new();
    let foreign = elsewhere.sign_in(&mut elsewhere.server.browser());
    let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", tokens.id_token.split('.').nth(1).expect("claims"));
    for token in [&tokens.id_token, tokens.refresh(), &code, &unsigned, &foreign.access, "x", ""] {
        let answer = userinfo(&world.server, token);
        assert_eq!(answer.status, 401, "{}", answer.text());
        let challenge = answer.header("www-authenticate").expect("RFC 6750 §3");
        assert!(challenge.starts_with("Bearer"), "{challenge}");
    }
    let none = world.server.get("/acs/userinfo");
    assert_eq!(none.status, 401);
    assert!(none.header("www-authenticate").is_some_and(|v| v.starts_with("Bearer") && !v.contains("error=")));
}

#[test]
fn a110_a_jwt_access_token_of_another_installation_or_unsigned_is_refused() {
    let jwt = || {
        World::with(|setup, _| {
            setup.keys("clients/access.toml", "access_token = \"jwt\"");
        })
    };
    let (world, elsewhere) = (jwt(), jwt());
    let own = world.sign_in(&mut world.server.browser());
    assert_eq!(jsonwebtoken::decode_header(&own.access).expect("a JWT").typ.as_deref(), Some("at+jwt"));
    assert_eq!(userinfo(&world.server, &own.access).status, 200);
    let foreign = elsewhere.sign_in(&mut elsewhere.server.browser());
    let payload = own.access.split('.').nth(1).expect("claims");
    let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{payload}.");
    let mut flipped = own.access.clone().into_bytes();
    let at = flipped.len() - 20;
    flipped[at] = if flipped[at] == b'A' { b'B' } else { b'A' };
    let flipped = String::from_utf8(flipped).expect("ASCII");
    for token in [&foreign.access, &own.id_token, &unsigned, &flipped] {
        assert_eq!(userinfo(&world.server, token).status, 401);
    }
}

#[test]
fn a111_a_token_in_the_query_or_in_two_places_is_not_evaluated() {
    let world = World::new();
    let tokens = world.sign_in(&mut world.server.browser());
    let url = world.server.url(&format!("/acs/userinfo?access_token={}", tokens.access));
    assert_eq!(world.server.send(&Request::get(&url)).status, 400);
    let both = Request::form(&world.server.url("/acs/userinfo"), &[("access_token", tokens.access.as_str())])
        .header("Authorization", &format!("Bearer {}", tokens.access));
    assert_eq!(world.server.send(&both).status, 400);
}

#[test]
fn a112_a_token_of_somebody_switched_off_is_dead_at_once() {
    for kind in ["opaque", "jwt"] {
        let world = World::with(|setup, _| {
            setup.keys("clients/access.toml", &format!("access_token = \"{kind}\""));
        });
        let tokens = world.sign_in(&mut world.server.browser());
        assert_eq!(userinfo(&world.server, &tokens.access).status, 200);
        world.server.deactivate(tokens.sub());
        assert_eq!(userinfo(&world.server, &tokens.access).status, 401, "{kind}");
    }
}

#[test]
fn a113_another_clients_revocation_changes_nothing() {
    let world = World::new();
    let client = Client::access();
    let tokens = world.sign_in_for_long(&client, &mut world.server.browser());
    for token in [tokens.access.as_str(), tokens.refresh(), "made-up"] {
        assert_eq!(Client::second().revoke(&world.server, token).status, 200);
    }
    assert_eq!(userinfo(&world.server, &tokens.access).status, 200);
    assert_eq!(client.refresh(&world.server, tokens.refresh()).status, 200);
}

#[test]
fn a109_revocation_wants_the_clients_proof() {
    let world = World::new();
    let tokens = world.sign_in(&mut world.server.browser());
    for proof in [Proof::Basic("wrong".to_owned()), Proof::Public] {
        let answer = Client::new("access", proof, "").revoke(&world.server, &tokens.access);
        assert_eq!((answer.status, answer.error().as_str()), (401, "invalid_client"));
    }
    assert_eq!(userinfo(&world.server, &tokens.access).status, 200);
    let spa = Client::spa();
    let own = spa.sign_in(&world.server, &mut world.server.browser(), &spa.ask(&world.server));
    for token in [&own.access, &tokens.access] {
        let answer = spa.revoke(&world.server, token);
        assert_eq!((answer.status, answer.error().as_str()), (401, "invalid_client"), "a public client");
        assert_eq!(userinfo(&world.server, token).status, 200);
    }
}

#[test]
fn a114_revoking_a_refresh_token_ends_its_family() {
    let world = World::new();
    let client = Client::access();
    let first = world.sign_in_for_long(&client, &mut world.server.browser());
    let second = client.refresh(&world.server, first.refresh());
    let second = Tokens::verified(&world.server, &client, None, &second);
    assert_eq!(client.revoke(&world.server, second.refresh()).status, 200);
    assert_eq!(client.refresh(&world.server, second.refresh()).error(), "invalid_grant");
    assert_eq!(userinfo(&world.server, &second.access).status, 401);
}

#[test]
fn a114_revoking_an_access_token_ends_it() {
    let world = World::new();
    let tokens = world.sign_in(&mut world.server.browser());
    assert_eq!(Client::access().revoke(&world.server, &tokens.access).status, 200);
    assert_eq!(userinfo(&world.server, &tokens.access).status, 401);
}

#[test]
fn a115_a_challenge_never_echoes_what_came_in() {
    let world = World::new();
    let host = world.server.base.trim_start_matches("https://");
    let get = |authorization: &str| {
        let text = format!(
            "GET /acs/userinfo HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAuthorization: {authorization}\r\n\r\n"
        );
        raw(world.server.address, text.as_bytes()).expect("an answer")
    };
    let answer = get("Bearer x\"EchoedCanary, error=\"none");
    assert_eq!(answer.status, 401);
    let answer_text = format!("{:?} {}", answer.headers, answer.text());
    assert!(!answer_text.contains("EchoedCanary"), "{answer_text}");
    let split = get("Bearer x\"\r\nSet-Cookie: planted=1");
    assert!(split.header("set-cookie").is_none());
    assert_eq!(split.status, 401);
}

#[test]
fn c012_userinfo_gives_what_the_scope_allows_and_no_more() {
    let world = World::new();
    let client = Client::access();
    let ask = client.ask(&world.server).with("scope", "openid");
    let tokens = client.sign_in(&world.server, &mut world.server.browser(), &ask);
    let info = userinfo(&world.server, &tokens.access).json();
    let names: Vec<&String> = info.as_object().expect("an object").keys().collect();
    assert!(!info.to_string().contains(ALICE.email) && info["sub"] == tokens.sub(), "{names:?}");
}

#[test]
fn a105_a_token_narrowed_to_less_than_openid_opens_no_userinfo() {
    for kind in ["opaque", "jwt"] {
        let world = World::with(|setup, _| {
            setup.keys("clients/access.toml", &format!("access_token = \"{kind}\""));
        });
        let client = Client::access();
        let first = world.sign_in_for_long(&client, &mut world.server.browser());
        let fields = [("grant_type", "refresh_token"), ("refresh_token", first.refresh()), ("scope", "email")];
        let narrow = client.token(&world.server, &fields).json();
        assert_eq!((narrow["scope"].as_str(), narrow.get("id_token")), (Some("email"), None), "OIDC Core §12.2");
        let answer = userinfo(&world.server, narrow["access_token"].as_str().expect("a token"));
        assert_eq!((answer.status, answer.error().as_str()), (403, "insufficient_scope"), "{}", answer.text());
        let challenge = answer.header("www-authenticate").expect("RFC 6750 §3");
        assert!(challenge.contains("error=\"insufficient_scope\""), "{challenge}");
        assert!(!answer.text().contains(first.sub()), "{kind}");
    }
}
