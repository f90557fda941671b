//! One login's worth of relying party: an evil provider, a clock in our hand, the door itself.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::{Map, Value};
use vestibule::base::{Clock, Dice, Moment, Secret, Span};
use vestibule::config::Outbound;
use vestibule::oidc::idp::{
    DomainHint, Forward, FreshnessProof, HintForm, HintPolicy, IdpCredential, Matching, Mismatch, PromptSupport,
    SignOutProof, UserinfoPolicy,
};
use vestibule::oidc::{Idp, IdpId};
use vestibule::upstream::{CodeCall, Upstream, UpstreamFault, VerifiedIdentity};

use crate::evil_idp::{Change, EvilIdp, Script};

pub const NONCE: &str = "the-nonce-of-this-login";
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const REDIRECT_URI: &str = "https://id.example.com/federation/auth/response/oauth2/evil";

/// A clock that stands still until it is moved.
pub struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Moment {
        Moment::from_ms(self.0.load(Ordering::SeqCst))
    }
}

impl Hands {
    pub fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(1_800_000_000_000)))
    }

    pub fn pass(&self, span: Span) {
        self.0.fetch_add(span.ms(), Ordering::SeqCst);
    }
}

struct Counting(AtomicI64);

impl Dice for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(u8::try_from(self.0.fetch_add(1, Ordering::SeqCst) % 251).unwrap_or_default());
    }
}

pub struct Bench {
    pub evil: EvilIdp,
    pub hands: Arc<Hands>,
    pub upstream: Upstream,
    pub idp: Arc<Idp>,
}

impl Bench {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// With other settings of the provider.
    pub fn with(change: impl FnOnce(&mut Idp)) -> Self {
        let hands = Hands::new();
        let evil = EvilIdp::start(Arc::clone(&hands) as Arc<dyn Clock>);
        let mut idp = settings(&evil.issuer());
        change(&mut idp);
        let upstream = door(&loopback(), &hands);
        Self { evil, hands, upstream, idp: Arc::new(idp) }
    }

    /// Signs a person in and redeems the code.
    pub async fn login(&self) -> Result<VerifiedIdentity, UpstreamFault> {
        self.login_wanting(&[]).await
    }

    pub async fn login_wanting(&self, wanted: &[String]) -> Result<VerifiedIdentity, UpstreamFault> {
        let facts = self.upstream.provider(&self.idp).await?;
        let code = self.evil.issue_code(&self.idp.client_id, NONCE);
        self.upstream.exchange(&self.idp, &facts, &call(&code, &Secret::new(VERIFIER), wanted)).await
    }

    /// The check that a login fails under a script.
    pub async fn check_failed(&self, script: impl FnOnce(&mut Script)) -> &'static str {
        self.evil.reset();
        self.evil.set(script);
        check(self.login().await)
    }
}

/// Waits until something holds that other tasks bring about; after ten seconds the test has failed.
pub async fn until(mut holds: impl AsyncFnMut() -> bool) {
    let begun = std::time::Instant::now();
    while !holds().await {
        assert!(begun.elapsed().as_secs() < 10, "it did not come about");
        tokio::task::yield_now().await;
    }
}

pub fn call<'a>(code: &'a str, verifier: &'a Secret, wanted: &'a [String]) -> CodeCall<'a> {
    CodeCall { code, verifier, redirect_uri: REDIRECT_URI, nonce: NONCE, wanted }
}

pub fn door(outbound: &Outbound, hands: &Arc<Hands>) -> Upstream {
    Upstream::new(outbound, Arc::clone(hands) as Arc<dyn Clock>, Arc::new(Counting(AtomicI64::new(1))))
}

/// What tests and the demo allow.
pub fn loopback() -> Outbound {
    Outbound { allow_private: vec!["127.0.0.0/8".parse().expect("a network")], ..Outbound::default() }
}

/// The check that an answer failed; anything but `Untrusted` ends the test.
pub fn check<T>(outcome: Result<T, UpstreamFault>) -> &'static str {
    match outcome {
        Err(UpstreamFault::Untrusted { check, .. }) => check,
        Err(other) => panic!("another fault: {other:?}"),
        Ok(_) => panic!("it was let through"),
    }
}

/// A change that sets one member; `Null` takes it away.
pub fn member(name: &'static str, value: Value) -> Option<Change> {
    Some(Arc::new(move |members: &mut Map<String, Value>| {
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.to_owned(), value.clone());
        }
    }))
}

pub fn settings(issuer: &str) -> Idp {
    Idp {
        id: IdpId("evil".to_owned()),
        name: "Evil".to_owned(),
        enabled: true,
        issuer: issuer.to_owned(),
        client_id: "vestibule at evil".to_owned(),
        credential: IdpCredential::Secret(Secret::new("s3cret &+/ä")),
        directory: "contoso".to_owned(),
        domains: Vec::new(),
        scopes: ["openid", "profile", "email"].map(str::to_owned).to_vec(),
        userinfo: UserinfoPolicy::Auto,
        shared_redirect: false,
        id_token_algs: ["RS256", "PS256", "ES256", "EdDSA"].map(str::to_owned).to_vec(),
        ca_files: Vec::new(),
        forward_logout: true,
        matching: Matching { claim: "sub".to_owned(), attribute: "externalId".to_owned(), tenant: None },
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
