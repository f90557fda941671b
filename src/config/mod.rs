//! The config folder: files → spanned raw → lint → a checked snapshot in which no invalid state can be built.

pub mod lints;
pub mod finding;
pub mod render;
mod shape;
mod shapes;
mod tree;
mod source;
mod spelling;
mod value;
mod walk;
mod view;
mod preset;
mod folder;
mod reader;
mod build;
mod objects;
mod cross;
mod unserved;
pub mod load;
pub mod schema;
pub mod reference;
pub mod live;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use url::Url;

use crate::base::{Digest, Secret, Span};
use crate::identity::Directory;
use crate::keys::assertion::ClientKeys;
use crate::oidc::client::SigningAlgorithm;
use crate::oidc::{Client, ClientId, Idp, IdpId};
use crate::scim::Schemas;

pub use finding::Finding;
pub use live::{Live, Reloaded};
pub use load::{Loaded, load};
pub use reference::reference;
pub use render::{Styled, render};
pub use schema::schema;
pub use shapes::SchemaKind;

/// One whole configuration, checked. A request sees one of these from beginning to end.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Digest of all files: names this version in traces and metrics.
    pub version: Digest,
    pub server: Arc<Server>,
    /// By stem.
    pub directories: BTreeMap<String, Arc<Directory>>,
    /// What each directory confirms, by its stem.
    pub schemas: BTreeMap<String, Arc<Schemas>>,
    pub idps: BTreeMap<IdpId, Arc<Idp>>,
    /// By `client_id`.
    pub clients: BTreeMap<ClientId, Arc<Client>>,
    /// The keys that stand in clients' files, parsed.
    pub client_keys: BTreeMap<ClientId, Arc<ClientKeys>>,
    /// By stem.
    pub services: BTreeMap<String, Arc<Service>>,
}

/// `vestibule.toml`.
#[derive(Clone, Debug)]
pub struct Server {
    /// As it stands in the file: compared and sent byte for byte.
    pub issuer: String,
    /// `https://host[:port]` of the issuer: the base of every address of ours.
    pub base_url: Url,
    pub listen: SocketAddr,
    pub state: StateUrl,
    pub database: DatabaseUrl,
    pub tls: Option<TlsFiles>,
    /// Peers whose Forwarded and X-Forwarded-* count.
    pub trusted_proxies: Vec<ipnet::IpNet>,
    pub outbound: Outbound,
    pub management_listen: Option<SocketAddr>,
    pub limits: Limits,
    pub pages: PageSettings,
    pub session: SessionLifetimes,
    pub keys: KeySettings,
    /// Where relative paths start: the config folder.
    pub folder: PathBuf,
}

#[derive(Clone, Debug)]
pub enum StateUrl {
    Embedded,
    /// `redis://` or `rediss://`; may hold a password.
    Redis(Secret),
}

#[derive(Clone, Debug)]
pub enum DatabaseUrl {
    /// The file, absolute.
    Sqlite(PathBuf),
    /// `postgres://` or `postgresql://`; may hold a password.
    Postgres(Secret),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    pub cert: PathBuf,
    pub key: PathBuf,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outbound {
    pub allow_private: Vec<ipnet::IpNet>,
    pub ca_files: Vec<PathBuf>,
    pub proxy: Option<Url>,
}

/// `[limits]`: what an admin may change of [`crate::base::limits`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long traces are kept.
    pub traces: Span,
    /// How long the audit of directories is kept.
    pub audit: Span,
    /// Logins under way at a time, over all browsers.
    pub pending_logins: u32,
    /// Logins under way at a time from one address (/64 for IPv6): a company sits behind one.
    pub pending_logins_per_address: u32,
    /// Pushed authorization requests of one client that wait for an answer.
    pub pushed_requests_per_client: u32,
    /// Requests of one SCIM credential in a second.
    pub scim_requests_per_second: u32,
    /// Wrong client credentials a minute, by address and client.
    pub client_failures_per_minute: u32,
}

/// `[pages]`: how people's pages look.
#[derive(Clone, Debug, Default)]
pub struct PageSettings {
    pub logo: Option<PathBuf>,
    /// `#rrggbb`.
    pub accent: Option<String>,
    pub accent_dark: Option<String>,
    pub support_email: Option<String>,
    pub support_url: Option<String>,
    pub product_name: Option<String>,
}

#[derive(Clone, Copy, Debug)]
pub struct SessionLifetimes {
    pub idle: Span,
    pub absolute: Span,
}

#[derive(Clone, Debug)]
pub struct KeySettings {
    pub algorithms: Vec<SigningAlgorithm>,
    pub rotation: Span,
    /// What keys at rest are sealed with; `None`: a file beside the SQLite database, made on first start; with PostgreSQL it is there.
    pub seal: Option<Secret>,
}

/// `services/ID.toml`, read and checked; provisioning begins elsewhere.
#[derive(Clone, Debug)]
pub struct Service {
    pub id: String,
    pub name: String,
    pub driver: String,
    pub url: String,
    pub directory: String,
    pub state: String,
    /// The client that the service signs people in with.
    pub client: Option<String>,
}

impl Snapshot {
    #[must_use]
    pub fn client(&self, id: &str) -> Option<&Arc<Client>> {
        self.clients.get(&ClientId(id.to_owned()))
    }

    /// The enabled identity providers that a client's people may come from.
    #[must_use]
    pub fn idps_of(&self, client: &Client) -> Vec<Arc<Idp>> {
        self.idps.values().filter(|idp| idp.enabled && client.allows_idp(&idp.id)).cloned().collect()
    }
}

#[cfg(test)]
mod tests;
