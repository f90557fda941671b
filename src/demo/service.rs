//! The demo service: a relying party of the broker, with a page that begins sign-ins and shows how they ended.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value};

use super::people::COMPANIES;
use super::shelf::Shelf;
use super::wire::{Answer, Method, Party, Request};
use crate::base::{Clock, Dice, Secret, Span};
use crate::broker::code::IssuedCode;
use crate::config::PageSettings;
use crate::oidc::Idp;
use crate::oidc::params::Params;
use crate::oidc::pkce::CodeChallenge;
use crate::pages::{DemoClient, DemoOutcome};
use crate::state::{Kind, Name, StateStore};
use crate::upstream::{AuthorizationCall, CodeCall, ProviderFacts, Upstream, UpstreamFault, authorization_url};

/// Names the browser; shared among all ports of the host, as every cookie.
const COOKIE: &str = "demo-service";
/// How long a sign-in may take.
const UNDER_WAY: Span = Span::minutes(15);
/// How long it is remembered how the last one ended.
const REMEMBERED: Span = Span::hours(8);

/// The service.
pub struct Service {
    /// The broker, as a relying party sees it.
    pub broker: Arc<Idp>,
    pub upstream: Upstream,
    /// The broker's own store, asked for the reference that goes with a code: the demo lives in its process.
    pub state: Arc<dyn StateStore>,
    pub home: String,
    pub redirect_uri: String,
    /// The words of the command that explains a login, up to the reference.
    pub explain: Vec<String>,
    pub clock: Arc<dyn Clock>,
    pub dice: Arc<dyn Dice>,
    pub under_way: Shelf<UnderWay>,
    pub browsers: Shelf<Remembered>,
}

/// A sign-in that was begun, by its `state`.
#[derive(Clone)]
pub struct UnderWay {
    browser: String,
    nonce: String,
    verifier: Secret,
}

/// How the last sign-in of a browser ended.
#[derive(Clone)]
pub struct Remembered {
    outcome: DemoOutcome,
    id_token: Option<Secret>,
    /// The broker's session.
    sid: Option<String>,
}

#[async_trait]
impl Party for Service {
    async fn answer(&self, request: Request) -> Answer {
        if let Some(file) = super::idp::static_file(&request) {
            return file;
        }
        match (request.path.as_str(), request.method) {
            ("/", Method::Get) => self.page(&request),
            ("/login", Method::Post) => self.begin(&request).await,
            ("/callback", Method::Get) => self.callback(&request).await,
            ("/sign-out", Method::Get) => self.sign_out(&request).await,
            ("/signed-out", Method::Get) => self.told(&request),
            ("/" | "/callback" | "/sign-out" | "/signed-out", _) => Answer::wrong_method("GET"),
            ("/login", _) => Answer::wrong_method("POST"),
            _ => Answer::see_other(&self.home),
        }
    }
}

impl Service {
    /// The page. `login_hint` and `prompt` in its address fill in the form.
    fn page(&self, request: &Request) -> Answer {
        let remembered = request.cookie(COOKIE).and_then(|browser| self.browsers.look(browser, self.clock.now()));
        let given = |name| request.query.get(name).unwrap_or_default().to_owned();
        let is_signed_in = remembered.as_ref().is_some_and(|remembered| remembered.id_token.is_some());
        // Who follows a link to try something sees the form, not how the last try ended.
        let is_plain = request.query.is_empty();
        let page = DemoClient {
            action: "/login".to_owned(),
            hint: given("login_hint"),
            prompt: given("prompt"),
            people: COMPANIES.iter().flat_map(|company| company.shown()).collect(),
            last: remembered.filter(|_| is_plain).map(|remembered| remembered.outcome),
            explain: self.explain.clone(),
            sign_out: is_signed_in.then(|| "/sign-out".to_owned()),
        };
        Answer::page(&page, request.language(), &PageSettings::default(), &[&self.broker.issuer])
    }

    /// Sends the browser to the broker.
    async fn begin(&self, request: &Request) -> Answer {
        if request.from_elsewhere {
            return Answer::see_other(&self.home);
        }
        let known = request.cookie(COOKIE).filter(|value| value.len() == 43).map(str::to_owned);
        let browser = known.unwrap_or_else(|| self.dice.token());
        let facts = match self.upstream.provider(&self.broker).await {
            Ok(facts) => facts,
            Err(fault) => return self.ended(&browser, failed(&fault)),
        };
        let (state, nonce, verifier) = (self.dice.token(), self.dice.token(), Secret::new(self.dice.token()));
        let given = |name| request.form.get(name).map(str::to_owned);
        let call = AuthorizationCall {
            redirect_uri: self.redirect_uri.clone(),
            state: state.clone(),
            nonce: nonce.clone(),
            code_challenge: CodeChallenge::of(verifier.expose()),
            login_hint: given("login_hint"),
            domain_hint: None,
            prompt: given("prompt"),
            max_age: None,
            acr_values: None,
            ui_locales: None,
            extra: Vec::new(),
        };
        let address = authorization_url(&facts, &self.broker, &call);
        let until = self.clock.now().plus(UNDER_WAY);
        self.under_way.put(&state, UnderWay { browser: browser.clone(), nonce, verifier }, until);
        Answer::see_other(address.as_str()).with_cookie(COOKIE, &browser, "/")
    }

