//! A person, her directory, a client and a provider for tests.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::grant::{GRANT_VERSION, Grant};
use crate::base::{Moment, Secret, Span};
use crate::identity::directory::{MaxRemovals, OnDeactivate};
use crate::identity::{Dialect, Directory, DirectoryKind, Source, User, UserId};
use crate::oidc::client::{
    AccessTokenKind, ClientCredential, ClientSecret, GrantType, SigningAlgorithm, SubjectType, TokenLifetimes,
};
use crate::oidc::idp::{
    DomainHint, Forward, FreshnessProof, HintForm, HintPolicy, IdpCredential, Matching, Mismatch, PromptSupport,
    SignOutProof, UserinfoPolicy,
};
use crate::oidc::{Client, ClientId, Idp, IdpId, Scope};

pub const NOW: Moment = Moment::from_secs(1_800_000_000);

pub fn user(attributes: &Value) -> User {
    let attributes = attributes.as_object().expect("an object").clone().into_iter().collect();
    User {
        id: UserId("dZ3x0mPq7s1kVb9cT2yHhA".to_owned()),
        directory: "contoso".to_owned(),
        active: true,
        sessions_valid_from: NOW.minus(Span::days(30)),
        attributes,
        email_verified: false,
        former_names: Vec::new(),
        updated_at: NOW,
    }
}

pub fn alice() -> User {
    user(&json!({
        "userName": "alice@contoso.com",
        "externalId": "7f3c2b1a-0000-4000-8000-0123456789ab",
        "displayName": "Alice Ångström",
        "name.givenName": "Alice",
        "name.familyName": "Ångström",
        "emails": [
            { "value": "old@contoso.com", "type": "home" },
            { "value": "alice.angstrom@contoso.com", "type": "work", "primary": true },
        ],
        "userPrincipalName": "alice@contoso.onmicrosoft.com",
        "department": "Research",
    }))
}

pub fn directory() -> Directory {
    Directory {
        id: "contoso".to_owned(),
        name: "Contoso".to_owned(),
        domains: vec!["contoso.com".to_owned(), "contoso.co.uk".to_owned()],
        default_domain: Some("contoso.com".to_owned()),
        source: Source::Azure,
        kind: DirectoryKind::Provisioned,
        attributes: Vec::new(),
        decode_ms_guid: false,
        on_deactivate: OnDeactivate::Keep,
        purge_after: Span::days(7),
        clear_sentinel: "__CLEAR__".to_owned(),
        max_removals: MaxRemovals::Share(5),
        dialect: Dialect::preset(Source::Azure),
    }
}

pub fn client() -> Client {
    Client {
        stem: "access".to_owned(),
        id: ClientId("access".to_owned()),
        name: "Access".to_owned(),
        enabled: true,
        credential: ClientCredential::Secrets(vec![ClientSecret::Plain(Secret::new("open"))]),
        redirect_uris: vec!["https://tenant.example.com/callback".to_owned()],
        post_logout_redirect_uris: Vec::new(),
        grant_types: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
        scopes: Scope::ALL.to_vec(),
        idps: Vec::new(),
        pkce_required: true,
        require_par: false,
        id_token_alg: SigningAlgorithm::Rs256,
        access_token: AccessTokenKind::Opaque,
        subject_type: SubjectType::Public,
        initiate_login_uri: None,
        backchannel_logout_uri: None,
        frontchannel_logout_uri: None,
        web_origins: Vec::new(),
        rule_sets: Vec::new(),
        tokens: TokenLifetimes::default(),
        claims: BTreeMap::new(),
        accept_hints: true,
    }
}

pub fn idp() -> Idp {
    Idp {
        id: IdpId("entra".to_owned()),
        name: "Entra".to_owned(),
        enabled: true,
        issuer: "https://login.example.com/v2.0".to_owned(),
        client_id: "us".to_owned(),
        credential: IdpCredential::Secret(Secret::new("s")),
        directory: "contoso".to_owned(),
        domains: Vec::new(),
        scopes: Vec::new(),
        userinfo: UserinfoPolicy::Never,
        shared_redirect: false,
        id_token_algs: Vec::new(),
        ca_files: Vec::new(),
        forward_logout: false,
        matching: Matching { claim: "oid".to_owned(), attribute: "externalId".to_owned(), tenant: None },
        user_attributes: BTreeMap::new(),
        hint: HintPolicy {
            forward: Forward::Always,
            as_: HintForm::Received,
            domain_hint: DomainHint::Never,
            mismatch: Mismatch::Reject,
        },
        freshness: FreshnessProof::AuthTime,
        prompt: PromptSupport::SelectAccount,
        sign_out: SignOutProof::IdToken,
        authorize_params: BTreeMap::new(),
        token_params: BTreeMap::new(),
    }
}

pub fn grant(scopes: &[Scope]) -> Grant {
    Grant {
        version: GRANT_VERSION,
        client: ClientId("access".to_owned()),
        user: UserId("dZ3x0mPq7s1kVb9cT2yHhA".to_owned()),
        directory: "contoso".to_owned(),
        idp: IdpId("entra".to_owned()),
        sid: "session-1".to_owned(),
        scopes: scopes.to_vec(),
        nonce: Some("n-0S6_WzA2Mj".to_owned()),
        auth_time: NOW.minus(Span::minutes(5)),
        acr: Some("urn:example:mfa".to_owned()),
        amr: vec!["pwd".to_owned(), "mfa".to_owned()],
    }
}
