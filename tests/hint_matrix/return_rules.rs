//! Who came back, and whose session it is, against who was hinted at.

use serde_json::{Map, Value, json};
use vestibule::hint::{Ask, EntryPath, Guard, Reuse, Verdict, check_return, check_session};
use vestibule::identity::User;
use vestibule::oidc::Prompt;
use vestibule::oidc::idp::{Forward, Mismatch};

use crate::fixtures::{ALICE, ALICE_EMAIL, ALICE_UPN, Preset, World, alice, bob, hint, idp};

fn claims(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

/// What is found when `user` comes back from a login hinted by `received`.
fn verdict(received: &str, user: &User, mismatch: Mismatch) -> Verdict {
    let world = World::new(Preset::Entra).with_policy(|p| p.mismatch = mismatch);
    let received = hint(received);
    let decision = world.decide(&Ask { received: Some(&received), ..world.ask() });
    check_return(decision.guard(), user, &Map::new())
}

#[test]
fn a152_somebody_else_than_hinted_is_rejected_or_audited() {
    assert_eq!(verdict(ALICE, &bob(), Mismatch::Reject), Verdict::Mismatch);
    assert_eq!(verdict(ALICE, &bob(), Mismatch::Allow), Verdict::AllowedMismatch);
    assert_eq!(verdict("nobody@contoso.co.uk", &alice(), Mismatch::Reject), Verdict::Mismatch);
    assert_eq!(verdict(ALICE, &alice(), Mismatch::Reject), Verdict::Fits);
    let world = World::new(Preset::Entra);
    assert_eq!(check_return(world.decide(&world.ask()).guard(), &bob(), &Map::new()), Verdict::NoHint);
}

#[test]
fn a152_the_guard_holds_whatever_of_the_hint_is_sent() {
    let received = hint(ALICE);
    for preset in Preset::ALL {
        for forward in [Forward::Always, Forward::Known, Forward::Never] {
            for prompt in [Prompt::Absent, Prompt::Login, Prompt::SelectAccount] {
                let world = World::new(preset).with_policy(|p| p.forward = forward);
                let decision = world.decide(&Ask { received: Some(&received), prompt, ..world.ask() });
                assert_eq!(check_return(decision.guard(), &bob(), &Map::new()), Verdict::Mismatch);
            }
        }
    }
}

#[test]
fn a152_hints_that_can_not_be_compared_are_let_through() {
    for text in ["alice", "alice@elsewhere.test", "a@b@contoso.com", "O.CiQwZmY", "alice@contoso.com.evil.test"] {
        assert_eq!(verdict(text, &bob(), Mismatch::Reject), Verdict::NotComparable, "{text}");
    }
}

#[test]
fn a152_a_typed_name_does_not_cover_the_one_that_the_client_sent() {
    let world = World::new(Preset::Entra);
    let (received, typed) = (hint(ALICE), hint("bob@contoso.com"));
    let decision = world.decide(&Ask { received: Some(&received), typed: Some(&typed), ..world.ask() });
    assert_eq!(decision.login_hint(), Some("bob@contoso.com"));
    for user in [alice(), bob()] {
        assert_eq!(check_return(decision.guard(), &user, &Map::new()), Verdict::Mismatch);
    }
    // Two names of one person are no contradiction.
    let typed = hint(ALICE_EMAIL);
    let decision = world.decide(&Ask { received: Some(&received), typed: Some(&typed), ..world.ask() });
    assert_eq!(check_return(decision.guard(), &alice(), &Map::new()), Verdict::Fits);
}

#[test]
fn a152_a_second_attempt_is_held_to_the_same_person() {
    let world = World::new(Preset::Entra);
    let (received, typed) = (hint(ALICE), hint("carol@contoso.com"));
    let opaque = hint("employee-4711");
    for (received, typed, again_as) in [
        (None, Some(&typed), "carol@contoso.com"),
        (Some(&received), None, ALICE),
        (Some(&received), Some(&typed), ALICE),
        (Some(&opaque), Some(&typed), "carol@contoso.com"),
    ] {
        let first = world.decide(&Ask { received, typed, ..world.ask() });
        assert_eq!(check_return(first.guard(), &bob(), &Map::new()), Verdict::Mismatch);
        let again = world.decide(&Ask { path: EntryPath::SignInAgain, received, typed, ..world.ask() });
        assert_eq!((again.login_hint(), again.prompt()), (Some(again_as), Some("login")));
        assert_eq!(check_return(again.guard(), &bob(), &Map::new()), Verdict::Mismatch);
    }
}

#[test]
fn a153_any_name_of_the_person_fits_in_any_case() {
    let mut alice = alice();
    alice.attributes.insert("userPrincipalName".to_owned(), json!("aarcher@contoso.com"));
    for name in [
        "ALICE@Contoso.COM",
        "a.archer@contoso.com",
        "alice.archer@contoso.co.uk",
        "AARCHER@contoso.com",
        "Alice.Miller@contoso.com",
    ] {
        assert_eq!(verdict(name, &alice, Mismatch::Reject), Verdict::Fits, "{name}");
    }
}

#[test]
fn a153_names_that_only_the_provider_knows_fit_too() {
    let world = World::new(Preset::Entra);
    let received = hint("Bobby@contoso.com");
    let decision = world.decide(&Ask { received: Some(&received), ..world.ask() });
    let with = |value| check_return(decision.guard(), &bob(), &claims(value));
    for claim in ["upn", "preferred_username", "email"] {
        assert_eq!(with(json!({ claim: "bobby@CONTOSO.com" })), Verdict::Fits, "{claim}");
        assert_eq!(with(json!({ claim: ["bobby@contoso.com"] })), Verdict::Mismatch, "{claim} must be a text");
    }
    assert_eq!(with(json!({ "name": "bobby@contoso.com", "sub": "bobby@contoso.com" })), Verdict::Mismatch);
}

#[test]
fn internationalised_domains_compare_in_either_writing() {
    let mut world = World::of(vec![idp("contoso", Preset::Oidc, "contoso", &["müller.example"])]);
    let directory = world.directories.get_mut("contoso").expect("there is one");
    std::sync::Arc::make_mut(directory).domains = vec!["müller.example".to_owned()];
    let mut user = bob();
    user.attributes.insert("userName".to_owned(), json!("bob@MÜLLER.example"));
    let received = hint("Bob@xn--mller-kva.example");
    let decision = world.decide(&Ask { received: Some(&received), ..world.ask() });
    assert_eq!(check_return(decision.guard(), &user, &Map::new()), Verdict::Fits);
    assert_eq!(check_return(decision.guard(), &alice(), &Map::new()), Verdict::Mismatch);
}

#[test]
fn the_guard_survives_being_stored() {
    let world = World::new(Preset::Entra);
    let received = hint(ALICE);
    let guard = world.decide(&Ask { received: Some(&received), ..world.ask() }).guard().clone();
    let stored = serde_json::to_string(&guard).expect("serialises");
    assert_eq!(serde_json::from_str::<Guard>(&stored).expect("reads"), guard);
}

#[test]
fn a142_a_session_answers_only_for_its_own_person() {
    let world = World::new(Preset::Entra);
    let reuse = |text: &str| {
        let received = hint(text);
        check_session(&Ask { received: Some(&received), ..world.ask() }, &alice())
    };
    assert_eq!(check_session(&world.ask(), &alice()), Reuse::NoHint);
    assert_eq!(reuse("ALICE@contoso.com"), Reuse::Fits);
    assert_eq!(reuse(ALICE_UPN), Reuse::Fits, "a name is a name, comparable or not");
    assert_eq!(reuse("bob@contoso.com"), Reuse::OtherPerson);
    assert_eq!(reuse("carol@fabrikam.com"), Reuse::OtherPerson, "of another directory of this client");
    for opaque in ["bob", "bob@elsewhere.test", "x@litware.com", "O.CiQwZmY", "a@b@contoso.com"] {
        assert_eq!(reuse(opaque), Reuse::NotComparable, "{opaque}");
    }
    let reusable = [Reuse::NoHint, Reuse::Fits, Reuse::OtherPerson, Reuse::NotComparable].map(Reuse::is_reusable);
    assert_eq!(reusable, [true, true, false, false]);
}

#[test]
fn a142_a_hint_that_is_not_accepted_bars_no_session() {
    let world = World::new(Preset::Entra);
    let received = hint("bob@contoso.com");
    let ask = Ask { received: Some(&received), accept_hints: false, ..world.ask() };
    assert_eq!(check_session(&ask, &alice()), Reuse::NoHint);
}
