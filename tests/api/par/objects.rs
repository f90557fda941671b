//! Requests signed by their client, by value.

use serde_json::{Value, json};
use vestibule::base::Span;

use super::{KEYED_URI, keyed, object, push, pushed, url, world};
use crate::support::assertion::{Signer, claims, encode};
use crate::support::client::{Ask, Client};
use crate::world::{ALICE, World};

/// A request whose parameters all stand in an object; beside it the client's id, and where it registered.
fn by_object(ask: &Ask, object: &str) -> Ask {
    let mut outside = ask.clone();
    outside.params.retain(|(name, _)| ["client_id", "redirect_uri", "state"].contains(&name.as_str()));
    outside.with("request", object)
}

#[test]
fn a_signed_request_object_makes_a_whole_login() {
    let (world, signer) = world();
    let client = keyed(&signer);
    let ask = client.ask(&world.server).hint(ALICE.email);
    for changes in
        [json!({}), json!({ "aud": ["https://other.example", world.server.issuer] }), json!({ "max_age": 300 })]
    {
        let signed = object(&world, &signer, &ask, &changes);
        let url = format!("{}?client_id=keyed&request={signed}", ask.endpoint());
        let code = ask.answer(&world.server.browser().open(&url)).code();
        let tokens = client.redeem(&world.server, &ask, &code);
        assert_eq!(tokens.status, 200, "{}", tokens.text());
        let last = world.upstream_logins().pop().expect("a login upstream");
        assert_eq!(last.get("login_hint").map(String::as_str), Some(ALICE.email));
    }
}

#[test]
fn only_what_is_inside_a_request_object_counts() {
    let (world, signer) = world();
    let client = keyed(&signer);
    let ask = client.ask(&world.server).with("scope", "openid");
    let signed = object(&world, &signer, &ask, &json!({}));
    let outside = ask.clone().with("scope", "openid profile").with("state", "other").hint("bob@contoso.com");
    let page = world.server.browser().open(&outside.with("prompt", "none").with("request", &signed).url());
    let code = ask.answer(&page).code();
    assert_eq!(client.redeem(&world.server, &ask, &code).json()["scope"], "openid");
    assert!(world.upstream_logins().iter().all(|login| !login.contains_key("login_hint")));
    // A challenge outside is none.
    let bare = object(&world, &signer, &ask, &json!({ "code_challenge": null, "code_challenge_method": null }));
    let page = world.server.browser().open(&ask.clone().with("request", &bare).url());
    assert_eq!(ask.answer(&page).error(), "invalid_request");
}

#[test]
fn c032_of_two_redirect_uris_the_one_inside_is_used() {
    let (world, signer) = world();
    let ask = keyed(&signer).ask(&world.server);
    let inner = ask.clone().with("redirect_uri", &format!("{KEYED_URI}?other"));
    let signed = object(&world, &signer, &inner, &json!({}));
    let page = world.server.browser().open(&by_object(&ask, &signed).url());
    inner.answer(&page).code();
    for foreign in [json!("https://evil.test/cb"), Value::Null] {
        let signed = object(&world, &signer, &ask, &json!({ "redirect_uri": foreign }));
        let mut browser = world.server.browser();
        world.is_page(&browser.open(&by_object(&ask, &signed).url()), 400);
    }
}

#[test]
fn c031_a_client_without_keys_gets_request_not_supported() {
    let (world, signer) = world();
    for client in [Client::access(), Client::spa()] {
        let ask = client.ask(&world.server);
        let unsigned = format!("{}.{}.", encode(&json!({ "alg": "none" })), encode(&json!({ "client_id": client.id })));
        for request in [unsigned, object(&world, &signer, &ask, &json!({ "iss": client.id }))] {
            let answer = ask.clone().with("request", &request).run(&mut world.server.browser());
            assert_eq!(answer.error(), "request_not_supported");
        }
    }
}

