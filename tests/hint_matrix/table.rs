//! The matrix, whole, as a table that a person can read: entry paths × policies × presets.
//!
//! It stands in `tests/golden/hint/matrix.md` and in `docs/login-hint.md`; `UPDATE_GOLDEN=1` writes both anew.

use std::fmt::Write as _;
use std::path::{Path as FilePath, PathBuf};

use serde_json::Map;
use vestibule::hint::{Decision, Reason, Verdict, check_return};
use vestibule::oidc::idp::{DomainHint, Forward, HintForm, Mismatch};

use crate::fixtures::{ALICE_EMAIL, ALICE_UPN, ALICE_UPSTREAM, ALICE_USER_NAME, Preset, World, alice, bob};
use crate::paths::{Outcome, PATHS, Path};

/// One policy, and whether the directory knows the hint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Policy {
    forward: Forward,
    as_: HintForm,
    knows: bool,
}

const FORWARDS: [(Forward, &str); 3] =
    [(Forward::Always, "always"), (Forward::Known, "known"), (Forward::Never, "never")];

const FORMS: [(HintForm, &str); 5] = [
    (HintForm::Received, "received"),
    (HintForm::UserName, "userName"),
    (HintForm::UserPrincipalName, "userPrincipalName"),
    (HintForm::Email, "email"),
    (HintForm::Upstream, "upstream"),
];

/// What happens at each of the presets, in their order.
type Cells = [String; 3];

fn cells(path: &Path, policy: Policy) -> Cells {
    Preset::ALL.map(|preset| {
        let world = World::new(preset).with_policy(|p| (p.forward, p.as_) = (policy.forward, policy.as_));
        match path.walk(&world, policy.knows) {
            Outcome::Reused => "the session is reused".to_owned(),
            Outcome::LoginRequired => "`login_required`".to_owned(),
            Outcome::Page => "our page asks".to_owned(),
            Outcome::Upstream(decision) => sent(path, policy, &decision),
        }
    })
}

fn sent(path: &Path, policy: Policy, decision: &Decision) -> String {
    let mut parts = Vec::new();
    if let Some(text) = decision.login_hint() {
        let translated = match policy.as_ {
            HintForm::Received => "",
            HintForm::UserName => ALICE_USER_NAME,
            HintForm::UserPrincipalName => ALICE_UPN,
            HintForm::Email => ALICE_EMAIL,
            HintForm::Upstream => ALICE_UPSTREAM,
        };
        let form = match text {
            _ if text == translated => "in that form",
            _ if path.typed == Some(text) => "as typed",
            _ if path.received == Some(text) => "as received",
            other => panic!("{other} is no form of the hint under {policy:?}"),
        };
        parts.push(format!("login_hint {form}"));
    }
    parts.extend(decision.domain_hint().map(|domain| format!("domain_hint={domain}")));
    parts.extend(decision.prompt().map(|prompt| format!("prompt={prompt}")));
    if parts.is_empty() { "nothing of it".to_owned() } else { parts.join(", ") }
}

/// Rows with equal keys are told once, in the order of the first.
fn grouped<T: Clone, K: PartialEq>(items: &[T], key: impl Fn(&T) -> K) -> Vec<(K, Vec<T>)> {
    let mut groups: Vec<(K, Vec<T>)> = Vec::new();
    for item in items {
        let key = key(item);
        match groups.iter_mut().find(|(of_group, _)| *of_group == key) {
            Some((_, members)) => members.push(item.clone()),
            None => groups.push((key, vec![item.clone()])),
        }
    }
    groups
}

fn policies() -> Vec<Policy> {
    let mut all = Vec::new();
    for (forward, _) in FORWARDS {
        for (as_, _) in FORMS {
            all.extend([true, false].map(|knows| Policy { forward, as_, knows }));
        }
    }
    all
}

/// A set of policies in words: `forward=always, as=received; forward=known, as=received, known`.
fn in_words(policies: &[Policy]) -> String {
    if policies.len() == FORWARDS.len() * FORMS.len() * 2 {
        return "any".to_owned();
    }
    let mut words = Vec::new();
    for (forward, forward_name) in FORWARDS {
        let has = |as_, knows| policies.contains(&Policy { forward, as_, knows });
        let count = policies.iter().filter(|policy| policy.forward == forward).count();
        let forms = |wanted: (bool, bool)| -> Vec<&str> {
            FORMS
                .iter()
                .filter(|(as_, _)| (has(*as_, true), has(*as_, false)) == wanted)
                .map(|(_, name)| *name)
                .collect()
        };
        let mut say = |forms: Vec<&str>, who: &str| match forms.len() {
            0 => {}
            5 => words.push(format!("forward={forward_name}{who}")),
            4 if !forms.contains(&"received") => words.push(format!("forward={forward_name}, as=another form{who}")),
            _ => words.push(format!("forward={forward_name}, as={}{who}", forms.join(" or "))),
        };
        if count > 0 {
            say(forms((true, true)), "");
            say(forms((true, false)), ", known person");
            say(forms((false, true)), ", unknown person");
        }
    }
    words.join("; ")
}

/// First table: what goes upstream.
fn what_is_sent() -> String {
    let policies = policies();
    let mut table = String::from("| entry path | policy | entra | okta | oidc |\n|---|---|---|---|---|\n");
    for (_, paths) in grouped(PATHS, |path| policies.iter().map(|p| cells(path, *p)).collect::<Vec<_>>()) {
        let rows: Vec<&str> = paths.iter().map(|path| path.row).collect();
        let mut first_column = rows.join("<br>");
        for (cells, policies) in grouped(&policies, |policy| cells(&paths[0], *policy)) {
            let [entra, okta, oidc] = cells;
            let _ = writeln!(table, "| {first_column} | {} | {entra} | {okta} | {oidc} |", in_words(&policies));
            first_column = String::from("〃");
        }
    }
    table
}