    /// The broker's answer.
    async fn callback(&self, request: &Request) -> Answer {
        let params = &request.query;
        let browser = request.cookie(COOKIE).unwrap_or_default();
        let begun = params.get("state").and_then(|state| self.under_way.look(state, self.clock.now()));
        // Only where it was begun: an answer from another browser changes nothing here.
        let Some(begun) = begun.filter(|begun| !browser.is_empty() && begun.browser == browser) else {
            return Answer::see_other(&self.home);
        };
        if params.get("state").and_then(|state| self.under_way.take(state, self.clock.now())).is_none() {
            return Answer::see_other(&self.home);
        }
        let end = self.finish(params, &begun).await;
        self.ended(browser, end)
    }

    async fn finish(&self, params: &Params, begun: &UnderWay) -> Remembered {
        if params.repeated().is_some() || params.get("iss") != Some(&self.broker.issuer) {
            return refused("iss", Some("The answer is not the broker's.".to_owned()));
        }
        if let Some(error) = params.get("error") {
            return refused(error, params.get("error_description").map(str::to_owned));
        }
        let Some(code) = params.get("code") else { return refused("code", Some("There is no code.".to_owned())) };
        let reference = self.reference(code).await;
        let facts = match self.upstream.provider(&self.broker).await {
            Ok(facts) => facts,
            Err(fault) => return failed(&fault),
        };
        self.redeem(&facts, code, begun, reference).await
    }

    /// Redeems the code and checks the ID token, by the same code that the broker checks its own providers with.
    async fn redeem(
        &self,
        facts: &ProviderFacts,
        code: &str,
        begun: &UnderWay,
        reference: Option<String>,
    ) -> Remembered {
        let call = CodeCall {
            code,
            verifier: &begun.verifier,
            redirect_uri: &self.redirect_uri,
            nonce: &begun.nonce,
            wanted: &[],
        };
        match self.upstream.exchange(&self.broker, facts, &call).await {
            Ok(identity) => {
                let outcome = DemoOutcome::SignedIn { claims: listed(&identity.claims), reference };
                Remembered { outcome, id_token: Some(identity.id_token), sid: identity.sid }
            }
            Err(fault) => failed(&fault),
        }
    }

    async fn reference(&self, code: &str) -> Option<String> {
        let bytes = self.state.peek(Name::of(Kind::Code, code)).await.ok().flatten()?;
        IssuedCode::decode(&bytes).map(|issued| issued.reference)
    }

    /// To the page, which shows how it ended; reloading it begins nothing.
    fn ended(&self, browser: &str, end: Remembered) -> Answer {
        self.browsers.put(browser, end, self.clock.now().plus(REMEMBERED));
        Answer::see_other(&self.home).with_cookie(COOKIE, browser, "/")
    }

    /// The broker's word, in a frame, that its session has ended (OpenID Connect Front-Channel Logout 1.0 §2).
    fn told(&self, request: &Request) -> Answer {
        let browser = request.cookie(COOKIE).unwrap_or_default();
        let known = self.browsers.look(browser, self.clock.now()).and_then(|remembered| remembered.sid);
        let is_meant =
            request.query.get("iss") == Some(&self.broker.issuer) && request.query.get("sid") == known.as_deref();
        if known.is_some() && is_meant {
            self.browsers.take(browser, self.clock.now());
        }
        Answer::plain(200, "Signed out.")
    }

    /// Signs out here and at the broker (RP-Initiated Logout §2).
    async fn sign_out(&self, request: &Request) -> Answer {
        if request.from_elsewhere {
            return Answer::see_other(&self.home);
        }
        let browser = request.cookie(COOKIE).unwrap_or_default();
        let id_token = self.browsers.take(browser, self.clock.now()).and_then(|remembered| remembered.id_token);
        let facts = self.upstream.provider(&self.broker).await.ok();
        let endpoint = facts.and_then(|facts| facts.end_session.url().cloned());
        match (endpoint, id_token) {
            (Some(mut address), Some(id_token)) => {
                address
                    .query_pairs_mut()
                    .append_pair("id_token_hint", id_token.expose())
                    .append_pair("post_logout_redirect_uri", &self.home);
                Answer::see_other(address.as_str())
            }
            _ => Answer::see_other(&self.home),
        }
    }
}

fn refused(error: &str, description: Option<String>) -> Remembered {
    let outcome = DemoOutcome::Refused { error: error.to_owned(), description, reference: None };
    Remembered { outcome, id_token: None, sid: None }
}

fn failed(fault: &UpstreamFault) -> Remembered {
    let error = match fault {
        UpstreamFault::Refused { error, .. } => error,
        _ => "server_error",
    };
    refused(error, Some(fault.detail().to_owned()))
}

/// Claims that say who it is stand first, in this order.
const FIRST: [&str; 7] = ["name", "preferred_username", "email", "email_verified", "given_name", "family_name", "sub"];

/// Name and value of each claim, as a page shows them.
fn listed(claims: &Map<String, Value>) -> Vec<(String, String)> {
    let mut names: Vec<&String> = claims.keys().collect();
    let rank = |name: &&String| FIRST.iter().position(|first| first == name).unwrap_or(FIRST.len());
    names.sort_by_key(rank);
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    names.into_iter().filter_map(|name| Some((name.clone(), text(claims.get(name)?)))).collect()
}
