//! `vestibule doctor scim`: plays the provisioning service of Entra or Okta against the running server, in a scratch scope
//! that it removes again, and says step by step what a real one would see.

mod step;
mod entra;
mod okta;
mod exchange;
mod sign_in;

use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use futures_util::future::{Either, select};
use serde_json::json;
use url::Url;

use self::exchange::{Known, Seen, Stage, carry_out};
use self::sign_in::{Person, SignIn, check};
use self::step::Step;
use super::serve::Signals;
use super::sync_client::base_url;
use super::{Context, complain, say};
use crate::app::parts::Parts;
use crate::base::{Dice, Digest, Secret, Span};
use crate::config::{Outbound, Snapshot};
use crate::directory::Database;
use crate::directory::roster::{SyncClient, SyncKind};
use crate::identity::dialect::Tombstones;
use crate::identity::{Directory, Source};
use crate::outbound::GuardedClients;

/// How long the credential of a play lives: longer than any play takes. When it is over, the server removes what a play
/// that was killed has left behind.
const LIFETIME: Span = Span::minutes(10);
const LEFT: &str = "removing the scratch scope; the server removes it when its credential has expired";
/// What a request that nobody waits for any more may still take.
const UNDER_WAY: Duration = Duration::from_millis(500);
/// Rows of a kind that are removed at a time.
const CLEAR_ROWS: u32 = 500;

#[derive(Debug, clap::Subcommand)]
pub enum Doctor {
    /// Whether provisioning works, as Entra or Okta would find it.
    Scim {
        /// Whose provisioning service is played.
        #[arg(long = "as", value_name = "SERVICE")]
        service: Provisioner,
        #[arg(long, value_name = "ID")]
        directory: String,
        /// Where the server is asked, if not at the issuer's address: https://host:port.
        #[arg(long)]
        url: Option<Url>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Provisioner {
    Entra,
    Okta,
}

impl Provisioner {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Entra => "Entra",
            Self::Okta => "Okta",
        }
    }

    /// What its default mapping puts into externalId.
    const fn object(self) -> &'static str {
        match self {
            Self::Entra => "the object id",
            Self::Okta => "Okta's id of the user",
        }
    }

    /// The `[match]` that fits its default mapping.
    const fn usual_match(self) -> &'static str {
        match self {
            Self::Entra => "claim = \"oid\" and attribute = \"externalId\"",
            Self::Okta => "claim = \"sub\" and attribute = \"externalId\"",
        }
    }

    const fn source(self) -> Source {
        match self {
            Self::Entra => Source::Azure,
            Self::Okta => Source::Okta,
        }
    }

    fn arrival(self) -> Vec<Step> {
        match self {
            Self::Entra => entra::arrival(),
            Self::Okta => okta::arrival(),
        }
    }

    fn life(self) -> Vec<Step> {
        match self {
            Self::Entra => entra::life(),
            Self::Okta => okta::life(),
        }
    }
}

/// What was seen, and what is to be said about it.
#[derive(Debug, Default)]
struct Findings {
    settings: Vec<String>,
    steps: Vec<Seen>,
    sign_in: Vec<SignIn>,
}

impl Findings {
    fn wrong(&self) -> usize {
        let steps = self.steps.iter().filter(|seen| seen.outcome == "wrong").count();
        steps + self.sign_in.iter().filter(|verdict| verdict.outcome == "wrong").count() + self.settings.len()
    }
}

/// # Errors
/// What keeps the play from being played at all.
pub fn run(context: &Context, what: Doctor) -> anyhow::Result<ExitCode> {
    let Doctor::Scim { service, directory, url } = what;
    let runtime = super::runtime()?;
    runtime.block_on(async {
        let parts = super::open(context)?;
        let config = parts.config.snapshot();
        let directory = super::directory_of(&config, &directory)?;
        let played = play(&parts, &config, &directory, (service, url)).await;
        parts.directory.close().await.context("closing the database")?;
        let findings = played?;
        print(context, service, &findings);
        Ok(ExitCode::from(u8::from(findings.wrong() > 0)))
    })
}

