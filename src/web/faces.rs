//! What a person sees: the pages, with their headers and cookies.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, LOCATION, REFERRER_POLICY};
use actix_web::{HttpRequest, HttpResponse};

use super::cookies::Jar;
use super::respond::retry_later;
use crate::broker::Answer;
use crate::broker::sign_out::{AtProvider, Outcome};
use crate::config::Snapshot;
use crate::flow::browser::{ChoosePage, Leaver, RefusalPage, Reply, Say};
use crate::i18n::{Language, PageError, negotiate};
use crate::oidc::Client;
use crate::oidc::params::Params;
use crate::pages::{
    Choose, ClientFrames, EmailError, EmailField, ErrorPage, FormPost, Frame, HintMismatch, Links, Onward, Page,
    ProviderChoice, ProviderEnd, ServiceLink, SignOutConfirm, SignedOut, SigningOut, headers, render,
};

/// What a face needs to know of the request that it answers.
pub struct Viewer<'a> {
    pub request: &'a HttpRequest,
    pub config: &'a Snapshot,
    pub language: Language,
}

impl<'a> Viewer<'a> {
    #[must_use]
    pub fn new(request: &'a HttpRequest, config: &'a Snapshot, params: Option<&Params>) -> Self {
        let language = language(request, params.and_then(|params| params.get("ui_locales")));
        Self { request, config, language }
    }

    /// The answer to an errand of a browser.
    #[must_use]
    pub fn answer(&self, reply: Reply) -> HttpResponse {
        let Reply { say, cookies } = reply;
        let mut response = self.say(say);
        let server = &self.config.server;
        for cookie in Jar::of(&server.base_url).set(&cookies, self.request, server.session.absolute) {
            // Names and values are our own base64url: they always fit.
            let _ = response.add_cookie(&cookie);
        }
        response
    }

    fn say(&self, say: Say) -> HttpResponse {
        match say {
            Say::Client(Answer::Redirect(url)) | Say::Go(url) => see_other(&url),
            Say::Client(Answer::FormPost { action, fields }) => {
                let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
                let onward = action.clone();
                self.page(&FormPost { action, fields, client: None }, &[&onward])
            }
            Say::ComeBack(handle) => see_other(&format!("{}?handle={}", self.request.path(), handle.expose())),
            Say::Page(page) => self.refusal(page),
            Say::Choose(page) => self.choose(page),
            Say::Mismatch { handle, provider, reference } => {
                let page = HintMismatch { handle: handle.expose().to_owned(), provider, reference: Some(reference) };
                self.page(&page, &self.onward())
            }
            Say::Links(links) => {
                let services = links.into_iter().map(|(name, url)| ServiceLink { name, url }).collect();
                self.page(&Links { services }, &[])
            }
            Say::SignedOut => self.page(&SignedOut::default(), &[]),
            Say::Left { outcome, frames } => self.left(*outcome, frames),
            Say::ConfirmSignOut { handle, client, ui_locales } => {
                let page = SignOutConfirm { handle: handle.expose().to_owned(), client, ui_locales };
                self.page(&page, &self.onward())
            }
            Say::SigningOut { who, frames, next } => {
                self.page(&SigningOut { former: who == Leaver::Former, frames, next }, &[])
            }
            Say::ClientFrames { frames } => self.page(&ClientFrames { frames }, &[]),
        }
    }

    fn left(&self, outcome: Outcome, frames: Vec<String>) -> HttpResponse {
        let Outcome { provider, told, untold, back, again, ui_locales } = outcome;
        let end = |end| if end == AtProvider::Ended { ProviderEnd::Ended } else { ProviderEnd::Open };
        let back = back.map(|back| Onward::Client { name: back.name, url: back.url });
        let page = SignedOut {
            provider: provider.map(|(name, at)| (name, end(at))),
            told,
            untold,
            frames,
            onward: back.or_else(|| again.map(Onward::SignIn)),
        };
        // It was asked for before the person went to the provider; nothing came back with it.
        let language = ui_locales.map_or(self.language, |wanted| language(self.request, Some(&wanted)));
        Viewer { language, ..*self }.page(&page, &[])
    }

