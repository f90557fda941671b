//! A person's browser: cookies, redirects, and the way from a client to its callback.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde_json::Value;
use url::Url;
use vestibule::base::Digest;

use crate::http::{self, Answer, encoded};
use crate::stage::{CALLBACK_AT_CLIENT, CLIENT_SECRET, HOST, Server};

pub const STATE: &str = "canary-state-of-the-client";
pub const VERIFIER: &str = "canary-verifier-0123456789012345678901234567890123456789";

/// Where a way ended.
#[derive(Debug)]
pub enum End {
    /// Back at the client, with these parameters.
    Client(BTreeMap<String, String>),
    /// At a page.
    Page(Answer),
}

impl End {
    #[track_caller]
    pub fn code(&self) -> String {
        match self {
            Self::Client(params) => params.get("code").unwrap_or_else(|| panic!("no code: {params:?}")).clone(),
            Self::Page(page) => panic!("no code, but {}", page.everything()),
        }
    }

    #[track_caller]
    pub fn error(&self) -> String {
        match self {
            Self::Client(params) => params.get("error").unwrap_or_else(|| panic!("no error: {params:?}")).clone(),
            Self::Page(page) => panic!("no error at the client, but {}", page.everything()),
        }
    }

    #[track_caller]
    pub fn page(&self) -> &Answer {
        match self {
            Self::Page(page) => page,
            Self::Client(params) => panic!("no page, but at the client: {params:?}"),
        }
    }
}

#[derive(Clone, Default)]
pub struct Browser {
    pub cookies: BTreeMap<String, String>,
    /// Every address it was sent to.
    pub visited: Vec<String>,
}

impl Browser {
    /// The authorization request of the client `access`, with more parameters.
    pub fn authorize_target(more: &[(&str, &str)]) -> String {
        let challenge = Digest::of(VERIFIER).base64url();
        let mut pairs = vec![
            ("client_id", "access"),
            ("redirect_uri", CALLBACK_AT_CLIENT),
            ("response_type", "code"),
            ("scope", "openid profile email user offline_access"),
            ("state", STATE),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        pairs.extend_from_slice(more);
        format!("/acs/authorize?{}", encoded(&pairs))
    }

    /// A whole way, from the authorization request to its end.
    pub fn login(&mut self, server: &Server, more: &[(&str, &str)]) -> End {
        self.go(server, &format!("http://{HOST}{}", Self::authorize_target(more)))
    }

    /// Follows redirects until a page or the client.
    pub fn go(&mut self, server: &Server, to: &str) -> End {
        let mut at = Url::parse(to).expect("an address");
        for _ in 0..10 {
            if at.as_str().starts_with(CALLBACK_AT_CLIENT) {
                return End::Client(at.query_pairs().into_owned().collect());
            }
            let answer = self.visit(server, &at);
            match answer.header("location") {
                Some(next) if (300..400).contains(&answer.status) => at = at.join(next).expect("an address"),
                _ => return End::Page(answer),
            }
        }
        panic!("redirected without end to {at}")
    }

    /// Up to the identity provider's door: the address that it was sent to.
    pub fn leave(&mut self, server: &Server, more: &[(&str, &str)]) -> Url {
        let answer = self.visit(server, &ours(&Self::authorize_target(more)));
        Url::parse(answer.header("location").unwrap_or_else(|| panic!("{}", answer.everything()))).expect("an address")
    }

    /// The provider's answer: the address of our callback with its parameters.
    pub fn at_provider(&mut self, server: &Server, door: &Url) -> Url {
        let answer = self.visit(server, door);
        Url::parse(answer.header("location").unwrap_or_else(|| panic!("{}", answer.everything()))).expect("an address")
    }

    pub fn visit(&mut self, server: &Server, at: &Url) -> Answer {
        let request = self.request(at);
        let answer = http::raw(address_of(server, at), request.as_bytes()).expect("an answer");
        self.keep(&answer);
        answer
    }

    /// The bytes of a visit.
    pub fn request(&mut self, at: &Url) -> String {
        self.visited.push(at.to_string());
        let host = host_of(at);
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = cookies.join("; ");
        let headers: &[(&str, &str)] = if host == HOST && !cookies.is_empty() { &[("Cookie", &cookies)] } else { &[] };
        let target = &at[url::Position::BeforePath..url::Position::AfterQuery];
        http::request("GET", target, &host, headers, "")
    }

    pub fn keep(&mut self, answer: &Answer) {
        for cookie in answer.all("set-cookie") {
            let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
            let (name, value) = pair.split_once('=').expect("a cookie");
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

pub fn ours(target: &str) -> Url {
    Url::parse(&format!("http://{HOST}{target}")).expect("an address")
}

fn host_of(at: &Url) -> String {
    at[url::Position::BeforeHost..url::Position::AfterPort].to_owned()
}

fn address_of(server: &Server, at: &Url) -> SocketAddr {
    let host = host_of(at);
    if host == HOST { server.address } else { host.parse().expect("a loopback provider") }
}

/// The client redeems a code.
pub fn redeem(server: &Server, code: &str) -> Answer {
    token(
        server,
        &[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK_AT_CLIENT),
            ("code_verifier", VERIFIER),
        ],
    )
}

pub fn refresh(server: &Server, refresh_token: &str) -> Answer {
    token(server, &[("grant_type", "refresh_token"), ("refresh_token", refresh_token)])
}

fn token(server: &Server, pairs: &[(&str, &str)]) -> Answer {
    let mut pairs = pairs.to_vec();
    pairs.extend([("client_id", "access"), ("client_secret", CLIENT_SECRET)]);
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    server.ask("POST", "/acs/token", &form, &encoded(&pairs))
}

/// A text member of a JSON answer.
#[track_caller]
pub fn member(answer: &Answer, name: &str) -> String {
    let body: Value = answer.json();
    body[name].as_str().unwrap_or_else(|| panic!("no {name} in {body}")).to_owned()
}
