//! Load on an OpenID Provider that brokers to another one, and the stub of that other one.
//!
//! ```text
//! vestibule-bench stub  --listen 127.0.0.1:9401
//! vestibule-bench ready --url http://127.0.0.1:9400/readyz --seconds 5
//! vestibule-bench primitives
//! vestibule-bench table --file results.jsonl
//! vestibule-bench scim  --base URL --token T --scenario create --count 10000 --pid PID [...]
//! vestibule-bench load  --issuer URL --client ID --secret S --scenario login --pid PID [...]
//! ```

mod arguments;
mod wire;
mod stub;
mod browser;
mod client;
mod process;
mod redis;
mod notices;
mod scenario;
mod scim;
mod scim_table;
mod primitives;
mod table;

use std::process::ExitCode;

use anyhow::{Context as _, bail};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("vestibule-bench: {fault:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let mut words = std::env::args().skip(1);
    let mode = words.next().context("say stub, ready, primitives, table, scim or load")?;
    let arguments = arguments::Arguments::read(words)?;
    // One thread: it shares no core with the server, and needs no more than its own.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        match mode.as_str() {
            "stub" => stub::serve(&arguments).await,
            "ready" => scenario::ready(&arguments).await,
            "primitives" => primitives::measure(),
            "table" => table::print(&arguments),
            "load" => scenario::load(&arguments).await,
            "scim" => scim::run(&arguments).await,
            other => bail!("no mode {other}"),
        }
    })
}
