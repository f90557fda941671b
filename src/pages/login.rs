//! The pages in the middle of a login.

use askama::Template;

use super::frame::{Frame, file, initial, shown, typed};
use super::headers::{FormTargets, Script};
use super::{CONTINUE_PATH, Page};

/// Asks where somebody signs in: by work email, by a list of identity providers, or both.
///
/// POSTs `handle` to [`CONTINUE_PATH`] with one of: `email`, the typed text; `idp`, a
/// provider's id; `action=cancel`.
pub struct Choose {
    /// Names the pending login.
    pub handle: String,
    /// The name of the client that is waiting.
    pub client: Option<String>,
    /// `None`: the email isn't asked for.
    pub email: Option<EmailField>,
    /// Empty: no list.
    pub providers: Vec<ProviderChoice>,
}

/// The field for the work email.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EmailField {
    /// What was typed before, to be corrected; empty at first.
    pub typed: String,
    pub error: Option<EmailError>,
}

/// What is wrong with a typed email.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmailError {
    Blank,
    /// No provider is found by it. The same for an address that nobody has, a foreign domain and a
    /// text that is no address.
    Unknown,
}

/// One identity provider to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderChoice {
    pub id: String,
    pub name: String,
}

#[derive(Template)]
#[template(path = "choose.html")]
struct ChooseView<'a> {
    f: &'a Frame<'a>,
    p: &'a Choose,
}

impl ChooseView<'_> {
    /// Says that there is an error before anything else, for whoever hears the page.
    fn title(&self) -> String {
        let title = self.f.title(&self.f.w.t("choose-title"));
        let faulty = self.p.email.as_ref().is_some_and(|field| field.error.is_some());
        if faulty { self.f.w.with("error-prefix", "title", &title) } else { title }
    }
}

impl Page for Choose {
    fn form_targets(&self, onward: &[&str]) -> FormTargets {
        FormTargets::onward(onward)
    }

    fn html(&self, frame: &Frame<'_>) -> Result<String, askama::Error> {
        ChooseView { f: frame, p: self }.render()
    }

    fn samples() -> Vec<(&'static str, Self)> {
        let field = |typed: &str, error| Some(EmailField { typed: typed.to_owned(), error });
        let choose = |email, names: &[&str]| Self {
            handle: "h4ndl3".to_owned(),
            client: Some("Workspace ONE Access".to_owned()),
            email,
            providers: names
                .iter()
                .map(|name| ProviderChoice { id: name.to_lowercase().replace(' ', "-"), name: (*name).to_owned() })
                .collect(),
        };
        let three = ["Contoso", "Fabrikam Europe", "Northwind Traders"];
        vec![
            ("email", choose(field("", None), &[])),
            ("email_or_provider", choose(field("", None), &three)),
            ("provider", choose(None, &three)),
            ("email_unknown", choose(field("anna@contso.com", Some(EmailError::Unknown)), &[])),
            ("email_unknown_or_provider", choose(field("anna@contso.com", Some(EmailError::Unknown)), &three)),
            ("email_blank", choose(field("", Some(EmailError::Blank)), &[])),
            ("no_client", Self { client: None, ..choose(field("", None), &[]) }),
        ]
    }
}

/// Somebody signed in as another person than the one hinted at. Neither of them is named: whoever holds
/// the browser may not be who the link was made for.
///
/// POSTs `handle` to [`CONTINUE_PATH`] with `action=retry` or `action=cancel`.
pub struct HintMismatch {
    /// Names the pending login.
    pub handle: String,
    /// The name of the identity provider.
    pub provider: String,
    /// The reference of the trace.
    pub reference: Option<String>,
}

#[derive(Template)]
#[template(path = "hint-mismatch.html")]
struct HintMismatchView<'a> {
    f: &'a Frame<'a>,
    p: &'a HintMismatch,
}

impl Page for HintMismatch {
    fn status(&self) -> u16 {
        403
    }

    fn form_targets(&self, onward: &[&str]) -> FormTargets {
        FormTargets::onward(onward)
    }

    fn html(&self, frame: &Frame<'_>) -> Result<String, askama::Error> {
        HintMismatchView { f: frame, p: self }.render()
    }

    fn samples() -> Vec<(&'static str, Self)> {
        let page = |reference: Option<&str>| Self {
            handle: "h4ndl3".to_owned(),
            provider: "Contoso Entra ID".to_owned(),
            reference: reference.map(str::to_owned),
        };
        vec![("plain", page(None)), ("with_reference", page(Some("K7QX-2M9F-RT4D")))]
    }
}

/// Hands an authorization response to a client (OAuth 2.0 Form Post Response Mode §2): a form that
/// a script submits, with a button for browsers that run none.
pub struct FormPost {
    /// The client's redirect URI, proven.
    pub action: String,
    /// The response's parameters, byte for byte.
    pub fields: Vec<(String, String)>,
    /// The client's name.
    pub client: Option<String>,
}

#[derive(Template)]
#[template(path = "form-post.html")]
struct FormPostView<'a> {
    f: &'a Frame<'a>,
    p: &'a FormPost,
}

impl FormPost {
    /// Only an address that a browser sends a form to over the web.
    fn target(&self) -> Option<&str> {
        let web = self.action.starts_with("https://") || self.action.starts_with("http://");
        web.then_some(self.action.as_str())
    }
}

impl Page for FormPost {
    const SCRIPT: Script = Script::Ours;

    fn form_targets(&self, onward: &[&str]) -> FormTargets {
        let mut addresses = onward.to_vec();
        addresses.push(&self.action);
        FormTargets::onward(&addresses)
    }

    fn html(&self, frame: &Frame<'_>) -> Result<String, askama::Error> {
        FormPostView { f: frame, p: self }.render()
    }

    fn samples() -> Vec<(&'static str, Self)> {
        let fields = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let action = "https://tenant.example.com/SAAS/auth/cb".to_owned();
        let iss = ("iss", "https://id.example.com/acs");
        vec![
            (
                "code",
                Self {
                    action: action.clone(),
                    fields: fields(&[("code", "c0d3"), ("state", "a\"b&c"), iss]),
                    client: Some("Workspace ONE Access".to_owned()),
                },
            ),
            ("error", Self { action, fields: fields(&[("error", "login_required"), iss]), client: None }),
        ]
    }
}
