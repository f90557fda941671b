//! A sign-out that a client asks for (OpenID Connect RP-Initiated Logout 1.0): whether it is believed, where it may
//! lead, and what the identity provider and the clients are sent.

use std::collections::BTreeMap;
use std::sync::Arc;

use form_urlencoded::byte_serialize;
use serde::{Deserialize, Serialize};
use url::Url;

use super::session::UpstreamSession;
use crate::base::Moment;
use crate::base::limits::CLOCK_SKEW;
use crate::oidc::idp::SignOutProof;
use crate::oidc::{Client, ClientId, Idp};

/// What came as `id_token_hint`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint<'a> {
    Absent,
    /// Something that we didn't sign.
    Foreign,
    /// An ID token of ours, expired or not.
    Ours {
        audience: &'a str,
        sid: Option<&'a str>,
    },
}

/// The parameters of the request (§2).
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub hint: Hint<'a>,
    pub client_id: Option<&'a str>,
    pub post_logout_redirect_uri: Option<&'a str>,
    pub state: Option<&'a str>,
}

/// What is to be done with the browser's session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It has none.
    Nothing,
    /// It ends at once.
    End,
    /// Any page of any site can send a browser here: the person is asked.
    Ask,
}

/// What a request comes to.
#[derive(Clone, Debug)]
pub struct Decision {
    pub step: Step,
    /// The client that asks, as far as the request says so. Proven only by a hint.
    pub client: Option<Arc<Client>>,
    /// Where the person goes in the end; `None`: to our page.
    pub back: Option<Back>,
}

/// The way back to a client: only [`decide`] makes one, from an address that the client registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Back {
    /// The client's name.
    pub name: String,
    /// With `state` in it.
    pub url: String,
}

/// Judges a request. `sid`: of the browser's session, if it has one.
///
/// A hint ends the session that it was issued in and no other. One that proves nothing (signed by somebody else, of
/// another session, beside another `client_id`) leads nowhere, not even after the person has said yes.
#[must_use]
pub fn decide(clients: &BTreeMap<ClientId, Arc<Client>>, asked: &Asked<'_>, sid: Option<&str>) -> Decision {
    let named = |id: &str| clients.get(&ClientId(id.to_owned())).filter(|client| client.enabled).cloned();
    let (step, client) = match (asked.hint, sid) {
        (Hint::Absent, None) => (Step::Nothing, None),
        (Hint::Absent, Some(_)) => (Step::Ask, asked.client_id.and_then(named)),
        (Hint::Ours { audience, .. }, _) if asked.client_id.is_some_and(|id| id != audience) => (ask(sid), None),
        (Hint::Ours { audience, .. }, None) => (Step::Nothing, named(audience)),
        (Hint::Ours { audience, sid: issued_in }, Some(sid)) if issued_in == Some(sid) => (Step::End, named(audience)),
        (Hint::Ours { .. } | Hint::Foreign, sid) => (ask(sid), None),
    };
    let back = client.as_ref().and_then(|client| back(client, asked));
    Decision { step, client, back }
}

const fn ask(sid: Option<&str>) -> Step {
    if sid.is_some() { Step::Ask } else { Step::Nothing }
}

/// §3: the address is compared as text, byte for byte.
fn back(client: &Client, asked: &Asked<'_>) -> Option<Back> {
    let uri = asked.post_logout_redirect_uri?;
    let registered = client.post_logout_redirect_uris.iter().find(|registered| *registered == uri)?;
    let url = match asked.state {
        Some(state) => joined(registered, &[("state", state)]),
        None => registered.clone(),
    };
    Some(Back { name: client.name.clone(), url })
}

/// An address with more parameters, each encoded once; what it has itself stays as it is written.
fn joined(address: &str, pairs: &[(&str, &str)]) -> String {
    let added: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    let joint = match address.split_once('?') {
        None => "?",
        Some((_, query)) if query.is_empty() || query.ends_with('&') => "",
        Some(_) => "&",
    };
    format!("{address}{joint}{}", added.join("&"))
}

