//! Somebody is switched off, at each point of a login: refused from that moment. A034, A104, A112, A173, G03.

use crate::support::client::{Client, Tokens};
use crate::world::{World, assert_page, assert_refused, person};

/// Alice is known and active, with one login behind her.
struct Known {
    world: World,
    tokens: Tokens,
}

impl Known {
    fn new() -> Self {
        let world = World::new();
        let tokens = world.offline();
        Self { world, tokens }
    }

    fn off(&self) {
        self.world.server.deactivate(self.tokens.sub());
    }
}

#[test]
fn a173_before_the_callback() {
    let Known { world, tokens } = Known::new();
    let mut browser = world.browser();
    let ask = world.ask();
    let callback = world.at_callback(&mut browser, &ask);
    world.server.deactivate(tokens.sub());
    let page = browser.open(&callback);
    assert_page(&page, 403);
    assert!(!world.is_signed_in(&browser));
    // The way back tells the client, and no more than that.
    let form = page.form_with("action").press("action", "cancel");
    assert_eq!(ask.answer(&browser.submit(&page, &form)).error(), "access_denied");
    assert_eq!(world.user_ids("alice"), [tokens.sub().to_owned()], "a174: no second account was made");
}

#[test]
fn a173_the_page_is_the_same_for_somebody_switched_off_and_somebody_unusable() {
    let known = Known::new();
    known.off();
    let text = || {
        let page = known.world.browser().open(&known.world.ask().url());
        assert_page(&page, 403);
        page.text().split("<form").next().unwrap_or_default().to_owned()
    };
    let switched_off = text();
    known.world.idp.set(|script| {
        script.person = person("alice");
        script.person.remove("preferred_username");
        script.person.remove("email");
        script.person.insert("sub".to_owned(), "somebody-else".into());
    });
    let page = known.world.browser().open(&known.world.ask().url());
    if page.answer.is_some() {
        assert_eq!(switched_off, page.text().split("<form").next().unwrap_or_default());
    }
}

#[test]
fn a034_after_the_code_was_issued() {
    let known = Known::new();
    let (ask, code) = known.world.code();
    known.off();
    assert_refused(&Client::access().redeem(&known.world.server, &ask, &code), "invalid_grant");
}

#[test]
fn a104_before_a_refresh() {
    let known = Known::new();
    known.off();
    assert_refused(&Client::access().refresh(&known.world.server, known.tokens.refresh()), "invalid_grant");
}

#[test]
fn a112_before_userinfo_with_opaque_and_signed_tokens() {
    let world = World::with(|setup| {
        setup.keys("clients/second.toml", "access_token = \"jwt\"");
    });
    let (opaque, signed) = (world.offline(), world.offline_of(&Client::second()));
    world.assert_alive(&opaque.access);
    world.assert_alive(&signed.access);
    world.server.deactivate(opaque.sub());
    world.assert_dead(&opaque.access);
    world.assert_dead(&signed.access);
}

#[test]
fn a173_before_a_session_is_used_again_and_with_prompt_none() {
    let world = World::new();
    let mut browser = world.browser();
    let tokens = world.sign_in(&mut browser);
    world.server.deactivate(tokens.sub());
    assert_eq!(world.ask().with("prompt", "none").run(&mut browser).error(), "login_required");
    assert_eq!(world.sent_upstream(), 1);
    let page = browser.open(&world.ask().url());
    assert_page(&page, 403);
    assert_eq!(world.sent_upstream(), 2, "the session answers nothing");
}

#[test]
fn g03_others_are_not_touched() {
    let world = World::new();
    let alice = world.offline();
    world.idp.set(|script| script.person = person("bob"));
    let bob = world.offline();
    world.server.deactivate(alice.sub());
    world.assert_alive(&bob.access);
    assert_eq!(Client::access().refresh(&world.server, bob.refresh()).status, 200);
}
