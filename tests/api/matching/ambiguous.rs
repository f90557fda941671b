//! No value, no text, or too many who have it.

use serde_json::{Value, json};

use super::{barred_page, is_barred, leaves_out, provision, says, told_to_admins};
use crate::support::client::userinfo;
use crate::world::World;

fn by_badge(kind: &str) -> World {
    World::with(|setup, _| {
        setup.edit("directories/contoso.toml", "type = \"jit\"", &format!("type = \"{kind}\""));
        setup.edit("idps/contoso.toml", "claim = \"sub\"", "claim = \"badge\"");
    })
}

#[test]
fn a168_a_claim_without_a_text_finds_and_makes_nobody() {
    for kind in ["provisioned", "jit"] {
        let world = by_badge(kind);
        provision(&world, "contoso", &[("userName", json!("x@contoso.com")), ("externalId", json!("1"))]);
        for nothing in
            [Value::Null, json!(""), json!(" "), json!(["1"]), json!([]), json!({"value": "1"}), json!(1), json!(true)]
        {
            says(&world.idp, "badge", nothing.clone());
            is_barred(&world, &mut world.server.browser());
        }
        leaves_out(&world.idp, "badge");
        is_barred(&world, &mut world.server.browser());
        for text in ["", " ", "[]", "null", "true", "alice-at-idp"] {
            assert_eq!(world.user_id(text), None, "{kind}: `{text}`");
        }
        says(&world.idp, "badge", json!("1"));
        world.sign_in(&mut world.server.browser());
    }
}

#[test]
fn a169_two_who_match_are_nobody_and_the_trace_says_so() {
    let world = World::with(|setup, _| {
        let (from, to) =
            ("claim = \"sub\"\nattribute = \"externalId\"", "claim = \"name\"\nattribute = \"displayName\"");
        setup.provisioned().edit("idps/contoso.toml", from, to);
    });
    for (external, name) in [("1", "one@contoso.com"), ("2", "two@contoso.com")] {
        let attributes =
            [("userName", json!(name)), ("externalId", json!(external)), ("displayName", json!("Alice Adams"))];
        provision(&world, "contoso", &attributes);
    }
    let (page, _) = barred_page(&world, &mut world.server.browser());
    let told = told_to_admins(&world, &page);
    assert!(told.contains("several users"), "{told}");
    assert!(!page.text().contains("several"), "the person isn't told");
}

#[test]
fn a176_groups_that_the_provider_left_out_are_asked_of_nobody() {
    let world = World::new();
    let source = format!("{}/groups", world.idp.issuer());
    says(&world.idp, "_claim_names", json!({"groups": "src1"}));
    says(&world.idp, "_claim_sources", json!({"src1": {"endpoint": source, "access_token": "t"}}));
    let tokens = world.sign_in(&mut world.server.browser());
    assert!(!tokens.claims.contains_key("groups"), "no list, and no empty list: {:?}", tokens.claims);
    let info = userinfo(&world.server, &tokens.access).json();
    assert!(info.get("groups").is_none() && info.get("_claim_names").is_none(), "{info}");
    assert_eq!(world.idp.count("/groups"), 0, "an address in a token is not asked");
}
