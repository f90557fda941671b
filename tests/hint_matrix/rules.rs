//! Home realm and what is sent upstream, rule by rule.

use vestibule::hint::{
    Ask, EntryPath, Lookup, Realm, Reason, Verdict, check_return, decide, explain, home_realm, wants_lookup,
};
use vestibule::oidc::idp::{DomainHint, Forward, HintForm};
use vestibule::oidc::{IdpId, Prompt};

use crate::fixtures::{
    ALICE, ALICE_EMAIL, ALICE_UPN, ALICE_UPSTREAM, ALICE_USER_NAME, Preset, World, alice, bob, hint, idp, user, way,
};

#[test]
fn the_home_realm_is_found_by_button_then_domain_parameter_then_suffix() {
    let world = World::new(Preset::Entra);
    let at_contoso = hint(ALICE);
    let at_fabrikam = hint("carol@Fabrikam.COM");
    let fabrikam = IdpId("fabrikam".to_owned());
    let none = world.ask();
    assert_eq!(way(&none), "page: contoso fabrikam");
    assert_eq!(way(&Ask { received: Some(&at_contoso), ..none }), "→ contoso");
    assert_eq!(way(&Ask { received: Some(&at_contoso), domain: Some("FABRIKAM.com"), ..none }), "→ fabrikam");
    assert_eq!(
        way(&Ask { domain: Some("fabrikam.com"), chosen: Some(&IdpId("contoso".to_owned())), ..none }),
        "→ contoso"
    );
    assert_eq!(way(&Ask { received: Some(&at_contoso), chosen: Some(&fabrikam), ..none }), "→ fabrikam");
    assert_eq!(way(&Ask { received: Some(&at_contoso), typed: Some(&at_fabrikam), ..none }), "→ fabrikam");
}

#[test]
fn with_one_identity_provider_left_no_page_asks() {
    let world = World::of(vec![idp("contoso", Preset::Okta, "contoso", &[])]);
    let foreign = hint("someone@elsewhere.test");
    assert_eq!(way(&world.ask()), "→ contoso");
    assert_eq!(way(&Ask { received: Some(&foreign), domain: Some("elsewhere.test"), ..world.ask() }), "→ contoso");
    assert_eq!(way(&World::of(vec![]).ask()), "none");
}

#[test]
fn the_domain_parameter_selects_the_directory_too() {
    let world = World::of(vec![
        idp("staff", Preset::Entra, "contoso", &["contoso.com"]),
        idp("partners", Preset::Oidc, "contoso", &[]),
        idp("fabrikam", Preset::Oidc, "fabrikam", &["fabrikam.com"]),
    ]);
    let by = |domain| way(&Ask { domain: Some(domain), ..world.ask() });
    assert_eq!(by("contoso.com"), "→ staff");
    assert_eq!(by("contoso.co.uk"), "page: staff partners");
    assert_eq!(by("fabrikam.com"), "→ fabrikam");
    assert_eq!(by(" "), "page: staff partners fabrikam");
    // Within the directory that the domain leaves, the hint's suffix still decides.
    let staff = hint(ALICE);
    let narrowed = Ask { domain: Some("contoso.co.uk"), received: Some(&staff), ..world.ask() };
    assert_eq!(way(&narrowed), "→ staff");
    let elsewhere = hint("carol@fabrikam.com");
    assert_eq!(way(&Ask { received: Some(&elsewhere), ..narrowed }), "page: staff partners");
}

#[test]
fn a147_a148_only_exactly_one_at_sign_and_the_whole_domain_choose_a_home_realm() {
    let world = World::new(Preset::Entra);
    for text in [
        "a@evil.test@contoso.com",
        "\"a@b\"@contoso.com",
        "contoso.com",
        "@contoso.com",
        "alice@",
        "alice@contoso.com.evil.test",
        "alice@evilcontoso.com",
        "alice@cont\u{43e}so.com",
        "alice\u{ff20}contoso.com",
        "alice@conto\u{200d}so.com",
        "alice@\u{ff43}ontoso.com",
        "alice@contoso.com ",
    ] {
        let odd = hint(text);
        let ask = Ask { received: Some(&odd), ..world.ask() };
        assert_eq!(way(&ask), "page: contoso fabrikam", "{text}");
        let decision = world.decide(&ask);
        assert_eq!(decision.login_hint(), Some(text), "forwarded as received");
        assert_eq!(decision.domain_hint(), None, "{text}");
    }
}

