//! An identity provider, checked: Entra ID, Okta or any upstream OpenID Provider. `config` makes
//! it from `idps/ID.toml` and the preset of its kind; nothing else asks which kind it is.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::Secret;

/// The file's stem.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IdpId(pub String);

impl fmt::Display for IdpId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Clone, Debug)]
pub struct Idp {
    pub id: IdpId,
    pub name: String,
    pub enabled: bool,
    pub issuer: String,
    pub client_id: String,
    pub credential: IdpCredential,
    /// The directory (stem) whose people sign in here.
    pub directory: String,
    /// Home-realm discovery: lower case.
    pub domains: Vec<String>,
    pub scopes: Vec<String>,
    pub userinfo: UserinfoPolicy,
    /// The original's one redirect URI for all providers instead of one each.
    pub shared_redirect: bool,
    /// JOSE names, never `none` or HS*.
    pub id_token_algs: Vec<String>,
    /// PEM files trusted besides the system's, as absolute paths.
    pub ca_files: Vec<std::path::PathBuf>,
    pub forward_logout: bool,
    pub matching: Matching,
    /// For `type = "jit"`: directory attribute → claim.
    pub user_attributes: BTreeMap<String, String>,
    pub hint: HintPolicy,
    pub freshness: FreshnessProof,
    pub prompt: PromptSupport,
    pub sign_out: SignOutProof,
    /// Static extras of the authorization request.
    pub authorize_params: BTreeMap<String, String>,
    pub token_params: BTreeMap<String, String>,
}

/// How we prove to the provider who we are.
#[derive(Clone, Debug)]
pub enum IdpCredential {
    Secret(Secret),
    Key(ClientKey),
}

/// `[client_key]`: private_key_jwt (RFC 7523 §2.2).
#[derive(Clone, Debug)]
pub struct ClientKey {
    /// PKCS#8 in PEM.
    pub pem: Secret,
    /// Default: the RFC 7638 thumbprint.
    pub kid: Option<String>,
    /// PEM, for `x5t#S256`.
    pub certificate: Option<String>,
    pub algorithm: ClientKeyAlgorithm,
    pub audience: AssertionAudience,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ClientKeyAlgorithm {
    Rs256,
    Ps256,
    Es256,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssertionAudience {
    Issuer,
    TokenEndpoint,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserinfoPolicy {
    /// Asked when a wanted claim is missing.
    Auto,
    Always,
    Never,
}

/// `[match]`: which directory user an upstream identity is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matching {
    pub claim: String,
    pub attribute: String,
    /// Entra: the tenant that `tid` must name.
    pub tenant: Option<String>,
}

/// `[login_hint]`: what of a hint goes upstream, and what if somebody else signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HintPolicy {
    pub forward: Forward,
    pub as_: HintForm,
    pub domain_hint: DomainHint,
    pub mismatch: Mismatch,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Forward {
    Always,
    /// Only hints of people in the directory.
    Known,
    Never,
}

/// `as`: the form in which a known person's hint is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum HintForm {
    Received,
    UserName,
    UserPrincipalName,
    Email,
    /// The provider's own opaque `login_hint` claim of an earlier sign-in.
    Upstream,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DomainHint {
    /// The hint's domain, if it is one of `domains` (Entra only; elsewhere as `Never`).
    Auto,
    Never,
    /// Sent as it is.
    Fixed(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mismatch {
    Reject,
    Allow,
}

/// `[freshness]`: what shows that prompt=login or max_age was heeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FreshnessProof {
    AuthTime,
    /// A forced prompt=login counts if the answer has no auth_time.
    Prompt,
}

/// What a forwarded sign-out says to the provider about whom it signs out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignOutProof {
    /// `id_token_hint`, or once that has expired only who asks (RP-Initiated Logout 1.0 §2).
    IdToken,
    /// `id_token_hint`, and nothing is forwarded once that has expired: it would end at an error page (Okta).
    FreshIdToken,
    /// `logout_hint` with the provider's own `login_hint` claim (Entra).
    LoginHint,
}

/// What the provider makes of `prompt=select_account`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromptSupport {
    /// Takes it, beside a login_hint too.
    SelectAccount,
    /// Takes it, but not beside a login_hint (Entra).
    SelectAccountWithoutHint,
    /// Doesn't know it: `login` is sent in its place (Okta).
    NoSelectAccount,
}