/// Second table: what is checked on return, if Bob comes back. The same for all presets and all of `forward`
/// and `as`, or the test fails.
fn who_comes_back() -> String {
    let verdict = |path: &Path, mismatch: Mismatch, user: &vestibule::identity::User| {
        let mut verdicts: Vec<Option<Verdict>> = Vec::new();
        for preset in Preset::ALL {
            for Policy { forward, as_, knows } in policies() {
                let world =
                    World::new(preset).with_policy(|p| (p.forward, p.as_, p.mismatch) = (forward, as_, mismatch));
                verdicts.push(match path.walk(&world, knows) {
                    Outcome::Upstream(decision) => Some(check_return(decision.guard(), user, &Map::new())),
                    _ => None,
                });
            }
        }
        assert!(verdicts.iter().all(|v| *v == verdicts[0]), "{}: what is checked depends on what is sent", path.row);
        verdicts[0]
    };
    let upstream: Vec<Path> =
        PATHS.iter().filter(|path| verdict(path, Mismatch::Reject, &bob()).is_some()).copied().collect();
    for path in &upstream {
        let hinted = verdict(path, Mismatch::Reject, &alice());
        assert_ne!(hinted, Some(Verdict::Mismatch), "{}: the person hinted at always fits", path.row);
    }
    let mut table = String::from("| entry path | mismatch=reject | mismatch=allow |\n|---|---|---|\n");
    let both = |path: &Path| [Mismatch::Reject, Mismatch::Allow].map(|m| in_words_for_people(verdict(path, m, &bob())));
    for ([reject, allow], paths) in grouped(&upstream, both) {
        let rows: Vec<&str> = paths.iter().map(|path| path.row).collect();
        let _ = writeln!(table, "| {} | {reject} | {allow} |", rows.join("<br>"));
    }
    table
}

fn in_words_for_people(verdict: Option<Verdict>) -> &'static str {
    match verdict {
        Some(Verdict::NoHint) => "signed in: nobody was hinted at",
        Some(Verdict::Fits) => "signed in: it is the person",
        Some(Verdict::Mismatch) => "a page, no session",
        Some(Verdict::NotComparable) => "signed in, told in the trace: the hint can't be compared",
        Some(Verdict::AllowedMismatch) => "signed in, audited",
        None => "never asked",
    }
}

/// Third table: `domain_hint`.
fn domain_hints() -> String {
    let settings = [
        (DomainHint::Auto, "auto"),
        (DomainHint::Never, "never"),
        (DomainHint::Fixed("organizations".to_owned()), "any other text"),
    ];
    let mut table = String::from(
        "| entry path | domain_hint=auto | domain_hint=never | domain_hint=\"organizations\" |\n|---|---|---|---|\n",
    );
    let row = |path: &Path| {
        settings.clone().map(|(setting, _)| {
            let world = World::new(Preset::Entra).with_policy(|p| p.domain_hint = setting);
            match path.walk(&world, false) {
                Outcome::Upstream(decision) => decision.domain_hint().unwrap_or("not sent").to_owned(),
                _ => "never asked".to_owned(),
            }
        })
    };
    for ([auto, never, fixed], paths) in grouped(PATHS, row) {
        if auto != "never asked" {
            let rows: Vec<&str> = paths.iter().map(|path| path.row).collect();
            let _ = writeln!(table, "| {} | {auto} | {never} | {fixed} |", rows.join("<br>"));
        }
    }
    table
}

fn matrix() -> String {
    format!(
        "#### What is sent\n\n{}\n#### If somebody else comes back\n\n{}\n#### domain_hint at Entra ID\n\n{}",
        what_is_sent(),
        who_comes_back(),
        domain_hints()
    )
}

fn reasons() -> String {
    let mut table = String::from("| reason | means |\n|---|---|\n");
    for reason in Reason::ALL {
        let _ = writeln!(table, "| `{}` | {} |", reason.id(), reason.sentence());
    }
    table
}

fn file(path: &str) -> PathBuf {
    FilePath::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Compares a file with what it should be, or writes it.
fn assert_golden(path: &str, wanted: &str) {
    let file = file(path);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&file, wanted).expect("can be written");
    }
    let stands = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        stands == wanted,
        "{path} is stale: look at the difference after UPDATE_GOLDEN=1 cargo test --test hint_matrix"
    );
}

/// Replaces what stands between `<!-- name -->` and `<!-- /name -->`.
fn embedded(document: &str, name: &str, text: &str) -> String {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let (before, rest) = document.split_once(&begin).expect("the place begins");
    let (_, after) = rest.split_once(&end).expect("the place ends");
    format!("{before}{begin}\n{text}\n{end}{after}")
}

#[test]
fn the_matrix_is_the_one_that_people_read() {
    assert_golden("tests/golden/hint/matrix.md", &matrix());
    let document = std::fs::read_to_string(file("docs/login-hint.md")).expect("the document is there");
    let wanted = embedded(&embedded(&document, "matrix", &matrix()), "reasons", &reasons());
    assert_golden("docs/login-hint.md", &wanted);
}

#[test]
fn every_path_is_in_the_matrix() {
    let matrix = matrix();
    for path in PATHS {
        assert!(matrix.contains(path.row), "{}", path.row);
    }
    assert!(PATHS.iter().any(|path| path.form_post), "an answer by form_post is among them");
    let mut rows: Vec<&str> = PATHS.iter().map(|path| path.row).collect();
    rows.sort_unstable();
    rows.dedup();
    assert_eq!(rows.len(), PATHS.len(), "each row has a name of its own");
}
