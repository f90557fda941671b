//! What happened, for people: the trace of each login and the audit of what matters.

pub mod trace;

pub use trace::{Fact, Outcome, Trace};
