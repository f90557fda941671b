//! `vestibule explain`: the reasons behind a decision, without a browser.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::{Map, Value, json};

use super::explain_scim::{Asked as ScimRequest, explain_scim};
use super::{Context, complain, say};
use crate::app::parts::Parts;
use crate::audit::{Fact, Trace};
use crate::base::text::LoginHint;
use crate::broker::admit::{jit_attributes, match_key};
use crate::flow::upstream_login::{decide_with, redirect_uri};
use crate::hint::{self, Ask, EntryPath, Realm};
use crate::identity::{DirectoryKind, User, UserId};
use crate::oidc::pkce::CodeChallenge;
use crate::oidc::prompt::Prompt;
use crate::oidc::{Client, Idp, IdpId, Scope};
use crate::token::claims::{Holder, userinfo};
use crate::token::grant::{GRANT_VERSION, Grant};
use crate::token::standing::check_user;
use crate::token::subject::Subject;
use crate::upstream::{AuthorizationCall, Upstream, authorization_url};

#[derive(Debug, clap::Subcommand)]
pub enum Explain {
    /// Which identity provider is chosen and why, and the exact upstream authorization URL.
    Hint {
        /// The client that asks.
        #[arg(long, value_name = "ID")]
        client: String,
        #[arg(long, value_name = "HINT", default_value = "", allow_hyphen_values = true)]
        login_hint: String,
        /// none, login or select_account.
        #[arg(long)]
        prompt: Option<String>,
        /// The `domain` parameter.
        #[arg(long)]
        domain: Option<String>,
    },
    /// The user that an ID token's claims match, or why none, and the claims each client would get.
    Claims {
        #[arg(long, value_name = "ID")]
        idp: String,
        /// The claims as JSON.
        file: PathBuf,
    },
    /// What a provisioning service's request would store, drop or be refused for; writes nothing.
    Scim {
        #[arg(long, value_name = "ID")]
        directory: String,
        /// Method and path, such as "PATCH /Users/ID".
        #[arg(long, value_name = "REQUEST", value_parser = ScimRequest::parse)]
        path: ScimRequest,
        /// The body; DELETE has none.
        file: Option<PathBuf>,
    },
    /// The trace of one login, by the reference on its error page.
    Login {
        #[arg(value_name = "REF", allow_hyphen_values = true)]
        reference: String,
    },
}

/// # Errors
/// What can't be read or found.
pub fn run(context: &Context, what: Explain) -> anyhow::Result<ExitCode> {
    let runtime = super::runtime()?;
    runtime.block_on(async {
        let parts = super::open(context)?;
        let code = match what {
            Explain::Hint { client, login_hint, prompt, domain } => {
                let asked = Asked {
                    client: &client,
                    login_hint: &login_hint,
                    prompt: prompt.as_deref(),
                    domain: domain.as_deref(),
                };
                explain_hint(context, &parts, asked).await
            }
            Explain::Claims { idp, file } => explain_claims(context, &parts, &idp, &file).await,
            Explain::Scim { directory, path, file } => {
                explain_scim(context, &parts, &directory, &path, file.as_deref()).await
            }
            Explain::Login { reference } => explain_login(context, &parts, &reference).await,
        };
        parts.directory.close().await.context("closing the database")?;
        code
    })
}

struct Asked<'a> {
    client: &'a str,
    login_hint: &'a str,
    prompt: Option<&'a str>,
    domain: Option<&'a str>,
}