async fn play(
    parts: &Parts,
    config: &Snapshot,
    directory: &Arc<Directory>,
    (service, url): (Provisioner, Option<Url>),
) -> anyhow::Result<Findings> {
    let dice = &*parts.options.dice;
    let scope = format!("{}~doctor-{}", directory.id, hex(dice, 8));
    let token = Secret::new(format!("vsc_{}", dice.token()));
    let now = parts.options.clock.now();
    let client = SyncClient {
        id: format!("scim-{}", dice.id()),
        directory: directory.id.clone(),
        scope: scope.clone(),
        name: format!("doctor as {}", service.name()),
        kind: SyncKind::Token,
        secret: Digest::of(token.expose()),
        created: now,
        expires: now.plus(LIFETIME),
        last_used: None,
    };
    let stage = stage(config, directory, &token, url)?;
    if !parts.directory.sync_clients.create(client.clone(), u32::MAX).await? {
        bail!("the database took no credential for the play");
    }
    let mut signals = Signals::listen()?;
    let mut findings = Findings { settings: settings(service, directory), ..Findings::default() };
    let played = {
        let scenes = pin!(scenes(parts, config, &stage, (service, &scope), &mut findings));
        match select(scenes, pin!(signals.wait())).await {
            Either::Left((played, _)) => Some(played),
            Either::Right(_) => None,
        }
    };
    if played.is_none() {
        complain("interrupted: what the play has made is removed");
        // What is under way at the server comes to its end.
        tokio::time::sleep(UNDER_WAY).await;
    }
    let cleared = clear(&parts.directory, &client).await;
    let Some(played) = played else {
        cleared.context(LEFT)?;
        bail!("the play was interrupted");
    };
    played?;
    cleared.context(LEFT)?;
    Ok(findings)
}

/// What of the directory's file can't fit this service.
fn settings(service: Provisioner, directory: &Directory) -> Vec<String> {
    let file = format!("directories/{}.toml", directory.id);
    let mut told = Vec::new();
    if ![service.source(), Source::Generic].contains(&directory.source) {
        told.push(format!(
            "{file} has source = \"{}\", so what {} sends is read as another product's: write source = \"{}\"",
            directory.source.as_str(),
            service.name(),
            service.source().as_str()
        ));
    }
    // No answer shows it: the name as it is sent is answered either way.
    if service == Provisioner::Entra && directory.dialect.tombstones == Tombstones::Ignore {
        told.push(format!(
            "{file} has [scim] tombstones = \"ignore\", so a person whom Entra deletes softly is stored under the name with \
             the object id before it, as if that were a real one: write tombstones = \"recognize\", which is azure's preset"
        ));
    }
    told
}

fn stage<'a>(
    config: &Snapshot,
    directory: &'a Directory,
    token: &Secret,
    url: Option<Url>,
) -> anyhow::Result<Stage<'a>> {
    // Our own server may well be at a private address; what is asked is named by the admin.
    let everywhere = ["0.0.0.0/0", "::/0"].iter().filter_map(|net| net.parse().ok()).collect();
    let outbound = Outbound { allow_private: everywhere, proxy: None, ..config.server.outbound.clone() };
    let http = GuardedClients::new(&outbound).trusting(&[])?;
    let public = &config.server.base_url;
    let host = url.as_ref().and(public.host_str()).map(|host| match public.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    });
    let base = Url::parse(&base_url(url.as_ref().unwrap_or(public))).context("the server's address")?;
    let authorization = Secret::new(format!("Bearer {}", token.expose()));
    Ok(Stage { http, base, host, authorization, directory })
}

async fn scenes(
    parts: &Parts,
    config: &Snapshot,
    stage: &Stage<'_>,
    (service, scope): (Provisioner, &str),
    findings: &mut Findings,
) -> anyhow::Result<()> {
    let mut known = Known { names: facts(&*parts.options.dice, stage.directory, service), ..Known::default() };
    for step in service.arrival() {
        let seen = carry_out(stage, &step, &mut known).await;
        // No answer of ours to the first question, or none that knows the credential: the rest would say the same.
        let unheard = !seen.heard || matches!(seen.status, Some(401 | 404 | 421));
        findings.steps.push(seen);
        if unheard && findings.steps.len() == 1 {
            return Ok(());
        }
    }
    let name = |name: &str| known.names.get(name).map_or("", String::as_str);
    let person = Person { scope, id: name("user"), object: name("object"), upn: name("upn") };
    if !person.id.is_empty() {
        findings.sign_in = check(config, &parts.directory, stage.directory, (service, &person)).await?;
    }
    for step in service.life() {
        findings.steps.push(carry_out(stage, &step, &mut known).await);
    }
    Ok(())
}

