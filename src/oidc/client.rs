//! A client of ours, checked: a relying party such as Workspace ONE Access. No invalid one can be
//! built; `config` makes it from `clients/ID.toml`.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::idp::IdpId;
use super::scope::Scope;
use crate::base::{Secret, Span};

/// The `client_id` (RFC 6749 §2.2).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClientId(pub String);

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Clone, Debug)]
pub struct Client {
    /// The file's stem.
    pub stem: String,
    pub id: ClientId,
    pub name: String,
    pub enabled: bool,
    pub credential: ClientCredential,
    /// Compared as text, byte for byte.
    pub redirect_uris: Vec<String>,
    pub post_logout_redirect_uris: Vec<String>,
    pub grant_types: Vec<GrantType>,
    pub scopes: Vec<Scope>,
    /// Identity providers its people may come from; empty: all.
    pub idps: Vec<IdpId>,
    pub pkce_required: bool,
    pub require_par: bool,
    pub id_token_alg: SigningAlgorithm,
    pub access_token: AccessTokenKind,
    pub subject_type: SubjectType,
    pub initiate_login_uri: Option<String>,
    pub backchannel_logout_uri: Option<String>,
    pub frontchannel_logout_uri: Option<String>,
    /// Origins that may read answers by CORS.
    pub web_origins: Vec<String>,
    pub rule_sets: Vec<RuleSet>,
    pub tokens: TokenLifetimes,
    /// Extra claims: claim name → directory attribute.
    pub claims: BTreeMap<String, String>,
    /// Whether this client's hints are used at all.
    pub accept_hints: bool,
}

/// How a client proves who it is (RFC 6749 §2.3, RFC 7523).
#[derive(Clone, Debug)]
pub enum ClientCredential {
    /// No proof: PKCE is what protects it.
    Public,
    /// One, or two while the one takes the other's place. Each is as good as the other.
    Secrets(Vec<ClientSecret>),
    /// Public keys for private_key_jwt, as the text of a JWK set.
    Keys(String),
    KeysUri(String),
}

/// What a client's secret is compared with.
#[derive(Clone, Debug)]
pub enum ClientSecret {
    Plain(Secret),
    /// An Argon2id hash in PHC format.
    Hash(Secret),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    AuthorizationCode,
    RefreshToken,
    ClientCredentials,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SigningAlgorithm {
    #[serde(rename = "RS256")]
    Rs256,
    #[serde(rename = "ES256")]
    Es256,
    #[serde(rename = "EdDSA")]
    EdDsa,
}

impl SigningAlgorithm {
    pub const ALL: [Self; 3] = [Self::Rs256, Self::Es256, Self::EdDsa];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccessTokenKind {
    Opaque,
    Jwt,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SubjectType {
    Public,
    Pairwise,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RuleSet {
    TenantAdmin,
    IdpAndDirectoryAdmin,
    ReadOnlyTenantAdmin,
}

impl RuleSet {
    pub const ALL: [Self; 3] = [Self::TenantAdmin, Self::IdpAndDirectoryAdmin, Self::ReadOnlyTenantAdmin];

    /// The name in files, and the scope of a token that has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TenantAdmin => "TENANT_ADMIN",
            Self::IdpAndDirectoryAdmin => "IDP_AND_DIRECTORY_ADMIN",
            Self::ReadOnlyTenantAdmin => "READ_ONLY_TENANT_ADMIN",
        }
    }

    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule_set| rule_set.as_str() == word)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenLifetimes {
    pub access: Span,
    /// Absolute end of a refresh family.
    pub refresh: Span,
    /// End of a refresh family that isn't used.
    pub refresh_idle: Span,
    /// Refresh tokens without `offline_access`, ending with their session.
    pub refresh_without_offline: bool,
}

impl Default for TokenLifetimes {
    fn default() -> Self {
        Self {
            access: Span::minutes(10),
            refresh: Span::days(90),
            refresh_idle: Span::days(4),
            refresh_without_offline: false,
        }
    }
}

impl Client {
    #[must_use]
    pub const fn is_public(&self) -> bool {
        matches!(self.credential, ClientCredential::Public)
    }

    #[must_use]
    pub fn may_use(&self, grant: GrantType) -> bool {
        self.grant_types.contains(&grant)
    }

    /// Whether its people may come from this identity provider.
    #[must_use]
    pub fn allows_idp(&self, idp: &IdpId) -> bool {
        self.idps.is_empty() || self.idps.contains(idp)
    }
}