async fn explain_hint(context: &Context, parts: &Parts, asked: Asked<'_>) -> anyhow::Result<ExitCode> {
    let config = parts.config.snapshot();
    let client = find_client(&config, asked.client)?;
    let hint = LoginHint::parse(asked.login_hint).context("the client would get invalid_request")?;
    let prompt = Prompt::parse(asked.prompt).context("prompt is none, or login and select_account")?;
    let idps = config.idps_of(&client);
    let ask = Ask {
        path: EntryPath::Explain,
        received: hint.as_ref(),
        typed: None,
        accept_hints: client.accept_hints,
        domain: asked.domain,
        prompt,
        idps: &idps,
        directories: &config.directories,
        chosen: None,
    };
    let realm = hint::home_realm(&ask);
    let Realm::Idp { idp, .. } = &realm else {
        print_lines(context, &hint::explain(&realm, None), None);
        return Ok(ExitCode::SUCCESS);
    };
    let decision = decide_with(&parts.directory, &parts.seal, idp, &ask).await?;
    let lines = hint::explain(&realm, Some(&decision));
    let upstream =
        Upstream::new(&config.server.outbound, Arc::clone(&parts.options.clock), Arc::clone(&parts.options.dice));
    let url = match upstream.provider(idp).await {
        Err(fault) => Err(format!("{fault}: {}", fault.detail())),
        Ok(facts) => {
            let token = || parts.options.dice.token();
            let call = AuthorizationCall {
                redirect_uri: redirect_uri(&config.server.base_url, idp),
                state: token(),
                nonce: token(),
                code_challenge: CodeChallenge::of(&token()),
                login_hint: decision.login_hint().map(str::to_owned),
                domain_hint: decision.domain_hint().map(str::to_owned),
                prompt: decision.prompt().map(str::to_owned),
                max_age: None,
                acr_values: None,
                ui_locales: None,
                extra: Vec::new(),
            };
            Ok(authorization_url(&facts, idp, &call).to_string())
        }
    };
    let reachable = url.is_ok();
    print_lines(context, &lines, Some(url));
    Ok(ExitCode::from(u8::from(!reachable)))
}

fn print_lines(context: &Context, lines: &[String], url: Option<Result<String, String>>) {
    if context.json {
        let (url, fault) = match url {
            Some(Ok(url)) => (Some(url), None),
            Some(Err(fault)) => (None, Some(fault)),
            None => (None, None),
        };
        say(json!({ "explanation": lines, "url": url, "fault": fault }));
        return;
    }
    for line in lines {
        say(line);
    }
    match url {
        Some(Ok(url)) => say(format!("url: {url}")),
        Some(Err(fault)) => say(format!("url: unknown, since the provider's discovery document can't be had: {fault}")),
        None => {}
    }
}

