//! The same matrix end to end: a browser goes each path, and what the provider is asked over HTTP is what the one
//! decision says. A path that skipped the decision, or made one of its own, would differ.

use std::collections::BTreeSet;

use serde_json::Map;
use vestibule::hint::{EntryPath, Verdict, check_return};
use vestibule::oidc::idp::{Forward, HintForm, Mismatch};

use crate::fixtures::{Preset, World, alice, bob};
use crate::paths::{Outcome, PATHS, Path, Session};
use crate::stage::{Returns, Stage, Walk};
use crate::support::client::{Client, Proof, query};
use crate::support::server::{REDIRECT_URI, block_on, wait_until};

/// The paths that exist over HTTP. A provider's button is only offered when the hint's domain chooses none.
fn paths() -> impl Iterator<Item = &'static Path> {
    PATHS
        .iter()
        .filter(|path| !(path.entry == EntryPath::ProviderButton && path.received == Some(crate::fixtures::ALICE)))
}

/// What the browser did is what the decision says.
#[track_caller]
fn assert_walk(path: &Path, walk: &Walk, expected: &Outcome) {
    let row = path.row;
    match expected {
        Outcome::Upstream(decision) => {
            let asked = walk.asked().unwrap_or_else(|| panic!("{row}: not sent upstream but to {}", walk.page.url));
            let decided = [decision.login_hint(), decision.domain_hint(), decision.prompt()];
            assert_eq!(asked, decided.map(|value| value.map(str::to_owned)), "{row}");
            walk.upstream.iter().for_each(|url| assert_protected(url));
        }
        Outcome::Reused => {
            assert!(walk.upstream.is_empty(), "{row}: sent upstream in spite of the session");
            assert!(walk.answer().contains_key("code"), "{row}: {:?}", walk.answer());
        }
        Outcome::LoginRequired => {
            assert!(walk.upstream.is_empty(), "{row}: sent upstream");
            assert_eq!(walk.answer().get("error").map(String::as_str), Some("login_required"), "{row}");
        }
        Outcome::Page => {
            assert!(walk.upstream.is_empty(), "{row}: sent upstream");
            assert_eq!(walk.page.status(), 200, "{row}");
            assert!(walk.page.forms().iter().any(|form| form.has("email") || form.has("idp")), "{row}");
        }
    }
}

/// A081: state, nonce and an S256 challenge; nothing twice.
#[track_caller]
fn assert_protected(url: &str) {
    let pairs: Vec<(String, String)> = url::Url::parse(url).expect("a URL").query_pairs().into_owned().collect();
    let names: BTreeSet<&String> = pairs.iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), pairs.len(), "a parameter stands twice: {names:?}");
    let params = query(url);
    let long = |name: &str| params.get(name).is_some_and(|value| value.len() >= 43);
    assert!(long("state") && long("nonce") && long("code_challenge"), "{names:?}");
    let secrets: BTreeSet<&String> = ["state", "nonce", "code_challenge"].iter().map(|name| &params[*name]).collect();
    assert_eq!(secrets.len(), 3, "each drawn for itself");
    assert_eq!(params["code_challenge_method"], "S256");
    assert_eq!(params["response_type"], "code");
    assert!(params["redirect_uri"].ends_with("/federation/auth/response/oauth2/contoso"));
    assert!(!params.contains_key("u") && !params.contains_key("domain"), "{names:?}");
}

/// Both people come back on every path, and are let in or not as the guard says.
fn who_comes_back(preset: Preset, mismatch: Mismatch) {
    let stage = Stage::new(preset, if mismatch == Mismatch::Allow { "mismatch = \"allow\"" } else { "" });
    stage.provision(&alice());
    stage.provision(&bob());
    let world = World::new(preset).with_policy(|p| p.mismatch = mismatch);
    for path in paths() {
        // The page from which one signs in again exists only where a mismatch is rejected.
        if mismatch == Mismatch::Allow && path.entry == EntryPath::SignInAgain {
            continue;
        }
        let expected = path.walk(&world, true);
        for (returns, user) in [(Returns::Alice, alice()), (Returns::Bob, bob())] {
            let walk = stage.walk(path, returns);
            assert_walk(path, &walk, &expected);
            let Outcome::Upstream(decision) = &expected else { continue };
            let verdict = check_return(decision.guard(), &user, &Map::new());
            assert_admission(&stage, path, &walk, verdict);
        }
    }
}