/// A blank as %20 is read by everybody, as `+` only by those who decode forms.
fn encoded(value: &str) -> String {
    byte_serialize(value.as_bytes()).collect::<String>().replace('+', "%20")
}

/// The address that tells a client by the browser (OpenID Connect Front-Channel Logout 1.0 §3): `iss` and `sid` always,
/// beside a query that it has itself.
#[must_use]
pub fn frontchannel_address(uri: &str, issuer: &str, sid: &str) -> String {
    joined(uri, &[("iss", issuer), ("sid", sid)])
}

/// What the identity provider is told about whom to sign out: nothing, or one parameter. `None`: it isn't sent anybody,
/// since that would end at an error page of its own.
#[must_use]
pub fn proof<'k>(idp: &Idp, kept: Option<&'k UpstreamSession>, now: Moment) -> Option<Option<(&'static str, &'k str)>> {
    let kept = kept.filter(|kept| kept.idp == idp.id);
    let fresh = kept
        .and_then(|kept| kept.id_token.as_ref())
        // Its clock may be ahead of ours.
        .filter(|(_, expires)| now.plus(CLOCK_SKEW) < *expires)
        .map(|(token, _)| ("id_token_hint", token.expose()));
    match idp.sign_out {
        SignOutProof::IdToken => Some(fresh),
        SignOutProof::FreshIdToken => fresh.map(Some),
        SignOutProof::LoginHint => {
            Some(kept.and_then(|kept| kept.login_hint.as_ref()).map(|hint| ("logout_hint", hint.expose())))
        }
    }
}

/// The provider's end-session endpoint with our parameters (RP-Initiated Logout §2). A query of its own survives, but
/// for what we set ourselves: that would stand twice.
#[must_use]
pub fn end_session_url(endpoint: &Url, pairs: &[(&str, &str)]) -> String {
    let is_ours = |piece: &str| {
        let name = form_urlencoded::parse(piece.as_bytes()).next().map(|(name, _)| name.into_owned());
        name.is_none_or(|name| pairs.iter().any(|(ours, _)| *ours == name))
    };
    let own: Vec<&str> = endpoint.query().unwrap_or_default().split('&').filter(|piece| !is_ours(piece)).collect();
    let mut address = endpoint.clone();
    address.set_query(Some(own.join("&").as_str()).filter(|query| !query.is_empty()));
    joined(address.as_str(), pairs)
}

/// What became of the session at the identity provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AtProvider {
    /// The browser comes back from there without an error.
    Ended,
    /// It was told nothing, or answered with an error.
    Open,
}

/// What a person is told at the end of a sign-out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The identity provider's name, and what became of the session there.
    pub provider: Option<(String, AtProvider)>,
    /// Names of the services that were told.
    pub told: Vec<String>,
    /// Names of the services that can't be told.
    pub untold: Vec<String>,
    pub back: Option<Back>,
    /// Where to sign in again: an address of the configuration.
    pub again: Option<String>,
    /// The languages that the request asked for.
    pub ui_locales: Option<String>,
}

impl Outcome {
    /// Who of the served clients is told and who can't be. `asking`: the client whose hint began the sign-out, which
    /// knows it anyway.
    #[must_use]
    pub fn of(served: &[Arc<Client>], asking: Option<&ClientId>) -> Self {
        let mut outcome = Self::default();
        for client in served {
            if client.backchannel_logout_uri.is_some() || client.frontchannel_logout_uri.is_some() {
                outcome.told.push(client.name.clone());
            } else if asking != Some(&client.id) {
                outcome.untold.push(client.name.clone());
            }
        }
        outcome
    }

    /// The same with this end at the provider.
    #[must_use]
    pub fn at_provider(mut self, name: &str, end: AtProvider) -> Self {
        self.provider = Some((name.to_owned(), end));
        self
    }
}
