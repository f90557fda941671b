//! One server, one identity provider in use and a spare one, and Alice.

use std::sync::Arc;

use serde_json::json;

use crate::paths::Path;
use crate::support::clock::ManualClock;
use crate::support::evil_idp::EvilIdp;
use crate::support::server::{Server, Setup};

/// The client's start page, which our own page of links leads to.
pub const START: &str = "https://rp.example.com/start";

pub struct World {
    pub server: Server,
    idp: EvilIdp,
}

impl World {
    pub fn new(path: Path) -> Self {
        let clock = Arc::new(ManualClock::at_this_moment());
        let idp = EvilIdp::start(clock.clone());
        let mut setup = Setup::new(&idp.issuer());
        setup.idp("spare", "https://spare.example.com", &[]);
        // Where two providers are in use, a page asks.
        setup.keys("idps/spare.toml", if path == Path::Chosen { "enabled = true # spare" } else { "enabled = false" });
        setup.keys("idps/contoso.toml", "enabled = true");
        let kind = path.token_kind();
        setup.keys(
            "clients/access.toml",
            &format!(
                "enabled = true\nidps = []\naccess_token = \"{kind}\"\ninitiate_login_uri = \"{START}\"\n\
                 rule_sets = [\"TENANT_ADMIN\", \"READ_ONLY_TENANT_ADMIN\"]"
            ),
        );
        setup.edit("clients/access.toml", r#""refresh_token"]"#, r#""refresh_token", "client_credentials"]"#);
        if path == Path::BoundRefresh {
            setup.table("clients/access.toml", "[tokens]\nrefresh_without_offline = true");
        }
        let world = Self { server: setup.start(clock), idp };
        world.signs_in("alice");
        world
    }

    /// Who signs in at the provider from now on.
    pub fn signs_in(&self, name: &str) {
        let email = format!("{name}@contoso.com");
        let person = json!({
            "sub": format!("{name}-at-idp"), "preferred_username": email, "email": email, "email_verified": true,
            "given_name": "Alice", "family_name": "Adams",
        });
        self.idp.set(|script| script.person = person.as_object().cloned().unwrap_or_default());
    }

    /// How often somebody was sent to sign in upstream.
    pub fn upstream_logins(&self) -> usize {
        self.idp.count("/authorize")
    }

    /// How often a code of the provider was redeemed there.
    pub fn redeemed(&self) -> usize {
        self.idp.count("/token")
    }

    /// How often somebody was sent to sign out upstream.
    pub fn upstream_sign_outs(&self) -> usize {
        self.idp.count("/logout")
    }

    pub fn issuer_of_idp(&self) -> String {
        self.idp.issuer()
    }

    /// Changes files of the config folder and waits until the server goes by them.
    pub fn change(&self, change: impl FnOnce(&std::path::Path)) {
        let config = &self.server.running().ports().config;
        let before = config.snapshot().version;
        change(&self.server.folder());
        config.reload();
        assert_ne!(config.snapshot().version, before, "the changed files are in force");
    }
}
