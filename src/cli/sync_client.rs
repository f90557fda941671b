//! `vestibule sync-client`: the credentials of provisioning services.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use serde_json::json;
use url::Url;

use super::{Context, complain, say};
use crate::app::parts::Parts;
use crate::base::{Digest, Moment, Secret, Span};
use crate::directory::roster::{SyncClient, SyncKind};
use crate::jobs::sync_expiry::Expiry;

/// Live ones of a directory: the one in use, and the one that takes its place.
const LIVE_MAX: u32 = 2;
const LIFETIME_MIN: Span = Span::minutes(1);
const LIFETIME_MAX: Span = Span::days(730);

#[derive(Debug, clap::Subcommand)]
pub enum SyncClients {
    /// A new credential for one directory; its secret is printed once.
    Create {
        #[arg(long, value_name = "ID")]
        directory: String,
        /// What it is called in lists; left out: the directory's id.
        #[arg(long)]
        name: Option<String>,
        /// How long it lives: 1 minute to 2 years, such as 90s, 10m, 8h, 30d, 6mo or 1y.
        #[arg(long, value_name = "TIME", default_value = "6mo", value_parser = lifetime)]
        expires: Span,
        /// Client id and secret for tokens of /acs/token, in place of a bearer token.
        #[arg(long)]
        oauth: bool,
    },
    /// All of them with last use and expiry.
    List {
        /// Exit 1 if one ends within 30 days, or has ended with none in its place.
        #[arg(long)]
        fail: bool,
    },
    /// Ends one at once.
    Revoke {
        #[arg(value_name = "ID")]
        id: String,
    },
}

/// `90s`, `10m`, `8h`, `30d`, `6mo`, `1y`. A month is a twelfth of 365 days, so that six are the vendor's 262,800
/// minutes.
fn lifetime(text: &str) -> Result<Span, String> {
    let minutes_of = |count: &str, each: i64| {
        let digits = !count.is_empty() && count.len() <= 6 && count.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| count.parse().ok().map(|count: i64| Span::minutes(count * each))).flatten()
    };
    let span = match (text.strip_suffix("mo"), text.strip_suffix('y')) {
        (Some(months), _) => minutes_of(months, 43_800),
        (None, Some(years)) => minutes_of(years, 525_600),
        (None, None) => Span::parse(text).ok(),
    };
    match span {
        Some(span) if (LIFETIME_MIN..=LIFETIME_MAX).contains(&span) => Ok(span),
        Some(_) => Err("a credential lives for 1 minute to 2 years".to_owned()),
        None => Err("write a whole number and s, m, h, d, mo or y, such as 6mo".to_owned()),
    }
}

/// Where a provisioning service finds us.
#[must_use]
pub fn base_url(origin: &Url) -> String {
    format!("{}/usergroup/scim/v2", origin.as_str().trim_end_matches('/'))
}

/// # Errors
/// What can't be read or written, and what isn't allowed.
pub fn run(context: &Context, what: SyncClients) -> anyhow::Result<ExitCode> {
    let runtime = super::runtime()?;
    runtime.block_on(async {
        let parts = super::open(context)?;
        let code = match what {
            SyncClients::Create { directory, name, expires, oauth } => {
                let kind = if oauth { SyncKind::Oauth } else { SyncKind::Token };
                create(context, &parts, Wanted { directory, name, expires, kind }).await
            }
            SyncClients::List { fail } => {
                list(context, &parts).await.map(|care| ExitCode::from(u8::from(care && fail)))
            }
            SyncClients::Revoke { id } => revoke(context, &parts, &id).await,
        };
        parts.directory.close().await.context("closing the database")?;
        code
    })
}

struct Wanted {
    directory: String,
    name: Option<String>,
    expires: Span,
    kind: SyncKind,
}

async fn create(context: &Context, parts: &Parts, wanted: Wanted) -> anyhow::Result<ExitCode> {
    let config = parts.config.snapshot();
    super::directory_of(&config, &wanted.directory)?;
    let name = wanted.name.unwrap_or_else(|| wanted.directory.clone());
    if name.chars().count() > 100 || name.chars().any(crate::base::text::is_control) {
        bail!("a name has up to 100 characters, none of them a control character");
    }
    let dice = &*parts.options.dice;
    let secret = Secret::new(match wanted.kind {
        SyncKind::Token => format!("vsc_{}", dice.token()),
        SyncKind::Oauth => dice.token(),
    });
    let now = parts.options.clock.now();
    let client = SyncClient {
        id: format!("scim-{}", dice.id()),
        directory: wanted.directory.clone(),
        scope: wanted.directory,
        name,
        kind: wanted.kind,
        secret: Digest::of(secret.expose()),
        created: now,
        expires: now.plus(wanted.expires),
        last_used: None,
    };
    if !parts.directory.sync_clients.create(client.clone(), LIVE_MAX).await? {
        bail!(
            "{} has {LIVE_MAX} live credentials, which is the most: `vestibule sync-client list` shows them; revoke the \
             one that no service uses any more",
            client.directory
        );
    }
    let server = &config.server;
    print_created(context, &client, &secret, (&base_url(&server.base_url), &format!("{}/token", server.issuer)));
    Ok(ExitCode::SUCCESS)
}

