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

/// Bytes of an ID token that goes to a provider in an address: many servers take no more than 8 KiB of it.
const TOKEN_BYTES_MAX: usize = 6 * 1024;

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
        // Its clock may be ahead of ours, and what is too long for an address can't be sent by a redirect.
        .filter(|(token, expires)| now.plus(CLOCK_SKEW) < *expires && token.expose().len() <= TOKEN_BYTES_MAX)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Secret, Span};
    use crate::broker::session::UPSTREAM_SESSION_VERSION;
    use crate::oidc::IdpId;
    use crate::token::samples;

    const NOW: Moment = Moment::from_secs(1_800_000_000);

    fn clients() -> BTreeMap<ClientId, Arc<Client>> {
        let client = |id: &str, uris: &[&str]| {
            let post_logout_redirect_uris = uris.iter().map(|uri| (*uri).to_owned()).collect();
            let id = ClientId(id.to_owned());
            (id.clone(), Arc::new(Client { id, post_logout_redirect_uris, ..samples::client() }))
        };
        let (id, off) = client("off", &["https://off.example/bye"]);
        let off = Arc::new(Client { enabled: false, ..(*off).clone() });
        let a = client("a", &["https://a.example/bye", "https://a.example/bye?x=1&"]);
        [a, client("b", &["https://b.example/bye"]), (id, off)].into()
    }

    const fn ours<'a>(audience: &'a str, sid: Option<&'a str>) -> Hint<'a> {
        Hint::Ours { audience, sid }
    }

    fn judged(hint: Hint<'_>, client_id: Option<&str>, uri: &str, sid: Option<&str>) -> (Step, Option<String>) {
        let asked = Asked { hint, client_id, post_logout_redirect_uri: Some(uri), state: None };
        let decision = decide(&clients(), &asked, sid);
        (decision.step, decision.back.map(|back| back.url))
    }

    #[test]
    fn a_hint_of_this_very_session_ends_it_and_leads_back() {
        let bye = "https://a.example/bye";
        let back = Some(bye.to_owned());
        assert_eq!(judged(ours("a", Some("s")), None, bye, Some("s")), (Step::End, back.clone()));
        assert_eq!(judged(ours("a", Some("s")), Some("a"), bye, Some("s")), (Step::End, back.clone()));
        assert_eq!(judged(ours("a", Some("s")), None, bye, None), (Step::Nothing, back));
        assert_eq!(judged(ours("gone", Some("s")), None, bye, Some("s")), (Step::End, None));
        assert_eq!(judged(ours("off", Some("s")), None, "https://off.example/bye", Some("s")), (Step::End, None));
    }

    #[test]
    fn a122_without_a_hint_the_person_is_asked_and_then_a_registered_address_is_gone_to() {
        let bye = "https://a.example/bye";
        assert_eq!(judged(Hint::Absent, None, bye, Some("s")), (Step::Ask, None));
        assert_eq!(judged(Hint::Absent, Some("a"), bye, Some("s")), (Step::Ask, Some(bye.to_owned())));
        assert_eq!(judged(Hint::Absent, Some("b"), bye, Some("s")), (Step::Ask, None));
        assert_eq!(judged(Hint::Absent, Some("off"), "https://off.example/bye", Some("s")), (Step::Ask, None));
        assert_eq!(judged(Hint::Absent, Some("a"), bye, None), (Step::Nothing, None), "nobody was asked");
    }

    #[test]
    fn a123_a_hint_that_proves_nothing_ends_nothing_and_leads_nowhere() {
        let bye = "https://a.example/bye";
        for client_id in [None, Some("a")] {
            for hint in [Hint::Foreign, ours("a", Some("other")), ours("a", None), ours("b", Some("other"))] {
                assert_eq!(judged(hint, client_id, bye, Some("s")), (Step::Ask, None), "{hint:?}");
            }
            assert_eq!(judged(Hint::Foreign, client_id, bye, None), (Step::Nothing, None));
        }
        assert_eq!(judged(ours("b", Some("s")), Some("a"), bye, Some("s")), (Step::Ask, None), "another client_id");
        assert_eq!(judged(ours("b", Some("s")), Some("a"), bye, None), (Step::Nothing, None));
    }

    #[test]
    fn a125_addresses_are_compared_byte_for_byte() {
        for uri in [
            "https://a.example/bye?foo=bar",
            "https://a.example/bye/",
            "https://A.example/bye",
            "//evil.example",
            "/\\evil.example",
            "https://b.example/bye",
            "javascript:alert(1)",
            "",
        ] {
            assert_eq!(judged(ours("a", Some("s")), None, uri, Some("s")), (Step::End, None), "{uri}");
        }
    }

    #[test]
    fn a126_state_is_encoded_and_a_query_stays() {
        for (uri, url) in [
            ("https://a.example/bye", "https://a.example/bye?state=a%20b%26c%0D%0A%3Cx%3E%2B"),
            ("https://a.example/bye?x=1&", "https://a.example/bye?x=1&state=a%20b%26c%0D%0A%3Cx%3E%2B"),
        ] {
            let hint = ours("a", Some("s"));
            let state = Some("a b&c\r\n<x>+");
            let asked = Asked { hint, client_id: None, post_logout_redirect_uri: Some(uri), state };
            assert_eq!(decide(&clients(), &asked, Some("s")).back.map(|back| back.url).as_deref(), Some(url));
        }
        let told = frontchannel_address("https://a.example/out?t=1", "https://id.example/acs", "s");
        assert_eq!(told, "https://a.example/out?t=1&iss=https%3A%2F%2Fid.example%2Facs&sid=s");
    }

    fn kept(life: Span) -> UpstreamSession {
        UpstreamSession {
            version: UPSTREAM_SESSION_VERSION,
            idp: samples::idp().id,
            id_token: Some((Secret::new("t0k3n".to_owned()), NOW.plus(life))),
            login_hint: Some(Secret::new("h1nt".to_owned())),
        }
    }

    #[test]
    fn a135_each_provider_is_told_only_what_it_takes() {
        let idp = |sign_out| Idp { sign_out, ..samples::idp() };
        let (fresh, old) = (kept(Span::minutes(5)), kept(Span::secs(0)));
        let (token, hint) = (Some(("id_token_hint", "t0k3n")), Some(("logout_hint", "h1nt")));
        for (proves, kept, expected) in [
            (SignOutProof::IdToken, Some(&fresh), Some(token)),
            (SignOutProof::IdToken, Some(&old), Some(None)),
            (SignOutProof::IdToken, None, Some(None)),
            (SignOutProof::FreshIdToken, Some(&fresh), Some(token)),
            (SignOutProof::FreshIdToken, Some(&old), None),
            (SignOutProof::FreshIdToken, None, None),
            (SignOutProof::LoginHint, Some(&old), Some(hint)),
            (SignOutProof::LoginHint, None, Some(None)),
        ] {
            assert_eq!(proof(&idp(proves), kept, NOW), expected, "{proves:?}");
        }
        let foreign = Idp { id: IdpId("other".to_owned()), ..idp(SignOutProof::LoginHint) };
        assert_eq!(proof(&foreign, Some(&fresh), NOW), Some(None), "kept of another provider");
        let bulky = Secret::new("x".repeat(TOKEN_BYTES_MAX + 1));
        let bulky = UpstreamSession { id_token: Some((bulky, NOW.plus(Span::hours(1)))), ..fresh };
        assert_eq!(proof(&idp(SignOutProof::FreshIdToken), Some(&bulky), NOW), None, "no address is that long");
    }

    #[test]
    fn a_query_of_the_endpoint_survives_but_for_what_is_ours() {
        let at = |text: &str| Url::parse(text).expect("a URL");
        let pairs = [("client_id", "v b"), ("state", "s&t")];
        for (endpoint, address) in [
            ("https://p.example/out", "https://p.example/out?client_id=v%20b&state=s%26t"),
            ("https://p.example/out?", "https://p.example/out?client_id=v%20b&state=s%26t"),
            ("https://p.example/out?p=B2C_1%5F&q", "https://p.example/out?p=B2C_1%5F&q&client_id=v%20b&state=s%26t"),
            (
                "https://p.example/out?state=1&p=2&client%5Fid=3",
                "https://p.example/out?p=2&client_id=v%20b&state=s%26t",
            ),
        ] {
            assert_eq!(end_session_url(&at(endpoint), &pairs), address);
        }
    }

    #[test]
    fn services_are_told_or_named_as_untold_but_for_the_one_that_asks() {
        let client = |name: &str, back: bool, front: bool| {
            Arc::new(Client {
                id: ClientId(name.to_owned()),
                name: name.to_owned(),
                backchannel_logout_uri: back.then(|| "https://x.example/b".to_owned()),
                frontchannel_logout_uri: front.then(|| "https://x.example/f".to_owned()),
                ..samples::client()
            })
        };
        let served =
            [client("a", true, false), client("b", false, true), client("c", false, false), client("d", false, false)];
        let outcome = Outcome::of(&served, Some(&ClientId("d".to_owned())));
        assert_eq!((outcome.told, outcome.untold), (vec!["a".to_owned(), "b".to_owned()], vec!["c".to_owned()]));
    }
}
