//! One exchange: code → tokens → checked claims → verified identity.

use std::time::Instant;

use serde_json::{Map, Value};

use super::id_token::{self, Expected, ID_TOKEN_TYPES, Unverified};
use super::provider::Provider;
use super::token_call::{self, Proof, Tokens};
use super::{CodeCall, ProviderFacts, Timings, UpstreamFault, VerifiedIdentity, userinfo};
use crate::base::{Clock, Secret, Span};
use crate::oidc::Idp;
use crate::oidc::idp::UserinfoPolicy;

/// What one exchange works with.
pub struct Exchange<'a> {
    pub provider: &'a Provider,
    pub clock: &'a dyn Clock,
    pub idp: &'a Idp,
    pub facts: &'a ProviderFacts,
    pub call: &'a CodeCall<'a>,
}

impl Exchange<'_> {
    /// Runs it to the end.
    ///
    /// # Errors
    /// [`UpstreamFault`] of the first step that fails.
    pub async fn run(&self, proof: Proof<'_>) -> Result<VerifiedIdentity, UpstreamFault> {
        let mut timings = Timings::default();
        let begun = Instant::now();
        let tokens = token_call::redeem(&self.provider.http, self.idp, self.facts, self.call, &proof).await?;
        timings.token = since(begun);

        let begun = Instant::now();
        let mut claims = self.verify(&tokens).await?;
        timings.verification = since(begun);

        if userinfo::is_wanted(self.idp.userinfo, &claims, self.call.wanted) {
            let begun = Instant::now();
            if self.add_userinfo(&tokens.access_token, &mut claims).await? {
                timings.userinfo = Some(since(begun));
            }
        }
        identity(self.idp, claims, tokens.id_token, timings)
    }

    async fn verify(&self, tokens: &Tokens) -> Result<Map<String, Value>, UpstreamFault> {
        let token = Unverified::parse(tokens.id_token.expose(), &usable_algs(self.idp, self.facts), ID_TOKEN_TYPES)?;
        if !self.provider.has_signed(&token).await? {
            return Err(UpstreamFault::untrusted("signature", "is not by one of the provider's keys"));
        }
        let claims = token.claims()?;
        let expected = Expected {
            idp: self.idp,
            nonce: self.call.nonce,
            code: self.call.code,
            access_token: &tokens.access_token,
            now: self.clock.now(),
        };
        id_token::check_claims(&claims, token.alg, &expected)?;
        Ok(claims)
    }

    /// Whether there was an endpoint to ask.
    async fn add_userinfo(
        &self,
        access_token: &Secret,
        claims: &mut Map<String, Value>,
    ) -> Result<bool, UpstreamFault> {
        match &self.facts.userinfo_endpoint {
            Some(endpoint) => userinfo::merge(&self.provider.http, endpoint, access_token, claims).await.map(|()| true),
            None if self.idp.userinfo == UserinfoPolicy::Always => {
                let detail = "userinfo = \"always\", but discovery names no userinfo_endpoint".to_owned();
                Err(UpstreamFault::Misconfigured { detail })
            }
            None => Ok(false),
        }
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
