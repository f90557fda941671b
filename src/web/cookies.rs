//! Our cookies: the session, and one for each login under way. `__Host-` and Secure under https; on plain-http loopback
//! unprefixed ones, since Safari keeps no Secure cookie there. SameSite=Lax: a cross-site POST comes without
//! them and is answered by a way back to the same path by GET.

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};

use crate::base::limits::{LOGIN_COOKIES_MAX, PENDING_LIFETIME};
use crate::base::{Moment, Secret, Span};
use crate::flow::browser::Keep;

/// The names that our cookies have under this issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jar {
    Https,
    /// Plain http, which is loopback.
    Loopback,
}

impl Jar {
    #[must_use]
    pub fn of(base_url: &url::Url) -> Self {
        if base_url.scheme() == "https" { Self::Https } else { Self::Loopback }
    }

    const fn prefix(self) -> &'static str {
        match self {
            Self::Https => "__Host-",
            Self::Loopback => "",
        }
    }

    fn session_name(self) -> String {
        format!("{}vestibule-session", self.prefix())
    }

    fn ticket_prefix(self) -> String {
        format!("{}vestibule-login-", self.prefix())
    }

    /// The session cookie; none if it comes twice, since then one of them isn't ours.
    #[must_use]
    pub fn session(self, request: &HttpRequest) -> Option<Secret> {
        let name = self.session_name();
        let mut found = pairs(request).filter(|(n, _)| *n == name);
        match (found.next(), found.next()) {
            (Some((_, value)), None) if is_token(&value) => Some(Secret::new(value)),
            _ => None,
        }
    }

    /// The logins under way in this browser, newest first: id, when it began, binding.
    #[must_use]
    pub fn tickets(self, request: &HttpRequest) -> Vec<(String, Moment, Secret)> {
        let prefix = self.ticket_prefix();
        let mut tickets: Vec<(String, Moment, Secret)> = Vec::new();
        let mut doubled: Vec<String> = Vec::new();
        for (name, value) in pairs(request) {
            let Some(id) = name.strip_prefix(&prefix).filter(|id| id.len() == 10) else { continue };
            let Some((seconds, binding)) = value.split_once('.') else { continue };
            let Ok(seconds) = seconds.parse() else { continue };
            if !is_token(binding) {
                continue;
            }
            if tickets.iter().any(|(known, ..)| known == id) {
                doubled.push(id.to_owned());
            }
            tickets.push((id.to_owned(), Moment::from_secs(seconds), Secret::new(binding)));
        }
        tickets.retain(|(id, ..)| !doubled.contains(id));
        tickets.sort_by_key(|(_, began, _)| std::cmp::Reverse(*began));
        tickets
    }

    /// The cookies that carry out `changes`; a browser keeps the newest [`LOGIN_COOKIES_MAX`] logins.
    #[must_use]
    pub fn set(self, changes: &[Keep], request: &HttpRequest, absolute: Span) -> Vec<Cookie<'static>> {
        let mut cookies = Vec::new();
        for change in changes {
            match change {
                Keep::Session(token) => {
                    cookies.push(self.cookie(self.session_name(), token.expose().to_owned(), absolute));
                }
                Keep::ForgetSession => cookies.push(self.removal(self.session_name())),
                Keep::Ticket { id, binding, at } => {
                    let older = self.tickets(request).into_iter().filter(|(known, ..)| known != id);
                    for (old, ..) in older.skip(LOGIN_COOKIES_MAX - 1) {
                        cookies.push(self.removal(format!("{}{old}", self.ticket_prefix())));
                    }
                    let value = format!("{}.{}", at.secs(), binding.expose());
                    cookies.push(self.cookie(format!("{}{id}", self.ticket_prefix()), value, PENDING_LIFETIME));
                }
                Keep::ForgetTicket { id } => cookies.push(self.removal(format!("{}{id}", self.ticket_prefix()))),
            }
        }
        cookies
    }

    fn cookie(self, name: String, value: String, lifetime: Span) -> Cookie<'static> {
        Cookie::build(name, value)
            .path("/")
            .http_only(true)
            .secure(self == Self::Https)
            .same_site(SameSite::Lax)
            .max_age(Duration::seconds(lifetime.as_secs()))
            .finish()
    }

    fn removal(self, name: String) -> Cookie<'static> {
        self.cookie(name, String::new(), Span::ZERO)
    }
}

/// All cookies of the request, also those that stand twice.
fn pairs(request: &HttpRequest) -> impl Iterator<Item = (String, String)> {
    let headers: Vec<String> =
        request.headers().get_all("cookie").filter_map(|v| v.to_str().ok()).map(str::to_owned).collect();
    headers
        .into_iter()
        .flat_map(|header| header.split(';').map(str::to_owned).collect::<Vec<_>>())
        .filter_map(|pair| pair.split_once('=').map(|(n, v)| (n.trim().to_owned(), v.trim().to_owned())))
}

/// 43 base64url characters, as we draw them; anything else is as if absent.
fn is_token(text: &str) -> bool {
    text.len() == 43 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}
