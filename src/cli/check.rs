//! `vestibule check`: every finding in the files, and with `--online` what the world answers.

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use super::{Context, environment, say};
use crate::app::parts;
use crate::backchannel::Clients;
use crate::base::Secret;
use crate::config::lints::Severity;
use crate::config::{DatabaseUrl, Finding, Server, Snapshot, StateUrl, Styled, load, render};
use crate::jobs::keys::{Keeper, read};
use crate::keys::seal::Seal;
use crate::keys::verifying::KeySetFault;
use crate::oidc::client::ClientCredential;
use crate::upstream::Upstream;

/// What `check` is asked to do beyond reading.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Options {
    /// Also try discovery, JWKS (of providers and clients), Redis and the database.
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
    let mut loaded = load(&context.folder, &environment);
    if let Some(snapshot) = &loaded.snapshot {
        loaded.findings.extend(parts::out_of_use(&context.folder, snapshot));
    }
    let faults = loaded.findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    let warnings = loaded.findings.len() - faults;
    let probes = match (&loaded.snapshot, options.online) {
        (Some(snapshot), true) => probe(context, snapshot)?,
        _ => Vec::new(),
    };
    if context.json {
        let findings: Vec<serde_json::Value> = loaded.findings.iter().map(Finding::to_json).collect();
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
        let clock = Arc::clone(&options.clock);
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
        probes.extend(client_keys(&Clients::new(&snapshot.server.outbound, clock), snapshot).await);
        Ok(probes)
    })
}

/// Fetches the keys that clients publish.
async fn client_keys(clients: &Clients, snapshot: &Snapshot) -> Vec<Probe> {
    let mut probes = Vec::new();
    for client in snapshot.clients.values().filter(|client| client.enabled) {
        let ClientCredential::KeysUri(uri) = &client.credential else { continue };
        let what = format!("client {}: jwks_uri", client.stem);
        probes.push(match clients.keys(uri).await {
            Ok(keys) if keys.count() == 0 => {
                Probe { what, fault: Some(KeySetFault::Empty.to_string()), detail: String::new() }
            }
            Ok(keys) => Probe { what, fault: None, detail: format!("{} usable keys", keys.count()) },
            Err(fault) => Probe { what, fault: Some(fault.to_string()), detail: String::new() },
        });
    }
    probes
}

async fn stores(options: &crate::app::Options, snapshot: &Arc<Snapshot>) -> Vec<Probe> {
    let probe = |what: &str, outcome: Result<String, String>| match outcome {
        Ok(detail) => Probe { what: what.to_owned(), fault: None, detail },
        Err(fault) => Probe { what: what.to_owned(), fault: Some(fault), detail: String::new() },
    };
    let mut probes = vec![probe("database", database(options, &snapshot.server).await)];
    if let StateUrl::Redis(_) = snapshot.server.state {
        probes.push(probe("Redis", redis(options, &snapshot.server).await));
    }
    probes
}

/// Opens the database if it is there; makes none.
async fn database(options: &crate::app::Options, server: &Server) -> Result<String, String> {
    if let DatabaseUrl::Sqlite(file) = &server.database
        && !file.exists()
    {
        return Ok(format!("{} is not there yet, the first start makes it", file.display()));
    }
    let made = parts::make(options).map_err(|fault| fault.to_string())?;
    made.directory.ping().await.map_err(|fault| fault.to_string())?;
    let keeper = Keeper { store: &*made.directory.keys, seal: &made.seal, dice: &*options.dice };
    let opened = read(&keeper).await.map_err(|fault| fault.to_string());
    // Nothing was written: the close only ends the writer.
    let _ = made.directory.close().await;
    opened.map(|ring| format!("answers, and its {} signing keys open", ring.facts().len()))
}

async fn redis(options: &crate::app::Options, server: &Server) -> Result<String, String> {
    // A look needs no lasting seal.
    let seal = Seal::new(&Secret::new(options.dice.token())).map_err(|fault| fault.to_string())?;
    let state = parts::open_state_of(options, &Arc::new(seal), server).map_err(|fault| fault.to_string())?;
    match tokio::time::timeout(Duration::from_secs(5), state.ping()).await {
        Err(_) => Err("no answer within 5 s".to_owned()),
        Ok(Err(fault)) => Err(fault.to_string()),
        Ok(Ok(())) => Ok("answers".to_owned()),
    }
}
