//! What happens to a login hint: rule by rule, on any text, and as the table that stands in `docs/login-hint.md`.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test whose own world is broken has to stop"
)]

mod fixtures;
mod http;
mod paths;
mod presets;
mod properties;
mod return_rules;
mod rules;
mod stage;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "shared by several test programs")]
mod support;
mod table;
