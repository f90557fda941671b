//! The pages of a sign-out: asking, telling the services, done.

use askama::Template;

use super::frame::{Frame, file, initial, link, shown};
use super::headers::{FormTargets, Framing, Script};
use super::{Page, SIGN_OUT_CONFIRM_PATH};

/// Asks before a sign-out that nothing proves to be wanted (RP-Initiated Logout §2).
///
/// POSTs `handle` to [`SIGN_OUT_CONFIRM_PATH`] with `action=sign-out` or `action=stay`, and `ui_locales` if it has any.
pub struct SignOutConfirm {
    /// Names the sign-out request.
    pub handle: String,
    /// The name of the client that asks.
    pub client: Option<String>,
    /// The languages that the request asked for.
    pub ui_locales: Option<String>,
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
        let page = |client: Option<&str>, ui_locales: Option<&str>| Self {
            handle: "h4ndl3".to_owned(),
            client: client.map(str::to_owned),
            ui_locales: ui_locales.map(str::to_owned),
        };
        vec![("plain", page(None, None)), ("client", page(Some("Workspace ONE Access"), Some("de en")))]
    }
}

/// Loads the front-channel logout addresses of clients in frames that nobody sees (OpenID Connect Front-Channel
/// Logout 1.0 §3), and then goes on by itself: when all have loaded, after two seconds at most, by a link at any time.
pub struct SigningOut {
    /// It is the person before who is signed out, not the one who is looking on.
    pub former: bool,
    /// Whole addresses, `iss` and `sid` included.
    pub frames: Vec<String>,
    /// Where to go on: an https address (http on loopback).
    pub next: String,
}

#[derive(Template)]
#[template(path = "signing-out.html")]
struct SigningOutView<'a> {
    f: &'a Frame<'a>,
    p: &'a SigningOut,
    frames: Vec<&'a str>,
}

impl Page for SigningOut {
    const SCRIPT: Script = Script::Ours;

    fn form_targets(&self, _onward: &[&str]) -> FormTargets {
        FormTargets::None
    }

    fn framing(&self) -> Framing {
        Framing::of(&self.frames)
    }

    fn html(&self, frame: &Frame<'_>) -> Result<String, askama::Error> {
        SigningOutView { f: frame, p: self, frames: framed(&self.frames) }.render()
    }

    fn samples() -> Vec<(&'static str, Self)> {
        let next = "https://login.example.com/logout?state=5t4t3&ui_locales=de".to_owned();
        let page = |former| Self { former, frames: frames(), next: next.clone() };
        vec![("plain", page(false)), ("former", page(true))]
    }
}

/// The same frames with nothing around them, for a page of somebody else's that has this one in a frame: an identity
/// provider's, which signs a person out everywhere. Whose page that is isn't known: some providers don't say who they
/// are, and their sign-out need not be at their issuer's origin.
pub struct ClientFrames {
    /// Whole addresses, `iss` and `sid` included.
    pub frames: Vec<String>,
}

#[derive(Template)]
#[template(path = "client-frames-page.html")]
struct ClientFramesView<'a> {
    f: &'a Frame<'a>,
    frames: Vec<&'a str>,
}

impl Page for ClientFrames {
    fn form_targets(&self, _onward: &[&str]) -> FormTargets {
        FormTargets::None
    }

    fn framing(&self) -> Framing {
        Framing::of(&self.frames).by_anybody()
    }

    fn html(&self, frame: &Frame<'_>) -> Result<String, askama::Error> {
        ClientFramesView { f: frame, frames: framed(&self.frames) }.render()
    }

    fn samples() -> Vec<(&'static str, Self)> {
        vec![("clients", Self { frames: frames() }), ("none", Self { frames: vec![] })]
    }
}

/// Only addresses that a frame may load.
fn framed(addresses: &[String]) -> Vec<&str> {
    addresses.iter().filter_map(|address| link(address)).filter(|address| !address.starts_with('/')).collect()
}

fn frames() -> Vec<String> {
    ["https://tenant.example.com/SAAS/logout?", "https://travel.example.com/out?tenant=1&"]
        .map(|address| format!("{address}iss=https%3A%2F%2Fid.example.com%2Facs&sid=5e55i0n"))
        .into()
}

/// What became of the session at the identity provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderEnd {
    /// It says that it has ended.
    Ended,
    /// It may go on.
    Open,
}

/// Where a person goes on from the page, and what stands on the button.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Onward {
    /// Back to the client of that name.
    Client { name: String, url: String },
    /// To sign in again: an https address, or a path of ours.
    SignIn(String),
}

/// The session here has ended.
#[derive(Default)]
pub struct SignedOut {
    /// The identity provider's name, and what became of the session there.
    pub provider: Option<(String, ProviderEnd)>,
    /// Names of the services that were told.
    pub told: Vec<String>,
    /// Names of the services that can't be told: the person may still be signed in there.
    pub untold: Vec<String>,
    /// Front-channel addresses to load in frames while the page is looked at.
    pub frames: Vec<String>,
    pub onward: Option<Onward>,
}

#[derive(Template)]
#[template(path = "signed-out.html")]
struct SignedOutView<'a> {
    f: &'a Frame<'a>,
    p: &'a SignedOut,
    frames: Vec<&'a str>,
}

impl SignedOut {
    fn still_at(&self) -> Option<&str> {
        self.provider.as_ref().filter(|(_, end)| *end == ProviderEnd::Open).map(|(name, _)| name.as_str())
    }

    fn ended_at(&self) -> Option<&str> {
        self.provider.as_ref().filter(|(_, end)| *end == ProviderEnd::Ended).map(|(name, _)| name.as_str())
    }

    fn back(&self) -> Option<(&str, &str)> {
        match self.onward.as_ref()? {
            Onward::Client { name, url } => Some((name, link(url)?)),
            Onward::SignIn(_) => None,
        }
    }

    fn again(&self) -> Option<&str> {
        match self.onward.as_ref()? {
            Onward::SignIn(url) => link(url),
            Onward::Client { .. } => None,
        }
    }
}

impl Page for SignedOut {
    fn form_targets(&self, _onward: &[&str]) -> FormTargets {
        FormTargets::None
    }

    fn framing(&self) -> Framing {
        Framing::of(&self.frames)
    }

    fn html(&self, frame: &Frame<'_>) -> Result<String, askama::Error> {
        SignedOutView { f: frame, p: self, frames: framed(&self.frames) }.render()
    }

    fn samples() -> Vec<(&'static str, Self)> {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let entra = |end| Some(("Contoso Entra ID".to_owned(), end));
        let again = || Some(Onward::SignIn("https://tenant.example.com/".to_owned()));
        let client = Onward::Client {
            name: "Workspace ONE Access".to_owned(),
            url: "https://tenant.example.com/bye?state=5t4t3".to_owned(),
        };
        let everywhere = Self {
            provider: entra(ProviderEnd::Ended),
            told: names(&["Workspace ONE Access", "Travel and expenses"]),
            frames: frames(),
            onward: again(),
            ..Self::default()
        };
        let partly = Self {
            provider: entra(ProviderEnd::Open),
            told: names(&["Workspace ONE Access"]),
            untold: names(&["Travel and expenses", "Canteen"]),
            onward: Some(client.clone()),
            ..Self::default()
        };
        vec![
            ("plain", Self::default()),
            ("everywhere", everywhere),
            ("still_at_provider", Self { provider: entra(ProviderEnd::Open), onward: again(), ..Self::default() }),
            ("partly", partly),
            ("untold", Self { untold: names(&["Travel and expenses"]), onward: again(), ..Self::default() }),
        ]
    }
}