/// The names of one play; nobody of another play or in the real directory has them.
fn facts(dice: &dyn Dice, directory: &Directory, service: Provisioner) -> std::collections::BTreeMap<String, String> {
    let run = hex(dice, 8);
    let domain = directory.default_domain.as_ref().or(directory.domains.first());
    let domain = domain.map_or("example.com", String::as_str);
    let object = match service {
        Provisioner::Entra => guid(dice),
        Provisioner::Okta => format!("00u{}", hex(dice, 17)),
    };
    let upn = format!("Vera.Doctor-{run}@{domain}");
    let facts = [
        ("probe", guid(dice)),
        ("hex", object.replace('-', "")),
        ("object", object),
        ("object2", guid(dice)),
        ("object3", guid(dice)),
        ("object4", guid(dice)),
        ("nobody", hex(dice, 32)),
        ("UPN", upn.to_uppercase()),
        ("upn", upn),
        ("group_name", format!("Doctor {run}")),
        ("password", dice.id()),
        ("sentinel", directory.clear_sentinel.clone()),
        ("run", run),
    ];
    facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// So many random hexadecimal digits.
fn hex(dice: &dyn Dice, digits: usize) -> String {
    let mut bytes = [0_u8; 16];
    dice.fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().chars().take(digits).collect()
}

/// As Microsoft's ids look.
fn guid(dice: &dyn Dice) -> String {
    let mut text = hex(dice, 32);
    for at in [20, 16, 12, 8] {
        text.insert(at, '-');
    }
    text
}

/// Removes everything that the play has made, and ends the credential. It goes between the two: a kill at any moment leaves
/// nothing, or the credential by which the server finds the rest.
async fn clear(database: &Database, client: &SyncClient) -> anyhow::Result<()> {
    while !database.upkeep.clear_scope(&client.scope, CLEAR_ROWS).await? {}
    database.sync_clients.revoke(&client.id).await?;
    while !database.upkeep.clear_scope(&client.scope, CLEAR_ROWS).await? {}
    Ok(())
}

fn print(context: &Context, service: Provisioner, findings: &Findings) {
    let wrong = findings.wrong();
    if context.json {
        say(json!({
            "as": service.name().to_lowercase(), "ok": wrong == 0, "settings": findings.settings,
            "steps": findings.steps, "sign_in": findings.sign_in,
        }));
        return;
    }
    for fault in &findings.settings {
        say(format!("✗ {fault}"));
    }
    for seen in &findings.steps {
        say(line(seen));
    }
    for verdict in &findings.sign_in {
        let mark = if verdict.outcome == "ok" { "✓" } else { "✗" };
        say(format!("{mark} sign-in by idps/{}.toml: {}", verdict.idp, verdict.says));
        if let Some(mend) = &verdict.mend {
            say(format!("    mend: {mend}"));
        }
    }
    if findings.sign_in.is_empty() {
        say("– sign-in: no identity provider uses this directory, or the person didn't arrive");
    }
    if wrong == 0 {
        say(format!("\nAll as {} expects it.", service.name()));
    } else {
        let things = if wrong == 1 { "1 thing is".to_owned() } else { format!("{wrong} things are") };
        complain(format!("\n{things} not as {} needs it.", service.name()));
    }
}

/// One step for people.
fn line(seen: &Seen) -> String {
    let status = seen.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
    let what = format!("{:<46} {:<6} {} → {status}", seen.step, seen.method, shortened(&seen.path));
    match (seen.outcome, &seen.why) {
        ("ok", _) => format!("✓ {what}"),
        ("left_out", Some(why)) => format!("– {:<46} left out: {why}", seen.step),
        (_, why) => {
            let why = why.as_deref().unwrap_or_default();
            let mend = seen.mend.map_or_else(String::new, |mend| format!("\n    mend: {mend}"));
            format!("✗ {what}\n    {why}{mend}")
        }
    }
}

/// As far as it fits a line.
fn shortened(path: &str) -> String {
    if path.chars().count() <= 60 { path.to_owned() } else { path.chars().take(59).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::system::SystemDice;

    #[test]
    fn a_guid_looks_like_one_and_its_hexadecimal_form_is_the_same_digits() {
        let dice = SystemDice::default();
        let guid = guid(&dice);
        assert!(uuid::Uuid::parse_str(&guid).is_ok(), "{guid}");
        assert_eq!(guid.replace('-', "").len(), 32);
        assert_eq!(hex(&dice, 8).len(), 8);
    }
}
