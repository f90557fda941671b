//! Whether something issued earlier still holds: one rule function for every path on which it is asked.

use crate::base::Moment;
use crate::identity::User;
use crate::oidc::{Client, Idp};

/// Why something doesn't hold any more. Told to logs and traces; clients hear `invalid_grant`,
/// `invalid_token` or `login_required`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Why {
    #[error("the client is switched off")]
    ClientDisabled,
    #[error("the identity provider is no longer configured")]
    IdpGone,
    #[error("the identity provider is switched off")]
    IdpDisabled,
    #[error("the client's people may no longer come from this identity provider")]
    IdpNotAllowed,
    #[error("there is no such user any more")]
    UserGone,
    #[error("the user is inactive")]
    UserInactive,
    #[error("the user is not of the identity provider's directory")]
    OtherDirectory,
    #[error("everything issued to the user before a certain moment was ended")]
    SessionsEnded,
    #[error("the session was signed out")]
    SignedOut,
    #[error("it was revoked")]
    Revoked,
    #[error("its time is over")]
    Expired,
    #[error("it was not used for too long")]
    Idle,
    #[error("the client may no longer have refresh tokens of this kind")]
    RefreshNotAllowed,
}

/// Everything that the rules look at, as it is now.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    pub client: &'a Client,
    /// `None`: no longer configured.
    pub idp: Option<&'a Idp>,
    /// `None`: no longer there.
    pub user: Option<&'a User>,
    /// When the session, code, family or token was made.
    pub issued: Moment,
    /// Whether it ends with its session: everything but what came by `offline_access`.
    pub bound_to_session: bool,
    /// Whether the session was signed out.
    pub signed_out: bool,
    /// Whether the family or token itself was revoked.
    pub revoked: bool,
}

/// Asks every rule.
///
/// # Errors
/// The first [`Why`] in the order of that enum.
pub fn check(rules: &Rules<'_>) -> Result<(), Why> {
    let idp = check_way(rules.client, rules.idp)?;
    check_user(rules.user, idp, rules.issued)?;
    if rules.bound_to_session && rules.signed_out {
        return Err(Why::SignedOut);
    }
    if rules.revoked {
        return Err(Why::Revoked);
    }
    Ok(())
}

/// The rules that need no user: whether this client's people may come by this identity provider.
///
/// # Errors
/// The first [`Why`].
pub fn check_way<'a>(client: &Client, idp: Option<&'a Idp>) -> Result<&'a Idp, Why> {
    if !client.enabled {
        return Err(Why::ClientDisabled);
    }
    let idp = idp.ok_or(Why::IdpGone)?;
    if !idp.enabled {
        return Err(Why::IdpDisabled);
    }
    if !client.allows_idp(&idp.id) {
        return Err(Why::IdpNotAllowed);
    }
    Ok(idp)
}

/// The rules about the user. Something made at the very moment from which sessions are valid holds.
///
/// # Errors
/// The first [`Why`].
pub fn check_user(user: Option<&User>, idp: &Idp, issued: Moment) -> Result<(), Why> {
    let user = user.ok_or(Why::UserGone)?;
    if !user.active {
        return Err(Why::UserInactive);
    }
    if user.directory != idp.directory {
        return Err(Why::OtherDirectory);
    }
    if issued < user.sessions_valid_from {
        return Err(Why::SessionsEnded);
    }
    Ok(())
}