#[test]
fn c030_c033_an_object_by_reference_is_not_supported_and_not_fetched() {
    let (world, signer) = world();
    let trap = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    trap.set_nonblocking(true).expect("it can be asked");
    let there = format!("http://{}/object", trap.local_addr().expect("its address"));
    for client in [keyed(&signer), Client::access()] {
        let ask = client.ask(&world.server).with("request_uri", &there);
        let mut browser = world.server.browser();
        assert_eq!(ask.run(&mut browser).error(), "request_uri_not_supported");
        world.nothing_happened(&browser);
        let bare = format!("{}?client_id={}&request_uri={there}", ask.endpoint(), client.id);
        world.is_page(&browser.open(&bare), 400);
    }
    assert!(trap.accept().is_err(), "nobody came");
}

/// Refused at the client if a redirect URI is proven, at a page if none is, and in JSON at the push.
#[track_caller]
fn refused(world: &World, signer: &std::sync::Arc<Signer>, ask: &Ask, signed: &str) {
    let mut browser = world.server.browser();
    let outside = by_object(ask, signed);
    assert_eq!(outside.answer(&browser.open(&outside.url())).error(), "invalid_request_object");
    let answer = push(world, &keyed(signer), &outside);
    assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_request_object"), "{}", answer.text());
    world.nothing_happened(&browser);
}

#[test]
fn a121_a_request_object_of_another_key_or_none_is_refused() {
    let (world, signer) = world();
    let ask = keyed(&signer).ask(&world.server);
    let good = object(&world, &signer, &ask, &json!({}));
    let payload = good.split('.').nth(1).expect("three parts");
    let foreign = Signer::generate("key-1");
    for bad in [
        format!("{}.{payload}.", encode(&json!({ "alg": "none" }))),
        format!("{}.{payload}.AAAA", encode(&json!({ "alg": "HS256" }))),
        object(&world, &foreign, &ask, &json!({})),
        format!("{good}x"),
        "x".to_owned(),
        "a.b.c.d.e".to_owned(),
    ] {
        refused(&world, &signer, &ask, &bad);
        let mut browser = world.server.browser();
        world.is_page(&browser.open(&format!("{}?client_id=keyed&request={bad}", ask.endpoint())), 400);
    }
    for typ in ["at+jwt", "client-authentication+jwt", "logout+jwt"] {
        let claims = json!({ "iss": "keyed", "client_id": "keyed", "aud": world.server.issuer });
        let typed = signer.sign(&json!({ "alg": "ES256", "kid": signer.kid, "typ": typ }), &claims);
        refused(&world, &signer, &ask, &typed);
    }
}

#[test]
fn a121_a_request_object_is_made_by_the_client_for_us_for_now() {
    let (world, signer) = world();
    let ask = keyed(&signer).ask(&world.server);
    let now = world.now();
    let at = |span: Span| now.plus(span).secs();
    for changes in [
        json!({ "aud": "https://other.example" }),
        json!({ "aud": ["https://other.example"] }),
        json!({ "aud": null }),
        json!({ "iss": "access" }),
        json!({ "iss": null }),
        json!({ "client_id": "access" }),
        json!({ "client_id": null }),
        json!({ "exp": null }),
        json!({ "exp": now.minus(Span::minutes(2)).secs() }),
        json!({ "exp": at(Span::minutes(61)) }),
        json!({ "nbf": at(Span::minutes(2)) }),
        json!({ "iat": at(Span::minutes(2)) }),
        json!({ "iat": now.minus(Span::hours(2)).secs() }),
        json!({ "request": "x" }),
        json!({ "request_uri": "urn:ietf:params:oauth:request_uri:x" }),
        json!({ "sub": "keyed" }),
    ] {
        refused(&world, &signer, &ask, &object(&world, &signer, &ask, &changes));
    }
    let skewed = object(&world, &signer, &ask, &json!({ "nbf": at(Span::secs(8)), "iat": at(Span::secs(8)) }));
    by_object(&ask, &skewed).run(&mut world.server.browser()).code();
}

