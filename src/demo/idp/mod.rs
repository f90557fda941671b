//! The demo identity provider: a small OpenID Provider for each company, without passwords. Code flow, PKCE S256,
//! single sign-on by cookie, userinfo, RP-initiated logout. The broker treats it like any other provider.

mod realm;
mod documents;
mod authorize;
mod token;
mod sign_out;
#[cfg(test)]
mod tests;

use async_trait::async_trait;

use super::wire::{Answer, Method, Party, Request};
use crate::config::PageSettings;
use crate::i18n::PageError;
use crate::pages::{ASSET_CSP, Asset, ErrorPage, asset};

pub use realm::{Realm, RealmSettings};

/// Both companies' identity providers, each under a path of its own.
pub struct IdentityProvider {
    realms: Vec<Realm>,
}

impl IdentityProvider {
    #[must_use]
    pub const fn new(realms: Vec<Realm>) -> Self {
        Self { realms }
    }

    fn realm<'r>(&self, request: &'r Request) -> Option<(&Realm, &'r str)> {
        let (id, path) = request.path.strip_prefix('/')?.split_once('/')?;
        self.realms.iter().find(|realm| realm.company.id == id).map(|realm| (realm, path))
    }
}

#[async_trait]
impl Party for IdentityProvider {
    async fn answer(&self, request: Request) -> Answer {
        if let Some(file) = static_file(&request) {
            return file;
        }
        let Some((realm, path)) = self.realm(&request) else {
            return error_page(&request, PageError::NotFound, None);
        };
        match (path, request.method) {
            (".well-known/openid-configuration", Method::Get) => realm.discovery(),
            ("jwks", Method::Get) => realm.jwks(),
            ("authorize", Method::Get | Method::Post) => realm.authorize(&request),
            ("sign-in", Method::Post) => realm.sign_in(&request),
            ("token", Method::Post) => realm.token(&request),
            ("userinfo", Method::Get | Method::Post) => realm.userinfo(&request),
            ("logout", Method::Get | Method::Post) => realm.end_session(&request),
            ("", Method::Get) => realm.home(&request),
            ("sign-out", Method::Post) => realm.sign_out(&request),
            (".well-known/openid-configuration" | "jwks" | "", _) => Answer::wrong_method("GET"),
            ("sign-in" | "token" | "sign-out", _) => Answer::wrong_method("POST"),
            ("authorize" | "userinfo" | "logout", _) => Answer::wrong_method("GET, POST"),
            _ => error_page(&request, PageError::NotFound, None),
        }
    }
}

/// A static file of the pages.
pub fn static_file(request: &Request) -> Option<Answer> {
    let file = asset(&request.path).filter(|_| request.method == Method::Get)?;
    let headers = vec![
        ("Content-Type", file.content_type.to_owned()),
        ("Cache-Control", Asset::CACHE_CONTROL.to_owned()),
        ("Content-Security-Policy", ASSET_CSP.to_owned()),
        ("X-Content-Type-Options", "nosniff".to_owned()),
    ];
    Some(Answer { status: 200, headers, body: file.bytes.to_vec() })
}

/// An error that no client can be told. `start_again`: where the person can.
pub fn error_page(request: &Request, error: PageError, start_again: Option<&str>) -> Answer {
    let settings = PageSettings { product_name: Some("Demo identity provider".to_owned()), ..PageSettings::default() };
    let page = ErrorPage { error, reference: None, start_again: start_again.map(str::to_owned), cancel: None };
    Answer::page(&page, request.language(), &settings, &[])
}
