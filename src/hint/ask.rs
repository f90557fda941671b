//! What is known when a hint is decided on.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::domain;
use super::reason::Reason;
use crate::base::text::LoginHint;
use crate::identity::Directory;
use crate::oidc::{Idp, IdpId, Prompt};

/// Where a login came in. It is told in traces; only [`EntryPath::SignInAgain`] changes a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryPath {
    /// Authorization request by GET.
    Get,
    /// Authorization request by POST.
    Post,
    /// Authorization request whose hint came as `u`.
    Alias,
    /// Pushed authorization request (RFC 9126).
    Pushed,
    /// Third-party-initiated login (OIDC Core §4).
    Initiate,
    /// Our page that asks for the work email.
    WorkEmail,
    /// A provider's button on our page.
    ProviderButton,
    /// The mismatch page: sign in again, as the person hinted at.
    SignInAgain,
    /// `vestibule explain hint`.
    Explain,
}

impl EntryPath {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "authorize_get",
            Self::Post => "authorize_post",
            Self::Alias => "authorize_u",
            Self::Pushed => "pushed",
            Self::Initiate => "initiate",
            Self::WorkEmail => "work_email_page",
            Self::ProviderButton => "provider_button",
            Self::SignInAgain => "sign_in_again",
            Self::Explain => "explain",
        }
    }
}

/// The question: one login, as far as it concerns its hint.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    pub path: EntryPath,
    /// The hint of the client or of the third party that initiated the login.
    pub received: Option<&'a LoginHint>,
    /// What the person typed at our page: a hint too. It goes before the received one.
    pub typed: Option<&'a LoginHint>,
    /// The client's `[login_hint] accept`: whether `received` is used at all.
    pub accept_hints: bool,
    /// The `domain` parameter.
    pub domain: Option<&'a str>,
    pub prompt: Prompt,
    /// The enabled identity providers that this client's people may come from.
    pub idps: &'a [Arc<Idp>],
    /// All directories, by stem.
    pub directories: &'a BTreeMap<String, Arc<Directory>>,
    /// The identity provider whose button the person pressed.
    pub chosen: Option<&'a IdpId>,
}

impl<'a> Ask<'a> {
    /// The client's hint, if its hints are used.
    pub(super) fn accepted(&self) -> Option<&'a LoginHint> {
        self.received.filter(|_| self.accept_hints)
    }

    /// The hint that counts: what was typed, else what was received. Who signs in again after a mismatch does
    /// so as the client asked, whatever was typed before.
    #[must_use]
    pub fn hint(&self) -> Option<&'a LoginHint> {
        match self.path {
            EntryPath::SignInAgain => {
                let asked_for = self.accepted().filter(|hint| self.domain_named_by(hint).is_some());
                asked_for.or(self.typed).or_else(|| self.accepted())
            }
            _ => self.typed.or_else(|| self.accepted()),
        }
    }

    /// Every hint that the person who comes back must answer to.
    pub(super) fn hints(&self) -> Vec<&'a LoginHint> {
        match self.path {
            EntryPath::SignInAgain => self.hint().into_iter().collect(),
            _ => self.typed.into_iter().chain(self.accepted()).collect(),
        }
    }

    /// Where the hint that counts comes from.
    pub(super) fn hint_reason(&self) -> Reason {
        match (self.hint(), self.typed, self.accepted()) {
            (None, _, _) if self.received.is_some() => Reason::ClientHintsOff,
            (None, _, _) => Reason::NoHint,
            (Some(hint), Some(typed), Some(received)) if hint == typed && typed != received => Reason::TypedGoesFirst,
            (Some(hint), Some(typed), _) if hint == typed => Reason::Typed,
            _ => Reason::Received,
        }
    }

    /// The domain of one of the directories of the client's providers that the hint names, for traces.
    #[must_use]
    pub fn known_domain(&self) -> Option<&'a str> {
        self.domain_named_by(self.hint()?)
    }

    fn domain_named_by(&self, hint: &LoginHint) -> Option<&'a str> {
        self.idps.iter().filter_map(|idp| self.directory(idp)).find_map(|d| domain::of_directory(d, hint))
    }

    pub(super) fn directory(&self, idp: &Idp) -> Option<&'a Directory> {
        self.directories.get(&idp.directory).map(AsRef::as_ref)
    }
}
