//! Who an identity is, who may enter, and what a hint may do.

use serde_json::json;
use vestibule::base::Span;

use crate::support::client::{Client, userinfo};
use crate::world::{ALICE, BOB, World, without_reference};

#[test]
fn a150_two_hints_that_differ_are_refused_and_equal_ones_are_one() {
    let world = World::new();
    let ask = Client::access().ask(&world.server);
    let mut browser = world.server.browser();
    let differing = ask.clone().hint(ALICE.email).with("u", BOB.email);
    assert_eq!(differing.run(&mut browser).error(), "invalid_request");
    let doubled = ask.clone().hint(ALICE.email).and("login_hint", ALICE.email);
    assert_eq!(doubled.run(&mut browser).error(), "invalid_request");
    world.nothing_happened(&browser);
    ask.clone().hint(ALICE.email).with("u", ALICE.email).run(&mut browser).code();
    ask.with("u", ALICE.email).run(&mut world.server.browser()).code();
    assert!(world.upstream_logins().iter().all(|asked| asked["login_hint"] == ALICE.email));
}

#[test]
fn a143_a_hint_arrives_upstream_byte_for_byte() {
    let world = World::new();
    for hint in [
        "a+b@example.org",
        "a&prompt=none#x",
        "%26client_id=evil",
        "a;b",
        "alice_contoso.com#EXT#@tenant.onmicrosoft.com",
        "jürgen.müller@exämple.org",
        "  padded ",
        "日本語",
        "a\"b'c<d>",
    ] {
        let before = world.upstream_logins().len();
        Client::access().ask(&world.server).hint(hint).run(&mut world.server.browser()).code();
        let seen = &world.idp.last("/authorize").expect("somebody came").query;
        let pairs: Vec<(String, String)> = form_urlencoded::parse(seen.as_bytes()).into_owned().collect();
        let hints: Vec<&str> = pairs.iter().filter(|(n, _)| n == "login_hint").map(|(_, v)| v.as_str()).collect();
        assert_eq!(hints, [hint]);
        assert_eq!(pairs.iter().filter(|(n, _)| n == "client_id").count(), 1);
        assert_eq!(world.upstream_logins().len(), before + 1);
    }
}

#[test]
fn a152_somebody_else_than_hinted_gets_a_page_and_no_session() {
    let world = World::new();
    let ask = Client::access().ask(&world.server).hint("bob@contoso.com");
    let mut browser = world.server.browser();
    let page = browser.open(&ask.url()); // and Alice signs in
    crate::world::is_guarded(page.response());
    assert!(!world.is_signed_in(&browser));
    let cancel = page.form_with("action").press("action", "cancel");
    let again = page.forms().into_iter().find(|form| form.fields.iter().any(|(n, _)| n == "handle"));
    assert!(again.is_some(), "a way to sign in again");
    assert_eq!(ask.answer(&browser.submit(&page, &cancel)).error(), "access_denied");
    assert!(!world.is_signed_in(&browser));
}

#[test]
fn a163_somebody_elses_names_on_a_strange_identity_open_nothing() {
    let world = World::with(|setup, _| {
        setup.provisioned();
    });
    world.provision(BOB.sub, BOB.email);
    world.idp.set(|script| {
        script.person = BOB.claims();
        script.person.insert("sub".to_owned(), "attacker".into());
        script.person.insert("oid".to_owned(), BOB.sub.into());
        script.person.insert("upn".to_owned(), BOB.email.into());
    });
    let mut browser = world.server.browser();
    let page = browser.open(&Client::access().ask(&world.server).url());
    if page.answer.is_some() {
        world.is_page(&page, 403);
    } else {
        assert_eq!(page.query().get("error").map(String::as_str), Some("access_denied"), "{}", page.url);
    }
    assert!(!world.is_signed_in(&browser));
}

#[test]
fn a166_one_sub_at_two_providers_of_two_directories_is_two_people() {
    let world = World::two_idps_with(|setup, _, other| {
        setup.file(
            "directories/fabrikam.toml",
            "name = \"Fabrikam\"\ndomains = [\"fabrikam.com\"]\ndefault_domain = \"fabrikam.com\"\nsource = \"generic\"\ntype = \"jit\"\n",
        );
        setup.idp("fabrikam", &other.issuer(), &["fabrikam.com"]);
        setup.edit("idps/fabrikam.toml", "directory = \"contoso\"", "directory = \"fabrikam\"");
    });
    world.other().set(|script| {
        script.person = BOB.claims();
        script.person.insert("sub".to_owned(), ALICE.sub.into());
        script.person.insert("email".to_owned(), "bob@fabrikam.com".into());
        script.person.insert("preferred_username".to_owned(), "bob@fabrikam.com".into());
    });
    let client = Client::access();
    let sign_in =
        |hint: &str| client.sign_in(&world.server, &mut world.server.browser(), &client.ask(&world.server).hint(hint));
    let (alice, bob) = (sign_in(ALICE.email), sign_in("bob@fabrikam.com"));
    assert_ne!(alice.sub(), bob.sub());
    assert_eq!(bob.claims["given_name"], BOB.given);
}

