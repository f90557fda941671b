//! Every rule of the authorization request, once the redirect URI is proven.

use crate::support::client::Client;
use crate::support::http::Request;
use crate::world::{ALICE, World};

/// The request is refused at the client with this error, and nothing else has happened.
#[track_caller]
fn back(world: &World, ask: &crate::support::client::Ask, error: &str) {
    let mut browser = world.server.browser();
    assert_eq!(ask.run(&mut browser).error(), error, "{:?}", ask.params);
    world.nothing_happened(&browser);
}

#[test]
fn a010_only_the_code_flow_exists() {
    let world = World::new();
    for kind in ["token", "id_token", "code id_token", "code token", "id_token token", "none", "CODE", "code "] {
        let ask = Client::access().ask(&world.server).with("response_type", kind);
        back(&world, &ask, "unsupported_response_type");
    }
    back(&world, &Client::access().ask(&world.server).without("response_type"), "invalid_request");
}

#[test]
fn a011_other_response_modes_are_refused_by_query() {
    let world = World::new();
    for mode in ["web_message", "jwt", "form_post.jwt", "query.jwt", "fragment", "QUERY"] {
        back(&world, &Client::access().ask(&world.server).with("response_mode", mode), "invalid_request");
    }
}

#[test]
fn a012_form_post_escapes_what_it_carries() {
    let world = World::new();
    let state = "\"><script>alert(1)</script>&'";
    let ask = Client::access().ask(&world.server).with("response_mode", "form_post").with("state", state);
    let mut browser = world.server.browser();
    let page = browser.open(&ask.url());
    assert_eq!(page.status(), 200);
    assert!(!page.text().contains("<script>alert"), "{}", page.text());
    let csp = page.response().header("content-security-policy").expect("a policy");
    assert!(!csp.contains("unsafe-inline"), "{csp}");
    ask.posted(&page).code(); // and there the state is equal byte for byte
    let ask = ask.with("scope", "profile");
    assert_eq!(ask.posted(&world.server.browser().open(&ask.url())).error(), "invalid_scope");
}

#[test]
fn a013_a_state_comes_back_whole_or_is_refused() {
    let world = World::new();
    let longest = "s".repeat(2048);
    for state in [longest.as_str(), "a\r\nSet-Cookie: x=1", "ä+ %00&=#", " "] {
        let ask = Client::access().ask(&world.server).with("state", state);
        let mut browser = world.server.browser();
        ask.run(&mut browser).code();
    }
    let ask = Client::access().ask(&world.server).with("state", &"s".repeat(3 * 1024));
    let mut browser = world.server.browser();
    let page = browser.open(&ask.url());
    let answer = ask.without("state").answer(&page);
    assert_eq!(answer.error(), "invalid_request");
}

#[test]
fn c076_no_state_and_no_nonce_are_fine_and_none_is_invented() {
    let world = World::new();
    let ask = Client::access().ask(&world.server).without("state").without("nonce");
    let tokens = Client::access().sign_in(&world.server, &mut world.server.browser(), &ask);
    assert!(!tokens.claims.contains_key("nonce"));
}

#[test]
fn a014_a_doubled_parameter_is_refused() {
    let world = World::new();
    let ask = Client::access().ask(&world.server);
    for name in ["scope", "response_type", "nonce", "code_challenge", "code_challenge_method"] {
        let value = ask.get(name).unwrap_or_default().to_owned();
        back(&world, &ask.clone().and(name, &value), "invalid_request");
    }
    for name in ["prompt", "max_age", "login_hint", "ui_locales", "response_mode"] {
        back(&world, &ask.clone().and(name, "login").and(name, "login"), "invalid_request");
    }
    back(&world, &ask.clone().and("unknown", "1").and("unknown", "2"), "invalid_request");
    let page = world.server.browser().open(&ask.clone().and("state", "other").url());
    assert!(page.url.contains("error=invalid_request") && page.answer.is_none(), "{}", page.url);
}

#[test]
fn c020_an_unknown_parameter_is_ignored() {
    let world = World::new();
    let ask = Client::access().ask(&world.server).with("extra", "foobar").with("display", "popup");
    Client::access().sign_in(&world.server, &mut world.server.browser(), &ask);
}

