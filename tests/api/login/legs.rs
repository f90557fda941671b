//! Which provider, whose login: the page of choice, third-party-initiated logins, sessions of another provider.

use crate::support::browser::Cookie;
use crate::support::client::{Ask, Client};
use crate::world::{ALICE, BOB, SESSION_COOKIE, World, is_guarded};

fn encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// A world in which nobody can tell the provider from the request, and the page that asks for it.
fn at_the_choice(world: &World) -> (Ask, crate::support::browser::Browser, crate::support::browser::Page) {
    let ask = Client::access().ask(&world.server);
    let mut browser = world.server.browser();
    let page = browser.open(&ask.url());
    assert_eq!(page.status(), 200, "{}", page.text());
    is_guarded(page.response());
    (ask, browser, page)
}

#[test]
fn a022_somebody_elses_page_of_choice_is_no_way_into_their_login() {
    let world = World::two_idps();
    let (ask, mut browser, page) = at_the_choice(&world);
    let form = page.form_with("idp").press("idp", "contoso");
    let mut thief = world.server.browser();
    world.is_page(&thief.submit(&page, &form), 400);
    world.nothing_happened(&thief);
    ask.answer(&browser.submit(&page, &form)).code(); // that login is untouched
}

#[test]
fn a052_a_choice_of_a_provider_that_was_not_offered_leads_nowhere() {
    let world = World::two_idps_with(|setup, _, other| {
        setup.idp("third", &format!("{}/third", other.issuer()), &[]);
        setup.keys("clients/access.toml", "idps = [\"contoso\", \"fabrikam\"]");
    });
    let (_, mut browser, page) = at_the_choice(&world);
    assert!(!page.text().contains("The third provider"), "{}", page.text());
    for id in ["third", "nobody", ""] {
        let form = page.form_with("idp").press("idp", id);
        let after = browser.submit(&page, &form);
        match &after.answer {
            Some(answer) => assert!(answer.status < 500, "{id}: {answer:?}"),
            None => assert!(after.url.contains("error=access_denied"), "{id}: {}", after.url),
        }
        assert!(world.upstream_logins().is_empty(), "{id}: nobody was sent upstream");
    }
}

#[test]
fn a052_choosing_again_makes_the_first_choice_worthless() {
    let world = World::two_idps();
    let (ask, mut browser, page) = at_the_choice(&world);
    let form = page.form_with("idp");
    let choose = |browser: &mut crate::support::browser::Browser, id: &str| {
        let fields = form.clone().press("idp", id).fields;
        let request = crate::support::http::Request::form(&world.server.url("/acs/continue"), &fields)
            .header("Origin", &world.server.base)
            .header("Cookie", &cookies(browser));
        let answer = world.server.send(&request);
        assert_eq!(answer.status, 303, "{}", answer.text());
        for header in answer.all("set-cookie") {
            let (name, rest) = header.split_once('=').expect("a cookie");
            browser.plant(&world.server.base, name, rest.split(';').next().unwrap_or_default());
        }
        answer.header("location").expect("a provider").to_owned()
    };
    let first = choose(&mut browser, "contoso");
    let second = choose(&mut browser, "fabrikam");
    let parts = |url: &str| crate::support::client::query(url);
    for name in ["state", "nonce", "code_challenge"] {
        assert_ne!(parts(&first)[name], parts(&second)[name], "{name} is drawn anew");
    }
    world.is_page(&browser.tab().open(&first), 400);
    assert_eq!(world.exchanges(), 0, "the first choice is dead");
    ask.answer(&browser.open(&second)).code();
}

fn cookies(browser: &crate::support::browser::Browser) -> String {
    let all = browser.cookies("https://id.example.com/");
    all.iter().map(|c| format!("{}={}", c.name, c.value)).collect::<Vec<_>>().join("; ")
}

