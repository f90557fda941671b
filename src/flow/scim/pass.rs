//! Who is calling: a credential of one directory, which opens that directory and nothing else.

use std::sync::Arc;

use super::refusal::Refusal;
use crate::base::{Digest, Secret};
use crate::directory::roster::{SyncClient, SyncKind};
use crate::flow::confirmed::Edition;
use crate::flow::issue::is_signed;
use crate::flow::ports::{Ports, Request};
use crate::identity::Directory;
use crate::scim::Schemas;
use crate::state::{Kind, Name};
use crate::token::access::AccessState;

/// How bearer tokens begin.
pub const TOKEN_PREFIX: &str = "vsc_";
/// The schemes before the token, in any case; a token without one is taken too.
const SCHEMES: [&str; 2] = ["bearer", "hzn"];

/// What a verified credential opens. Nothing else makes one, but a rehearsal.
#[derive(Clone)]
pub struct Pass {
    directory: Arc<Directory>,
    schemas: Arc<Schemas>,
    edition: Arc<Edition>,
    scope: String,
    credential: String,
}

impl Pass {
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    #[must_use]
    pub fn schemas(&self) -> &Schemas {
        &self.schemas
    }

    /// `https://host/usergroup/scim/v2`.
    #[must_use]
    pub fn base(&self) -> &str {
        self.edition.base()
    }

    /// Where it reads and writes.
    #[must_use]
    pub fn scope(&self) -> &str {
        &self.scope
    }

    /// The id of the credential.
    #[must_use]
    pub fn credential(&self) -> &str {
        &self.credential
    }
}

/// A pass for a rehearsal, without a credential: for those who can read and write the database anyway. `None`: there is
/// no such directory.
#[must_use]
pub fn rehearsing(ports: &Ports, request: &Request, directory: &str) -> Option<Pass> {
    let edition = ports.editions.of(&request.config);
    let schemas = Arc::clone(edition.schemas(directory)?);
    let directory = Arc::clone(request.config.directories.get(directory)?);
    let scope = directory.id.clone();
    Some(Pass { directory, schemas, edition, scope, credential: "cli".to_owned() })
}

/// Checks a credential, as the `Authorization` header has it, and admits its request.
///
/// # Errors
/// [`Refusal`]: `Unauthorized` for none that holds now, `TooMany`, `Unavailable`.
pub async fn admit(ports: &Ports, request: &Request, authorization: Option<&Secret>) -> Result<Pass, Refusal> {
    let token = authorization.map(|header| token(header.expose())).unwrap_or_default();
    if token.is_empty() {
        return Err(Refusal::Unauthorized);
    }
    let client = find(ports, request, token).await?.ok_or(Refusal::Unauthorized)?;
    if client.expires <= request.now {
        tracing::warn!(
            credential = client.id,
            name = client.name,
            directory = client.directory,
            expired = client.expires.to_rfc3339(),
            "a SCIM credential that has expired is still in use"
        );
        return Err(Refusal::Unauthorized);
    }
    let edition = ports.editions.of(&request.config);
    let directory = request.config.directories.get(&client.directory);
    let (Some(directory), Some(schemas)) = (directory, edition.schemas(&client.directory)) else {
        tracing::warn!(credential = client.id, directory = client.directory, "a SCIM credential of no directory");
        return Err(Refusal::Unauthorized);
    };
    if !ports.scim_rates.admits(&client.id, request.config.server.limits.scim_requests_per_second, request.now) {
        return Err(Refusal::TooMany);
    }
    ports.sightings.used(&client.id, request.now);
    let (directory, schemas) = (Arc::clone(directory), Arc::clone(schemas));
    Ok(Pass { directory, schemas, edition, scope: client.scope, credential: client.id })
}

/// The token of a header.
fn token(header: &str) -> &str {
    let header = header.trim();
    match header.split_once(' ') {
        Some((scheme, token)) if SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known)) => token.trim(),
        // Another scheme.
        Some(_) => "",
        None if SCHEMES.iter().any(|known| header.eq_ignore_ascii_case(known)) => "",
        None => header,
    }
}

/// The credential that a token is, or was issued to.
async fn find(ports: &Ports, request: &Request, token: &str) -> Result<Option<SyncClient>, Refusal> {
    let clients = &ports.directory.sync_clients;
    if token.starts_with(TOKEN_PREFIX) {
        let found = clients.by_secret(&Digest::of(token)).await?;
        return Ok(found.filter(|client| client.kind == SyncKind::Token));
    }
    if is_signed(token) {
        return Ok(None);
    }
    let kept = ports.state.peek(Name::of(Kind::AccessToken, token)).await?;
    let Some(AccessState::Sync(record)) = kept.as_deref().and_then(AccessState::decode) else { return Ok(None) };
    if record.expires <= request.now {
        return Ok(None);
    }
    let found = clients.by_id(&record.client.0).await?;
    Ok(found.filter(|client| client.kind == SyncKind::Oauth))
}

#[cfg(test)]
mod tests {
    use super::token;

    #[test]
    fn a_token_comes_with_either_scheme_in_any_case_or_bare() {
        for header in ["Bearer abc", "bearer abc", "HZN abc", "hzn  abc ", "abc", " abc"] {
            assert_eq!(token(header), "abc", "{header}");
        }
        for none in ["", "Bearer", "hzn ", "Basic abc", "Digest a b"] {
            assert_eq!(token(none), "", "{none}");
        }
    }
}
