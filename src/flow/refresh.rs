//! Refresh tokens (RFC 6749 §6, RFC 9700 §4.14.2): one turn of a family, one conditional write.

use std::sync::Arc;

use super::client_auth::CallFault;
use super::issue::{Drawn, Refresh, TokenAnswer, answer, keep_access, revoke};
use super::ports::{Ports, Request, Unavailable};
use super::presented::hold_family;
use crate::base::limits::REVOKED_LIFETIME;
use crate::base::{Digest, Secret};
use crate::identity::User;
use crate::oidc::error::ErrorCode::{InvalidGrant, InvalidRequest, TemporarilyUnavailable};
use crate::oidc::params::Params;
use crate::oidc::{Client, OAuthError};
use crate::state::{Kind, Name, Record};
use crate::token::access::{AccessRecord, AccessState};
use crate::token::family::{AccessUse, Family, Turn, narrow, present};
use crate::token::refresh_token::{RefreshToken, SECRET_BYTES};

/// Turns that may race for one family before the client is asked to come again.
const ATTEMPTS: usize = 5;

const REFUSED: OAuthError = OAuthError::new(InvalidGrant, "the refresh token is not valid any more");

/// Answers a token request of grant type `refresh_token`.
///
/// # Errors
/// [`CallFault`].
pub async fn refresh(
    ports: &Ports,
    request: &Request,
    client: &Arc<Client>,
    params: &Params,
) -> Result<TokenAnswer, CallFault> {
    let text = params.get("refresh_token").ok_or(OAuthError::new(InvalidRequest, "refresh_token is missing"))?;
    let presented = RefreshToken::parse(text).ok_or(REFUSED)?;
    let scope = params.get("scope");
    for _ in 0..ATTEMPTS {
        let family = ports.directory.families.family(&presented.family()).await.map_err(Unavailable::from)?;
        let family = family.ok_or(REFUSED)?;
        let going = Going { ports, request, client, family: &family, presented: &presented };
        let next = match going.decide(scope).await? {
            Turn::Rotate => going.turn(scope, None).await?,
            Turn::Repeat { void_access } => going.turn(scope, Some(void_access)).await?,
            Turn::Reuse(alarm) => return Err(end(&going, &format!("{alarm:?}")).await),
            Turn::ForeignClient => return Err(end(&going, "presented by another client").await),
            Turn::TooManyRepeats => return Err(REFUSED.into()),
            Turn::Dead(why) => {
                tracing::info!(client = %client.id, %why, "a refresh token is worth nothing any more");
                return Err(REFUSED.into());
            }
        };
        if let Some(answer) = next {
            return Ok(answer);
        }
    }
    Err(OAuthError::new(TemporarilyUnavailable, "the refresh token is being used elsewhere").into())
}

/// A family about to be turned.
struct Going<'a> {
    ports: &'a Ports,
    request: &'a Request,
    client: &'a Arc<Client>,
    family: &'a Family,
    presented: &'a RefreshToken,
}

impl Going<'_> {
    /// Asks the pure decision, and for a repeat whether the new access token was used: that question voids it in the
    /// same step, so it is only asked for a request that can be answered.
    async fn decide(&self, scope: Option<&str>) -> Result<Turn, CallFault> {
        let turn = self.present(AccessUse::Unused);
        let Turn::Repeat { void_access } = turn else { return Ok(turn) };
        narrow(self.family, scope, self.client)?;
        let name = Name { kind: Kind::AccessToken, digest: void_access };
        Ok(self.present(self.void(name).await?))
    }

    fn present(&self, access: AccessUse) -> Turn {
        present(self.family, self.presented.digest(), self.client, access, self.request.now)
    }

    /// Voids an access token unless it was used.
    async fn void(&self, name: Name) -> Result<AccessUse, Unavailable> {
        let state = &self.ports.state;
        let mut kept = state.peek(name).await?;
        if let Some(AccessState::Issued(record)) = kept.as_deref().and_then(AccessState::decode)
            && !record.used
        {
            let bytes = AccessState::Revoked { at: self.request.now }.encode();
            let tombstone = Record { name, bytes, lifetime: REVOKED_LIFETIME };
            if state.swap(kept.unwrap_or_default(), tombstone).await? {
                return Ok(AccessUse::Unused);
            }
            kept = state.peek(name).await?;
        }
        Ok(match kept.as_deref().and_then(AccessState::decode) {
            // Another repeat has just voided it; the write of the family decides who goes on.
            Some(AccessState::Revoked { .. }) => AccessUse::Unused,
            _ => AccessUse::Used,
        })
    }

    /// Turns the family; `None` if another request turned it first.
    async fn turn(&self, scope: Option<&str>, repeat: Option<Digest>) -> Result<Option<TokenAnswer>, CallFault> {
        let user = self.standing().await?;
        let scopes = narrow(self.family, scope, self.client)?;
        let mut secret = [0_u8; SECRET_BYTES];
        self.ports.dice.fill(&mut secret);
        let drawn = Drawn { access: Secret::new(self.ports.dice.token()), refresh: self.presented.successor(secret) };
        let next = match repeat {
            Some(_) => self.family.repeat(drawn.digests()),
            None => self.family.rotate(drawn.digests(), &self.client.tokens, self.request.now),
        };
        let grant = self.family.grant(scopes);
        // The access token first: a family that has turned must not point to one that was never kept.
        let lifetime = self.client.tokens.access;
        let record = AccessRecord::new(grant.clone(), Some(&next), lifetime, self.request.now);
        if !keep_access(self.ports, &drawn.access, record).await? {
            return Err(REFUSED.into());
        }
        let turned = self.ports.directory.families.turn(self.family.generation, next).await;
        if !turned.map_err(Unavailable::from)? {
            let name = Name::of(Kind::AccessToken, drawn.access.expose());
            self.ports.state.forget(name).await.map_err(Unavailable::from)?;
            return Ok(None);
        }
        answer(self.ports, self.request, (&grant, &user, self.client), &drawn, Refresh::Issued).map(Some)
    }

    /// The rules of now.
    async fn standing(&self) -> Result<User, CallFault> {
        let held = hold_family(self.ports, self.request, self.family, self.client).await?;
        held.map(|standing| standing.user).map_err(|why| {
            tracing::info!(client = %self.client.id, %why, "a refresh token is worth nothing any more");
            REFUSED.into()
        })
    }
}

/// Ends a family whose token came from somewhere that it can't be.
async fn end(going: &Going<'_>, why: &str) -> CallFault {
    let Going { ports, request, client, family, .. } = going;
    tracing::warn!(client = %client.id, family = ?family.id, why, "ALARM a refresh token was reused; its family ends");
    ports.metrics.refused("refresh_reuse");
    match revoke(ports, request, Some(&family.id), family.current_access).await {
        Ok(()) => REFUSED.into(),
        Err(fault) => fault,
    }
}
