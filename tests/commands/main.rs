//! Commands and operation, with the real binary as a black box.

mod browser;
#[path = "../support/evil_idp/mod.rs"]
mod evil_idp;
mod http;
#[path = "../support/port.rs"]
mod port;
#[path = "../support/redis.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod redis;
mod stage;

mod canaries;
mod check;
mod directory;
mod directory_odd;
mod doctor;
mod doctor_red;
mod explain;
mod explain_scim;
mod explain_truth;
mod hardening;
mod keys;
mod management;
mod proxy;
mod reload;
mod serve;
mod sync_client;
mod tls;

use std::sync::Arc;

use vestibule::app::system::SystemClock;

/// A provider at which `alice@contoso.com` signs in.
pub fn provider() -> evil_idp::EvilIdp {
    let idp = evil_idp::EvilIdp::start(Arc::new(SystemClock));
    idp.set(|script| script.person = alice());
    idp
}

fn alice() -> serde_json::Map<String, serde_json::Value> {
    let claims = serde_json::json!({
        "sub": "alice-at-idp", "preferred_username": "alice@contoso.com", "email": "alice@contoso.com",
        "given_name": "Alice", "family_name": "Adams", "name": "Alice Adams",
    });
    claims.as_object().cloned().expect("an object")
}
