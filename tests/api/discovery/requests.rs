//! What a client may ask for at the authorization endpoint, and what it may not.

use serde_json::{Value, json};
use vestibule::base::Span;

use super::{path, texts};
use crate::support::client::{Ask, Client, Proof, Tokens};
use crate::support::http::Request;
use crate::support::keyring::Keyring;
use crate::world::World;

checks! {
    scopes_supported => each_scope_is_granted,
    response_types_supported => each_response_type_is_answered,
    response_modes_supported => each_response_mode_carries_the_answer,
    code_challenge_methods_supported => each_challenge_method_is_checked,
    prompt_values_supported => each_prompt_is_heeded,
    ui_locales_supported => each_language_is_spoken,
    authorization_response_iss_parameter_supported => answers_and_errors_have_our_iss,
    claims_parameter_supported => the_claims_parameter_adds_nothing,
    request_parameter_supported => a_signed_request_is_taken,
    request_object_signing_alg_values_supported => each_algorithm_signs_a_request,
    request_uri_parameter_supported => a_foreign_request_uri_is_refused,
    require_pushed_authorization_requests => a_plain_request_is_answered,
}

fn access(world: &World) -> Ask {
    Client::access().ask(&world.server)
}

fn each_scope_is_granted(announced: &Value) {
    let world = World::new();
    for scope in texts(announced) {
        let client = Client::access();
        let ask = client.ask(&world.server).with("scope", &format!("openid {scope} made_up"));
        let tokens = client.sign_in(&world.server, &mut world.server.browser(), &ask);
        let granted: Vec<&str> = tokens.scope.split(' ').collect();
        assert!(granted.contains(&scope) && !granted.contains(&"made_up"), "{scope}: {granted:?}");
        assert_eq!(tokens.refresh.is_some(), scope == "offline_access");
    }
}

fn each_response_type_is_answered(announced: &Value) {
    let world = World::new();
    let announced = texts(announced);
    for kind in ["code", "token", "id_token", "code token", "code id_token", "id_token token", "none"] {
        let answer = access(&world).with("response_type", kind).run(&mut world.server.browser());
        if announced.contains(kind) {
            answer.code();
        } else {
            assert_eq!(answer.error(), "unsupported_response_type", "{kind}");
        }
    }
    assert_eq!(announced.into_iter().collect::<Vec<_>>(), ["code"], "no other was tried");
}

fn each_response_mode_carries_the_answer(announced: &Value) {
    let world = World::new();
    for mode in texts(announced) {
        let ask = access(&world).with("response_mode", mode);
        let page = world.server.browser().open(&ask.url());
        match mode {
            "query" => ask.answer(&page),
            "form_post" => ask.posted(&page),
            other => panic!("no check for {other}"),
        }
        .code();
    }
    for mode in ["fragment", "query.jwt", "jwt", "web_message"] {
        let ask = access(&world).with("response_mode", mode);
        let page = world.server.browser().open(&ask.url());
        assert_eq!(ask.answer(&page).error(), "invalid_request", "{mode}");
    }
}

fn each_challenge_method_is_checked(announced: &Value) {
    assert_eq!(announced, &json!(["S256"]), "no other is tried here");
    let world = World::new();
    let client = Client::access();
    let (mut ask, code) = world.fresh_code(&client);
    ask.verifier = client.ask(&world.server).verifier;
    assert_eq!(client.redeem(&world.server, &ask, &code).error(), "invalid_grant");
    client.sign_in(&world.server, &mut world.server.browser(), &client.ask(&world.server));
    let plain = access(&world).with("code_challenge_method", "plain");
    assert_eq!(plain.run(&mut world.server.browser()).error(), "invalid_request");
}

fn each_prompt_is_heeded(announced: &Value) {
    let world = World::new();
    let mut browser = world.server.browser();
    world.sign_in(&mut browser);
    let mut before = world.upstream_logins().len();
    for prompt in texts(announced) {
        world.advance(Span::minutes(1));
        let ask = access(&world).with("prompt", prompt);
        if prompt == "none" {
            assert_eq!(ask.run(&mut world.server.browser()).error(), "login_required", "nobody is signed in there");
        }
        world.idp.set(|script| {
            script.person.insert("auth_time".to_owned(), world.server.now().secs().into());
        });
        ask.run(&mut browser).code();
        let now = world.upstream_logins();
        match prompt {
            "none" => assert_eq!(now.len(), before, "nobody was asked"),
            "login" | "select_account" => {
                assert_eq!(now.len(), before + 1, "{prompt}: the person was asked again");
                let sent = now.last().and_then(|sent| sent.get("prompt")).map(String::as_str);
                assert_eq!(sent, Some(prompt), "and so was the provider told");
            }
            other => panic!("no check for {other}"),
        }
        before = now.len();
    }
    assert_eq!(access(&world).with("prompt", "create").run(&mut browser).error(), "invalid_request");
}

fn each_language_is_spoken(announced: &Value) {
    let world = World::new();
    let spoken = |tag: &str| {
        let page = world.server.get(&format!("/acs/authorize?client_id=nobody&ui_locales={tag}")).text();
        let (_, rest) = page.split_once("<html lang=\"").expect("a page");
        rest.split_once('"').expect("a language").0.to_owned()
    };
    let announced = texts(announced);
    for tag in &announced {
        assert_eq!(spoken(tag), *tag);
    }
    for tag in ["en", "de", "fr", "es", "it", "nl", "ja", "zh", "pt", "pl"] {
        assert_eq!(spoken(tag) == tag, announced.contains(tag), "{tag}");
    }
}

