//! The commands. Exit codes: 0 done, 1 the thing asked about is wrong, 2 usage.

pub mod logging;
pub mod serve;
pub mod demo;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};

use crate::app::Options;
use crate::app::system::{SystemClock, SystemDice};

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
    };
    match done {
        Ok(code) => code,
        Err(fault) => {
            eprintln!("vestibule: {fault:#}");
            ExitCode::from(1)
        }
    }
}
