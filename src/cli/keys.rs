//! `vestibule keys`: the signing keys.

use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::json;

use super::{Context, say};
use crate::app::parts::Parts;
use crate::jobs::keys::{Keeper, rotate_now, rotation};
use crate::keys::plan::{Overlap, ROTATE_OVERLAP};
use crate::keys::ring::Ring;

#[derive(Clone, Copy, Debug, clap::Subcommand)]
pub enum Keys {
    /// The signing keys with their states and times.
    List,
    /// New keys: published now, signing in an hour, so that everybody has fetched them by then.
    Rotate {
        /// Sign with them at once: for keys that may be known to others.
        #[arg(long)]
        at_once: bool,
    },
}

/// # Errors
/// What can't be read or written.
pub fn run(context: &Context, what: Keys) -> anyhow::Result<ExitCode> {
    let runtime = super::runtime()?;
    runtime.block_on(async {
        let parts = super::open(context)?;
        let now = parts.options.clock.now();
        let keeper = Keeper { store: &*parts.directory.keys, seal: &parts.seal, dice: &*parts.options.dice };
        let settings = rotation(&parts.config.snapshot());
        let ring = match what {
            Keys::List => crate::jobs::keys::read(&keeper).await?,
            Keys::Rotate { at_once } => {
                let overlap = if at_once { Overlap::AtOnce } else { Overlap::After(ROTATE_OVERLAP) };
                rotate_now(&keeper, &settings, overlap, now).await?
            }
        };
        print(context, &parts, &ring);
        parts.directory.close().await.context("closing the database")?;
        Ok(ExitCode::SUCCESS)
    })
}

fn print(context: &Context, parts: &Parts, ring: &Ring) {
    let now = parts.options.clock.now();
    let state = |kid: &str| ring.state(kid, now).map_or_else(String::new, |state| format!("{state:?}").to_lowercase());
    if context.json {
        let keys: Vec<_> = ring
            .facts()
            .iter()
            .map(|key| {
                json!({
                    "kid": key.kid, "algorithm": key.algorithm.as_str(), "state": state(&key.kid),
                    "created": key.created.to_rfc3339(), "active_from": key.active_from.to_rfc3339(),
                    "retired_at": key.retired_at.map(crate::base::Moment::to_rfc3339),
                })
            })
            .collect();
        say(json!(keys));
        return;
    }
    let mut table = comfy_table::Table::new();
    table.set_header(["key", "algorithm", "state", "created", "signs from", "retired"]);
    for key in ring.facts() {
        table.add_row([
            key.kid.clone(),
            key.algorithm.as_str().to_owned(),
            state(&key.kid),
            key.created.to_rfc3339(),
            key.active_from.to_rfc3339(),
            key.retired_at.map_or_else(String::new, crate::base::Moment::to_rfc3339),
        ]);
    }
    say(table);
}