#[test]
fn a156_what_the_client_may_not_use_is_never_routed_to() {
    let world = World::new(Preset::Entra);
    let ours = hint(ALICE);
    let contoso = IdpId("contoso".to_owned());
    let fabrikam_only = &world.idps[1..];
    let by_hint = Ask { idps: fabrikam_only, received: Some(&ours), ..world.ask() };
    assert_eq!(way(&by_hint), "→ fabrikam");
    assert_eq!(way(&Ask { domain: Some("contoso.com"), ..by_hint }), "→ fabrikam");
    assert_eq!(way(&Ask { chosen: Some(&contoso), ..by_hint }), "none");
}

#[test]
fn a157_unknown_and_foreign_domains_look_alike() {
    // litware.com is a directory here, but not of this client; nowhere.test is nobody's.
    let world = World::new(Preset::Entra);
    let (foreign, unknown) = (hint("x@litware.com"), hint("x@nowhere.test"));
    let look = |h, domain| {
        let ask = Ask { received: h, domain, ..world.ask() };
        format!("{:?} {:?} {:?}", home_realm(&ask).reasons(), way(&ask), ask.known_domain())
    };
    assert_eq!(look(Some(&foreign), None), look(Some(&unknown), None));
    assert_eq!(look(None, Some("litware.com")), look(None, Some("nowhere.test")));
}

#[test]
fn a158_a_hint_never_becomes_a_target() {
    let world = World::new(Preset::Entra).with_policy(|p| p.domain_hint = DomainHint::Auto);
    for text in ["https://evil.test", "https://evil.test@contoso.com", "//evil.test/@CONTOSO.com"] {
        let odd = hint(text);
        let ask = Ask { received: Some(&odd), domain: Some("https://evil.test"), ..world.ask() };
        let sent = world.decide(&ask).domain_hint().map(str::to_owned);
        assert!(sent.is_none() || sent.as_deref() == Some("contoso.com"), "only text from our files: {sent:?}");
    }
}

#[test]
fn a160_hints_of_a_client_that_may_not_send_any_do_nothing_at_all() {
    let world = World::new(Preset::Entra);
    let ours = hint(ALICE);
    let ask = Ask { received: Some(&ours), accept_hints: false, ..world.ask() };
    assert_eq!(way(&ask), "page: contoso fabrikam");
    let decision = world.decide(&ask);
    assert_eq!((decision.login_hint(), decision.domain_hint()), (None, None));
    assert_eq!(decision.guard().mismatch(), None);
    assert!(decision.reasons().contains(&Reason::ClientHintsOff));
    // What the person types is not the client's.
    let typed = Ask { typed: Some(&ours), ..ask };
    assert_eq!(way(&typed), "→ contoso");
    assert_eq!(world.decide(&typed).login_hint(), Some(ALICE));
}

#[test]
fn a143_a_hint_goes_on_byte_for_byte() {
    for text in
        ["a&prompt=none#x", "%26client_id=", "a;b", "a+b@contoso.com", "bob_live.com#EXT#@contoso.com", " ä ", "√"]
    {
        for preset in Preset::ALL {
            let world = World::new(preset);
            let odd = hint(text);
            let decision = world.decide(&Ask { received: Some(&odd), ..world.ask() });
            assert_eq!(decision.login_hint(), Some(text));
        }
    }
}

#[test]
fn a149_no_hint_means_no_parameter() {
    for preset in Preset::ALL {
        let world = World::new(preset).with_policy(|p| p.as_ = HintForm::UserName);
        let decision = world.decide(&world.ask());
        assert_eq!((decision.login_hint(), decision.domain_hint(), decision.prompt()), (None, None, None));
        assert_eq!(decision.reasons(), [Reason::NoHint]);
        // A known person whose userName is blank is hinted at as received, never by an empty text.
        let received = hint(ALICE);
        let ask = Ask { received: Some(&received), ..world.ask() };
        let blank = user("blank", serde_json::json!({ "userName": "  " }));
        let known = Lookup::Known { user: &blank, upstream_hint: Some("") };
        assert_eq!(decide(&world.idps[0], &ask, known).login_hint(), Some(ALICE));
    }
}

