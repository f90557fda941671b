//! `vestibule directory`: the provisioned directories.

mod dump;
mod table;
mod arrival;
mod report;
mod import;
mod export;
mod relink;
mod overview;
mod removals;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use serde_json::{Value, json};

use self::import::Import;
use self::relink::By;
use self::report::Mode;
use super::{Context, complain, say};
use crate::app::parts::Parts;
use crate::directory::roster::AuditRecord;
use crate::identity::Directory;
use crate::scim::Schemas;

#[derive(Debug, clap::Subcommand)]
pub enum Directories {
    /// All of them with their counts, and what deserves care.
    List {
        /// Exit 1 if something needs care.
        #[arg(long)]
        fail: bool,
    },
    /// One as a SCIM dump: users, then groups with their members.
    Export {
        #[arg(long, value_name = "ID")]
        directory: String,
        /// The file; left out: standard output.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Users and groups of a SCIM dump; what is there already is passed over.
    Import {
        #[arg(long, value_name = "ID")]
        directory: String,
        /// A ListResponse, an array of resources, or JSON lines.
        file: PathBuf,
        /// Write nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Another source's names for the same people, who keep their ids, groups and `sub`s.
    Relink {
        #[arg(long, value_name = "ID")]
        directory: String,
        /// What both sources have; the other one of the two is taken over.
        #[arg(long, value_name = "ATTRIBUTE")]
        by: By,
        /// A SCIM dump of the new source, or CSV with the columns userName and externalId.
        file: PathBuf,
        /// Write it; left out: only say what would be.
        #[arg(long)]
        yes: bool,
    },
    /// Who changed what, the newest first.
    Audit {
        #[arg(long, value_name = "ID")]
        directory: String,
        /// Of one user or group.
        #[arg(long, value_name = "ID")]
        object: Option<String>,
        /// How many.
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: u32,
    },
    /// Deletions by policy that the guard holds.
    Removals {
        #[arg(long, value_name = "ID")]
        directory: String,
        /// Let them go on, if no more than so many are held; otherwise none.
        #[arg(long, value_name = "N")]
        release: Option<u64>,
    },
}

/// # Errors
/// What can't be read or written.
pub fn run(context: &Context, what: Directories) -> anyhow::Result<ExitCode> {
    let runtime = super::runtime()?;
    runtime.block_on(async {
        let parts = super::open(context)?;
        let done = carry_out(context, &parts, what).await;
        parts.directory.close().await.context("closing the database")?;
        done
    })
}

async fn carry_out(context: &Context, parts: &Parts, what: Directories) -> anyhow::Result<ExitCode> {
    match what {
        Directories::List { fail } => list(context, parts).await.map(|care| ExitCode::from(u8::from(care && fail))),
        Directories::Export { directory, out } => {
            let (directory, schemas) = of(parts, &directory)?;
            let count = export::export(parts, &directory, &schemas, out.as_deref()).await?;
            if let Some(out) = out {
                complain(format!("{count} users and groups in {}", out.display()));
            }
            Ok(ExitCode::SUCCESS)
        }
        Directories::Import { directory, file, dry_run } => {
            let (directory, schemas) = of(parts, &directory)?;
            let mode = if dry_run { Mode::DryRun } else { Mode::Write };
            let report = Import::new(parts, (&directory, &schemas), mode).run(&file).await?;
            say(if context.json { report.to_json().to_string() } else { report.tell(mode) });
            Ok(ExitCode::from(u8::from(!report.complete())))
        }
        Directories::Relink { directory, by, file, yes } => {
            let (directory, schemas) = of(parts, &directory)?;
            let mode = if yes { Mode::Write } else { Mode::DryRun };
            let report = relink::relink(parts, (&directory, &schemas), by, &file, mode).await?;
            say(if context.json { relink::to_json(&report, by).to_string() } else { relink::tell(&report, by) });
            Ok(ExitCode::from(u8::from(!report.complete())))
        }
        Directories::Audit { directory, object, limit } => {
            super::directory_of(&parts.config.snapshot(), &directory)?;
            let audits = &parts.directory.audits;
            let records = match object {
                Some(object) => audits.of_object(&directory, &object, limit).await?,
                None => audits.of_directory(&directory, None, limit).await?,
            };
            print_audit(context, &records);
            Ok(ExitCode::SUCCESS)
        }
        Directories::Removals { directory, release } => {
            let directory = super::directory_of(&parts.config.snapshot(), &directory)?;
            removals::removals(context, parts, &directory, release).await
        }
    }
}

/// A directory of the files with what it confirms.
fn of(parts: &Parts, id: &str) -> anyhow::Result<(Arc<Directory>, Arc<Schemas>)> {
    let config = parts.config.snapshot();
    let directory = super::directory_of(&config, id)?;
    let schemas = config.schemas.get(id).cloned().with_context(|| format!("there is no directories/{id}.toml"))?;
    Ok((directory, schemas))
}

/// Says whether something needs care.
async fn list(context: &Context, parts: &Parts) -> anyhow::Result<bool> {
    let config = parts.config.snapshot();
    let mut all = Vec::new();
    for directory in config.directories.values() {
        all.push(overview::overview(parts, directory).await?);
    }
    let care = all.iter().any(overview::Overview::needs_care);
    if context.json {
        say(json!(all.iter().map(overview::Overview::to_json).collect::<Vec<_>>()));
        return Ok(care);
    }
    let mut table = comfy_table::Table::new();
    table.set_header(["directory", "source", "type", "users", "groups", "members", "last call", "credentials"]);
    for one in &all {
        table.add_row(one.row());
    }
    say(table);
    for note in all.iter().flat_map(overview::Overview::notes) {
        say(note);
    }
    Ok(care)
}

fn print_audit(context: &Context, records: &[AuditRecord]) {
    let changes = |record: &AuditRecord| serde_json::from_str::<Value>(&record.changes).unwrap_or_default();
    if context.json {
        let rows = records.iter().map(|record| {
            json!({
                "seq": record.seq, "at": record.at.to_rfc3339(), "by": record.by, "what": record.what,
                "object": record.object, "changes": changes(record),
            })
        });
        say(json!(rows.collect::<Vec<_>>()));
        return;
    }
    for record in records {
        say(format!("{}  {}  {} {}", record.at.to_rfc3339(), record.by, record.what, record.object));
        if let Value::Object(fields) = changes(record) {
            for (attribute, change) in fields {
                let side = |name: &str| change.get(name).map_or_else(|| "–".to_owned(), Value::to_string);
                let told = match &change {
                    Value::Object(_) => format!("{} → {}", side("before"), side("after")),
                    other => other.to_string(),
                };
                say(format!("    {attribute}: {told}"));
            }
        }
    }
}
