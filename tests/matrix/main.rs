//! Every rule on every path (A178): something that was right when it was issued, and a rule broken since. The cells are
//! generated from the two lists, so that a path which forgets to ask fails for each rule that it forgets.

#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "shared by several test programs")]
mod support;

mod paths;
mod rules;
mod world;

use paths::{Outcome, Path};
use rules::Rule;
use world::World;

/// What a cell must come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
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
}

/// The whole table. No cell falls through: a new rule or path doesn't compile without its expectation.
fn expected(path: Path, rule: Rule) -> Expected {
    use Expected::{Error, Inactive, Page, SignedInAnew, WithoutScope};
    match (path, rule) {
        (_, Rule::ScopeRemoved) => WithoutScope,
        // The client is asked for first of all.
        (Path::Code | Path::Refresh | Path::Introspection | Path::SignedIntrospection, Rule::ClientDisabled) => {
            Error("invalid_client")
        }
        (Path::Userinfo | Path::SignedUserinfo, _) => Error("invalid_token"),
        (Path::Introspection | Path::SignedIntrospection, _) => Inactive,
        (Path::Code | Path::Refresh, _) => Error("invalid_grant"),
        (_, Rule::ClientDisabled) => Page,
        (Path::Silent, _) => Error("login_required"),
        (
            Path::Authorize | Path::Callback | Path::Initiated | Path::Reuse | Path::Pushed | Path::PushedReuse,
            Rule::SessionsEnded,
        ) => SignedInAnew,
        (Path::Callback | Path::Initiated, _) => Page,
        (
            Path::Authorize | Path::Reuse | Path::Pushed | Path::PushedReuse,
            Rule::IdpDisabled | Rule::IdpGone | Rule::IdpNotAllowed,
        ) => Error("access_denied"),
        // Who the person is comes out at the identity provider.
        (
            Path::Authorize | Path::Reuse | Path::Pushed | Path::PushedReuse,
            Rule::UserInactive | Rule::OtherDirectory | Rule::DirectoryGone,
        ) => Page,
    }
}

#[track_caller]
fn cell(path: Path, rule: Rule) {
    let world = World::new(path.token_kind());
    let mut prepared = path.prepare(&world);
    let before = world.upstream_logins();
    rule.break_it(&world, &prepared);
    let outcome = path.take(&world, &mut prepared);
    let anew = world.upstream_logins() > before;
    match (expected(path, rule), &outcome) {
        (Expected::Error(code), Outcome::Error(error)) => assert_eq!(error, code),
        (Expected::Page, Outcome::Page(status)) => assert!((400..500).contains(status), "{status}"),
        (Expected::Inactive, Outcome::Inactive) => {}
        (Expected::SignedInAnew, Outcome::Held(_)) => {
            assert!(anew || path == Path::Callback, "the old session answered");
        }
        (Expected::WithoutScope, Outcome::Held(scope)) => {
            assert!(!scope.iter().any(|scope| scope == "email"), "{scope:?}");
        }
        (expected, outcome) => panic!("expected {expected:?}, and it came to {outcome:?}"),
    }
}

/// One test for each rule on each path.
macro_rules! matrix {
    ($($path:ident: $name:ident),* $(,)?) => { $(mod $name {
        use super::{Path, Rule, cell};
        matrix!(@rules $path:
            IdpDisabled a178_the_identity_provider_is_switched_off,
            IdpGone a178_the_identity_provider_is_gone,
            IdpNotAllowed a178_the_client_may_not_use_the_identity_provider,
            ClientDisabled a178_the_client_is_switched_off,
            UserInactive a178_the_user_is_inactive,
            OtherDirectory a178_the_identity_provider_has_another_directory,
            DirectoryGone a178_the_directory_is_gone,
            SessionsEnded a178_all_that_was_issued_before_is_ended,
            ScopeRemoved a178_a_scope_is_no_longer_in_the_file,
        );
    })* };
    (@rules $path:ident: $($rule:ident $test:ident),* $(,)?) => { $(
        #[test]
        fn $test() {
            if Path::$path.is_concerned_by(Rule::$rule) {
                cell(Path::$path, Rule::$rule);
            }
        }
    )* };
}

matrix! {
    Authorize: at_authorize,
    Callback: at_the_callback,
    Initiated: at_an_initiated_login,
    Reuse: when_a_session_is_reused,
    Silent: at_prompt_none,
    Code: at_a_code,
    Refresh: at_a_refresh,
    Userinfo: at_userinfo,
    SignedUserinfo: at_userinfo_with_a_signed_token,
    Introspection: at_introspection,
    SignedIntrospection: at_introspection_of_a_signed_token,
    Pushed: with_a_pushed_request,
    PushedReuse: with_a_pushed_request_and_a_session,
}

/// Without a broken rule every path leads somewhere: otherwise the cells above would prove nothing.
#[test]
fn every_path_is_open_while_every_rule_holds() {
    for path in Path::ALL {
        let world = World::new(path.token_kind());
        let mut prepared = path.prepare(&world);
        let outcome = path.take(&world, &mut prepared);
        let Outcome::Held(scope) = outcome else { panic!("{path:?} comes to {outcome:?}") };
        assert!(path == Path::Initiated || scope.iter().any(|scope| scope == "email"), "{path:?}: {scope:?}");
    }
}
