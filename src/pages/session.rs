//! The page of a session that nobody waits for.

use askama::Template;

use super::frame::{Frame, file, initial, link, shown};
use super::headers::FormTargets;
use super::{Page, SIGN_OUT_PATH};

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
