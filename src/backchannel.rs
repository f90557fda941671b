//! Clients as servers: their published keys (`jwks_uri`), and where they are told of a sign-out
//! (`backchannel_logout_uri`). Both addresses stand in the files, and are reached under the outbound guard.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use futures_util::FutureExt as _;

use crate::base::address::web_address;
use crate::base::{Clock, Secret, Span};
use crate::config::Outbound;
use crate::keys::assertion::ClientKeys;
use crate::outbound::{Cache, GuardedClients, Http, OutboundFault, document};

/// How long a fetch of keys may take in all, a second try included.
const KEYS_CALL: Span = Span::secs(5);
/// How long the last good keys wait for newer ones.
const RENEWAL_WAIT: Span = Span::secs(2);
/// How long a client may take to hear of a sign-out, from connecting to the status of its answer.
pub const LOGOUT_CALL: Span = Span::secs(3);
/// Key sets that are remembered; more only come about by changes of the files.
const REMEMBERED_MAX: usize = 4096;

type Keys = Cache<ClientKeys, OutboundFault>;

/// Speaks to clients. Shared by all requests of the process.
pub struct Clients {
    http: ArcSwap<GuardedClients>,
    clock: Arc<dyn Clock>,
    keys: Mutex<HashMap<String, Keys>>,
}

impl Clients {
    #[must_use]
    pub fn new(outbound: &Outbound, clock: Arc<dyn Clock>) -> Self {
        Self { http: ArcSwap::from_pointee(GuardedClients::new(outbound)), clock, keys: Mutex::default() }
    }

    /// Goes by these settings from now on. If they are others than before, all keys are fetched anew.
    pub fn renew(&self, outbound: &Outbound) {
        if !self.http.load().are_of(outbound) {
            self.http.store(Arc::new(GuardedClients::new(outbound)));
            self.keys.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }

    /// The keys that a client publishes: from memory for an hour, then fetched anew, so that a key is worth nothing an hour
    /// after the client took it back. If they can't be had, the last good ones serve for a day. However many wait, one
    /// fetch is under way.
    ///
    /// # Errors
    /// [`OutboundFault`] if they can't be had or believed, and there is no good copy.
    pub async fn keys(&self, jwks_uri: &str) -> Result<Arc<ClientKeys>, OutboundFault> {
        self.remembered(jwks_uri)?.get_renewed(RENEWAL_WAIT).await
    }

    /// Keys newer than those that lacked one: at once, but not more than one fetch a minute for this reason. `None`
    /// if there are none.
    ///
    /// # Errors
    /// The fault of the last fetch: as long as that stands, nobody knows whether there are newer ones.
    pub async fn newer_keys(
        &self,
        jwks_uri: &str,
        seen: &Arc<ClientKeys>,
    ) -> Result<Option<Arc<ClientKeys>>, OutboundFault> {
        let keys = self.remembered(jwks_uri)?;
        match (keys.renew(seen).await?, keys.last_fault()) {
            (None, Some(fault)) => Err(fault),
            (newer, _) => Ok(newer),
        }
    }

    /// Sends a logout token (Back-Channel Logout 1.0 §2.5) and gives the status of the answer, within
    /// [`LOGOUT_CALL`]. Redirects are not followed.
    ///
    /// # Errors
    /// [`OutboundFault`] if there is no answer.
    pub async fn post_logout(&self, uri: &str, logout_token: &Secret) -> Result<u16, OutboundFault> {
        let url = web_address(uri).map_err(|fault| misconfigured("backchannel_logout_uri", &fault))?;
        let token = [("logout_token", logout_token.expose())];
        let form = Secret::new(form_urlencoded::Serializer::new(String::new()).extend_pairs(token).finish());
        self.http()?.post_form_for_status(&url, &form, LOGOUT_CALL).await
    }

    fn http(&self) -> Result<Http, OutboundFault> {
        self.http.load().trusting(&[])
    }

    /// What is kept of a key set; made at its first use.
    fn remembered(&self, jwks_uri: &str) -> Result<Keys, OutboundFault> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = keys.get(jwks_uri) {
            return Ok(kept.clone());
        }
        let url = web_address(jwks_uri).map_err(|fault| misconfigured("jwks_uri", &fault))?;
        let http = self.http()?;
        let fetch = Box::new(move || {
            let (http, url) = (http.clone(), url.clone());
            async move {
                let fetched = tokio::time::timeout(KEYS_CALL.as_std(), http.get_with_retry(&url)).await;
                let reply = fetched.map_err(|_| OutboundFault::unavailable("took too long"))??;
                let set = document(&reply, "jwks")?.to_string();
                ClientKeys::published(&set).map_err(|fault| OutboundFault::untrusted("jwks", fault.to_string()))
            }
            .boxed()
        });
        let kept = Cache::new(format!("keys of a client at {jwks_uri}"), Arc::clone(&self.clock), fetch);
        if keys.len() >= REMEMBERED_MAX {
            keys.clear();
        }
        keys.insert(jwks_uri.to_owned(), kept.clone());
        Ok(kept)
    }
}

fn misconfigured(what: &str, fault: &impl std::fmt::Display) -> OutboundFault {
    OutboundFault::Misconfigured { detail: format!("{what} {fault}") }
}