fn answers_and_errors_have_our_iss(announced: &Value) {
    assert_eq!(announced, true);
    let world = World::new();
    // `run` looks for it in each.
    access(&world).run(&mut world.server.browser()).code();
    access(&world).with("prompt", "none").run(&mut world.server.browser()).error();
    access(&world).without("response_type").run(&mut world.server.browser()).error();
}

fn the_claims_parameter_adds_nothing(announced: &Value) {
    assert_eq!(announced, false);
    let world = World::new();
    let client = Client::access();
    let wanted = json!({ "id_token": { "email": { "essential": true } }, "userinfo": { "name": null } }).to_string();
    let ask = client.ask(&world.server).with("scope", "openid").with("claims", &wanted);
    let tokens = client.sign_in(&world.server, &mut world.server.browser(), &ask);
    let info = crate::support::client::userinfo(&world.server, &tokens.access).json();
    assert!(!tokens.claims.contains_key("email") && info.get("name").is_none(), "{info}");
}

/// A world with a client that has keys.
fn keyed() -> (World, Client, Keyring) {
    let keys = Keyring::generate();
    let world = World::with(|setup, _| {
        setup.file("client.jwks.json", &keys.jwks().to_string());
        let file = "name = \"Keyed\"\njwks = { file = \"client.jwks.json\" }\n\
                    redirect_uris = [\"https://keyed.example.com/cb\"]\n";
        setup.file("clients/keyed.toml", file);
    });
    (world, Client::new("keyed", Proof::Public, "https://keyed.example.com/cb"), keys)
}

/// The request as an object, with nothing beside it but what OIDC Core §6.1 wants there.
fn signed(world: &World, ask: &Ask, keys: &Keyring, alg: &str) -> Ask {
    let now = world.now();
    let mut claims = json!({
        "iss": "keyed", "aud": world.server.issuer, "iat": now.secs(), "nbf": now.secs(),
        "exp": now.plus(Span::minutes(1)).secs(),
    });
    for (name, value) in &ask.params {
        claims[name] = value.as_str().into();
    }
    let object = keys.sign(alg, "no secret at all", &claims);
    let outside = ["client_id", "response_type", "scope"];
    let mut outer = ask.clone().with("request", &object);
    outer.params.retain(|(name, _)| outside.contains(&name.as_str()) || name == "request");
    outer
}

fn follow(world: &World, ask: &Ask, keys: &Keyring, alg: &str) -> crate::support::client::Answer {
    let page = world.server.browser().open(&signed(world, ask, keys, alg).url());
    ask.answer(&page)
}

fn a_signed_request_is_taken(announced: &Value) {
    assert_eq!(announced, true);
    let (world, client, keys) = keyed();
    let ask = client.ask(&world.server).with("scope", "openid email");
    let code = follow(&world, &ask, &keys, "ES256").code();
    // PKCE's challenge and the nonce stood in the object alone.
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", client.redirect_uri.as_str()),
        ("code_verifier", ask.verifier.as_str()),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
    ];
    let assertion = crate::support::assertion::claims("keyed", &world.server.issuer, world.now());
    let assertion = keys.sign("ES256", "", &assertion);
    let fields = [fields.as_slice(), &[("client_assertion", assertion.as_str())]].concat();
    let answer = world.server.send(&Request::form(&world.server.url("/acs/token"), &fields));
    assert_eq!(answer.status, 200, "{}", answer.text());
    Tokens::verified(&world.server, &client, Some(&ask), &answer);
}

fn each_algorithm_signs_a_request(announced: &Value) {
    let announced = texts(announced);
    let (world, client, keys) = keyed();
    for alg in &announced {
        follow(&world, &client.ask(&world.server), &keys, alg).code();
    }
    for alg in ["HS256", "none"] {
        assert!(!announced.contains(alg));
        let ask = client.ask(&world.server);
        let page = world.server.browser().open(&signed(&world, &ask, &keys, alg).url());
        // Nothing in it is believed, so neither is its redirect URI.
        match &page.answer {
            Some(response) => assert_eq!(response.status, 400, "{alg}: {}", response.text()),
            None => assert_eq!(page.query().get("error").map(String::as_str), Some("invalid_request_object"), "{alg}"),
        }
    }
}

fn a_foreign_request_uri_is_refused(announced: &Value) {
    assert_eq!(announced, false);
    let world = World::new();
    let browser = world.server.browser();
    for uri in [format!("{}/request.jwt", world.idp.issuer()), "urn:ietf:params:oauth:request_uri:made-up".to_owned()] {
        let page = browser.tab().open(&access(&world).with("request_uri", &uri).url());
        let error = page.query().get("error").cloned().unwrap_or_default();
        match &page.answer {
            Some(response) => assert_eq!(response.status, 400, "{uri}"),
            None => assert!(matches!(&*error, "request_uri_not_supported" | "invalid_request_uri"), "{uri}: {error}"),
        }
    }
    assert_eq!(world.idp.count("/request.jwt"), 0, "nobody fetched it");
    world.nothing_happened(&browser);
}

fn a_plain_request_is_answered(announced: &Value) {
    assert_eq!(announced, false);
    let world = World::new();
    assert!(path(&super::DOCUMENT["authorization_endpoint"]).starts_with("/acs/"));
    access(&world).run(&mut world.server.browser()).code();
}