#[track_caller]
fn assert_admission(stage: &Stage, path: &Path, walk: &Walk, verdict: Verdict) {
    let row = path.row;
    let code = walk.answer().contains_key("code");
    if verdict == Verdict::Mismatch {
        assert!(!code, "a152 {row}: a code for somebody else");
        assert_eq!(walk.page.response().header("location"), None);
        if path.session == Session::None {
            assert!(!stage.is_signed_in(&walk.browser), "a152 {row}: a session for somebody else");
        }
        assert!(path.entry == EntryPath::Initiate || walk.is_mismatch_page(), "{row}: {}", walk.page.text());
        return;
    }
    assert!(stage.is_signed_in(&walk.browser), "{row}: {verdict:?}, and not signed in");
    assert!(code || path.entry == EntryPath::Initiate, "{row}: {verdict:?} and no code: {}", walk.page.url);
}

#[test]
fn a155_a152_on_every_path_entra_gets_what_is_decided_and_only_the_hinted_come_in() {
    who_comes_back(Preset::Entra, Mismatch::Reject);
}

#[test]
fn a155_a152_on_every_path_okta_gets_what_is_decided_and_only_the_hinted_come_in() {
    who_comes_back(Preset::Okta, Mismatch::Reject);
}

#[test]
fn a155_a152_on_every_path_any_provider_gets_what_is_decided_and_only_the_hinted_come_in() {
    who_comes_back(Preset::Oidc, Mismatch::Reject);
}

#[test]
fn a152_with_mismatch_allow_others_come_in_too() {
    who_comes_back(Preset::Oidc, Mismatch::Allow);
}

/// Every path under policies that translate or hold back, for somebody known and somebody unknown.
fn policies(preset: Preset) {
    for (forward, as_, settings) in [
        (Forward::Always, HintForm::UserName, "as = \"userName\""),
        (Forward::Always, HintForm::UserPrincipalName, "as = \"userPrincipalName\""),
        (Forward::Known, HintForm::Email, "forward = \"known\"\nas = \"email\""),
        (Forward::Always, HintForm::Upstream, "as = \"upstream\""),
        (Forward::Known, HintForm::Received, "forward = \"known\""),
        (Forward::Never, HintForm::UserName, "forward = \"never\"\nas = \"userName\""),
    ] {
        let world = World::new(preset).with_policy(|p| (p.forward, p.as_) = (forward, as_));
        for knows in [true, false] {
            let stage = Stage::new(preset, settings);
            stage.provision(&bob());
            if knows {
                stage.provision(&alice());
                // Her first sign-in tells what the provider itself calls her.
                stage.walk(&plain(), Returns::Alice);
            }
            for path in paths() {
                // Whoever has a session is known; and the opaque hint is nobody's in this directory.
                let can_be = knows || path.session != Session::Alice;
                let names_alice = path.received.into_iter().chain(path.typed).any(|hint| hint.contains('@'));
                if can_be {
                    let walk = stage.walk(path, Returns::Nobody);
                    assert_walk(path, &walk, &path.walk(&world, knows && names_alice));
                }
            }
        }
    }
}

#[test]
fn every_path_keeps_to_every_policy_at_entra() {
    policies(Preset::Entra);
}

#[test]
fn every_path_keeps_to_every_policy_at_okta() {
    policies(Preset::Okta);
}

#[test]
fn every_path_keeps_to_every_policy_at_any_provider() {
    policies(Preset::Oidc);
}

/// A plain request of a client with one provider, changed.
fn plain() -> Path {
    Path { idps: 1, ..*PATHS.iter().find(|path| path.entry == EntryPath::Get).expect("there is one") }
}

