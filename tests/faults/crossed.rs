//! Answers of providers replayed, or crossed between browsers and providers, many at once.

use super::nodes::{at_once, on_redis, two_providers};
use crate::support::browser::Browser;
use crate::support::client::{Client, Tokens, query};
use crate::support::http::{Request, Response};
use crate::support::redis::RedisServer;
use crate::world::{World, assert_page, person};

/// One callback opened by twenty tabs at once.
fn replayed(world: &World) {
    let mut browser = world.browser();
    let ask = world.ask();
    let callback = world.at_callback(&mut browser, &ask);
    let cookies: Vec<String> =
        browser.cookies(&callback).iter().map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
    let request = Request::get(&callback).header("Cookie", &cookies.join("; "));
    let answers = at_once(20, |_| world.server.send(&request));
    let (in_, out): (Vec<&Response>, Vec<&Response>) = answers.iter().partition(|answer| answer.is_redirect());
    assert_eq!(in_.len(), 1, "one tab ends at the client");
    assert!(out.iter().all(|answer| answer.status == 400), "the others at a page");
    assert_eq!(world.idp.count("/token"), 1, "one exchange");
    let told = query(in_[0].header("location").expect("a redirect"));
    assert_eq!(Client::access().redeem(&world.server, &ask, &told["code"]).status, 200);
}

#[test]
fn a046_a_callback_replayed_by_twenty_at_once_is_one_login() {
    replayed(&World::new());
}

#[test]
fn a046_a_callback_replayed_by_twenty_at_once_over_redis_is_one_login() {
    let redis = RedisServer::start();
    replayed(&on_redis(&redis));
}

#[test]
fn a043_callbacks_crossed_between_two_browsers_sign_nobody_in_and_spend_nothing() {
    let world = World::new();
    let mut browsers = Vec::new();
    for name in ["alice", "bob"] {
        world.idp.set(|script| script.person = person(name));
        let mut browser = world.browser();
        let ask = world.ask();
        let callback = world.at_callback(&mut browser, &ask);
        browsers.push((browser, ask, callback, name));
    }
    let urls = [browsers[1].2.clone(), browsers[0].2.clone()];
    std::thread::scope(|scope| {
        for ((browser, ..), url) in browsers.iter().zip(&urls) {
            let mut tab: Browser = browser.tab();
            scope.spawn(move || assert_page(&tab.open(url), 400));
        }
    });
    assert_eq!(world.idp.count("/token"), 0, "no code was turned in");
    for (browser, ask, callback, name) in &mut browsers {
        assert!(!world.is_signed_in(browser));
        let code = ask.answer(&browser.open(callback)).code();
        let answer = Client::access().redeem(&world.server, ask, &code);
        let tokens = Tokens::verified(&world.server, &Client::access(), Some(ask), &answer);
        assert_eq!(tokens.claims["given_name"], *name, "g08: each is who signed in");
    }
}

#[test]
fn a038_an_answer_brought_to_another_providers_address_is_a_mix_up_and_goes_nowhere() {
    let (world, other) = two_providers();
    let mut browser = world.browser();
    let ask = world.ask().hint("alice@contoso.com");
    let callback = world.at_callback(&mut browser, &ask);
    assert!(callback.contains("/oauth2/contoso?"), "{callback}");
    assert_page(&browser.open(&callback.replace("/oauth2/contoso?", "/oauth2/fabrikam?")), 400);
    assert_eq!((world.idp.count("/token"), other.count("/token")), (0, 0), "the code went to nobody");
    assert!(!world.is_signed_in_without_choice(&browser));
    // Two logins of one browser with their codes exchanged: each provider gets only what it issued, and refuses.
    let mut browser = world.browser();
    let (to_alice, to_bob) = (world.ask().hint("alice@contoso.com"), world.ask().hint("bob@contoso.co.uk"));
    let first = world.at_callback(&mut browser, &to_alice);
    let second = world.at_callback(&mut browser, &to_bob);
    let crossed = first.replace(&format!("code={}", query(&first)["code"]), "code=of-another-provider");
    assert!(second.contains("/oauth2/fabrikam?"), "{second}");
    assert_eq!(to_alice.answer(&browser.open(&crossed)).error(), "server_error");
    let code = to_bob.answer(&browser.open(&second)).code();
    let answer = Client::access().redeem(&world.server, &to_bob, &code);
    let tokens = Tokens::verified(&world.server, &Client::access(), Some(&to_bob), &answer);
    assert_eq!(tokens.claims["given_name"], "bob", "the other login is untouched");
}

impl World {
    fn is_signed_in_without_choice(&self, browser: &Browser) -> bool {
        self.ask().with("prompt", "none").run(&mut browser.tab()).fields.contains_key("code")
    }
}
