//! Codes: once, for their client, within their minute, with their verifier. What doesn't fit spends the code.

use vestibule::base::Span;

use crate::support::client::{Ask, Client, Tokens, userinfo};
use crate::world::{ALICE, SESSION_COOKIE, World};

/// The code, presented with these changes, is refused, and after that it is worth nothing even to who is right.
#[track_caller]
fn burns(world: &World, ask: &Ask, code: &str, fields: &[(&str, &str)]) {
    let client = Client::access();
    let answer = client.token(&world.server, fields);
    assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_grant"), "{}", answer.text());
    let rightly = client.redeem(&world.server, ask, code);
    assert_eq!((rightly.status, rightly.error().as_str()), (400, "invalid_grant"), "the code is spent");
}

#[test]
fn a026_a_code_with_a_challenge_is_worth_nothing_without_its_verifier() {
    let world = World::new();
    let (ask, code) = world.fresh_code(&Client::access());
    let uri = ask.get("redirect_uri").expect("set");
    burns(&world, &ask, &code, &[("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", uri)]);
}

#[test]
fn a027_a_verifier_without_a_challenge_spends_the_code() {
    let world = World::with(|setup, _| {
        setup.keys("clients/access.toml", "pkce = \"optional\"");
    });
    let client = Client::access();
    let ask = client.ask(&world.server).without("code_challenge").without("code_challenge_method");
    let code = ask.run(&mut world.server.browser()).code();
    assert_eq!(client.redeem(&world.server, &ask, &code).error(), "invalid_grant");
    let uri = ask.get("redirect_uri").expect("set");
    let fields = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", uri)];
    assert_eq!(client.token(&world.server, &fields).error(), "invalid_grant", "spent");
    let again = client.ask(&world.server).without("code_challenge").without("code_challenge_method");
    let code = again.run(&mut world.server.browser()).code();
    let fields = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", uri)];
    assert_eq!(client.token(&world.server, &fields).status, 200, "without both it pays");
}

#[test]
fn a028_a_wrong_verifier_spends_the_code() {
    let world = World::new();
    let verifiers = ["a".repeat(43), "a".repeat(42), "a".repeat(129), format!("{}ä", "a".repeat(43)), String::new()];
    for verifier in &verifiers {
        let (ask, code) = world.fresh_code(&Client::access());
        let uri = ask.get("redirect_uri").expect("set");
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", uri),
            ("code_verifier", verifier.as_str()),
        ];
        burns(&world, &ask, &code, &fields);
    }
}

#[test]
fn a029_a_second_use_ends_everything_that_the_first_one_gave() {
    let world = World::new();
    let client = Client::access();
    let ask = client.ask(&world.server).with("scope", "openid offline_access");
    let code = ask.run(&mut world.server.browser()).code();
    let first = client.redeem(&world.server, &ask, &code);
    let tokens = Tokens::verified(&world.server, &client, Some(&ask), &first);
    assert_eq!(userinfo(&world.server, &tokens.access).status, 200);
    let second = client.redeem(&world.server, &ask, &code);
    assert_eq!((second.status, second.error().as_str()), (400, "invalid_grant"));
    assert_eq!(userinfo(&world.server, &tokens.access).status, 401, "the access token is dead");
    assert_eq!(client.refresh(&world.server, tokens.refresh()).error(), "invalid_grant", "the family is dead");
}

#[test]
fn c027_a_code_used_again_after_30_seconds_is_refused() {
    let world = World::new();
    let client = Client::access();
    let (ask, code) = world.fresh_code(&client);
    let tokens = Tokens::verified(&world.server, &client, Some(&ask), &client.redeem(&world.server, &ask, &code));
    world.advance(Span::secs(30));
    assert_eq!(client.redeem(&world.server, &ask, &code).error(), "invalid_grant");
    assert_eq!(userinfo(&world.server, &tokens.access).status, 401);
}

#[test]
fn a031_another_client_with_good_credentials_gets_nothing_and_spends_the_code() {
    let world = World::new();
    let (ask, code) = world.fresh_code(&Client::access());
    let answer = Client::second().redeem(&world.server, &ask, &code);
    assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_grant"));
    assert_eq!(Client::access().redeem(&world.server, &ask, &code).error(), "invalid_grant", "spent");
}

#[test]
fn a032_the_redirect_uri_is_that_of_the_request() {
    let world = World::new();
    for uri in [Some("https://rp.example.com/cb?tenant=1"), Some("https://evil.test/cb"), Some(""), None] {
        let (ask, code) = world.fresh_code(&Client::access());
        let mut fields = vec![("grant_type", "authorization_code"), ("code", &code), ("code_verifier", &ask.verifier)];
        fields.extend(uri.map(|uri| ("redirect_uri", uri)));
        burns(&world, &ask, &code, &fields);
    }
}

#[test]
fn a033_no_secret_of_another_kind_is_taken_for_a_code() {
    let world = World::new();
    let client = Client::access();
    let mut browser = world.server.browser();
    let tokens = world.sign_in_for_long(&client, &mut browser);
    let session = browser.cookies(&world.server.base).into_iter().find(|c| c.name.contains("session"));
    let session = session.expect("a session cookie").value;
    let pending = world.at_the_callback(&mut browser, &client.ask(&world.server).with("prompt", "login"));
    let state = crate::support::client::query(&pending)["state"].clone();
    let ask = client.ask(&world.server);
    for foreign in [session.as_str(), &state, &tokens.access, tokens.refresh()] {
        assert_eq!(client.redeem(&world.server, &ask, foreign).error(), "invalid_grant");
    }
    assert_eq!(userinfo(&world.server, &tokens.access).status, 200, "and none of them is the worse for it");
    assert_eq!(client.refresh(&world.server, tokens.refresh()).status, 200);
    assert!(world.is_signed_in(&browser));
}

