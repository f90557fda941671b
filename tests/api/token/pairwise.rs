//! Pairwise subjects: one person has one `sub` at a client, wherever it is said, and another one in each sector.

use std::collections::BTreeSet;

use crate::support::client::{Client, Tokens, peek, userinfo, verify};
use crate::support::server::wait_until;
use crate::world::{BOB, World};

const TOGETHER: &str = "https://rp.example.com/together";

/// `access` and `together` are of one sector, `second` of another, `spa` has public subjects.
fn world(kind: &str) -> World {
    World::with(|setup, idp| {
        let told = format!("backchannel_logout_uri = \"{}/told\"", idp.issuer());
        setup.keys("clients/access.toml", &format!("{PAIRWISE}access_token = \"{kind}\"\n{told}"));
        setup.keys("clients/second.toml", &format!("{PAIRWISE}access_token = \"{kind}\""));
        let together = "name = \"Together\"\nclient_secret = { env = \"ACCESS_SECRET\" }\n";
        setup.file("clients/together.toml", &format!("{together}{PAIRWISE}redirect_uris = [\"{TOGETHER}\"]\n"));
    })
}

const PAIRWISE: &str = "subject_type = \"pairwise\"\n";

fn together() -> Client {
    Client { id: "together".to_owned(), redirect_uri: TOGETHER.to_owned(), ..Client::access() }
}

fn sign_in(world: &World, client: &Client) -> Tokens {
    let ask = client.ask(&world.server).with("scope", "openid profile email offline_access");
    client.sign_in(&world.server, &mut world.server.browser(), &ask)
}

#[test]
fn one_person_has_one_subject_at_a_client_wherever_it_is_said() {
    for kind in ["opaque", "jwt"] {
        let world = world(kind);
        let client = Client::access();
        let mut browser = world.server.browser();
        let ask = client.ask(&world.server).with("scope", "openid profile email offline_access");
        let first = client.sign_in(&world.server, &mut browser, &ask);
        let sub = first.sub();
        let second = client.refresh(&world.server, first.refresh());
        let second = Tokens::verified(&world.server, &client, None, &second);
        assert_eq!(second.sub(), sub, "{kind}: refreshed");
        assert_eq!(userinfo(&world.server, &second.access).json()["sub"], sub, "{kind}: userinfo");
        for token in [second.access.as_str(), second.refresh()] {
            assert_eq!(client.introspect(&world.server, token).json()["sub"], sub, "{kind}: introspection");
        }
        if kind == "jwt" {
            assert_eq!(peek(&second.access)["sub"], sub, "in the access token itself");
        }
        // It comes back as a hint, and as a claim that is asked for.
        let claims = format!("{{\"id_token\":{{\"sub\":{{\"value\":\"{sub}\"}}}}}}");
        for (name, value) in [("id_token_hint", second.id_token.as_str()), ("claims", &claims)] {
            let silent = client.ask(&world.server).with("prompt", "none").with(name, value);
            silent.run(&mut browser.tab()).code();
        }
        let out = world.server.url(&format!("/acs/openid/logout?id_token_hint={}", second.id_token));
        browser.open(&out);
        wait_until("the client is told", || world.idp.count("/told") > 0);
        let told = world.idp.last("/told").expect("a notice").params();
        assert_eq!(verify(&world.server, &told["logout_token"])["sub"], sub, "{kind}: logout token");
    }
}

#[test]
fn subjects_differ_by_sector_and_tell_nothing_of_each_other() {
    let world = world("opaque");
    let alice = [Client::access(), together(), Client::second(), Client::spa()].map(|client| sign_in(&world, &client));
    let [access, together, second, spa] = alice.each_ref().map(Tokens::sub);
    assert_eq!(access, together, "one host, one sector");
    assert_eq!(BTreeSet::from([access, second, spa]).len(), 3);
    assert_eq!(Some(spa), world.user_id("alice-at-idp").as_deref());
    for pairwise in [access, second] {
        assert_eq!(pairwise.len(), 43, "an HMAC, not the id");
    }
    world.next_is(&BOB);
    assert_ne!(sign_in(&world, &Client::access()).sub(), access, "another person");
}

#[test]
fn a020_the_subject_of_one_sector_signs_nobody_in_at_another() {
    let world = world("opaque");
    let mut browser = world.server.browser();
    let own = Client::access().sign_in(&world.server, &mut browser, &Client::access().ask(&world.server));
    let spa = Client::spa().sign_in(&world.server, &mut browser, &Client::spa().ask(&world.server));
    for (client, foreign) in [(Client::second(), &own), (Client::access(), &spa), (Client::second(), &spa)] {
        let claims = format!("{{\"id_token\":{{\"sub\":{{\"value\":\"{}\"}}}}}}", foreign.sub());
        for (name, value) in [("id_token_hint", foreign.id_token.as_str()), ("claims", &claims)] {
            let ask = client.ask(&world.server).with("prompt", "none").with(name, value);
            assert_eq!(ask.run(&mut browser.tab()).error(), "login_required", "{} {name}", client.id);
        }
    }
    assert!(world.is_signed_in(&browser));
}
