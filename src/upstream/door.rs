//! The relying party: a provider's facts, and a code's exchange for a verified identity.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use futures_util::FutureExt as _;
use serde_json::{Map, Value};
use tokio::sync::Semaphore;

use super::cache::Cache;
use super::client_key::{Assertion, Signer};
use super::http::{Clients, Http};
use super::id_token::{self, Expected, Unverified};
use super::keyset::{KeySet, Verdict};
use super::token_call::{self, Proof, Tokens};
use super::{CodeCall, ProviderFacts, Timings, UpstreamFault, VerifiedIdentity, metadata, userinfo};
use crate::base::limits::UPSTREAM_CALL;
use crate::base::{Clock, Dice, Digest, Secret, Span};
use crate::config::Outbound;
use crate::oidc::idp::{AssertionAudience, ClientKey, IdpCredential};
use crate::oidc::{Idp, IdpId};

/// How long discovery or keys may take in all, a second try included: with an exchange after it, a
/// login still ends within 10 s or so.
const METADATA_CALL: Span = Span::secs(5);
/// Exchanges under way at one provider; beyond, people are told to try again. A provider that hangs
/// holds no more than this, and the others' logins go on.
const EXCHANGES_MAX: usize = 256;
/// Providers and client keys that are remembered; more only come about by changes of the files.
const REMEMBERED_MAX: usize = 512;

/// Speaks to identity providers. Shared by all requests of the process.
pub struct Upstream {
    clients: Clients,
    clock: Arc<dyn Clock>,
    dice: Arc<dyn Dice>,
    providers: Mutex<HashMap<ProviderKey, Arc<Provider>>>,
    signers: Mutex<HashMap<Digest, Arc<Signer>>>,
}

/// What of the settings a provider's documents depend on: other settings, other documents.
#[derive(Clone, PartialEq, Eq, Hash)]
struct ProviderKey {
    id: IdpId,
    issuer: String,
    ca_files: Vec<PathBuf>,
}

/// One provider, as far as it is remembered.
pub struct Provider {
    pub http: Http,
    pub facts: Cache<ProviderFacts>,
    pub keys: Cache<KeySet>,
    places: Semaphore,
}

impl Upstream {
    #[must_use]
    pub fn new(outbound: &Outbound, clock: Arc<dyn Clock>, dice: Arc<dyn Dice>) -> Self {
        let (providers, signers) = (Mutex::default(), Mutex::default());
        Self { clients: Clients::new(outbound), clock, dice, providers, signers }
    }

    /// What the provider says of itself: from memory for an hour, renewed behind after.
    ///
    /// # Errors
    /// [`UpstreamFault`] if it can't be asked, or says what can't be believed, and there is no good copy.
    pub async fn provider(&self, idp: &Arc<Idp>) -> Result<Arc<ProviderFacts>, UpstreamFault> {
        self.remembered(idp)?.facts.get().await
    }

    /// Redeems a code and checks all that comes back: token, signature, claims, userinfo. It ends
    /// within [`UPSTREAM_CALL`].
    ///
    /// # Errors
    /// [`UpstreamFault`]. The code counts as spent then: the login has to be begun again.
    pub async fn exchange(
        &self,
        idp: &Arc<Idp>,
        facts: &ProviderFacts,
        call: &CodeCall<'_>,
    ) -> Result<VerifiedIdentity, UpstreamFault> {
        let provider = self.remembered(idp)?;
        let _place = provider
            .places
            .try_acquire()
            .map_err(|_| UpstreamFault::unavailable("too many exchanges are under way at this provider"))?;
        let exchange = self.exchange_at(&provider, idp, facts, call);
        tokio::time::timeout(UPSTREAM_CALL.as_std(), exchange)
            .await
            .unwrap_or_else(|_| Err(UpstreamFault::unavailable("the exchange took too long")))
    }

