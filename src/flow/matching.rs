//! Which user of the directory an identity is: found, or with `type = "jit"` created and updated.

use super::ports::{Ports, Request, Unavailable};
use crate::broker::admit::{MatchKey, email_verified, jit_attributes};
use crate::directory::{JitUser, Provisioned};
use crate::identity::{DirectoryKind, User, UserId};
use crate::oidc::Idp;
use crate::upstream::VerifiedIdentity;

/// What the search found.
#[derive(Debug)]
pub enum Match {
    One(Box<User>),
    Created(Box<User>),
    Updated(Box<User>),
    Nobody,
    Several,
    /// The login's userName or externalId belongs to somebody else.
    Conflict(&'static str),
    /// The provider's directory is not configured.
    NoDirectory,
}

impl Match {
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::One(_) => "one user",
            Self::Created(_) => "created",
            Self::Updated(_) => "one user, updated",
            Self::Nobody => "nobody",
            Self::Several => "several users",
            Self::Conflict(what) => what,
            Self::NoDirectory => "the directory is not configured",
        }
    }

    #[must_use]
    pub fn user(self) -> Option<User> {
        match self {
            Self::One(user) | Self::Created(user) | Self::Updated(user) => Some(*user),
            _ => None,
        }
    }
}

/// Searches the provider's own directory, and no other, by the configured attribute.
///
/// # Errors
/// [`Unavailable`] if the directory can't be asked: neither found nor not found is assumed.
pub async fn find(
    ports: &Ports,
    request: &Request,
    idp: &Idp,
    identity: &VerifiedIdentity,
    key: &MatchKey,
) -> Result<Match, Unavailable> {
    let Some(directory) = request.config.directories.get(&idp.directory) else { return Ok(Match::NoDirectory) };
    if directory.kind == DirectoryKind::Provisioned {
        let mut found = ports.directory.users.find(&idp.directory, &key.attribute, &key.value).await?;
        return Ok(match (found.pop(), found.pop()) {
            (Some(user), None) => Match::One(Box::new(user)),
            (None, _) => Match::Nobody,
            (Some(_), Some(_)) => Match::Several,
        });
    }
    let described = JitUser {
        fresh_id: UserId(ports.dice.id()),
        directory: idp.directory.clone(),
        match_attribute: key.attribute.clone(),
        match_value: key.value.clone(),
        attributes: jit_attributes(idp, directory, &identity.claims, key),
        email_verified: email_verified(&identity.claims),
    };
    Ok(match ports.directory.users.provision(described, request.now).await? {
        Provisioned::Created(user) => Match::Created(Box::new(user)),
        Provisioned::Updated(user) => Match::Updated(Box::new(user)),
        Provisioned::Unchanged(user) => Match::One(Box::new(user)),
        Provisioned::Conflict(what) => Match::Conflict(what),
    })
}
