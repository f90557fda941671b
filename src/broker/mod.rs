//! One login, from authorization request to tokens, as stages: each is a type that only the stage before
//! it can make. Pure: values in, values out.
//!
//! ```text
//! validate_client ─► ClientRequest ─ accept ─► AuthorizationRequest ─ next ─► Next
//! Next::Upstream ─► PendingLogin ═ browser at the identity provider ═► callback ─► IdpCode
//! identity ─ match_key ─► [find] ─ check_freshness, check_hint ─► Session, IssuedCode ─ redeem ─► Grant
//! ```

pub mod answer;
pub mod request;
pub mod accept;
pub mod pushed;
pub mod signed;
pub mod session;
pub mod next;
pub mod pending;
pub mod callback;
pub mod admit;
pub mod code;
pub mod sign_out;
#[cfg(test)]
mod walk;

pub use answer::{Answer, ReturnAddress};
pub use request::{AuthorizationRequest, ClientRequest};
