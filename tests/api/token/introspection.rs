//! Introspection: what a token is worth now, told to its own client and to nobody else.

use serde_json::{Value, json};
use vestibule::base::Span;

use crate::support::client::{Client, Proof, Tokens, basic, peek};
use crate::support::http::{Request, Response};
use crate::support::redis::RedisServer as Redis;
use crate::support::server::{block_on, wait_until};
use crate::world::World;

fn of_kind(kind: &str) -> World {
    World::with(|setup, _| {
        setup.keys("clients/access.toml", &format!("access_token = \"{kind}\""));
        setup.keys("clients/second.toml", &format!("access_token = \"{kind}\""));
    })
}

#[track_caller]
fn active(world: &World, token: &str) -> Value {
    let answer = Client::access().introspect(&world.server, token);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.header("cache-control").is_some_and(|v| v.contains("no-store")), "RFC 7662 §4");
    let json = answer.json();
    assert_eq!(json["active"], true, "{json}");
    json
}

#[track_caller]
fn inactive(answer: &Response) {
    assert_eq!((answer.status, answer.text().as_str()), (200, "{\"active\":false}"));
}

fn names(answer: &Value) -> Vec<&str> {
    answer.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[test]
fn an_access_token_is_told_with_whose_and_what_it_is() {
    for kind in ["opaque", "jwt"] {
        let world = of_kind(kind);
        let tokens = world.sign_in(&mut world.server.browser());
        let now = world.now().secs();
        world.advance(Span::minutes(2));
        let told = active(&world, &tokens.access);
        assert_eq!(told["client_id"], "access");
        assert_eq!(told["sub"], tokens.sub());
        assert_eq!(told["sid"], tokens.claims["sid"]);
        assert_eq!(told["scope"], tokens.scope);
        assert_eq!(told["token_type"], "Bearer");
        assert_eq!(
            (told["iss"].as_str(), told["aud"].as_str()),
            (Some(&*world.server.issuer), Some(&*world.server.issuer))
        );
        assert!((told["iat"].as_i64().expect("iat") - now).abs() <= 1, "{told}");
        assert!((told["exp"].as_i64().expect("exp") - now - 600).abs() <= 1, "{told}");
        let mut expected = vec!["active", "aud", "client_id", "exp", "iat", "iss", "scope", "sid", "sub", "token_type"];
        if kind == "jwt" {
            let claims = peek(&tokens.access);
            for name in ["iss", "aud", "sub", "sid", "client_id", "scope", "jti", "iat", "exp"] {
                assert_eq!(told[name], claims[name], "{name}");
            }
            expected.push("jti");
            expected.sort_unstable();
        }
        let mut said = names(&told);
        said.sort_unstable();
        assert_eq!(said, expected, "{kind}");
        world.advance(Span::minutes(9));
        inactive(&Client::access().introspect(&world.server, &tokens.access));
    }
}

#[test]
fn a_refresh_token_is_told_apart_from_an_access_token() {
    let world = World::new();
    let client = Client::access();
    let first = world.sign_in_for_long(&client, &mut world.server.browser());
    let told = active(&world, first.refresh());
    assert_eq!((told["sub"].as_str(), told["scope"].as_str()), (Some(first.sub()), Some(&*first.scope)));
    assert_eq!(told["sid"], first.claims["sid"]);
    assert_eq!(told.get("token_type"), None, "nobody shall take it for an access token");
    let four_days = world.now().plus(Span::days(4)).secs();
    assert!((told["exp"].as_i64().expect("exp") - four_days).abs() <= 1, "until it is idle for too long: {told}");
    let second = client.refresh(&world.server, first.refresh());
    let second = Tokens::verified(&world.server, &client, None, &second);
    inactive(&client.introspect(&world.server, first.refresh()));
    active(&world, second.refresh());
    assert_eq!(client.refresh(&world.server, second.refresh()).status, 200, "asking about the old one was no reuse");
}

#[test]
fn a_hint_about_the_kind_is_only_a_hint() {
    let world = World::new();
    let client = Client::access();
    let tokens = world.sign_in_for_long(&client, &mut world.server.browser());
    for token in [tokens.access.as_str(), tokens.refresh()] {
        for hint in ["access_token", "refresh_token", "made_up", ""] {
            let fields = [("token", token), ("token_type_hint", hint)];
            let answer = world.server.send(&client.request(&world.server, "/acs/introspect", &fields));
            assert_eq!(answer.json()["active"], true, "{hint}");
        }
    }
}

#[test]
fn a108_another_clients_token_is_answered_like_none_at_all() {
    for kind in ["opaque", "jwt"] {
        let world = of_kind(kind);
        let tokens = world.sign_in_for_long(&Client::access(), &mut world.server.browser());
        for token in [tokens.access.as_str(), tokens.refresh(), &tokens.id_token, "made-up", "a.b.c"] {
            inactive(&Client::second().introspect(&world.server, token));
        }
        active(&world, &tokens.access);
    }
}

#[test]
fn a109_only_a_client_that_proves_itself_is_answered() {
    let world = World::new();
    let spa = Client::spa();
    let ask = spa.ask(&world.server).with("scope", "openid");
    let own = spa.sign_in(&world.server, &mut world.server.browser(), &ask);
    let tokens = world.sign_in(&mut world.server.browser());
    let nobody = Request::form(&world.server.url("/acs/introspect"), &[("token", tokens.access.as_str())]);
    let wrong = Client::new("access", Proof::Basic("wrong".to_owned()), "");
    let unproven = Client::new("access", Proof::Public, "");
    for answer in [
        world.server.send(&nobody),
        wrong.introspect(&world.server, &tokens.access),
        unproven.introspect(&world.server, &tokens.access),
        spa.introspect(&world.server, &own.access),
    ] {
        assert_eq!((answer.status, answer.error().as_str()), (401, "invalid_client"), "{}", answer.text());
    }
    let bearer = nobody.header("Authorization", &format!("Bearer {}", tokens.access));
    assert_eq!(world.server.send(&bearer).status, 401, "a token is no proof of a client");
}

#[test]
fn a110_what_is_no_token_of_ours_is_inactive() {
    let (world, elsewhere) = (of_kind("jwt"), of_kind("jwt"));
    let client = Client::access();
    let own = world.sign_in(&mut world.server.browser());
    let foreign = elsewhere.sign_in(&mut elsewhere.server.browser());
    let (_, code) = world.fresh_code(&client);
    let claims = own.access.split('.').nth(1).expect("claims");
    let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{claims}.");
    let long = "x".repeat(10_000);
    for token in [&own.id_token, &foreign.access, &code, &unsigned, "x", "..", &long, "token with blanks", "ü"] {
        inactive(&client.introspect(&world.server, token));
    }
    active(&world, &own.access);
}

#[test]
fn a112_a_token_of_somebody_switched_off_is_inactive_at_once() {
    for kind in ["opaque", "jwt"] {
        let world = of_kind(kind);
        let client = Client::access();
        let tokens = world.sign_in_for_long(&client, &mut world.server.browser());
        active(&world, &tokens.access);
        active(&world, tokens.refresh());
        world.server.deactivate(tokens.sub());
        inactive(&client.introspect(&world.server, &tokens.access));
        inactive(&client.introspect(&world.server, tokens.refresh()));
    }
}

#[test]
fn a106_after_a_sign_out_only_what_is_for_offline_use_is_active() {
    for kind in ["opaque", "jwt"] {
        let world = of_kind(kind);
        let client = Client::access();
        let mut browser = world.server.browser();
        let bound = world.sign_in(&mut browser);
        let offline = world.sign_in_for_long(&client, &mut browser);
        assert_eq!(bound.claims["sid"], offline.claims["sid"], "one session");
        active(&world, &bound.access);
        browser.open(&world.server.url(&format!("/acs/openid/logout?id_token_hint={}", bound.id_token)));
        assert!(!world.is_signed_in(&browser));
        inactive(&client.introspect(&world.server, &bound.access));
        active(&world, &offline.access);
        active(&world, offline.refresh());
    }
}

#[test]
fn a114_what_was_revoked_is_inactive() {
    for kind in ["opaque", "jwt"] {
        let world = of_kind(kind);
        let client = Client::access();
        let tokens = world.sign_in(&mut world.server.browser());
        let long = world.sign_in_for_long(&client, &mut world.server.browser());
        assert_eq!(client.revoke(&world.server, &tokens.access).status, 200);
        inactive(&client.introspect(&world.server, &tokens.access));
        assert_eq!(client.revoke(&world.server, long.refresh()).status, 200);
        inactive(&client.introspect(&world.server, &long.access));
        inactive(&client.introspect(&world.server, long.refresh()));
    }
}

#[test]
fn a104_a_provider_taken_from_the_client_ends_its_tokens_here_too() {
    let world = World::new();
    let client = Client::access();
    let tokens = world.sign_in_for_long(&client, &mut world.server.browser());
    active(&world, &tokens.access);
    let is = |token: &str| client.introspect(&world.server, token).json()["active"] == json!(true);
    world.server.reconfigure("idps/contoso.toml", "kind = ", "enabled = false\nkind = ", || !is(&tokens.access));
    inactive(&client.introspect(&world.server, tokens.refresh()));
}

#[test]
fn a_client_of_pairwise_subjects_hears_its_own() {
    for kind in ["opaque", "jwt"] {
        let world = World::with(|setup, _| {
            let lines = format!("subject_type = \"pairwise\"\naccess_token = \"{kind}\"");
            setup.keys("clients/access.toml", &lines);
        });
        let tokens = world.sign_in_for_long(&Client::access(), &mut world.server.browser());
        assert_ne!(Some(tokens.sub()), world.user_id("alice-at-idp").as_deref());
        for token in [tokens.access.as_str(), tokens.refresh()] {
            assert_eq!(active(&world, token)["sub"], tokens.sub(), "{kind}");
        }
    }
}

#[test]
fn a101_an_introspected_access_token_counts_as_used() {
    let world = World::new();
    let client = Client::access();
    let first = world.sign_in_for_long(&client, &mut world.server.browser());
    let second = Tokens::verified(&world.server, &client, None, &client.refresh(&world.server, first.refresh()));
    inactive(&Client::second().introspect(&world.server, &second.access));
    let third = Tokens::verified(&world.server, &client, None, &client.refresh(&world.server, first.refresh()));
    inactive(&client.introspect(&world.server, &second.access));
    active(&world, &third.access);
    let late = client.refresh(&world.server, first.refresh());
    assert_eq!(late.error(), "invalid_grant", "the answer had arrived, so this is reuse");
    inactive(&client.introspect(&world.server, &third.access));
    inactive(&client.introspect(&world.server, third.refresh()));
}

#[test]
fn a094_a_request_that_can_be_read_in_two_ways_is_not_read() {
    let world = World::new();
    let tokens = world.sign_in(&mut world.server.browser());
    let url = world.server.url("/acs/introspect");
    let header = basic("access", "access-secret");
    let post =
        |fields: &[(&str, &str)]| world.server.send(&Request::form(&url, fields).header("Authorization", &header));
    let token = ("token", tokens.access.as_str());
    for fields in [&[token, ("token", "x")][..], &[token, token], &[token, ("a", "1"), ("a", "1")], &[]] {
        let answer = post(fields);
        assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_request"), "{fields:?}");
    }
    let in_query = format!("{url}?token={}", tokens.access);
    let answer = world.server.send(&Request::form::<&str, &str>(&in_query, &[]).header("Authorization", &header));
    assert_eq!(answer.status, 400, "nothing is taken from the query");
    assert_eq!(world.server.send(&Request::get(&in_query).header("Authorization", &header)).status, 405);
    assert_eq!(post(&[token]).json()["active"], true);
}

#[test]
fn g05_while_the_database_is_away_no_token_is_called_inactive() {
    let world = World::with(|setup, _| {
        setup.keys("clients/access.toml", "rule_sets = [\"TENANT_ADMIN\"]");
        let grants = "\"refresh_token\"]";
        setup.edit("clients/access.toml", grants, "\"refresh_token\", \"client_credentials\"]");
    });
    let client = Client::access();
    let tokens = world.sign_in_for_long(&client, &mut world.server.browser());
    let program = client.token(&world.server, &[("grant_type", "client_credentials")]).json();
    let program = program["access_token"].as_str().expect("a token");
    active(&world, program);
    block_on(world.server.running().ports().directory.close()).expect("it closes");
    for token in [tokens.access.as_str(), tokens.refresh(), program] {
        let answer = client.introspect(&world.server, token);
        assert_eq!((answer.status, answer.error().as_str()), (503, "temporarily_unavailable"), "{}", answer.text());
        assert!(answer.header("retry-after").is_some_and(|v| v.parse::<u32>().is_ok_and(|s| s > 0)));
    }
    inactive(&client.introspect(&world.server, "made-up"));
    let answer = client.token(&world.server, &[("grant_type", "client_credentials")]);
    assert_eq!(answer.status, 200, "a program's token needs no database: {}", answer.text());
}

#[test]
fn g05_while_the_store_is_away_no_token_is_called_inactive() {
    let redis = Redis::start();
    let world = World::with(|setup, _| {
        setup.edit("vestibule.toml", "embedded:", &redis.url());
    });
    let client = Client::access();
    let tokens = world.sign_in(&mut world.server.browser());
    active(&world, &tokens.access);
    redis.freeze();
    let answer = client.introspect(&world.server, &tokens.access);
    redis.thaw();
    assert_eq!((answer.status, answer.error().as_str()), (503, "temporarily_unavailable"), "{}", answer.text());
    assert!(answer.header("retry-after").is_some_and(|v| v.parse::<u32>().is_ok_and(|s| s > 0)));
    wait_until("it is told again", || client.introspect(&world.server, &tokens.access).status == 200);
    active(&world, &tokens.access);
}
