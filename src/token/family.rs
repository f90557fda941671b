//! A refresh family: what one sign-in may be renewed by, one live token at a time (RFC 9700 §4.14.2).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::grant::{GRANT_VERSION, Grant};
use super::standing::Why;
use crate::base::limits::{REFRESH_REPEAT_WINDOW, REFRESH_REPEATS_MAX, SCOPE_WORDS_MAX};
use crate::base::{Digest, Moment};
use crate::identity::UserId;
use crate::oidc::client::{GrantType, TokenLifetimes};
use crate::oidc::{Client, ClientId, ErrorCode, IdpId, OAuthError, Scope};

/// The digest of the family's random id, which is the first half of its refresh tokens.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FamilyId(pub Digest);

impl fmt::Debug for FamilyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "family {:?}", self.0)
    }
}

/// One row of the database; every turn of the family replaces it under its `generation`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Family {
    pub id: FamilyId,
    /// Grows by one with every write.
    pub generation: u64,
    pub client: ClientId,
    pub user: UserId,
    pub directory: String,
    pub idp: IdpId,
    /// The session it was born in.
    pub sid: String,
    /// Whether it ends with that session (no `offline_access`).
    pub bound_to_session: bool,
    pub scopes: Vec<Scope>,
    pub auth_time: Moment,
    pub acr: Option<String>,
    pub amr: Vec<String>,
    pub created: Moment,
    /// Absolute end; no turn moves it.
    pub ends: Moment,
    /// End if it isn't used before.
    pub idle_ends: Moment,
    /// The digest of the one refresh token that is good now.
    pub current: Digest,
    /// The access token issued beside it.
    pub current_access: Digest,
    /// The token that was turned in for `current`, for the repeat window.
    pub previous: Option<Digest>,
    pub rotated_at: Option<Moment>,
    /// How often the previous token was presented again within the window.
    pub repeats: u32,
    pub revoked_at: Option<Moment>,
}

/// The pair that a turn issues, by digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewTokens {
    pub refresh: Digest,
    pub access: Digest,
}

/// What became of the access token that was issued beside the family's current refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessUse {
    /// Never presented to us; also a signed one, whose use we can't see.
    Unused,
    /// Presented at least once; also one whose record is gone or can't be read.
    Used,
}

/// Why a presented token counts as stolen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Alarm {
    /// No token of the family that is good or was just turned in: an older one, one that a repeat made
    /// void, or an invented one.
    UnknownToken,
    /// The token turned in last, after the window.
    TooLate,
    /// The token turned in last, after the new access token was used.
    SuccessorUsed,
    /// The token turned in last, by a public client, which can't prove that it is the same one.
    PublicClient,
}

/// What a presented refresh token leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It is the good one: [`Family::rotate`].
    Rotate,
    /// A lost answer is asked for again: [`Family::repeat`], and this access token is void.
    Repeat { void_access: Digest },
    /// A lost answer was asked for too often: refused, the family lives on.
    TooManyRepeats,
    /// Reuse: the family ends, its access tokens with it, and somebody is told.
    Reuse(Alarm),
    /// The token of another client: the family ends, and somebody is told.
    ForeignClient,
    /// The family had ended before.
    Dead(Why),
}

/// Decides about a presented token (RFC 9700 §4.14.2), `presented` being the digest of the whole text.
///
/// The client's and the user's standing is a question of its own
/// ([`check`](super::standing::check)). The conditional write of the next generation decides between
/// requests that race: who loses it reads the family again and asks again.
#[must_use]
pub fn present(family: &Family, presented: Digest, client: &Client, access: AccessUse, now: Moment) -> Turn {
    if family.client != client.id {
        return Turn::ForeignClient;
    }
    if let Err(why) = check_alive(family, client, now) {
        return Turn::Dead(why);
    }
    if presented.matches(&family.current) {
        return Turn::Rotate;
    }
    if !family.previous.is_some_and(|previous| presented.matches(&previous)) {
        return Turn::Reuse(Alarm::UnknownToken);
    }
    let in_window = family.rotated_at.is_some_and(|at| {
        // Machines' clocks differ a little: a turn may lie ahead, but by no more than the window.
        now.since(at).max(at.since(now)) <= REFRESH_REPEAT_WINDOW
    });
    if client.is_public() {
        Turn::Reuse(Alarm::PublicClient)
    } else if !in_window {
        Turn::Reuse(Alarm::TooLate)
    } else if access == AccessUse::Used {
        Turn::Reuse(Alarm::SuccessorUsed)
    } else if family.repeats >= REFRESH_REPEATS_MAX {
        Turn::TooManyRepeats
    } else {
        Turn::Repeat { void_access: family.current_access }
    }
}

