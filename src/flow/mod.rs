//! Errands: one async function per thing that somebody asks for. Each asks a decision, opens a door, asks the next
//! decision; nothing here knows HTTP. In the order of one login: [`authorize`], [`upstream_login`], [`callback`],
//! [`token`], [`userinfo`], [`logout`].

pub mod browser;
pub mod admission;
pub mod confirmed;
pub mod sightings;
pub mod ports;
pub mod rules;
pub mod signing;
pub mod sessions;
pub mod farewell;
pub mod pushed;
pub mod finish;
pub mod handles;
pub mod upstream_login;
pub mod pause;
pub mod client_keys;
pub mod request_object;
pub mod requested;
pub mod authorize;
pub mod initiate;
pub mod paused;
pub mod matching;
pub mod callback;
pub mod client_auth;
pub mod issue;
pub mod presented;
pub mod code;
pub mod refresh;
pub mod client_credentials;
pub mod sync_token;
pub mod token;
pub mod userinfo;
pub mod revoke;
pub mod introspect;
pub mod par;
pub mod leave;
pub mod logout;
pub mod upstream_logout;
pub mod scim;

pub use ports::Ports;