#[test]
fn a054_after_a_sign_out_the_next_person_begins_afresh() {
    let world = World::new();
    let mut browser = world.server.browser();
    let alice = world.sign_in(&mut browser);
    let before = browser.cookies(&world.server.base);
    browser.open(&world.server.url(&format!("/acs/openid/logout?id_token_hint={}", alice.id_token)));
    assert!(!world.is_signed_in(&browser));
    world.next_is(&BOB);
    let bob = world.sign_in(&mut browser);
    assert_ne!(alice.sub(), bob.sub());
    assert_ne!(alice.claims["sid"], bob.claims["sid"]);
    let session = |cookies: Vec<Cookie>| cookies.into_iter().find(|c| c.name == SESSION_COOKIE).map(|c| c.value);
    let now = session(browser.cookies(&world.server.base));
    assert!(now.is_some() && now != session(before), "a session of its own");
}

#[test]
fn a055_an_unknown_issuer_or_a_foreign_target_begins_no_login() {
    let world = World::new();
    let issuer = encode(&world.idp.issuer());
    for query in [
        String::new(),
        "iss=https%3A%2F%2Fevil.test".to_owned(),
        format!("iss={issuer}%2F"),
        format!("iss={issuer}&iss={issuer}"),
        format!("iss={issuer}&target_link_uri=https%3A%2F%2Fevil.test%2F"),
        format!("iss={issuer}&target_link_uri=https%3A%2F%2Frp.example.com.evil.test%2F"),
        format!("iss={issuer}&target_link_uri=https%3A%2F%2Frp.example.com%40evil.test%2F"),
        format!("iss={issuer}&target_link_uri=javascript%3Aalert(1)"),
        format!("iss={issuer}&target_link_uri=%2F%2Fevil.test"),
    ] {
        let mut browser = world.server.browser();
        let page = browser.open(&world.server.url(&format!("/federation/auth/initiate?{query}")));
        world.is_page(&page, 400);
        world.nothing_happened(&browser);
    }
}

#[test]
fn a055_a_provider_begins_a_login_that_ends_on_our_page_of_links() {
    let world = World::with(|setup, _| {
        setup.keys("clients/second.toml", "initiate_login_uri = \"https://second.example.com/start\"");
    });
    let query = format!("iss={}&login_hint={}", encode(&world.idp.issuer()), encode(ALICE.email));
    for target in ["", "&target_link_uri=https%3A%2F%2Frp.example.com%2Fstart"] {
        let mut browser = world.server.browser();
        let page = browser.open(&world.server.url(&format!("/federation/auth/initiate?{query}{target}")));
        assert_eq!(page.status(), 200, "{}", page.text());
        is_guarded(page.response());
        assert!(page.url.starts_with(&world.server.base), "{}", page.url);
        assert!(page.text().contains("https://second.example.com/start"), "{}", page.text());
        assert!(world.is_signed_in(&browser));
    }
    assert!(world.upstream_logins().iter().all(|asked| asked["login_hint"] == ALICE.email));
}

#[test]
fn a055_a_client_with_a_start_page_is_sent_there_with_issuer_hint_and_target() {
    let world = World::with(|setup, _| {
        setup.keys("clients/access.toml", "initiate_login_uri = \"https://rp.example.com/start?tenant=1\"");
    });
    let target = "https://rp.example.com/deep?a=b";
    let query = format!(
        "iss={}&login_hint={}&target_link_uri={}",
        encode(&world.idp.issuer()),
        encode(ALICE.email),
        encode(target)
    );
    let mut browser = world.server.browser();
    let page = browser.open(&world.server.url(&format!("/federation/auth/initiate?{query}")));
    assert!(page.answer.is_none() && page.url.starts_with("https://rp.example.com/start?tenant=1&"), "{}", page.url);
    let sent = page.query();
    assert_eq!(sent["iss"], world.server.issuer);
    assert_eq!(sent["login_hint"], ALICE.email);
    assert_eq!(sent["target_link_uri"], target);
    world.nothing_happened(&browser);
}

