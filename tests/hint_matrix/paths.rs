//! The entry paths of the matrix: every way in which a login reaches the decision.

use vestibule::base::text::LoginHint;
use vestibule::hint::{Ask, Decision, EntryPath, Lookup, Realm, check_session, decide, home_realm, wants_lookup};
use vestibule::identity::User;
use vestibule::oidc::{IdpId, Prompt};

use crate::fixtures::{ALICE, ALICE_UPSTREAM, World, alice, bob, hint};

/// Whose session the browser has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Session {
    None,
    Alice,
    Bob,
}

/// One way in. Alice is the person hinted at unless the row says otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Path {
    pub row: &'static str,
    pub entry: EntryPath,
    pub received: Option<&'static str>,
    pub typed: Option<&'static str>,
    pub accept_hints: bool,
    pub domain: Option<&'static str>,
    pub prompt: Prompt,
    /// The button of the provider under test was pressed.
    pub chosen: bool,
    pub session: Session,
    /// How many of the two providers the client may use.
    pub idps: usize,
    /// The client wants its answer by form_post.
    pub form_post: bool,
}

const PLAIN: Path = Path {
    row: "",
    entry: EntryPath::Get,
    received: Some(ALICE),
    typed: None,
    accept_hints: true,
    domain: None,
    prompt: Prompt::Absent,
    chosen: false,
    session: Session::None,
    idps: 2,
    form_post: false,
};

/// A hint in no form that anybody but the provider can read.
pub const OPAQUE: &str = "employee-4711";

pub const PATHS: &[Path] = &[
    Path { row: "authorize by GET, home realm by the hint's suffix", ..PLAIN },
    Path { row: "authorize by POST", entry: EntryPath::Post, ..PLAIN },
    Path { row: "authorize, hint as `u`", entry: EntryPath::Alias, ..PLAIN },
    Path { row: "pushed", entry: EntryPath::Pushed, ..PLAIN },
    Path { row: "answer by form_post", form_post: true, ..PLAIN },
    Path { row: "third-party-initiated", entry: EntryPath::Initiate, ..PLAIN },
    Path { row: "one provider left", idps: 1, ..PLAIN },
    Path { row: "session of another person", session: Session::Bob, ..PLAIN },
    Path {
        row: "session, hint that can't be compared",
        received: Some(OPAQUE),
        domain: Some("contoso.com"),
        session: Session::Alice,
        ..PLAIN
    },
    Path {
        row: "work email typed at our page",
        entry: EntryPath::WorkEmail,
        received: None,
        typed: Some(ALICE),
        ..PLAIN
    },
    Path {
        row: "work email typed, another hint received",
        entry: EntryPath::WorkEmail,
        received: Some(OPAQUE),
        typed: Some(ALICE),
        ..PLAIN
    },
    Path { row: "provider's button pressed", entry: EntryPath::ProviderButton, chosen: true, ..PLAIN },
    Path { row: "home realm by the `domain` parameter", domain: Some("contoso.com"), ..PLAIN },
    Path { row: "`domain` parameter, opaque hint", received: Some(OPAQUE), domain: Some("contoso.com"), ..PLAIN },
    Path {
        row: "provider's button pressed, opaque hint",
        entry: EntryPath::ProviderButton,
        received: Some(OPAQUE),
        chosen: true,
        ..PLAIN
    },
    Path { row: "`domain` parameter, no hint", received: None, domain: Some("contoso.com"), ..PLAIN },
    Path { row: "client with `accept = false`", accept_hints: false, domain: Some("contoso.com"), ..PLAIN },
    Path { row: "prompt=login", prompt: Prompt::Login, ..PLAIN },
    Path { row: "prompt=login, session of the person", prompt: Prompt::Login, session: Session::Alice, ..PLAIN },
    Path { row: "prompt=select_account", prompt: Prompt::SelectAccount, ..PLAIN },
    Path { row: "signing in again after a mismatch", entry: EntryPath::SignInAgain, ..PLAIN },
    Path { row: "session of the person", session: Session::Alice, ..PLAIN },
    Path { row: "session, no hint", received: None, session: Session::Bob, ..PLAIN },
    Path { row: "prompt=none, session of the person", prompt: Prompt::None, session: Session::Alice, ..PLAIN },
    Path { row: "prompt=none, session of another person", prompt: Prompt::None, session: Session::Bob, ..PLAIN },
    Path {
        row: "prompt=none, session, hint that can't be compared",
        received: Some(OPAQUE),
        domain: Some("contoso.com"),
        prompt: Prompt::None,
        session: Session::Alice,
        ..PLAIN
    },
    Path { row: "prompt=none, no session", prompt: Prompt::None, ..PLAIN },
    Path { row: "no hint", received: None, ..PLAIN },
    Path { row: "hint of a foreign domain", received: Some("alice@elsewhere.test"), ..PLAIN },
    Path { row: "opaque hint", received: Some(OPAQUE), ..PLAIN },
    Path { row: "client with `accept = false`, no `domain`", accept_hints: false, ..PLAIN },
];

/// Where a login on some path ends up, as far as its hint decides.
pub enum Outcome {
    Reused,
    LoginRequired,
    Page,
    Upstream(Box<Decision>),
}

/// The hints of a path as they are parsed from a request.
struct Given {
    received: Option<LoginHint>,
    typed: Option<LoginHint>,
    chosen: Option<IdpId>,
}

impl Path {
    /// Walks the path as far as the decision. `knows`: whether the directory knows the person by the hint.
    pub fn walk(&self, world: &World, knows: bool) -> Outcome {
        let given = Given {
            received: self.received.map(hint),
            typed: self.typed.map(hint),
            chosen: self.chosen.then(|| world.idps[0].id.clone()),
        };
        let ask = Ask {
            path: self.entry,
            received: given.received.as_ref(),
            typed: given.typed.as_ref(),
            accept_hints: self.accept_hints,
            domain: self.domain,
            prompt: self.prompt,
            idps: &world.idps[..self.idps],
            chosen: given.chosen.as_ref(),
            ..world.ask()
        };
        if self.session_user().is_some_and(|user| check_session(&ask, &user).is_reusable())
            && matches!(self.prompt, Prompt::Absent | Prompt::None)
        {
            return Outcome::Reused;
        }
        if self.prompt == Prompt::None {
            return Outcome::LoginRequired;
        }
        match home_realm(&ask) {
            Realm::Idp { idp, .. } => {
                let alice = alice();
                let known = match wants_lookup(&idp, &ask) {
                    None => Lookup::NotAsked,
                    Some(_) if knows => Lookup::Known { user: &alice, upstream_hint: Some(ALICE_UPSTREAM) },
                    Some(_) => Lookup::Unknown,
                };
                Outcome::Upstream(Box::new(decide(&idp, &ask, known)))
            }
            Realm::Choose { .. } => Outcome::Page,
            Realm::NotAllowed { .. } => unreachable!("every path has a provider"),
        }
    }

    fn session_user(&self) -> Option<User> {
        match self.session {
            Session::None => None,
            Session::Alice => Some(alice()),
            Session::Bob => Some(bob()),
        }
    }
}