    /// The last fault of each remembered provider whose documents can't be renewed, for readiness.
    #[must_use]
    pub fn faults(&self) -> Vec<(IdpId, UpstreamFault)> {
        let providers = self.providers.lock().unwrap_or_else(PoisonError::into_inner);
        let fault = |provider: &Provider| provider.facts.last_fault().or_else(|| provider.keys.last_fault());
        providers.iter().filter_map(|(key, provider)| Some((key.id.clone(), fault(provider)?))).collect()
    }

    async fn exchange_at(
        &self,
        provider: &Provider,
        idp: &Arc<Idp>,
        facts: &ProviderFacts,
        call: &CodeCall<'_>,
    ) -> Result<VerifiedIdentity, UpstreamFault> {
        let mut timings = Timings::default();
        let begun = Instant::now();
        let tokens = self.redeem(provider, idp, facts, call).await?;
        timings.token = since(begun);

        let begun = Instant::now();
        let mut claims = self.verify(provider, idp, facts, (call, &tokens)).await?;
        timings.verification = since(begun);

        if userinfo::is_wanted(idp.userinfo, &claims, call.wanted)
            && let Some(endpoint) = &facts.userinfo_endpoint
        {
            let begun = Instant::now();
            userinfo::merge(&provider.http, endpoint, &tokens.access_token, &mut claims).await?;
            timings.userinfo = Some(since(begun));
        }
        identity(idp, claims, tokens.id_token, timings)
    }

    async fn redeem(
        &self,
        provider: &Provider,
        idp: &Idp,
        facts: &ProviderFacts,
        call: &CodeCall<'_>,
    ) -> Result<Tokens, UpstreamFault> {
        match &idp.credential {
            IdpCredential::Secret(secret) => {
                token_call::redeem(&provider.http, idp, facts, call, &Proof::Secret(secret)).await
            }
            IdpCredential::Key(key) => {
                let signer = self.signer(key)?;
                let jti = self.dice.id();
                let audience = match key.audience {
                    AssertionAudience::Issuer => facts.issuer.as_str(),
                    AssertionAudience::TokenEndpoint => facts.token_endpoint.as_str(),
                };
                let say = Assertion { client_id: &idp.client_id, audience, jti: &jti, now: self.clock.now() };
                token_call::redeem(&provider.http, idp, facts, call, &Proof::Key(&signer, say)).await
            }
        }
    }