#[test]
fn a055_a_target_that_is_a_start_page_needs_no_redirect_uri_of_its_origin() {
    let world = World::with(|setup, _| {
        setup.keys("clients/access.toml", "initiate_login_uri = \"https://start.example.com/begin\"");
    });
    let open = |target: &str| {
        let query = format!("iss={}&target_link_uri={}", encode(&world.idp.issuer()), encode(target));
        let mut browser = world.server.browser();
        let page = browser.open(&world.server.url(&format!("/federation/auth/initiate?{query}")));
        world.nothing_happened(&browser);
        page
    };
    let sent = open("https://start.example.com/begin");
    assert!(sent.answer.is_none() && sent.url.starts_with("https://start.example.com/begin?iss="), "{}", sent.url);
    for other in ["https://start.example.com/", "https://start.example.com/begin/", "https://START.example.com/begin"] {
        world.is_page(&open(other), 400);
    }
}

#[test]
fn a056_a_session_of_one_provider_is_not_lent_to_a_client_of_another() {
    let world = World::two_idps_with(|setup, _, _| {
        setup.keys("clients/second.toml", "idps = [\"fabrikam\"]");
    });
    let (first, second) = (Client::access(), Client::second());
    let mut browser = world.server.browser();
    first.sign_in(&world.server, &mut browser, &first.ask(&world.server).hint(ALICE.email));
    let silent = second.ask(&world.server).with("prompt", "none");
    assert_eq!(silent.run(&mut browser).error(), "login_required");
    let before = world.other().count("/authorize");
    let tokens = second.sign_in(&world.server, &mut browser, &second.ask(&world.server));
    assert_eq!(world.other().count("/authorize"), before + 1, "the person signs in at the other one");
    assert_eq!(tokens.claims["email"], BOB.email);
}

#[test]
fn a056_a_session_of_another_directory_is_not_lent_either() {
    let world = World::two_idps_with(|setup, _, other| {
        setup.file(
            "directories/fabrikam.toml",
            "name = \"Fabrikam\"\ndomains = [\"fabrikam.com\"]\ndefault_domain = \"fabrikam.com\"\nsource = \"generic\"\ntype = \"jit\"\n",
        );
        setup.idp("fabrikam", &other.issuer(), &["fabrikam.com"]);
        setup.edit("idps/fabrikam.toml", "directory = \"contoso\"", "directory = \"fabrikam\"");
        setup.keys("clients/second.toml", "idps = [\"fabrikam\"]");
    });
    let mut browser = world.server.browser();
    let alice = Client::access().ask(&world.server).hint(ALICE.email);
    Client::access().sign_in(&world.server, &mut browser, &alice);
    let silent = Client::second().ask(&world.server).with("prompt", "none");
    assert_eq!(silent.run(&mut browser).error(), "login_required");
    let by_domain = Client::access().ask(&world.server).with("prompt", "none").with("domain", "fabrikam.com");
    assert_eq!(by_domain.run(&mut browser).error(), "login_required");
}

#[test]
fn a188_a_form_of_ours_sent_by_another_site_changes_nothing() {
    let world = World::two_idps();
    let (ask, mut browser, page) = at_the_choice(&world);
    let form = page.form_with("idp").press("idp", "contoso");
    let foreign = browser.post_from("https://evil.test/", &world.server.url("/acs/continue"), &form.fields);
    assert!(matches!(foreign.status(), 400 | 403), "{}", foreign.status());
    assert!(world.upstream_logins().is_empty());
    let without = browser.post_from(&world.server.base, &world.server.url("/acs/continue"), &[("idp", "contoso")]);
    assert!(matches!(without.status(), 400 | 403), "{}", without.status());
    assert!(world.upstream_logins().is_empty());
    ask.answer(&browser.submit(&page, &form)).code();
}

#[test]
fn c079_a_person_may_cancel_at_the_page_of_choice() {
    let world = World::two_idps();
    let (ask, mut browser, page) = at_the_choice(&world);
    let form = page.form_with("action").press("action", "cancel");
    assert_eq!(ask.answer(&browser.submit(&page, &form)).error(), "access_denied");
    world.nothing_happened(&browser);
}
