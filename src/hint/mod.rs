//! What happens to a login hint, and which identity provider a person belongs to.
//!
//! One way for every entry path: [`home_realm`] chooses the identity provider, [`wants_lookup`] says
//! whether the directory has to be asked, [`decide`] makes the [`Decision`] without which nothing can
//! be sent upstream. On return [`check_return`] compares who signed in with who was hinted at, and
//! [`check_session`] does so before a session is used again. All of it is pure.

pub mod domain;
pub mod reason;
pub mod ask;
pub mod realm;
pub mod guard;
pub mod decision;
pub mod explain;

pub use ask::{Ask, EntryPath};
pub use decision::{Decision, Lookup, LookupKey, decide, wants_lookup};
pub use explain::explain;
pub use guard::{Guard, Reuse, Verdict, check_return, check_session};
pub use realm::{Realm, home_realm};
pub use reason::Reason;