async fn explain_claims(context: &Context, parts: &Parts, idp: &str, file: &PathBuf) -> anyhow::Result<ExitCode> {
    let config = parts.config.snapshot();
    let idp = config.idps.get(&IdpId(idp.to_owned())).with_context(|| format!("there is no idps/{idp}.toml"))?;
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let claims: Map<String, Value> = serde_json::from_str(&text).context("the file is a JSON object of claims")?;
    let found = match_identity(parts, idp, &claims).await?;
    let (user, how) = match found {
        Ok(found) => found,
        Err(why) => {
            let body = json!({ "match": null, "why": why });
            say(if context.json { body.to_string() } else { format!("match: none, because {why}") });
            return Ok(ExitCode::from(1));
        }
    };
    let salt = parts.seal.derive("pairwise subjects");
    let mut per_client = Map::new();
    for client in config.clients.values().filter(|client| client.enabled && client.allows_idp(&idp.id)) {
        let grant = grant_for(client, &user, idp, parts);
        let Some(directory) = config.directories.get(&user.directory) else { bail!("the directory is not configured") };
        let subject = Subject::of(&user.id, client, &salt);
        let holder = Holder { subject: &subject, grant: &grant, user: &user, client, directory };
        per_client.insert(client.id.0.clone(), Value::Object(userinfo(holder)));
    }
    if context.json {
        say(format!(
            "{}",
            json!({ "match": { "id": user.id, "userName": user.user_name(), "how": how }, "claims": per_client })
        ));
    } else {
        say(format!("match: {} ({how})", user.user_name().unwrap_or(&user.id.0)));
        for (client, claims) in &per_client {
            say(format!("\n{client} gets:\n{}", serde_json::to_string_pretty(claims)?));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// As a login would, but writes nothing.
async fn match_identity(
    parts: &Parts,
    idp: &Idp,
    claims: &Map<String, Value>,
) -> anyhow::Result<Result<(User, String), String>> {
    let config = parts.config.snapshot();
    let key = match match_key(idp, claims) {
        Ok(key) => key,
        Err(why) => return Ok(Err(format!("claim {}: {}", idp.matching.claim, why.as_str()))),
    };
    let directory = config.directories.get(&idp.directory).context("the provider's directory is not configured")?;
    let found = parts.directory.users.find(&idp.directory, &key.attribute, &key.value).await?;
    let by = format!("{} = claim {}", key.attribute, idp.matching.claim);
    Ok(match found.as_slice() {
        [user] => match check_user(Some(user), (idp, Some(directory)), parts.options.clock.now()) {
            Ok(()) => Ok((user.clone(), by)),
            Err(why) => Err(format!("{by} finds a user, but {why}")),
        },
        [] if directory.kind == DirectoryKind::Jit => {
            let user = User {
                id: UserId("(drawn at the first sign-in)".to_owned()),
                directory: idp.directory.clone(),
                active: true,
                sessions_valid_from: parts.options.clock.now(),
                attributes: jit_attributes(idp, directory, claims, &key),
                email_verified: crate::broker::admit::email_verified(claims),
                former_names: Vec::new(),
                updated_at: parts.options.clock.now(),
            };
            Ok((user, format!("{by} finds nobody: the login would create this user")))
        }
        [] => Err(format!("{by} finds nobody")),
        _ => Err(format!("{by} finds more than one user")),
    })
}

fn grant_for(client: &Client, user: &User, idp: &Idp, parts: &Parts) -> Grant {
    Grant {
        version: GRANT_VERSION,
        client: client.id.clone(),
        user: user.id.clone(),
        directory: user.directory.clone(),
        idp: idp.id.clone(),
        sid: "(the session's id)".to_owned(),
        scopes: Scope::ALL.into_iter().filter(|scope| client.scopes.contains(scope)).collect(),
        nonce: None,
        auth_time: parts.options.clock.now(),
        acr: None,
        amr: Vec::new(),
    }
}

fn find_client(config: &crate::config::Snapshot, id: &str) -> anyhow::Result<Arc<Client>> {
    let by_stem = config.clients.values().find(|client| client.stem == id);
    config.client(id).or(by_stem).cloned().with_context(|| format!("there is no client {id}"))
}

/// A running server writes traces up to a second after the login: who asks at once waits for it.
async fn find_trace(parts: &Parts, reference: &str) -> anyhow::Result<Option<Trace>> {
    let mut looks = tokio::time::interval(Duration::from_millis(100));
    for _ in 0..15 {
        looks.tick().await;
        if let Some(trace) = parts.directory.traces.trace(reference).await? {
            return Ok(Some(trace));
        }
    }
    Ok(None)
}

async fn explain_login(context: &Context, parts: &Parts, reference: &str) -> anyhow::Result<ExitCode> {
    let Some(trace) = find_trace(parts, reference).await? else {
        complain(format!("no login has the reference {reference}: it may be too old, or of another installation"));
        return Ok(ExitCode::from(1));
    };
    if context.json {
        say(serde_json::to_string(&trace)?);
    } else {
        say(tell(&trace));
    }
    Ok(ExitCode::SUCCESS)
}

/// A trace as text.
#[must_use]
pub fn tell(trace: &Trace) -> String {
    let mut text = format!(
        "login {}\nbegan {}\nended {}\n",
        trace.reference,
        trace.started.to_rfc3339(),
        trace.outcome.as_str().replace('_', " ")
    );
    for step in &trace.steps {
        text.push_str(&format!("\n+{:>6} ms  {}\n", step.after.ms(), step.what));
        for (name, fact) in &step.facts {
            text.push_str(&format!("             {name}: {}\n", tell_fact(fact)));
        }
    }
    text
}

fn tell_fact(fact: &Fact) -> String {
    match fact {
        Fact::Word(word) => word.clone(),
        Fact::Count(count) => count.to_string(),
        Fact::Names(names) => names.join(", "),
        Fact::Hint(shape) => format!("[{shape}]"),
        Fact::Foreign(words) => format!("the provider says: {words}"),
    }
}
