//! Programs in their own name: `client_credentials`, and what such a token opens.

use std::sync::Arc;

use serde_json::{Value, json};
use vestibule::base::Span;

use crate::support::assertion::Signer;
use crate::support::client::{Client, Proof, userinfo, verify};
use crate::support::http::Response;
use crate::support::redis::RedisServer as Redis;
use crate::support::server::Setup;
use crate::world::World;

const SCRIPT: &str = r#"name = "Nightly script"
client_secret = { env = "SECOND_SECRET" }
grant_types = ["client_credentials"]
rule_sets = ["TENANT_ADMIN", "READ_ONLY_TENANT_ADMIN"]
"#;

fn script() -> Client {
    Client::new("script", Proof::Basic("second-secret".to_owned()), "")
}

fn of_kind(kind: &str) -> World {
    World::with(|setup, _| add_script(setup, &format!("access_token = \"{kind}\"\n")))
}

fn add_script(setup: &mut Setup, lines: &str) {
    setup.file("clients/script.toml", &format!("{SCRIPT}{lines}"));
}

fn ask(world: &World, client: &Client, scope: Option<&str>) -> Response {
    let mut fields = vec![("grant_type", "client_credentials")];
    fields.extend(scope.map(|scope| ("scope", scope)));
    client.token(&world.server, &fields)
}

#[track_caller]
fn token(world: &World, client: &Client) -> String {
    let answer = ask(world, client, None);
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["access_token"].as_str().expect("a token").to_owned()
}

fn told(world: &World, token: &str) -> Value {
    script().introspect(&world.server, token).json()
}

fn inactive() -> Value {
    json!({ "active": false })
}

#[test]
fn a093_a_program_gets_its_rule_sets_and_nothing_for_a_person() {
    let world = of_kind("opaque");
    for (asked, given) in [
        (None, Some("TENANT_ADMIN READ_ONLY_TENANT_ADMIN")),
        (Some(""), Some("TENANT_ADMIN READ_ONLY_TENANT_ADMIN")),
        (Some("READ_ONLY_TENANT_ADMIN"), Some("READ_ONLY_TENANT_ADMIN")),
        (Some("openid offline_access READ_ONLY_TENANT_ADMIN profile"), Some("READ_ONLY_TENANT_ADMIN")),
        (Some("TENANT_ADMIN IDP_AND_DIRECTORY_ADMIN"), Some("TENANT_ADMIN")),
        (Some("openid"), None),
        (Some("offline_access openid"), None),
        (Some("IDP_AND_DIRECTORY_ADMIN"), None),
        (Some("made-up"), None),
    ] {
        let answer = ask(&world, &script(), asked);
        let Some(given) = given else {
            assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_scope"), "{asked:?}");
            continue;
        };
        let json = answer.json();
        assert_eq!((answer.status, json["scope"].as_str()), (200, Some(given)), "{asked:?} {json}");
        assert_eq!((json["token_type"].as_str(), json["expires_in"].as_i64()), (Some("Bearer"), Some(600)));
        assert!(json.get("id_token").is_none() && json.get("refresh_token").is_none(), "{json}");
        assert!(answer.header("cache-control").is_some_and(|v| v.contains("no-store")));
        assert_eq!(told(&world, json["access_token"].as_str().expect("a token"))["scope"], given);
    }
    world.nothing_happened(&world.server.browser());
}

#[test]
fn a_program_without_rule_sets_gets_a_token_that_says_nothing_of_rights() {
    let world = World::with(|setup, _| {
        setup.file("clients/script.toml", &SCRIPT.replace("\"TENANT_ADMIN\", \"READ_ONLY_TENANT_ADMIN\"", ""));
    });
    let answer = ask(&world, &script(), None);
    let json = answer.json();
    assert_eq!((answer.status, json.get("scope")), (200, None), "{json}");
    let told = told(&world, json["access_token"].as_str().expect("a token"));
    assert_eq!((told["active"].as_bool(), told.get("scope")), (Some(true), None), "{told}");
    assert_eq!(ask(&world, &script(), Some("TENANT_ADMIN")).error(), "invalid_scope");
}

