//! Whether who came is who was hinted at.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::ask::Ask;
use super::domain::{self, comparable_name};
use crate::base::text::LoginHint;
use crate::identity::{Directory, User};
use crate::oidc::idp::Mismatch;

/// What has to be checked when the person comes back from the identity provider; kept with the pending login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guard(Check);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Check {
    /// Nobody was hinted at.
    Nobody,
    /// There was a hint, by which nobody can be told.
    NotComparable,
    /// The person must answer to each of these: what was typed, and what the client sent.
    Compare { hints: Vec<LoginHint>, mismatch: Mismatch },
}

/// What [`check_return`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There was no hint.
    NoHint,
    Fits,
    /// Somebody else signed in: no session, no code, a page.
    Mismatch,
    /// The hint can't be compared: let through, and told in the trace.
    NotComparable,
    /// Somebody else signed in, and `mismatch = "allow"`: let through, and audited.
    AllowedMismatch,
}

impl Verdict {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoHint => "no_hint",
            Self::Fits => "fits",
            Self::Mismatch => "mismatch",
            Self::NotComparable => "not_comparable",
            Self::AllowedMismatch => "allowed_mismatch",
        }
    }
}

/// What [`check_session`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    /// There is no hint.
    NoHint,
    /// The hint names the session's user.
    Fits,
    /// The hint names somebody else.
    OtherPerson,
    /// The hint can't be compared and is no name of the session's user: the identity provider may know whose it is.
    NotComparable,
}

impl Reuse {
    /// Whether the session may answer: only if no hint was given, or one of its own user. Otherwise the person
    /// signs in anew; with prompt=none the answer is `login_required`.
    #[must_use]
    pub const fn is_reusable(self) -> bool {
        matches!(self, Self::NoHint | Self::Fits)
    }

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoHint => "no_hint",
            Self::Fits => "fits",
            Self::OtherPerson => "other_person",
            Self::NotComparable => "not_comparable",
        }
    }
}

impl Guard {
    /// The guard of a login that goes to a provider of `directory`. It holds whatever of the hint is sent on.
    pub(super) fn new(ask: &Ask<'_>, directory: Option<&Directory>, mismatch: Mismatch) -> Self {
        let given = ask.hints();
        let is_comparable = |hint: &&&LoginHint| directory.is_some_and(|d| domain::of_directory(d, hint).is_some());
        let hints: Vec<LoginHint> = given.iter().filter(is_comparable).map(|hint| (*hint).clone()).collect();
        Self(match (given.is_empty(), hints.is_empty()) {
            (true, _) => Check::Nobody,
            (false, true) => Check::NotComparable,
            (false, false) => Check::Compare { hints, mismatch },
        })
    }

    /// What happens if somebody else comes back; `None`: nothing is compared.
    #[must_use]
    pub const fn mismatch(&self) -> Option<Mismatch> {
        match self.0 {
            Check::Compare { mismatch, .. } => Some(mismatch),
            Check::Nobody | Check::NotComparable => None,
        }
    }
}

/// Compares the user who came back, called by the directory or by the provider's `claims` (`upn`,
/// `preferred_username`, `email`), with the hints that the login began with.
#[must_use]
pub fn check_return(guard: &Guard, returned: &User, claims: &Map<String, Value>) -> Verdict {
    let (hints, mismatch) = match &guard.0 {
        Check::Nobody => return Verdict::NoHint,
        Check::NotComparable => return Verdict::NotComparable,
        Check::Compare { hints, mismatch } => (hints, mismatch),
    };
    let claimed = ["upn", "preferred_username", "email"].iter().filter_map(|name| claims.get(*name)?.as_str());
    let names = names(returned, claimed);
    match mismatch {
        _ if hints.iter().all(|hint| is_named(&names, hint)) => Verdict::Fits,
        Mismatch::Reject => Verdict::Mismatch,
        Mismatch::Allow => Verdict::AllowedMismatch,
    }
}

/// Compares the hint with the user of a live session.
#[must_use]
pub fn check_session(ask: &Ask<'_>, user: &User) -> Reuse {
    let Some(hint) = ask.hint() else { return Reuse::NoHint };
    if is_named(&names(user, std::iter::empty()), hint) {
        return Reuse::Fits;
    }
    let own = ask.directories.get(&user.directory).map(AsRef::as_ref);
    let of_client = ask.idps.iter().filter_map(|idp| ask.directory(idp));
    if own.into_iter().chain(of_client).any(|directory| domain::of_directory(directory, hint).is_some()) {
        Reuse::OtherPerson
    } else {
        Reuse::NotComparable
    }
}

/// Everything by which the user may be called, comparable: by the directory, and as the provider `claimed`.
fn names<'n>(user: &User, claimed: impl Iterator<Item = &'n str>) -> Vec<String> {
    let of_user = user.identifiers();
    of_user.iter().map(|name| comparable_name(name)).chain(claimed.map(comparable_name)).collect()
}

fn is_named(names: &[String], hint: &LoginHint) -> bool {
    names.contains(&comparable_name(hint.as_str()))
}
