//! `vestibule demo`.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;

use super::serve::Signals;
use crate::app::system::{SystemClock, SystemDice};
use crate::config::Styled;
use crate::demo::{DemoOptions, start};

/// Runs until SIGINT or SIGTERM.
///
/// # Errors
/// What kept it from starting.
pub fn run(port: u16) -> anyhow::Result<ExitCode> {
    super::logging::begin_at("warn");
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().context("no runtime")?;
    runtime.block_on(async {
        let mut signals = Signals::listen()?;
        let options = DemoOptions {
            port,
            clock: Arc::new(SystemClock),
            dice: Arc::new(SystemDice::default()),
            program: program(),
        };
        let demo = start(options).await?;
        let mut out = std::io::stdout();
        let styled = if out.is_terminal() { Styled::Colours } else { Styled::Plain };
        // Whoever reads it may have gone; the demo runs all the same.
        let _ = out.write_all(demo.guide(styled).as_bytes()).and_then(|()| out.flush());
        signals.wait().await;
        demo.stop().await;
        Ok(ExitCode::SUCCESS)
    })
}

/// How this program can be called from here: its path, below the current folder if it is there.
fn program() -> String {
    let Ok(path) = std::env::current_exe() else { return "vestibule".to_owned() };
    let here = std::env::current_dir().ok();
    let shown = here.and_then(|here| path.strip_prefix(here).ok().map(std::path::Path::to_path_buf)).unwrap_or(path);
    shown.display().to_string()
}
