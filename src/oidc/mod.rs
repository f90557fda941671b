//! The vocabulary of OAuth 2.0 and OpenID Connect: clients, identity providers, requests, errors,
//! PKCE. Words only; what happens to them is decided in `hint`, `token` and `broker`.

pub mod error;
pub mod scope;
pub mod pkce;
pub mod params;
pub mod prompt;
pub mod idp;
pub mod client;

pub use client::{Client, ClientId};
pub use error::{ErrorCode, OAuthError};
pub use idp::{Idp, IdpId};
pub use prompt::Prompt;
pub use scope::Scope;
