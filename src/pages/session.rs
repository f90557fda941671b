//! The pages around a session: signed in without a target, signing out, signed out.

use askama::Template;

use super::frame::{Frame, file, initial, link, shown};
use super::headers::FormTargets;
use super::{Page, SIGN_OUT_CONFIRM_PATH, SIGN_OUT_PATH};

/// The session here has ended.
pub struct SignedOut {
    /// The name of the identity provider whose own session was left open.
    pub still_at: Option<String>,
    /// Where to sign in again: an https address, or a path of ours.
    pub sign_in_again: Option<String>,
}

#[derive(Template)]
#[template(path = "signed-out.html")]
struct SignedOutView<'a> {
    f: &'a Frame<'a>,
    p: &'a SignedOut,
}

impl Page for SignedOut {
    fn form_targets(&self, _onward: &[&str]) -> FormTargets {
        FormTargets::None
    }

    fn html(&self, frame: &Frame<'_>) -> Result<String, askama::Error> {
        SignedOutView { f: frame, p: self }.render()
    }

    fn samples() -> Vec<(&'static str, Self)> {
        vec![
            ("plain", Self { still_at: None, sign_in_again: None }),
            (
                "still_at_provider",
                Self {
                    still_at: Some("Contoso Entra ID".to_owned()),
                    sign_in_again: Some("https://tenant.example.com/".to_owned()),
                },
            ),
        ]
    }
}

/// Asks before a sign-out that nothing proves to be wanted (RP-Initiated Logout §2).
///
/// POSTs `handle` to [`SIGN_OUT_CONFIRM_PATH`] with `action=sign-out` or `action=stay`.
pub struct SignOutConfirm {
    /// Names the sign-out request.
    pub handle: String,
    /// The name of the client that asks.
    pub client: Option<String>,
}

#[derive(Template)]
#[template(path = "sign-out-confirm.html")]
struct SignOutConfirmView<'a> {
    f: &'a Frame<'a>,
    p: &'a SignOutConfirm,
}

impl Page for SignOutConfirm {
    fn form_targets(&self, onward: &[&str]) -> FormTargets {
        FormTargets::onward(onward)
    }

    fn html(&self, frame: &Frame<'_>) -> Result<String, askama::Error> {
        SignOutConfirmView { f: frame, p: self }.render()
    }

    fn samples() -> Vec<(&'static str, Self)> {
        let page = |client: Option<&str>| Self { handle: "h4ndl3".to_owned(), client: client.map(str::to_owned) };
        vec![("plain", page(None)), ("client", page(Some("Workspace ONE Access")))]
    }
}

/// Signed in without a target: where to go from here.
pub struct Links {
    /// The clients that begin a login themselves (`initiate_login_uri`).
    pub services: Vec<ServiceLink>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceLink {
    pub name: String,
    /// An https address.
    pub url: String,
}

#[derive(Template)]
#[template(path = "links.html")]
struct LinksView<'a> {
    f: &'a Frame<'a>,
    p: &'a Links,
}

impl Links {
    /// Those whose address can be a link.
    fn reachable(&self) -> Vec<(&str, &str)> {
        self.services.iter().filter_map(|s| Some((s.name.as_str(), link(&s.url)?))).collect()
    }
}

impl Page for Links {
    fn form_targets(&self, _onward: &[&str]) -> FormTargets {
        FormTargets::None
    }

    fn html(&self, frame: &Frame<'_>) -> Result<String, askama::Error> {
        LinksView { f: frame, p: self }.render()
    }

    fn samples() -> Vec<(&'static str, Self)> {
        let service = |name: &str, url: &str| ServiceLink { name: name.to_owned(), url: url.to_owned() };
        let services = vec![
            service("Workspace ONE Access", "https://tenant.example.com/SAAS/auth/start?iss=https%3A%2F%2Fid"),
            service("Workspace ONE UEM", "https://uem.example.com/start"),
            service("Travel and expenses", "https://travel.example.com/"),
        ];
        vec![("services", Self { services }), ("none", Self { services: Vec::new() })]
    }
}
