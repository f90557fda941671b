//! Whether something issued earlier still holds: one rule function for every path on which it is asked.

use crate::base::Moment;
use crate::identity::{Directory, User};
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
    #[error("the identity provider's directory is no longer configured")]
    DirectoryGone,
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
    #[error("the client may no longer ask in its own name")]
    GrantNotAllowed,
}

/// Everything that the rules look at, as it is now.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// `None`: no client is answered.
    pub client: Option<&'a Client>,
    /// `None`: no longer configured.
    pub idp: Option<&'a Idp>,
    /// The identity provider's. `None`: no longer configured.
    pub directory: Option<&'a Directory>,
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
    check_user(rules.user, (idp, rules.directory), rules.issued)?;
    if rules.bound_to_session && rules.signed_out {
        return Err(Why::SignedOut);
    }
    if rules.revoked {
        return Err(Why::Revoked);
    }
    Ok(())
}

/// The rules that need no user: whether people, and those of this client if there is one, may come by this identity
/// provider.
///
/// # Errors
/// The first [`Why`].
pub fn check_way<'a>(client: Option<&Client>, idp: Option<&'a Idp>) -> Result<&'a Idp, Why> {
    if client.is_some_and(|client| !client.enabled) {
        return Err(Why::ClientDisabled);
    }
    let idp = idp.ok_or(Why::IdpGone)?;
    if !idp.enabled {
        return Err(Why::IdpDisabled);
    }
    if client.is_some_and(|client| !client.allows_idp(&idp.id)) {
        return Err(Why::IdpNotAllowed);
    }
    Ok(idp)
}

/// The rules about the user. Something made at the very moment from which sessions are valid holds.
///
/// # Errors
/// The first [`Why`].
pub fn check_user(
    user: Option<&User>,
    (idp, directory): (&Idp, Option<&Directory>),
    issued: Moment,
) -> Result<(), Why> {
    if directory.is_none() {
        return Err(Why::DirectoryGone);
    }
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::samples::{NOW, client, directory, idp, user};
    use super::*;
    use crate::base::Span;
    use crate::oidc::IdpId;

    /// Everything in order; each test row breaks one thing.
    struct World {
        client: Client,
        idp: Option<Idp>,
        directory: Option<Directory>,
        user: Option<User>,
        bound_to_session: bool,
        signed_out: bool,
        revoked: bool,
    }

    fn asked(change: impl FnOnce(&mut World)) -> Result<(), Why> {
        let mut world = World {
            client: Client { idps: vec![IdpId("entra".to_owned())], ..client() },
            idp: Some(idp()),
            directory: Some(directory()),
            user: Some(User { sessions_valid_from: NOW, ..user(&json!({})) }),
            bound_to_session: true,
            signed_out: false,
            revoked: false,
        };
        change(&mut world);
        check(&Rules {
            client: Some(&world.client),
            idp: world.idp.as_ref(),
            directory: world.directory.as_ref(),
            user: world.user.as_ref(),
            issued: NOW,
            bound_to_session: world.bound_to_session,
            signed_out: world.signed_out,
            revoked: world.revoked,
        })
    }

    fn of_user(change: impl FnOnce(&mut User)) -> Result<(), Why> {
        asked(|world| change(world.user.as_mut().expect("a user")))
    }

    fn of_idp(change: impl FnOnce(&mut Idp)) -> Result<(), Why> {
        asked(|world| change(world.idp.as_mut().expect("a provider")))
    }

    #[test]
    fn a178_each_rule_refuses_for_its_own_reason() {
        assert_eq!(asked(|_| ()), Ok(()));
        assert_eq!(asked(|world| world.client.enabled = false), Err(Why::ClientDisabled));
        assert_eq!(asked(|world| world.idp = None), Err(Why::IdpGone));
        assert_eq!(of_idp(|idp| idp.enabled = false), Err(Why::IdpDisabled));
        assert_eq!(asked(|world| world.client.idps = vec![IdpId("okta".to_owned())]), Err(Why::IdpNotAllowed));
        assert_eq!(asked(|world| world.client.idps.clear()), Ok(()), "none named: all");
        assert_eq!(asked(|world| world.directory = None), Err(Why::DirectoryGone));
        assert_eq!(asked(|world| world.user = None), Err(Why::UserGone));
        assert_eq!(of_user(|user| user.active = false), Err(Why::UserInactive));
        assert_eq!(of_user(|user| user.directory = "other".to_owned()), Err(Why::OtherDirectory));
        assert_eq!(of_idp(|idp| idp.directory = "other".to_owned()), Err(Why::OtherDirectory));
        assert_eq!(asked(|world| world.signed_out = true), Err(Why::SignedOut));
        assert_eq!(asked(|world| world.revoked = true), Err(Why::Revoked));
    }

    #[test]
    fn what_was_made_before_the_valid_sessions_is_void() {
        assert_eq!(of_user(|user| user.sessions_valid_from = NOW), Ok(()));
        assert_eq!(of_user(|user| user.sessions_valid_from = NOW.plus(Span::from_ms(1))), Err(Why::SessionsEnded));
    }

    #[test]
    fn a106_what_came_by_offline_access_outlives_the_session_and_nothing_else() {
        let offline = |change: fn(&mut World)| {
            asked(|world| {
                (world.bound_to_session, world.signed_out) = (false, true);
                change(world);
            })
        };
        assert_eq!(offline(|_| ()), Ok(()));
        assert_eq!(offline(|world| world.revoked = true), Err(Why::Revoked));
        assert_eq!(offline(|world| world.user = None), Err(Why::UserGone));
        assert_eq!(offline(|world| world.client.enabled = false), Err(Why::ClientDisabled));
    }
}
