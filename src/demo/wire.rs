//! What comes in and goes out at the demo's own parties, apart from any HTTP server.

use async_trait::async_trait;
use serde::Serialize;

use crate::config::PageSettings;
use crate::i18n::Language;
use crate::oidc::params::Params;
use crate::pages::{Frame, Page, headers, render};

/// A party of the demo: the identity provider, the service.
#[async_trait]
pub trait Party: Send + Sync {
    async fn answer(&self, request: Request) -> Answer;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Other,
}

/// One request.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: Method,
    pub path: String,
    pub query: Params,
    /// Empty unless the body is a form.
    pub form: Params,
    pub authorization: Option<String>,
    pub cookies: Vec<(String, String)>,
    /// The browser's `Accept-Language`.
    pub languages: Option<String>,
    /// The browser says that another site's page began it (Fetch Metadata).
    pub from_elsewhere: bool,
}

impl Request {
    /// Where a browser's parameters are (OIDC Core §3.1.2.1).
    #[must_use]
    pub const fn params(&self) -> &Params {
        if matches!(self.method, Method::Post) { &self.form } else { &self.query }
    }

    /// A cookie; none if it comes twice.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let mut found = self.cookies.iter().filter(|(n, _)| n == name);
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }

    #[must_use]
    pub fn language(&self) -> Language {
        crate::i18n::negotiate(self.params().get("ui_locales"), self.languages.as_deref())
    }
}

/// One answer.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// 303: the browser goes on by GET.
    #[must_use]
    pub fn see_other(address: &str) -> Self {
        let headers = vec![
            ("Location", address.to_owned()),
            ("Cache-Control", "no-store".to_owned()),
            ("Referrer-Policy", "no-referrer".to_owned()),
        ];
        Self { status: 303, headers, body: Vec::new() }
    }

    /// A page for a person. `onward`: where its forms lead in the end.
    #[must_use]
    pub fn page<P: Page>(page: &P, language: Language, settings: &PageSettings, onward: &[&str]) -> Self {
        match render(page, &Frame::new(language, settings)) {
            Ok(html) => Self { status: page.status(), headers: headers(page, onward), body: html.into_bytes() },
            Err(_) => Self::plain(500, "The page could not be made."),
        }
    }

    /// JSON that nobody may keep (RFC 6749 §5.1).
    #[must_use]
    pub fn json(status: u16, body: &impl Serialize) -> Self {
        let headers = vec![("Content-Type", "application/json".to_owned()), ("Cache-Control", "no-store".to_owned())];
        Self { status, headers, body: serde_json::to_vec(body).unwrap_or_default() }
    }

    #[must_use]
    pub fn plain(status: u16, text: &str) -> Self {
        let headers =
            vec![("Content-Type", "text/plain; charset=utf-8".to_owned()), ("Cache-Control", "no-store".to_owned())];
        Self { status, headers, body: text.as_bytes().to_vec() }
    }

    /// 405 (RFC 9110 §15.5.6).
    #[must_use]
    pub fn wrong_method(allowed: &str) -> Self {
        Self::plain(405, "This method is not supported here.").with("Allow", allowed)
    }

    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Sets a cookie until the browser is closed. Cookies are shared among all ports of a host, so every party's have
    /// names of their own.
    #[must_use]
    pub fn with_cookie(self, name: &str, value: &str, path: &str) -> Self {
        self.with("Set-Cookie", format!("{name}={value}; Path={path}; HttpOnly; SameSite=Lax"))
    }

    #[must_use]
    pub fn without_cookie(self, name: &str, path: &str) -> Self {
        self.with("Set-Cookie", format!("{name}=; Path={path}; Max-Age=0; HttpOnly; SameSite=Lax"))
    }
}