/// The one place where a secret is printed.
fn print_created(context: &Context, client: &SyncClient, secret: &Secret, (base, token_url): (&str, &str)) {
    let ends = client.expires.to_rfc3339();
    let secret = secret.expose();
    match (context.json, client.kind) {
        (true, SyncKind::Token) => {
            say(json!({ "id": client.id, "base_url": base, "token": secret, "expires_at": ends }));
        }
        (true, SyncKind::Oauth) => say(json!({
            "id": client.id, "base_url": base, "client_id": client.id, "client_secret": secret,
            "token_url": token_url, "expires_at": ends,
        })),
        (false, SyncKind::Token) => {
            say(format!("id           {}\nbase URL     {base}\ntoken        {secret}\nexpires      {ends}", client.id));
            complain("The token is not shown again.");
        }
        (false, SyncKind::Oauth) => {
            say(format!(
                "id           {}\nbase URL     {base}\ntoken URL    {token_url}\nclient id    {}\nsecret       \
                 {secret}\nexpires      {ends}",
                client.id, client.id
            ));
            complain("The secret is not shown again.");
        }
    }
}

/// Says whether something needs care.
async fn list(context: &Context, parts: &Parts) -> anyhow::Result<bool> {
    let all = parts.directory.sync_clients.all().await?;
    let now = parts.options.clock.now();
    let warnings: Vec<String> = all.iter().filter_map(|client| Expiry::tell(client, &all, now)).collect();
    let kind = |client: &SyncClient| match client.kind {
        SyncKind::Token => "token",
        SyncKind::Oauth => "oauth",
    };
    let state = |client: &SyncClient| match Expiry::of(client, now) {
        Expiry::Far => "live".to_owned(),
        Expiry::Within(days) => format!("ends within {days} d"),
        Expiry::Over => "over".to_owned(),
    };
    if context.json {
        let rows = all.iter().map(|client| {
            json!({
                "id": client.id, "directory": client.directory, "scope": client.scope, "name": client.name,
                "kind": kind(client), "created_at": client.created.to_rfc3339(),
                "expires_at": client.expires.to_rfc3339(), "last_used_at": client.last_used.map(Moment::to_rfc3339),
                "warning": Expiry::tell(client, &all, now),
            })
        });
        say(json!(rows.collect::<Vec<_>>()));
        return Ok(!warnings.is_empty());
    }
    let mut table = comfy_table::Table::new();
    table.set_header(["id", "directory", "name", "kind", "state", "last used", "expires"]);
    for client in &all {
        table.add_row([
            client.id.clone(),
            client.scope.clone(),
            client.name.clone(),
            kind(client).to_owned(),
            state(client),
            client.last_used.map_or_else(|| "never".to_owned(), Moment::to_rfc3339),
            client.expires.to_rfc3339(),
        ]);
    }
    say(table);
    for warning in &warnings {
        complain(warning);
    }
    Ok(!warnings.is_empty())
}

async fn revoke(context: &Context, parts: &Parts, id: &str) -> anyhow::Result<ExitCode> {
    if !parts.directory.sync_clients.revoke(id).await? {
        bail!("there is no sync client {id}: `vestibule sync-client list` shows them");
    }
    say(if context.json { json!({ "revoked": id }).to_string() } else { format!("{id} is revoked") });
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_are_one_minute_to_two_years_and_a_month_is_a_twelfth_of_a_year() {
        assert_eq!(lifetime("6mo"), Ok(Span::minutes(262_800)));
        assert_eq!(lifetime("12mo"), lifetime("1y"));
        assert_eq!(lifetime("1y"), Ok(Span::days(365)));
        for (text, span) in
            [("60s", Span::minutes(1)), ("30d", Span::days(30)), ("2y", Span::days(730)), ("730d", Span::days(730))]
        {
            assert_eq!(lifetime(text), Ok(span), "{text}");
        }
        for wrong in
            ["59s", "0m", "3y", "25mo", "731d", "17521h", "", "mo", "y", "-1y", "6 mo", "6MO", "1.5y", "99999999999mo"]
        {
            assert!(lifetime(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_base_url_has_one_slash() {
        let origin = Url::parse("https://id.example.com").unwrap();
        assert_eq!(base_url(&origin), "https://id.example.com/usergroup/scim/v2");
    }
}
