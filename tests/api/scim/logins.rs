//! People who came by SCIM sign in, and are out from the moment that SCIM says so.

use serde_json::{Value, json};
use vestibule::base::Span;

use crate::support::browser::Browser;
use crate::support::client::{Client, userinfo};
use crate::support::scim::{Scim, id};
use crate::support::server::wait_until;
use crate::world::{ALICE, World};

/// Entra names people by `oid`, within the tenant of its issuer.
const OID: &str = "6f1e3c1a-77b0-4a5e-9d59-0a2a3d4e5f60";

/// A provisioned directory of that source, whose people sign in by the preset of that kind.
fn of(source: &str, kind: &str) -> World {
    World::with(|setup, _| {
        setup.provisioned().edit("directories/contoso.toml", "source = \"generic\"", &format!("source = \"{source}\""));
        let preset = format!("kind = \"{kind}\"");
        setup.edit("idps/contoso.toml", "kind = \"oidc\"", &preset);
        let own = setup.files["idps/contoso.toml"].split("\n[match]").next().expect("a head").to_owned();
        setup.file("idps/contoso.toml", &own);
    })
}

fn set(scim: &Scim<'_>, user: &str, active: Value) {
    let answer =
        scim.patch(&format!("/Users/{user}"), &json!([{ "op": "Replace", "path": "active", "value": active }]));
    assert_eq!(answer.status, 200, "{}", answer.text());
}

struct Held {
    browser: Browser,
    access: String,
    refresh: String,
    code: String,
    ask: crate::support::client::Ask,
    /// Another such code, for later.
    second: (crate::support::client::Ask, String),
    /// An access token that no refresh token came with.
    plain: String,
}

fn held(world: &World) -> Held {
    let client = Client::access();
    let mut browser = world.server.browser();
    let tokens = world.sign_in_for_long(&client, &mut browser);
    let (ask, code) = world.fresh_code(&client);
    let (second, plain) = (world.fresh_code(&client), world.sign_in(&mut world.server.browser()).access);
    Held { browser, refresh: tokens.refresh().to_owned(), access: tokens.access, code, ask, second, plain }
}

/// Nothing that was issued is worth anything now.
fn is_out(world: &World, held: &Held) {
    let client = Client::access();
    assert_eq!(userinfo(&world.server, &held.access).status, 401);
    assert_eq!(client.introspect(&world.server, &held.access).json(), json!({ "active": false }));
    assert_eq!(client.introspect(&world.server, &held.refresh).json(), json!({ "active": false }));
    assert_eq!(client.redeem(&world.server, &held.ask, &held.code).error(), "invalid_grant");
    assert_eq!(client.refresh(&world.server, &held.refresh).error(), "invalid_grant");
    assert!(!world.is_signed_in(&held.browser));
}

fn may_sign_in(world: &World) -> bool {
    let page = world.server.browser().open(&Client::access().ask(&world.server).url());
    page.answer.is_none() && page.query().contains_key("code")
}

/// A whole life: created, signed in, switched off, on again, deleted.
fn lives(world: &World, external_id: &str) {
    let scim = Scim::new(&world.server);
    assert!(!may_sign_in(world), "nobody yet");
    let user = scim.user(ALICE.email, external_id);
    let first = held(world);
    set(&scim, id(&user), json!("False"));
    is_out(world, &first);
    assert!(!may_sign_in(world));
    world.advance(Span::secs(1));
    set(&scim, id(&user), json!(true));
    assert!(!world.is_signed_in(&first.browser), "what was issued before stays void");
    assert_eq!(userinfo(&world.server, &first.access).status, 401);
    assert_eq!(userinfo(&world.server, &first.plain).status, 401);
    let (ask, code) = &first.second;
    assert_eq!(Client::access().redeem(&world.server, ask, code).error(), "invalid_grant");
    let second = held(world);
    let tokens = world.sign_in(&mut world.server.browser());
    assert_eq!(tokens.sub(), id(&user), "the same person");
    assert_eq!(scim.delete(&format!("/Users/{}", id(&user))).status, 204);
    is_out(world, &second);
    assert!(!may_sign_in(world));
}

