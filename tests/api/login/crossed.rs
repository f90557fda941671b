//! Answers that arrive at the wrong place, twice, late, or in another browser.

use vestibule::base::Span;

use crate::support::client::Client;
use crate::support::http::Request;
use crate::world::{BOB, World};

#[test]
fn a038_an_answer_with_another_providers_state_is_a_mix_up() {
    let world = World::two_idps();
    let ask = Client::access().ask(&world.server);
    let mut browser = world.server.browser();
    let at_contoso = world.at_the_callback(&mut browser, &ask.clone().hint("alice@contoso.com"));
    let crossed = at_contoso.replace("/oauth2/contoso", "/oauth2/fabrikam");
    assert_ne!(crossed, at_contoso);
    world.is_page(&browser.open(&crossed), 400);
    assert_eq!(world.exchanges(), 0, "no code went to either provider");
    assert!(!world.is_signed_in(&browser));
}

#[test]
fn a039_on_the_shared_path_iss_tells_providers_apart() {
    let world = World::two_idps_with(|setup, _, _| {
        for idp in ["contoso", "fabrikam"] {
            setup.keys(&format!("idps/{idp}.toml"), "redirect = \"shared\"");
        }
    });
    let ask = Client::access().ask(&world.server).hint("alice@contoso.com");
    let mut browser = world.server.browser();
    let url = world.at_the_callback(&mut browser, &ask);
    assert!(url.contains("/federation/auth/response/oauth2?"), "the vendor's path: {url}");
    let encode = |issuer: String| form_urlencoded::byte_serialize(issuer.as_bytes()).collect::<String>();
    let crossed = url.replace(&encode(world.idp.issuer()), &encode(world.other().issuer()));
    assert_ne!(crossed, url);
    world.is_page(&browser.open(&crossed), 400);
    assert_eq!(world.exchanges(), 0);
    assert!(!world.is_signed_in(&browser));
}

#[test]
fn a041_a_promised_iss_must_be_there_once_and_equal() {
    let world = World::new();
    let without = |url: &str| {
        let (head, query) = url.split_once('?').expect("a query");
        let kept: Vec<&str> = query.split('&').filter(|pair| !pair.starts_with("iss=")).collect();
        format!("{head}?{}", kept.join("&"))
    };
    let changes: [&dyn Fn(&str) -> String; 4] = [
        &without,
        &|url| format!("{}&iss=https%3A%2F%2Fevil.test", without(url)),
        &|url| format!("{url}&iss=https%3A%2F%2Fevil.test"),
        &|url| {
            let issuer = form_urlencoded::byte_serialize(world.idp.issuer().as_bytes()).collect::<String>();
            url.replace(&issuer, &format!("{issuer}%2F"))
        },
    ];
    for change in changes {
        let mut browser = world.server.browser();
        let url = world.at_the_callback(&mut browser, &Client::access().ask(&world.server));
        let changed = change(&url);
        assert_ne!(changed, url);
        world.is_page(&browser.open(&changed), 400);
        assert_eq!(world.exchanges(), 0, "{changed}");
        assert!(!world.is_signed_in(&browser));
    }
}

#[test]
fn a042_a_strangers_code_with_an_unknown_state_is_refused() {
    let world = World::new();
    let code = world.idp.issue_code("vestibule", "nonce");
    let issuer = form_urlencoded::byte_serialize(world.idp.issuer().as_bytes()).collect::<String>();
    for state in ["", "x", &"s".repeat(43)] {
        let path = format!("/federation/auth/response/oauth2/contoso?code={code}&state={state}&iss={issuer}");
        let mut browser = world.server.browser();
        world.is_page(&browser.open(&world.server.url(&path)), 400);
        assert_eq!(world.exchanges(), 0);
        assert!(!world.is_signed_in(&browser));
    }
}

#[test]
fn a043_an_attackers_callback_does_not_sign_the_victim_in_and_stays_his() {
    let world = World::new();
    let ask = Client::access().ask(&world.server);
    let mut attacker = world.server.browser();
    let url = world.at_the_callback(&mut attacker, &ask);
    let mut victim = world.server.browser();
    world.is_page(&victim.open(&url), 400);
    assert!(!world.is_signed_in(&victim));
    assert_eq!(world.exchanges(), 0, "the token endpoint was not called");
    ask.answer(&attacker.open(&url)).code(); // the attacker's own login is untouched
}

#[test]
fn a044_an_attackers_upstream_url_leads_the_victim_to_a_page() {
    let world = World::new();
    let ask = Client::access().ask(&world.server);
    let mut attacker = world.server.browser();
    let upstream = attacker.until(&ask.url(), |url| url.starts_with(&world.idp.issuer()));
    let mut victim = world.server.browser();
    world.is_page(&victim.open(&upstream), 400);
    assert_eq!(world.exchanges(), 0);
    assert!(!world.is_signed_in(&victim));
}

