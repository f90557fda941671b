//! Request objects that are odd inside: values of the wrong type, members twice, too deep, too long; and those of a
//! client whose keys can't be had.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{KEYED_URI, keyed, object, push, pushed, url, world};
use crate::support::assertion::{Signer, encode};
use crate::support::client::Ask;
use crate::support::evil_idp::Answer;
use crate::world::{ALICE, World};

fn sent(ask: &Ask, object: &str) -> String {
    format!("{}?client_id=keyed&request={object}", ask.endpoint())
}

/// The request with nothing but the object in it.
fn alone(ask: &Ask, object: &str) -> Ask {
    let mut ask = ask.clone();
    ask.params.clear();
    ask.with("request", object)
}

#[test]
fn a121_a_value_of_the_wrong_type_is_read_as_nothing_that_it_is_not() {
    let (world, signer) = world();
    let ask = keyed(&signer).ask(&world.server);
    for (name, value, error) in [
        ("response_type", json!(["code"]), "unsupported_response_type"),
        ("response_type", json!(true), "unsupported_response_type"),
        ("response_mode", json!(["query"]), "invalid_request"),
        ("scope", json!(["openid"]), "invalid_scope"),
        ("prompt", json!(["none"]), "invalid_request"),
        ("max_age", json!(1.5), "invalid_request"),
        ("max_age", json!(-1), "invalid_request"),
        ("max_age", json!(["1"]), "invalid_request"),
        ("code_challenge", json!({ "S256": "x" }), "invalid_request"),
        ("code_challenge_method", json!(["S256"]), "invalid_request"),
        ("claims", json!(["sub"]), "invalid_request"),
        ("claims", json!("{"), "invalid_request"),
        ("client_id", json!(["keyed"]), "invalid_request_object"),
        ("iss", json!(["keyed"]), "invalid_request_object"),
        ("aud", json!({ "0": world.server.issuer }), "invalid_request_object"),
        ("exp", json!("4102444800"), "invalid_request_object"),
        ("exp", json!(1e300), "invalid_request_object"),
        ("nbf", json!([]), "invalid_request_object"),
        ("iat", json!("now"), "invalid_request_object"),
    ] {
        let odd = object(&world, &signer, &ask, &json!({ name: value }));
        let page = world.server.browser().open(&sent(&ask, &odd));
        assert_eq!(ask.answer(&page).error(), error, "{name}: {value}");
        let answer = push(&world, &keyed(&signer), &alone(&ask, &odd));
        assert_eq!((answer.status, answer.error().as_str()), (400, error), "{name}: {value}");
    }
    for value in [json!([KEYED_URI]), json!({ "0": KEYED_URI }), json!(true), json!(1)] {
        let odd = object(&world, &signer, &ask, &json!({ "redirect_uri": value }));
        world.is_page(&world.server.browser().open(&sent(&ask, &odd)), 400);
    }
    world.nothing_happened(&world.server.browser());
}

#[test]
fn a076_a121_an_object_that_can_be_read_in_two_ways_is_not_read() {
    let (world, signer) = world();
    let ask = keyed(&signer).ask(&world.server);
    let good = object(&world, &signer, &ask, &json!({}));
    let text = payload(&good);
    let inside = text.strip_prefix('{').expect("an object");
    let outside = ask.clone().with("request", "x");
    for odd in [
        format!("{{\"client_id\":\"access\",{inside}"),
        format!("{{\"redirect_uri\":\"{KEYED_URI}?other\",{inside}"),
        format!("{{\"\\u0073cope\":\"openid email\",{inside}"),
        format!("[{text}]"),
        format!("{text} {{}}"),
        format!("{{\"deep\":{}{},{inside}", "[".repeat(2_000), "]".repeat(2_000)),
        String::new(),
        "null".to_owned(),
    ] {
        let request = signer.sign_text(&json!({ "alg": "ES256", "kid": signer.kid }), &odd);
        let page = world.server.browser().open(&outside.clone().with("request", &request).url());
        assert_eq!(outside.answer(&page).error(), "invalid_request_object", "{odd}");
    }
    world.nothing_happened(&world.server.browser());
}

fn payload(token: &str) -> String {
    use base64::Engine as _;
    let part = token.split('.').nth(1).expect("three parts");
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).expect("base64url");
    String::from_utf8(bytes).expect("JSON")
}