#[test]
fn a015_a_scope_of_thousands_of_words_is_refused() {
    let world = World::new();
    let scope = format!("openid {}", "a ".repeat(5_000));
    back(&world, &Client::access().ask(&world.server).with("scope", scope.trim()), "invalid_scope");
}

#[test]
fn a016_a_scope_that_is_not_listed_is_left_out_and_said_so() {
    let world = World::new();
    let ask = Client::second().ask(&world.server).with("scope", "openid profile user address made_up");
    let tokens = Client::second().sign_in(&world.server, &mut world.server.browser(), &ask);
    let mut given: Vec<&str> = tokens.scope.split(' ').collect();
    given.sort_unstable();
    assert_eq!(given, ["openid", "profile"]);
    assert!(!tokens.claims.contains_key("upn") && !tokens.claims.contains_key("oid"), "{:?}", tokens.claims);
}

#[test]
fn a017_request_uri_is_refused_without_a_fetch() {
    let world = World::new();
    let trap = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    trap.set_nonblocking(true).expect("it can be asked");
    let there = format!("http://{}/object", trap.local_addr().expect("its address"));
    for uri in [there.as_str(), "file:///etc/passwd", "http://169.254.169.254/latest/"] {
        let ask = Client::access().ask(&world.server).with("request_uri", uri);
        back(&world, &ask, "request_uri_not_supported");
    }
    back(
        &world,
        &Client::access().ask(&world.server).with("request", "eyJhbGciOiJub25lIn0.e30."),
        "request_not_supported",
    );
    assert!(trap.accept().is_err(), "nobody came");
}

#[test]
fn a018_prompt_and_max_age_are_taken_by_the_letter() {
    let world = World::new();
    for prompt in ["none login", "none select_account", "LOGIN", "signin"] {
        back(&world, &Client::access().ask(&world.server).with("prompt", prompt), "invalid_request");
    }
    for age in ["-1", "1e9", "99999999999999999999", "1.5", "+1", " 1", "x"] {
        back(&world, &Client::access().ask(&world.server).with("max_age", age), "invalid_request");
    }
}

#[test]
fn a018_max_age_zero_means_a_new_sign_in() {
    let world = World::new();
    let (client, mut browser) = (Client::access(), world.server.browser());
    client.sign_in(&world.server, &mut browser, &client.ask(&world.server));
    let before = world.upstream_logins().len();
    client.sign_in(&world.server, &mut browser, &client.ask(&world.server).with("max_age", "0"));
    let upstream = world.upstream_logins();
    assert_eq!(upstream.len(), before + 1, "the session was not enough");
    assert_eq!(upstream[before].get("prompt").map(String::as_str), Some("login"));
}

#[test]
fn a019_prompt_none_never_shows_a_page() {
    let world = World::two_idps();
    let ask = Client::access().ask(&world.server).with("prompt", "none");
    let mut browser = world.server.browser();
    let error = ask.run(&mut browser).error().to_owned();
    assert!(matches!(error.as_str(), "login_required" | "interaction_required"), "{error}");
    world.nothing_happened(&browser);
    back(&world, &ask.hint("alice@contoso.com"), "login_required");
}

#[test]
fn a020_an_id_token_hint_signs_nobody_in() {
    let world = World::new();
    let client = Client::access();
    let (mut alices, mut bobs) = (world.server.browser(), world.server.browser());
    let alice = client.sign_in(&world.server, &mut alices, &client.ask(&world.server));
    world.next_is(&crate::world::BOB);
    client.sign_in(&world.server, &mut bobs, &client.ask(&world.server));
    let silent = client.ask(&world.server).with("prompt", "none");
    let own = silent.clone().with("id_token_hint", &alice.id_token);
    own.run(&mut alices).code();
    assert_eq!(own.run(&mut bobs).error(), "login_required", "another person's");
    assert_eq!(own.run(&mut world.server.browser()).error(), "login_required", "without a session");
    let second = Client::second().ask(&world.server).with("prompt", "none").with("id_token_hint", &alice.id_token);
    assert_eq!(second.run(&mut alices).error(), "login_required", "another client's");
    let unsigned = format!("{}.", alice.id_token.rsplit_once('.').expect("three parts").0);
    let forged = silent.with("id_token_hint", &unsigned);
    assert_eq!(forged.run(&mut alices).error(), "login_required", "unsigned");
}