#[test]
fn a143_over_http_any_hint_arrives_byte_for_byte() {
    let stage = Stage::new(Preset::Oidc, "");
    for hint in [
        "a&prompt=none#x",
        "%26client_id=evil",
        "a;b=c",
        "a+b@contoso.com",
        "bob_live.com#EXT#@contoso.onmicrosoft.com",
        " ä \u{1F600} ",
        "a=b?c/d\\e\"'<>",
        "%",
        "+%2B+",
    ] {
        for entry in [EntryPath::Get, EntryPath::Post, EntryPath::Alias, EntryPath::Pushed, EntryPath::Initiate] {
            let path = Path { entry, received: Some(hint), ..plain() };
            let walk = stage.walk(&path, Returns::Nobody);
            assert_eq!(walk.asked(), Some([Some(hint.to_owned()), None, None]), "{entry:?}");
            walk.upstream.iter().for_each(|url| assert_protected(url));
        }
    }
}

#[test]
fn a149_over_http_blank_hints_are_no_parameter() {
    let stage = Stage::new(Preset::Entra, "");
    for hint in ["", " ", "\u{a0}\u{2003}"] {
        for entry in [EntryPath::Get, EntryPath::Post, EntryPath::Alias, EntryPath::Pushed, EntryPath::Initiate] {
            let walk = stage.walk(&Path { entry, received: Some(hint), ..plain() }, Returns::Nobody);
            assert_eq!(walk.asked(), Some([None, None, None]), "{entry:?}");
        }
    }
    // Nor is an older hint of the same browser used again.
    let mut browser = stage.server.browser();
    stage.returns(Returns::Nobody);
    browser.open(&stage.ask(&plain()).url());
    browser.open(&stage.ask(&Path { received: None, ..plain() }).url());
    let asked =
        browser.seen.iter().filter(|url| url.contains("/authorize?") && url.contains("redirect_uri=https%3A%2F%2Fid"));
    let hints: Vec<bool> = asked.map(|url| query(url).contains_key("login_hint")).collect();
    assert_eq!(hints, [true, false]);
}

#[test]
fn a144_a150_bad_hints_go_back_to_the_client_and_nothing_goes_upstream() {
    let stage = Stage::new(Preset::Oidc, "");
    let ask = || stage.client(&plain()).ask(&stage.server);
    let mut bad = vec![
        ask().and("login_hint", "a").and("login_hint", "a"),
        ask().and("u", "a").and("u", "a"),
        ask().and("login_hint", "a").and("u", "b"),
        ask().hint(&"x".repeat(513)),
    ];
    bad.extend(["a\rb", "a\nb", "a\0b", "a\u{7f}b", "a\u{2028}b", "a\u{85}b"].map(|hint| ask().hint(hint)));
    for ask in bad {
        let mut browser = stage.server.browser();
        assert_eq!(ask.run(&mut browser).error(), "invalid_request", "{:?}", ask.params);
        assert_eq!(stage.contoso.count("/authorize"), 0);
    }
    // Alike, they are one.
    stage.returns(Returns::Nobody);
    ask().and("login_hint", "a").and("u", "a").run(&mut stage.server.browser());
    assert_eq!(stage.contoso.count("/authorize"), 1);
    // Astral characters count once each.
    ask().hint(&"\u{1F600}".repeat(512)).run(&mut stage.server.browser());
    assert_eq!(stage.contoso.count("/authorize"), 2);
}

#[test]
fn a151_known_and_unknown_people_get_the_same_answer() {
    let stage = Stage::new(Preset::Entra, "");
    stage.provision(&alice());
    let look = |hint: &str| {
        let ask = stage.ask(&plain()).hint(hint);
        let answer = stage.server.browser().step(&ask.url());
        let names: BTreeSet<String> = answer.headers.iter().map(|(name, _)| name.to_lowercase()).collect();
        let mut params = query(answer.header("location").expect("sent upstream"));
        for drawn in ["state", "nonce", "code_challenge", "login_hint"] {
            params.remove(drawn).expect("it is there");
        }
        (answer.status, names, params, answer.body.len())
    };
    assert_eq!(look("alice@contoso.com"), look("nobody@contoso.com"));
}

