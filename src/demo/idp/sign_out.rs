//! Who is signed in, and the end of it (OpenID Connect RP-Initiated Logout 1.0).

use serde_json::{Value, json};

use super::error_page;
use super::realm::{Realm, SESSION_COOKIE};
use crate::config::PageSettings;
use crate::demo::wire::{Answer, Request};
use crate::i18n::PageError;
use crate::keys::jws::verify_own_id_token;
use crate::keys::verifying::KeySet;
use crate::pages::{DemoSignedIn, Onward, SignedOut};

impl Realm {
    /// Who is signed in here.
    pub(super) fn home(&self, request: &Request) -> Answer {
        let Some(session) = self.session(request, self.clock.now()) else { return Answer::see_other(&self.service) };
        let page = DemoSignedIn {
            company: self.company.name.to_owned(),
            person: session.person.shown(),
            sign_out: format!("{}/sign-out", self.path()),
            client: Some(self.service.clone()),
        };
        Answer::page(&page, request.language(), &PageSettings::default(), &[&self.service])
    }

    /// The form of that page.
    pub(super) fn sign_out(&self, request: &Request) -> Answer {
        if request.from_elsewhere {
            return error_page(request, PageError::ForeignForm, Some(&self.service));
        }
        self.end(request);
        self.forgetting(Answer::see_other(&self.service))
    }

    /// The end-session endpoint. Without an ID token of this very session the person is asked.
    pub(super) fn end_session(&self, request: &Request) -> Answer {
        let params = request.params();
        if params.repeated().is_some() {
            return error_page(request, PageError::MalformedRequest, None);
        }
        let hint = params.get("id_token_hint").and_then(|token| self.own(token));
        let session = self.session(request, self.clock.now());
        let named = |name: &str| hint.as_ref().and_then(|claims| claims.get(name)).and_then(Value::as_str);
        let is_meant = session.as_ref().is_none_or(|session| named("sid") == Some(&session.sid));
        if !is_meant {
            return self.home(request);
        }
        self.end(request);
        let uri = params.get("post_logout_redirect_uri");
        let uri = uri.filter(|uri| hint.is_some() && *uri == self.post_logout_redirect_uri);
        let answer = match (uri, params.get("state")) {
            (Some(uri), None) => Answer::see_other(uri),
            (Some(uri), Some(state)) => {
                let state: String = form_urlencoded::byte_serialize(state.as_bytes()).collect();
                Answer::see_other(&format!("{uri}?state={state}"))
            }
            (None, _) => {
                let page = SignedOut { onward: Some(Onward::SignIn(self.service.clone())), ..SignedOut::default() };
                Answer::page(&page, request.language(), &PageSettings::default(), &[])
            }
        };
        self.forgetting(answer)
    }

    /// The claims of an ID token that was issued here, expired or not.
    fn own(&self, token: &str) -> Option<serde_json::Map<String, Value>> {
        let keys = KeySet::parse(&json!({ "keys": [self.key.public_jwk()] }).to_string()).ok()?;
        verify_own_id_token(token, &keys, &self.issuer).ok()
    }

    fn end(&self, request: &Request) {
        if let Some(token) = request.cookie(SESSION_COOKIE) {
            self.sessions.take(token, self.clock.now());
        }
    }

    fn forgetting(&self, answer: Answer) -> Answer {
        answer.without_cookie(SESSION_COOKIE, &self.path())
    }
}