    fn choose(&self, page: ChoosePage) -> HttpResponse {
        let has_domains = page.idps.iter().any(|idp| !idp.domains.is_empty());
        let error = page.unknown_address.as_deref();
        let error = error.map(|typed| if typed.trim().is_empty() { EmailError::Blank } else { EmailError::Unknown });
        let field = EmailField { typed: page.unknown_address.unwrap_or_default(), error };
        let providers =
            page.idps.iter().map(|idp| ProviderChoice { id: idp.id.0.clone(), name: idp.name.clone() }).collect();
        let page = Choose {
            handle: page.handle.expose().to_owned(),
            client: Some(page.client_name),
            email: has_domains.then_some(field),
            providers,
        };
        self.page(&page, &self.onward())
    }

    /// An error page with its reference.
    #[must_use]
    pub fn refusal(&self, page: RefusalPage) -> HttpResponse {
        let RefusalPage { refusal, reference, way_on, cancel } = page;
        let transient = matches!(
            refusal,
            PageError::ServiceUnavailable | PageError::ProviderUnavailable | PageError::TooManyLogins
        );
        let page = ErrorPage {
            error: refusal,
            reference: Some(reference),
            start_again: way_on,
            cancel: cancel.map(|handle| handle.expose().to_owned()),
        };
        let response = self.page(&page, &self.onward());
        if transient { retry_later(response) } else { response }
    }

    fn page<P: Page>(&self, page: &P, onward: &[&str]) -> HttpResponse {
        let frame = Frame::new(self.language, &self.config.server.pages);
        let status = StatusCode::from_u16(page.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        match render(page, &frame) {
            Ok(html) => {
                let mut response = HttpResponse::build(status);
                for header in headers(page, onward) {
                    response.insert_header(header);
                }
                response.body(html)
            }
            Err(fault) => {
                tracing::error!(%fault, "a page could not be rendered");
                HttpResponse::InternalServerError().finish()
            }
        }
    }

    /// Where the forms of our pages may lead: identity providers and clients.
    fn onward(&self) -> Vec<&str> {
        let idps = self.config.idps.values().map(|idp| idp.issuer.as_str());
        let uris = |client: &'a Arc<Client>| client.redirect_uris.iter().chain(&client.post_logout_redirect_uris);
        let clients = self.config.clients.values().flat_map(uris).map(String::as_str);
        idps.chain(clients).collect()
    }
}

fn language(request: &HttpRequest, ui_locales: Option<&str>) -> Language {
    let accepted = request.headers().get("accept-language").and_then(|v| v.to_str().ok());
    negotiate(ui_locales, accepted)
}

/// 303: the browser goes on by GET, whatever it came by.
fn see_other(url: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, url))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .finish()
}

/// Our own form posts come from our own pages: a browser says so, or says nothing.
#[must_use]
pub fn is_foreign_form(request: &HttpRequest, config: &Snapshot) -> bool {
    let headers = request.headers();
    let site = headers.get("sec-fetch-site").and_then(|v| v.to_str().ok());
    let origin = headers.get("origin").and_then(|v| v.to_str().ok());
    let foreign_site = site.is_some_and(|site| !matches!(site, "same-origin" | "none"));
    let own = crate::base::address::origin(&config.server.base_url);
    // Pages with no-referrer send `Origin: null`; only Sec-Fetch-Site tells those apart.
    let foreign_origin = origin.is_some_and(|origin| origin != own && (origin != "null" || site.is_none()));
    foreign_site || foreign_origin
}

/// Whether the whole window goes there, and not a frame on a page; a browser says so, or says nothing.
#[must_use]
pub fn is_navigated_to(request: &HttpRequest) -> bool {
    request.headers().get("sec-fetch-dest").is_some_and(|dest| dest == "document")
}
