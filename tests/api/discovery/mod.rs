//! What discovery announces is so: for each member of the document a check over HTTP. A test has the name of the
//! member that it checks; a member without a check, or a check without a member, is a failure.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::Value;

use crate::world::World;

/// Makes a test of each check, and the list by which missing ones are found.
macro_rules! checks {
    ($($member:ident => $check:ident,)*) => {
        pub const CHECKED: &[&str] = &[$(stringify!($member)),*];
        $(
            #[test]
            fn $member() {
                $check(&super::DOCUMENT[stringify!($member)]);
            }
        )*
    };
}

mod endpoints;
mod leaving;
mod proofs;
mod requests;
mod tokens;

/// The document of a server whose keys and clients are the usual ones.
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| document(&World::new()));

fn document(world: &World) -> Value {
    let answer = world.server.get("/acs/.well-known/openid-configuration");
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// A member that is a list of texts, each once.
#[track_caller]
fn texts(member: &Value) -> BTreeSet<&str> {
    let items = member.as_array().unwrap_or_else(|| panic!("not a list: {member}"));
    let texts: BTreeSet<&str> = items.iter().map(|item| item.as_str().expect("of texts")).collect();
    assert_eq!(texts.len(), items.len(), "one of them stands twice: {member}");
    texts
}

/// The path of an endpoint.
#[track_caller]
fn path(member: &Value) -> &str {
    let url = member.as_str().unwrap_or_else(|| panic!("not an address: {member}"));
    url.strip_prefix(crate::support::server::BASE).unwrap_or_else(|| panic!("not at our origin: {url}"))
}

#[test]
fn c059_every_member_has_a_check_and_every_check_a_member() {
    let checked: BTreeSet<&str> =
        [endpoints::CHECKED, leaving::CHECKED, proofs::CHECKED, requests::CHECKED, tokens::CHECKED]
            .concat()
            .into_iter()
            .collect();
    let members: BTreeSet<&str> = DOCUMENT.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(members, checked);
}

#[test]
fn every_server_announces_the_same_but_for_its_algorithms() {
    let other = World::with(|setup, _| {
        setup.table("vestibule.toml", "[keys]\nalgorithms = [\"ES256\"]");
        for client in ["access", "second", "spa"] {
            setup.keys(&format!("clients/{client}.toml"), "id_token_alg = \"ES256\"");
        }
    });
    let mut other = document(&other);
    let algorithms = other["id_token_signing_alg_values_supported"].take();
    assert_eq!(algorithms, serde_json::json!(["ES256"]));
    let mut usual = DOCUMENT.clone();
    usual["id_token_signing_alg_values_supported"].take();
    assert_eq!(other, usual);
}
