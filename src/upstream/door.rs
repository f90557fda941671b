//! The relying party: a provider's facts, and a code's exchange for a verified identity.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use super::client_key::{Assertion, Signer};
use super::exchange::{Exchange, usable_algs};
use super::logout_token::{LogoutNotice, LogoutToken, LogoutTokenFault};
use super::provider::Provider;
use super::token_call::Proof;
use super::{CodeCall, ProviderFacts, UpstreamFault, VerifiedIdentity};
use crate::base::limits::UPSTREAM_CALL;
use crate::base::{Clock, Dice, Digest};
use crate::config::Outbound;
use crate::oidc::idp::{AssertionAudience, ClientKey, IdpCredential};
use crate::oidc::{Idp, IdpId};
use crate::outbound::GuardedClients;

/// Providers and client keys that are remembered; more only come about by changes of the files.
const REMEMBERED_MAX: usize = 512;

/// Speaks to identity providers. Shared by all requests of the process.
pub struct Upstream {
    clients: ArcSwap<GuardedClients>,
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

impl Upstream {
    #[must_use]
    pub fn new(outbound: &Outbound, clock: Arc<dyn Clock>, dice: Arc<dyn Dice>) -> Self {
        let (providers, signers) = (Mutex::default(), Mutex::default());
        Self { clients: ArcSwap::from_pointee(GuardedClients::new(outbound)), clock, dice, providers, signers }
    }

    /// Goes by these settings from now on. If they are others than before, every document is fetched anew.
    pub fn renew(&self, outbound: &Outbound) {
        if !self.clients.load().are_of(outbound) {
            self.clients.store(Arc::new(GuardedClients::new(outbound)));
            self.providers.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
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
        let exchange = Exchange { provider: &provider, clock: &*self.clock, idp, facts, call };
        tokio::time::timeout(UPSTREAM_CALL.as_std(), exchange.run(self.proof(idp, facts)?))
            .await
            .unwrap_or_else(|_| Err(UpstreamFault::unavailable("the exchange took too long")))
    }

    /// Checks what the provider says in a logout token (Back-Channel Logout 1.0 §2.6), all but whether it said it
    /// before. The signature comes last: nothing is fetched for a token that is wrong in itself.
    ///
    /// # Errors
    /// [`LogoutTokenFault`].
    pub async fn signed_out(&self, idp: &Arc<Idp>, token: &LogoutToken<'_>) -> Result<LogoutNotice, LogoutTokenFault> {
        let notice = token.check(idp, self.clock.now())?;
        token.signed(&idp.id_token_algs)?;
        let checked = async {
            let no_keys = LogoutTokenFault::NoKeys;
            let provider = self.remembered(idp).map_err(no_keys)?;
            let facts = provider.facts.get().await.map_err(no_keys)?;
            let signed = token.signed(&usable_algs(idp, &facts))?;
            provider.has_signed(&signed).await.map_err(no_keys)
        };
        let late = |_| Err(LogoutTokenFault::NoKeys(UpstreamFault::unavailable("the keys took too long")));
        if tokio::time::timeout(UPSTREAM_CALL.as_std(), checked).await.unwrap_or_else(late)? {
            return Ok(notice);
        }
        Err(UpstreamFault::untrusted("signature", "is not by one of the provider's keys").into())
    }

    /// The last fault of each remembered provider whose documents can't be renewed, for readiness.
    #[must_use]
    pub fn faults(&self) -> Vec<(IdpId, UpstreamFault)> {
        let providers = self.providers.lock().unwrap_or_else(PoisonError::into_inner);
        let fault = |provider: &Provider| provider.facts.last_fault().or_else(|| provider.keys.last_fault());
        providers.iter().filter_map(|(key, provider)| Some((key.id.clone(), fault(provider)?))).collect()
    }

    fn proof<'a>(&self, idp: &'a Idp, facts: &'a ProviderFacts) -> Result<Proof<'a>, UpstreamFault> {
        let key = match &idp.credential {
            IdpCredential::Secret(secret) => return Ok(Proof::Secret(secret)),
            IdpCredential::Key(key) => key,
        };
        let audience = match key.audience {
            AssertionAudience::Issuer => facts.issuer.as_str(),
            AssertionAudience::TokenEndpoint => facts.token_endpoint.as_str(),
        };
        let say = Assertion { client_id: &idp.client_id, audience, jti: self.dice.id(), now: self.clock.now() };
        Ok(Proof::Key(self.signer(key)?, say))
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
        let provider = Arc::new(Provider::new(self.clients.load().trusting(&idp.ca_files)?, &self.clock, idp)?);
        if providers.len() >= REMEMBERED_MAX {
            providers.clear();
        }
        providers.insert(key, Arc::clone(&provider));
        Ok(provider)
    }
}
