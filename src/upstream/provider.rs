//! One provider, as far as it is remembered: its client, its documents, its places.

use std::sync::Arc;

use futures_util::FutureExt as _;
use tokio::sync::Semaphore;

use super::id_token::Unverified;
use super::keyset::{KeySet, Verdict};
use super::{ProviderFacts, UpstreamFault, metadata};
use crate::base::{Clock, Span};
use crate::oidc::Idp;
use crate::outbound::{Cache, Http, document};

/// How long discovery or keys may take in all, a second try included: with an exchange after it, a
/// login still ends within 10 s or so.
const METADATA_CALL: Span = Span::secs(5);
/// Exchanges under way at one provider; beyond, people are told to try again. A provider that hangs
/// holds no more than this, and the others' logins go on.
const EXCHANGES_MAX: usize = 256;

pub struct Provider {
    pub http: Http,
    pub facts: Cache<ProviderFacts, UpstreamFault>,
    pub keys: Cache<KeySet, UpstreamFault>,
    /// One for each exchange under way.
    pub places: Semaphore,
}

impl Provider {
    /// Nothing is fetched yet.
    ///
    /// # Errors
    /// [`UpstreamFault::Misconfigured`] if its issuer is no URL.
    pub fn new(http: Http, clock: &Arc<dyn Clock>, idp: &Arc<Idp>) -> Result<Self, UpstreamFault> {
        let discovery = metadata::discovery_url(&idp.issuer)?;
        let (client, settings) = (http.clone(), Arc::clone(idp));
        let fetch_facts = Box::new(move || {
            let (client, settings, discovery) = (client.clone(), Arc::clone(&settings), discovery.clone());
            in_time(async move {
                let reply = client.get_with_retry(&discovery).await?;
                metadata::facts(document(&reply, "discovery")?, &settings)
            })
            .boxed()
        });
        let facts = Cache::new(format!("discovery of {}", idp.id), Arc::clone(clock), fetch_facts);
        let (client, of) = (http.clone(), facts.clone());
        let fetch_keys = Box::new(move || {
            let (client, of) = (client.clone(), of.clone());
            in_time(async move {
                let facts = of.get().await?;
                let reply = client.get_with_retry(&facts.jwks_uri).await?;
                KeySet::parse(&document(&reply, "jwks")?)
            })
            .boxed()
        });
        let keys = Cache::new(format!("keys of {}", idp.id), Arc::clone(clock), fetch_keys);
        Ok(Self { http, facts, keys, places: Semaphore::new(EXCHANGES_MAX) })
    }

    /// Whether one of its keys made the token's signature: of the keys at hand or, if none is the one, of newer ones.
    ///
    /// # Errors
    /// [`UpstreamFault`] if its keys, or newer ones that are needed, can't be had.
    pub async fn has_signed(&self, token: &Unverified<'_>) -> Result<bool, UpstreamFault> {
        let check = |keys: &KeySet| keys.check(token.kid.as_deref(), token.alg, token.message, token.signature);
        let keys = self.keys.get().await?;
        match check(&keys) {
            Verdict::Good => Ok(true),
            Verdict::Bad => Ok(false),
            Verdict::NoKey => match (self.keys.renew(&keys).await?, self.keys.last_fault()) {
                (Some(newer), _) => Ok(check(&newer) == Verdict::Good),
                (None, Some(fault)) => Err(fault),
                (None, None) => Ok(false),
            },
        }
    }
}

async fn in_time<T>(fetch: impl Future<Output = Result<T, UpstreamFault>>) -> Result<T, UpstreamFault> {
    let late = |_| Err(UpstreamFault::unavailable("took too long"));
    tokio::time::timeout(METADATA_CALL.as_std(), fetch).await.unwrap_or_else(late)
}
