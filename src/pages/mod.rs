//! What people see: one struct per page, holding only what differs from case to case. Texts come from
//! `i18n`, styles and scripts from our own origin; nothing is inline, nothing foreign but frames of clients.
//!
//! A face calls [`render`] for the body, [`headers`] for what goes with it, and serves [`assets`]
//! and [`theme_css`].

mod colour;
mod theme;
mod assets;
mod frame;
mod headers;
mod login;
mod session;
mod leaving;
mod error;
mod demo;

pub use assets::{ASSET_CSP, Asset, LOGO_PATH, asset, assets, logo_content_type};
pub use demo::{DemoClient, DemoOutcome, DemoPerson, DemoSignIn, DemoSignedIn};
pub use error::ErrorPage;
pub use frame::{Frame, Words};
pub use headers::{FormTargets, Framing, Script, csp, headers};
pub use leaving::{ClientFrames, Onward, ProviderEnd, SignOutConfirm, SignedOut, SigningOut};
pub use login::{Choose, EmailError, EmailField, FormPost, HintMismatch, ProviderChoice};
pub use session::{Links, ServiceLink};
pub use theme::{theme_css, theme_path};

/// Where the forms of [`Choose`] and [`HintMismatch`] go, by POST, with the field `handle`.
pub const CONTINUE_PATH: &str = "/acs/continue";
/// Our end-session endpoint.
pub const SIGN_OUT_PATH: &str = "/acs/openid/logout";
/// Where the form of [`SignOutConfirm`] goes, by POST, with the field `handle`.
pub const SIGN_OUT_CONFIRM_PATH: &str = "/acs/openid/logout/confirm";

/// A page.
pub trait Page: Sized {
    /// The script that it runs.
    const SCRIPT: Script = Script::None;

    /// The HTTP status that it is sent with.
    fn status(&self) -> u16 {
        200
    }

    /// Where its forms lead. `onward`: the addresses that an answer to one of them may redirect to.
    fn form_targets(&self, onward: &[&str]) -> FormTargets;

    /// What it has in frames, and who may have it in one.
    fn framing(&self) -> Framing {
        Framing::default()
    }

    /// The HTML document.
    ///
    /// # Errors
    /// Only when formatting itself fails.
    fn html(&self, frame: &Frame<'_>) -> Result<String, askama::Error>;

    /// Every shape that the page comes in, by name, with made-up people and companies: what
    /// snapshots and screenshots are taken of.
    fn samples() -> Vec<(&'static str, Self)>;
}

/// The HTML document of a page.
///
/// # Errors
/// Only when formatting itself fails.
pub fn render(page: &impl Page, frame: &Frame<'_>) -> Result<String, askama::Error> {
    page.html(frame)
}
