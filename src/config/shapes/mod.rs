//! The keys of each kind of file, with their defaults: the folder's format.

pub mod server;
pub mod directory;
pub mod idp;
pub mod client;
pub mod service;

use super::shape::Key;

/// The kinds of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SchemaKind {
    Server,
    Directory,
    Idp,
    Client,
    Service,
}

impl SchemaKind {
    pub const ALL: [Self; 5] = [Self::Server, Self::Directory, Self::Idp, Self::Client, Self::Service];

    /// As `vestibule schema` takes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Directory => "directory",
            Self::Idp => "idp",
            Self::Client => "client",
            Self::Service => "service",
        }
    }

    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// The folder of the objects' files; empty for `vestibule.toml`, which stands at the top.
    #[must_use]
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Server => "",
            Self::Directory => "directories",
            Self::Idp => "idps",
            Self::Client => "clients",
            Self::Service => "services",
        }
    }

    #[must_use]
    pub(super) const fn keys(self) -> &'static [Key] {
        match self {
            Self::Server => server::KEYS,
            Self::Directory => directory::KEYS,
            Self::Idp => idp::KEYS,
            Self::Client => client::KEYS,
            Self::Service => service::KEYS,
        }
    }
}