#[test]
fn a033_a_code_opens_nothing_but_the_token_endpoint() {
    let world = World::new();
    let client = Client::access();
    let (ask, code) = world.fresh_code(&client);
    assert_eq!(client.refresh(&world.server, &code).error(), "invalid_grant");
    assert_eq!(userinfo(&world.server, &code).status, 401);
    assert_eq!(client.revoke(&world.server, &code).status, 200);
    let mut browser = world.server.browser();
    browser.plant(&world.server.base, SESSION_COOKIE, &code);
    assert!(!world.is_signed_in(&browser));
    browser.step(&world.server.url(&format!("/federation/auth/response/oauth2/contoso?state={code}&code=x")));
    assert_eq!(client.redeem(&world.server, &ask, &code).status, 200, "and it is still good");
}

#[test]
fn a034_a_code_lives_for_sixty_seconds() {
    let world = World::new();
    let client = Client::access();
    let (ask, code) = world.fresh_code(&client);
    world.advance(Span::secs(59));
    assert_eq!(client.redeem(&world.server, &ask, &code).status, 200);
    let (ask, code) = world.fresh_code(&client);
    world.advance(Span::secs(61));
    assert_eq!(client.redeem(&world.server, &ask, &code).error(), "invalid_grant");
}

#[test]
fn a034_a_code_of_somebody_who_was_switched_off_pays_nothing() {
    let world = World::new();
    let client = Client::access();
    let (ask, code) = world.fresh_code(&client);
    world.server.deactivate(&world.user_id(ALICE.sub).expect("she has signed in"));
    let answer = client.redeem(&world.server, &ask, &code);
    assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_grant"));
}

#[test]
fn a034_a_code_of_a_provider_that_was_switched_off_pays_nothing() {
    let world = World::new();
    let client = Client::access();
    let (ask, code) = world.fresh_code(&client);
    world.server.reconfigure("idps/contoso.toml", "kind = ", "enabled = false\nkind = ", || {
        let page = world.server.browser().open(&client.ask(&world.server).url());
        page.answer.is_none() && page.query().get("error").is_some_and(|error| error == "access_denied")
    });
    assert_eq!(client.redeem(&world.server, &ask, &code).error(), "invalid_grant");
}

#[test]
fn a034_a_code_of_a_client_that_was_switched_off_pays_nothing() {
    let world = World::new();
    let client = Client::access();
    let (ask, code) = world.fresh_code(&client);
    world.server.reconfigure("clients/access.toml", "grant_types", "enabled = false\ngrant_types", || {
        world.server.browser().open(&ask.url()).answer.is_some()
    });
    let answer = client.redeem(&world.server, &ask, &code);
    assert_eq!((answer.status, answer.error().as_str()), (401, "invalid_client"));
}

#[test]
fn a036_an_answer_is_a_303_without_referrer_and_its_page_loads_nothing_foreign() {
    let world = World::new();
    let ask = Client::access().ask(&world.server);
    let mut browser = world.server.browser();
    let url = world.at_the_callback(&mut browser, &ask);
    let answer = browser.step(&url);
    assert_eq!(answer.status, 303);
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    assert!(answer.header("cache-control").is_some_and(|v| v.contains("no-store")));
    let page = browser.open(&ask.with("response_mode", "form_post").url());
    for tag in crate::support::html::tags(&page.text()) {
        for address in ["src", "href"].into_iter().filter_map(|name| tag.get(name)) {
            assert!(address.starts_with('/') && !address.starts_with("//"), "{} loads {address}", tag.name);
        }
    }
}

#[test]
fn a037_codes_tokens_and_hints_are_in_no_file_and_no_metric() {
    let world = World::new();
    let client = Client::access();
    let hint = "Canary.Person@contoso.com";
    world.idp.set(|script| {
        script.person.insert("preferred_username".to_owned(), hint.to_lowercase().into());
        script.person.insert("email".to_owned(), "other@contoso.com".into());
    });
    let ask = client.ask(&world.server).with("scope", "openid offline_access").hint(hint);
    let mut browser = world.server.browser();
    let code = ask.run(&mut browser).code();
    let tokens = Tokens::verified(&world.server, &client, Some(&ask), &client.redeem(&world.server, &ask, &code));
    let cookies = browser.cookies(&world.server.base);
    let mut canaries =
        vec![code, tokens.access.clone(), tokens.refresh().to_owned(), ask.verifier.clone(), hint.to_owned()];
    canaries.extend(cookies.into_iter().map(|cookie| cookie.value));
    let metrics = world.server.metrics();
    let World { server, idp, .. } = world;
    let server = server.restart(); // writes down everything that is kept
    let mut files = vec![("metrics".to_owned(), metrics.into_bytes())];
    for folder in [server.folder(), server.folder().join("data")] {
        for entry in std::fs::read_dir(folder).expect("the folder is there") {
            let path = entry.expect("an entry").path();
            if path.is_file() {
                files.push((path.display().to_string(), std::fs::read(&path).expect("a file")));
            }
        }
    }
    assert!(files.iter().any(|(name, _)| name.ends_with(".db")), "the database is among them");
    for canary in &canaries {
        for (name, bytes) in &files {
            assert!(!bytes.windows(canary.len()).any(|w| w == canary.as_bytes()), "{canary} in {name}");
        }
    }
    drop(idp);
}