#[test]
fn a044_a_victim_with_a_login_of_his_own_is_no_easier() {
    let world = World::new();
    let (mut attacker, mut victim) = (world.server.browser(), world.server.browser());
    let ask = Client::access().ask(&world.server);
    let foreign = world.at_the_callback(&mut attacker, &ask);
    let own_ask = Client::access().ask(&world.server);
    let own = world.at_the_callback(&mut victim, &own_ask);
    world.is_page(&victim.tab().open(&foreign), 400);
    assert_eq!(world.exchanges(), 0);
    own_ask.answer(&victim.open(&own)).code();
}

#[test]
fn a045_no_url_chooses_a_binding_secret() {
    let world = World::new();
    let planted = "A".repeat(43);
    let issuer = form_urlencoded::byte_serialize(world.idp.issuer().as_bytes()).collect::<String>();
    let query = format!(
        "iss={issuer}&auth_session={planted}&state={planted}&session={planted}&handle={planted}&binding={planted}"
    );
    let mut browser = world.server.browser();
    browser.step(&world.server.url(&format!("/federation/auth/initiate?{query}")));
    let ask = Client::access().ask(&world.server).with("auth_session", &planted).with("binding", &planted);
    browser.step(&ask.url());
    let cookies = browser.cookies(&world.server.base);
    assert_eq!(cookies.len(), 2, "one for each login: {cookies:?}");
    assert!(cookies.iter().all(|c| !c.value.contains(&planted)), "{cookies:?}");
}

#[test]
fn a046_a_callback_works_once() {
    let world = World::new();
    let ask = Client::access().ask(&world.server);
    let mut browser = world.server.browser();
    let url = world.at_the_callback(&mut browser, &ask);
    ask.answer(&browser.open(&url)).code();
    assert_eq!(world.exchanges(), 1);
    let text = world.is_page(&browser.open(&url), 400);
    assert!(text.contains("<a ") || text.contains("<form"), "a way on: {text}");
    world.is_page(&browser.tab().open(&url), 400);
    assert_eq!(world.exchanges(), 1, "one exchange only");
}

#[test]
fn a046_ten_tabs_with_one_callback_make_one_exchange() {
    let world = World::new();
    let ask = Client::access().ask(&world.server);
    let mut browser = world.server.browser();
    let url = world.at_the_callback(&mut browser, &ask);
    let codes = std::thread::scope(|scope| {
        let tabs: Vec<_> = (0..10)
            .map(|_| browser.tab())
            .map(|mut tab| {
                scope.spawn({
                    let url = &url;
                    move || tab.open(url)
                })
            })
            .collect();
        let pages: Vec<_> = tabs.into_iter().map(|tab| tab.join().expect("a tab")).collect();
        pages.into_iter().filter(|page| page.answer.is_none() && page.query().contains_key("code")).count()
    });
    assert_eq!(codes, 1);
    assert_eq!(world.exchanges(), 1);
}

#[test]
fn a047_a_callback_after_ten_minutes_is_a_page_with_a_way_on() {
    let world = World::new();
    let mut browser = world.server.browser();
    let url = world.at_the_callback(&mut browser, &Client::access().ask(&world.server));
    world.advance(Span::secs(601));
    world.is_page(&browser.open(&url), 400);
    assert_eq!(world.exchanges(), 0);
    assert!(!world.is_signed_in(&browser));
}

#[test]
fn a047_a_login_under_way_survives_an_orderly_restart() {
    let World { server, idp, .. } = World::new();
    let ask = Client::access().ask(&server);
    let mut browser = server.browser();
    let url = browser.until(&ask.url(), |url| url.contains("/federation/auth/response/"));
    let cookies = browser.cookies(&server.base);
    let server = server.restart();
    let mut browser = server.browser(); // the same one, at the server's new port
    for cookie in cookies {
        browser.plant(&server.base, &cookie.name, &cookie.value);
    }
    ask.answer(&browser.open(&url)).code();
    assert_eq!(idp.count("/token"), 1);
}

#[test]
fn a048_an_answer_with_code_and_error_or_neither_is_refused_before_any_exchange() {
    let world = World::new();
    let mut browser = world.server.browser();
    let both = world.at_the_callback(&mut browser, &Client::access().ask(&world.server));
    world.is_page(&browser.open(&format!("{both}&error=access_denied")), 400);
    assert_eq!(world.exchanges(), 0);
    let issuer = form_urlencoded::byte_serialize(world.idp.issuer().as_bytes()).collect::<String>();
    let path = format!("/federation/auth/response/oauth2/contoso?iss={issuer}");
    world.is_page(&world.server.browser().open(&world.server.url(&path)), 400);
    assert_eq!(world.exchanges(), 0);
    assert!(!world.is_signed_in(&browser));
}

