//! What holds for any text and any policy.

use proptest::option;
use proptest::prelude::*;
use vestibule::base::text::LoginHint;
use vestibule::hint::{
    Ask, EntryPath, Lookup, Realm, check_return, check_session, decide, explain, home_realm, wants_lookup,
};
use vestibule::oidc::idp::{DomainHint, Forward, HintForm, HintPolicy, Mismatch};
use vestibule::oidc::{IdpId, Prompt};

use crate::fixtures::{ALICE_UPSTREAM, Preset, World, alice, bob};

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a-z.+#%&;= ]{0,12}@(contoso|fabrikam|litware|nowhere)\\.com",
        "\\PC{0,8}@\\PC{0,8}",
        "[@aA\u{43e}\u{200d}\u{ff20}.]{0,6}",
        Just("alice@contoso.com".to_owned()),
    ]
}

fn given_hint() -> impl Strategy<Value = Option<LoginHint>> {
    text().prop_map(|text| LoginHint::parse(&text).ok().flatten())
}

fn policy() -> impl Strategy<Value = HintPolicy> {
    let forward = prop_oneof![Just(Forward::Always), Just(Forward::Known), Just(Forward::Never)];
    let as_ = prop_oneof![
        Just(HintForm::Received),
        Just(HintForm::UserName),
        Just(HintForm::UserPrincipalName),
        Just(HintForm::Email),
        Just(HintForm::Upstream)
    ];
    let domain_hint = prop_oneof![Just(DomainHint::Auto), Just(DomainHint::Never), text().prop_map(DomainHint::Fixed)];
    let mismatch = prop_oneof![Just(Mismatch::Reject), Just(Mismatch::Allow)];
    (forward, as_, domain_hint, mismatch).prop_map(|(forward, as_, domain_hint, mismatch)| HintPolicy {
        forward,
        as_,
        domain_hint,
        mismatch,
    })
}

fn prompt() -> impl Strategy<Value = Prompt> {
    prop_oneof![Just(Prompt::Absent), Just(Prompt::None), Just(Prompt::Login), Just(Prompt::SelectAccount)]
}

fn path() -> impl Strategy<Value = EntryPath> {
    prop_oneof![
        Just(EntryPath::Get),
        Just(EntryPath::Post),
        Just(EntryPath::Initiate),
        Just(EntryPath::WorkEmail),
        Just(EntryPath::ProviderButton),
        Just(EntryPath::SignInAgain)
    ]
}

fn preset() -> impl Strategy<Value = Preset> {
    prop_oneof![Just(Preset::Entra), Just(Preset::Okta), Just(Preset::Oidc)]
}

#[derive(Clone, Debug)]
struct Case {
    preset: Preset,
    policy: HintPolicy,
    static_prompt: Option<String>,
    path: EntryPath,
    received: Option<LoginHint>,
    typed: Option<LoginHint>,
    accept_hints: bool,
    domain: Option<String>,
    prompt: Prompt,
    chosen: Option<IdpId>,
    knows: u8,
    upstream_hint: Option<String>,
}

fn case() -> impl Strategy<Value = Case> {
    let chosen = option::weighted(0.2, prop_oneof!["contoso", "fabrikam", "litware"].prop_map(IdpId));
    let static_prompt = option::weighted(0.3, prop_oneof!["login", "select_account", "consent", "\\PC{0,5}"]);
    let provider = (preset(), policy(), static_prompt, option::of(text()));
    let request = (path(), given_hint(), given_hint(), any::<bool>(), option::of(text()), prompt(), chosen, 0..3_u8);
    (provider, request).prop_map(|((preset, policy, static_prompt, upstream_hint), request)| {
        let (path, received, typed, accept_hints, domain, prompt, chosen, knows) = request;
        Case {
            preset,
            policy,
            static_prompt,
            path,
            received,
            typed,
            accept_hints,
            domain,
            prompt,
            chosen,
            knows,
            upstream_hint,
        }
    })
}

impl Case {
    fn world(&self) -> World {
        let mut world = World::new(self.preset).with_policy(|p| *p = self.policy.clone());
        if let Some(prompt) = &self.static_prompt {
            let first = std::sync::Arc::make_mut(&mut world.idps[0]);
            first.authorize_params.insert("prompt".to_owned(), prompt.clone());
        }
        world
    }

