//! The authorization endpoint and the sign-in page (OIDC Core §3.1.2).

use super::error_page;
use super::realm::{
    ASKED_LIFETIME, Asked, BROWSER_COOKIE, Code, Grant, Realm, SESSION_COOKIE, SESSION_LIFETIME, Session,
};
use crate::base::limits::CODE_LIFETIME;
use crate::base::text::fold;
use crate::base::{Moment, Span};
use crate::config::PageSettings;
use crate::demo::wire::{Answer, Request};
use crate::i18n::PageError;
use crate::oidc::error::ErrorCode::{
    InvalidRequest, InvalidScope, LoginRequired, RequestNotSupported, RequestUriNotSupported, UnsupportedResponseType,
};
use crate::oidc::params::Params;
use crate::oidc::pkce::CodeChallenge;
use crate::oidc::{OAuthError, Prompt};
use crate::pages::DemoSignIn;

impl Realm {
    pub(super) fn authorize(&self, request: &Request) -> Answer {
        let params = request.params();
        if params.repeated().is_some() {
            return error_page(request, PageError::MalformedRequest, None);
        }
        let is_client = params.get("client_id") == Some(&self.client_id);
        if !is_client || params.get("redirect_uri") != Some(&self.redirect_uri) {
            return error_page(request, PageError::LinkInvalid, None);
        }
        let asked = match accept(params) {
            Ok(asked) => asked,
            Err(error) => return self.refused(params.get("state"), error),
        };
        let now = self.clock.now();
        match self.session(request, now).filter(|session| is_enough(session, &asked, now)) {
            Some(session) => self.with_code(&asked, session, now),
            None if asked.prompt == Prompt::None => {
                let error = OAuthError::new(LoginRequired, "the person has to sign in");
                self.refused(params.get("state"), error)
            }
            None => self.ask(request, asked, now),
        }
    }

    /// The sign-in page, for this browser.
    fn ask(&self, request: &Request, asked: Asked, now: Moment) -> Answer {
        let known = request.cookie(BROWSER_COOKIE).filter(|value| value.len() == 43).map(str::to_owned);
        let browser = known.unwrap_or_else(|| self.dice.token());
        let handle = self.dice.token();
        let hint = asked.hint.clone().unwrap_or_default();
        self.asked.put(&handle, Asked { browser: browser.clone(), ..asked }, now.plus(ASKED_LIFETIME));
        let page = self.page(handle, hint);
        self.shown(request, &page).with_cookie(BROWSER_COOKIE, &browser, &self.path())
    }

    fn page(&self, handle: String, username: String) -> DemoSignIn {
        DemoSignIn {
            company: self.company.name.to_owned(),
            action: format!("{}/sign-in", self.path()),
            hidden: vec![("request".to_owned(), handle)],
            username,
            unknown: false,
            people: self.company.shown(),
        }
    }

    fn shown(&self, request: &Request, page: &DemoSignIn) -> Answer {
        Answer::page(page, request.language(), &PageSettings::default(), &[&self.redirect_uri])
    }

    /// The page's form: somebody says who they are.
    pub(super) fn sign_in(&self, request: &Request) -> Answer {
        let now = self.clock.now();
        let handle = request.form.get("request").unwrap_or_default();
        let asked = self.asked.look(handle, now);
        let Some(asked) = asked.filter(|_| !request.from_elsewhere && !request.form.is_repeated("username")) else {
            return error_page(request, PageError::LoginExpired, Some(&self.service));
        };
        if request.cookie(BROWSER_COOKIE) != Some(&asked.browser) {
            return error_page(request, PageError::OtherBrowser, Some(&self.service));
        }
        let username = request.form.get("username").unwrap_or_default();
        let Some(person) = self.company.person(username) else {
            let page = DemoSignIn { unknown: true, ..self.page(handle.to_owned(), username.to_owned()) };
            return self.shown(request, &page);
        };
        if self.asked.take(handle, now).is_none() {
            return error_page(request, PageError::AlreadyUsed, Some(&self.service));
        }
        if let Some(before) = request.cookie(SESSION_COOKIE) {
            self.sessions.take(before, now);
        }
        let (token, session) = (self.dice.token(), Session { person, auth_time: now, sid: self.dice.id() });
        self.sessions.put(&token, session.clone(), now.plus(SESSION_LIFETIME));
        self.with_code(&asked, session, now).with_cookie(SESSION_COOKIE, &token, &self.path())
    }

