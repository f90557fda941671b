//! One server, one identity provider in use and a spare one that is switched off, and Alice.

use std::path::Path;
use std::sync::Arc;

use serde_json::json;

use crate::support::clock::ManualClock;
use crate::support::evil_idp::EvilIdp;
use crate::support::server::{Server, Setup};

pub struct World {
    pub server: Server,
    idp: EvilIdp,
}

impl World {
    /// `kind`: the client's access tokens, `opaque` or `jwt`.
    pub fn new(kind: &str) -> Self {
        let clock = Arc::new(ManualClock::at_this_moment());
        let idp = EvilIdp::start(clock.clone());
        let mut setup = Setup::new(&idp.issuer());
        setup.idp("spare", "https://spare.example.com", &[]);
        setup.keys("idps/spare.toml", "enabled = false");
        setup.keys("idps/contoso.toml", "enabled = true");
        setup.keys("clients/access.toml", &format!("enabled = true\nidps = []\naccess_token = \"{kind}\""));
        idp.set(|script| {
            let person = json!({
                "sub": "alice-at-idp", "preferred_username": "alice@contoso.com", "email": "alice@contoso.com",
                "email_verified": true, "given_name": "Alice", "family_name": "Adams",
            });
            script.person = person.as_object().cloned().unwrap_or_default();
        });
        Self { server: setup.start(clock), idp }
    }

    /// How often somebody was sent to sign in upstream.
    pub fn upstream_logins(&self) -> usize {
        self.idp.count("/authorize")
    }

    pub fn issuer_of_idp(&self) -> String {
        self.idp.issuer()
    }

    /// Changes files of the config folder and waits until the server goes by them.
    pub fn change(&self, change: impl FnOnce(&Path)) {
        let config = &self.server.running().ports().config;
        let before = config.snapshot().version;
        change(&self.server.folder());
        config.reload();
        assert_ne!(config.snapshot().version, before, "the changed files are in force");
    }
}