#[test]
fn a_programs_token_is_about_the_program() {
    for kind in ["opaque", "jwt"] {
        let world = of_kind(kind);
        let access = token(&world, &script());
        let told = told(&world, &access);
        for (name, value) in [
            ("active", json!(true)),
            ("sub", json!("script")),
            ("client_id", json!("script")),
            ("iss", json!(world.server.issuer)),
            ("aud", json!(world.server.issuer)),
            ("scope", json!("TENANT_ADMIN READ_ONLY_TENANT_ADMIN")),
            ("token_type", json!("Bearer")),
        ] {
            assert_eq!(told[name], value, "{kind} {name}");
        }
        assert!(told.get("sid").is_none(), "no session: {told}");
        assert_eq!(told["exp"].as_i64(), told["iat"].as_i64().map(|iat| iat + 600));
        assert_eq!(Client::access().introspect(&world.server, &access).json(), inactive(), "a108");
        world.advance(Span::minutes(11));
        assert_eq!(self::told(&world, &access), inactive());
    }
}

#[test]
fn a_signed_one_is_as_rfc_9068_says() {
    for algorithm in ["RS256", "ES256", "EdDSA"] {
        let world = World::with(|setup, _| {
            setup.table("vestibule.toml", "[keys]\nalgorithms = [\"RS256\", \"ES256\", \"EdDSA\"]");
            add_script(setup, &format!("access_token = \"jwt\"\nid_token_alg = \"{algorithm}\"\n"));
        });
        let access = token(&world, &script());
        let header = jsonwebtoken::decode_header(&access).expect("a JWT");
        assert_eq!((header.typ.as_deref(), format!("{:?}", header.alg)), (Some("at+jwt"), algorithm.to_owned()));
        let claims = verify(&world.server, &access);
        assert_eq!((&claims["sub"], &claims["client_id"]), (&json!("script"), &json!("script")));
        assert_eq!(claims["scope"], "TENANT_ADMIN READ_ONLY_TENANT_ADMIN");
        assert_eq!(told(&world, &access)["jti"], claims["jti"]);
        let presented = claims["jti"].as_str().expect("an id");
        assert_eq!(told(&world, presented), inactive(), "its id is not the token");
    }
}

#[test]
fn a_programs_token_opens_no_userinfo() {
    for kind in ["opaque", "jwt"] {
        let world = of_kind(kind);
        let answer = userinfo(&world.server, &token(&world, &script()));
        assert_eq!((answer.status, answer.error().as_str()), (403, "insufficient_scope"), "{}", answer.text());
        let challenge = answer.header("www-authenticate").expect("RFC 6750 §3");
        assert!(challenge.contains("error=\"insufficient_scope\""), "{challenge}");
    }
}

#[test]
fn a_program_proves_itself_in_every_way_but_by_name() {
    let signer = Arc::new(Signer::generate("key-1"));
    let world = World::with(|setup, _| {
        add_script(setup, "");
        let keyed = SCRIPT.replace("client_secret = { env = \"SECOND_SECRET\" }", &signer.as_toml());
        setup.file("clients/keyed.toml", &keyed);
    });
    for (id, proof) in [
        ("script", Proof::Basic("second-secret".to_owned())),
        ("script", Proof::Post("second-secret".to_owned())),
        ("keyed", Proof::Assertion(signer)),
    ] {
        token(&world, &Client::new(id, proof, ""));
    }
    for (id, proof) in
        [("script", Proof::Public), ("keyed", Proof::Public), ("script", Proof::Basic("wrong".to_owned()))]
    {
        let answer = ask(&world, &Client::new(id, proof, ""), None);
        assert_eq!((answer.status, answer.error().as_str()), (401, "invalid_client"));
    }
}

#[test]
fn a092_only_the_grants_of_the_file_are_answered() {
    let world = of_kind("opaque");
    for client in [Client::access(), Client::spa()] {
        let answer = ask(&world, &client, None);
        assert_eq!((answer.status, answer.error().as_str()), (400, "unauthorized_client"), "{}", client.id);
    }
    for grant in ["authorization_code", "refresh_token"] {
        let answer = script().token(&world.server, &[("grant_type", grant), ("code", "x"), ("refresh_token", "x")]);
        assert_eq!((answer.status, answer.error().as_str()), (400, "unauthorized_client"), "{grant}");
    }
    for grant in
        ["password", "implicit", "urn:ietf:params:oauth:grant-type:jwt-bearer", "CLIENT_CREDENTIALS", "made-up"]
    {
        let answer = script().token(&world.server, &[("grant_type", grant)]);
        assert_eq!((answer.status, answer.error().as_str()), (400, "unsupported_grant_type"), "{grant}");
    }
    let asked = world
        .server
        .browser()
        .open(&Client::new("script", Proof::Public, "https://rp.example.com/cb").ask(&world.server).url());
    world.is_page(&asked, 400);
}