#[test]
fn a021_client_id_in_query_and_body_gets_a_page_and_other_methods_405() {
    let world = World::new();
    let ask = Client::access().ask(&world.server);
    let mut browser = world.server.browser();
    let url = format!("{}?client_id=access", ask.endpoint());
    let fields: Vec<(String, String)> = ask
        .params
        .iter()
        .map(|(n, v)| (n.clone(), if n == "client_id" { "second".to_owned() } else { v.clone() }))
        .collect();
    let page = browser.post_from("https://rp.example.com/", &url, &fields);
    world.is_page(&page, 400);
    world.nothing_happened(&browser);
    for method in ["PUT", "DELETE", "PATCH", "TRACE", "HEAD"] {
        let answer = world.server.send(&Request::new(method, &ask.url()));
        assert_eq!(answer.status, 405, "{method}");
    }
}

#[test]
fn c029_an_authorization_request_may_be_posted() {
    let world = World::new();
    let ask = Client::access().ask(&world.server).hint(ALICE.email);
    let mut browser = world.server.browser();
    let page = browser.post_from("https://rp.example.com/", ask.endpoint(), &ask.params);
    ask.answer(&page).code();
    assert_eq!(world.upstream_logins()[0].get("login_hint").map(String::as_str), Some(ALICE.email));
}

#[test]
fn c029_a_posted_request_from_another_site_finds_the_session() {
    let world = World::new();
    let (client, mut browser) = (Client::access(), world.server.browser());
    client.sign_in(&world.server, &mut browser, &client.ask(&world.server));
    let before = world.upstream_logins().len();
    let ask = client.ask(&world.server).with("prompt", "none");
    let page = browser.post_from("https://rp.example.com/", ask.endpoint(), &ask.params);
    ask.answer(&page).code();
    assert_eq!(world.upstream_logins().len(), before, "nobody was sent upstream");
}

#[test]
fn a023_texts_in_a_url_are_never_shown() {
    let world = World::new();
    let canary = "CanaryTextOfAStranger";
    let query =
        format!("error={canary}&error_description={canary}&error_hint={canary}&message={canary}&state={canary}");
    for path in [
        "/acs/authorize",
        "/federation/auth/response/oauth2/contoso",
        "/federation/auth/response/oauth2",
        "/federation/auth/initiate",
        "/acs/openid/logout",
        "/nowhere",
    ] {
        let mut browser = world.server.browser();
        let page = browser.open(&world.server.url(&format!("{path}?{query}")));
        assert!(!page.text().contains(canary), "{path}: {}", page.text());
    }
}

#[test]
fn a024_discovery_promises_iss_and_every_answer_has_it() {
    let world = World::new();
    let discovery = world.server.get("/acs/.well-known/openid-configuration").json();
    assert_eq!(discovery["authorization_response_iss_parameter_supported"], true);
    assert_eq!(discovery["issuer"], world.server.issuer.as_str());
    assert_eq!(discovery["code_challenge_methods_supported"], serde_json::json!(["S256"]));
    assert_eq!(discovery["response_types_supported"], serde_json::json!(["code"]));
    let ask = Client::access().ask(&world.server);
    back(&world, &ask.clone().with("scope", "profile"), "invalid_scope");
    ask.run(&mut world.server.browser()).code(); // `run` compares iss
}

#[test]
fn a025_pkce_is_s256_with_43_characters_or_nothing() {
    let world = World::new();
    let ask = Client::access().ask(&world.server);
    back(&world, &ask.clone().without("code_challenge").without("code_challenge_method"), "invalid_request");
    back(&world, &ask.clone().without("code_challenge"), "invalid_request");
    for method in ["plain", "s256", "S512", ""] {
        back(&world, &ask.clone().with("code_challenge_method", method), "invalid_request");
    }
    back(&world, &ask.clone().without("code_challenge_method"), "invalid_request");
    for challenge in ["a".repeat(42), "a".repeat(44), format!("{}=", "a".repeat(42)), format!("{}+", "a".repeat(42))] {
        back(&world, &ask.clone().with("code_challenge", &challenge), "invalid_request");
    }
}
