//! Logs: to standard error, for people on a terminal, JSON on a pipe. `VESTIBULE_LOG` sets what is logged.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// Begins to log; a second call does nothing.
pub fn begin() {
    begin_at("info");
}

/// As [`begin`], with what is logged if `VESTIBULE_LOG` is not set: `warn`, `info`, …
pub fn begin_at(default: &str) {
    let filter = EnvFilter::try_from_env("VESTIBULE_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    let begun = if std::io::stderr().is_terminal() { builder.try_init() } else { builder.json().try_init() };
    if begun.is_err() {
        tracing::debug!("already logging");
    }
}