/// Whether the family can still be used: not revoked, within both its times, and of a kind that the
/// client's file allows.
///
/// # Errors
/// The first [`Why`].
pub fn check_alive(family: &Family, client: &Client, now: Moment) -> Result<(), Why> {
    if family.revoked_at.is_some() {
        return Err(Why::Revoked);
    }
    if family.ends <= now {
        return Err(Why::Expired);
    }
    if family.idle_ends <= now {
        return Err(Why::Idle);
    }
    let kind_allowed = if family.bound_to_session {
        client.tokens.refresh_without_offline
    } else {
        client.scopes.contains(&Scope::OfflineAccess)
    };
    if client.may_use(GrantType::RefreshToken) && kind_allowed { Ok(()) } else { Err(Why::RefreshNotAllowed) }
}

/// Whether a grant comes with a refresh token: `offline_access` was granted, or the client has them
/// without.
#[must_use]
pub fn is_refreshable(grant: &Grant, client: &Client) -> bool {
    let kind_allowed = grant.has(Scope::OfflineAccess) || client.tokens.refresh_without_offline;
    client.may_use(GrantType::RefreshToken) && kind_allowed
}

impl Family {
    /// A new family for a grant, born at the redemption of its code.
    #[must_use]
    pub fn begin(id: FamilyId, grant: &Grant, first: NewTokens, lifetimes: &TokenLifetimes, now: Moment) -> Self {
        let ends = now.plus(lifetimes.refresh);
        Self {
            id,
            generation: 1,
            client: grant.client.clone(),
            user: grant.user.clone(),
            directory: grant.directory.clone(),
            idp: grant.idp.clone(),
            sid: grant.sid.clone(),
            bound_to_session: !grant.has(Scope::OfflineAccess),
            scopes: grant.scopes.clone(),
            auth_time: grant.auth_time,
            acr: grant.acr.clone(),
            amr: grant.amr.clone(),
            created: now,
            ends,
            idle_ends: now.plus(lifetimes.refresh_idle).min(ends),
            current: first.refresh,
            current_access: first.access,
            previous: None,
            rotated_at: None,
            repeats: 0,
            revoked_at: None,
        }
    }

    /// The same family, ending with its session if it is bound to it.
    #[must_use]
    pub fn within_session(self, session_ends: Option<Moment>) -> Self {
        let ends = session_ends.filter(|_| self.bound_to_session).map_or(self.ends, |at| at.min(self.ends));
        Self { ends, idle_ends: self.idle_ends.min(ends), ..self }
    }

    /// The family after [`Turn::Rotate`]: the idle end moves, the absolute one never.
    #[must_use]
    pub fn rotate(&self, new: NewTokens, lifetimes: &TokenLifetimes, now: Moment) -> Self {
        Self {
            generation: self.generation.saturating_add(1),
            idle_ends: now.plus(lifetimes.refresh_idle).min(self.ends),
            current: new.refresh,
            current_access: new.access,
            previous: Some(self.current),
            rotated_at: Some(now),
            repeats: 0,
            ..self.clone()
        }
    }

    /// The family after [`Turn::Repeat`]: the unused pair is forgotten, and the window stays where it was.
    #[must_use]
    pub fn repeat(&self, new: NewTokens) -> Self {
        Self {
            generation: self.generation.saturating_add(1),
            current: new.refresh,
            current_access: new.access,
            repeats: self.repeats.saturating_add(1),
            ..self.clone()
        }
    }

    /// The grant that new tokens are made from, with these scopes ([`narrow`]). It has no nonce.
    #[must_use]
    pub fn grant(&self, scopes: Vec<Scope>) -> Grant {
        Grant {
            version: GRANT_VERSION,
            client: self.client.clone(),
            user: self.user.clone(),
            directory: self.directory.clone(),
            idp: self.idp.clone(),
            sid: self.sid.clone(),
            scopes,
            nonce: None,
            auth_time: self.auth_time,
            acr: self.acr.clone(),
            amr: self.amr.clone(),
        }
    }
}

/// The scopes of a refresh's new tokens (RFC 6749 §6): what was asked for, or else all that was granted,
/// less what has since left the client's file. The family keeps what was granted.
///
/// # Errors
/// `invalid_scope`, if more is asked for than was granted.
pub fn narrow(family: &Family, asked: Option<&str>, client: &Client) -> Result<Vec<Scope>, OAuthError> {
    let wider = OAuthError::new(ErrorCode::InvalidScope, "scope asks for more than was granted");
    let asked: Option<Vec<&str>> = asked.map(|text| text.split_ascii_whitespace().take(SCOPE_WORDS_MAX + 1).collect());
    let wanted = match asked {
        Some(words) if words.len() > SCOPE_WORDS_MAX => return Err(wider),
        Some(words) if !words.is_empty() => {
            let parsed: Option<Vec<Scope>> = words.into_iter().map(Scope::parse).collect();
            parsed.ok_or(wider)?
        }
        _ => family.scopes.clone(),
    };
    if wanted.iter().any(|scope| !family.scopes.contains(scope)) {
        return Err(wider);
    }
    let stays = |scope: &Scope| wanted.contains(scope) && client.scopes.contains(scope);
    Ok(Scope::ALL.into_iter().filter(stays).collect())
}

#[cfg(test)]
mod tests;
