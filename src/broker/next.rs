//! What to do with an accepted authorization request: refuse, ask, reuse the session, or go upstream.

use std::sync::Arc;

use super::request::AuthorizationRequest;
use super::session::Session;
use crate::base::{Moment, Span};
use crate::hint::{Realm, Reuse};
use crate::identity::User;
use crate::oidc::error::ErrorCode::{AccessDenied, InteractionRequired, LoginRequired};
use crate::oidc::prompt::Prompt;
use crate::oidc::{Idp, OAuthError};

/// The decision.
#[derive(Debug)]
pub enum Next {
    Refuse(OAuthError),
    /// A page asks for the work email or offers the choice.
    Choose(Vec<Arc<Idp>>),
    Reuse,
    Upstream(Arc<Idp>),
}

/// A live session in good standing, and its user as the directory has it now.
#[derive(Debug)]
pub struct LiveSession<'s> {
    pub session: &'s Session,
    pub user: &'s User,
    /// What the hint says about this user.
    pub hint: Reuse,
    /// The `sub` that the client knows this user by.
    pub subject: String,
}

/// Decides, in this order: may the session be used, must nobody be asked, which provider.
#[must_use]
pub fn next(request: &AuthorizationRequest, live: Option<&LiveSession<'_>>, realm: Realm, now: Moment) -> Next {
    if let Some(live) = live
        && session_fits(request, live, &realm, now)
    {
        return Next::Reuse;
    }
    if request.prompt == Prompt::None {
        let needs_choice = matches!(realm, Realm::Choose { .. }) && live.is_some_and(|l| l.hint != Reuse::OtherPerson);
        return Next::Refuse(if needs_choice {
            OAuthError::new(InteractionRequired, "the person has to choose an identity provider")
        } else {
            OAuthError::new(LoginRequired, "the person has to sign in")
        });
    }
    match realm {
        Realm::Idp { idp, .. } => Next::Upstream(idp),
        Realm::Choose { idps, .. } => Next::Choose(idps),
        Realm::NotAllowed { .. } => {
            Next::Refuse(OAuthError::new(AccessDenied, "no identity provider is available to this client"))
        }
    }
}

/// Whether the session answers the request: nothing asks for a new sign-in, and it is the right person.
fn session_fits(request: &AuthorizationRequest, live: &LiveSession<'_>, realm: &Realm, now: Moment) -> bool {
    let wants_new = matches!(request.prompt, Prompt::Login | Prompt::SelectAccount) || request.max_age == Some(0);
    let right_realm = match realm {
        // A domain named by the client selects the directory, so a session of another one doesn't answer it.
        Realm::Idp { idp, .. } if request.domain.is_some() => idp.directory == live.session.directory,
        _ => true,
    };
    let right_person = live.hint.is_reusable() && request.subject.as_deref().is_none_or(|s| s == live.subject);
    !wants_new && right_realm && right_person && live.session.satisfies_max_age(request.max_age, now)
}

/// How long ago the sign-in may be for this request: `Some(0)` for one that must be new.
#[must_use]
pub fn freshness(request: &AuthorizationRequest) -> Option<Span> {
    match (request.prompt, request.max_age) {
        (Prompt::Login, _) | (_, Some(0)) => Some(Span::ZERO),
        (_, Some(seconds)) => Some(Span::secs(i64::from(seconds))),
        _ => None,
    }
}