#[test]
fn a171_a_leavers_name_given_to_a_new_hire_brings_nothing_of_the_leaver() {
    let world = World::new();
    let client = Client::access();
    let mut leavers = world.server.browser();
    let leaver = world.sign_in_for_long(&client, &mut leavers);
    world.server.deactivate(leaver.sub());
    world.idp.set(|script| {
        script.person = ALICE.claims();
        script.person.insert("sub".to_owned(), "new-hire".into());
    });
    let mut browser = world.server.browser();
    let page = browser.open(&client.ask(&world.server).url());
    if page.answer.is_none() && page.query().contains_key("code") {
        let hire = world.sign_in(&mut browser);
        assert_ne!(hire.sub(), leaver.sub());
    }
    assert!(!world.is_signed_in(&leavers));
    assert_eq!(userinfo(&world.server, &leaver.access).status, 401);
    assert_eq!(client.refresh(&world.server, leaver.refresh()).error(), "invalid_grant");
}

#[test]
fn a172_a_person_who_came_back_under_a_new_external_id_is_not_the_old_one() {
    let world = World::with(|setup, _| {
        setup.provisioned();
    });
    let before = world.provision(ALICE.sub, ALICE.email);
    let tokens = world.sign_in(&mut world.server.browser());
    assert_eq!(tokens.sub(), before);
    world.idp.set(|script| {
        script.person.insert("sub".to_owned(), "alice-again".into());
    });
    let mut browser = world.server.browser();
    let page = browser.open(&Client::access().ask(&world.server).url());
    assert!(page.answer.is_some() || page.query().contains_key("error"), "{}", page.url);
    assert!(!world.is_signed_in(&browser));
}

#[test]
fn a173_unknown_and_inactive_people_see_one_text() {
    let world = World::with(|setup, _| {
        setup.provisioned();
    });
    let alice = world.provision(ALICE.sub, ALICE.email);
    world.server.deactivate(&alice);
    let outcome = |person: &crate::world::Person| {
        world.next_is(person);
        let mut browser = world.server.browser();
        let ask = Client::access().ask(&world.server);
        let page = browser.open(&ask.url());
        assert!(!world.is_signed_in(&browser));
        match &page.answer {
            Some(answer) => (answer.status, without_reference(&answer.text())),
            None => (303, page.query()["error"].clone()),
        }
    };
    let (inactive, unknown) = (outcome(&ALICE), outcome(&BOB));
    assert_eq!(inactive.0, unknown.0);
    assert_eq!(plain(&inactive.1), plain(&unknown.1));
}

/// A page without the secrets that are drawn for each.
fn plain(html: &str) -> Vec<&str> {
    let words = html.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'));
    words.filter(|word| word.len() != 43).collect()
}

#[test]
fn a173_prompt_none_tells_the_client_that_access_is_denied_or_a_login_is_needed() {
    let world = World::new();
    let mut browser = world.server.browser();
    let tokens = world.sign_in(&mut browser);
    world.server.deactivate(tokens.sub());
    let silent = Client::access().ask(&world.server).with("prompt", "none");
    let error = silent.run(&mut browser).error().to_owned();
    assert!(matches!(error.as_str(), "access_denied" | "login_required"), "{error}");
}

#[test]
fn a174_a_login_never_revives_somebody_who_was_switched_off() {
    let world = World::new();
    let tokens = world.sign_in(&mut world.server.browser());
    world.server.deactivate(tokens.sub());
    world.idp.set(|script| {
        script.person.insert("active".to_owned(), json!(true));
    });
    world.advance(Span::minutes(1));
    let mut browser = world.server.browser();
    let page = browser.open(&Client::access().ask(&world.server).url());
    assert!(page.answer.is_some() || page.query().contains_key("error"), "{}", page.url);
    assert!(!world.is_signed_in(&browser));
}