    async fn verify(
        &self,
        provider: &Provider,
        idp: &Idp,
        facts: &ProviderFacts,
        (call, tokens): (&CodeCall<'_>, &Tokens),
    ) -> Result<Map<String, Value>, UpstreamFault> {
        let token = Unverified::parse(tokens.id_token.expose(), &usable_algs(idp, facts))?;
        check_signature(provider, &token).await?;
        let claims = token.claims()?;
        let expected = Expected {
            idp,
            nonce: call.nonce,
            code: call.code,
            access_token: &tokens.access_token,
            now: self.clock.now(),
        };
        id_token::check_claims(&claims, token.alg, &expected)?;
        Ok(claims)
    }

    /// The parsed key of a `[client_key]`.
    ///
    /// # Errors
    /// [`UpstreamFault::Misconfigured`] if it can't be used.
    pub(super) fn signer(&self, key: &ClientKey) -> Result<Arc<Signer>, UpstreamFault> {
        let name = Digest::of(format!("{:?} {:?} {:?} {}", key.algorithm, key.kid, key.certificate, key.pem.expose()));
        let mut signers = self.signers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(signer) = signers.get(&name) {
            return Ok(Arc::clone(signer));
        }
        let signer = Arc::new(Signer::new(key)?);
        if signers.len() >= REMEMBERED_MAX {
            signers.clear();
        }
        signers.insert(name, Arc::clone(&signer));
        Ok(signer)
    }

    /// What is kept of a provider; made at its first use.
    ///
    /// # Errors
    /// [`UpstreamFault::Misconfigured`] if its issuer or CA files can't be used.
    pub(super) fn remembered(&self, idp: &Arc<Idp>) -> Result<Arc<Provider>, UpstreamFault> {
        let key = ProviderKey { id: idp.id.clone(), issuer: idp.issuer.clone(), ca_files: idp.ca_files.clone() };
        let mut providers = self.providers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(provider) = providers.get(&key) {
            return Ok(Arc::clone(provider));
        }
        let provider = Arc::new(self.begin(idp)?);
        if providers.len() >= REMEMBERED_MAX {
            providers.clear();
        }
        providers.insert(key, Arc::clone(&provider));
        Ok(provider)
    }

    fn begin(&self, idp: &Arc<Idp>) -> Result<Provider, UpstreamFault> {
        let http = self.clients.trusting(&idp.ca_files)?;
        let discovery = metadata::discovery_url(&idp.issuer)?;
        let (client, settings) = (http.clone(), Arc::clone(idp));
        let fetch_facts = Box::new(move || {
            let (client, settings, discovery) = (client.clone(), Arc::clone(&settings), discovery.clone());
            in_time(async move {
                let reply = client.get_with_retry(&discovery).await?;
                metadata::facts(metadata::document(&reply, "discovery")?, &settings)
            })
            .boxed()
        });
        let facts = Cache::new(format!("discovery of {}", idp.id), Arc::clone(&self.clock), fetch_facts);
        let (client, of) = (http.clone(), facts.clone());
        let fetch_keys = Box::new(move || {
            let (client, of) = (client.clone(), of.clone());
            in_time(async move {
                let facts = of.get().await?;
                let reply = client.get_with_retry(&facts.jwks_uri).await?;
                KeySet::parse(&metadata::document(&reply, "jwks")?)
            })
            .boxed()
        });
        let keys = Cache::new(format!("keys of {}", idp.id), Arc::clone(&self.clock), fetch_keys);
        Ok(Provider { http, facts, keys, places: Semaphore::new(EXCHANGES_MAX) })
    }
}

async fn in_time<T>(fetch: impl Future<Output = Result<T, UpstreamFault>>) -> Result<T, UpstreamFault> {
    let late = |_| Err(UpstreamFault::unavailable("took too long"));
    tokio::time::timeout(METADATA_CALL.as_std(), fetch).await.unwrap_or_else(late)
}

/// Checks with the keys at hand and, if none is the one, once more with newer ones.
async fn check_signature(provider: &Provider, token: &Unverified<'_>) -> Result<(), UpstreamFault> {
    let bad = || UpstreamFault::untrusted("signature", "is not by one of the provider's keys");
    let check = |keys: &KeySet| keys.check(token.kid.as_deref(), token.alg, token.message.as_bytes(), &token.signature);
    let keys = provider.keys.get().await?;
    match check(&keys) {
        Verdict::Good => Ok(()),
        Verdict::Bad => Err(bad()),
        Verdict::NoKey => match provider.keys.renew(&keys).await? {
            Some(newer) if check(&newer) == Verdict::Good => Ok(()),
            _ => Err(bad()),
        },
    }
}

/// The configured algorithms, as far as discovery announces them.
pub fn usable_algs(idp: &Idp, facts: &ProviderFacts) -> Vec<String> {
    idp.id_token_algs.iter().filter(|alg| facts.id_token_algs.contains(alg)).cloned().collect()
}

/// The claims that a login at this provider can't do without or would fill in: the one it is matched by,
/// and for a directory that logins fill, those of its attributes.
#[must_use]
pub fn wanted_claims(idp: &Idp) -> Vec<String> {
    let mut wanted = vec![idp.matching.claim.clone()];
    wanted.extend(idp.user_attributes.values().cloned());
    wanted.sort();
    wanted.dedup();
    wanted
}

fn identity(
    idp: &Idp,
    claims: Map<String, Value>,
    id_token: Secret,
    timings: Timings,
) -> Result<VerifiedIdentity, UpstreamFault> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
    let methods = claims.get("amr").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    Ok(VerifiedIdentity {
        issuer: idp.issuer.clone(),
        subject: text("sub").unwrap_or_default(),
        auth_time: id_token::moment(&claims, "auth_time")?,
        acr: text("acr"),
        amr: methods.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        sid: text("sid"),
        id_token,
        timings,
        claims,
    })
}

fn since(begun: Instant) -> Span {
    Span::from_ms(i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX))
}
