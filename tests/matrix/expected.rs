//! The whole table: what each path comes to when each rule is broken.

use crate::paths::Path;
use crate::rules::Rule;

/// What a cell must come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// An OAuth error with this code.
    Error(&'static str),
    /// A page; nothing goes to the client.
    Page,
    /// `{"active": false}` and nothing else.
    Inactive,
    /// The old thing is worth nothing, but the person may sign in anew, and did.
    SignedInAnew,
    /// It holds, without the scope that is no longer in the file.
    WithoutScope,
    /// The rule has no say here: it holds.
    Holds,
    /// Our front page doesn't lead to the client.
    Unlinked,
    /// Signed out; our page says so, and nothing leads to the client.
    Told,
    /// The same, and nobody is sent to sign out at the provider.
    ToldHere,
}

/// No cell falls through: a new rule or path doesn't compile without its expectation. `None`: the rule is about
/// something that doesn't occur on this path.
pub fn expected(path: Path, rule: Rule) -> Option<Expected> {
    use Expected::{Error, Inactive, SignedInAnew, WithoutScope};
    if !is_concerned(path, rule) {
        return None;
    }
    Some(match (path, rule) {
        (_, Rule::ScopeRemoved) => WithoutScope,
        (Path::Push, Rule::UriRemoved) => Error("invalid_request"),
        (Path::SignOut, rule) => at_sign_out(rule),
        (Path::Front, _) => Expected::Unlinked,
        // `offline_access` outlives the session.
        (Path::Refresh | Path::RefreshIntrospection, Rule::SignedOut) => Expected::Holds,
        // The client is asked for first of all.
        (
            Path::Code
            | Path::Refresh
            | Path::BoundRefresh
            | Path::Introspection
            | Path::SignedIntrospection
            | Path::RefreshIntrospection
            | Path::MachineIntrospection
            | Path::OwnName
            | Path::Push,
            Rule::ClientDisabled,
        ) => Error("invalid_client"),
        (Path::OwnName | Path::Refresh | Path::BoundRefresh, Rule::GrantRemoved) => Error("unauthorized_client"),
        (Path::Userinfo | Path::SignedUserinfo | Path::MachineUserinfo, _) => Error("invalid_token"),
        (
            Path::Introspection
            | Path::SignedIntrospection
            | Path::RefreshIntrospection
            | Path::MachineIntrospection
            | Path::OwnName,
            _,
        ) => Inactive,
        (Path::Code | Path::Refresh | Path::BoundRefresh, _) => Error("invalid_grant"),
        (_, Rule::ClientDisabled | Rule::UriRemoved) => Expected::Page,
        (Path::Silent, _) => Error("login_required"),
        (_, Rule::SessionsEnded | Rule::SignedOut) => SignedInAnew,
        (path, rule) => on_the_way(path, rule),
    })
}

/// A sign-in that goes on by an identity provider.
fn on_the_way(path: Path, rule: Rule) -> Expected {
    match (path, rule) {
        (
            Path::Callback | Path::Initiated | Path::InitiatedAtClient | Path::InitiatedCallback | Path::InitiatedAgain,
            _,
        ) => Expected::Page,
        (_, Rule::IdpDisabled | Rule::IdpGone | Rule::IdpNotAllowed) => Expected::Error("access_denied"),
        // Who the person is comes out at the identity provider.
        _ => Expected::Page,
    }
}

/// Who may not use a session any more may still end it.
fn at_sign_out(rule: Rule) -> Expected {
    match rule {
        Rule::ClientDisabled => Expected::Told,
        Rule::IdpDisabled => Expected::ToldHere,
        _ => Expected::Holds,
    }
}

fn is_concerned(path: Path, rule: Rule) -> bool {
    match rule {
        Rule::ScopeRemoved => path.has_scopes(),
        Rule::ClientDisabled => path.has_client(),
        Rule::IdpNotAllowed => path.has_client() && path.has_person() && !path.is_of_browser_alone(),
        Rule::GrantRemoved => matches!(
            path,
            Path::Refresh
                | Path::BoundRefresh
                | Path::RefreshIntrospection
                | Path::MachineIntrospection
                | Path::MachineUserinfo
                | Path::OwnName
        ),
        Rule::UriRemoved => path.is_answered_by_redirect(),
        Rule::KindRemoved => matches!(path, Path::Refresh | Path::BoundRefresh | Path::RefreshIntrospection),
        Rule::Revoked => path.has_token(),
        Rule::SignedOut => path.has_session(),
        Rule::IdpDisabled | Rule::IdpGone => path.has_person(),
        Rule::UserInactive | Rule::OtherDirectory | Rule::DirectoryGone | Rule::SessionsEnded => {
            path.has_person() && path != Path::InitiatedAtClient
        }
    }
}