#[test]
fn a157_over_http_unknown_and_foreign_domains_get_the_same_page() {
    let stage = Stage::new(Preset::Oidc, "");
    let two = Path { idps: 2, ..plain() };
    let look = |hint: &str, domain: &str| {
        let ask = stage.ask(&two).hint(hint).with("domain", domain);
        let page = stage.server.browser().open(&ask.url());
        let handle =
            page.form_with("handle").fields.iter().find(|(name, _)| name == "handle").expect("it has one").1.clone();
        (page.status(), page.text().replace(&handle, "HANDLE"))
    };
    assert_eq!(look("x@litware.com", "litware.com"), look("x@nowhere.test", "nowhere.test"));
}

#[test]
fn a156_over_http_nobody_is_sent_where_the_client_may_not_go() {
    let stage = Stage::new(Preset::Oidc, "");
    let walk = stage
        .walk(&Path { received: Some("carol@fabrikam.com"), domain: Some("fabrikam.com"), ..plain() }, Returns::Nobody);
    assert_eq!(walk.upstream.len(), 1, "to the client's own provider");
    // A form that was changed on the way: the button of a provider that wasn't offered.
    let two = Client::new("two", Proof::Public, REDIRECT_URI);
    let mut browser = stage.server.browser();
    let page = browser.open(&two.ask(&stage.server).url());
    let form = page.form_with("idp").press("idp", "litware");
    let end = browser.submit(&page, &form);
    assert!(end.url.starts_with(REDIRECT_URI), "back to the client: {}", end.url);
    assert_eq!(end.query().get("error").map(String::as_str), Some("access_denied"));
}

#[test]
fn a152_what_was_typed_is_remembered_when_somebody_signs_in_again() {
    let stage = Stage::new(Preset::Okta, "");
    stage.provision(&alice());
    stage.provision(&bob());
    let typed = *PATHS.iter().find(|path| path.entry == EntryPath::WorkEmail && path.received.is_none()).expect("one");
    let mut walk = stage.walk(&typed, Returns::Bob);
    for _ in 0..2 {
        assert!(walk.is_mismatch_page(), "{}", walk.page.url);
        let form = walk.page.form_with("action").press("action", "retry");
        walk.page = walk.browser.submit(&walk.page, &form);
        let again =
            query(walk.browser.seen.iter().rev().find(|url| url.contains("/authorize?")).expect("sent upstream"));
        assert_eq!(again.get("login_hint").map(String::as_str), typed.typed, "the typed hint again");
        assert_eq!(again.get("prompt").map(String::as_str), Some("login"));
    }
    assert!(walk.is_mismatch_page(), "never on as the other person");
}

#[test]
fn a161_the_trace_tells_the_reasons_of_the_decision_and_nothing_of_the_hint() {
    let stage = Stage::new(Preset::Entra, "");
    stage.provision(&alice());
    stage.provision(&bob());
    let path = Path { received: Some("Very.Secret.Name@contoso.com"), ..plain() };
    let walk = stage.walk(&path, Returns::Bob);
    assert!(walk.is_mismatch_page());
    let text = walk.page.text();
    assert!(!text.to_lowercase().contains("very.secret"), "the page doesn't name the other person either");
    let visible = text.split('<').filter_map(|piece| piece.split_once('>')).map(|(_, text)| text.trim());
    let reference = visible.into_iter().find(|word| word.len() == 22 && !word.contains(' ')).expect("a reference");
    let traces = &stage.server.running().ports().directory.traces;
    let found = || block_on(traces.trace(reference)).expect("the database works");
    wait_until("the trace is written", || found().is_some());
    let trace = serde_json::to_string(&found()).expect("serialises");
    let Outcome::Upstream(decision) = path.walk(&World::new(Preset::Entra), false) else { panic!("sent upstream") };
    let reasons: Vec<&str> = decision.reasons().iter().map(|reason| reason.id()).collect();
    assert!(trace.contains(&serde_json::to_string(&reasons).expect("serialises")), "{reasons:?} in {trace}");
    assert!(trace.contains("contoso.com") && !trace.to_lowercase().contains("very.secret"), "{trace}");
}
