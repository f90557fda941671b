//! The paths on which something that was right comes back.

use serde_json::Value;

use crate::rules::Rule;
use crate::support::browser::{Browser, Page};
use crate::support::client::{Ask, Client, Tokens, userinfo};
use crate::support::http::Response;
use crate::world::World;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// An authorization request of a browser that has no session.
    Authorize,
    /// The identity provider's answer.
    Callback,
    /// A login that a third party begins.
    Initiated,
    /// An authorization request of a browser that has a session.
    Reuse,
    /// The same with `prompt=none`.
    Silent,
    Code,
    Refresh,
    Userinfo,
    SignedUserinfo,
    Introspection,
    SignedIntrospection,
    /// A pushed request, taken by a browser without a session.
    Pushed,
    /// A pushed request, taken by a browser with one.
    PushedReuse,
}

/// What the rule is broken after.
pub struct Prepared {
    /// Alice's id.
    pub sub: String,
    tokens: Tokens,
    browser: Browser,
    /// Where the browser goes next.
    next: String,
    ask: Ask,
    /// A code that nobody has used yet.
    code: String,
}

/// What a path came to.
#[derive(Debug)]
pub enum Outcome {
    /// An OAuth error, at the client or in JSON.
    Error(String),
    /// A page with this status.
    Page(u16),
    /// An introspected token that is nothing to the client.
    Inactive,
    /// It leads on; with these scopes, where it has some.
    Held(Vec<String>),
}

impl Path {
    pub const ALL: [Self; 13] = [
        Self::Authorize,
        Self::Callback,
        Self::Initiated,
        Self::Reuse,
        Self::Silent,
        Self::Code,
        Self::Refresh,
        Self::Userinfo,
        Self::SignedUserinfo,
        Self::Introspection,
        Self::SignedIntrospection,
        Self::Pushed,
        Self::PushedReuse,
    ];

    /// A third-party-initiated login knows no client, so no rule about one; and no scope is asked for there.
    pub fn is_concerned_by(self, rule: Rule) -> bool {
        let of_client = matches!(rule, Rule::IdpNotAllowed | Rule::ClientDisabled | Rule::ScopeRemoved);
        !(self == Self::Initiated && of_client)
    }

    pub const fn token_kind(self) -> &'static str {
        if matches!(self, Self::SignedUserinfo | Self::SignedIntrospection) { "jwt" } else { "opaque" }
    }

    /// A person who is known, and everything that this path starts from.
    pub fn prepare(self, world: &World) -> Prepared {
        let client = Client::access();
        let ask = client.ask(&world.server).with("scope", "openid profile email offline_access");
        let mut signed_in = world.server.browser();
        let tokens = client.sign_in(&world.server, &mut signed_in, &ask);
        let ask = client.ask(&world.server);
        let mut prepared = Prepared {
            sub: tokens.sub().to_owned(),
            tokens,
            browser: world.server.browser(),
            next: ask.url(),
            ask,
            code: String::new(),
        };
        match self {
            Self::Callback => {
                let url = prepared.ask.url();
                prepared.next = prepared.browser.until(&url, |url| url.contains("/federation/auth/response/"));
            }
            Self::Initiated => {
                let iss = form_urlencoded::byte_serialize(world.issuer_of_idp().as_bytes()).collect::<String>();
                prepared.next = world.server.url(&format!("/federation/auth/initiate?iss={iss}"));
            }
            Self::Reuse => prepared.browser = signed_in,
            Self::Silent => {
                prepared.browser = signed_in;
                prepared.ask = prepared.ask.with("prompt", "none");
                prepared.next = prepared.ask.url();
            }
            Self::Code => prepared.code = prepared.ask.run(&mut signed_in).code(),
            Self::Pushed => prepared.next = push(world, &prepared.ask),
            Self::PushedReuse => {
                prepared.next = push(world, &prepared.ask);
                prepared.browser = signed_in;
            }
            _ => {}
        }
        prepared
    }

    pub fn take(self, world: &World, prepared: &mut Prepared) -> Outcome {
        let (server, client) = (&world.server, Client::access());
        match self {
            Self::Code => answered(&client.redeem(server, &prepared.ask, &prepared.code)),
            Self::Refresh => answered(&client.refresh(server, prepared.tokens.refresh())),
            Self::Userinfo | Self::SignedUserinfo => claims(&userinfo(server, &prepared.tokens.access)),
            Self::Introspection | Self::SignedIntrospection => {
                let request = client.request(server, "/acs/introspect", &[("token", &prepared.tokens.access)]);
                introspected(&server.send(&request))
            }
            Self::Initiated => {
                let page = prepared.browser.open(&prepared.next);
                match &page.answer {
                    Some(response) if response.status == 200 && page.url == server.url("/") => {
                        Outcome::Held(Vec::new())
                    }
                    Some(response) => Outcome::Page(response.status),
                    None => panic!("the browser left for {}", page.url),
                }
            }
            _ => {
                let page = prepared.browser.open(&prepared.next);
                signed_in(world, &prepared.ask, &page)
            }
        }
    }
}

/// Pushes the request; where the browser goes with it.
#[track_caller]
fn push(world: &World, ask: &Ask) -> String {
    let fields: Vec<(&str, &str)> = ask.params.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let response = world.server.send(&Client::access().request(&world.server, "/acs/par", &fields));
    assert_eq!(response.status, 201, "{}", response.text());
    let request_uri = response.json()["request_uri"].as_str().expect("a request_uri").to_owned();
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("client_id", "access"), ("request_uri", request_uri.as_str())])
        .finish();
    format!("{}?{query}", ask.endpoint())
}

/// What a browser's way ended in; a code is turned in.
#[track_caller]
fn signed_in(world: &World, ask: &Ask, page: &Page) -> Outcome {
    if let Some(response) = &page.answer {
        return Outcome::Page(response.status);
    }
    let answer = ask.answer(page);
    match answer.fields.get("error") {
        Some(error) => Outcome::Error(error.clone()),
        None => answered(&Client::access().redeem(&world.server, ask, &answer.code())),
    }
}

fn answered(response: &Response) -> Outcome {
    let json = response.json();
    match json["error"].as_str() {
        Some(error) => Outcome::Error(error.to_owned()),
        None => Outcome::Held(words(&json["scope"])),
    }
}

fn words(value: &Value) -> Vec<String> {
    value.as_str().unwrap_or_default().split(' ').map(str::to_owned).collect()
}

/// Userinfo names no scopes: what it tells stands for them.
fn claims(response: &Response) -> Outcome {
    let json = response.json();
    match json["error"].as_str() {
        Some(error) => Outcome::Error(error.to_owned()),
        None => Outcome::Held(json.as_object().expect("claims").keys().cloned().collect()),
    }
}

fn introspected(response: &Response) -> Outcome {
    let json = response.json();
    if json["error"].is_string() {
        return answered(response);
    }
    match json["active"].as_bool() {
        Some(false) => {
            assert_eq!(json.as_object().map(serde_json::Map::len), Some(1), "and nothing else: {json}");
            Outcome::Inactive
        }
        _ => Outcome::Held(words(&json["scope"])),
    }
}
