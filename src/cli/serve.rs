//! `vestibule serve`.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use anyhow::Context as _;
use futures_util::future::{Either, select};

use super::Context;
use crate::app::{StartFault, start};
use crate::config::{Styled, render};

/// Runs until SIGINT or SIGTERM; a second one ends it at once.
///
/// # Errors
/// What kept it from starting.
pub fn run(context: &Context) -> anyhow::Result<ExitCode> {
    super::logging::begin();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().context("no runtime")?;
    runtime.block_on(async {
        let mut signals = Signals::listen()?;
        let running = match start(context.options()).await {
            Ok(running) => running,
            Err(StartFault::Config(findings)) => {
                let styled = if std::io::stderr().is_terminal() { Styled::Colours } else { Styled::Plain };
                super::complain(render(&findings, styled).trim_end());
                return Ok(ExitCode::from(1));
            }
            Err(fault) => return Err(anyhow::Error::new(fault)),
        };
        let issuer = running.ports().config.snapshot().server.issuer.clone();
        let management = running.management().map(tracing::field::display);
        tracing::info!(address = %running.address(), management, issuer, "serving");
        signals.wait().await;
        tracing::info!("stopping: what is under way may finish");
        let (orderly, again) = (std::pin::pin!(running.stop()), std::pin::pin!(signals.wait()));
        Ok(match select(orderly, again).await {
            Either::Left(_) => ExitCode::SUCCESS,
            Either::Right(_) => {
                tracing::warn!("stopped at once, without waiting for what is under way");
                ExitCode::from(1)
            }
        })
    })
}

/// The orders to stop.
pub struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    /// # Errors
    /// The system's refusal to deliver signals.
    pub fn listen() -> anyhow::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Returns at the first order.
    pub async fn wait(&mut self) {
        select(Box::pin(self.terminate.recv()), Box::pin(self.interrupt.recv())).await;
    }
}
