//! Each endpoint answers where it is said to be, and does there what its name says.

use serde_json::Value;

use super::path;
use crate::support::client::{Client, userinfo};
use crate::support::http::Request;
use crate::world::World;

checks! {
    issuer => the_issuer_is_that_of_tokens_and_of_the_address,
    authorization_endpoint => a_login_begins_there,
    token_endpoint => a_code_is_redeemed_there,
    userinfo_endpoint => claims_are_given_there,
    jwks_uri => the_keys_of_tokens_are_there,
    revocation_endpoint => a_token_ends_there,
    introspection_endpoint => a_token_is_told_there,
    pushed_authorization_request_endpoint => a_request_is_pushed_there,
    end_session_endpoint => a_session_ends_there,
}

fn the_issuer_is_that_of_tokens_and_of_the_address(announced: &Value) {
    let world = World::new();
    let tokens = world.sign_in(&mut world.server.browser());
    assert_eq!(announced, &tokens.claims["iss"]);
    let address = format!("{}/.well-known/openid-configuration", path(announced));
    let answer = world.server.get(&address);
    assert_eq!(answer.status, 200, "Discovery §4");
    assert_eq!(&answer.json()["issuer"], announced);
}

fn a_login_begins_there(announced: &Value) {
    let world = World::new();
    let ask = Client::access().ask(&world.server);
    assert_eq!(announced, ask.endpoint());
    ask.run(&mut world.server.browser()).code();
    let mut browser = world.server.browser();
    let page = browser.post_from("https://rp.example.com/", ask.endpoint(), &ask.params);
    ask.answer(&page).code();
}

fn a_code_is_redeemed_there(announced: &Value) {
    let world = World::new();
    let client = Client::access();
    let (ask, code) = world.fresh_code(&client);
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", client.redirect_uri.as_str()),
        ("code_verifier", ask.verifier.as_str()),
    ];
    let answer = world.server.send(&client.request(&world.server, path(announced), &fields));
    assert_eq!(answer.status, 200, "{}", answer.text());
}

fn claims_are_given_there(announced: &Value) {
    let world = World::new();
    let tokens = world.sign_in(&mut world.server.browser());
    let request = Request::get(&world.server.url(path(announced)));
    let answer = world.server.send(&request.header("Authorization", &format!("Bearer {}", tokens.access)));
    assert_eq!((answer.status, &answer.json()["sub"]), (200, &tokens.claims["sub"]));
}

fn the_keys_of_tokens_are_there(announced: &Value) {
    let world = World::new();
    let tokens = world.sign_in(&mut world.server.browser());
    let kid = jsonwebtoken::decode_header(&tokens.id_token).expect("a JWT").kid.expect("a kid");
    let keys = world.server.get(path(announced)).json();
    assert!(keys["keys"].as_array().expect("keys").iter().any(|key| key["kid"] == kid.as_str()), "{kid} in {keys}");
}

fn a_token_ends_there(announced: &Value) {
    let world = World::new();
    let client = Client::access();
    let tokens = world.sign_in(&mut world.server.browser());
    let fields = [("token", tokens.access.as_str())];
    assert_eq!(world.server.send(&client.request(&world.server, path(announced), &fields)).status, 200);
    assert_eq!(userinfo(&world.server, &tokens.access).status, 401);
}

fn a_token_is_told_there(announced: &Value) {
    let world = World::new();
    let client = Client::access();
    let tokens = world.sign_in(&mut world.server.browser());
    let fields = [("token", tokens.access.as_str())];
    let answer = world.server.send(&client.request(&world.server, path(announced), &fields));
    assert_eq!(answer.json()["sub"], tokens.sub(), "{}", answer.text());
}

fn a_request_is_pushed_there(announced: &Value) {
    let world = World::new();
    let client = Client::access();
    let ask = client.ask(&world.server);
    let fields: Vec<(&str, &str)> = ask.params.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let fields: Vec<_> = fields.into_iter().filter(|(name, _)| *name != "client_id").collect();
    let pushed = world.server.send(&client.request(&world.server, path(announced), &fields));
    assert_eq!(pushed.status, 201, "RFC 9126 §2.2: {}", pushed.text());
    let json = pushed.json();
    assert!(json["expires_in"].as_i64().is_some_and(|seconds| seconds > 0), "{json}");
    let request_uri = json["request_uri"].as_str().expect("a request_uri");
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("client_id", client.id.as_str()), ("request_uri", request_uri)])
        .finish();
    let page = world.server.browser().open(&format!("{}?{query}", ask.endpoint()));
    let code = ask.answer(&page).code();
    assert_eq!(client.redeem(&world.server, &ask, &code).status, 200);
}

fn a_session_ends_there(announced: &Value) {
    let world = World::new();
    let mut browser = world.server.browser();
    let tokens = world.sign_in(&mut browser);
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("id_token_hint", tokens.id_token.as_str()),
            ("post_logout_redirect_uri", "https://rp.example.com/bye"),
            ("state", "back"),
        ])
        .finish();
    let page = browser.open(&format!("{}?{query}", world.server.url(path(announced))));
    assert_eq!(page.url, "https://rp.example.com/bye?state=back");
    assert!(!world.is_signed_in(&browser));
}
