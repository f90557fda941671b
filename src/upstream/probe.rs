//! What `check --online` asks a provider: whether a login could work, as far as that shows without one.

use std::sync::Arc;

use super::door::Upstream;
use super::exchange::usable_algs;
use super::{ProviderFacts, UpstreamFault, token_call};
use crate::keys::algorithm::JwsAlgorithm;
use crate::oidc::Idp;
use crate::oidc::idp::IdpCredential;

/// One thing that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeFinding {
    /// What was tried: a noun, in English.
    pub what: &'static str,
    /// What was found, or why it can't work.
    pub outcome: Result<String, String>,
}

impl Upstream {
    /// Tries discovery, keys, algorithms, client authentication and endpoints, past every cache.
    pub async fn probe(&self, idp: &Arc<Idp>) -> Vec<ProbeFinding> {
        let mut findings = Vec::new();
        let mut found = |what, outcome: Result<String, String>| findings.push(ProbeFinding { what, outcome });
        let provider = match self.remembered(idp) {
            Ok(provider) => provider,
            Err(fault) => {
                found("settings", Err(told(&fault)));
                return findings;
            }
        };
        let facts = match provider.facts.fetch().await {
            Ok(facts) => facts,
            Err(fault) => {
                found("discovery", Err(told(&fault)));
                return findings;
            }
        };
        found("discovery", Ok(format!("issuer {}", facts.issuer)));
        let algs = usable_algs(idp, &facts);
        match provider.keys.fetch().await {
            Ok(keys) => {
                let fitting = |alg: &&String| JwsAlgorithm::parse(alg).is_some_and(|alg| keys.count_for(alg) > 0);
                let signing: Vec<&String> = algs.iter().filter(fitting).collect();
                found("keys", Ok(format!("{} usable", keys.len())));
                found("id_token_algs", algorithms(&signing, &facts));
            }
            Err(fault) => found("keys", Err(told(&fault))),
        }
        found("PKCE", if facts.takes_s256 { Ok("S256".to_owned()) } else { Err("announces no S256".to_owned()) });
        found("client authentication", self.authentication(idp, &facts));
        // Any answer shows that it is there; what it says to a GET doesn't matter.
        let reached = provider.http.get(&facts.token_endpoint, None).await;
        found("token endpoint", reached.map(|_| "reached".to_owned()).map_err(|fault| told(&fault.into())));
        findings
    }

    fn authentication(&self, idp: &Idp, facts: &ProviderFacts) -> Result<String, String> {
        let method = match &idp.credential {
            IdpCredential::Secret(_) => {
                let basic = token_call::sends_basic(facts).map_err(|fault| told(&fault))?;
                if basic { "client_secret_basic" } else { "client_secret_post" }
            }
            IdpCredential::Key(key) => {
                self.signer(key).map_err(|fault| told(&fault))?;
                let announced = facts.client_authentication.as_deref().unwrap_or_default();
                if !announced.iter().any(|method| method == "private_key_jwt") {
                    return Err("private_key_jwt is not announced".to_owned());
                }
                "private_key_jwt"
            }
        };
        Ok(method.to_owned())
    }
}

fn algorithms(signing: &[&String], facts: &ProviderFacts) -> Result<String, String> {
    if signing.is_empty() {
        let announced = facts.id_token_algs.join(", ");
        return Err(format!("no configured algorithm is announced and has a key; announced: {announced}"));
    }
    Ok(signing.iter().map(|alg| alg.as_str()).collect::<Vec<_>>().join(", "))
}

fn told(fault: &UpstreamFault) -> String {
    match fault.detail() {
        "" => fault.to_string(),
        detail => format!("{fault}: {detail}"),
    }
}