    fn with_code(&self, asked: &Asked, session: Session, now: Moment) -> Answer {
        let code = self.dice.token();
        let grant = Grant {
            session,
            nonce: asked.nonce.clone(),
            challenge: asked.challenge.clone(),
            scopes: asked.scopes.clone(),
        };
        self.codes.put(&code, Code::Good(Box::new(grant)), now.plus(CODE_LIFETIME));
        self.back(asked.state.as_deref(), &[("code", &code)])
    }

    fn refused(&self, state: Option<&str>, error: OAuthError) -> Answer {
        self.back(state, &[("error", error.code.as_str()), ("error_description", error.description)])
    }

    /// To the client, with `state` and `iss` (RFC 9207 §2).
    fn back(&self, state: Option<&str>, fields: &[(&str, &str)]) -> Answer {
        let state = state.map(|state| ("state", state));
        let all = fields.iter().copied().chain(state).chain([("iss", self.issuer.as_str())]);
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(all).finish();
        Answer::see_other(&format!("{}?{query}", self.redirect_uri))
    }
}

/// The checks of a request whose client is known.
fn accept(params: &Params) -> Result<Asked, OAuthError> {
    let invalid = |description| OAuthError::new(InvalidRequest, description);
    if params.get("request").is_some() {
        return Err(OAuthError::new(RequestNotSupported, "request objects are not supported"));
    }
    if params.get("request_uri").is_some() {
        return Err(OAuthError::new(RequestUriNotSupported, "request_uri is not supported"));
    }
    if params.get("response_type") != Some("code") {
        return Err(OAuthError::new(UnsupportedResponseType, "response_type must be code"));
    }
    if params.get("response_mode").is_some_and(|mode| mode != "query") {
        return Err(invalid("response_mode must be query"));
    }
    let scopes: Vec<String> = params.get("scope").unwrap_or_default().split(' ').map(str::to_owned).collect();
    if !scopes.iter().any(|scope| scope == "openid") {
        return Err(OAuthError::new(InvalidScope, "scope must have openid"));
    }
    if params.get("code_challenge_method") != Some("S256") {
        return Err(invalid("code_challenge_method must be S256"));
    }
    let challenge = params.get("code_challenge").and_then(CodeChallenge::parse);
    let challenge = challenge.ok_or(invalid("code_challenge is missing or no S256 challenge"))?;
    let prompt = Prompt::parse(params.get("prompt")).ok_or(invalid("prompt has a word that is not known"))?;
    let max_age = match params.get("max_age").map(str::parse::<u32>) {
        None => None,
        Some(Ok(seconds)) => Some(Span::secs(i64::from(seconds))),
        Some(Err(_)) => return Err(invalid("max_age must be a number of seconds")),
    };
    Ok(Asked {
        state: params.get("state").map(str::to_owned),
        nonce: params.get("nonce").map(str::to_owned),
        challenge,
        scopes,
        prompt,
        max_age,
        hint: params.get("login_hint").map(str::to_owned),
        browser: String::new(),
    })
}

/// Whether who is signed in already may go on without a page.
fn is_enough(session: &Session, asked: &Asked, now: Moment) -> bool {
    let may_be_silent = matches!(asked.prompt, Prompt::Absent | Prompt::None);
    let is_meant = asked.hint.as_ref().is_none_or(|hint| fold(hint.trim()) == session.person.username);
    let is_fresh = asked.max_age.is_none_or(|age| now.since(session.auth_time) <= age);
    may_be_silent && is_meant && is_fresh
}
