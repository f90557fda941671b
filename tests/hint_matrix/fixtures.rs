//! A small world: two directories, one identity provider of each preset, one person.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use vestibule::base::text::LoginHint;
use vestibule::base::{Moment, Secret, Span};
use vestibule::hint::{Ask, Decision, EntryPath, Lookup, Realm, decide, home_realm};
use vestibule::identity::directory::{MaxRemovals, OnDeactivate};
use vestibule::identity::{Dialect, Directory, DirectoryKind, Source, User, UserId};
use vestibule::oidc::idp::{
    DomainHint, Forward, FreshnessProof, HintForm, HintPolicy, IdpCredential, Matching, Mismatch, PromptSupport,
    SignOutProof, UserinfoPolicy,
};
use vestibule::oidc::{Idp, IdpId, Prompt};

/// What distinguishes the presets as far as hints are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    Entra,
    Okta,
    Oidc,
}

impl Preset {
    pub const ALL: [Self; 3] = [Self::Entra, Self::Okta, Self::Oidc];

    pub const fn prompt(self) -> PromptSupport {
        match self {
            Self::Entra => PromptSupport::SelectAccountWithoutHint,
            Self::Okta => PromptSupport::NoSelectAccount,
            Self::Oidc => PromptSupport::SelectAccount,
        }
    }

    pub const fn policy(self) -> HintPolicy {
        HintPolicy {
            forward: Forward::Always,
            as_: HintForm::Received,
            domain_hint: match self {
                Self::Entra => DomainHint::Auto,
                Self::Okta | Self::Oidc => DomainHint::Never,
            },
            mismatch: Mismatch::Reject,
        }
    }
}

pub fn hint(text: &str) -> LoginHint {
    LoginHint::parse(text).expect("a hint").expect("not blank")
}

pub fn idp(id: &str, preset: Preset, directory: &str, domains: &[&str]) -> Idp {
    Idp {
        id: IdpId(id.to_owned()),
        name: id.to_owned(),
        enabled: true,
        issuer: format!("https://{id}.example"),
        client_id: "vestibule".to_owned(),
        credential: IdpCredential::Secret(Secret::new("secret")),
        directory: directory.to_owned(),
        domains: domains.iter().map(|&d| d.to_owned()).collect(),
        scopes: vec!["openid".to_owned()],
        userinfo: UserinfoPolicy::Auto,
        shared_redirect: false,
        id_token_algs: vec!["RS256".to_owned()],
        ca_files: vec![],
        forward_logout: true,
        matching: Matching { claim: "sub".to_owned(), attribute: "externalId".to_owned(), tenant: None },
        user_attributes: BTreeMap::new(),
        hint: preset.policy(),
        freshness: FreshnessProof::AuthTime,
        prompt: preset.prompt(),
        sign_out: SignOutProof::IdToken,
        authorize_params: BTreeMap::new(),
        token_params: BTreeMap::new(),
    }
}

pub fn directory(id: &str, domains: &[&str]) -> Directory {
    Directory {
        id: id.to_owned(),
        name: id.to_owned(),
        domains: domains.iter().map(|&d| d.to_owned()).collect(),
        default_domain: None,
        source: Source::Azure,
        kind: DirectoryKind::Provisioned,
        attributes: vec![],
        decode_ms_guid: false,
        on_deactivate: OnDeactivate::Keep,
        purge_after: Span::days(7),
        clear_sentinel: "__CLEAR__".to_owned(),
        max_removals: MaxRemovals::Share(5),
        dialect: Dialect::preset(Source::Azure),
    }
}

/// The hint by which clients call Alice: her email in another writing, so that it is known by its bytes.
pub const ALICE: &str = "Alice@Contoso.com";
pub const ALICE_USER_NAME: &str = "A.Archer@contoso.com";
pub const ALICE_UPN: &str = "aarcher@corp.contoso.com";
pub const ALICE_EMAIL: &str = "alice@contoso.com";
/// What Entra calls her in its own `login_hint` claim.
pub const ALICE_UPSTREAM: &str = "O.CiQwZmY";

pub fn user(id: &str, attributes: serde_json::Value) -> User {
    let serde_json::Value::Object(attributes) = attributes else { panic!("an object") };
    User {
        id: UserId(id.to_owned()),
        directory: "contoso".to_owned(),
        active: true,
        sessions_valid_from: Moment::from_secs(0),
        attributes: attributes.into_iter().collect(),
        email_verified: true,
        former_names: vec![],
        updated_at: Moment::from_secs(0),
    }
}

pub fn alice() -> User {
    let mut alice = user(
        "alice",
        json!({
            "userName": ALICE_USER_NAME,
            "userPrincipalName": ALICE_UPN,
            "emails": [
                { "value": "alice.archer@contoso.co.uk", "type": "other" },
                { "value": ALICE_EMAIL, "type": "work", "primary": true },
            ],
        }),
    );
    alice.former_names = vec!["alice.miller@contoso.com".to_owned()];
    alice
}

pub fn bob() -> User {
    user("bob", json!({ "userName": "bob@contoso.com", "emails": [{ "value": "bob@contoso.com" }] }))
}

/// Directories and identity providers of one client.
pub struct World {
    pub idps: Vec<Arc<Idp>>,
    pub directories: BTreeMap<String, Arc<Directory>>,
}

impl World {
    /// `contoso` of a preset, with contoso.com, and `fabrikam`, any OpenID Provider, with fabrikam.com.
    pub fn new(preset: Preset) -> Self {
        Self::of(vec![
            idp("contoso", preset, "contoso", &["contoso.com"]),
            idp("fabrikam", Preset::Oidc, "fabrikam", &["fabrikam.com"]),
        ])
    }

    pub fn of(idps: Vec<Idp>) -> Self {
        let directories = [
            directory("contoso", &["contoso.com", "contoso.co.uk"]),
            directory("fabrikam", &["fabrikam.com"]),
            directory("litware", &["litware.com"]),
        ];
        Self {
            idps: idps.into_iter().map(Arc::new).collect(),
            directories: directories.into_iter().map(|d| (d.id.clone(), Arc::new(d))).collect(),
        }
    }

    /// Changes the policy of the first provider.
    pub fn with_policy(mut self, change: impl FnOnce(&mut HintPolicy)) -> Self {
        change(&mut Arc::make_mut(&mut self.idps[0]).hint);
        self
    }

    /// A plain authorization request that says nothing of the person.
    pub fn ask(&self) -> Ask<'_> {
        Ask {
            path: EntryPath::Get,
            received: None,
            typed: None,
            accept_hints: true,
            domain: None,
            prompt: Prompt::Absent,
            idps: &self.idps,
            directories: &self.directories,
            chosen: None,
        }
    }

    /// The decision at the first provider, with nothing looked up.
    pub fn decide(&self, ask: &Ask<'_>) -> Decision {
        decide(&self.idps[0], ask, Lookup::NotAsked)
    }
}

/// `→ id` or `page: ids` or `none`.
pub fn way(ask: &Ask<'_>) -> String {
    match home_realm(ask) {
        Realm::Idp { idp, .. } => format!("→ {}", idp.id),
        Realm::Choose { idps, .. } => {
            format!("page: {}", idps.iter().map(|i| i.id.0.as_str()).collect::<Vec<_>>().join(" "))
        }
        Realm::NotAllowed { .. } => "none".to_owned(),
    }
}