#[test]
fn a_user_of_entras_provisioning_signs_in_by_entras_preset_and_is_out_at_once() {
    let world = World::with(|setup, idp| {
        let tenant = "11111111-2222-3333-4444-555555555555";
        setup.provisioned().edit("directories/contoso.toml", "source = \"generic\"", "source = \"azure\"");
        let own = setup.files["idps/contoso.toml"].split("\n[match]").next().expect("a head").to_owned();
        setup.file("idps/contoso.toml", &own.replace("kind = \"oidc\"", "kind = \"entra\""));
        idp.set(|script| {
            script.person.insert("tid".to_owned(), json!(tenant));
        });
    });
    world.idp.set(|script| {
        let tenant = "11111111-2222-3333-4444-555555555555";
        script.person.insert("oid".to_owned(), json!(OID));
        script.person.insert("tid".to_owned(), json!(tenant));
    });
    lives(&world, OID);
}

#[test]
fn a_user_of_oktas_provisioning_signs_in_by_oktas_preset_and_is_out_at_once() {
    lives(&of("okta", "okta"), ALICE.sub);
}

#[test]
fn a_person_who_is_switched_off_or_deleted_is_signed_out_at_the_clients() {
    let world = World::with(|setup, _| {
        let nobody = crate::support::server::free_address();
        setup
            .provisioned()
            .keys("clients/access.toml", &format!("backchannel_logout_uri = \"http://{nobody}/logout\""));
    });
    let scim = Scim::new(&world.server);
    let notices = &world.server.running().ports().directory.notices;
    let waiting = || -> u64 {
        let waiting = crate::support::server::block_on(notices.waiting()).expect("the database works");
        waiting.iter().map(|it| it.count).sum()
    };
    let user = scim.user(ALICE.email, ALICE.sub);
    world.sign_in(&mut world.server.browser());
    set(&scim, id(&user), json!(false));
    wait_until("the client is to hear of it", || waiting() == 1);
    world.advance(Span::secs(1));
    set(&scim, id(&user), json!(true));
    world.sign_in(&mut world.server.browser());
    assert_eq!(scim.delete(&format!("/Users/{}", id(&user))).status, 204);
    wait_until("and of the other session too", || waiting() == 2);
}

#[test]
fn e37_e38_e39_a_tombstone_frees_the_name_and_a_restore_brings_back_the_same_person() {
    let world = of("azure", "okta");
    let scim = Scim::new(&world.server);
    let digits = OID.replace('-', "");
    let user = scim.user("alice@contoso.com", OID);
    let group = scim.group("Group", &[id(&user)]);
    let path = format!("/Users/{}", id(&user));
    let buried = scim.patch(
        &path,
        &json!([
            { "op": "Replace", "path": "userName", "value": format!("{digits}alice@contoso.com") },
            { "op": "Replace", "path": "active", "value": "False" },
        ]),
    );
    assert_eq!(buried.json()["userName"], format!("{digits}alice@contoso.com"));
    let hired = scim.user("alice@contoso.com", "00000000-0000-4000-8000-000000000001");
    assert_ne!(id(&hired), id(&user));
    let restore = json!([
        { "op": "Replace", "path": "userName", "value": "alice@contoso.com" },
        { "op": "Replace", "path": "active", "value": "True" },
    ]);
    assert_eq!(scim.patch(&path, &restore).status, 409, "the new hire keeps the name");
    assert_eq!(scim.delete(&format!("/Users/{}", id(&hired))).status, 204);
    let restored = scim.patch(&path, &restore);
    assert_eq!(restored.status, 200, "{}", restored.text());
    assert_eq!((&restored.json()["active"], id(&restored.json())), (&json!(true), id(&user)));
    assert_eq!(scim.members(id(&group)), [id(&user)]);
}
