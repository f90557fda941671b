//! The page that ends what can't go on.

use askama::Template;

use crate::i18n::PageError;

use super::CONTINUE_PATH;
use super::Page;
use super::frame::{Frame, file, link, shown};
use super::headers::FormTargets;

/// What happened, what the person can do, and the reference for whoever looks into it.
pub struct ErrorPage {
    pub error: PageError,
    /// The reference of the trace.
    pub reference: Option<String>,
    /// Where the login can be begun again: an https address, or a path of ours.
    pub start_again: Option<String>,
    /// The handle of the login that waits: its client learns that access was denied.
    pub cancel: Option<String>,
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorView<'a> {
    f: &'a Frame<'a>,
    p: &'a ErrorPage,
}

impl ErrorPage {
    /// Whether the world's state is to blame rather than this login: it looks calmer.
    const fn passes(&self) -> bool {
        matches!(self.error, PageError::ServiceUnavailable | PageError::ProviderUnavailable | PageError::TooManyLogins)
    }
}

impl Page for ErrorPage {
    fn status(&self) -> u16 {
        self.error.status()
    }

    fn form_targets(&self, onward: &[&str]) -> FormTargets {
        if self.cancel.is_some() { FormTargets::onward(onward) } else { FormTargets::None }
    }

    fn html(&self, frame: &Frame<'_>) -> Result<String, askama::Error> {
        ErrorView { f: frame, p: self }.render()
    }

    fn samples() -> Vec<(&'static str, Self)> {
        let again = |error| match error {
            PageError::LoginExpired | PageError::AlreadyUsed | PageError::OtherBrowser => {
                Some("https://tenant.example.com/start".to_owned())
            }
            _ => None,
        };
        let reference = |error| match error {
            PageError::NotFound | PageError::WrongHost | PageError::MethodNotAllowed => None,
            _ => Some("K7QX-2M9F-RT4D".to_owned()),
        };
        PageError::ALL
            .into_iter()
            .map(|error| {
                let cancel = (error == PageError::NotProvisioned).then(|| "h4ndl3".to_owned());
                (error.code(), Self { error, reference: reference(error), start_again: again(error), cancel })
            })
            .collect()
    }
}