#[test]
fn a121_a_broken_object_goes_back_to_the_redirect_uri_that_its_client_signed() {
    let (world, signer) = world();
    let ask = keyed(&signer).ask(&world.server);
    let late = object(&world, &signer, &ask, &json!({ "exp": world.now().minus(Span::minutes(2)).secs() }));
    let page = world.server.browser().open(&format!("{}?client_id=keyed&request={late}", ask.endpoint()));
    assert_eq!(ask.answer(&page).error(), "invalid_request_object");
}

#[test]
fn a121_an_assertion_is_no_request_object_nor_the_other_way_round() {
    let (world, signer) = world();
    let client = keyed(&signer);
    let ask = client.ask(&world.server);
    refused(&world, &signer, &ask, &signer.assertion("keyed", &world.server.issuer, world.now()));
    // As a whole request, but for the sub that makes it an assertion.
    let mut both = claims("keyed", &world.server.issuer, world.now());
    let members = both.as_object_mut().expect("an object");
    members.extend(ask.params.iter().map(|(name, value)| (name.clone(), json!(value))));
    let header = json!({ "alg": "ES256", "kid": signer.kid });
    refused(&world, &signer, &ask, &signer.sign(&header, &both));
    let signed = object(&world, &signer, &ask, &json!({ "jti": "j1" }));
    both.as_object_mut().expect("an object").remove("sub");
    for assertion in [signed, signer.sign(&header, &both)] {
        let fields = [
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", assertion.as_str()),
            ("client_id", "keyed"),
            ("grant_type", "authorization_code"),
            ("code", "x"),
        ];
        let request = crate::support::http::Request::form(&world.server.url("/acs/token"), &fields);
        let answer = world.server.send(&request);
        assert_eq!((answer.status, answer.error().as_str()), (401, "invalid_client"));
    }
}

#[test]
fn a_signed_request_may_be_pushed_and_then_stands_alone() {
    let (world, signer) = world();
    let client = keyed(&signer);
    let ask = client.ask(&world.server);
    let signed = object(&world, &signer, &ask, &json!({}));
    let mut outside = by_object(&ask, &signed);
    outside = outside.with("redirect_uri", "https://evil.test/cb").with("scope", "nothing");
    let uri = pushed(&world, &client, &outside);
    // Its own minute has passed; that of the push has not.
    world.advance(Span::secs(59));
    ask.answer(&world.server.browser().open(&url(&world, "keyed", &uri))).code();
    let foreign = object(&world, &signer, &ask, &json!({ "redirect_uri": "https://evil.test/cb" }));
    let answer = push(&world, &client, &by_object(&ask, &foreign));
    assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_request"));
}

#[test]
fn c031_a_request_object_of_a_client_without_keys_is_not_pushed_either() {
    let (world, signer) = world();
    let client = Client::access();
    let ask = client.ask(&world.server);
    let signed = object(&world, &signer, &ask, &json!({ "iss": "access" }));
    let answer = push(&world, &client, &ask.with("request", &signed));
    assert_eq!((answer.status, answer.error().as_str()), (400, "request_not_supported"));
}

#[test]
fn a121_a_doubled_or_foreign_request_beside_an_object_is_refused() {
    let (world, signer) = world();
    let ask = keyed(&signer).ask(&world.server);
    let signed = object(&world, &signer, &ask, &json!({}));
    let twice = by_object(&ask, &signed).and("request", &signed);
    assert_eq!(twice.answer(&world.server.browser().open(&twice.url())).error(), "invalid_request");
    let both = by_object(&ask, &signed).with("request_uri", "https://rp.example.com/object");
    assert_eq!(both.answer(&world.server.browser().open(&both.url())).error(), "request_uri_not_supported");
}
