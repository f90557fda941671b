//! Every rule on every path (A178): something that was right when it was issued, and a rule broken since. The cells are
//! generated from the two lists, so that a path which forgets to ask fails for each rule that it forgets.

#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "shared by several test programs")]
mod support;

mod expected;
mod outcome;
mod paths;
mod rules;
mod world;

use expected::{Expected, expected};
use paths::{Outcome, Path};
use rules::Rule;
use world::World;

#[track_caller]
fn cell(path: Path, rule: Rule) {
    let Some(expected) = expected(path, rule) else { return };
    let world = World::new(path);
    let mut prepared = path.prepare(&world);
    let before = (world.upstream_logins(), world.redeemed(), world.upstream_sign_outs());
    rule.break_it(&world, &prepared);
    let outcome = path.take(&world, &mut prepared);
    let anew = world.upstream_logins() > before.0;
    match (expected, &outcome) {
        (Expected::Error(code), Outcome::Error(error)) => assert_eq!(error, code),
        (Expected::Page, Outcome::Page(status)) => assert!((400..500).contains(status), "{status}"),
        (Expected::Inactive, Outcome::Inactive)
        | (Expected::Unlinked, Outcome::Unlinked)
        | (Expected::Told, Outcome::Told)
        | (Expected::Holds, Outcome::Held(_)) => {}
        (Expected::ToldHere, Outcome::Told) => assert_eq!(world.upstream_sign_outs(), before.2, "nobody is sent there"),
        (Expected::SignedInAnew, Outcome::Held(_)) => assert!(anew || path.ends_upstream(), "the old session answered"),
        (Expected::WithoutScope, Outcome::Held(scope)) => {
            let removed = ["email", "READ_ONLY_TENANT_ADMIN"];
            assert!(!scope.iter().any(|scope| removed.contains(&scope.as_str())), "{scope:?}");
        }
        (expected, outcome) => panic!("expected {expected:?}, and it came to {outcome:?}"),
    }
    if rule.is_seen_at_once() {
        assert_eq!((world.upstream_logins(), world.redeemed()), (before.0, before.1), "the provider isn't even asked");
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
            SignedOut a178_the_session_was_signed_out,
            Revoked a178_it_was_revoked,
            ScopeRemoved a178_a_scope_is_no_longer_in_the_file,
            GrantRemoved a178_the_client_has_the_grant_no_longer,
            KindRemoved a178_the_client_has_refresh_tokens_of_this_kind_no_longer,
            UriRemoved a178_the_client_has_the_redirect_uri_no_longer,
        );
    })* };
    (@rules $path:ident: $($rule:ident $test:ident),* $(,)?) => { $(
        #[test]
        fn $test() {
            cell(Path::$path, Rule::$rule);
        }
    )* };
}

matrix! {
    Authorize: at_authorize,
    Posted: at_authorize_by_post,
    FormPost: answered_by_form_post,
    Chosen: when_the_page_is_answered,
    Callback: at_the_callback,
    SignInAgain: when_somebody_else_signed_in,
    Initiated: at_an_initiated_login,
    InitiatedAtClient: at_an_initiated_login_of_a_client,
    InitiatedCallback: at_the_callback_of_an_initiated_login,
    InitiatedAgain: when_somebody_else_signed_in_without_a_client,
    Front: at_our_front_page,
    Reuse: when_a_session_is_reused,
    Silent: at_prompt_none,
    Code: at_a_code,
    Refresh: at_a_refresh,
    BoundRefresh: at_a_refresh_bound_to_the_session,
    Userinfo: at_userinfo,
    SignedUserinfo: at_userinfo_with_a_signed_token,
    Introspection: at_introspection,
    SignedIntrospection: at_introspection_of_a_signed_token,
    RefreshIntrospection: at_introspection_of_a_refresh_token,
    MachineIntrospection: at_introspection_of_a_program,
    MachineUserinfo: at_userinfo_for_a_program,
    OwnName: in_the_name_of_a_program,
    Push: when_a_request_is_pushed,
    Pushed: with_a_pushed_request,
    PushedReuse: with_a_pushed_request_and_a_session,
    SignOut: at_sign_out,
}

/// Without a broken rule every path leads somewhere: otherwise the cells above would prove nothing.
#[test]
fn every_path_is_open_while_every_rule_holds() {
    for path in Path::ALL.iter().copied() {
        let world = World::new(path);
        let mut prepared = path.prepare(&world);
        let outcome = path.take(&world, &mut prepared);
        let Outcome::Held(scope) = outcome else { panic!("{path:?} comes to {outcome:?}") };
        let has = |name: &str| scope.iter().any(|scope| scope == name);
        assert!(!path.has_scopes() || has("email") || has("READ_ONLY_TENANT_ADMIN"), "{path:?}: {scope:?}");
    }
}
