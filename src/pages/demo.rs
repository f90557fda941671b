//! The pages of `vestibule demo`: a stand-in for a company's identity provider and one for a service.

use askama::Template;

use super::Page;
use super::frame::{Frame, file, initial, link, shown, typed};
use super::headers::FormTargets;

/// The demo identity provider's sign-in page. There are no passwords.
///
/// POSTs `hidden` to `action` with `username`, the typed text, and `person` where a card was picked.
pub struct DemoSignIn {
    /// Whose identity provider it is.
    pub company: String,
    /// A path of the demo identity provider.
    pub action: String,
    /// What has to come back with the form, by name.
    pub hidden: Vec<(String, String)>,
    /// The login hint at first, later what was typed.
    pub username: String,
    /// Whether nobody has the user name that was sent.
    pub unknown: bool,
    pub people: Vec<DemoPerson>,
}

/// Somebody who can sign in at the demo identity provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoPerson {
    pub username: String,
    pub name: String,
}

#[derive(Template)]
#[template(path = "demo-sign-in.html")]
struct DemoSignInView<'a> {
    f: &'a Frame<'a>,
    p: &'a DemoSignIn,
}

impl Page for DemoSignIn {
    fn form_targets(&self, onward: &[&str]) -> FormTargets {
        FormTargets::onward(onward)
    }

    fn html(&self, frame: &Frame<'_>) -> Result<String, askama::Error> {
        DemoSignInView { f: frame, p: self }.render()
    }

    fn samples() -> Vec<(&'static str, Self)> {
        let page = |username: &str, unknown| Self {
            company: "Contoso".to_owned(),
            action: "/sign-in".to_owned(),
            hidden: vec![("request".to_owned(), "r3qu3st".to_owned())],
            username: username.to_owned(),
            unknown,
            people: people(),
        };
        vec![
            ("plain", page("", false)),
            ("hinted", page("ben@contoso.example", false)),
            ("unknown", page("nobody@contoso.example", true)),
        ]
    }
}

fn people() -> Vec<DemoPerson> {
    [
        ("anna@contoso.example", "Anna Keller"),
        ("ben@contoso.example", "Ben Ito"),
        ("carla@fabrikam.example", "Carla Rossi"),
    ]
    .map(|(username, name)| DemoPerson { username: username.to_owned(), name: name.to_owned() })
    .into()
}

/// The demo identity provider's own page for somebody who is signed in there.
///
/// POSTs to `sign_out`.
pub struct DemoSignedIn {
    /// Whose identity provider it is.
    pub company: String,
    pub person: DemoPerson,
    /// A path of the demo identity provider.
    pub sign_out: String,
    /// The demo service's address.
    pub client: Option<String>,
}

#[derive(Template)]
#[template(path = "demo-signed-in.html")]
struct DemoSignedInView<'a> {
    f: &'a Frame<'a>,
    p: &'a DemoSignedIn,
}

impl Page for DemoSignedIn {
    fn form_targets(&self, onward: &[&str]) -> FormTargets {
        FormTargets::onward(onward)
    }

    fn html(&self, frame: &Frame<'_>) -> Result<String, askama::Error> {
        DemoSignedInView { f: frame, p: self }.render()
    }

    fn samples() -> Vec<(&'static str, Self)> {
        people()
            .into_iter()
            .take(1)
            .map(|person| {
                let client = Some("http://127.0.0.1:8082/".to_owned());
                ("plain", Self { company: "Contoso".to_owned(), person, sign_out: "/sign-out".to_owned(), client })
            })
            .collect()
    }
}

/// The demo service: begins a login with a hint and a prompt, and shows how the last one ended.
///
/// POSTs `login_hint` and `prompt` (empty: none) to `action`.
pub struct DemoClient {
    /// A path of the demo service.
    pub action: String,
    /// What stands in the hint's field.
    pub hint: String,
    /// `login`, `select_account`, `none`, or empty.
    pub prompt: String,
    /// User names to suggest.
    pub people: Vec<DemoPerson>,
    /// How the last login ended.
    pub last: Option<DemoOutcome>,
    /// The words of the command that explains a login, up to the reference.
    pub explain: Vec<String>,
    /// Where to sign out: a path of the demo service or an address of ours.
    pub sign_out: Option<String>,
}

/// How a login ended for the demo service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DemoOutcome {
    SignedIn {
        /// Name and value of each claim of the ID token.
        claims: Vec<(String, String)>,
        /// The trace's reference.
        reference: Option<String>,
    },
    Refused {
        error: String,
        description: Option<String>,
        /// The trace's reference.
        reference: Option<String>,
    },
}

impl DemoOutcome {
    fn reference(&self) -> Option<&str> {
        match self {
            Self::SignedIn { reference, .. } | Self::Refused { reference, .. } => reference.as_deref(),
        }
    }
}

#[derive(Template)]
#[template(path = "demo-client.html")]
struct DemoClientView<'a> {
    f: &'a Frame<'a>,
    p: &'a DemoClient,
}

impl DemoClientView<'_> {
    /// Value and text of each prompt.
    fn prompts(&self) -> [(&'static str, String); 4] {
        let w = self.f.w;
        [
            ("", w.t("demo-client-prompt-default")),
            ("login", w.t("demo-client-prompt-login")),
            ("select_account", w.t("demo-client-prompt-select")),
            ("none", w.t("demo-client-prompt-none")),
        ]
    }

    fn title(&self) -> String {
        match &self.p.last {
            None => self.f.w.t("demo-client-title"),
            Some(DemoOutcome::SignedIn { .. }) => self.f.w.t("demo-client-signed-in-title"),
            Some(DemoOutcome::Refused { .. }) => self.f.w.t("demo-client-refused-title"),
        }
    }
}

impl Page for DemoClient {
    fn form_targets(&self, onward: &[&str]) -> FormTargets {
        FormTargets::onward(onward)
    }

    fn html(&self, frame: &Frame<'_>) -> Result<String, askama::Error> {
        DemoClientView { f: frame, p: self }.render()
    }

    fn samples() -> Vec<(&'static str, Self)> {
        let page = |last: Option<DemoOutcome>| Self {
            action: "/login".to_owned(),
            hint: String::new(),
            prompt: String::new(),
            people: people(),
            sign_out: last.as_ref().map(|_| "/sign-out".to_owned()),
            explain: ["vestibule", "explain", "login"].map(str::to_owned).into(),
            last,
        };
        let reference = Some("K7QX-2M9F-RT4D".to_owned());
        let claims = [
            ("sub", "u_3fJ8sQ2mW7bXk9"),
            ("name", "Anna Keller"),
            ("email", "anna@contoso.example"),
            ("email_verified", "true"),
            ("iss", "http://127.0.0.1:8080/acs"),
            ("aud", "demo"),
            ("auth_time", "1795464000"),
            ("amr", "[\"pwd\"]"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let refused = DemoOutcome::Refused {
            error: "access_denied".to_owned(),
            description: Some("the person cancelled".to_owned()),
            reference: reference.clone(),
        };
        vec![
            ("start", page(None)),
            ("hinted", Self { hint: "anna@contoso.example".to_owned(), prompt: "login".to_owned(), ..page(None) }),
            ("signed_in", page(Some(DemoOutcome::SignedIn { claims: claims.into(), reference }))),
            ("refused", page(Some(refused))),
        ]
    }
}