#[test]
fn a114_a_revoked_token_of_a_program_is_dead_and_another_clients_revocation_is_nothing() {
    for kind in ["opaque", "jwt"] {
        let world = of_kind(kind);
        let (access, other) = (token(&world, &script()), token(&world, &script()));
        assert_eq!(Client::access().revoke(&world.server, &access).status, 200, "a113");
        assert_eq!(told(&world, &access)["active"], true);
        assert_eq!(script().revoke(&world.server, &access).status, 200);
        assert_eq!(told(&world, &access), inactive());
        assert_eq!(userinfo(&world.server, &access).status, 401);
        assert_eq!(told(&world, &other)["active"], true, "{kind}: the others live on");
    }
}

#[test]
fn g06_a_store_that_is_restored_revives_no_revoked_token_of_a_program() {
    let redis = Redis::start();
    let world = World::with(|setup, _| {
        setup.edit("vestibule.toml", "embedded:", &redis.url());
        add_script(setup, "");
    });
    let access = token(&world, &script());
    let copy = |from: &str, to: &str| redis.ask(&["COPY", from, to, "REPLACE"]);
    let redis::Value::Array(keys) = redis.ask(&["KEYS", "*"]) else { panic!("keys") };
    let keys: Vec<String> = keys.into_iter().map(|key| redis::from_redis_value(key).expect("a text")).collect();
    for key in &keys {
        copy(key, &format!("copy {key}"));
    }
    assert_eq!(script().revoke(&world.server, &access).status, 200);
    for key in &keys {
        copy(&format!("copy {key}"), key);
    }
    assert_eq!(told(&world, &access), inactive());
    assert_eq!(userinfo(&world.server, &access).status, 401);
}

#[test]
fn a093_a_programs_token_is_worth_what_its_file_says_now() {
    for kind in ["opaque", "jwt"] {
        let world = of_kind(kind);
        let access = token(&world, &script());
        let file = "clients/script.toml";
        let scope = || told(&world, &access)["scope"].as_str().map(str::to_owned);
        world
            .server
            .reconfigure(file, "\"TENANT_ADMIN\", ", "", || scope().as_deref() == Some("READ_ONLY_TENANT_ADMIN"));
        world.server.reconfigure(file, "\"READ_ONLY_TENANT_ADMIN\"", "", || scope().is_none());
        assert_eq!(told(&world, &access)["active"], true, "it holds, and opens nothing");
        let both = "[\"authorization_code\"]\nredirect_uris = [\"https://script.example.com/cb\"]";
        world.server.reconfigure(file, "[\"client_credentials\"]", both, || told(&world, &access) == inactive());
        assert_eq!(userinfo(&world.server, &access).status, 401, "{kind}");
    }
}

#[test]
fn a096_a_program_that_is_switched_off_gets_nothing_and_its_tokens_end() {
    let world = of_kind("opaque");
    let access = token(&world, &script());
    assert_eq!(userinfo(&world.server, &access).status, 403);
    world.server.reconfigure("clients/script.toml", "name =", "enabled = false\nname =", || {
        userinfo(&world.server, &access).status == 401
    });
    assert_eq!(ask(&world, &script(), None).error(), "invalid_client");
    assert_eq!(script().introspect(&world.server, &access).status, 401);
}

#[test]
fn a098_while_the_store_is_away_a_program_is_told_to_come_again() {
    let redis = Redis::start();
    let world = World::with(|setup, _| {
        setup.edit("vestibule.toml", "embedded:", &redis.url());
        add_script(setup, "");
    });
    token(&world, &script());
    redis.freeze();
    let answer = ask(&world, &script(), None);
    redis.thaw();
    assert_eq!((answer.status, answer.error().as_str()), (503, "temporarily_unavailable"), "{}", answer.text());
    assert!(answer.header("retry-after").is_some_and(|v| v.parse::<u32>().is_ok_and(|s| s > 0)));
    crate::support::server::wait_until("the store is back", || ask(&world, &script(), None).status == 200);
}
