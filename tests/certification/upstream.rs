//! Us as relying party, as far as the whole product shows it: C084, C092, C096, C097, C099, C100.

use serde_json::json;
use vestibule::base::Span;

use crate::support::browser::{Browser, Page};
use crate::support::client::{Ask, Client, query};
use crate::world::{World, assert_page, person};

#[test]
fn c084_the_plain_flow_upstream_works() {
    let world = World::new();
    let tokens = world.sign_in(&mut world.browser());
    assert_eq!(world.idp.count("/token"), 1);
    assert_eq!(tokens.claims["email"], "alice@contoso.com");
}

#[test]
fn c092_userinfo_of_another_subject_ends_the_login() {
    let world = World::with(|setup| {
        setup.keys("idps/contoso.toml", "userinfo = \"always\"");
    });
    world.idp.set(|script| script.userinfo_claims = Some(person("mallory")));
    let mut browser = world.browser();
    assert_eq!(world.ask().run(&mut browser).error(), "server_error");
    assert!(!world.is_signed_in(&browser));
    assert!(world.user_ids("alice").is_empty() && world.user_ids("mallory").is_empty(), "nobody was created");
    world.idp.set(|script| script.userinfo_claims = Some(person("alice")));
    world.sign_in(&mut browser);
}

#[test]
fn c096_a_new_key_in_a_later_login_is_fetched_once() {
    let world = World::new();
    world.sign_in(&mut world.browser());
    assert_eq!(world.idp.count("/jwks"), 1);
    world.idp.rotate_keys();
    world.server.advance(Span::minutes(5));
    world.sign_in(&mut world.browser());
    world.sign_in(&mut world.browser());
    assert_eq!(world.idp.count("/jwks"), 2);
}

#[test]
fn c097_a_key_rotated_just_before_signing_is_fetched_once() {
    let world = World::new();
    world.sign_in(&mut world.browser());
    world.server.advance(Span::minutes(5));
    let mut browser = world.browser();
    let ask = world.ask();
    let callback = world.at_callback(&mut browser, &ask);
    world.idp.rotate_keys();
    let code = ask.answer(&browser.open(&callback)).code();
    assert_eq!(Client::access().redeem(&world.server, &ask, &code).status, 200);
    assert_eq!(world.idp.count("/jwks"), 2);
}

/// The provider's answer as a form that its page posts, without our cookies.
fn posted(world: &World, browser: &mut Browser, ask: &Ask) -> Page {
    let callback = world.at_callback(browser, ask);
    let (address, _) = callback.split_once('?').expect("an answer by query");
    let fields: Vec<(String, String)> = query(&callback).into_iter().collect();
    browser.post_from(&world.idp.issuer(), address, &fields)
}

#[test]
fn c099_an_error_by_form_post_is_handled_as_an_error() {
    let world = World::new();
    for (error, told) in [("login_required", "login_required"), ("made_up", "server_error")] {
        world.idp.set(|script| script.authorize_error = Some(error));
        let mut browser = world.browser();
        let ask = world.ask().with("max_age", "0");
        let page = posted(&world, &mut browser, &ask);
        assert_eq!(ask.answer(&page).error(), told);
        assert!(!world.is_signed_in(&browser));
    }
    // prompt=none needs no provider.
    assert_eq!(world.ask().with("prompt", "none").run(&mut world.browser()).error(), "login_required");
    assert_eq!(world.idp.count("/token"), 0);
    // And a code by the same way signs in.
    world.idp.set(|script| script.authorize_error = None);
    let mut browser = world.browser();
    let ask = world.ask();
    let page = posted(&world, &mut browser, &ask);
    ask.answer(&page).code();
    assert!(world.is_signed_in(&browser));
}

#[test]
fn c100_a_third_party_may_begin_a_login() {
    let world = World::new();
    let mut browser = world.browser();
    let start = world.server.url("/federation/auth/initiate");
    let query_string = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("iss", world.idp.issuer()), ("login_hint", "alice@contoso.com".to_owned())])
        .finish();
    let page = browser.open(&format!("{start}?{query_string}"));
    assert_page(&page, 200);
    let asked = world.idp.last("/authorize").expect("sent there").params();
    assert_eq!(asked.get("login_hint").map(String::as_str), Some("alice@contoso.com"));
    assert!(world.is_signed_in(&browser));
    assert_eq!(world.sent_upstream(), 1);
}

#[test]
fn c100_a_client_with_a_start_page_is_sent_there_and_comes_back() {
    let world = World::with(|setup| {
        setup.keys("clients/access.toml", "initiate_login_uri = \"https://rp.example.com/start\"");
    });
    let mut browser = world.browser();
    let start = world.server.url("/federation/auth/initiate");
    let params = [
        ("iss", world.idp.issuer()),
        ("login_hint", "a+b&c@contoso.com".to_owned()),
        ("target_link_uri", "https://rp.example.com/apps/7?x=1".to_owned()),
    ];
    let query_string = form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
    let page = browser.open(&format!("{start}?{query_string}"));
    assert!(page.url.starts_with("https://rp.example.com/start?"), "{}", page.url);
    let told = query(&page.url);
    assert_eq!(told["iss"], world.server.issuer);
    assert_eq!(told["login_hint"], "a+b&c@contoso.com");
    assert_eq!(told["target_link_uri"], "https://rp.example.com/apps/7?x=1");
    assert_eq!(world.sent_upstream(), 0);
    assert!(!world.is_signed_in(&browser));
}

#[test]
fn c108_an_audience_as_one_element_list_and_an_odd_token_type_are_accepted() {
    let world = World::new();
    world.idp.set(|script| {
        script.claims = Some(std::sync::Arc::new(|claims| {
            let aud = claims["aud"].clone();
            claims.insert("aud".to_owned(), json!([aud]));
        }));
        script.token_body = Some(std::sync::Arc::new(|body| {
            body.insert("token_type".to_owned(), json!("bEARER"));
            body.remove("expires_in");
        }));
    });
    world.sign_in(&mut world.browser());
}