#[test]
fn a154_select_account_and_a_hint_never_conflict() {
    let received = hint(ALICE);
    let sent = |preset, prompt| {
        let world = World::new(preset);
        let decision = world.decide(&Ask { received: Some(&received), prompt, ..world.ask() });
        (decision.login_hint().is_some(), decision.prompt(), decision.reasons().to_vec())
    };
    let (hinted, prompt, reasons) = sent(Preset::Entra, Prompt::SelectAccount);
    assert_eq!((hinted, prompt), (false, Some("select_account")));
    assert!(reasons.contains(&Reason::SelectAccountDropsHint));
    let (hinted, prompt, reasons) = sent(Preset::Okta, Prompt::SelectAccount);
    assert_eq!((hinted, prompt), (true, Some("login")));
    assert!(reasons.contains(&Reason::SelectAccountAsLogin));
    let (hinted, prompt, _) = sent(Preset::Oidc, Prompt::SelectAccount);
    assert_eq!((hinted, prompt), (true, Some("select_account")));
    for preset in Preset::ALL {
        assert_eq!(sent(preset, Prompt::Login).1, Some("login"));
        assert_eq!(sent(preset, Prompt::None).1, Some("none"));
        assert_eq!(sent(preset, Prompt::Absent).1, None);
    }
}

#[test]
fn a154_a_static_select_account_is_adapted_as_well() {
    let received = hint(ALICE);
    let sent = |preset, prompt| {
        let mut contoso = idp("contoso", preset, "contoso", &["contoso.com"]);
        contoso.authorize_params.insert("prompt".to_owned(), "select_account".to_owned());
        let world = World::of(vec![contoso]);
        let decision = world.decide(&Ask { received: Some(&received), prompt, ..world.ask() });
        (decision.login_hint().is_some(), decision.prompt())
    };
    assert_eq!(sent(Preset::Entra, Prompt::Absent), (false, Some("select_account")));
    assert_eq!(sent(Preset::Okta, Prompt::Absent), (true, Some("login")));
    // The client's own prompt wins.
    assert_eq!(sent(Preset::Entra, Prompt::Login), (true, Some("login")));
}

#[test]
fn the_directory_is_asked_only_if_the_policy_makes_a_difference() {
    let received = hint(ALICE);
    for preset in Preset::ALL {
        for (forward, as_, wanted) in [
            (Forward::Always, HintForm::Received, false),
            (Forward::Always, HintForm::Email, true),
            (Forward::Known, HintForm::Received, true),
            (Forward::Known, HintForm::Upstream, true),
            (Forward::Never, HintForm::Email, false),
        ] {
            let world = World::new(preset).with_policy(|p| (p.forward, p.as_) = (forward, as_));
            let ask = Ask { received: Some(&received), ..world.ask() };
            let key = wants_lookup(&world.idps[0], &ask);
            assert_eq!(key.is_some(), wanted, "{forward:?} {as_:?}");
            if let Some(key) = key {
                assert_eq!((key.directory.as_str(), key.hint.as_str()), ("contoso", ALICE));
                assert!(!format!("{key:?}").contains("alice"));
            }
            assert!(wants_lookup(&world.idps[0], &world.ask()).is_none(), "no hint, no question");
        }
    }
}

#[test]
fn a_known_person_is_hinted_at_in_the_form_that_the_provider_wants() {
    let (received, alice) = (hint(ALICE), alice());
    for (as_, sent) in [
        (HintForm::Received, ALICE),
        (HintForm::UserName, ALICE_USER_NAME),
        (HintForm::UserPrincipalName, ALICE_UPN),
        (HintForm::Email, ALICE_EMAIL),
        (HintForm::Upstream, ALICE_UPSTREAM),
    ] {
        for forward in [Forward::Always, Forward::Known] {
            let world = World::new(Preset::Entra).with_policy(|p| (p.forward, p.as_) = (forward, as_));
            let ask = Ask { received: Some(&received), ..world.ask() };
            let known = Lookup::Known { user: &alice, upstream_hint: Some(ALICE_UPSTREAM) };
            assert_eq!(decide(&world.idps[0], &ask, known).login_hint(), Some(sent));
            let unknown = decide(&world.idps[0], &ask, Lookup::Unknown);
            assert_eq!(unknown.login_hint(), (forward == Forward::Always).then_some(ALICE));
        }
    }
}

#[test]
fn a151_with_the_defaults_nothing_depends_on_who_is_known() {
    let received = hint(ALICE);
    let alice = alice();
    for preset in Preset::ALL {
        let world = World::new(preset);
        for prompt in [Prompt::Absent, Prompt::None, Prompt::Login, Prompt::SelectAccount] {
            let ask = Ask { received: Some(&received), prompt, ..world.ask() };
            assert!(wants_lookup(&world.idps[0], &ask).is_none());
            let known = Lookup::Known { user: &alice, upstream_hint: Some(ALICE_UPSTREAM) };
            let all = [known, Lookup::Unknown, Lookup::NotAsked].map(|k| decide(&world.idps[0], &ask, k));
            for decision in &all {
                assert_eq!(format!("{decision:?}"), format!("{:?}", all[0]));
                assert_eq!(decision.login_hint(), all[0].login_hint());
            }
        }
    }
}

