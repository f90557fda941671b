//! The rules of now, asked in one way on every path on which something issued earlier comes back.

use super::ports::Request;
use crate::base::Moment;
use crate::directory::Standing;
use crate::identity::User;
use crate::oidc::{Client, Idp, IdpId};
use crate::token::standing::{Rules, Why, check, check_way};

/// What comes back: a session, code, refresh token or access token, or a sign-in that is just ending.
#[derive(Clone, Copy, Debug)]
pub struct Issued<'a> {
    /// `None`: no client is answered.
    pub client: Option<&'a Client>,
    pub idp: &'a IdpId,
    /// When it was made.
    pub at: Moment,
    /// Whether it ends with its session.
    pub bound_to_session: bool,
}

/// Whose it is, as the directory has it now.
#[derive(Clone, Copy, Debug)]
pub struct Whose<'a> {
    /// `None`: no longer there.
    pub user: Option<&'a User>,
    pub signed_out: bool,
    pub revoked: bool,
}

impl<'a> Whose<'a> {
    /// A user who has neither session nor family yet.
    #[must_use]
    pub const fn new(user: &'a User) -> Self {
        Self { user: Some(user), signed_out: false, revoked: false }
    }
}

impl<'a> From<Option<&'a Standing>> for Whose<'a> {
    fn from(standing: Option<&'a Standing>) -> Self {
        Self {
            user: standing.map(|standing| &standing.user),
            signed_out: standing.is_some_and(|standing| standing.signed_out),
            revoked: standing.is_some_and(|standing| standing.family_revoked),
        }
    }
}

/// Asks every rule.
///
/// # Errors
/// The first [`Why`] that doesn't hold.
pub fn hold(request: &Request, issued: Issued<'_>, whose: Whose<'_>) -> Result<(), Why> {
    let idp = request.config.idps.get(issued.idp).map(AsRef::as_ref);
    check(&Rules {
        client: issued.client,
        idp,
        directory: idp.and_then(|idp| request.config.directories.get(&idp.directory)).map(AsRef::as_ref),
        user: whose.user,
        issued: issued.at,
        bound_to_session: issued.bound_to_session,
        signed_out: whose.signed_out,
        revoked: whose.revoked,
    })
}

/// Asks the rules that need no person: whether somebody may come by this identity provider at all.
///
/// # Errors
/// The first [`Why`] that doesn't hold.
pub fn way(request: &Request, client: Option<&Client>, idp: &IdpId) -> Result<(), Why> {
    let idp: Option<&Idp> = request.config.idps.get(idp).map(AsRef::as_ref);
    check_way(client, idp).map(drop)
}