#[test]
fn a121_a_header_that_brings_its_own_key_or_asks_for_more_is_not_believed() {
    let (world, signer) = world();
    let ask = keyed(&signer).ask(&world.server);
    let foreign = Signer::generate("key-1");
    let good: Value = serde_json::from_str(&payload(&object(&world, &signer, &ask, &json!({})))).expect("JSON");
    let trap = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    trap.set_nonblocking(true).expect("it can be asked");
    let there = format!("http://{}/keys", trap.local_addr().expect("its address"));
    for (signer, header) in [
        (&foreign, json!({ "alg": "ES256", "jwk": foreign.jwk() })),
        (&foreign, json!({ "alg": "ES256", "kid": "key-1", "jku": there })),
        (&foreign, json!({ "alg": "ES256", "kid": "key-1", "x5u": there, "x5c": [] })),
        (&*signer, json!({ "alg": "ES256", "kid": "key-1", "crit": ["b64"], "b64": false })),
        (&*signer, json!({ "alg": "ES256", "kid": ["key-1"] })),
        (&*signer, json!({ "alg": "ES256", "kid": "key-2" })),
        (&*signer, json!({ "alg": "ES384", "kid": "key-1" })),
        (&*signer, json!({ "alg": ["ES256"], "kid": "key-1" })),
        (&*signer, json!({ "kid": "key-1" })),
        (&*signer, json!({ "alg": "ES256", "kid": "key-1", "typ": "JWE" })),
        (&*signer, json!({ "alg": "ES256", "kid": "key-1", "typ": "" })),
    ] {
        let asked = ask.clone().with("request", &signer.sign(&header, &good));
        assert_eq!(asked.run(&mut world.server.browser()).error(), "invalid_request_object", "{header}");
    }
    assert!(trap.accept().is_err(), "nobody came for keys");
    world.nothing_happened(&world.server.browser());
    for typ in ["JWT", "jwt", "application/oauth-authz-req+jwt", "OAuth-Authz-Req+JWT"] {
        let typed = signer.sign(&json!({ "alg": "ES256", "kid": "key-1", "typ": typ }), &good);
        ask.answer(&world.server.browser().open(&sent(&ask, &typed))).code();
    }
}

#[test]
fn a201_an_object_beyond_all_bounds_is_refused_and_a_long_one_read() {
    let (world, signer) = world();
    let ask = keyed(&signer).ask(&world.server);
    let padded = |bytes: usize| object(&world, &signer, &ask, &json!({ "padding": "x".repeat(bytes) }));
    let post = |object: &str| {
        let fields = [("client_id", "keyed"), ("request", object)];
        world.server.browser().post_from("https://keyed.example.com/", ask.endpoint(), &fields)
    };
    ask.answer(&world.server.browser().open(&sent(&ask, &padded(8_000)))).code();
    ask.answer(&post(&padded(8_000))).code();
    world.is_page(&world.server.browser().open(&sent(&ask, &padded(20_000))), 413);
    // What would be too long as an address is too long as a form; a push has no way through the browser before it.
    world.is_page(&post(&padded(20_000)), 413);
    world.is_page(&post(&padded(60_000)), 413);
    let client = keyed(&signer);
    let uri = pushed(&world, &client, &alone(&ask, &padded(40_000)));
    ask.answer(&world.server.browser().open(&url(&world, "keyed", &uri))).code();
    let answer = push(&world, &client, &alone(&ask, &padded(60_000)));
    assert_eq!((answer.status, answer.error().as_str()), (413, "invalid_request"));
}

#[test]
fn while_the_keys_of_a_client_can_not_be_had_no_request_of_it_is_called_wrong() {
    let signer = Arc::new(Signer::generate("key-1"));
    let world = World::with(|setup, idp| {
        let jwk = signer.jwk();
        let add = move |set: &mut Map<String, Value>| {
            set.get_mut("keys").and_then(Value::as_array_mut).expect("a list").push(jwk.clone());
        };
        idp.set(|script| script.jwks_body = Some(Arc::new(add)));
        let uri = format!("jwks_uri = \"{}/jwks\"", idp.issuer());
        setup.file("clients/keyed.toml", &format!("name = \"Keyed\"\n{uri}\nredirect_uris = [\"{KEYED_URI}\"]\n"));
    });
    let ask = keyed(&signer).ask(&world.server).hint(ALICE.email);
    world.idp.set(|script| script.jwks = Answer::Fixed(500, "text/plain", String::new()));
    let object = object(&world, &signer, &ask, &json!({}));
    let mut browser = world.server.browser();
    for address in [sent(&ask, &object), format!("{}&redirect_uri={KEYED_URI}", sent(&ask, &object))] {
        let page = browser.open(&address);
        world.is_page(&page, 503);
        assert!(page.response().header("retry-after").is_some());
    }
    let answer = push(&world, &keyed(&signer), &ask.clone().with("request", &object));
    assert_eq!((answer.status, answer.error().as_str()), (503, "temporarily_unavailable"));
    world.nothing_happened(&browser);
    world.idp.set(|script| script.jwks = Answer::Sound);
    world.advance(vestibule::base::Span::secs(5));
    ask.answer(&browser.open(&sent(&ask, &object))).code();
    let uri = pushed(&world, &keyed(&signer), &ask.clone().with("request", &object));
    ask.answer(&browser.open(&url(&world, "keyed", &uri))).code();
    let unsigned = format!("{}.{}.", encode(&json!({ "alg": "none" })), encode(&json!({})));
    assert_eq!(ask.clone().with("request", &unsigned).run(&mut browser).error(), "invalid_request_object");
}
