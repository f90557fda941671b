//! The commands. Exit codes: 0 done, 1 the thing asked about is wrong, 2 usage.

pub mod logging;
pub mod serve;
pub mod demo;
pub mod check;
pub mod explain_scim;
pub mod explain;
pub mod keys;
pub mod progress;
pub mod sync_client;
pub mod directory;
pub mod doctor;
pub mod schema;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

use crate::app::parts::{Parts, make};
use crate::app::system::{SystemClock, SystemDice};
use crate::app::{Options, StartFault};
use crate::config::{Snapshot, Styled, render};
use crate::identity::Directory;

/// The entrance hall between your identity provider and your Workspace ONE services.
#[derive(Debug, Parser)]
#[command(name = "vestibule", version, about)]
struct Arguments {
    /// The config folder.
    #[arg(long, global = true, default_value = "./config", value_name = "DIR")]
    config: PathBuf,
    /// Print JSON in place of a table.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the whole product on this machine, with nothing else installed.
    Demo {
        /// The broker's port; the next three are taken too.
        #[arg(long, default_value_t = 8080, value_name = "N",
              value_parser = clap::value_parser!(u16).range(1..=i64::from(crate::demo::addresses::PORT_MAX)))]
        port: u16,
    },
    /// Run the broker.
    Serve,
    /// Read every file; say what is wrong, where, and how to mend it.
    Check(check::Options),
    /// Say why: a hint, a token's claims, a login.
    #[command(subcommand)]
    Explain(explain::Explain),
    /// Play a provisioning service against the running server.
    #[command(subcommand)]
    Doctor(doctor::Doctor),
    /// The provisioned directories.
    #[command(subcommand)]
    Directory(directory::Directories),
    /// The credentials of provisioning services.
    #[command(subcommand)]
    SyncClient(sync_client::SyncClients),
    /// The signing keys.
    #[command(subcommand)]
    Keys(keys::Keys),
    /// JSON Schema of the config files, for editors.
    Schema {
        /// One kind of file; all of them if left out.
        #[arg(value_parser = ["idp", "client", "directory", "service", "server"])]
        kind: Option<String>,
    },
}

/// What every command may need.
pub struct Context {
    pub folder: PathBuf,
    pub json: bool,
}

impl Context {
    /// A server, or a command beside one, on the real clock and environment.
    #[must_use]
    pub fn options(&self) -> Options {
        Options {
            folder: self.folder.clone(),
            clock: Arc::new(SystemClock),
            dice: Arc::new(SystemDice::default()),
            listen: None,
            environment: Arc::new(environment),
        }
    }
}

/// Prints a line; a reader that has gone away is no fault.
pub fn say(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// Prints a line to standard error; a reader that has gone away is no fault.
pub fn complain(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// A runtime for a command that asks a door.
///
/// # Errors
/// The system's refusal.
pub fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// Configuration, seal and database, beside a running server or without one. Findings of a wrong folder are printed.
///
/// # Errors
/// What keeps them from being opened.
pub fn open(context: &Context) -> anyhow::Result<Parts> {
    make(&context.options()).map_err(|fault| match fault {
        StartFault::Config(findings) => {
            complain(render(&findings, Styled::Plain).trim_end());
            anyhow::anyhow!("the configuration has faults")
        }
        other => anyhow::Error::new(other),
    })
}

/// A directory of the files.
///
/// # Errors
/// Says that there is none.
pub fn directory_of(config: &Snapshot, id: &str) -> anyhow::Result<Arc<Directory>> {
    config.directories.get(id).cloned().with_context(|| format!("there is no directories/{id}.toml"))
}

/// The process's environment, for secrets that files name.
fn environment(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "the one place where { env = … } is looked up")]
    std::env::var(name).ok()
}

/// Runs the command line.
#[must_use]
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let context = Context { folder: arguments.config, json: arguments.json };
    let done = match arguments.command {
        Command::Demo { port } => demo::run(port),
        Command::Serve => serve::run(&context),
        Command::Check(options) => check::run(&context, options),
        Command::Explain(what) => explain::run(&context, what),
        Command::Doctor(what) => doctor::run(&context, what),
        Command::Directory(what) => directory::run(&context, what),
        Command::SyncClient(what) => sync_client::run(&context, what),
        Command::Keys(what) => keys::run(&context, what),
        Command::Schema { kind } => schema::run(kind.as_deref()),
    };
    match done {
        Ok(code) => code,
        Err(fault) => {
            complain(format!("vestibule: {fault:#}"));
            ExitCode::from(1)
        }
    }
}