#[test]
fn a049_an_error_with_a_foreign_state_shows_nothing_of_it() {
    let world = World::new();
    let query = "error=access_denied&error_description=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E&state=foreign";
    let mut browser = world.server.browser();
    let path = format!("/federation/auth/response/oauth2/contoso?{query}");
    let text = world.is_page(&browser.open(&world.server.url(&path)), 400);
    assert!(!text.contains("onerror") && !text.contains("img src=x"), "{text}");
}

#[test]
fn a049_an_error_of_the_provider_reaches_the_client_without_its_words() {
    for (upstream, ours) in [
        ("access_denied", "access_denied"),
        ("login_required", "login_required"),
        ("interaction_required", "interaction_required"),
        ("temporarily_unavailable", "temporarily_unavailable"),
        ("invalid_scope", "server_error"),
        ("made_up", "server_error"),
    ] {
        let world = World::new();
        world.idp.set(|script| script.authorize_error = Some(upstream));
        let mut browser = world.server.browser();
        let answer = Client::access().ask(&world.server).run(&mut browser);
        assert_eq!(answer.error(), ours);
        assert!(!answer.fields["error_description"].contains(upstream));
        assert!(!world.is_signed_in(&browser));
    }
}

#[test]
fn a050_a_posted_answer_comes_back_by_get_where_its_cookie_is_seen() {
    let world = World::with(|setup, _| {
        setup.table("idps/contoso.toml", "[authorize_params]\nresponse_mode = \"form_post\"");
    });
    let ask = Client::access().ask(&world.server);
    let mut browser = world.server.browser();
    let page = browser.open(&ask.url());
    assert!(page.url.starts_with(&world.idp.issuer()), "the provider's form: {}", page.url);
    let form = page.form_with("code");
    ask.answer(&browser.submit(&page, &form)).code();
    let back = browser.seen.iter().rev().find(|url| url.contains("/federation/")).expect("it came back by GET");
    assert!(!back.contains("code-") && !back.contains(&form.fields[0].1), "only a handle in the URL: {back}");
    let again = back.clone();
    world.is_page(&browser.open(&again), 400);
    assert_eq!(world.exchanges(), 1);
}

#[test]
fn a050_the_handle_of_a_posted_answer_is_no_use_to_another_browser() {
    let world = World::with(|setup, _| {
        setup.table("idps/contoso.toml", "[authorize_params]\nresponse_mode = \"form_post\"");
    });
    let mut browser = world.server.browser();
    let page = browser.open(&Client::access().ask(&world.server).url());
    let form = page.form_with("code");
    let kept = world.server.send(&Request::form(&form.action, &form.fields).header("Origin", &world.idp.issuer()));
    assert_eq!(kept.status, 303, "{}", kept.text());
    let location = crate::support::browser::resolve(&form.action, kept.header("location").expect("a place to go"));
    let mut other = world.server.browser();
    world.is_page(&other.open(&location), 400);
    assert_eq!(world.exchanges(), 0);
    assert!(!world.is_signed_in(&other));
}

#[test]
fn a050_a_handle_lives_for_sixty_seconds() {
    let world = World::new();
    let ask = Client::access().ask(&world.server);
    let kept =
        world.server.send(&Request::form(ask.endpoint(), &ask.params).header("Origin", "https://rp.example.com"));
    assert_eq!(kept.status, 303, "{}", kept.text());
    world.advance(Span::secs(61));
    let location = crate::support::browser::resolve(ask.endpoint(), kept.header("location").expect("a place to go"));
    let mut browser = world.server.browser();
    world.is_page(&browser.open(&location), 400);
    world.nothing_happened(&browser);
}

#[test]
fn a051_two_tabs_end_each_at_its_own_client() {
    let world = World::new();
    let mut first = world.server.browser();
    let mut second = first.tab();
    let (one, two) = (Client::access().ask(&world.server), Client::second().ask(&world.server));
    let first_url = world.at_the_callback(&mut first, &one);
    let second_url = world.at_the_callback(&mut second, &two);
    two.answer(&second.open(&second_url)).code();
    one.answer(&first.open(&first_url)).code();
}

#[test]
fn a053_a_planted_session_cookie_is_replaced_at_sign_in() {
    let world = World::new();
    let mut attacker = world.server.browser();
    world.sign_in(&mut attacker);
    let cookies = attacker.cookies(&world.server.base);
    let session = cookies.iter().find(|c| c.name.contains("session")).expect("a session cookie");
    let mut victim = world.server.browser();
    victim.plant(&world.server.base, &session.name, &session.value);
    world.next_is(&BOB);
    let ask = Client::access().ask(&world.server).with("prompt", "login");
    Client::access().sign_in(&world.server, &mut victim, &ask);
    let now = victim.cookies(&world.server.base);
    let now = now.iter().find(|c| c.name == session.name).expect("a session cookie");
    assert_ne!(now.value, session.value, "a new one");
}
