//! Logins with foreign software on both sides: npm's oidc-provider as the identity provider, npm's openid-client
//! as the relying party, and Chromium. Their versions are those of `tests/interop/package-lock.json`.

#[path = "interop/apache.rs"]
mod apache;
#[path = "interop/browser.rs"]
mod browser;
#[path = "interop/certificate.rs"]
mod certificate;
#[path = "interop/chromium.rs"]
mod chromium;
#[path = "interop/node.rs"]
mod node;
#[path = "interop/people.rs"]
mod people;
#[path = "interop/programs.rs"]
mod programs;
#[path = "interop/sign_out.rs"]
mod sign_out;
#[path = "interop/stage.rs"]
mod stage;
#[path = "interop/wire.rs"]
mod wire;

#[path = "support"]
#[allow(dead_code, reason = "each test binary uses a part of it")]
mod support {
    pub mod browser;
    pub mod html;
    pub mod http;
}