#[test]
fn domain_hint_is_sent_for_our_domains_only() {
    let sent = |domain_hint: DomainHint, text: &str| {
        let world = World::new(Preset::Entra).with_policy(|p| p.domain_hint = domain_hint);
        let received = hint(text);
        world.decide(&Ask { received: Some(&received), ..world.ask() }).domain_hint().map(str::to_owned)
    };
    assert_eq!(sent(DomainHint::Auto, "alice@CONTOSO.com").as_deref(), Some("contoso.com"));
    assert_eq!(sent(DomainHint::Auto, "alice@contoso.co.uk"), None, "of the directory, but not of this provider");
    assert_eq!(sent(DomainHint::Auto, "alice@elsewhere.test"), None);
    assert_eq!(sent(DomainHint::Never, ALICE), None);
    assert_eq!(sent(DomainHint::Fixed("organizations".to_owned()), "alice").as_deref(), Some("organizations"));
    assert_eq!(sent(DomainHint::Fixed(" ".to_owned()), "alice"), None);
}

#[test]
fn a155_the_entry_path_changes_no_decision() {
    let received = hint(ALICE);
    for preset in Preset::ALL {
        for prompt in [Prompt::Absent, Prompt::None, Prompt::Login, Prompt::SelectAccount] {
            let world = World::new(preset);
            let on = |path| {
                let decision = world.decide(&Ask { path, received: Some(&received), prompt, ..world.ask() });
                format!("{decision:?} {:?}", decision.login_hint())
            };
            for path in [
                EntryPath::Post,
                EntryPath::Alias,
                EntryPath::Pushed,
                EntryPath::Initiate,
                EntryPath::WorkEmail,
                EntryPath::ProviderButton,
                EntryPath::Explain,
            ] {
                assert_eq!(on(path), on(EntryPath::Get), "{path:?}");
            }
        }
    }
}

#[test]
fn signing_in_again_asks_for_the_person_that_the_client_hinted_at() {
    let (received, typed) = (hint(ALICE), hint("bob@contoso.com"));
    for preset in Preset::ALL {
        for prompt in [Prompt::Absent, Prompt::Login, Prompt::SelectAccount] {
            let world = World::new(preset);
            let before = Ask { received: Some(&received), typed: Some(&typed), prompt, ..world.ask() };
            assert_eq!(before.hint(), Some(&typed));
            let again = world.decide(&Ask { path: EntryPath::SignInAgain, ..before });
            assert_eq!((again.login_hint(), again.prompt()), (Some(ALICE), Some("login")));
            assert_eq!(check_return(again.guard(), &alice(), &serde_json::Map::new()), Verdict::Fits);
            assert_eq!(check_return(again.guard(), &bob(), &serde_json::Map::new()), Verdict::Mismatch);
            // A received hint that can't be compared gives way to the typed one.
            let opaque = hint("alice");
            let again = Ask { path: EntryPath::SignInAgain, received: Some(&opaque), ..before };
            assert_eq!(world.decide(&again).login_hint(), Some("bob@contoso.com"));
        }
    }
}

#[test]
fn reasons_are_told_without_the_hint() {
    let world = World::new(Preset::Entra);
    let received = hint("secret.name@contoso.com");
    let ask = Ask { received: Some(&received), ..world.ask() };
    let (realm, decision) = (home_realm(&ask), world.decide(&ask));
    for text in [format!("{decision:?}"), format!("{:?}", decision.guard())] {
        assert!(!text.contains("secret.name"), "{text}");
    }
    let lines = explain(&realm, Some(&decision));
    assert_eq!(lines[0], "identity provider: contoso (contoso)");
    assert!(lines.contains(&"login_hint: secret.name@contoso.com".to_owned()));
    for reason in realm.reasons().iter().chain(decision.reasons()) {
        assert!(lines.iter().any(|line| line.contains(reason.sentence())), "{reason:?}");
        assert!(!reason.sentence().contains("secret"));
    }
    let page = explain(&home_realm(&world.ask()), None);
    assert_eq!(page[0], "identity provider: a page asks for the work email or offers contoso, fabrikam");
    assert!(matches!(home_realm(&world.ask()), Realm::Choose { .. }));
}

#[test]
fn every_reason_has_an_id_of_its_own_that_is_also_its_stored_form() {
    let mut ids: Vec<&str> = Reason::ALL.iter().map(|reason| reason.id()).collect();
    for reason in Reason::ALL {
        assert_eq!(serde_json::to_value(reason).expect("serialises"), reason.id());
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), Reason::ALL.len());
}