    fn ask<'a>(&'a self, world: &'a World) -> Ask<'a> {
        Ask {
            path: self.path,
            received: self.received.as_ref(),
            typed: self.typed.as_ref(),
            accept_hints: self.accept_hints,
            domain: self.domain.as_deref(),
            prompt: self.prompt,
            chosen: self.chosen.as_ref(),
            ..world.ask()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn no_text_breaks_a_decision_and_providers_get_only_what_they_take(case in case()) {
        let world = case.world();
        let ask = case.ask(&world);
        let (alice, bob) = (alice(), bob());
        let known = match case.knows {
            0 => Lookup::NotAsked,
            1 => Lookup::Unknown,
            _ => Lookup::Known { user: &alice, upstream_hint: case.upstream_hint.as_deref() },
        };
        let realm = home_realm(&ask);
        if let Realm::Idp { idp, .. } = &realm {
            prop_assert!(world.idps.iter().any(|own| own.id == idp.id));
        }
        let decision = decide(&world.idps[0], &ask, known);
        let _ = (wants_lookup(&world.idps[0], &ask), explain(&realm, Some(&decision)), check_session(&ask, &bob));
        let _ = check_return(decision.guard(), &bob, &serde_json::Map::new());
        // A149: never an empty one.
        for sent in [decision.login_hint(), decision.domain_hint(), decision.prompt()].into_iter().flatten() {
            prop_assert!(!sent.trim().is_empty());
        }
        // A154.
        let chooses = decision.prompt() == Some("select_account");
        prop_assert!(!(case.preset == Preset::Entra && chooses && decision.login_hint().is_some()));
        prop_assert!(!(case.preset == Preset::Okta && chooses));
        // No hint, nothing of one: and nobody who isn't known is made up.
        if ask.hint().is_none() {
            prop_assert!(decision.login_hint().is_none() && decision.guard().mismatch().is_none());
        }
        if case.policy.forward == Forward::Never || (case.policy.forward == Forward::Known && case.knows < 2) {
            prop_assert_eq!(decision.login_hint(), None);
        }
    }

    #[test]
    fn a143_with_the_defaults_any_hint_arrives_byte_for_byte(
        preset in preset(), path in path(), text in any::<String>(), prompt in prompt(),
    ) {
        let Ok(Some(received)) = LoginHint::parse(&text) else { return Ok(()) };
        let world = World::new(preset);
        let decision = world.decide(&Ask { path, received: Some(&received), prompt, ..world.ask() });
        let dropped = preset == Preset::Entra && prompt == Prompt::SelectAccount && path != EntryPath::SignInAgain;
        prop_assert_eq!(decision.login_hint(), (!dropped).then_some(text.as_str()));
    }

    #[test]
    fn a151_with_the_defaults_no_answer_tells_who_is_known(preset in preset(), text in text(), prompt in prompt()) {
        let Ok(Some(received)) = LoginHint::parse(&text) else { return Ok(()) };
        let world = World::new(preset);
        let alice = alice();
        let ask = Ask { received: Some(&received), prompt, ..world.ask() };
        prop_assert!(wants_lookup(&world.idps[0], &ask).is_none());
        let known = Lookup::Known { user: &alice, upstream_hint: Some(ALICE_UPSTREAM) };
        let sent = |lookup| {
            let decision = decide(&world.idps[0], &ask, lookup);
            (decision.login_hint().map(str::to_owned), decision.domain_hint().map(str::to_owned), decision.prompt())
        };
        prop_assert_eq!(sent(known), sent(Lookup::Unknown));
    }

    #[test]
    fn a147_a_domain_with_another_character_routes_nowhere(
        at in 0..11_usize, other in any::<char>(), insert in any::<bool>(),
    ) {
        let mut domain: Vec<char> = "contoso.com".chars().collect();
        if insert { domain.insert(at, other) } else { domain[at] = other }
        let domain: String = domain.into_iter().collect();
        let world = World::new(Preset::Oidc);
        let Ok(Some(received)) = LoginHint::parse(&format!("x@{domain}")) else { return Ok(()) };
        let is_ours = domain.eq_ignore_ascii_case("contoso.com");
        let realm = home_realm(&Ask { received: Some(&received), ..world.ask() });
        prop_assert_eq!(matches!(realm, Realm::Idp { .. }), is_ours);
    }
}
