//! `vestibule check`: every finding in the files, and with `--online` what the world answers.

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use super::{Context, environment, say};
use crate::app::parts;
use crate::config::lints::Severity;
use crate::config::{Snapshot, Styled, load, render};
use crate::upstream::Upstream;

/// What `check` is asked to do beyond reading.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Options {
    /// Also try discovery, JWKS, Redis and the database.
    #[arg(long)]
    online: bool,
    /// Exit 1 on warnings too.
    #[arg(long)]
    strict: bool,
}

/// One thing that was tried.
#[derive(Debug, serde::Serialize)]
struct Probe {
    what: String,
    /// What is wrong; `None`: it answers.
    fault: Option<String>,
    detail: String,
}

/// # Errors
/// When the answer can't be printed.
pub fn run(context: &Context, options: Options) -> anyhow::Result<ExitCode> {
    let loaded = load(&context.folder, &environment);
    let faults = loaded.findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    let warnings = loaded.findings.len() - faults;
    let probes = match (&loaded.snapshot, options.online) {
        (Some(snapshot), true) => probe(context, snapshot)?,
        _ => Vec::new(),
    };
    if context.json {
        let findings: Vec<serde_json::Value> = loaded.findings.iter().map(crate::config::Finding::to_json).collect();
        say(serde_json::json!({ "findings": findings, "online": probes }));
    } else {
        let styled = if std::io::stdout().is_terminal() { Styled::Colours } else { Styled::Plain };
        say(render(&loaded.findings, styled).trim_end());
        for probe in &probes {
            match &probe.fault {
                None => say(format!("ok    {}: {}", probe.what, probe.detail)),
                Some(fault) => say(format!("wrong {}: {fault}", probe.what)),
            }
        }
    }
    let wrong = faults > 0 || probes.iter().any(|probe| probe.fault.is_some()) || (options.strict && warnings > 0);
    Ok(ExitCode::from(u8::from(wrong)))
}

fn probe(context: &Context, snapshot: &Arc<Snapshot>) -> anyhow::Result<Vec<Probe>> {
    let runtime = super::runtime()?;
    runtime.block_on(async {
        let options = context.options();
        let mut probes = stores(&options, snapshot).await;
        let upstream = Upstream::new(&snapshot.server.outbound, options.clock, options.dice);
        for idp in snapshot.idps.values().filter(|idp| idp.enabled) {
            for finding in upstream.probe(idp).await {
                let what = format!("identity provider {}: {}", idp.id, finding.what);
                probes.push(match finding.outcome {
                    Ok(detail) => Probe { what, fault: None, detail },
                    Err(fault) => Probe { what, fault: Some(fault), detail: String::new() },
                });
            }
        }
        Ok(probes)
    })
}

async fn stores(options: &crate::app::Options, snapshot: &Arc<Snapshot>) -> Vec<Probe> {
    let mut probes = Vec::new();
    match parts::make(options) {
        Err(fault) => {
            probes.push(Probe { what: "database".into(), fault: Some(fault.to_string()), detail: String::new() });
        }
        Ok(made) => {
            let fault = made.directory.ping().await.err().map(|fault| fault.to_string());
            probes.push(Probe { what: "database".into(), fault, detail: "answers".into() });
            if let crate::config::StateUrl::Redis(_) = snapshot.server.state {
                let fault = match parts::open_state_of(options, &made.seal, &snapshot.server) {
                    Err(fault) => Some(fault.to_string()),
                    Ok(state) => tokio::time::timeout(Duration::from_secs(5), state.ping())
                        .await
                        .map_or_else(|_| Some("no answer".to_owned()), |answer| answer.err().map(|f| f.to_string())),
                };
                probes.push(Probe { what: "Redis".into(), fault, detail: "answers".into() });
            }
            // Nothing was written: the close only ends the writer.
            let _ = made.directory.close().await;
        }
    }
    probes
}
